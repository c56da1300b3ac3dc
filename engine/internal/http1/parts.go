package http1

import (
	"io"

	"github.com/nollagluiz/broadside/engine/internal/core"
)

// What a host that does its own I/O needs beside NewWire and Parser.

// Feed gives b to p as far as it goes, and returns what is left when p wants more, found something odd, or is at an end.
// x learns what the head says.
func Feed(p *Parser, b []byte, x *core.Exchange) (rest []byte, s State) { return feed(p, b, x) }

// ReadOdd lets net/http read the response that p called odd, or that broke, and throws its body away: b is what p did not
// consume, and more of it comes from in. x learns what the head says, unless p has consumed that. keep tells whether the
// connection may carry more; extra is how many of the bytes were no part of the response.
func ReadOdd(method string, p *Parser, b []byte, in io.Reader, x *core.Exchange) (keep bool, extra int, err error) {
	return slow(method, p, b, in, x, io.Discard)
}

// Broken is how net/http tells of a request that left in part, or of a head that it could not read.
func Broken(err error) error { return broken(err) }

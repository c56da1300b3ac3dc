package http1

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"strings"

	"github.com/nollagluiz/broadside/engine/internal/core"
)

// maxSlowHead bounds a response's head, the informational ones before it included, in bytes; package std has the same.
const maxSlowHead = 128 << 10

// slow lets net/http read the response that p called odd, or that broke: b is what p did not consume, and more of it
// comes from in. It notes in x what the head says, unless p has consumed that, and copies the rest of the body to sink.
// keep tells whether the connection may carry more; extra is how many of the bytes were no part of the response.
func slow(method string, p *Parser, b []byte, in io.Reader, x *core.Exchange, sink io.Writer) (keep bool, extra int, err error) {
	resume, unread := p.Resume(), bytes.NewReader(b)
	bounded := &boundedReader{in: io.MultiReader(strings.NewReader(resume), unread, in), left: maxSlowHead + len(resume)}
	buffered := bufio.NewReader(bounded)
	resp, err := readResponse(buffered, &http.Request{Method: method})
	if err != nil {
		if bounded.left <= 0 {
			err = fmt.Errorf("net/http: server response headers exceeded %d bytes; aborted", maxSlowHead)
		}
		return false, 0, broken(err)
	}
	bounded.left = math.MaxInt
	keep = !resp.Close
	if resume == "" {
		if err := note(resp, x); err != nil {
			return false, 0, err
		}
	} else {
		keep = !p.Close
		if strings.HasSuffix(resume, "X") {
			_, err = io.CopyN(io.Discard, resp.Body, 1)
		}
	}
	if err == nil {
		_, err = io.Copy(sink, resp.Body)
	}
	return keep && err == nil, buffered.Buffered() + unread.Len(), err
}

// readResponse reads a response and the informational ones before it, as net/http's Transport does.
func readResponse(from *bufio.Reader, req *http.Request) (*http.Response, error) {
	for {
		resp, err := http.ReadResponse(from, req)
		if err != nil || resp.StatusCode/100 != 1 || resp.StatusCode == http.StatusSwitchingProtocols {
			return resp, err
		}
	}
}

// note is what x keeps of a head.
func note(resp *http.Response, x *core.Exchange) error {
	x.Status, x.Proto = resp.StatusCode, core.HTTP11
	switch {
	case resp.ProtoMajor == 2: // whoever says so in HTTP/1
		x.Proto = core.HTTP2
	case resp.ProtoMajor == 1 && resp.ProtoMinor == 0:
		x.Proto = core.HTTP10
	}
	switch {
	case resp.StatusCode < 100: // net/http reads "099" and "+20" as numbers
		return errors.New("the server answered with no HTTP status")
	case resp.StatusCode == http.StatusSwitchingProtocols:
		return errors.New("the server switched to a protocol that was not asked for")
	case resp.StatusCode/100 == 3:
		x.Location, x.SetCookie = resp.Header.Get("Location"), resp.Header["Set-Cookie"]
	}
	return nil
}

// broken is how net/http's Transport tells of a head that it could not read.
func broken(err error) error {
	return fmt.Errorf("net/http: HTTP/1.x transport connection broken: %w", err)
}

// boundedReader fails once left bytes have been read.
type boundedReader struct {
	in   io.Reader
	left int
}

func (r *boundedReader) Read(p []byte) (int, error) {
	if r.left <= 0 {
		return 0, errors.New("read limit exhausted")
	}
	n, err := r.in.Read(p[:min(len(p), r.left)])
	r.left -= n
	return n, err
}

// errorReader is a connection that failed.
type errorReader struct{ err error }

func (r errorReader) Read([]byte) (int, error) { return 0, r.err }

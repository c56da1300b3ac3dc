//go:build linux

package loop

import (
	"github.com/nollagluiz/broadside/engine/internal/core"
	"github.com/nollagluiz/broadside/engine/internal/http1"
)

const (
	// maxReads bounds what is read at once for one exchange, in buffers: a large body comes in turn with the others.
	maxReads = 4
	// Bounds of the spare partials: how many, and of the memory that each holds, in bytes.
	maxSpare   = 64
	spareBytes = 16 << 10
)

// partial is what there is of a response that does not come in one piece.
type partial struct {
	parser http1.Parser
	x      core.Exchange // what its head says
	rest   []byte        // what the parser wants more of
}

// read takes what came of the response, and ends the exchange when that was the last of it.
func (v *vu) read() {
	l, c := v.host.loop, v.conn
	for range maxReads {
		kept := 0
		if v.partial != nil {
			kept = copy(l.buf, v.partial.rest)
		}
		n, err := c.read(l.buf[kept:])
		if _, nothing := err.(again); nothing {
			if n == 0 {
				return
			}
			err = nil
		}
		l.clock()
		if v.reached < answered {
			if n == 0 {
				v.failed(err)
				return
			}
			v.first, v.reached = v.host.now(), answered
		}
		if v.took(l.buf[:kept+n], err) || !c.readable && c.tls == nil {
			return
		}
	}
	if !c.queued {
		c.queued = true
		l.again = append(l.again, c)
	}
}

// took gives the parser what came, and err with it. It tells whether nothing more is to be read now.
func (v *vu) took(b []byte, err error) bool {
	l := v.host.loop
	p, x := &l.parser, &l.x
	if v.partial != nil {
		p, x = &v.partial.parser, &v.partial.x
	} else {
		p.Reset(v.wire.Method == "HEAD")
		*x = core.Exchange{}
	}
	rest, s := http1.Feed(p, b, x)
	switch {
	case s == http1.Done:
		v.received(!p.Close && err == nil, len(rest))
		return true
	case s == http1.Odd && err == nil:
		v.lend(v.keep(rest))
		return true
	case err != nil: // net/http knows what to make of what ends here
		odd := v.keep(rest)
		_, extra, err := http1.ReadOdd(v.wire.Method, &odd.parser, odd.rest, ended{err}, &odd.x)
		if err != nil {
			v.fail(err)
		} else {
			v.received(false, extra)
		}
		return true
	}
	v.keep(rest)
	return false
}

// received ends an exchange whose response came whole, with extra bytes behind it. keep tells whether the connection may
// carry more.
func (v *vu) received(keep bool, extra int) {
	x := &v.host.loop.x
	if v.partial != nil {
		x = v.unkeep()
	}
	x.Anomaly = extra > 0
	v.finish(x, keep && extra == 0 && !v.conn.hup)
}

// keep keeps what there is of the response, of which the parser has not consumed rest.
func (v *vu) keep(rest []byte) *partial {
	l := v.host.loop
	if v.partial == nil {
		if last := len(l.spare) - 1; last >= 0 {
			v.partial, l.spare = l.spare[last], l.spare[:last]
		} else {
			v.partial = new(partial)
		}
		v.partial.parser, v.partial.x = l.parser, l.x
	}
	v.partial.rest = append(v.partial.rest[:0], rest...)
	return v.partial
}

// unkeep gives what the head said, if there was one, and forgets the rest.
func (v *vu) unkeep() *core.Exchange {
	l := v.host.loop
	l.x = core.Exchange{}
	if p := v.partial; p != nil {
		v.partial = nil
		l.x, p.x = p.x, l.x
		if cap(p.rest) <= spareBytes && len(l.spare) < maxSpare {
			l.spare = append(l.spare, p)
		}
	}
	return &l.x
}

// ended is a connection that can give nothing but its error.
type ended struct{ err error }

func (e ended) Read([]byte) (int, error) { return 0, e.err }

//go:build linux

package loop

import (
	"time"

	"github.com/nollagluiz/broadside/engine/internal/http1"
)

// A VU's idle connections: how many at the most, and how long one may be out of sight, until it is looked at anew. Package
// http1 has the same numbers.
const (
	maxIdle  = 20
	restless = time.Millisecond
)

// take gives an idle connection to o that is good, or nil.
func (v *vu) take(o http1.Origin) *conn {
	for at := &v.idle; *at != nil; {
		c := *at
		if *c.origin != o {
			at = &c.next
			continue
		}
		*at, c.next = c.next, nil
		if looked := max(c.idle, v.host.loop.seen-v.host.offset); v.wire.Replayable && v.asked-looked < restless {
			return c
		}
		c.readable = true // perhaps: its event may be among those that wait for the loop
		if !v.stale(c) {
			v.host.loop.clock()
			return c
		}
		c.abort()
	}
	return nil
}

// release takes the connection off the exchange, to keep it for those to come or to close it, which is civil after a whole
// response.
func (v *vu) release(keep, whole bool) {
	c := v.conn
	v.conn = nil
	switch {
	case !whole:
		c.abort()
	case !keep || v.host.cfg.Dialer.NoReuse():
		c.close()
	default:
		c.reused, c.idle = true, v.host.now()
		c.next, v.idle = v.idle, c
		v.trim(maxIdle)
	}
}

// trim closes the idle connections but the last used ones.
func (v *vu) trim(most int) {
	at := &v.idle
	for ; *at != nil && most > 0; most-- {
		at = &(*at).next
	}
	for c := *at; c != nil; c = c.next {
		c.close()
	}
	*at = nil
}

// inspect looks at an idle connection that told of something.
func (v *vu) inspect(c *conn) {
	if !v.stale(c) {
		return
	}
	for at := &v.idle; *at != nil; at = &(*at).next {
		if *at == c {
			*at = c.next
			break
		}
	}
	c.abort()
}

// stale tells whether an idle connection may carry nothing more: the server closed it, or sent bytes that no request asked
// for, which is an anomaly unless it says that it had no patience (408). TLS's own messages give nothing to read.
func (v *vu) stale(c *conn) bool {
	buf := v.host.loop.buf
	n, err := c.read(buf)
	if _, nothing := err.(again); nothing && n == 0 {
		return false
	}
	v.anomaly = v.anomaly || n > 0 && !impatient(buf[:n])
	return true
}

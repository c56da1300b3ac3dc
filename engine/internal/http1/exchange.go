package http1

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/nollagluiz/broadside/engine/internal/core"
)

// Buffers, in bytes: a VU's own, what it may keep of one that grew with a head, and one for large bodies, borrowed.
const (
	vuBuffer   = 4 << 10
	keptBuffer = 16 << 10
	bodyBuffer = 32 << 10
)

// progress is how far an exchange went.
type progress uint8

const (
	unsent   progress = iota // no byte left
	partly                   // of the request
	sent                     // the request, whole
	answered                 // a byte came back
)

// exchange sends w over c, which could take it from an offset on, and reads the response away. What came of it is in x,
// also with an error. keep tells whether c may carry more.
func (t *Transport) exchange(ctx context.Context, v *vu, c *conn, w *Wire, r *core.Request, x *core.Exchange, began time.Duration) (reached progress, keep bool, err error) {
	v.begin(c, r.Deadline)
	t.watchdog.mind(r.Deadline)
	if err = ctx.Err(); err != nil { // cut before it could be told to v
		x.End = t.now()
	} else {
		reached, keep, err = t.carry(v, c, w, x, began)
	}
	if severed := v.end(); severed {
		keep = false
	}
	return reached, keep, err
}

func (t *Transport) carry(v *vu, c *conn, w *Wire, x *core.Exchange, began time.Duration) (reached progress, keep bool, err error) {
	if v.buf == nil {
		v.buf = make([]byte, vuBuffer)
	}
	reached, n, wrote, err := t.send(c, w.Bytes, v.buf)
	if reached != sent {
		x.End = t.now()
		x.Phases[core.Sending] = x.End - began
		x.Anomaly = x.Anomaly || n > 0
		return reached, false, err
	}
	first := t.now()
	x.End = first
	x.Phases[core.Sending] = wrote - began
	x.Phases[core.Waiting] = first - wrote
	if n == 0 && err != nil {
		return sent, false, err
	}
	keep, once, err := t.receive(v, c, w.Method, x, n, err)
	if !once {
		x.End = t.now()
		x.Phases[core.Receiving] = x.End - first
	}
	if x.Proto != core.ProtoNone {
		x.TLSVersion = c.tlsVersion
	}
	x.Counts = true
	return answered, keep, err
}

// send writes a request and reads the first bytes of the answer into b.
func (t *Transport) send(c *conn, request, b []byte) (reached progress, n int, wrote time.Duration, err error) {
	if c.sock != nil {
		c.sock.hold()
	}
	n, err = c.Write(request)
	switch {
	case err != nil && n == 0:
		return unsent, 0, 0, err
	case err != nil:
		return partly, 0, 0, broken(err)
	case c.sock == nil:
		wrote = t.now()
		n, err = c.Read(b)
		return sent, n, wrote, err
	}
	n, err = c.Read(b)
	reached, wrote, left := c.sock.outcome()
	if left > 0 {
		c.under.Unsent(left)
	}
	switch {
	case reached == unsent && err == nil: // bytes that crypto/tls had, so of no answer
		err = errors.New("the server sent bytes that no request asked for")
	case reached == partly:
		err = broken(err)
	}
	return reached, n, wrote, err
}

// receive reads a response to its end, from the first n bytes in v.buf on, with which rerr came. once tells that they
// were all of it.
func (t *Transport) receive(v *vu, c *conn, method string, x *core.Exchange, n int, rerr error) (keep, once bool, err error) {
	p := &v.parser
	p.Reset(method == "HEAD")
	buf := v.buf
	var body *[]byte // borrowed
	defer func() {
		if body != nil {
			t.bodies.Put(body)
		}
		if len(v.buf) > keptBuffer {
			v.buf = nil
		}
	}()
	once = true
	for {
		rest, state := feed(p, buf[:n], x)
		var in io.Reader = c
		switch {
		case state == Done:
			x.Anomaly = x.Anomaly || len(rest) > 0
			return !p.Close && len(rest) == 0 && rerr == nil, once, nil
		case rerr != nil:
			in = errorReader{rerr}
			fallthrough
		case state == Odd:
			keep, extra, err := slow(method, p, rest, in, x, io.Discard)
			x.Anomaly = x.Anomaly || extra > 0
			return keep && extra == 0 && rerr == nil, false, err
		}
		switch n = len(rest); {
		case n == len(buf):
			v.buf = make([]byte, 2*len(buf))
			copy(v.buf, rest)
			buf = v.buf
		case body == nil && p.left > int64(len(buf)):
			body = t.bodies.Get().(*[]byte)
			copy(*body, rest)
			buf = *body
		default:
			copy(buf, rest)
		}
		once = false
		var k int
		k, rerr = c.Read(buf[n:])
		n += k
	}
}

// feed gives b to the parser, and what is left of it when that wants more, or is at an end.
func feed(p *Parser, b []byte, x *core.Exchange) (rest []byte, s State) {
	for {
		n, _, s := p.Feed(b)
		if s == Head {
			x.Status, x.Proto = p.Status, core.HTTP11
			if p.Status/100 == 3 {
				x.Location, x.SetCookie = redirect(b[:n])
			}
		}
		if b = b[n:]; s != Head && s != Body {
			return b, s
		}
	}
}

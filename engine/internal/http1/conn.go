package http1

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"net"
	"os"
	"time"

	"github.com/nollagluiz/broadside/engine/internal/dial"
)

// An idle connection that has rested this long is looked at before it is used again: the server may have closed it. One
// that goes on at once is not, as net/http would hardly have noticed either; a look costs a twentieth of a request.
const restless = time.Millisecond

// conn is a connection to an origin.
type conn struct {
	net.Conn              // the *dial.Conn, or the *tls.Conn over it
	under      *dial.Conn // bytes are counted here
	origin     Origin
	tlsVersion uint16 // 0 in clear
	reused     bool   // it has carried an exchange
	idle       time.Duration
	sock       *sock // under all; nil if it is none
	probe      probe
}

// dialOrigin connects. The *tls.Conn comes alone if the server chose HTTP/2. Offsets count from start.
func dialOrigin(ctx context.Context, d *dial.Dialer, o Origin, counter *dial.Counter, start time.Time) (*conn, *tls.Conn, error) {
	if !o.Secure {
		under, err := d.Dial(ctx, o.Address, counter)
		if err != nil {
			return nil, nil, err
		}
		return newConn(under, under, o, start), nil, nil
	}
	host, _, err := net.SplitHostPort(o.Address)
	if err != nil {
		return nil, nil, err
	}
	protocols := []string{"http/1.1"}
	if o.Auto {
		protocols = []string{"h2", "http/1.1"}
	}
	secure, err := d.DialTLS(ctx, o.Address, d.TLSConfig(host, o.SkipVerify, protocols...), counter)
	if err != nil {
		return nil, nil, err
	}
	state := secure.ConnectionState()
	if state.NegotiatedProtocol == "h2" {
		return nil, secure, nil
	}
	c := newConn(secure, dial.Under(secure), o, start)
	c.tlsVersion = state.Version
	return c, nil, nil
}

func newConn(over net.Conn, under *dial.Conn, o Origin, start time.Time) *conn {
	c := &conn{Conn: over, under: under, origin: o, probe: newProbe(under.Conn)}
	if c.sock = newSock(under.Conn, start); c.sock != nil {
		under.Conn = c.sock
	}
	return c
}

// abort closes the connection without TLS's goodbye, which could block.
func (c *conn) abort() { _ = c.under.Close() }

// stale tells whether an idle connection may carry nothing more: the server closed it, or sent bytes that no request
// asked for, which is an anomaly unless it says that it had no patience (408).
func (c *conn) stale() (stale, anomaly bool) {
	wait := time.Millisecond // for TLS's own messages, which give nothing to read
	switch c.probe.look() {
	case nothing:
		return false, false
	case unknown:
		wait = 0
	}
	var b [16]byte
	_ = c.SetReadDeadline(time.Now().Add(wait))
	n, err := c.Read(b[:])
	if n == 0 && errors.Is(err, os.ErrDeadlineExceeded) {
		return c.SetReadDeadline(time.Time{}) != nil, false
	}
	patience := n >= 12 && bytes.HasPrefix(b[:], []byte("HTTP/1.")) && string(b[8:12]) == " 408"
	return true, n > 0 && !patience
}

// look is what a probe sees.
type look uint8

const (
	unknown  look = iota
	nothing       // to be read
	anything      // bytes, or the end
)

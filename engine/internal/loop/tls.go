//go:build linux

package loop

import (
	"bytes"
	"crypto/tls"
	"net"
	"time"

	"github.com/nollagluiz/broadside/engine/internal/dial"
)

// secure is TLS over a conn, by crypto/tls, which is written for connections that block. It serves one that doesn't by
// three things, which tests pin, so that a new Go that does otherwise fails them:
//
//   - An error of a read with Temporary() is not kept: the record, or the message, goes on where it stood. This is what
//     crypto/tls does and not what it promises.
//   - An error of a write is kept, so there is none for want of room: what finds none waits in conn.out.
//   - Nothing shakes hands again: renegotiation, which is before TLS 1.3, would read and write in turn. It is declined, and
//     servers that may ask for it, as they asked for a client's certificate, are left to the other transport.
type secure struct {
	*tls.Conn
	under   *dial.Conn // the Conn beneath, whose Conn is a socket
	counter *dial.Counter
	version uint16
}

// socket is a conn as crypto/tls sees it.
type socket struct{ *conn }

// Read gives what there is, or an error of again; for a goroutine that has the conn on lease it blocks.
func (s socket) Read(p []byte) (int, error) {
	if job := s.vu.job; job != nil && job.lease != nil && job.lease.fd == s.fd {
		return job.lease.Read(p)
	}
	return s.recv(p)
}

// Write takes all of p, which is crypto/tls's to use again.
func (s socket) Write(p []byte) (int, error) {
	if len(s.out) > 0 {
		s.out = append(s.out, p...)
		return len(p), nil
	}
	n, err := s.send(p)
	if err != nil {
		return n, err
	}
	s.out = bytes.Clone(s.out)
	return len(p), nil
}

// Close does nothing: the loop closes.
func (socket) Close() error { return nil }

// The rest of a net.Conn is not asked for, as no deadline is set.

func (socket) LocalAddr() net.Addr              { return nil }
func (socket) RemoteAddr() net.Addr             { return nil }
func (socket) SetDeadline(time.Time) error      { return nil }
func (socket) SetReadDeadline(time.Time) error  { return nil }
func (socket) SetWriteDeadline(time.Time) error { return nil }

// settle counts a connection's bytes for the last time, and lets the Dialer forget it.
func (c *conn) settle() {
	c.tls.under.Unsent(len(c.out))
	c.vu.count(c.tls.counter)
	_ = c.tls.under.Close() // of a socket, which has no error
}

// goodbye tells a server over TLS that nothing more will come.
func (c *conn) goodbye() {
	if c.tls != nil {
		_ = c.tls.CloseWrite() // a courtesy
	}
}

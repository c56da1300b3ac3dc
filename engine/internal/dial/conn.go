package dial

import (
	"crypto/tls"
	"net"
	"sync/atomic"
	"time"
)

// Counter counts the bytes of a VU's sockets, TLS included. Its methods may be called concurrently.
type Counter struct{ sent, rcvd atomic.Int64 }

// Take returns what was counted since the Take before.
func (c *Counter) Take() (sent, rcvd int64) { return c.sent.Swap(0), c.rcvd.Swap(0) }

// Conn is a connection that counts its bytes and knows when it was made. Beneath a *tls.Conn, see Under.
type Conn struct {
	net.Conn
	Began     time.Time // the first connect; DNS lies before it
	Connected time.Time // TCP connect done
	Secured   time.Time // TLS handshake done; zero in clear

	counter *Counter
	dialer  *Dialer
}

// Read counts what came.
func (c *Conn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.counter.rcvd.Add(int64(n))
	return n, err
}

// Write counts what went, and does so beforehand: the answer may be read away, and the counter taken, before the write
// returns.
func (c *Conn) Write(p []byte) (int, error) {
	c.counter.sent.Add(int64(len(p)))
	n, err := c.Conn.Write(p)
	if n < len(p) {
		c.counter.sent.Add(int64(n - len(p)))
	}
	return n, err
}

// Unsent takes back n bytes that a Write counted and that did not go, where what lies under it writes later.
func (c *Conn) Unsent(n int) { c.counter.sent.Add(int64(-n)) }

// Close closes the connection; the Dialer forgets it.
func (c *Conn) Close() error {
	c.dialer.forget(c)
	return c.Conn.Close()
}

// Ready is when the connection could carry a request.
func (c *Conn) Ready() time.Time {
	if c.Secured.IsZero() {
		return c.Connected
	}
	return c.Secured
}

// Under is the Conn that carries c: itself, or the one beneath its TLS; nil if a Dialer didn't make it.
func Under(c net.Conn) *Conn {
	if t, ok := c.(*tls.Conn); ok {
		c = t.NetConn()
	}
	conn, _ := c.(*Conn)
	return conn
}

// Package pipenet is a network in memory for tests in a synctest bubble, where a real socket would never block durably:
// every name leads to one server, connections are pipes, and lookups, connects and handshakes take as long as a test
// says.
package pipenet

import (
	"context"
	"net"
	"net/netip"
	"sync"
	"time"
)

// Delays are how long a Network takes, so that phases can be told apart.
type Delays struct {
	Lookup, Connect time.Duration
	Handshake       time.Duration // before the server's first read
}

// Network is a net.Listener, and the resolver and connect function of its clients. Its methods may be called
// concurrently.
type Network struct {
	delays Delays
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

// New returns a Network whose one server is whoever accepts.
func New(d Delays) *Network {
	return &Network{delays: d, conns: make(chan net.Conn), closed: make(chan struct{})}
}

// LookupNetIP resolves every name to Addr's address.
func (n *Network) LookupNetIP(ctx context.Context, _, _ string) ([]netip.Addr, error) {
	if err := wait(ctx, n.delays.Lookup); err != nil {
		return nil, err
	}
	return []netip.Addr{netip.MustParseAddr("203.0.113.7")}, nil
}

// Connect connects to the server, whatever the address.
func (n *Network) Connect(ctx context.Context, _, _ string) (net.Conn, error) {
	if err := wait(ctx, n.delays.Connect); err != nil {
		return nil, err
	}
	client, server := net.Pipe()
	select {
	case n.conns <- &lateConn{Conn: server, late: n.delays.Handshake}:
		return client, nil
	case <-n.closed:
		return nil, net.ErrClosed
	}
}

// Accept is the server's end of a Connect.
func (n *Network) Accept() (net.Conn, error) {
	select {
	case c := <-n.conns:
		return c, nil
	case <-n.closed:
		return nil, net.ErrClosed
	}
}

// Close ends Accept and Connect.
func (n *Network) Close() error {
	n.once.Do(func() { close(n.closed) })
	return nil
}

// Addr is a documentation address (RFC 5737).
func (n *Network) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(203, 0, 113, 7), Port: 80} }

// lateConn delays its first Read.
type lateConn struct {
	net.Conn
	late time.Duration
}

func (c *lateConn) Read(p []byte) (int, error) {
	if c.late > 0 {
		<-time.After(c.late)
		c.late = 0
	}
	return c.Conn.Read(p)
}

func wait(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

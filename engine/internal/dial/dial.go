// Package dial makes connections for every transport: it resolves with a cache, refuses denied addresses after DNS,
// connects to the address that it checked, falls back between addresses, shakes hands, counts the bytes on the socket,
// and maps every failure to k6's error codes (Classify).
//
// It is not a pool: a transport keeps its own connections. A Dialer belongs to one run, so a name is resolved anew in
// each; its methods may be called concurrently.
package dial

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"sync"
	"time"
)

const (
	connectTimeout = 30 * time.Second       // of one address, and of one TLS handshake; k6's (v2.2, its dialer)
	keepAlive      = 30 * time.Second       // likewise
	fallbackDelay  = 250 * time.Millisecond // RFC 8305 section 5, "Connection Attempt Delay"
	maxAddresses   = 8                      // of a name that are tried
)

// Connect connects to an IP address with port. It must honour ctx. Its errors are those of net.Dialer.
type Connect func(ctx context.Context, network, address string) (net.Conn, error)

// Config is how a Dialer connects. The zero value is complete.
type Config struct {
	DenyPrivate bool     // also refuse loopback, private and the like, not only link-local and cloud metadata
	Resolver    Resolver // net.DefaultResolver if nil
	Connect     Connect  // a net.Dialer if nil
}

// Dialer makes connections.
type Dialer struct {
	deny    []netip.Prefix
	names   cache
	connect Connect

	mu     sync.Mutex // guards conns and closed
	conns  map[*Conn]struct{}
	closed bool
	wg     sync.WaitGroup // dials under way
}

// New returns a Dialer. Close it when its connections are no longer needed.
func New(cfg Config) *Dialer {
	d := &Dialer{
		deny:    Denied(cfg.DenyPrivate),
		names:   cache{resolver: cfg.Resolver, names: map[string]*answer{}},
		connect: cfg.Connect,
		conns:   map[*Conn]struct{}{},
	}
	if d.names.resolver == nil {
		d.names.resolver = net.DefaultResolver
	}
	if d.connect == nil {
		d.connect = (&net.Dialer{KeepAlive: keepAlive}).DialContext
	}
	return d
}

// Close closes every connection that is still open, and waits for dials under way, whose contexts must end. A dial
// after it fails.
func (d *Dialer) Close() {
	d.mu.Lock()
	d.closed = true
	open := make([]*Conn, 0, len(d.conns))
	for c := range d.conns {
		open = append(open, c)
	}
	d.mu.Unlock()
	for _, c := range open {
		_ = c.Close() // nobody uses it any more, and a close that fails leaves nothing to do
	}
	d.wg.Wait()
}

// Dial connects to "host:port" in clear; counter counts the bytes. An error is an *Error.
func (d *Dialer) Dial(ctx context.Context, address string, counter *Counter) (*Conn, error) {
	if !d.begin() {
		return nil, newError(net.ErrClosed)
	}
	defer d.wg.Done()
	addrs, err := d.addresses(ctx, address)
	if err != nil {
		return nil, newError(err)
	}
	began := time.Now()
	raw, err := d.fallBack(ctx, addrs)
	if err != nil {
		return nil, newError(err)
	}
	conn := &Conn{Conn: raw, Began: began, Connected: time.Now(), counter: counter, dialer: d}
	d.mu.Lock()
	d.conns[conn] = struct{}{}
	closed := d.closed
	d.mu.Unlock()
	if closed {
		_ = conn.Close()
		return nil, newError(net.ErrClosed)
	}
	return conn, nil
}

// DialTLS connects and shakes hands. cfg must name the server; it is not changed. An error is an *Error, with the
// connect time if only the handshake failed.
func (d *Dialer) DialTLS(ctx context.Context, address string, cfg *tls.Config, counter *Counter) (*tls.Conn, error) {
	conn, err := d.Dial(ctx, address, counter)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, connectTimeout, errHandshakeTimeout)
	defer cancel()
	secure := tls.Client(conn, cfg)
	if err := secure.HandshakeContext(ctx); err != nil {
		_ = conn.Close() // the handshake's error is the one to tell
		if context.Cause(ctx) == errHandshakeTimeout {
			err = errHandshakeTimeout
		}
		failed := newError(tlsError{err})
		failed.Connecting = conn.Connected.Sub(conn.Began)
		return nil, failed
	}
	conn.Secured = time.Now()
	return secure, nil
}

func (d *Dialer) begin() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return false
	}
	d.wg.Add(1)
	return true
}

func (d *Dialer) forget(c *Conn) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.conns, c)
}

// addresses resolves "host:port" to the addresses that may be dialled, in the order of trying.
func (d *Dialer) addresses(ctx context.Context, address string) ([]netip.AddrPort, error) {
	host, portText, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	port, err := strconv.ParseUint(portText, 10, 16)
	if err != nil {
		return nil, &net.AddrError{Err: "invalid port", Addr: portText}
	}
	addrs, err := d.resolve(ctx, host)
	if err != nil {
		return nil, err
	}
	out := make([]netip.AddrPort, 0, min(len(addrs), maxAddresses))
	for _, a := range addrs {
		if len(out) < maxAddresses && !denied(d.deny, a) {
			out = append(out, netip.AddrPortFrom(a, uint16(port)))
		}
	}
	if len(out) == 0 {
		return nil, &deniedError{host: host, addr: addrs[0]}
	}
	return out, nil
}

func (d *Dialer) resolve(ctx context.Context, host string) ([]netip.Addr, error) {
	if a, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{a}, nil
	}
	began := time.Now()
	addrs, err := d.names.lookup(ctx, host)
	if err != nil {
		return nil, &lookupError{err, time.Since(began)}
	}
	if len(addrs) == 0 {
		return nil, &lookupError{&net.DNSError{Err: "no addresses", Name: host, IsNotFound: true}, time.Since(began)}
	}
	return order(addrs), nil
}

// fallBack connects to the first address that answers: the next is tried when one has failed, or has been silent for
// fallbackDelay, so that a broken address (an AAAA record that leads nowhere) costs a moment and no failure. The error
// is that of the first address.
func (d *Dialer) fallBack(ctx context.Context, addrs []netip.AddrPort) (net.Conn, error) {
	if len(addrs) == 1 {
		return d.one(ctx, addrs[0])
	}
	type result struct {
		i    int
		conn net.Conn
		err  error
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	results := make(chan result, len(addrs))
	errs := make([]error, len(addrs))
	tried, pending := 0, 0
	try := func() {
		i := tried
		tried++
		pending++
		go func() {
			conn, err := d.one(ctx, addrs[i])
			results <- result{i, conn, err}
		}()
	}
	try()
	delay := time.NewTicker(fallbackDelay)
	defer delay.Stop()
	var won net.Conn
	for pending > 0 {
		select {
		case <-delay.C:
			if tried < len(addrs) && won == nil {
				try()
			}
		case r := <-results:
			pending--
			errs[r.i] = r.err
			switch {
			case r.err == nil && won == nil:
				won = r.conn
				cancel()
			case r.err == nil:
				_ = r.conn.Close() // it came second
			case won == nil && tried < len(addrs) && ctx.Err() == nil:
				try()
			}
		}
	}
	if won != nil {
		return won, nil
	}
	return nil, errs[0]
}

// one connects to one address.
func (d *Dialer) one(ctx context.Context, addr netip.AddrPort) (net.Conn, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, connectTimeout, errConnectTimeout)
	defer cancel()
	conn, err := d.connect(ctx, "tcp", addr.String())
	if err != nil && context.Cause(ctx) == errConnectTimeout {
		return nil, fmt.Errorf("dial %v: %w", addr, errConnectTimeout)
	}
	return conn, err
}

// Package dial makes connections for every transport, by the rules of a plan.Network. For each one it refuses blocked
// names; follows the plan's hosts, or else resolves, with a cache; refuses denied addresses, wherever they come from;
// connects to an address that it checked, and falls back to the next; shakes hands; and counts the bytes on the socket.
// It maps every failure to k6's error codes (Classify).
//
// Falling back is RFC 8305's, with two things left to others: the resolver asks for both families and answers once it
// has both, so there is no Resolution Delay (section 3), and k6's policy says which family comes first.
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
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/nollagluiz/broadside/plan"
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
	Rules       *Rules   // the plan's; those of the zero plan.Network if nil
	Resolver    Resolver // net.DefaultResolver if nil
	Connect     Connect  // a net.Dialer if nil
}

// Dialer makes connections.
type Dialer struct {
	rules   *Rules
	deny    []netip.Prefix
	names   *cache
	connect Connect

	mu     sync.Mutex // guards conns and closed
	conns  map[*Conn]struct{}
	closed bool
	wg     sync.WaitGroup // dials under way
}

// New returns a Dialer. Close it when its connections are no longer needed.
func New(cfg Config) *Dialer {
	if cfg.Rules == nil {
		cfg.Rules = &Rules{}
	}
	if cfg.Resolver == nil {
		cfg.Resolver = net.DefaultResolver
	}
	d := &Dialer{
		rules:   cfg.Rules,
		deny:    append(Denied(cfg.DenyPrivate), cfg.Rules.deny...),
		names:   newCache(cfg.Resolver, cfg.Rules.dns),
		connect: cfg.Connect,
		conns:   map[*Conn]struct{}{},
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
	addrs, err := d.addresses(address, func(host string) ([]netip.Addr, int, error) { return d.names.lookup(ctx, host) })
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

// lookup gives what a name resolves to, and its turn.
type lookup func(host string) (addrs []netip.Addr, turn int, err error)

// addresses gives the addresses for "host:port" that may be dialled, in the order of trying.
func (d *Dialer) addresses(address string, names lookup) ([]netip.AddrPort, error) {
	host, portText, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	port, err := strconv.ParseUint(portText, 10, 16)
	if err != nil {
		return nil, &net.AddrError{Err: "invalid port", Addr: portText}
	}
	addrs, err := d.resolve(host, uint16(port), names)
	if err != nil {
		return nil, err
	}
	first := addrs[0].Addr()
	addrs = slices.DeleteFunc(addrs, func(a netip.AddrPort) bool { return denied(d.deny, a.Addr()) })
	if len(addrs) == 0 {
		return nil, &deniedError{host: host, addr: first}
	}
	return addrs[:min(len(addrs), maxAddresses)], nil
}

// resolve gives at least one address: what the plan says, or host itself, or what DNS says. The slice is the caller's.
func (d *Dialer) resolve(host string, port uint16, names lookup) ([]netip.AddrPort, error) {
	name := plan.CanonicalHost(host)
	literal, notLiteral := netip.ParseAddr(host)
	if _, blocked := d.rules.blocked.find(name); blocked && notLiteral != nil {
		return nil, &blockedError{host}
	}
	if to, ok := d.rules.hosts.find(name, port); ok {
		return []netip.AddrPort{to}, nil
	}
	if notLiteral == nil {
		return []netip.AddrPort{netip.AddrPortFrom(literal, port)}, nil
	}
	began := time.Now()
	addrs, turn, err := names(host)
	if err == nil {
		addrs = order(addrs, d.rules.dns, turn)
	}
	if err == nil && len(addrs) == 0 {
		err = &net.DNSError{Err: "no addresses of a family that the plan takes", Name: host, IsNotFound: true}
	}
	if err != nil {
		return nil, &lookupError{err, time.Since(began)}
	}
	out := make([]netip.AddrPort, len(addrs))
	for i, a := range addrs {
		out[i] = netip.AddrPortFrom(a, port)
	}
	return out, nil
}

// fallBack connects to the first address that answers (RFC 8305 section 5): the next is tried when the one before has
// failed, or has been silent for fallbackDelay, so that a broken address (an AAAA record that leads nowhere) costs a
// moment and no failure. The error is that of the first address.
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
	delay := time.NewTicker(fallbackDelay)
	defer delay.Stop()
	try := func() {
		delay.Reset(fallbackDelay)
		i := tried
		tried++
		pending++
		go func() {
			conn, err := d.one(ctx, addrs[i])
			results <- result{i, conn, err}
		}()
	}
	try()
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

package dial

import (
	"context"
	"math/rand/v2"
	"net/netip"
	"sync"
	"time"
)

// Resolver looks names up; *net.Resolver is one.
type Resolver interface {
	LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
}

// How long an answer of DNS is used: k6's default for a good one (v2.2, "dns": ttl 5m), and a moment for a bad one, so
// that a thousand VUs don't ask for one missing name a thousand times at once.
const (
	positiveTTL = 5 * time.Minute
	negativeTTL = time.Second
)

// maxNames bounds the cache: redirects choose names.
const maxNames = 1024

// cache remembers what names resolve to. Concurrent misses of one name ask once.
type cache struct {
	resolver Resolver

	mu    sync.Mutex // guards names
	names map[string]*answer
}

// answer is what a name resolves to; its fields are final once done is closed.
type answer struct {
	done    chan struct{}
	addrs   []netip.Addr
	err     error
	expires time.Time
}

// lookup gives the addresses of host in no particular order. The slice is shared: not to be written to.
func (c *cache) lookup(ctx context.Context, host string) ([]netip.Addr, error) {
	for {
		a, mine := c.find(host)
		if mine {
			c.ask(ctx, host, a)
			return a.addrs, a.err
		}
		select {
		case <-a.done:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		if time.Now().Before(a.expires) {
			return a.addrs, a.err
		}
		// Expired, or whoever asked gave up: ask again.
		c.forget(host, a)
	}
}

// find gives the answer of host, and whether the caller is the one who has to ask for it.
func (c *cache) find(host string) (a *answer, mine bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if a := c.names[host]; a != nil {
		return a, false
	}
	if len(c.names) >= maxNames {
		clear(c.names)
	}
	a = &answer{done: make(chan struct{})}
	c.names[host] = a
	return a, true
}

func (c *cache) forget(host string, a *answer) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.names[host] == a {
		delete(c.names, host)
	}
}

func (c *cache) ask(ctx context.Context, host string, a *answer) {
	defer close(a.done)
	a.addrs, a.err = c.resolver.LookupNetIP(ctx, "ip", host)
	switch {
	case ctx.Err() != nil && a.err != nil:
		// Not an answer, only the end of the caller's patience: it expires at once.
	case a.err != nil:
		a.expires = time.Now().Add(negativeTTL)
	default:
		a.expires = time.Now().Add(positiveTTL)
	}
}

// order gives the addresses in the order of trying: IPv4 and IPv6 in turn (RFC 8305 section 4), IPv4 first as in k6,
// each family shuffled so that a name's addresses share the load.
func order(addrs []netip.Addr) []netip.Addr {
	var v4, v6 []netip.Addr
	for _, a := range addrs {
		if a = a.Unmap(); a.Is4() {
			v4 = append(v4, a)
		} else {
			v6 = append(v6, a)
		}
	}
	for _, family := range [][]netip.Addr{v4, v6} {
		rand.Shuffle(len(family), func(i, j int) { family[i], family[j] = family[j], family[i] })
	}
	out := make([]netip.Addr, 0, len(addrs))
	for i := range max(len(v4), len(v6)) {
		if i < len(v4) {
			out = append(out, v4[i])
		}
		if i < len(v6) {
			out = append(out, v6[i])
		}
	}
	return out
}

package dial

import (
	"cmp"
	"context"
	"errors"
	"net/netip"
	"sync"
	"time"

	"github.com/nollagluiz/broadside/plan"
)

// Resolver looks names up; *net.Resolver is one. The network is "ip", "ip4" or "ip6".
type Resolver interface {
	LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
}

// negativeTTL is how long a bad answer of DNS is used: a moment, so that a thousand VUs don't ask for one missing name a
// thousand times at once.
const negativeTTL = time.Second

// maxNames bounds the cache: redirects choose names.
const maxNames = 1024

// cache remembers what names resolve to, for the plan's TTL, since a Resolver does not tell the record's. An answer that
// has expired is never used, also when the next question fails: a run sees what its users would. Concurrent misses of
// one name ask once.
type cache struct {
	resolver Resolver
	network  string
	ttl      time.Duration // 0: each lookup that finds no question under way asks

	mu    sync.Mutex // guards names, and the turns in them
	names map[string]*answer
}

func newCache(resolver Resolver, dns plan.DNS) *cache {
	c := &cache{resolver: resolver, network: "ip", names: map[string]*answer{}}
	c.ttl = max(cmp.Or(dns.TTL, plan.DefaultDNSTTL), 0)
	switch dns.Policy {
	case plan.OnlyIPv4:
		c.network = "ip4"
	case plan.OnlyIPv6:
		c.network = "ip6"
	}
	return c
}

// answer is what a name resolves to; its fields but turn are final once done is closed.
type answer struct {
	done    chan struct{}
	gaveUp  bool // who asked did not wait for the end: this is no answer
	addrs   []netip.Addr
	err     error
	expires time.Time

	turn int // connections to the name so far
}

// expired tells whether another has to be asked for; false while the question is under way.
func (a *answer) expired() bool {
	select {
	case <-a.done:
		return !time.Now().Before(a.expires)
	default:
		return false
	}
}

// lookup gives the addresses of host as the resolver orders them, and how many lookups of it came before. The slice is
// shared: not to be written to.
func (c *cache) lookup(ctx context.Context, host string) (addrs []netip.Addr, turn int, err error) {
	for {
		a, turn, mine := c.find(host)
		if mine {
			c.ask(ctx, host, a)
			return a.addrs, turn, a.err
		}
		select {
		case <-a.done:
		case <-ctx.Done():
			return nil, 0, ctx.Err()
		}
		if !a.gaveUp {
			return a.addrs, turn, a.err
		}
	}
}

// known is a lookup that asks nobody: its error says that it would have to.
func (c *cache) known(host string) (addrs []netip.Addr, turn int, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	a := c.names[host]
	if a == nil {
		return nil, 0, errUnknown
	}
	select {
	case <-a.done:
	default:
		return nil, 0, errUnknown
	}
	if a.expired() || a.err != nil || len(a.addrs) != 1 {
		return nil, 0, errUnknown
	}
	a.turn++
	return a.addrs, a.turn - 1, nil
}

var errUnknown = errors.New("to be asked for")

// find gives the answer of host, and whether the caller is the one who has to ask for it.
func (c *cache) find(host string) (a *answer, turn int, mine bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	a = c.names[host]
	if a == nil || a.expired() {
		mine = true
		if a != nil {
			turn = a.turn
		} else if len(c.names) >= maxNames {
			clear(c.names)
		}
		a = &answer{done: make(chan struct{}), turn: turn}
		c.names[host] = a
	}
	turn = a.turn
	a.turn++
	return a, turn, mine
}

func (c *cache) ask(ctx context.Context, host string, a *answer) {
	defer close(a.done)
	a.addrs, a.err = c.resolver.LookupNetIP(ctx, c.network, host)
	switch {
	case ctx.Err() != nil && a.err != nil:
		a.gaveUp = true // and expired
	case a.err != nil:
		a.expires = time.Now().Add(negativeTTL)
	default:
		a.expires = time.Now().Add(c.ttl)
	}
}

package dial

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// slowNames answers after a time, counts its questions, and fails while fail is set.
type slowNames struct {
	took  time.Duration
	fail  atomic.Bool
	asked atomic.Int64
}

func (s *slowNames) LookupNetIP(ctx context.Context, _, host string) ([]netip.Addr, error) {
	s.asked.Add(1)
	select {
	case <-time.After(s.took):
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if s.fail.Load() {
		return nil, &net.DNSError{Err: "server misbehaving", Name: host, IsTemporary: true}
	}
	return []netip.Addr{netip.MustParseAddr("203.0.113.7")}, nil
}

func TestLookupIsCached(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &slowNames{took: time.Second}
		c := &cache{resolver: r, names: map[string]*answer{}}
		lookups := func(n int) {
			start := time.Now()
			done := make(chan error)
			for range n {
				go func() {
					_, err := c.lookup(t.Context(), "a.test")
					done <- err
				}()
			}
			for range n {
				require.NoError(t, <-done)
			}
			require.LessOrEqual(t, time.Since(start), time.Second)
		}
		lookups(1000)
		require.EqualValues(t, 1, r.asked.Load(), "a thousand VUs ask once")
		time.Sleep(positiveTTL - 2*time.Second)
		lookups(10)
		require.EqualValues(t, 1, r.asked.Load())
		time.Sleep(2 * time.Second)
		lookups(10)
		require.EqualValues(t, 2, r.asked.Load(), "after its time the answer is asked for again")
	})
}

func TestFailedLookupIsKeptForAMoment(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &slowNames{}
		r.fail.Store(true)
		c := &cache{resolver: r, names: map[string]*answer{}}
		for range 100 {
			_, err := c.lookup(t.Context(), "a.test")
			require.ErrorContains(t, err, "server misbehaving")
		}
		require.EqualValues(t, 1, r.asked.Load())
		r.fail.Store(false)
		time.Sleep(negativeTTL)
		_, err := c.lookup(t.Context(), "a.test")
		require.NoError(t, err)
	})
}

// One VU's end does not fail the others that wait for the same answer.
func TestLookupOutlivesWhoAsked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &slowNames{took: 10 * time.Second}
		c := &cache{resolver: r, names: map[string]*answer{}}
		ctx, cancel := context.WithCancel(t.Context())
		first, second := make(chan error, 1), make(chan error, 1)
		go func() {
			_, err := c.lookup(ctx, "a.test")
			first <- err
		}()
		synctest.Wait()
		go func() {
			_, err := c.lookup(t.Context(), "a.test")
			second <- err
		}()
		synctest.Wait()
		cancel()
		require.ErrorIs(t, <-first, context.Canceled)
		require.NoError(t, <-second)
		require.EqualValues(t, 2, r.asked.Load())
	})
}

func TestCacheIsBounded(t *testing.T) {
	c := &cache{resolver: names{}, names: map[string]*answer{}}
	for i := range 3 * maxNames {
		_, err := c.lookup(t.Context(), string(rune(0x10000+i)))
		require.Error(t, err)
	}
	require.LessOrEqual(t, len(c.names), maxNames)
}

func TestOrder(t *testing.T) {
	parse := func(texts ...string) (out []netip.Addr) {
		for _, t := range texts {
			out = append(out, netip.MustParseAddr(t))
		}
		return out
	}
	got := order(parse("2001:db8::1", "::ffff:192.0.2.1", "2001:db8::2", "192.0.2.2", "2001:db8::3"))
	for i, v4 := range []bool{true, false, true, false, false} {
		require.Equal(t, v4, got[i].Is4(), "IPv4 first, then in turn: %v", got)
	}
	firsts := map[netip.Addr]bool{}
	in := parse("192.0.2.1", "192.0.2.2", "192.0.2.3")
	for range 200 {
		firsts[order(in)[0]] = true
	}
	require.Len(t, firsts, 3, "the addresses of a name share the load")
	require.True(t, slices.Equal(in, parse("192.0.2.1", "192.0.2.2", "192.0.2.3")), "the answer itself stays")
}

// Field report 20: a broken AAAA record, or a silent address, costs a moment and no failure.
func TestFallBack(t *testing.T) {
	errBroken := &net.OpError{Op: "dial", Net: "tcp", Err: errors.New("network is unreachable")}
	type behaviour struct {
		after time.Duration
		err   error
	}
	for _, tc := range []struct {
		name  string
		addrs map[string]behaviour
		took  time.Duration
		fails bool
	}{
		{"the only one", map[string]behaviour{"192.0.2.1": {20 * time.Millisecond, nil}}, 20 * time.Millisecond, false},
		{"first good, second broken", map[string]behaviour{"192.0.2.1": {20 * time.Millisecond, nil}, "2001:db8::1": {0, errBroken}}, 20 * time.Millisecond, false},
		{"first broken, second good", map[string]behaviour{"192.0.2.1": {5 * time.Millisecond, errBroken}, "2001:db8::1": {10 * time.Millisecond, nil}}, 15 * time.Millisecond, false},
		{"first silent, second good", map[string]behaviour{"192.0.2.1": {time.Hour, nil}, "2001:db8::1": {10 * time.Millisecond, nil}}, fallbackDelay + 10*time.Millisecond, false},
		{"first slow, second slower", map[string]behaviour{"192.0.2.1": {300 * time.Millisecond, nil}, "2001:db8::1": {200 * time.Millisecond, nil}}, 300 * time.Millisecond, false},
		{"both broken", map[string]behaviour{"192.0.2.1": {time.Millisecond, errBroken}, "2001:db8::1": {time.Millisecond, errBroken}}, 2 * time.Millisecond, true},
		{"silent for ever", map[string]behaviour{"192.0.2.1": {time.Hour, nil}}, connectTimeout, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var open atomic.Int64
				all := make([]string, 0, 2)
				for a := range tc.addrs {
					all = append(all, a)
				}
				d := New(Config{
					Resolver: names{"a.test": all},
					Connect: func(ctx context.Context, _, address string) (net.Conn, error) {
						b := tc.addrs[netip.MustParseAddrPort(address).Addr().String()]
						select {
						case <-time.After(b.after):
						case <-ctx.Done():
							return nil, &net.OpError{Op: "dial", Net: "tcp", Err: ctx.Err()}
						}
						if b.err != nil {
							return nil, b.err
						}
						client, server := net.Pipe()
						server.Close()
						open.Add(1)
						return &closing{client, &open}, nil
					},
				})
				start := time.Now()
				conn, err := d.Dial(t.Context(), "a.test:443", new(Counter))
				require.Equal(t, tc.took, time.Since(start))
				require.Equal(t, tc.fails, err != nil)
				if err == nil {
					require.Equal(t, tc.took, conn.Connected.Sub(conn.Began))
					require.EqualValues(t, 1, open.Load(), "who came second was closed")
					require.NoError(t, conn.Close())
				}
				require.Zero(t, open.Load())
			})
		})
	}
}

// Both connect in the end: the one that comes second is closed.
func TestFallBackClosesWhoComesSecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var open atomic.Int64
		d := New(Config{
			Resolver: names{"a.test": {"192.0.2.1", "2001:db8::1"}},
			Connect: func(context.Context, string, string) (net.Conn, error) {
				time.Sleep(fallbackDelay + time.Second) // whatever becomes of the context
				client, server := net.Pipe()
				server.Close()
				open.Add(1)
				return &closing{client, &open}, nil
			},
		})
		conn, err := d.Dial(t.Context(), "a.test:443", new(Counter))
		require.NoError(t, err)
		require.EqualValues(t, 1, open.Load())
		require.NoError(t, conn.Close())
		require.Zero(t, open.Load())
	})
}

// closing counts itself out when it is closed.
type closing struct {
	net.Conn
	open *atomic.Int64
}

func (c *closing) Close() error {
	c.open.Add(-1)
	return c.Conn.Close()
}

package dial

import (
	"context"
	"net"
	"net/netip"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/nollagluiz/broadside/plan"
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

// An answer is used for the plan's TTL; thousands that miss it ask once.
func TestLookupIsCached(t *testing.T) {
	for _, tc := range []struct {
		name      string
		ttl, kept time.Duration
	}{
		{"k6's default", 0, 5 * time.Minute},
		{"a minute", time.Minute, time.Minute},
		{"below a second", 20 * time.Millisecond, 20 * time.Millisecond},
		{"for ever", plan.DNSForever, 100 * 365 * 24 * time.Hour},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := &slowNames{took: time.Second}
				c := newCache(r, plan.DNS{TTL: tc.ttl})
				lookAll(t, c, 1000)
				require.EqualValues(t, 1, r.asked.Load(), "a thousand VUs ask once")
				time.Sleep(tc.kept - time.Millisecond)
				lookAll(t, c, 10)
				require.EqualValues(t, 1, r.asked.Load())
				time.Sleep(time.Millisecond)
				lookAll(t, c, 10)
				if tc.ttl == plan.DNSForever {
					require.EqualValues(t, 1, r.asked.Load())
				} else {
					require.EqualValues(t, 2, r.asked.Load(), "after its time the answer is asked for again")
				}
			})
		})
	}
}

func lookAll(t *testing.T, c *cache, n int) {
	t.Helper()
	done := make(chan error)
	for range n {
		go func() {
			_, _, err := c.lookup(t.Context(), "a.test")
			done <- err
		}()
	}
	for range n {
		require.NoError(t, <-done)
	}
}

// Without a TTL each lookup asks, unless the same question is under way.
func TestLookupWithoutTTL(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &slowNames{took: time.Second}
		c := newCache(r, plan.DNS{TTL: -1})
		for i := range 5 {
			lookAll(t, c, 10)
			require.EqualValues(t, i+1, r.asked.Load())
		}
	})
}

// A run sees what its users would: an answer whose time is over is not used when the next question fails.
func TestStaleAnswerIsNotUsed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &slowNames{}
		c := newCache(r, plan.DNS{TTL: time.Minute})
		lookAll(t, c, 1)
		r.fail.Store(true)
		time.Sleep(time.Minute)
		_, _, err := c.lookup(t.Context(), "a.test")
		require.ErrorContains(t, err, "server misbehaving")
		r.fail.Store(false)
		time.Sleep(negativeTTL)
		lookAll(t, c, 1)
		require.EqualValues(t, 3, r.asked.Load())
	})
}

// Turns count the lookups of a name, over its answers.
func TestTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCache(&slowNames{}, plan.DNS{TTL: time.Minute})
		for want := range 6 {
			_, turn, err := c.lookup(t.Context(), "a.test")
			require.NoError(t, err)
			require.Equal(t, want, turn)
			_, turn, err = c.lookup(t.Context(), "b.test")
			require.NoError(t, err)
			require.Equal(t, want, turn)
			time.Sleep(30 * time.Second)
		}
	})
}

// A resolver is not asked for the family that the plan doesn't take.
func TestLookupAsksForTheFamily(t *testing.T) {
	for policy, want := range map[plan.Policy]string{
		"": "ip", plan.PreferIPv4: "ip", plan.PreferIPv6: "ip", plan.AnyFamily: "ip", plan.OnlyIPv4: "ip4", plan.OnlyIPv6: "ip6",
	} {
		var asked string
		c := newCache(resolverFunc(func(network string) { asked = network }), plan.DNS{Policy: policy})
		_, _, err := c.lookup(t.Context(), "a.test")
		require.NoError(t, err)
		require.Equal(t, want, asked, "policy %q", policy)
	}
}

type resolverFunc func(network string)

func (f resolverFunc) LookupNetIP(_ context.Context, network, _ string) ([]netip.Addr, error) {
	f(network)
	return nil, nil
}

func TestFailedLookupIsKeptForAMoment(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &slowNames{}
		r.fail.Store(true)
		c := newCache(r, plan.DNS{})
		for range 100 {
			_, _, err := c.lookup(t.Context(), "a.test")
			require.ErrorContains(t, err, "server misbehaving")
		}
		require.EqualValues(t, 1, r.asked.Load())
		r.fail.Store(false)
		time.Sleep(negativeTTL)
		_, _, err := c.lookup(t.Context(), "a.test")
		require.NoError(t, err)
	})
}

// One VU's end does not fail the others that wait for the same answer.
func TestLookupOutlivesWhoAsked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &slowNames{took: 10 * time.Second}
		c := newCache(r, plan.DNS{})
		ctx, cancel := context.WithCancel(t.Context())
		first, second := make(chan error, 1), make(chan error, 1)
		go func() {
			_, _, err := c.lookup(ctx, "a.test")
			first <- err
		}()
		synctest.Wait()
		go func() {
			_, _, err := c.lookup(t.Context(), "a.test")
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
	c := newCache(names{}, plan.DNS{})
	for i := range 3 * maxNames {
		_, _, err := c.lookup(t.Context(), string(rune(0x10000+i)))
		require.Error(t, err)
	}
	require.LessOrEqual(t, len(c.names), maxNames)
}

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

// RFC 8305 section 5: one attempt at a time, each a delay after the one before unless that has failed; none is begun once
// one has succeeded. "at" is when each was begun.
func TestAttemptsAreSpaced(t *testing.T) {
	const ms = time.Millisecond
	for _, tc := range []struct {
		name string
		ends []time.Duration // each attempt's, failed; 0 for one that is silent
		good time.Duration   // what the last one takes to succeed
		at   []time.Duration
	}{
		{"all silent", []time.Duration{0, 0, 0}, 10 * ms, []time.Duration{0, 250 * ms, 500 * ms, 750 * ms}},
		{"each fails at once", []time.Duration{ms, ms, ms}, 10 * ms, []time.Duration{0, ms, 2 * ms, 3 * ms}},
		{"the first fails just before the delay is over", []time.Duration{249 * ms, 0}, 10 * ms, []time.Duration{0, 249 * ms, 499 * ms}},
		{"the first fails long after", []time.Duration{300 * ms, 0}, 10 * ms, []time.Duration{0, 250 * ms, 300 * ms}},
		{"more than a delay for the last", []time.Duration{0}, 700 * ms, []time.Duration{0, 250 * ms}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				start := time.Now()
				addrs := make([]netip.AddrPort, len(tc.ends)+1)
				at := make([]time.Duration, len(addrs)) // each written by its own attempt
				for i := range addrs {
					addrs[i] = netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 0, 2, byte(i)}), 80)
				}
				d := New(Config{Connect: func(ctx context.Context, _, address string) (net.Conn, error) {
					i := slices.Index(addrs, netip.MustParseAddrPort(address))
					at[i] = time.Since(start)
					took, err := tc.good, error(nil)
					if i < len(tc.ends) {
						took, err = tc.ends[i], errors.New("no")
					}
					if took == 0 {
						<-ctx.Done()
						return nil, ctx.Err()
					}
					select {
					case <-time.After(took):
					case <-ctx.Done():
						return nil, ctx.Err()
					}
					if err != nil {
						return nil, err
					}
					client, server := net.Pipe()
					server.Close()
					return client, nil
				}})
				conn, err := d.fallBack(t.Context(), addrs)
				require.NoError(t, err)
				require.NoError(t, conn.Close())
				require.Equal(t, tc.at, at)
				require.Equal(t, tc.at[len(tc.at)-1]+tc.good, time.Since(start))
			})
		})
	}
}

// A name with hundreds of addresses does not keep a dial busy for minutes.
func TestAttemptsAreBounded(t *testing.T) {
	many := names{"a.test": nil}
	for i := range 200 {
		many["a.test"] = append(many["a.test"], netip.AddrFrom4([4]byte{192, 0, 2, byte(i)}).String())
	}
	var begun atomic.Int64
	d := New(Config{Resolver: many, Connect: func(context.Context, string, string) (net.Conn, error) {
		begun.Add(1)
		return nil, errors.New("no")
	}})
	_, err := d.Dial(t.Context(), "a.test:443", new(Counter))
	require.Error(t, err)
	require.EqualValues(t, maxAddresses, begun.Load())
}

// What cuts the dial cuts all its attempts, at once.
func TestFallBackEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var begun atomic.Int64
		d := New(Config{
			Resolver: names{"a.test": {"192.0.2.1", "2001:db8::1", "192.0.2.2"}},
			Connect: func(ctx context.Context, _, _ string) (net.Conn, error) {
				begun.Add(1)
				<-ctx.Done()
				return nil, ctx.Err()
			},
		})
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		defer cancel()
		start := time.Now()
		_, err := d.Dial(ctx, "a.test:443", new(Counter))
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Equal(t, 300*time.Millisecond, time.Since(start))
		require.EqualValues(t, 2, begun.Load(), "none is begun afterwards")
		d.Close() // no dial is under way
	})
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

package engine_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/nollagluiz/broadside/engine"
	"github.com/nollagluiz/broadside/engine/internal/pipenet"
	"github.com/nollagluiz/broadside/plan"
	"github.com/nollagluiz/broadside/summary"
)

// once is a scenario whose one VU sends its request once.
func once(r plan.Request) plan.Plan {
	return one(plan.Scenario{Duration: time.Second, Pause: time.Second, Request: r})
}

// Field report 14: redirects to metadata and private addresses are refused on every hop, after DNS.
func TestRedirectsToDeniedAddresses(t *testing.T) {
	names := resolver(func(host string) ([]netip.Addr, error) {
		return []netip.Addr{netip.MustParseAddr(map[string]string{
			"a.test": "203.0.113.7", "metadata.test": "169.254.169.254", "inside.test": "10.0.0.1",
		}[host])}, nil
	})
	for _, tc := range []struct {
		location              string
		denied, deniedPrivate bool // DenyPrivate set
	}{
		{"http://169.254.169.254/latest/meta-data/", true, true},
		{"http://[::ffff:169.254.169.254]/", true, true},
		{"http://[fd00:ec2::254]/", true, true},
		{"http://metadata.test/", true, true},
		{"//metadata.test/", true, true},
		{"http://127.0.0.1/", false, true},
		{"http://[::1]/", false, true},
		{"http://10.0.0.1/", false, true},
		{"http://inside.test/", false, true},
		{"http://203.0.113.9/", false, false},
	} {
		for _, denyPrivate := range []bool{false, true} {
			t.Run(fmt.Sprint(tc.location, denyPrivate), func(t *testing.T) {
				cfg := engine.Config{DenyPrivate: denyPrivate, Resolver: names}
				bubbleWith(t, cfg, func(w http.ResponseWriter, r *http.Request) {
					if r.Host == "a.test" {
						http.Redirect(w, r, tc.location, http.StatusFound)
					}
				}, func(t *testing.T, e *engine.Engine) {
					s, err := e.Run(t.Context(), once(plan.Request{}))
					require.NoError(t, err)
					require.EqualValues(t, 2, s.Counters[summary.HTTPReqs])
					require.EqualValues(t, 1, s.Statuses[302])
					if denyPrivate && tc.deniedPrivate || tc.denied {
						require.Equal(t, summary.Rate{True: 1, Total: 2}, s.Rates[summary.HTTPReqFailed])
						require.Equal(t, 1110, s.Errors[0].Code, s.Errors[0].Sample)
						return
					}
					require.Equal(t, summary.Rate{Total: 2}, s.Rates[summary.HTTPReqFailed])
				})
			})
		}
	}
}

// Field report 14: credentials stay with their host, cookies of a hop go along, and each iteration begins without.
func TestCredentialsAndCookiesOnHops(t *testing.T) {
	var seen []string // by one VU, so by one request at a time
	bubble(t, func(w http.ResponseWriter, r *http.Request) {
		seen = append(seen, fmt.Sprintf("%s%s auth=%v cookie=%q", r.Host, r.URL.Path, r.Header.Get("Authorization") != "", r.Header.Get("Cookie")))
		switch r.Host + r.URL.Path {
		case "a.test/":
			http.SetCookie(w, &http.Cookie{Name: "s", Value: "1"})
			http.Redirect(w, r, "/two", http.StatusFound)
		case "a.test/two":
			http.Redirect(w, r, "http://b.test/", http.StatusFound)
		}
	}, func(t *testing.T, e *engine.Engine) {
		seen = nil
		s, err := e.Run(t.Context(), one(plan.Scenario{Duration: 1500 * ms, Pause: time.Second, Request: plan.Request{URL: "http://user:pw@a.test/"}}))
		require.NoError(t, err)
		want := []string{`a.test/ auth=true cookie=""`, `a.test/two auth=true cookie="s=1"`, `b.test/ auth=false cookie=""`}
		require.Equal(t, append(want, want...), seen)
		require.EqualValues(t, 6, s.Counters[summary.HTTPReqs])
		require.EqualValues(t, 2, s.Counters[summary.Iterations])
	})
}

// Field report 14: k6 reports a loop green.
func TestRedirectLoop(t *testing.T) {
	bubble(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "/", http.StatusFound)
	}, func(t *testing.T, e *engine.Engine) {
		s, err := e.Run(t.Context(), once(plan.Request{}))
		require.NoError(t, err)
		require.EqualValues(t, 11, s.Counters[summary.HTTPReqs])
		require.Equal(t, summary.Rate{True: 1, Total: 11}, s.Rates[summary.HTTPReqFailed])
		require.Equal(t, []summary.ErrorClass{{Code: 1030, Count: 1, Sample: "more than 10 redirects: a redirect loop"}}, s.Errors)
		require.Equal(t, summary.ThresholdFailed, summary.Judge(s, false).Verdict)
	})
}

// All hops of a request share its time-out.
func TestHopsShareATimeout(t *testing.T) {
	bubble(t, func(w http.ResponseWriter, r *http.Request) {
		time.Sleep(300 * ms)
		http.Redirect(w, r, "/", http.StatusFound)
	}, func(t *testing.T, e *engine.Engine) {
		s, err := e.Run(t.Context(), once(plan.Request{Timeout: time.Second}))
		require.NoError(t, err)
		require.Equal(t, map[int]int64{302: 3}, s.Statuses)
		require.Equal(t, []summary.ErrorClass{{Code: 1050, Count: 1, Sample: "request timeout"}}, s.Errors)
		require.EqualValues(t, 100*ms, s.Trends[summary.HTTPReqDuration].Min())
	})
}

// Field report 18: a name is resolved anew in each run, once for all its VUs, so a failover shows.
func TestEachRunResolvesAnew(t *testing.T) { overBoth(t, testEachRunResolvesAnew) }

func testEachRunResolvesAnew(t *testing.T, transport engine.Transport) {
	var lookups int
	var dialled []string
	synctest.Test(t, func(t *testing.T) {
		e, err := engine.New(engine.Config{
			Transport: transport,
			Resolver: resolver(func(string) ([]netip.Addr, error) {
				lookups++
				return []netip.Addr{netip.AddrFrom4([4]byte{203, 0, 113, byte(lookups)})}, nil
			}),
			Connect: func(_ context.Context, _, address string) (net.Conn, error) {
				return nil, fmt.Errorf("to %s", address)
			},
		})
		require.NoError(t, err)
		defer e.Close()
		for range 2 {
			s, err := e.Run(t.Context(), one(plan.Scenario{VUs: 5, Duration: time.Second, Pause: time.Second}))
			require.NoError(t, err)
			dialled = append(dialled, s.Errors[0].Sample)
		}
	})
	require.Equal(t, 2, lookups)
	require.Equal(t, []string{"to 203.0.113.1:80", "to 203.0.113.2:80"}, dialled)
}

// Field report 20: IPv6 literals, and a broken AAAA record beside a good A.
func TestIPv6(t *testing.T) {
	for url, want := range map[string]string{"http://[2001:db8::1]:8080/": "[2001:db8::1]:8080", "http://a.test/": "a.test"} {
		overBoth(t, func(t *testing.T, transport engine.Transport) {
			var host string
			synctest.Test(t, func(t *testing.T) {
				n := pipenet.New(pipenet.Delays{})
				srv := &http.Server{Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { host = r.Host })}
				go func() { _ = srv.Serve(n) }()
				defer srv.Close()
				e, err := engine.New(engine.Config{
					Transport: transport,
					Resolver: resolver(func(string) ([]netip.Addr, error) {
						return []netip.Addr{netip.MustParseAddr("2001:db8::bad"), netip.MustParseAddr("203.0.113.1")}, nil
					}),
					Connect: func(ctx context.Context, network, address string) (net.Conn, error) {
						if strings.HasPrefix(address, "[2001:db8::bad]") {
							return nil, &net.OpError{Op: "dial", Net: "tcp", Err: errors.New("network is unreachable")}
						}
						return n.Connect(ctx, network, address)
					},
				})
				require.NoError(t, err)
				defer e.Close()
				s, err := e.Run(t.Context(), once(plan.Request{URL: url}))
				require.NoError(t, err)
				require.Equal(t, summary.Rate{Total: 1}, s.Rates[summary.HTTPReqFailed], s.Errors)
			})
			require.Equal(t, want, host)
		})
	}
}

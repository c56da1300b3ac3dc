package engine_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/nollagluiz/broadside/engine"
	"github.com/nollagluiz/broadside/plan"
	"github.com/nollagluiz/broadside/summary"
)

// Field report 13: black holes, slow heads and trickled bodies end with the duration and its grace, and are no green
// empty run.
func TestStuckServers(t *testing.T) {
	trickle := func(w http.ResponseWriter, r *http.Request) {
		for {
			select {
			case <-r.Context().Done():
				return
			case <-time.After(100 * ms):
				_, _ = io.WriteString(w, ".")
				w.(http.Flusher).Flush()
			}
		}
	}
	slowHead := func(w http.ResponseWriter, _ *http.Request) {
		c, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			return
		}
		defer c.Close()
		_, err = io.WriteString(c, "HTTP/1.1 200 OK\r\nX: ")
		for err == nil {
			time.Sleep(100 * ms)
			_, err = io.WriteString(c, "x")
		}
	}
	for _, tc := range []struct {
		name     string
		handler  http.HandlerFunc
		timeout  time.Duration
		requests int64
		code     int
		waited   time.Duration
		end      time.Duration
		verdict  summary.Verdict
	}{
		{"black hole", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, 0, 5, 1060, 4 * time.Second, 4 * time.Second, summary.TargetUnreachable},
		{"slow head", slowHead, 0, 5, 1060, 4 * time.Second, 4 * time.Second, summary.TargetUnreachable},
		{"trickled body: a response, of which the body never ends", trickle, 0, 5, 1060, 4 * time.Second, 4 * time.Second, summary.ThresholdFailed},
		{"black hole with a time-out", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, 1900 * ms, 10, 1050, 1900 * ms, 3800 * ms, summary.TargetUnreachable},
	} {
		t.Run(tc.name, func(t *testing.T) {
			bubble(t, tc.handler, func(t *testing.T, e *engine.Engine) {
				s, err := e.Run(t.Context(), one(plan.Scenario{
					VUs: 5, Duration: 3 * time.Second, GracefulStop: time.Second, Request: plan.Request{Timeout: tc.timeout},
				}))
				require.NoError(t, err)
				require.Equal(t, tc.end, s.Duration)
				require.Equal(t, summary.Rate{True: tc.requests, Total: tc.requests}, s.Rates[summary.HTTPReqFailed])
				require.Len(t, s.Errors, 1)
				require.Equal(t, tc.code, s.Errors[0].Code)
				require.EqualValues(t, tc.waited, s.Trends[summary.HTTPReqDuration].Max(), "the time waited counts")
				require.NotContains(t, s.Trends, summary.ExpectedDuration)
				require.Equal(t, tc.verdict, summary.Judge(s, false).Verdict)
				require.Positive(t, s.Counters[summary.DataSent], "bytes of what was cut count")
				if tc.code == 1060 {
					require.EqualValues(t, 5, s.Counters[summary.IterationsInterrupted])
					require.NotContains(t, s.Counters, summary.Iterations)
				}
			})
		})
	}
}

// Field reports 19, 29, 30 and 31: what never connects is tried with a back-off, counted, and has no latency: no data
// is not 0. Running out of descriptors is the generator's trouble.
func TestNoConnection(t *testing.T) {
	errno := func(op string, errno syscall.Errno) error {
		return &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError(op, errno)}
	}
	for _, tc := range []struct {
		name     string
		lookup   error
		took     time.Duration // of the lookup
		connect  error
		attempts int64 // of each VU
		code     int
		verdict  summary.Verdict
		text     string
	}{
		{"refused", nil, 0, errno("connect", syscall.ECONNREFUSED), 9, 1212, summary.TargetUnreachable, "connection refused"},
		{"NXDOMAIN", &net.DNSError{Err: "no such host", Name: "a.test", IsNotFound: true}, 0, nil, 9, 1101, summary.TargetUnreachable, "lookup a.test: no such host"},
		{"a resolver of 2 s", &net.DNSError{Err: "server misbehaving", Name: "a.test"}, 2 * time.Second, nil, 7, 1100, summary.TargetUnreachable, "(after 2s)"},
		{"too many open files", nil, 0, errno("socket", syscall.EMFILE), 9, summary.CodeGenerator, summary.GeneratorLimited, "too many open files"},
		{"no ports", nil, 0, errno("connect", syscall.EADDRNOTAVAIL), 9, summary.CodeGenerator, summary.GeneratorLimited, "cannot assign requested address"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			overBoth(t, func(t *testing.T, transport engine.Transport) {
				synctest.Test(t, func(t *testing.T) {
					e, err := engine.New(engine.Config{
						Transport: transport,
						Resolver: resolver(func(string) ([]netip.Addr, error) {
							time.Sleep(tc.took)
							return []netip.Addr{netip.MustParseAddr("203.0.113.7")}, tc.lookup
						}),
						Connect: func(context.Context, string, string) (net.Conn, error) { return nil, tc.connect },
					})
					require.NoError(t, err)
					defer e.Close()
					s, err := e.Run(t.Context(), one(plan.Scenario{VUs: 4, Duration: 3 * time.Second}))
					require.NoError(t, err)
					require.Equal(t, summary.Rate{True: 4 * tc.attempts, Total: 4 * tc.attempts}, s.Rates[summary.HTTPReqFailed])
					require.Equal(t, 4*tc.attempts, s.Counters[summary.Iterations])
					require.Equal(t, tc.code, s.Errors[0].Code)
					require.Contains(t, s.Errors[0].Sample, tc.text)
					require.Empty(t, s.Statuses)
					require.NotContains(t, s.Trends, summary.HTTPReqDuration)
					f := s.Fields()
					require.Nil(t, f.P50)
					require.Nil(t, f.Avg)
					require.EqualValues(t, 1, *f.ErrorRate)
					require.Equal(t, tc.verdict, summary.Judge(s, false).Verdict)
				})
			})
		})
	}
}

// resolver makes a function an engine.Resolver.
type resolver func(host string) ([]netip.Addr, error)

func (r resolver) LookupNetIP(_ context.Context, _, host string) ([]netip.Addr, error) {
	return r(host)
}

// Field report 7: half the requests are cut after 50 ms; the percentiles of the successes don't know.
func TestFailuresAreNotMixedIntoSuccesses(t *testing.T) {
	var n atomic.Int64
	bubble(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Connection", "close") // or net/http would send the cut ones again
		if n.Add(1)%2 == 0 {
			time.Sleep(50 * ms)
			panic(http.ErrAbortHandler)
		}
		after(10*ms)(w, r)
	}, func(t *testing.T, e *engine.Engine) {
		s, err := e.Run(t.Context(), one(plan.Scenario{Duration: 3 * time.Second}))
		require.NoError(t, err)
		require.Equal(t, summary.Rate{True: 50, Total: 100}, s.Rates[summary.HTTPReqFailed])
		require.Equal(t, []summary.ErrorClass{{Code: 1000, Count: 50, Sample: "the server closed the connection (EOF)"}}, s.Errors)
		require.EqualValues(t, 10*ms, s.Trends[summary.ExpectedDuration].Max())
		require.EqualValues(t, 50*ms, s.Trends[summary.HTTPReqDuration].Max())
		require.Equal(t, summary.ThresholdFailed, summary.Judge(s, false).Verdict)
	})
}

// A Summary names the 32 commonest errors, and every status.
func TestErrorsAreBounded(t *testing.T) {
	var n atomic.Int64
	bubble(t, func(w http.ResponseWriter, _ *http.Request) {
		time.Sleep(ms)
		i := n.Add(1)
		w.WriteHeader(int(400 + i*i%199)) // some more often than others
	}, func(t *testing.T, e *engine.Engine) {
		s, err := e.Run(t.Context(), one(plan.Scenario{Duration: time.Second}))
		require.NoError(t, err)
		require.Len(t, s.Statuses, 100)
		require.Len(t, s.Errors, 32)
		for i, class := range s.Errors {
			require.Equal(t, s.Statuses[class.Code-1000], class.Count)
			require.GreaterOrEqual(t, s.Errors[max(i-1, 0)].Count, class.Count, "the commonest first")
		}
		s, err = e.Run(t.Context(), once(plan.Request{ExpectedStatuses: plan.Statuses{{Min: 100, Max: 599}}}))
		require.NoError(t, err)
		require.Empty(t, s.Errors)
	})
}

// Field report 31: a share without VUs makes no request: no data, no NaN, no green run.
func TestNoRequests(t *testing.T) {
	p := one(plan.Scenario{VUs: 1, Duration: time.Hour})
	p.Share = plan.Share{I: 1, N: 2}
	s, err := engine.Run(t.Context(), p)
	require.NoError(t, err)
	require.Empty(t, s.Trends)
	require.Empty(t, s.Rates)
	f := s.Fields()
	require.Nil(t, f.ErrorRate)
	require.Nil(t, f.P95)
	require.Zero(t, f.RPS)
	require.Equal(t, summary.NoRequests, summary.Judge(s, false).Verdict)
}

// Field reports 22 and 25 to 27, 38: what can't be requested is refused before the run, by the field, and credentials
// are nowhere in a Summary.
func TestBadPlansAreRefused(t *testing.T) {
	for _, tc := range []struct {
		name  string
		s     plan.Scenario
		field string
	}{
		{"no scheme", plan.Scenario{Request: plan.Request{URL: "example.org/x"}}, "scenarios[0].request.url"},
		{"ftp", plan.Scenario{Request: plan.Request{URL: "ftp://example.org/"}}, "scenarios[0].request.url"},
		{"port 0", plan.Scenario{Request: plan.Request{URL: "http://example.org:0/"}}, "scenarios[0].request.url"},
		{"raw space", plan.Scenario{Request: plan.Request{URL: "http://example.org/a b"}}, "scenarios[0].request.url"},
		{"too long", plan.Scenario{Request: plan.Request{URL: "http://example.org/" + strings.Repeat("x", 5000)}}, "scenarios[0].request.url"},
		{"no VUs", plan.Scenario{VUs: -1, Request: plan.Request{URL: "http://a.test/"}}, "scenarios[0].vus"},
		{"no duration", plan.Scenario{Duration: -1, Request: plan.Request{URL: "http://a.test/"}}, "scenarios[0].duration"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s, err := engine.Run(t.Context(), plan.Plan{Scenarios: []plan.Scenario{tc.s}}, func(summary.Snapshot) { t.Error("observed") })
			require.Nil(t, s)
			var faults plan.FieldErrors
			require.ErrorAs(t, err, &faults)
			require.Equal(t, tc.field, faults[0].Field)
		})
	}
}

// Field report 22: credentials of the URL and of headers are nowhere in a Summary, nor what a server makes of them.
func TestSummaryHoldsNoCredential(t *testing.T) {
	for _, tc := range []struct {
		name    string
		resolve error
		handler http.HandlerFunc
	}{
		{"no such host", &net.DNSError{Err: "no such host", Name: "a.test", IsNotFound: true}, after(0)},
		{"a redirect that repeats them", nil, func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "ftp://user:s3cret@a.test/?token=s3cret", http.StatusFound)
		}},
		{"no HTTP, but an echo", nil, func(w http.ResponseWriter, r *http.Request) {
			c, _, err := w.(http.Hijacker).Hijack()
			if err == nil {
				_, _ = fmt.Fprintf(c, "%s %v\r\n", r.RequestURI, r.Header)
				c.Close()
			}
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			cfg := engine.Config{Resolver: resolver(func(string) ([]netip.Addr, error) {
				return []netip.Addr{netip.MustParseAddr("203.0.113.7")}, tc.resolve
			})}
			bubbleWith(t, cfg, tc.handler, func(t *testing.T, e *engine.Engine) {
				s, err := e.Run(t.Context(), once(plan.Request{
					URL: "http://user:s3cret@a.test/?token=s3cret", Header: http.Header{"X-Token": {"s3cret"}},
				}))
				require.NoError(t, err)
				require.NotEmpty(t, s.Errors)
				text, err := json.Marshal(s)
				require.NoError(t, err)
				require.NotContains(t, string(text), "s3cret")
			})
		})
	}
}

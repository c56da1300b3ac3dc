package http1

import (
	"context"
	"io"
	"net"
	"net/http"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/nollagluiz/broadside/engine/internal/core"
	"github.com/nollagluiz/broadside/engine/internal/dial"
	"github.com/nollagluiz/broadside/engine/internal/pipenet"
	"github.com/nollagluiz/broadside/plan"
)

// Field report 33: where each phase begins and ends, by a server that delays lookup, connect, handshake, reading,
// first byte and body by known times. In a bubble they are exact, and the same over both transports.
func TestPhases(t *testing.T) {
	slowly := func(w http.ResponseWriter, r *http.Request) {
		time.Sleep(30 * ms)
		_, _ = io.Copy(io.Discard, r.Body)
		time.Sleep(40 * ms)
		_, _ = io.WriteString(w, "half")
		w.(http.Flusher).Flush()
		time.Sleep(50 * ms)
		_, _ = io.WriteString(w, "rest")
	}
	for _, tc := range []struct {
		name    string
		url     string
		version plan.HTTPVersion
		body    int
		proto   core.Proto
		first   [core.PhaseCount]time.Duration // of a new connection
		second  [core.PhaseCount]time.Duration // of a reused one
	}{
		{"plain", "http://a.test/", plan.HTTPAuto, 12 << 10, core.HTTP11,
			[...]time.Duration{35 * ms, 20 * ms, 0, 30 * ms, 40 * ms, 50 * ms},
			[...]time.Duration{0, 0, 0, 30 * ms, 40 * ms, 50 * ms}},
		{"plain, large", "http://a.test/", plan.HTTPAuto, 64 << 10, core.HTTP11,
			[...]time.Duration{35 * ms, 20 * ms, 0, 30 * ms, 40 * ms, 50 * ms},
			[...]time.Duration{0, 0, 0, 30 * ms, 40 * ms, 50 * ms}},
		{"TLS", "https://a.test/", plan.HTTP11, 12 << 10, core.HTTP11,
			[...]time.Duration{60 * ms, 20 * ms, 25 * ms, 30 * ms, 40 * ms, 50 * ms},
			[...]time.Duration{0, 0, 0, 30 * ms, 40 * ms, 50 * ms}},
		// HTTP/2 takes the body in before the handler reads it: its 30 ms are waiting.
		{"HTTP/2", "https://a.test/", plan.HTTPAuto, 12 << 10, core.HTTP2,
			[...]time.Duration{60 * ms, 20 * ms, 25 * ms, 0, 70 * ms, 50 * ms},
			[...]time.Duration{0, 0, 0, 0, 70 * ms, 50 * ms}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			both(t, func(t *testing.T, newClient func(testing.TB, dial.Config) *client) {
				synctest.Test(t, func(t *testing.T) {
					delays := pipenet.Delays{Lookup: 15 * ms, Connect: 20 * ms}
					secure := tc.url[:5] == "https"
					if secure {
						delays.Handshake = 25 * ms
					}
					n := pipenet.New(delays)
					serve(t, n, secure, slowly)
					c := newClient(t, dial.Config{Resolver: n, Connect: n.Connect})
					r := get(tc.url)
					r.Method, r.Version, r.Body = "POST", tc.version, make([]byte, tc.body)

					x := c.request(t.Context(), r)
					require.Empty(t, x.Err)
					require.Equal(t, tc.proto, x.Proto)
					require.Equal(t, tc.first, x.Phases)
					require.Equal(t, 60*ms+x.Phases[core.Blocked]+60*ms, x.End-x.Start)
					require.Equal(t, 120*ms, x.Duration(), "without lookup, connect and handshake")
					require.True(t, x.Counts)
					require.Greater(t, x.Sent, int64(tc.body))

					x = c.request(t.Context(), r)
					require.Equal(t, tc.second, x.Phases)
					require.Zero(t, x.Retries)
				})
			})
		})
	}
}

// Where an exchange ends without an answer: what it waited for counts only if the request was out.
func TestPhasesOfFailures(t *testing.T) {
	forever := func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }
	for _, tc := range []struct {
		name    string
		delays  pipenet.Delays
		url     string
		handler http.HandlerFunc
		body    int
		cut     time.Duration // by the hard stop; 0: by the time-out of 5 s
		code    uint16
		counts  bool
		phases  [core.PhaseCount]time.Duration
	}{
		{"black hole", pipenet.Delays{Connect: 20 * ms}, "http://a.test/", forever, 0, 0, core.CodeTimeout, true,
			[...]time.Duration{20 * ms, 20 * ms, 0, 0, 4980 * ms, 0}},
		{"black hole at the hard stop", pipenet.Delays{Connect: 20 * ms}, "http://a.test/", forever, 0, 2 * time.Second, 0, true,
			[...]time.Duration{20 * ms, 20 * ms, 0, 0, 1980 * ms, 0}},
		{"black hole behind TLS", pipenet.Delays{Handshake: 20 * ms}, "https://a.test/", forever, 0, 0, core.CodeTimeout, true,
			[...]time.Duration{20 * ms, 0, 20 * ms, 0, 4980 * ms, 0}},
		{"silence in the body", pipenet.Delays{}, "http://a.test/", func(w http.ResponseWriter, r *http.Request) {
			w.(http.Flusher).Flush()
			<-r.Context().Done()
		}, 0, 0, core.CodeTimeout, true, [...]time.Duration{0, 0, 0, 0, 0, 5 * time.Second}},
		{"silence in the body at the hard stop", pipenet.Delays{}, "http://a.test/", func(w http.ResponseWriter, r *http.Request) {
			w.(http.Flusher).Flush()
			<-r.Context().Done()
		}, 0, time.Second, 0, true, [...]time.Duration{0, 0, 0, 0, 0, time.Second}},
		{"a request that is not read", pipenet.Delays{}, "http://a.test/", func(_ http.ResponseWriter, r *http.Request) { time.Sleep(time.Minute) },
			12 << 10, 0, core.CodeTimeout, false, [...]time.Duration{0, 0, 0, 5 * time.Second, 0, 0}},
		{"a connect that hangs", pipenet.Delays{Connect: time.Hour}, "http://a.test/", forever, 0, 0, core.CodeTimeout, false,
			[core.PhaseCount]time.Duration{}},
		{"a connect that hangs at the hard stop", pipenet.Delays{Connect: time.Hour}, "http://a.test/", forever, 0, time.Second, 0, false,
			[core.PhaseCount]time.Duration{}},
		{"a lookup that hangs", pipenet.Delays{Lookup: time.Hour}, "http://a.test/", forever, 0, 0, core.CodeTimeout, false,
			[core.PhaseCount]time.Duration{}},
		{"a handshake that hangs", pipenet.Delays{Connect: 20 * ms, Handshake: time.Hour}, "https://a.test/", forever, 0, 0, core.CodeTimeout, false,
			[core.PhaseCount]time.Duration{}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			both(t, func(t *testing.T, newClient func(testing.TB, dial.Config) *client) {
				synctest.Test(t, func(t *testing.T) {
					n := pipenet.New(tc.delays)
					serve(t, n, tc.url[:5] == "https", tc.handler)
					c := newClient(t, dial.Config{Resolver: n, Connect: n.Connect})
					r := get(tc.url)
					r.Deadline, r.Version = 5*time.Second, plan.HTTP11
					if tc.body > 0 {
						r.Method, r.Body = "POST", make([]byte, tc.body)
					}
					ctx, cancel := context.WithCancel(t.Context())
					defer cancel()
					want := 5 * time.Second
					if tc.cut > 0 {
						want = tc.cut
						time.AfterFunc(tc.cut, cancel)
					}
					x := c.request(ctx, r)
					require.Equal(t, want, x.End-x.Start)
					require.Equal(t, want, time.Since(c.start), "and no later")
					require.Equal(t, tc.code, x.Code, x.Err)
					require.Equal(t, tc.cut > 0, x.Interrupted)
					require.Equal(t, tc.counts, x.Counts)
					require.Zero(t, x.Status)
					require.Equal(t, tc.phases, x.Phases)
				})
			})
		})
	}
}

// Deadlines of many VUs, in no order, with others that come while the watchdog sleeps: each holds exactly.
func TestDeadlines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := pipenet.New(pipenet.Delays{})
		serve(t, n, false, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
		const vus = 50
		tr := newTransport(t, dial.Config{Resolver: n, Connect: n.Connect}, vus)
		done := make(chan bool)
		for vu := range vus {
			go func() {
				for i := range 5 {
					time.Sleep(time.Duration((vu*7+i*3)%11) * 10 * ms)
					r := get("http://a.test/")
					wait := time.Duration((vu*5+i*13)%17+1) * 10 * ms
					r.Deadline = time.Since(tr.Start) + wait
					var x core.Exchange
					tr.Do(t.Context(), vu, r, &x)
					if x.Code != core.CodeTimeout || x.End-x.Start != wait {
						t.Errorf("VU %d: code %d after %v; want %v", vu, x.Code, x.End-x.Start, wait)
					}
				}
				done <- true
			}()
		}
		for range vus {
			<-done
		}
	})
}

// A VU that was killed and started again has a context of its own: the end of the old one cuts nothing new.
func TestCutIsOfItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := pipenet.New(pipenet.Delays{})
		serve(t, n, false, func(w http.ResponseWriter, r *http.Request) {
			time.Sleep(time.Second)
			hello(w, r)
		})
		c := newClient(t, dial.Config{Resolver: n, Connect: n.Connect})
		old, kill := context.WithCancel(t.Context())
		require.Equal(t, 200, c.request(old, get("http://a.test/")).Status)
		time.AfterFunc(ms, kill)
		x := c.request(old, get("http://a.test/"))
		require.True(t, x.Interrupted)
		require.Equal(t, ms, x.End-x.Start, "at once")
		require.True(t, x.Counts)

		fresh, cancel := context.WithCancel(t.Context())
		defer cancel()
		require.Equal(t, 200, c.request(fresh, get("http://a.test/")).Status)
		x = c.request(old, get("http://a.test/"))
		require.True(t, x.Interrupted, "cut before it began")
		require.False(t, x.Counts)
		require.Equal(t, 200, c.request(fresh, get("http://a.test/")).Status)
	})
}

// A dial goes no longer than its exchange.
func TestNoDialOutlivesItsExchange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := pipenet.New(pipenet.Delays{Connect: time.Hour})
		var dials atomic.Int64
		c := newClient(t, dial.Config{Resolver: n, Connect: func(ctx context.Context, network, address string) (net.Conn, error) {
			dials.Add(1)
			defer dials.Add(-1)
			return n.Connect(ctx, network, address)
		}})
		for _, url := range []string{"http://a.test/", "https://a.test/"} {
			r := get(url)
			r.Deadline = time.Second
			require.EqualValues(t, core.CodeTimeout, c.request(t.Context(), r).Code)
			synctest.Wait()
			require.Zero(t, dials.Load(), url)
		}
	})
}

// A server that closes an idle connection without a word costs no failure, also where a request may not be sent again.
func TestIdleConnectionClosed(t *testing.T) {
	both(t, func(t *testing.T, newClient func(testing.TB, dial.Config) *client) {
		synctest.Test(t, func(t *testing.T) {
			n := pipenet.New(pipenet.Delays{})
			srv := &http.Server{Handler: http.HandlerFunc(hello), IdleTimeout: time.Second}
			go func() { _ = srv.Serve(n) }()
			defer srv.Close()
			c := newClient(t, dial.Config{Resolver: n, Connect: n.Connect})
			for i := range 3 {
				r := get("http://a.test/")
				r.Method = "POST"
				x := c.request(t.Context(), r)
				require.Equal(t, 200, x.Status, "%d: %s", i, x.Err)
				require.Zero(t, x.Retries)
				time.Sleep(2 * time.Second)
			}
		})
	})
}

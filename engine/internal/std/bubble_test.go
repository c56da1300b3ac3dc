package std

import (
	"context"
	"crypto/tls"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
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

const ms = time.Millisecond

// serve runs a handler on the network, with TLS if secure.
func serve(t *testing.T, n *pipenet.Network, secure bool, h http.HandlerFunc) {
	t.Helper()
	srv := &http.Server{Handler: h, ErrorLog: log.New(io.Discard, "", 0)}
	done := make(chan error)
	go func() {
		if secure {
			srv.TLSConfig = &tls.Config{Certificates: certificates(), NextProtos: []string{"h2", "http/1.1"}}
			done <- srv.ServeTLS(n, "", "")
			return
		}
		done <- srv.Serve(n)
	}()
	t.Cleanup(func() {
		srv.Close()
		require.ErrorIs(t, <-done, http.ErrServerClosed)
		time.Sleep(2 * time.Hour) // of the bubble: its sleepers end
	})
}

// certificates are httptest's, for example.com and 127.0.0.1.
func certificates() []tls.Certificate {
	srv := httptest.NewUnstartedServer(nil)
	srv.Listener.Close()
	srv.Listener = pipenet.New(pipenet.Delays{})
	srv.StartTLS()
	defer srv.Close()
	return srv.TLS.Certificates
}

// testClient is a Transport of one VU.
type testClient struct {
	*Transport
	start time.Time
}

func newClient(t *testing.T, cfg dial.Config) *testClient {
	t.Helper()
	d := dial.New(cfg)
	c := &testClient{start: time.Now()}
	c.Transport = New(c.start, d, 1)
	t.Cleanup(func() {
		c.Close()
		d.Close()
	})
	return c
}

// request is a GET, skipping verification, that times out in a minute.
func request(rawURL string) *core.Request {
	u, err := url.Parse(rawURL)
	if err != nil {
		panic(err)
	}
	return &core.Request{Method: "GET", URL: u, Header: http.Header{}, InsecureSkipVerify: true, Deadline: time.Minute, Version: plan.HTTPAuto}
}

// do carries one exchange; the deadline counts from now.
func (c *testClient) do(ctx context.Context, r *core.Request) core.Exchange {
	hop := *r
	hop.Deadline += time.Since(c.start)
	var x core.Exchange
	c.Do(ctx, 0, &hop, &x)
	return x
}

// Field report 33: where each phase begins and ends, by a server that delays lookup, connect, handshake, reading,
// first byte and body by known times. In a bubble they are exact.
func TestPhases(t *testing.T) {
	slow := func(w http.ResponseWriter, r *http.Request) {
		time.Sleep(30 * ms)
		_, _ = io.Copy(io.Discard, r.Body)
		time.Sleep(40 * ms)
		_, _ = io.WriteString(w, "half")
		w.(http.Flusher).Flush()
		time.Sleep(50 * ms)
		_, _ = io.WriteString(w, "rest")
	}
	for _, tc := range []struct {
		name          string
		url           string
		version       plan.HTTPVersion
		proto         core.Proto
		first, second [core.PhaseCount]time.Duration // of a new and of a reused connection
	}{
		{"plain", "http://a.test/", plan.HTTPAuto, core.HTTP11,
			[...]time.Duration{35 * ms, 20 * ms, 0, 30 * ms, 40 * ms, 50 * ms},
			[...]time.Duration{0, 0, 0, 30 * ms, 40 * ms, 50 * ms}},
		{"TLS", "https://a.test/", plan.HTTP11, core.HTTP11,
			[...]time.Duration{60 * ms, 20 * ms, 25 * ms, 30 * ms, 40 * ms, 50 * ms},
			[...]time.Duration{0, 0, 0, 30 * ms, 40 * ms, 50 * ms}},
		// HTTP/2 takes the body in before the handler reads it: its 30 ms are waiting.
		{"HTTP/2", "https://a.test/", plan.HTTPAuto, core.HTTP2,
			[...]time.Duration{60 * ms, 20 * ms, 25 * ms, 0, 70 * ms, 50 * ms},
			[...]time.Duration{0, 0, 0, 0, 70 * ms, 50 * ms}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				delays := pipenet.Delays{Lookup: 15 * ms, Connect: 20 * ms}
				secure := tc.url[:5] == "https"
				if secure {
					delays.Handshake = 25 * ms
				}
				n := pipenet.New(delays)
				serve(t, n, secure, slow)
				c := newClient(t, dial.Config{Resolver: n, Connect: n.Connect})
				r := request(tc.url)
				r.Method, r.Version, r.Body = "POST", tc.version, make([]byte, 32<<10)

				x := c.do(t.Context(), r)
				require.Empty(t, x.Err)
				require.Equal(t, tc.proto, x.Proto)
				require.Equal(t, tc.first, x.Phases)
				require.Equal(t, 60*ms+x.Phases[core.Blocked]+60*ms, x.End-x.Start)
				require.Equal(t, 120*ms, x.Duration(), "without lookup, connect and handshake")
				require.True(t, x.Counts)

				x = c.do(t.Context(), r)
				require.Equal(t, tc.second, x.Phases)
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
		{"silence in the body", pipenet.Delays{}, "http://a.test/", func(w http.ResponseWriter, r *http.Request) {
			w.(http.Flusher).Flush()
			<-r.Context().Done()
		}, 0, 0, core.CodeTimeout, true, [...]time.Duration{0, 0, 0, 0, 0, 5 * time.Second}},
		{"a request that is not read", pipenet.Delays{}, "http://a.test/", func(_ http.ResponseWriter, r *http.Request) { time.Sleep(time.Minute) },
			1 << 20, 0, core.CodeTimeout, false, [...]time.Duration{0, 0, 0, 5 * time.Second, 0, 0}},
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
			synctest.Test(t, func(t *testing.T) {
				n := pipenet.New(tc.delays)
				serve(t, n, tc.url[:5] == "https", tc.handler)
				c := newClient(t, dial.Config{Resolver: n, Connect: n.Connect})
				r := request(tc.url)
				r.Deadline = 5 * time.Second
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
				x := c.do(ctx, r)
				require.Equal(t, want, x.End-x.Start)
				require.Equal(t, tc.code, x.Code, x.Err)
				require.Equal(t, tc.cut > 0, x.Interrupted)
				require.Equal(t, tc.counts, x.Counts)
				require.Zero(t, x.Status)
				require.Equal(t, tc.phases, x.Phases)
			})
		})
	}
}

// A dial goes no longer than its exchange: net/http would let it go on for a request to come, and black holes would
// pile descriptors up.
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
			r := request(url)
			r.Deadline = time.Second
			require.EqualValues(t, core.CodeTimeout, c.do(t.Context(), r).Code)
			synctest.Wait()
			require.Zero(t, dials.Load(), url)
		}
	})
}

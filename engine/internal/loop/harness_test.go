//go:build linux

package loop

import (
	"context"
	"crypto/tls"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/nollagluiz/broadside/engine/internal/core"
	"github.com/nollagluiz/broadside/engine/internal/dial"
	"github.com/nollagluiz/broadside/engine/internal/pace"
	"github.com/nollagluiz/broadside/engine/internal/std"
	"github.com/nollagluiz/broadside/engine/internal/vus"
	"github.com/nollagluiz/broadside/plan"
)

const ms = time.Millisecond

// recorder is a Flow that notes its exchanges.
type recorder struct {
	core.Flow
	vu   int
	note func(vu int, x core.Exchange)
}

func (r recorder) Done(now time.Duration, x *core.Exchange) core.Step {
	r.note(r.vu, *x)
	return r.Flow.Done(now, x)
}

// result is what a run of one scenario came to.
type result struct {
	*core.Delta
	requests, failed int64
	dropped          int
	exchanges        []core.Exchange // in the order of their ends, as they came from the transport
	took             time.Duration
	err              error
}

// runner drives a scenario to its end.
type runner func(ctx context.Context, t testing.TB, s plan.Scenario) result

// scenario is one made ready.
type scenario struct {
	executor pace.Executor
	flow     func(vu int) core.Flow
	shard    *core.Shard

	mu        sync.Mutex // guards exchanges
	exchanges []core.Exchange
}

func prepare(t testing.TB, s plan.Scenario) *scenario {
	t.Helper()
	s.Request.InsecureSkipVerify = true
	s = plan.Plan{Scenarios: []plan.Scenario{s}}.Resolved().Scenarios[0]
	executor, err := pace.New(s, plan.Share{})
	require.NoError(t, err)
	template, err := core.NewTemplate(s, "test")
	require.NoError(t, err)
	r := &scenario{executor: executor, shard: core.NewShard(s.Open())}
	r.flow = func(vu int) core.Flow {
		return recorder{template.Flow(r.shard), vu, func(_ int, x core.Exchange) {
			r.mu.Lock()
			defer r.mu.Unlock()
			if len(r.exchanges) < 10_000 {
				r.exchanges = append(r.exchanges, x)
			}
		}}
	}
	return r
}

func (s *scenario) result(h interface{ Dropped() int }, start time.Time, err error) result {
	r := result{Delta: s.shard.Take(), dropped: h.Dropped(), exchanges: s.exchanges, took: time.Since(start), err: err}
	for c := range r.Cells() {
		r.requests += c.Requests
		if c.Failed {
			r.failed += c.Requests
		}
	}
	return r
}

func newDialer(t testing.TB) *dial.Dialer {
	t.Helper()
	d := dial.New(dial.Config{})
	t.Cleanup(d.Close)
	return d
}

func newLoops(t testing.TB) *Loops {
	t.Helper()
	loops, err := NewLoops()
	require.NoError(t, err)
	t.Cleanup(loops.Close)
	return loops
}

// host makes a Host for s on one of the loops.
func (s *scenario) host(loops *Loops, d *dial.Dialer, start time.Time) *Host {
	return loops.Host(Config{
		Start:    start,
		Executor: s.executor,
		Flow:     s.flow,
		Dialer:   d,
		Other:    func() Other { return std.New(start, d, s.executor.MaxVUs()) },
	})
}

// overLoop runs on a loop.
func overLoop(ctx context.Context, t testing.TB, s plan.Scenario) result {
	t.Helper()
	return onLoops(newLoops(t))(ctx, t, s)
}

// onLoops runs on loops that there are.
func onLoops(loops *Loops) runner {
	return func(ctx context.Context, t testing.TB, s plan.Scenario) result {
		t.Helper()
		job, start := prepare(t, s), time.Now()
		h := job.host(loops, newDialer(t), start)
		err := h.Run(ctx)
		require.Zero(t, h.Working())
		return job.result(h, start, err)
	}
}

// overStd runs on goroutines.
func overStd(ctx context.Context, t testing.TB, s plan.Scenario) result {
	t.Helper()
	return onGoroutines(ctx, t, s, func(start time.Time, d *dial.Dialer, vus int) (core.Do, func()) {
		tr := std.New(start, d, vus)
		return tr.Do, tr.Close
	})
}

func onGoroutines(ctx context.Context, t testing.TB, s plan.Scenario, transport func(time.Time, *dial.Dialer, int) (core.Do, func())) result {
	t.Helper()
	job, start := prepare(t, s), time.Now()
	do, stop := transport(start, newDialer(t), job.executor.MaxVUs())
	defer stop()
	h := vus.New(vus.Config{Start: start, Executor: job.executor, Flow: job.flow, Do: do})
	err := h.Run(ctx)
	return job.result(h, start, err)
}

// times is a scenario of one VU that makes n requests, each to time out after 20 s.
func times(n int, url string) plan.Scenario {
	return plan.Scenario{Executor: plan.PerVUIterations, VUs: 1, Iterations: n, Request: plan.Request{URL: url, Timeout: 20 * time.Second}}
}

// listen serves each connection in a goroutine until the test ends.
func listen(t testing.TB, serve func(net.Conn)) (address string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				serve(c)
			}()
		}
	}()
	t.Cleanup(func() {
		l.Close()
		<-done
	})
	return l.Addr().String()
}

// server is a real one on loopback; secure ones offer HTTP/1.1 alone.
func server(t testing.TB, secure bool, h http.HandlerFunc) *httptest.Server {
	t.Helper()
	srv := unstarted(h)
	if secure {
		srv.StartTLS()
	} else {
		srv.Start()
	}
	t.Cleanup(srv.Close)
	return srv
}

func unstarted(h http.HandlerFunc) *httptest.Server {
	srv := httptest.NewUnstartedServer(h)
	srv.Config.ErrorLog = log.New(io.Discard, "", 0)
	return srv
}

func hello(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "hello") }

// certificates are httptest's, for example.com and 127.0.0.1.
func certificates(t testing.TB) []tls.Certificate {
	t.Helper()
	srv := httptest.NewTLSServer(nil)
	defer srv.Close()
	return srv.TLS.Certificates
}

// both runs a test in clear and over TLS.
func both(t *testing.T, f func(t *testing.T, secure bool)) {
	t.Helper()
	t.Run("clear", func(t *testing.T) { f(t, false) })
	t.Run("TLS", func(t *testing.T) { f(t, true) })
}

//go:build linux

package loop

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/nollagluiz/broadside/engine/internal/core"
	"github.com/nollagluiz/broadside/plan"
)

// Each executor on the host, to the exact count: pace holds the rules, this that the host keeps to them. What the clock
// decides has bounds that a slow machine keeps.
func TestExecutors(t *testing.T) {
	rate := func(n, vus int, d time.Duration) plan.Scenario {
		return plan.Scenario{Executor: plan.ConstantArrivalRate, Rate: n, PreAllocatedVUs: vus, Duration: d}
	}
	for _, tc := range []struct {
		name                 string
		scenario             plan.Scenario
		took                 time.Duration // by the server
		requests, iterations int64
		failed, interrupted  int64
		dropped              int
		least                time.Duration // that the run takes
	}{
		{"shared-iterations", plan.Scenario{Executor: plan.SharedIterations, VUs: 3, Iterations: 100}, 0, 100, 100, 0, 0, 0, 0},
		{"shared-iterations, the time over", plan.Scenario{Executor: plan.SharedIterations, VUs: 3, Iterations: 100, MaxDuration: time.Second}, 1500 * ms, 3, 3, 0, 0, 97, 1500 * ms},
		{"per-vu-iterations", plan.Scenario{Executor: plan.PerVUIterations, VUs: 3, Iterations: 40}, 0, 120, 120, 0, 0, 0, 0},
		{"per-vu-iterations, cut", plan.Scenario{Executor: plan.PerVUIterations, VUs: 2, Iterations: 4, MaxDuration: time.Second, GracefulStop: -1}, time.Hour, 2, 0, 2, 2, 6, time.Second},
		{"constant-vus, cut after the grace", plan.Scenario{VUs: 2, Duration: time.Second, GracefulStop: 200 * ms}, time.Hour, 2, 0, 2, 2, 0, 1200 * ms},
		{"ramping-vus", plan.Scenario{Executor: plan.RampingVUs, StartVUs: -1, Stages: []plan.Stage{{Duration: 500 * ms, Target: 5}, {Duration: 500 * ms}}}, 900 * ms, 5, 5, 0, 0, 0, 1400 * ms},
		{"ramping-vus, without grace", plan.Scenario{Executor: plan.RampingVUs, StartVUs: 2, GracefulRampDown: -1, Stages: []plan.Stage{{Duration: 500 * ms, Target: 2}, {Target: 1}, {Duration: 500 * ms, Target: 1}}}, 700 * ms, 3, 2, 1, 1, 0, time.Second},
		{"constant-arrival-rate", rate(100, 50, time.Second), 0, 100, 100, 0, 0, 0, time.Second},
		{"constant-arrival-rate with few VUs", rate(10, 2, time.Second), 1500 * ms, 2, 2, 0, 0, 8, 1500 * ms},
		{"constant-arrival-rate, cut", plan.Scenario{Executor: plan.ConstantArrivalRate, Rate: 10, PreAllocatedVUs: 3, Duration: time.Second, GracefulStop: -1}, time.Hour, 3, 0, 3, 3, 7, time.Second},
		{"ramping-arrival-rate", plan.Scenario{Executor: plan.RampingArrivalRate, PreAllocatedVUs: 40, Stages: []plan.Stage{{Duration: time.Second, Target: 40}, {Duration: 500 * ms, Target: 40}}}, 0, 40, 40, 0, 0, 0, 1500 * ms},
		{"from its start time", plan.Scenario{Executor: plan.PerVUIterations, VUs: 2, Iterations: 2, StartTime: 500 * ms}, 0, 4, 4, 0, 0, 0, 500 * ms},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			s := tc.scenario
			s.Request.URL = server(t, false, func(w http.ResponseWriter, r *http.Request) {
				select {
				case <-time.After(tc.took):
					hello(w, r)
				case <-r.Context().Done():
				}
			}).URL
			got := overLoop(t.Context(), t, s)
			require.NoError(t, got.err)
			require.Equal(t, tc.requests, got.requests)
			require.Equal(t, tc.iterations, got.Iterations)
			require.Equal(t, tc.failed, got.failed)
			require.Equal(t, tc.interrupted, got.Interrupted)
			require.Equal(t, tc.dropped, got.dropped)
			require.GreaterOrEqual(t, got.took, tc.least)
			require.Less(t, got.took, tc.least+10*time.Second)
		})
	}
}

// Pauses are part of iterations, and to the moment: with a loop's own clock they never end early, and seldom late.
func TestPause(t *testing.T) {
	srv := server(t, false, hello)
	s := plan.Scenario{Executor: plan.PerVUIterations, VUs: 5, Iterations: 20, Pause: 3 * ms, Request: plan.Request{URL: srv.URL}}
	got := overLoop(t.Context(), t, s)
	require.EqualValues(t, 100, got.requests)
	require.GreaterOrEqual(t, got.IterationDuration.Min(), int64(3*ms))
	require.Less(t, got.IterationDuration.Quantile(0.5), float64(8*ms))
}

// A refused target is tried with a back-off: at 0, 10, 30, 70, 150, 310 and 630 ms.
func TestBackOff(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	address := l.Addr().String()
	require.NoError(t, l.Close())
	s := plan.Scenario{VUs: 5, Duration: time.Second, Request: plan.Request{URL: "http://" + address}}
	got := overLoop(t.Context(), t, s)
	require.NoError(t, got.err)
	require.LessOrEqual(t, got.requests, int64(5*7))
	require.GreaterOrEqual(t, got.requests, int64(5*3))
	require.Equal(t, got.requests, got.failed)
	for _, x := range got.exchanges {
		require.EqualValues(t, core.CodeRefused, x.Code, x.Err)
		require.False(t, x.Counts)
	}
	require.GreaterOrEqual(t, got.took, time.Second)
}

// An abort cuts everything at once, wherever VUs are.
func TestAbort(t *testing.T) {
	cause := errors.New("told to stop")
	never := func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }
	for _, tc := range []struct {
		name     string
		url      string
		pause    time.Duration
		requests int64
	}{
		{"in requests", server(t, false, never).URL, 0, 100},
		{"in requests over TLS", server(t, true, never).URL, 0, 100},
		{"in pauses", server(t, false, hello).URL, time.Hour, 100},
		{"in handshakes", "https://" + listen(t, func(c net.Conn) { _, _ = io.Copy(io.Discard, c) }), 0, 100},
		{"in odd responses", "http://" + listen(t, saying("HTTP/1.1 200 OK\r\n\r\nx")), 0, 100},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithCancelCause(t.Context())
			time.AfterFunc(time.Second, func() { cancel(cause) })
			got := overLoop(ctx, t, plan.Scenario{VUs: 100, Duration: time.Hour, Pause: tc.pause, Request: plan.Request{URL: tc.url, Timeout: time.Hour}})
			require.ErrorIs(t, got.err, cause)
			require.Equal(t, tc.requests, got.requests)
			require.Equal(t, tc.requests, got.Interrupted)
			require.Zero(t, got.Iterations)
			require.Less(t, got.took, 10*time.Second)
		})
	}
}

// An abort before the beginning, and one that comes with the end.
func TestAbortAtTheEdges(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	srv := server(t, false, hello)
	got := overLoop(ctx, t, plan.Scenario{VUs: 3, Duration: time.Hour, Request: plan.Request{URL: srv.URL}})
	require.ErrorIs(t, got.err, context.Canceled)
	loops := newLoops(t)
	for i := range 50 {
		ctx, cancel := context.WithTimeout(t.Context(), time.Duration(i)*100*time.Microsecond)
		got := onLoops(loops)(ctx, t, times(5, srv.URL))
		cancel()
		if got.err == nil {
			require.EqualValues(t, 5, got.requests)
		}
	}
}

// More VUs than may dial at once, to a server that is silent beside one that is not: nobody waits for the silent one.
func TestSilentServersHoldNobodyUp(t *testing.T) {
	silent := listen(t, func(c net.Conn) { _, _ = io.Copy(io.Discard, c) })
	srv := server(t, true, hello)
	loops := newLoops(t)
	held, cancel := context.WithCancel(t.Context())
	ended := make(chan result, 1)
	go func() {
		ended <- onLoops(loops)(held, t, plan.Scenario{VUs: 3 * maxDials, Duration: time.Hour, Request: plan.Request{URL: "https://" + silent, Timeout: time.Hour}})
	}()
	got := onLoops(loops)(t.Context(), t, plan.Scenario{Executor: plan.PerVUIterations, VUs: maxDials + 10, Iterations: 2, Request: plan.Request{URL: srv.URL}})
	require.NoError(t, got.err)
	require.Zero(t, got.failed)
	require.Less(t, got.took, 10*time.Second)
	cancel()
	require.EqualValues(t, 3*maxDials, (<-ended).Interrupted)
}

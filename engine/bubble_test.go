package engine_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/nollagluiz/broadside/engine"
	"github.com/nollagluiz/broadside/engine/internal/pipenet"
	"github.com/nollagluiz/broadside/plan"
	"github.com/nollagluiz/broadside/summary"
)

const ms = time.Millisecond

// overBoth runs f for what an engine takes by itself and for net/http, which must give the same results.
func overBoth(t *testing.T, f func(t *testing.T, transport engine.Transport)) {
	t.Helper()
	over(t, f, engine.TransportAuto, engine.TransportStd)
}

// overAll is overBoth, and for the client that by itself an engine takes where it has no loops. It speaks no HTTP/2.
func overAll(t *testing.T, f func(t *testing.T, transport engine.Transport)) {
	t.Helper()
	over(t, f, engine.TransportAuto, engine.TransportHTTP1, engine.TransportStd)
}

func over(t *testing.T, f func(t *testing.T, transport engine.Transport), transports ...engine.Transport) {
	t.Helper()
	for _, transport := range transports {
		t.Run(string(transport), func(t *testing.T) { f(t, transport) })
	}
}

// engineOver returns an engine over a transport.
func engineOver(t *testing.T, transport engine.Transport) *engine.Engine {
	t.Helper()
	e, err := engine.New(engine.Config{Transport: transport})
	require.NoError(t, err)
	t.Cleanup(e.Close)
	return e
}

// bubble runs f on a clock that jumps, against h on a network in memory, over both transports. A goroutine that outlives
// the run, the server or the engine fails it.
func bubble(t *testing.T, h http.HandlerFunc, f func(t *testing.T, e *engine.Engine)) {
	t.Helper()
	bubbleWith(t, engine.Config{}, h, f)
}

// bubbleWith is bubble with an engine's settings; where they name no resolver, each name leads to h.
func bubbleWith(t *testing.T, cfg engine.Config, h http.HandlerFunc, f func(t *testing.T, e *engine.Engine)) {
	t.Helper()
	overBoth(t, func(t *testing.T, transport engine.Transport) {
		cfg := cfg
		cfg.Transport = transport
		bubbleOver(t, cfg, h, f)
	})
}

func bubbleOver(t *testing.T, cfg engine.Config, h http.HandlerFunc, f func(t *testing.T, e *engine.Engine)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		n := pipenet.New(pipenet.Delays{})
		cfg.Connect = n.Connect
		if cfg.Resolver == nil {
			cfg.Resolver = n
		}
		srv := &http.Server{Handler: h, ErrorLog: log.New(io.Discard, "", 0)}
		done := make(chan error)
		go func() { done <- srv.Serve(n) }()
		e, err := engine.New(cfg)
		require.NoError(t, err)
		defer func() {
			e.Close()
			srv.Close()
			require.ErrorIs(t, <-done, http.ErrServerClosed)
			time.Sleep(2 * time.Hour) // of the bubble: handlers that sleep end
		}()
		f(t, e)
	})
}

// one is a plan of one scenario.
func one(s plan.Scenario) plan.Plan {
	if s.Request.URL == "" {
		s.Request.URL = "http://a.test/"
	}
	return plan.Plan{Scenarios: []plan.Scenario{s}}
}

func after(d time.Duration) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		time.Sleep(d)
		_, _ = io.WriteString(w, "hello")
	}
}

func TestConstantVUs(t *testing.T) {
	bubble(t, after(210*ms), func(t *testing.T, e *engine.Engine) {
		s, err := e.Run(t.Context(), one(plan.Scenario{VUs: 10, Duration: time.Second}))
		require.NoError(t, err)
		require.EqualValues(t, 50, s.Counters[summary.Iterations])
		require.EqualValues(t, 50, s.Counters[summary.HTTPReqs])
		require.Equal(t, summary.Rate{Total: 50}, s.Rates[summary.HTTPReqFailed])
		require.Equal(t, 1050*ms, s.Duration)
		require.Equal(t, map[int]int64{200: 50}, s.Statuses)
		require.EqualValues(t, 210*ms, s.Trends[summary.HTTPReqWaiting].Max())
		require.EqualValues(t, 210*ms, s.Trends[summary.IterationDuration].Min())
		require.EqualValues(t, 50, s.Trends[summary.ExpectedDuration].Count())
		require.Equal(t, summary.Gauge{Value: 10, Min: 10, Max: 10, N: 1}, s.Gauges[summary.VUsMax])
		require.Equal(t, summary.Gauge{Value: 10, Min: 10, Max: 10, N: 1}, s.Gauges[summary.VUs])
		require.NotContains(t, s.Counters, summary.IterationsInterrupted)
		require.Equal(t, summary.OK, summary.Judge(s, false).Verdict)
		f := s.Fields()
		require.InDelta(t, 210, *f.P95, 0.21)
		require.InDelta(t, 50/1.05, f.RPS, 1e-9)
	})
}

func TestShares(t *testing.T) {
	bubble(t, after(100*ms), func(t *testing.T, e *engine.Engine) {
		var total int64
		for i := range 3 {
			p := one(plan.Scenario{VUs: 10, Duration: time.Second})
			p.Share = plan.Share{I: i, N: 3}
			s, err := e.Run(t.Context(), p)
			require.NoError(t, err)
			total += s.Counters[summary.HTTPReqs]
		}
		require.EqualValues(t, 100, total, "the parts add up to the whole")
	})
}

func TestObservers(t *testing.T) {
	bubble(t, after(100*ms), func(t *testing.T, e *engine.Engine) {
		var got []summary.Snapshot
		var second int
		s, err := e.Run(t.Context(), one(plan.Scenario{VUs: 2, Duration: 2450 * ms}),
			func(s summary.Snapshot) { got = append(got, s) }, func(summary.Snapshot) { second++ })
		require.NoError(t, err)
		require.Len(t, got, 3)
		require.Equal(t, 3, second)
		var sum int64
		for i, want := range []time.Duration{time.Second, 2 * time.Second, 2500 * ms} {
			require.Equal(t, want, got[i].Elapsed)
			require.Equal(t, time.Duration(i)*time.Second, got[i].Interval.At)
			require.EqualValues(t, got[i].Interval.Requests, got[i].Interval.Duration.Count())
			sum += got[i].Interval.Requests
			require.Equal(t, sum, got[i].Requests)
			require.Equal(t, 2, got[i].Interval.VUs)
		}
		require.Equal(t, 2, got[0].VUs)
		require.Zero(t, got[2].VUs, "the last comes after the last VU")
		require.EqualValues(t, 50, s.Counters[summary.HTTPReqs])
		require.EqualValues(t, 50, sum)
		require.Equal(t, time.Second, s.Series.Width)
		require.Len(t, s.Series.Buckets, 3)
		require.EqualValues(t, 2, s.Gauges[summary.VUs].Value)
	})
}

// Field report 37: a day is as long as its 300 buckets.
func TestLongRun(t *testing.T) {
	bubble(t, after(10*time.Second), func(t *testing.T, e *engine.Engine) {
		s, err := e.Run(t.Context(), one(plan.Scenario{Duration: time.Hour, Pause: 10 * time.Second}))
		require.NoError(t, err)
		require.EqualValues(t, 180, s.Counters[summary.Iterations])
		require.LessOrEqual(t, len(s.Series.Buckets), summary.MaxBuckets)
		var n int64
		for _, b := range s.Series.Buckets {
			n += b.Requests
		}
		require.EqualValues(t, 180, n)
	})
}

func TestAbort(t *testing.T) {
	cause := errors.New("told to stop")
	for _, tc := range []struct {
		name  string
		pause time.Duration
		took  time.Duration
	}{
		{"in requests", 0, time.Hour},
		{"in pauses", time.Hour, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			bubble(t, after(tc.took), func(t *testing.T, e *engine.Engine) {
				ctx, cancel := context.WithCancelCause(t.Context())
				time.AfterFunc(1500*ms, func() { cancel(cause) })
				calls := 0
				s, err := e.Run(ctx, one(plan.Scenario{VUs: 3, Duration: time.Hour, Pause: tc.pause, Request: plan.Request{Timeout: 5 * time.Minute}}),
					func(summary.Snapshot) { calls++ })
				require.ErrorIs(t, err, cause)
				require.Equal(t, 1500*ms, s.Duration, "at once")
				require.EqualValues(t, 3, s.Counters[summary.HTTPReqs])
				require.EqualValues(t, 3, s.Counters[summary.IterationsInterrupted])
				require.Equal(t, 2, calls)
				require.Equal(t, summary.Aborted, summary.Judge(s, true).Verdict)
			})
		})
	}
}

func TestClose(t *testing.T) {
	bubble(t, after(100*ms), func(t *testing.T, e *engine.Engine) {
		time.AfterFunc(time.Second, e.Close)
		s, err := e.Run(t.Context(), one(plan.Scenario{VUs: 3, Duration: time.Hour}))
		require.ErrorIs(t, err, engine.ErrClosed)
		require.Equal(t, time.Second, s.Duration)
		s, err = e.Run(t.Context(), one(plan.Scenario{}))
		require.ErrorIs(t, err, engine.ErrClosed)
		require.Nil(t, s)
	})
}

// Many runs share an Engine and nothing else.
func TestManyRuns(t *testing.T) {
	bubble(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/odd" {
			w.WriteHeader(http.StatusTeapot)
		}
		after(100*ms)(w, r)
	}, func(t *testing.T, e *engine.Engine) {
		const runs = 16
		errs := make(chan error)
		for i := range runs {
			go func() {
				path := [...]string{"even", "odd"}[i%2]
				s, err := e.Run(context.Background(), one(plan.Scenario{VUs: i + 1, Duration: time.Second, Request: plan.Request{URL: "http://a.test/" + path}}))
				if err == nil && (s.Counters[summary.HTTPReqs] != int64(10*(i+1)) || s.Statuses[418] != int64(i%2*10*(i+1))) {
					err = fmt.Errorf("run %d: %v %v", i, s.Counters, s.Statuses)
				}
				errs <- err
			}()
		}
		for range runs {
			require.NoError(t, <-errs)
		}
	})
}

// Several scenarios start together; the run is as long as the longest.
func TestScenarios(t *testing.T) {
	bubble(t, after(100*ms), func(t *testing.T, e *engine.Engine) {
		request := plan.Request{URL: "http://a.test/"}
		s, err := e.Run(t.Context(), plan.Plan{Scenarios: []plan.Scenario{
			{Name: "short", VUs: 2, Duration: time.Second, Request: request},
			{Name: "long", VUs: 3, Duration: 2 * time.Second, Request: request},
		}})
		require.NoError(t, err)
		require.EqualValues(t, 2*10+3*20, s.Counters[summary.HTTPReqs])
		require.Equal(t, 2*time.Second, s.Duration)
		require.EqualValues(t, 5, s.Gauges[summary.VUs].Max)
		require.EqualValues(t, 5, s.Gauges[summary.VUsMax].Value)
	})
}

package vus

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/nollagluiz/broadside/engine/internal/core"
	"github.com/nollagluiz/broadside/engine/internal/pace"
	"github.com/nollagluiz/broadside/plan"
)

const ms = time.Millisecond

// result is what a run of one scenario came to.
type result struct {
	requests, failed        int64
	iterations, interrupted int64
	dropped                 int
	took                    time.Duration
	err                     error
}

// run drives the scenario with do on a bubble's clock.
func run(ctx context.Context, t *testing.T, s plan.Scenario, do core.Do) result {
	t.Helper()
	s.Request.URL = "http://a.test/"
	s = plan.Plan{Scenarios: []plan.Scenario{s}}.Resolved().Scenarios[0]
	executor, err := pace.New(s, plan.Share{})
	require.NoError(t, err)
	tpl, err := core.NewTemplate(s, "test")
	require.NoError(t, err)
	shard := core.NewShard(false)
	start := time.Now()
	h := New(Config{
		Start:    start,
		Executor: executor,
		Flow:     func(int) core.Flow { return tpl.Flow(shard) },
		Do:       do,
	})
	r := result{err: h.Run(ctx), took: time.Since(start)}
	require.Zero(t, h.Working())
	d := shard.Take()
	for c := range d.Cells() {
		r.requests += c.Requests
		if c.Failed {
			r.failed += c.Requests
		}
	}
	r.iterations, r.interrupted, r.dropped = d.Iterations, d.Interrupted, h.Dropped()
	require.Zero(t, h.Dropped(), "since the call before")
	return r
}

// answer is a Do that answers with a status after a time, or is cut.
func answer(took time.Duration, status int, code uint16) core.Do {
	start := time.Now()
	return func(ctx context.Context, _ int, _ *core.Request, x *core.Exchange) {
		x.Start = time.Since(start)
		timer := time.NewTimer(took)
		defer timer.Stop()
		select {
		case <-timer.C:
			x.Status, x.Code = status, code
			if status != 0 {
				x.Proto = core.HTTP11
			}
		case <-ctx.Done():
			x.Interrupted = true
		}
		x.End = time.Since(start)
	}
}

// Each row runs in a bubble, so counts and times are exact; a goroutine that outlives Run would fail the bubble.
func TestRun(t *testing.T) {
	for _, tc := range []struct {
		name     string
		scenario plan.Scenario
		took     time.Duration
		status   int
		code     uint16
		want     result
	}{
		{"10 VUs x 210 ms for 1 s", plan.Scenario{VUs: 10, Duration: time.Second}, 210 * ms, 200, 0,
			result{requests: 50, iterations: 50, took: 1050 * ms}},
		{"a pause is part of the iteration", plan.Scenario{VUs: 2, Duration: time.Second, Pause: 150 * ms}, 50 * ms, 200, 0,
			result{requests: 10, iterations: 10, took: time.Second}},
		{"the grace cuts a request", plan.Scenario{VUs: 3, Duration: time.Second, GracefulStop: 500 * ms}, time.Minute, 200, 0,
			result{requests: 3, failed: 3, interrupted: 3, took: 1500 * ms}},
		{"the grace cuts a pause", plan.Scenario{VUs: 3, Duration: time.Second, GracefulStop: 500 * ms, Pause: time.Minute}, 0, 200, 0,
			result{requests: 3, interrupted: 3, took: 1500 * ms}},
		{"no grace", plan.Scenario{VUs: 2, Duration: time.Second, GracefulStop: -1}, 300 * ms, 200, 0,
			result{requests: 8, failed: 2, iterations: 6, interrupted: 2, took: time.Second}},
		// Field report 29: k6 tries a refused target thousands of times. Here attempts start at 0, 10, 30, 70, 150, 310,
		// 630, 1270 ms and then each second.
		{"refused", plan.Scenario{VUs: 5, Duration: 3 * time.Second}, 0, 0, core.CodeRefused,
			result{requests: 5 * 9, failed: 5 * 9, iterations: 5 * 9, took: 3 * time.Second}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				require.Equal(t, tc.want, run(t.Context(), t, tc.scenario, answer(tc.took, tc.status, tc.code)))
			})
		})
	}
}

// The back-off lies outside iterations and never makes a run longer: it ends with the duration.
func TestBackOffDoesNotExtendTheRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		got := run(t.Context(), t, plan.Scenario{Duration: 1500 * ms}, answer(0, 0, core.CodeNoSuchHost))
		require.Equal(t, 1500*ms, got.took)
		require.Zero(t, got.interrupted)
	})
}

func TestAbort(t *testing.T) {
	cause := errors.New("told to stop")
	for _, tc := range []struct {
		name     string
		scenario plan.Scenario
		do       func() core.Do
		want     result
	}{
		{"in a request", plan.Scenario{VUs: 4, Duration: time.Minute}, func() core.Do { return answer(time.Minute, 200, 0) },
			result{requests: 4, failed: 4, interrupted: 4}},
		{"in a pause", plan.Scenario{VUs: 4, Duration: time.Minute, Pause: time.Minute}, func() core.Do { return answer(0, 200, 0) },
			result{requests: 4, interrupted: 4}},
		{"in a back-off", plan.Scenario{VUs: 1, Duration: time.Minute}, func() core.Do { return answer(0, 0, core.CodeRefused) },
			result{requests: 8, failed: 8, iterations: 8}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancelCause(t.Context())
				time.AfterFunc(1900*ms, func() { cancel(cause) })
				got := run(ctx, t, tc.scenario, tc.do())
				require.ErrorIs(t, got.err, cause)
				tc.want.err, tc.want.took = got.err, 1900*ms
				require.Equal(t, tc.want, got)
			})
		})
	}
}

// A hop that was not begun when its VU was cut is no request.
func TestCutBetweenHops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		got := run(ctx, t, plan.Scenario{Duration: time.Minute}, func(_ context.Context, _ int, _ *core.Request, x *core.Exchange) {
			cancel()
			x.Status, x.Location = 302, "/again"
		})
		require.EqualValues(t, 1, got.requests)
		require.Zero(t, got.failed)
		require.EqualValues(t, 1, got.interrupted)
	})
}

// script is an executor whose orders are written down: what a ramp or an arrival rate may ask of a host.
type script struct {
	vus    int
	orders map[time.Duration]pace.Orders
	times  []time.Duration // of orders, ascending
	free   func(now time.Duration, vu int) pace.Verdict
	ticked int
}

func (s *script) MaxVUs() int { return s.vus }
func (s *script) VUs() int    { return s.vus }
func (s *script) Free(now time.Duration, vu int) (pace.Verdict, time.Duration) {
	return s.free(now, vu), now
}
func (s *script) Tick(now time.Duration, out *pace.Orders) time.Duration {
	for s.ticked < len(s.times) && now >= s.times[s.ticked] {
		o := s.orders[s.times[s.ticked]]
		out.Start = append(out.Start, o.Start...)
		out.Drain = append(out.Drain, o.Drain...)
		out.Kill = append(out.Kill, o.Kill...)
		s.ticked++
	}
	out.Over = s.ticked == len(s.times)
	if out.Over {
		return now
	}
	return s.times[s.ticked]
}

// counting is a Flow of requests without end that notes how many iterations began, ended and were cut.
type counting struct{ began, ended, cut *atomic.Int64 }

func (c counting) Begin(time.Duration) core.Step {
	c.began.Add(1)
	return core.Step{Verb: core.Send, Req: &core.Request{}}
}
func (c counting) Done(_ time.Duration, x *core.Exchange) core.Step {
	if x.Interrupted {
		c.cut.Add(1)
	} else {
		c.ended.Add(1)
	}
	return core.Step{Verb: core.End}
}
func (c counting) Woke(time.Duration) core.Step { return core.Step{Verb: core.End} }
func (c counting) Cut(time.Duration)            { c.cut.Add(1) }

func newCounting() counting {
	return counting{new(atomic.Int64), new(atomic.Int64), new(atomic.Int64)}
}

func TestOrders(t *testing.T) {
	forever := func(time.Duration, int) pace.Verdict { return pace.Go }
	zero := []int{0}
	for _, tc := range []struct {
		name              string
		script            script
		took              time.Duration
		began, ended, cut int64
		end               time.Duration
	}{
		{"drained, then started again before its iteration ended: it goes on",
			script{orders: map[time.Duration]pace.Orders{0: {Start: zero}, 250 * ms: {Drain: zero}, 280 * ms: {Start: zero}, 550 * ms: {Drain: zero}}, free: forever},
			100 * ms, 6, 6, 0, 600 * ms},
		{"drained and started again later",
			script{orders: map[time.Duration]pace.Orders{0: {Start: zero}, 150 * ms: {Drain: zero}, 500 * ms: {Start: zero}, 550 * ms: {Drain: zero}}, free: forever},
			100 * ms, 3, 3, 0, 600 * ms},
		{"killed and started again at once",
			script{orders: map[time.Duration]pace.Orders{0: {Start: zero}, 250 * ms: {Kill: zero}, 251 * ms: {Start: zero}, 300 * ms: {Kill: zero}}, free: forever},
			100 * ms, 4, 2, 2, 300 * ms},
		{"parked until started",
			script{orders: map[time.Duration]pace.Orders{0: {Start: zero}, 400 * ms: {Start: zero}, 700 * ms: {Drain: zero}},
				free: onceEach(200 * ms)},
			100 * ms, 2, 2, 0, 700 * ms},
		{"parked, drained and started again",
			script{orders: map[time.Duration]pace.Orders{0: {Start: zero}, 400 * ms: {Drain: zero}, 700 * ms: {Start: zero}, 750 * ms: {Drain: zero}},
				free: onceEach(200 * ms)},
			100 * ms, 2, 2, 0, 800 * ms},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := tc.script
				s.vus = 1
				s.times = slices.Sorted(maps.Keys(s.orders))
				start := time.Now()
				flow := newCounting()
				h := New(Config{Start: start, Executor: &s, Flow: func(int) core.Flow { return flow }, Do: answer(tc.took, 200, 0)})
				require.NoError(t, h.Run(t.Context()))
				require.Equal(t, tc.began, flow.began.Load(), "began")
				require.Equal(t, tc.ended, flow.ended.Load(), "ended")
				require.Equal(t, tc.cut, flow.cut.Load(), "cut")
				require.Equal(t, tc.end, time.Since(start))
				require.Zero(t, h.Working())
			})
		})
	}
}

// onceEach lets a VU begin once in each span and parks it otherwise, as an arrival rate does.
func onceEach(span time.Duration) func(time.Duration, int) pace.Verdict {
	last := time.Duration(-1)
	return func(now time.Duration, _ int) pace.Verdict {
		if last >= 0 && now < last+span {
			return pace.Park
		}
		last = now
		return pace.Go
	}
}

func TestPeak(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		executor, err := pace.New(plan.Scenario{Executor: plan.ConstantVUs, VUs: 7, Duration: time.Second}, plan.Share{})
		require.NoError(t, err)
		flow := newCounting()
		h := New(Config{Start: time.Now(), Executor: executor, Flow: func(int) core.Flow { return flow }, Do: answer(100*ms, 200, 0)})
		done := make(chan error)
		go func() { done <- h.Run(t.Context()) }()
		time.Sleep(500 * ms)
		require.Equal(t, 7, h.Working())
		require.NoError(t, <-done)
		require.Equal(t, 7, h.Peak(), "the most since it was last asked")
		require.Zero(t, h.Peak())
	})
}

package vus

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/nollagluiz/broadside/engine/internal/core"
	"github.com/nollagluiz/broadside/engine/internal/pace"
	"github.com/nollagluiz/broadside/plan"
)

// Each executor on the host, to the exact count: pace holds the rules, this that the host keeps to them.
func TestExecutors(t *testing.T) {
	rate := func(n, vus int, d time.Duration) plan.Scenario {
		return plan.Scenario{Executor: plan.ConstantArrivalRate, Rate: n, PreAllocatedVUs: vus, Duration: d}
	}
	for _, tc := range []struct {
		name     string
		scenario plan.Scenario
		took     time.Duration
		code     uint16
		want     result
	}{
		{"shared-iterations", plan.Scenario{Executor: plan.SharedIterations, VUs: 3, Iterations: 10}, 100 * ms, 0,
			result{requests: 10, iterations: 10, took: 400 * ms}},
		{"shared-iterations, the time over", plan.Scenario{Executor: plan.SharedIterations, VUs: 3, Iterations: 100, MaxDuration: time.Second}, 300 * ms, 0,
			result{requests: 12, iterations: 12, dropped: 88, took: 1200 * ms}},
		{"per-vu-iterations", plan.Scenario{Executor: plan.PerVUIterations, VUs: 3, Iterations: 4}, 100 * ms, 0,
			result{requests: 12, iterations: 12, took: 400 * ms}},
		{"per-vu-iterations, cut", plan.Scenario{Executor: plan.PerVUIterations, VUs: 2, Iterations: 4, MaxDuration: time.Second, GracefulStop: -1}, 300 * ms, 0,
			result{requests: 8, failed: 2, iterations: 6, interrupted: 2, took: time.Second}},
		{"ramping-vus", plan.Scenario{Executor: plan.RampingVUs, StartVUs: -1, Stages: []plan.Stage{{Duration: 3 * time.Second, Target: 3}, {Duration: 3 * time.Second}}}, 400 * ms, 0,
			result{requests: 24, iterations: 24, took: 6200 * ms}},
		{"ramping-vus, without grace", plan.Scenario{Executor: plan.RampingVUs, StartVUs: 2, GracefulRampDown: -1, Stages: []plan.Stage{{Duration: 500 * ms, Target: 2}, {Target: 1}, {Duration: 500 * ms, Target: 1}}}, 300 * ms, 0,
			result{requests: 6, failed: 1, iterations: 5, interrupted: 1, took: 1200 * ms}},
		{"constant-arrival-rate", rate(10, 5, 2*time.Second), 150 * ms, 0,
			result{requests: 20, iterations: 20, took: 2050 * ms}},
		{"constant-arrival-rate lasts its duration", rate(10, 5, 2*time.Second), 50 * ms, 0,
			result{requests: 20, iterations: 20, took: 2 * time.Second}},
		{"constant-arrival-rate of a refused target keeps its rate", rate(100, 5, time.Second), 0, core.CodeRefused,
			result{requests: 100, failed: 100, iterations: 100, took: time.Second}},
		// k6 v2.2 measured: 46 and 54.
		{"constant-arrival-rate with few VUs", plan.Scenario{Executor: plan.ConstantArrivalRate, Rate: 50, PreAllocatedVUs: 2, MaxVUs: 5, Duration: 2 * time.Second}, 200*ms + 1, 0,
			result{requests: 46, iterations: 46, dropped: 54, took: 2180*ms + 1}},
		{"constant-arrival-rate, cut", plan.Scenario{Executor: plan.ConstantArrivalRate, Rate: 10, PreAllocatedVUs: 3, Duration: time.Second, GracefulStop: -1}, time.Minute, 0,
			result{requests: 3, failed: 3, interrupted: 3, dropped: 7, took: time.Second}},
		{"ramping-arrival-rate", plan.Scenario{Executor: plan.RampingArrivalRate, PreAllocatedVUs: 9, Stages: []plan.Stage{{Duration: 2 * time.Second, Target: 20}, {Duration: time.Second, Target: 20}}}, 10 * ms, 0,
			result{requests: 40, iterations: 40, took: 3010 * ms}},
		{"from its start time", plan.Scenario{Executor: plan.ConstantArrivalRate, Rate: 10, PreAllocatedVUs: 5, Duration: time.Second, StartTime: time.Minute}, 150 * ms, 0,
			result{requests: 10, iterations: 10, took: time.Minute + 1050*ms}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				status := 200
				if tc.code != 0 {
					status = 0
				}
				require.Equal(t, tc.want, run(t.Context(), t, tc.scenario, answer(tc.took, status, tc.code)))
			})
		})
	}
}

// An abort drops nothing: what was left has no time of its own that was over.
func TestAbortDropsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(t.Context())
		cause := errors.New("told to stop")
		time.AfterFunc(250*ms, func() { cancel(cause) })
		got := run(ctx, t, plan.Scenario{Executor: plan.SharedIterations, VUs: 2, Iterations: 100}, answer(100*ms, 200, 0))
		require.Equal(t, result{requests: 6, failed: 2, iterations: 4, interrupted: 2, took: 250 * ms, err: cause}, got)
	})
}

// VUs of an arrival rate are at work only while they iterate.
func TestParkedVUsAreNotAtWork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		executor, err := pace.New(plan.Plan{Scenarios: []plan.Scenario{{
			Executor: plan.ConstantArrivalRate, Rate: 10, PreAllocatedVUs: 2, MaxVUs: 7, Duration: time.Second,
		}}}.Resolved().Scenarios[0], plan.Share{})
		require.NoError(t, err)
		h := New(Config{Start: time.Now(), Executor: executor, Flow: func(int) core.Flow { return newCounting() }, Do: answer(250*ms, 200, 0)})
		require.Equal(t, 2, h.VUs())
		done := make(chan error)
		go func() { done <- h.Run(t.Context()) }()
		time.Sleep(150 * ms)
		require.Equal(t, 2, h.Working())
		time.Sleep(220 * ms) // those of 0 and 100 ms have ended, that of 200 ms was dropped, that of 300 ms is under way
		require.Equal(t, 1, h.Working())
		require.NoError(t, <-done)
		require.Equal(t, 3, h.Peak())
		require.Zero(t, h.Peak(), "those that woke to retire were not at work")
		require.Equal(t, 3, h.VUs())
		require.Equal(t, 1, h.Dropped())
	})
}

// twoHops is a Flow of two requests, then a pause, then one more.
type twoHops struct{ sent int }

func (f *twoHops) Begin(time.Duration) core.Step {
	f.sent = 1
	return core.Step{Verb: core.Send, Req: &core.Request{}}
}

func (f *twoHops) Done(now time.Duration, _ *core.Exchange) core.Step {
	f.sent++
	switch f.sent {
	case 2:
		return core.Step{Verb: core.Send, Req: &core.Request{}}
	case 3:
		return core.Step{Verb: core.Wait, Until: now + time.Second}
	}
	return core.Step{Verb: core.End}
}
func (f *twoHops) Woke(time.Duration) core.Step {
	return core.Step{Verb: core.Send, Req: &core.Request{}}
}
func (f *twoHops) Cut(time.Duration) {}

// Only the first request of an iteration can be late: it is due when the iteration is, those after it when they are sent.
func TestDue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		executor := &late{
			script: script{vus: 1, times: []time.Duration{100 * ms, time.Hour}, orders: map[time.Duration]pace.Orders{100 * ms: {Start: []int{0}}, time.Hour: {Drain: []int{0}}}},
			due:    30 * ms,
		}
		var dues []time.Duration
		do := answer(10*ms, 200, 0)
		h := New(Config{Start: time.Now(), Executor: executor, Flow: func(int) core.Flow { return &twoHops{} }, Do: func(ctx context.Context, vu int, r *core.Request, x *core.Exchange) {
			dues = append(dues, x.Due)
			do(ctx, vu, r, x)
		}})
		require.NoError(t, h.Run(t.Context()))
		require.Equal(t, []time.Duration{30 * ms, 110 * ms, 1120 * ms}, dues)
	})
}

// late begins one iteration, after it was due.
type late struct {
	script
	due   time.Duration
	begun bool
}

func (l *late) Free(now time.Duration, _ int) (pace.Verdict, time.Duration) {
	if l.begun {
		return pace.Park, now
	}
	l.begun = true
	return pace.Go, l.due
}

package pace

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/nollagluiz/broadside/plan"
)

// cases are each executor in the middle of a long run.
func cases(t testing.TB) map[string]Executor {
	day := []plan.Stage{{Duration: plan.MaxDuration, Target: 110_000}}
	out := map[string]Executor{}
	for _, s := range []plan.Scenario{
		{Executor: plan.ConstantVUs, VUs: 100, Duration: plan.MaxDuration},
		{Executor: plan.SharedIterations, VUs: 100, Iterations: plan.MaxIterations, MaxDuration: plan.MaxDuration},
		{Executor: plan.PerVUIterations, VUs: 100, Iterations: plan.MaxIterations, MaxDuration: plan.MaxDuration},
		{Executor: plan.RampingVUs, Stages: []plan.Stage{{Duration: plan.MaxDuration, Target: 100}}},
		{Executor: plan.ConstantArrivalRate, Rate: 100_000, Duration: plan.MaxDuration, PreAllocatedVUs: 100},
		{Executor: plan.RampingArrivalRate, StartRate: 100_000, Stages: day, PreAllocatedVUs: 100},
	} {
		s.StartTime = time.Second
		out[s.Executor] = executorOf(t, s, plan.Share{})
	}
	return out
}

// iterate has n iterations begin and end at once, one each 10 us: a Tick, and Free before and after each.
func iterate(t testing.TB, e Executor, now *time.Duration, o *Orders, n int) {
	for range n {
		*now += 10 * time.Microsecond
		*o = Orders{Start: o.Start[:0], Drain: o.Drain[:0], Kill: o.Kill[:0]}
		e.Tick(*now, o)
		if len(o.Start) == 0 {
			o.Start = append(o.Start, 0) // it loops
		}
		for _, vu := range o.Start {
			if v, _ := e.Free(*now, vu); v != Go {
				t.Fatalf("none began at %v", *now)
			}
			e.Free(*now, vu)
		}
	}
}

func TestExecutorsDoNotAllocate(t *testing.T) {
	for name, e := range cases(t) {
		t.Run(name, func(t *testing.T) {
			var o Orders
			now := time.Second
			iterate(t, e, &now, &o, 1000)
			require.Zero(t, testing.AllocsPerRun(100, func() { iterate(t, e, &now, &o, 100) }))
		})
	}
}

func BenchmarkIteration(b *testing.B) {
	for name, e := range cases(b) {
		now := time.Second
		b.Run(name, func(b *testing.B) {
			var o Orders
			b.ReportAllocs()
			for b.Loop() {
				iterate(b, e, &now, &o, 1)
			}
		})
	}
}

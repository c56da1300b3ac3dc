package engine_test

import (
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/nollagluiz/broadside/engine"
	"github.com/nollagluiz/broadside/plan"
	"github.com/nollagluiz/broadside/summary"
)

// Scenarios of one plan run each from its start time; a VU serves those that don't overlap one after another.
func TestScenariosFromTheirStartTimes(t *testing.T) {
	bubble(t, after(90*ms), func(t *testing.T, e *engine.Engine) {
		request := plan.Request{URL: "http://a.test/"}
		var vus []int
		s, err := e.Run(t.Context(), plan.Plan{Scenarios: []plan.Scenario{
			{Name: "warm", VUs: 2, Duration: 1950 * ms, GracefulStop: 50 * ms, Request: request},
			{Name: "arrive", Executor: plan.ConstantArrivalRate, Rate: 20, PreAllocatedVUs: 3, MaxVUs: 9, Duration: time.Second, StartTime: 2020 * ms, GracefulStop: time.Second, Request: request},
			{Name: "share", Executor: plan.SharedIterations, VUs: 5, Iterations: 20, StartTime: 4500 * ms, MaxDuration: time.Second, Request: request},
		}}, func(s summary.Snapshot) { vus = append(vus, s.Interval.VUs) })
		require.NoError(t, err)
		require.EqualValues(t, 44+20+20, s.Counters[summary.HTTPReqs])
		require.EqualValues(t, 84, s.Counters[summary.Iterations])
		require.Equal(t, 4860*ms, s.Duration)
		require.Equal(t, []int{2, 2, 2, 2, 5}, vus)
		require.Equal(t, summary.Gauge{Value: 5, Min: 5, Max: 5, N: 5}, s.Gauges[summary.VUsMax])
		require.NotContains(t, s.Counters, summary.DroppedIterations)
		require.EqualValues(t, 20, s.Trends[summary.HTTPReqCorrected].Count(), "of the open scenario alone")
	})
}

// VUs that an arrival rate makes come on top of those that were planned; what found none is dropped and makes no sample.
func TestDroppedIterations(t *testing.T) {
	bubble(t, after(200*ms+1), func(t *testing.T, e *engine.Engine) {
		s, err := e.Run(t.Context(), one(plan.Scenario{Executor: plan.ConstantArrivalRate, Rate: 50, PreAllocatedVUs: 2, MaxVUs: 5, Duration: 2 * time.Second}))
		require.NoError(t, err)
		require.EqualValues(t, 46, s.Counters[summary.HTTPReqs], "as k6 v2.2")
		require.EqualValues(t, 54, s.Counters[summary.DroppedIterations])
		require.EqualValues(t, 46, s.Trends[summary.HTTPReqDuration].Count())
		require.EqualValues(t, 46, s.Trends[summary.HTTPReqCorrected].Count())
		require.Equal(t, summary.Gauge{Value: 5, Min: 5, Max: 5, N: 2}, s.Gauges[summary.VUsMax])
	})
}

// The parts of a plan send together what the whole would, at the same times.
func TestSharesOfAnArrivalRate(t *testing.T) {
	var served atomic.Int64
	handler := func(w http.ResponseWriter, r *http.Request) { served.Add(1); after(30*ms)(w, r) }
	bubble(t, handler, func(t *testing.T, e *engine.Engine) {
		for _, s := range []plan.Scenario{
			{Executor: plan.ConstantArrivalRate, Rate: 7, PreAllocatedVUs: 2, Duration: 3 * time.Second},
			{Executor: plan.RampingArrivalRate, StartRate: 3, Stages: []plan.Stage{{Duration: 2 * time.Second, Target: 15}}, PreAllocatedVUs: 4},
			{Executor: plan.SharedIterations, VUs: 2, Iterations: 19},
			{Executor: plan.PerVUIterations, VUs: 4, Iterations: 5},
		} {
			whole, parts := int64(0), int64(0)
			for n := range 4 {
				p := one(s)
				p.Share = plan.Share{I: max(n-1, 0), N: 3}
				if n == 0 {
					p.Share = plan.Share{}
				}
				s, err := e.Run(t.Context(), p)
				require.NoError(t, err)
				require.NotContains(t, s.Counters, summary.DroppedIterations)
				if n == 0 {
					whole = s.Counters[summary.HTTPReqs]
				} else {
					parts += s.Counters[summary.HTTPReqs]
				}
			}
			require.Equal(t, whole, parts, s.Executor)
		}
		require.EqualValues(t, 2*(21+18+19+20), served.Swap(0))
	})
}

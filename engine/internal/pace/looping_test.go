package pace

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/nollagluiz/broadside/plan"
)

// The rules of k6's constant-vus (v2.2): all VUs begin at 0, no iteration begins at or after the duration, those under
// way may end for gracefulStop and are cut then.
func TestConstantVUs(t *testing.T) {
	for _, tc := range []struct {
		name     string
		scenario plan.Scenario
		share    plan.Share
		took     time.Duration
		want     counts
	}{
		{"10 VUs x 210 ms for 1 s", plan.Scenario{VUs: 10, Duration: time.Second}, plan.Share{}, 210 * ms, counts{50, 50, 0, 0, 1050 * ms}},
		{"an iteration that ends at the duration is the last", plan.Scenario{Duration: time.Second}, plan.Share{}, 250 * ms, counts{4, 4, 0, 0, time.Second}},
		{"one that outlasts the grace is cut", plan.Scenario{VUs: 3, Duration: time.Second, GracefulStop: 500 * ms}, plan.Share{}, 2 * time.Second, counts{3, 0, 3, 0, 1500 * ms}},
		{"one that ends with the grace is whole", plan.Scenario{VUs: 2, Duration: time.Second, GracefulStop: 500 * ms}, plan.Share{}, 1500 * ms, counts{2, 2, 0, 0, 1500 * ms}},
		{"no grace cuts at the duration", plan.Scenario{VUs: 4, Duration: time.Second, GracefulStop: -1}, plan.Share{}, 300 * ms, counts{16, 12, 4, 0, time.Second}},
		{"a third of 10 VUs, the first part", plan.Scenario{VUs: 10, Duration: time.Second}, plan.Share{I: 0, N: 3}, 500 * ms, counts{8, 8, 0, 0, time.Second}},
		{"a third of 10 VUs, the last part", plan.Scenario{VUs: 10, Duration: time.Second}, plan.Share{I: 2, N: 3}, 500 * ms, counts{6, 6, 0, 0, time.Second}},
		{"a share without VUs is over at once", plan.Scenario{VUs: 2, Duration: time.Hour, StartTime: time.Hour}, plan.Share{I: 2, N: 3}, ms, counts{}},
		{"from its start time", plan.Scenario{VUs: 2, Duration: time.Second, StartTime: time.Minute}, plan.Share{}, 250 * ms, counts{8, 8, 0, 0, 61 * time.Second}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			tc.scenario.Executor = plan.ConstantVUs
			got := drive(t, executorOf(t, tc.scenario, tc.share), always(tc.took), 0)
			require.Equal(t, tc.want, got.counts())
		})
	}
}

func TestConstantVUsOrders(t *testing.T) {
	checkTicks(t, executorOf(t, plan.Scenario{VUs: 2, Duration: time.Second, GracefulStop: time.Second}, plan.Share{}), []tick{
		{"start", 3 * ms, Orders{Start: []int{0, 1}}, time.Second},
		{"asked too soon", 400 * ms, Orders{}, time.Second},
		{"duration", 1001 * ms, Orders{Drain: []int{0, 1}, Over: true}, 2 * time.Second},
		{"asked again", 1500 * ms, Orders{Over: true}, 2 * time.Second},
		{"hard stop", 2 * time.Second, Orders{Kill: []int{0, 1}, Over: true}, 2 * time.Second},
		{"after it", 3 * time.Second, Orders{Over: true}, 3 * time.Second},
	})
}

func TestStartTime(t *testing.T) {
	checkTicks(t, executorOf(t, plan.Scenario{VUs: 2, Duration: time.Second, GracefulStop: time.Second, StartTime: time.Minute}, plan.Share{}), []tick{
		{"before it", 0, Orders{}, time.Minute},
		{"start", time.Minute, Orders{Start: []int{0, 1}}, 61 * time.Second},
		{"duration", 61 * time.Second, Orders{Drain: []int{0, 1}, Over: true}, 62 * time.Second},
		{"hard stop", 62 * time.Second, Orders{Kill: []int{0, 1}, Over: true}, 62 * time.Second},
	})
}

// The rules of k6's shared-iterations: VUs take from one heap, and what maxDuration leaves is dropped.
func TestSharedIterations(t *testing.T) {
	for _, tc := range []struct {
		name     string
		scenario plan.Scenario
		share    plan.Share
		took     time.Duration
		want     counts
	}{
		{"one is the default", plan.Scenario{}, plan.Share{}, time.Second, counts{1, 1, 0, 0, time.Second}},
		{"10 by 3 VUs", plan.Scenario{VUs: 3, Iterations: 10}, plan.Share{}, 100 * ms, counts{10, 10, 0, 0, 400 * ms}},
		{"as many as VUs", plan.Scenario{VUs: 7, Iterations: 7}, plan.Share{}, 100 * ms, counts{7, 7, 0, 0, 100 * ms}},
		{"the time ends with iterations left", plan.Scenario{VUs: 2, Iterations: 100, MaxDuration: time.Second}, plan.Share{}, 300 * ms, counts{8, 8, 0, 92, 1200 * ms}},
		{"those under way are cut, and not dropped", plan.Scenario{VUs: 2, Iterations: 9, MaxDuration: time.Second, GracefulStop: 100 * ms}, plan.Share{}, 300 * ms, counts{8, 6, 2, 1, 1100 * ms}},
		{"the cut comes after maxDuration, all begun or not", plan.Scenario{VUs: 2, Iterations: 2, MaxDuration: time.Second, GracefulStop: -1}, plan.Share{}, time.Hour, counts{2, 0, 2, 0, time.Second}},
		{"a part of 3", plan.Scenario{VUs: 3, Iterations: 10}, plan.Share{I: 0, N: 3}, 100 * ms, counts{4, 4, 0, 0, 400 * ms}},
		{"2 VUs in 3 parts: the first two share all", plan.Scenario{VUs: 2, Iterations: 11}, plan.Share{I: 1, N: 3}, 100 * ms, counts{5, 5, 0, 0, 500 * ms}},
		{"and the third has none", plan.Scenario{VUs: 2, Iterations: 11}, plan.Share{I: 2, N: 3}, 100 * ms, counts{}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			tc.scenario.Executor = plan.SharedIterations
			got := drive(t, executorOf(t, tc.scenario, tc.share), always(tc.took), 0)
			require.Equal(t, tc.want, got.counts())
			require.Equal(t, got.end, got.over, "when all is done, nothing is waited for")
		})
	}
}

// A fast VU takes more of the heap.
func TestSharedIterationsAreTakenByWhoIsFree(t *testing.T) {
	e := executorOf(t, plan.Scenario{Executor: plan.SharedIterations, VUs: 2, Iterations: 11}, plan.Share{})
	got := drive(t, e, func(n int) time.Duration {
		if n == 0 {
			return time.Second
		}
		return 100 * ms
	}, 0)
	perVU := map[int]int{}
	for _, b := range got.begun {
		perVU[b.vu]++
	}
	require.Equal(t, map[int]int{0: 1, 1: 10}, perVU)
}

// The rules of k6's per-vu-iterations.
func TestPerVUIterations(t *testing.T) {
	for _, tc := range []struct {
		name     string
		scenario plan.Scenario
		share    plan.Share
		took     time.Duration
		want     counts
	}{
		{"one is the default", plan.Scenario{}, plan.Share{}, time.Second, counts{1, 1, 0, 0, time.Second}},
		{"4 each", plan.Scenario{VUs: 3, Iterations: 4}, plan.Share{}, 100 * ms, counts{12, 12, 0, 0, 400 * ms}},
		{"the time ends with iterations left", plan.Scenario{VUs: 2, Iterations: 10, MaxDuration: time.Second}, plan.Share{}, 300 * ms, counts{8, 8, 0, 12, 1200 * ms}},
		{"those under way are cut, and not dropped", plan.Scenario{VUs: 2, Iterations: 10, MaxDuration: time.Second, GracefulStop: -1}, plan.Share{}, 300 * ms, counts{8, 6, 2, 12, time.Second}},
		{"parts divide VUs, not iterations", plan.Scenario{VUs: 5, Iterations: 4}, plan.Share{I: 1, N: 2}, 100 * ms, counts{8, 8, 0, 0, 400 * ms}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			tc.scenario.Executor = plan.PerVUIterations
			got := drive(t, executorOf(t, tc.scenario, tc.share), always(tc.took), 0)
			require.Equal(t, tc.want, got.counts())
			require.Equal(t, got.end, got.over, "when all is done, nothing is waited for")
		})
	}
}

// Whatever the times, all iterations are begun or dropped, over all parts.
func TestIterationsAreConserved(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := plan.Scenario{
			Executor:     rapid.SampledFrom([]string{plan.SharedIterations, plan.PerVUIterations}).Draw(t, "executor"),
			VUs:          rapid.IntRange(1, 20).Draw(t, "vus"),
			MaxDuration:  time.Duration(rapid.IntRange(1000, 2000).Draw(t, "maxDuration")) * ms,
			GracefulStop: time.Duration(rapid.IntRange(-1, 500).Draw(t, "gracefulStop")) * ms,
		}
		s.Iterations = s.VUs + rapid.IntRange(0, 100).Draw(t, "more")
		n := rapid.IntRange(1, 6).Draw(t, "shares")
		late := time.Duration(rapid.IntRange(0, 300).Draw(t, "late")) * ms
		times := rapid.SliceOfN(rapid.IntRange(1, 700), 1, 9).Draw(t, "times")
		var begun, dropped, finished int
		for i := range n {
			o := drive(t, executorOf(t, s, plan.Share{I: i, N: n}), func(n int) time.Duration { return time.Duration(times[n%len(times)]) * ms }, late)
			begun, dropped, finished = begun+len(o.begun), dropped+o.dropped, finished+o.ended+o.cut
			for _, b := range o.begun {
				require.Less(t, b.at, s.MaxDuration)
			}
		}
		all := s.Iterations
		if s.Executor == plan.PerVUIterations {
			all *= s.VUs
		}
		require.Equal(t, all, begun+dropped)
		require.Equal(t, begun, finished)
	})
}

func TestShareLosesNoVU(t *testing.T) {
	for vus := 1; vus < 40; vus++ {
		for n := 1; n <= 7; n++ {
			sum := 0
			for i := range n {
				sum += executorOf(t, plan.Scenario{VUs: vus, Duration: time.Second}, plan.Share{I: i, N: n}).MaxVUs()
			}
			require.Equal(t, vus, sum)
		}
	}
}

func TestNewRefusesAnUnknownExecutor(t *testing.T) {
	_, err := New(plan.Scenario{Executor: "externally-controlled"}, plan.Share{})
	require.ErrorContains(t, err, "externally-controlled")
}

package pace

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/nollagluiz/broadside/plan"
)

// stages are written "2s:10".
func stages(t require.TestingT, texts ...string) []plan.Stage {
	var out []plan.Stage
	for _, text := range texts {
		var s plan.Stage
		var ms int64
		_, err := fmt.Sscanf(text, "%dms:%d", &ms, &s.Target)
		require.NoError(t, err, text)
		s.Duration = time.Duration(ms) * time.Millisecond
		out = append(out, s)
	}
	return out
}

// trace asks an executor just when it wants and writes down its orders: "+1s 0" starts VU 0 after 1 s, "-" asks it to
// stop, "!" cuts it.
func trace(e Executor) []string {
	var out []string
	now := time.Duration(0)
	for {
		var o Orders
		next := e.Tick(now, &o)
		for sign, vus := range map[string][]int{"+": o.Start, "-": o.Drain, "!": o.Kill} {
			for _, vu := range vus {
				out = append(out, fmt.Sprintf("%s%v %d", sign, now, vu))
			}
		}
		if next <= now {
			return out
		}
		now = next
	}
}

// The exact times of k6's rule, with those that were measured of k6 v2.2.
func TestRampingVUsSteps(t *testing.T) {
	for _, tc := range []struct {
		name      string
		start     int // as Scenario.StartVUs
		stages    []plan.Stage
		rampDown  time.Duration
		stop      time.Duration
		share     plan.Share
		wantTrace []string
	}{
		{"up: the peak is reached at the end, too late to loop", -1, stages(t, "3000ms:3"), 0, -1, plan.Share{},
			[]string{"+1s 0", "+2s 1", "-3s 1", "-3s 0", "!3s 1", "!3s 0"}},
		{"up, then hold", -1, stages(t, "3000ms:3", "500ms:3"), 0, -1, plan.Share{},
			[]string{"+1s 0", "+2s 1", "+3s 2", "-3.5s 2", "-3.5s 1", "-3.5s 0", "!3.5s 2", "!3.5s 1", "!3.5s 0"}},
		{"down: the last that began stops first, one step after the start", 3, stages(t, "2000ms:1"), time.Second, 2 * time.Second, plan.Share{},
			[]string{"+0s 0", "+0s 1", "+0s 2", "-1s 2", "-2s 1", "-2s 0", "!2s 2", "!3s 1", "!4s 0"}},
		{"1 is the default start", 0, stages(t, "1000ms:2", "1000ms:2"), 0, -1, plan.Share{},
			[]string{"+0s 0", "+1s 1", "-2s 1", "-2s 0", "!2s 1", "!2s 0"}},
		{"a jump up and a jump down", -1, stages(t, "0ms:2", "1000ms:2", "0ms:1", "1000ms:1"), -1, -1, plan.Share{},
			[]string{"+0s 0", "+0s 1", "-1s 1", "!1s 1", "-2s 0", "!2s 0"}},
		{"a jump down and up at one time changes nothing", 2, stages(t, "1000ms:2", "0ms:0", "0ms:2", "1000ms:2"), -1, -1, plan.Share{},
			[]string{"+0s 0", "+0s 1", "-2s 1", "-2s 0", "!2s 1", "!2s 0"}},
		{"a place is reserved while its VU may end, and used again", 2, stages(t, "0ms:0", "1000ms:0", "0ms:1", "5000ms:1"), 3 * time.Second, -1, plan.Share{},
			[]string{"+1s 0", "-6s 0", "!6s 0"}},
		{"the end of the run cuts a ramp down's grace short", 2, stages(t, "1000ms:2", "0ms:1", "1000ms:1"), time.Minute, 500 * ms, plan.Share{},
			[]string{"+0s 0", "+0s 1", "-1s 1", "-2s 0", "!2.5s 1", "!2.5s 0"}},
		{"thirds are cut to the nanosecond", -1, stages(t, "1000ms:3", "1ms:3"), 0, -1, plan.Share{},
			[]string{"+333.333334ms 0", "+666.666667ms 1", "+1s 2", "-1.001s 2", "-1.001s 1", "-1.001s 0", "!1.001s 2", "!1.001s 1", "!1.001s 0"}},
		{"the second half of the VUs", -1, stages(t, "4000ms:4", "4000ms:0"), time.Second, time.Second, plan.Share{I: 1, N: 2},
			[]string{"+2s 0", "+4s 1", "-5s 1", "!6s 1", "-7s 0", "!8s 0"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := trace(executorOf(t, plan.Scenario{
				Executor: plan.RampingVUs, StartVUs: tc.start, Stages: tc.stages, GracefulRampDown: tc.rampDown, GracefulStop: tc.stop,
			}, tc.share))
			// At one instant orders are given in the order start, drain, kill; a map forgets it.
			require.ElementsMatch(t, tc.wantTrace, got)
		})
	}
}

func TestRampingVUs(t *testing.T) {
	for _, tc := range []struct {
		name     string
		scenario plan.Scenario
		took     time.Duration
		want     counts
	}{
		{"up", plan.Scenario{StartVUs: -1, Stages: stages(t, "3000ms:3")}, 400 * ms, counts{5 + 3, 8, 0, 0, 3200 * ms}},
		{"down: who is stopped ends its iteration", plan.Scenario{StartVUs: 2, Stages: stages(t, "1000ms:0", "1000ms:0")}, 700 * ms, counts{2 + 1, 3, 0, 0, 1400 * ms}},
		{"or is cut when its grace is over", plan.Scenario{StartVUs: 2, Stages: stages(t, "0ms:1", "1000ms:1"), GracefulRampDown: 300 * ms}, 700 * ms,
			counts{2, 2, 0, 0, 1400 * ms}}, // VU 1 was stopped at 0, before it began
		{"one stopped without grace is cut at once", plan.Scenario{StartVUs: 2, Stages: stages(t, "500ms:1", "500ms:1"), GracefulRampDown: -1}, 700 * ms,
			counts{3, 2, 1, 0, 1400 * ms}},
		{"one that is wanted again meanwhile goes on", plan.Scenario{StartVUs: 1, Stages: stages(t, "100ms:1", "0ms:0", "100ms:0", "0ms:1", "800ms:1")}, 400 * ms,
			counts{3, 3, 0, 0, 1200 * ms}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			tc.scenario.Executor = plan.RampingVUs
			got := drive(t, executorOf(t, tc.scenario, plan.Share{}), always(tc.took), 0)
			require.Equal(t, tc.want, got.counts())
		})
	}
}

// step is a moment at which the VUs that are to loop change.
type step struct {
	at  time.Duration
	vus int
}

// steps is k6's rule, done the long way: every step of every stage, over all parts.
func steps(s plan.Scenario) []step {
	out := []step{{0, max(s.StartVUs, 0)}}
	end := time.Duration(0)
	for _, stage := range s.Stages {
		end += stage.Duration
		from := out[len(out)-1].vus
		for vus := from; vus < stage.Target; vus++ {
			out = append(out, step{end - stage.Duration*time.Duration(stage.Target-vus-1)/time.Duration(stage.Target-from), vus + 1})
		}
		for vus := from; vus > stage.Target; vus-- {
			out = append(out, step{end - stage.Duration*time.Duration(vus-1-stage.Target)/time.Duration(from-stage.Target), vus - 1})
		}
	}
	return out
}

// The parts of a ramp have together, at each moment, the VUs of the whole; no VU begins before its time or after the
// end; and none is at work after the cut.
func TestRampingVUsProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := plan.Scenario{
			Executor:         plan.RampingVUs,
			StartVUs:         rapid.IntRange(-1, 12).Draw(t, "startVUs"),
			GracefulRampDown: time.Duration(rapid.IntRange(-1, 400).Draw(t, "gracefulRampDown")) * ms,
			GracefulStop:     time.Duration(rapid.IntRange(-1, 400).Draw(t, "gracefulStop")) * ms,
		}
		if s.StartVUs == 0 {
			s.StartVUs = -1
		}
		if s.GracefulRampDown == 0 {
			s.GracefulRampDown = -1
		}
		if s.GracefulStop == 0 {
			s.GracefulStop = -1
		}
		for range rapid.IntRange(1, 5).Draw(t, "stages") {
			s.Stages = append(s.Stages, plan.Stage{
				Duration: time.Duration(rapid.IntRange(0, 1000).Draw(t, "duration")) * ms,
				Target:   rapid.IntRange(0, 12).Draw(t, "target"),
			})
		}
		s.Stages[0].Target = max(s.Stages[0].Target, 1)
		n := rapid.IntRange(1, 4).Draw(t, "shares")
		took := rapid.IntRange(1, 900).Draw(t, "took")
		late := time.Duration(rapid.IntRange(0, 30).Draw(t, "late")) * ms

		all := steps(s)
		length := s.Length()
		wanted := func(at time.Duration) int { // VUs that are to loop
			i, _ := slices.BinarySearchFunc(all, at, func(s step, at time.Duration) int {
				if s.at <= at {
					return -1
				}
				return 1
			})
			return all[i-1].vus
		}
		for i := range n {
			share := plan.Share{I: i, N: n}
			o := drive(t, executorOf(t, s, share), always(time.Duration(took)*ms), late)
			require.LessOrEqual(t, o.end, length+max(s.GracefulStop, 0)+late)
			for vu, from := range begunBy(o) {
				for _, at := range from {
					require.Less(t, at, length)
					require.Less(t, i+vu*n, wanted(at), "VU %d of share %v began at %v", vu, share, at)
				}
			}
		}
		// Without lateness the orders themselves are exact.
		for i := range n {
			share := plan.Share{I: i, N: n}
			e := executorOf(t, s, share)
			active, now := 0, time.Duration(0)
			for {
				var o Orders
				next := e.Tick(now, &o)
				active += len(o.Start) - len(o.Drain)
				want := share.Of(wanted(now))
				if now >= length {
					want = 0
				}
				require.Equal(t, want, active, "share %v at %v", share, now)
				if next <= now {
					break
				}
				// Between two ticks nothing is to change.
				for _, s := range all {
					if s.at > now && s.at < min(next, length) {
						require.Equal(t, want, share.Of(s.vus), "share %v sleeps over %v", share, s.at)
					}
				}
				now = next
			}
		}
	})
}

// begunBy gives for each VU when its iterations began.
func begunBy(o outcome) map[int][]time.Duration {
	out := map[int][]time.Duration{}
	for _, b := range o.begun {
		out[b.vu] = append(out[b.vu], b.at)
	}
	return out
}

// A VU that the executor retires before the host was told to drain it can come back.
func TestRampingVUsRetiredBeforeItWasDrained(t *testing.T) {
	e := executorOf(t, plan.Scenario{Executor: plan.RampingVUs, StartVUs: 2, Stages: stages(t, "1000ms:2", "0ms:0", "1000ms:0", "0ms:2", "1000ms:2"), GracefulStop: -1}, plan.Share{})
	var o Orders
	require.Equal(t, time.Second, e.Tick(0, &o))
	require.Equal(t, []int{0, 1}, o.Start)
	v, _ := e.Free(1500*ms, 0)
	require.Equal(t, Retire, v)
	o = Orders{}
	require.Equal(t, 3*time.Second, e.Tick(2500*ms, &o), "the host is late")
	require.Equal(t, Orders{Start: []int{0, 1}}, o)
	v, _ = e.Free(2600*ms, 0)
	require.Equal(t, Go, v)
}

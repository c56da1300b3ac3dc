package plan_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/nollagluiz/broadside/plan"
)

// arrivals is the shortest scenario of a constant arrival rate.
func arrivals() plan.Scenario {
	return plan.Scenario{Executor: plan.ConstantArrivalRate, Rate: 1, PreAllocatedVUs: 1}
}

// The defaults of each executor, k6's; no other field is written.
func TestResolvedExecutors(t *testing.T) {
	stages := []plan.Stage{{Duration: time.Minute, Target: 7}, {Duration: time.Second, Target: 2}}
	for _, c := range []struct {
		name        string
		s, want     plan.Scenario
		length, end time.Duration
		peak        int
	}{
		{"constant-vus", plan.Scenario{}, plan.Scenario{VUs: 1, Duration: 30 * time.Second}, 30 * time.Second, time.Minute, 1},
		{"shared-iterations", plan.Scenario{}, plan.Scenario{VUs: 1, Iterations: 1, MaxDuration: 10 * time.Minute}, 10 * time.Minute, 630 * time.Second, 1},
		{"per-vu-iterations", plan.Scenario{VUs: 3}, plan.Scenario{VUs: 3, Iterations: 1, MaxDuration: 10 * time.Minute}, 10 * time.Minute, 630 * time.Second, 3},
		{"ramping-vus", plan.Scenario{Stages: stages}, plan.Scenario{StartVUs: 1, Stages: stages, GracefulRampDown: 30 * time.Second}, 61 * time.Second, 91 * time.Second, 7},
		{"ramping-vus", plan.Scenario{Stages: stages[1:], StartVUs: -1}, plan.Scenario{StartVUs: -1, Stages: stages[1:], GracefulRampDown: 30 * time.Second}, time.Second, 31 * time.Second, 2},
		{"ramping-vus", plan.Scenario{Stages: stages[1:], StartVUs: 9}, plan.Scenario{StartVUs: 9, Stages: stages[1:], GracefulRampDown: 30 * time.Second}, time.Second, 31 * time.Second, 9},
		{"constant-arrival-rate", plan.Scenario{Rate: 5, PreAllocatedVUs: 4, StartTime: time.Hour}, plan.Scenario{Rate: 5, PreAllocatedVUs: 4, MaxVUs: 4, StartTime: time.Hour, TimeUnit: time.Second, Duration: 30 * time.Second}, 30 * time.Second, 61 * time.Minute, 4},
		{"ramping-arrival-rate", plan.Scenario{Stages: stages, PreAllocatedVUs: -1, MaxVUs: 8, GracefulStop: -1}, plan.Scenario{Stages: stages, PreAllocatedVUs: -1, MaxVUs: 8, TimeUnit: time.Second, GracefulStop: -1}, 61 * time.Second, 61 * time.Second, 8},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.s.Executor = c.name
			got := plan.Plan{Scenarios: []plan.Scenario{c.s}}.Resolved().Scenarios[0]
			if c.want.GracefulStop == 0 {
				c.want.GracefulStop = 30 * time.Second
			}
			c.want.Name, c.want.Executor, c.want.Request = "default", c.name, got.Request
			if d := cmp.Diff(c.want, got); d != "" {
				t.Errorf("resolved (-want +got):\n%s", d)
			}
			if got.Length() != c.length || got.End() != c.end || got.Peak() != c.peak {
				t.Errorf("length %v, end %v, peak %d; want %v, %v, %d", got.Length(), got.End(), got.Peak(), c.length, c.end, c.peak)
			}
			if open := strings.HasSuffix(c.name, "arrival-rate"); got.Open() != open {
				t.Errorf("open %t; want %t", got.Open(), open)
			}
			p := plan.Plan{Scenarios: []plan.Scenario{c.s}}
			p.Scenarios[0].Request.URL = "http://h/"
			checkFaults(t, p)
		})
	}
}

// k6's rules for each executor, and our bounds.
func TestValidateExecutors(t *testing.T) {
	stages := func(stages ...plan.Stage) []plan.Stage { return stages }
	second := plan.Stage{Duration: time.Second, Target: 1}
	for _, c := range []struct {
		name  string
		s     plan.Scenario
		field string // "": valid
	}{
		{"a start time", plan.Scenario{StartTime: 24 * time.Hour}, ""},
		{"one before the run", plan.Scenario{StartTime: -1}, "startTime"},
		{"one after a day", plan.Scenario{StartTime: 24*time.Hour + 1}, "startTime"},

		{"constant-vus with iterations", plan.Scenario{Iterations: 1}, "iterations"},
		{"constant-vus with a longest duration", plan.Scenario{MaxDuration: time.Minute}, "maxDuration"},
		{"constant-vus with stages", plan.Scenario{Stages: stages(second)}, "stages"},
		{"constant-vus with start VUs", plan.Scenario{StartVUs: -1}, "startVUs"},
		{"constant-vus that ramps down", plan.Scenario{GracefulRampDown: -1}, "gracefulRampDown"},
		{"constant-vus with a rate", plan.Scenario{Rate: 1}, "rate"},
		{"constant-vus with a start rate", plan.Scenario{StartRate: 1}, "startRate"},
		{"constant-vus with a time unit", plan.Scenario{TimeUnit: time.Second}, "timeUnit"},
		{"constant-vus with VUs made before", plan.Scenario{PreAllocatedVUs: 1}, "preAllocatedVUs"},
		{"constant-vus with most VUs", plan.Scenario{MaxVUs: 1}, "maxVUs"},

		{"as many iterations as VUs", plan.Scenario{Executor: plan.SharedIterations, VUs: 7, Iterations: 7}, ""},
		{"fewer", plan.Scenario{Executor: plan.SharedIterations, VUs: 7, Iterations: 6}, "iterations"},
		{"fewer each", plan.Scenario{Executor: plan.PerVUIterations, VUs: 7, Iterations: 1}, ""},
		{"the most iterations", plan.Scenario{Executor: plan.SharedIterations, Iterations: 1_000_000_000}, ""},
		{"one more", plan.Scenario{Executor: plan.PerVUIterations, Iterations: 1_000_000_001}, "iterations"},
		{"negative ones", plan.Scenario{Executor: plan.PerVUIterations, Iterations: -1}, "iterations"},
		{"too short for iterations", plan.Scenario{Executor: plan.SharedIterations, MaxDuration: time.Second - 1}, "maxDuration"},
		{"too long for iterations", plan.Scenario{Executor: plan.SharedIterations, MaxDuration: 24*time.Hour + 1}, "maxDuration"},
		{"iterations with a duration", plan.Scenario{Executor: plan.SharedIterations, Duration: time.Second}, "duration"},
		{"iterations with too many VUs", plan.Scenario{Executor: plan.PerVUIterations, VUs: 10_001}, "vus"},

		{"a ramp of no time", plan.Scenario{Executor: plan.RampingVUs, Stages: stages(plan.Stage{Target: 1})}, ""},
		{"a ramp from VUs to none", plan.Scenario{Executor: plan.RampingVUs, Stages: stages(plan.Stage{Duration: 1})}, ""},
		{"a ramp of nobody", plan.Scenario{Executor: plan.RampingVUs, StartVUs: -1, Stages: stages(plan.Stage{Duration: time.Second})}, "stages"},
		{"a ramp without stages", plan.Scenario{Executor: plan.RampingVUs}, "stages"},
		{"the most stages", plan.Scenario{Executor: plan.RampingVUs, Stages: make([]plan.Stage, 1000)}, ""},
		{"one more stage", plan.Scenario{Executor: plan.RampingVUs, Stages: make([]plan.Stage, 1001)}, "stages"},
		{"a negative target", plan.Scenario{Executor: plan.RampingVUs, Stages: stages(second, plan.Stage{Target: -1})}, "stages[1].target"},
		{"a target too high", plan.Scenario{Executor: plan.RampingVUs, Stages: stages(plan.Stage{Target: 10_001})}, "stages[0].target"},
		{"a stage backwards", plan.Scenario{Executor: plan.RampingVUs, Stages: stages(plan.Stage{Duration: -1, Target: 1})}, "stages[0].duration"},
		{"a stage too long", plan.Scenario{Executor: plan.RampingVUs, Stages: stages(plan.Stage{Duration: 24*time.Hour + 1, Target: 1})}, "stages[0].duration"},
		{"stages too long", plan.Scenario{Executor: plan.RampingVUs, Stages: stages(plan.Stage{Duration: 24 * time.Hour, Target: 1}, plan.Stage{Duration: 1})}, "stages"},
		{"too many start VUs", plan.Scenario{Executor: plan.RampingVUs, StartVUs: 10_001, Stages: stages(second)}, "startVUs"},
		{"an endless ramp down", plan.Scenario{Executor: plan.RampingVUs, GracefulRampDown: 24*time.Hour + 1, Stages: stages(second)}, "gracefulRampDown"},
		{"a ramp with VUs", plan.Scenario{Executor: plan.RampingVUs, VUs: 1, Stages: stages(second)}, "vus"},

		{"a rate", arrivals(), ""},
		{"no rate", edit(arrivals(), func(s *plan.Scenario) { s.Rate = 0 }), "rate"},
		{"the highest rate", edit(arrivals(), func(s *plan.Scenario) { s.Rate = 1_000_000 }), ""},
		{"one more", edit(arrivals(), func(s *plan.Scenario) { s.Rate = 1_000_001 }), "rate"},
		{"the highest rate of a day", edit(arrivals(), func(s *plan.Scenario) { s.TimeUnit, s.Rate = 24*time.Hour, 86_400_000_000 }), ""},
		{"the highest rate of a millisecond", edit(arrivals(), func(s *plan.Scenario) { s.TimeUnit, s.Rate = time.Millisecond, 1000 }), ""},
		{"one more of a millisecond", edit(arrivals(), func(s *plan.Scenario) { s.TimeUnit, s.Rate = time.Millisecond, 1001 }), "rate"},
		{"a time unit too short", edit(arrivals(), func(s *plan.Scenario) { s.TimeUnit = time.Millisecond - 1 }), "timeUnit"},
		{"a time unit too long", edit(arrivals(), func(s *plan.Scenario) { s.TimeUnit = 24*time.Hour + 1 }), "timeUnit"},
		{"no VUs made before", edit(arrivals(), func(s *plan.Scenario) { s.PreAllocatedVUs = 0 }), "preAllocatedVUs"},
		{"none on purpose", edit(arrivals(), func(s *plan.Scenario) { s.PreAllocatedVUs, s.MaxVUs = -1, 1 }), ""},
		{"none at all", edit(arrivals(), func(s *plan.Scenario) { s.PreAllocatedVUs = -1 }), "maxVUs"},
		{"fewer than there are", edit(arrivals(), func(s *plan.Scenario) { s.PreAllocatedVUs, s.MaxVUs = 3, 2 }), "maxVUs"},
		{"too many made before", edit(arrivals(), func(s *plan.Scenario) { s.PreAllocatedVUs = 10_001 }), "preAllocatedVUs"},
		{"too many", edit(arrivals(), func(s *plan.Scenario) { s.MaxVUs = 10_001 }), "maxVUs"},
		{"a rate too short", edit(arrivals(), func(s *plan.Scenario) { s.Duration = time.Second - 1 }), "duration"},
		{"a rate with VUs", edit(arrivals(), func(s *plan.Scenario) { s.VUs = 1 }), "vus"},
		{"a constant rate with a start rate", edit(arrivals(), func(s *plan.Scenario) { s.StartRate = 1 }), "startRate"},

		{"a ramping rate", plan.Scenario{Executor: plan.RampingArrivalRate, PreAllocatedVUs: 1, Stages: stages(second)}, ""},
		{"a ramping rate of nothing", plan.Scenario{Executor: plan.RampingArrivalRate, PreAllocatedVUs: 1, Stages: stages(plan.Stage{})}, ""},
		{"a negative start rate", plan.Scenario{Executor: plan.RampingArrivalRate, PreAllocatedVUs: 1, StartRate: -1, Stages: stages(second)}, "startRate"},
		{"a start rate too high", plan.Scenario{Executor: plan.RampingArrivalRate, PreAllocatedVUs: 1, StartRate: 1_000_001, Stages: stages(second)}, "startRate"},
		{"a target rate above the VUs there may be", plan.Scenario{Executor: plan.RampingArrivalRate, PreAllocatedVUs: 1, Stages: stages(plan.Stage{Target: 1_000_000})}, ""},
		{"a target rate too high", plan.Scenario{Executor: plan.RampingArrivalRate, PreAllocatedVUs: 1, Stages: stages(plan.Stage{Target: 1_000_001})}, "stages[0].target"},
		{"a ramping rate with a rate", plan.Scenario{Executor: plan.RampingArrivalRate, PreAllocatedVUs: 1, Rate: 1, Stages: stages(second)}, "rate"},
		{"a ramping rate with a duration", plan.Scenario{Executor: plan.RampingArrivalRate, PreAllocatedVUs: 1, Duration: time.Second, Stages: stages(second)}, "duration"},

		{"tags", plan.Scenario{Tags: map[string]string{"team": "é", "empty": ""}}, ""},
		{"a tag without a name", plan.Scenario{Tags: map[string]string{"": "x"}}, "tags"},
		{"a tag with a new line in its name", plan.Scenario{Tags: map[string]string{"a\n": "x"}}, "tags"},
		{"a tag of odd bytes", plan.Scenario{Tags: map[string]string{"a": "\xff"}}, "tags"},
		{"a tag with NUL", plan.Scenario{Tags: map[string]string{"a": "x\x00y"}}, "tags"},
		{"a tag too long", plan.Scenario{Tags: map[string]string{"a": strings.Repeat("x", 1025)}}, "tags"},
		{"too many tags", plan.Scenario{Tags: manyTags(65)}, "tags"},
		{"a function without a script", plan.Scenario{Exec: "f"}, "exec"},
		{"an environment without a script", plan.Scenario{Env: map[string]string{"A": "b"}}, "env"},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.s.Request.URL = "http://h/"
			p := plan.Plan{Scenarios: []plan.Scenario{c.s}}
			if c.field == "" {
				checkFaults(t, p)
			} else {
				checkFaults(t, p, "scenarios[0]."+c.field)
			}
		})
	}
}

func edit(s plan.Scenario, f func(*plan.Scenario)) plan.Scenario {
	f(&s)
	return s
}

func manyTags(n int) map[string]string {
	tags := map[string]string{}
	for i := range n {
		tags[strings.Repeat("t", i+1)] = ""
	}
	return tags
}

// A script says what exec and env mean, so with one they are taken.
func TestScriptsHaveExecAndEnv(t *testing.T) {
	p := shortest()
	p.Script = "export function f() {}"
	p.Scenarios[0].Exec, p.Scenarios[0].Env = "f", map[string]string{"A": "b"}
	checkFaults(t, p)
	p.Scenarios[0].Exec, p.Scenarios[0].Env = strings.Repeat("f", 129), map[string]string{"": "b"}
	checkFaults(t, p, "scenarios[0].env", "scenarios[0].exec")
}

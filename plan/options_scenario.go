package plan

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

func indexed(path string, i int) string { return fmt.Sprintf("%s[%d]", path, i) }

// scenarios reads {"name": {"executor": ..., ...}}.
func (o *Options) scenarios(r *optionsReader, value json.RawMessage, script bool) {
	all, ok := r.members("scenarios", value)
	if !ok {
		return
	}
	if len(all) < 1 || len(all) > MaxScenarios {
		r.fault("scenarios", "must be 1 to %d, not %d", MaxScenarios, len(all))
		return
	}
	slices.SortFunc(all, func(a, b member) int { return cmp.Compare(a.name, b.name) })
	for _, m := range all {
		if !scenarioName.MatchString(m.name) || len(m.name) > 128 {
			r.fault("scenarios", "%.40q is no name: 1 to 128 of 0-9 a-z A-Z _ -", m.name)
			continue
		}
		path := "scenarios." + m.name + "."
		before := len(r.errs)
		fields, ok := r.members("scenarios."+m.name, m.value)
		if !ok {
			continue
		}
		s := r.scenario(path, fields)
		s.Name = m.name
		if len(r.errs) == before {
			s.resolved().validate(path, script, &r.errs)
		}
		o.Scenarios = append(o.Scenarios, s)
	}
}

// required are the fields that k6 has no default for.
func required(executor string) []string {
	switch executor {
	case ConstantVUs:
		return []string{"duration"}
	case RampingVUs:
		return []string{"stages"}
	case ConstantArrivalRate:
		return []string{"rate", "duration", "preAllocatedVUs"}
	case RampingArrivalRate:
		return []string{"stages", "preAllocatedVUs"}
	}
	return nil
}

// scenario reads the fields of one, whose executor says which ones it may have.
func (r *optionsReader) scenario(path string, fields []member) Scenario {
	var s Scenario
	has := map[string]bool{}
	for _, m := range fields {
		if has[m.name] = true; m.name == "executor" {
			s.Executor = r.text(path+m.name, m.value)
		}
	}
	if !slices.Contains(executors(), s.Executor) {
		r.fault(path+"executor", "must be one of %s, not %.40q", strings.Join(executors(), ", "), s.Executor)
		return s
	}
	for _, name := range required(s.Executor) {
		if !has[name] {
			r.fault(path+name, "%s needs it", s.Executor)
		}
	}
	for _, m := range fields {
		if !checkForeign(path, m.name, s.Executor, &r.errs) {
			r.field(path, &s, m)
		}
	}
	return s
}

// field reads one field. What a Plan takes a 0 for its default of, or none, says so here.
func (r *optionsReader) field(prefix string, s *Scenario, m member) {
	path := prefix + pathName(m.name)
	switch m.name {
	case "executor": // read before
	case "startTime":
		s.StartTime = r.duration(path, m.value)
	case "gracefulStop":
		s.GracefulStop = OrNone(r.duration(path, m.value))
	case "tags":
		s.Tags = r.words(path, m.value)
	case "env":
		s.Env = r.words(path, m.value)
	case "exec":
		if s.Exec = r.text(path, m.value); s.Exec == "default" {
			s.Exec = ""
		}
	case "options":
		r.fault(path, "only k6's browser has options of a scenario")
	case "vus":
		s.VUs = r.count(path, m.value)
	case "duration":
		s.Duration = r.positive(path, m.value)
	case "iterations":
		s.Iterations = r.count(path, m.value)
	case "maxDuration":
		s.MaxDuration = r.positive(path, m.value)
	case "stages":
		s.Stages = r.stages(path, m.value)
	case "startVUs":
		s.StartVUs = OrNone(r.whole(path, m.value))
	case "gracefulRampDown":
		s.GracefulRampDown = OrNone(r.duration(path, m.value))
	case "rate":
		s.Rate = r.count(path, m.value)
	case "startRate":
		s.StartRate = r.whole(path, m.value)
	case "timeUnit":
		s.TimeUnit = r.positive(path, m.value)
	case "preAllocatedVUs":
		s.PreAllocatedVUs = OrNone(r.whole(path, m.value))
	case "maxVUs":
		s.MaxVUs = r.count(path, m.value)
	default:
		r.fault(path, "a scenario has no such field")
	}
}

// stages reads [{"duration": "30s", "target": 10}].
func (r *optionsReader) stages(path string, value json.RawMessage) []Stage {
	out := []Stage{}
	for i, one := range r.list(path, value) {
		var s Stage
		has := map[string]bool{}
		at := indexed(path, i)
		all, ok := r.members(at, one)
		if !ok {
			continue
		}
		for _, m := range all {
			switch has[m.name] = true; m.name {
			case "duration":
				s.Duration = r.duration(at+".duration", m.value)
			case "target":
				s.Target = r.whole(at+".target", m.value)
			default:
				r.fault(at+"."+pathName(m.name), "a stage has no such field")
			}
		}
		if !has["duration"] || !has["target"] {
			r.fault(at, "needs a duration and a target")
		}
		if out = append(out, s); len(out) > MaxStages {
			r.fault(path, "must be at most %d", MaxStages)
			return nil
		}
	}
	return out
}

// isShortcut tells whether an option is one of those that stand for one scenario, named default.
func isShortcut(name string) bool {
	return slices.Contains([]string{"vus", "duration", "iterations", "stages"}, name)
}

// shortcut makes the scenario that k6 takes the shortcuts for.
func (o *Options) shortcut(r *optionsReader, options []member, script bool) {
	before := len(r.errs)
	s := Scenario{Name: DefaultScenario}
	has := map[string]bool{}
	for _, m := range options {
		has[m.name] = true
		r.field("", &s, m)
	}
	paths := map[string]string{} // of fields that have another name than their shortcut
	switch {
	case has["stages"] && (has["duration"] || has["iterations"]):
		r.fault("stages", "a run is shaped by stages, by iterations or by a duration")
	case has["stages"]:
		s.Executor, s.StartVUs, s.VUs = RampingVUs, s.VUs, 0
		paths["startVUs"] = "vus"
	case has["iterations"]:
		s.Executor, s.MaxDuration, s.Duration = SharedIterations, s.Duration, 0
		paths["maxDuration"] = "duration"
	case has["duration"]:
		s.Executor = ConstantVUs
	default:
		s.Executor, s.Iterations = SharedIterations, s.VUs
	}
	if len(r.errs) > before {
		return
	}
	var errs FieldErrors
	s.resolved().validate("", script, &errs)
	for _, e := range errs {
		r.fault(cmp.Or(paths[e.Field], e.Field), "%s", e.Message)
	}
	o.Scenarios = []Scenario{s}
}

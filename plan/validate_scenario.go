package plan

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

var scenarioName = regexp.MustCompile(`^[0-9a-zA-Z_-]+$`)

func executors() []string {
	return []string{ConstantVUs, RampingVUs, ConstantArrivalRate, RampingArrivalRate, SharedIterations, PerVUIterations}
}

// validate checks a resolved scenario, but for its request.
func (s Scenario) validate(prefix string, scripted bool, errs *FieldErrors) {
	if !scenarioName.MatchString(s.Name) || len(s.Name) > 128 {
		errs.Add(prefix+"name", "must be 1 to 128 of 0-9 a-z A-Z _ -")
	}
	within(errs, prefix+"startTime", s.StartTime, 0, MaxDuration)
	if s.GracefulStop > MaxDuration {
		errs.Add(prefix+"gracefulStop", "must be at most %v, not %v", MaxDuration, s.GracefulStop)
	}
	within(errs, prefix+"pause", s.Pause, 0, MaxPause)
	if slices.Contains(executors(), s.Executor) {
		s.validateForeign(prefix, errs)
		s.validateExecutor(prefix, errs)
	} else {
		errs.Add(prefix+"executor", "unknown executor %.40q; known: %s", s.Executor, strings.Join(executors(), ", "))
	}
	validateWords(prefix+"tags", s.Tags, errs)
	switch {
	case scripted:
		validateWords(prefix+"env", s.Env, errs)
		if len(s.Exec) > 128 {
			errs.Add(prefix+"exec", "at most 128 bytes, not %d", len(s.Exec))
		}
	case s.Exec != "":
		errs.Add(prefix+"exec", "needs a script: without one an iteration is the request")
	case len(s.Env) > 0:
		errs.Add(prefix+"env", "needs a script: without one nothing reads it")
	}
}

// executorsWith are the executors that have a field.
func executorsWith(field string) []string {
	switch field {
	case "vus":
		return []string{ConstantVUs, SharedIterations, PerVUIterations}
	case "duration":
		return []string{ConstantVUs, ConstantArrivalRate}
	case "iterations", "maxDuration":
		return []string{SharedIterations, PerVUIterations}
	case "stages":
		return []string{RampingVUs, RampingArrivalRate}
	case "startVUs", "gracefulRampDown":
		return []string{RampingVUs}
	case "rate":
		return []string{ConstantArrivalRate}
	case "startRate":
		return []string{RampingArrivalRate}
	case "timeUnit", "preAllocatedVUs", "maxVUs":
		return []string{ConstantArrivalRate, RampingArrivalRate}
	}
	return executors()
}

// validateForeign finds the fields that another executor has.
func (s Scenario) validateForeign(prefix string, errs *FieldErrors) {
	for _, f := range []struct {
		name string
		set  bool
	}{
		{"vus", s.VUs != 0}, {"duration", s.Duration != 0}, {"iterations", s.Iterations != 0}, {"maxDuration", s.MaxDuration != 0},
		{"stages", len(s.Stages) > 0}, {"startVUs", s.StartVUs != 0}, {"gracefulRampDown", s.GracefulRampDown != 0}, {"rate", s.Rate != 0},
		{"startRate", s.StartRate != 0}, {"timeUnit", s.TimeUnit != 0}, {"preAllocatedVUs", s.PreAllocatedVUs != 0}, {"maxVUs", s.MaxVUs != 0},
	} {
		if f.set {
			checkForeign(prefix, f.name, s.Executor, errs)
		}
	}
}

func checkForeign(prefix, field, executor string, errs *FieldErrors) bool {
	of := executorsWith(field)
	if slices.Contains(of, executor) {
		return false
	}
	errs.Add(prefix+field, "%s has no such field; it is of %s", executor, strings.Join(of, ", "))
	return true
}

func (s Scenario) validateExecutor(prefix string, errs *FieldErrors) {
	switch s.Executor {
	case ConstantVUs:
		between(errs, prefix+"vus", s.VUs, 1, MaxVUs)
		within(errs, prefix+"duration", s.Duration, MinDuration, MaxDuration)
	case SharedIterations, PerVUIterations:
		between(errs, prefix+"vus", s.VUs, 1, MaxVUs)
		between(errs, prefix+"iterations", s.Iterations, 1, MaxIterations)
		if s.Executor == SharedIterations && s.Iterations < s.VUs {
			errs.Add(prefix+"iterations", "%d are too few for %d VUs: each begins one at least", s.Iterations, s.VUs)
		}
		within(errs, prefix+"maxDuration", s.MaxDuration, MinDuration, MaxDuration)
	case RampingVUs:
		if s.StartVUs > MaxVUs {
			errs.Add(prefix+"startVUs", "must be at most %d, not %d", MaxVUs, s.StartVUs)
		}
		if s.validateStages(prefix, MaxVUs, errs) && s.Peak() == 0 {
			errs.Add(prefix+"stages", "startVUs or a target must be more than 0")
		}
		if s.GracefulRampDown > MaxDuration {
			errs.Add(prefix+"gracefulRampDown", "must be at most %v, not %v", MaxDuration, s.GracefulRampDown)
		}
	case ConstantArrivalRate:
		within(errs, prefix+"duration", s.Duration, MinDuration, MaxDuration)
		between(errs, prefix+"rate", s.Rate, 1, s.validateArrivals(prefix, errs))
	case RampingArrivalRate:
		most := s.validateArrivals(prefix, errs)
		between(errs, prefix+"startRate", s.StartRate, 0, most)
		s.validateStages(prefix, most, errs)
	}
}

// validateArrivals checks what the two arrival rates have in common, and gives the highest rate of the time unit.
func (s Scenario) validateArrivals(prefix string, errs *FieldErrors) int {
	within(errs, prefix+"timeUnit", s.TimeUnit, MinTimeUnit, MaxDuration)
	switch {
	case s.PreAllocatedVUs == 0:
		errs.Add(prefix+"preAllocatedVUs", "must be given")
	case s.PreAllocatedVUs > MaxVUs:
		errs.Add(prefix+"preAllocatedVUs", "must be at most %d, not %d", MaxVUs, s.PreAllocatedVUs)
	default:
		between(errs, prefix+"maxVUs", s.MaxVUs, max(s.PreAllocatedVUs, 1), MaxVUs)
	}
	unit := min(max(s.TimeUnit, MinTimeUnit), MaxDuration)
	return MaxRate * int(unit/time.Microsecond) / int(time.Second/time.Microsecond)
}

// validateStages checks the stages and tells whether they are in order.
func (s Scenario) validateStages(prefix string, most int, errs *FieldErrors) bool {
	before := len(*errs)
	if len(s.Stages) < 1 || len(s.Stages) > MaxStages {
		errs.Add(prefix+"stages", "must be 1 to %d, not %d", MaxStages, len(s.Stages))
		return false
	}
	var sum time.Duration
	for i, stage := range s.Stages {
		field := fmt.Sprintf("%sstages[%d].", prefix, i)
		between(errs, field+"target", stage.Target, 0, most)
		within(errs, field+"duration", stage.Duration, 0, MaxDuration)
		sum += min(max(stage.Duration, 0), MaxDuration)
	}
	if len(*errs) == before && sum > MaxDuration {
		errs.Add(prefix+"stages", "must be at most %v in all, not %v", MaxDuration, sum)
	}
	return len(*errs) == before
}

// validateWords checks names with values: tags, an environment.
func validateWords(field string, words map[string]string, errs *FieldErrors) {
	if len(words) > MaxTags {
		errs.Add(field, "at most %d, not %d", MaxTags, len(words))
		return
	}
	for _, name := range slices.Sorted(maps.Keys(words)) {
		value := words[name]
		switch {
		case name == "" || len(name) > MaxTag || !utf8.ValidString(name) || strings.ContainsFunc(name, isControl):
			errs.Add(field, "%.60q is no name: 1 to %d bytes of UTF-8 without control characters", name, MaxTag)
		case len(value) > MaxTag || !utf8.ValidString(value) || strings.ContainsRune(value, 0):
			errs.Add(field, "the value of %s must be at most %d bytes of UTF-8 without NUL", name, MaxTag)
		}
	}
}

func isControl(c rune) bool { return c < ' ' || c == 0x7f }

func between(errs *FieldErrors, field string, n, least, most int) {
	if n < least || n > most {
		errs.Add(field, "must be %d to %d, not %d", least, most, n)
	}
}

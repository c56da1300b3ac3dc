package oneshot

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/nollagluiz/broadside/plan"
)

// shapes are the options that say how long a run goes on. As in k6, whoever sets one of them, the command line say, sets
// all: what the environment and the configuration file have of them then does not count.
func shapes() []string { return []string{"duration", "iterations", "stage", "rate"} }

// shaped tells whether one of the shapes was set.
func shaped(f *pflag.FlagSet) bool {
	for _, flag := range shapes() {
		if f.Changed(flag) {
			return true
		}
	}
	return false
}

// checkShapes refuses what k6 refuses.
func checkShapes(f *pflag.FlagSet) error {
	for _, other := range []string{"iterations", "duration"} {
		if f.Changed("stage") && f.Changed(other) {
			return invalid("--stage and --%s: a run is shaped by one of them", other)
		}
	}
	if f.Changed("rate") && f.Changed("iterations") {
		return invalid("--rate and --iterations: a run is shaped by one of them")
	}
	return nil
}

// rate is a flag of iterations that begin in a time, "100", "100/s" or "6000/1m". n is -1 if it was not given.
type rate struct {
	n    int
	unit time.Duration
}

func (v *rate) String() string { return "" }
func (*rate) Type() string     { return "n/time" }
func (v *rate) Set(text string) error {
	count, unit, timed := strings.Cut(text, "/")
	n, err := strconv.Atoi(count)
	if err != nil || n < 0 {
		return fmt.Errorf("%.40q is no rate, as in 100, 100/s or 6000/1m", text)
	}
	*v = rate{n, time.Second}
	if !timed {
		return nil
	}
	if unit != "" && strings.Trim(unit, "0123456789") == unit { // "s" is 1s
		unit = "1" + unit
	}
	v.unit, err = parseDuration(unit)
	if err != nil || v.unit == 0 {
		return fmt.Errorf("%.40q is no rate, as in 100, 100/s or 6000/1m", text)
	}
	return nil
}

// stages is a flag in k6's form, "30s:10", which may be given again; a list with commas, as its variable has it, is
// the same.
type stages []plan.Stage

func (v *stages) String() string { return "" }
func (*stages) Type() string     { return "duration:vus" }
func (v *stages) Set(text string) error {
	for one := range strings.SplitSeq(text, ",") {
		duration, target, ok := strings.Cut(one, ":")
		vus, err := strconv.Atoi(target)
		if !ok || err != nil {
			return fmt.Errorf("%.40q is no duration:vus, as in 30s:10", one)
		}
		d, err := parseDuration(duration)
		if err != nil {
			return err
		}
		*v = append(*v, plan.Stage{Duration: d, Target: vus})
	}
	return nil
}

// configStages reads stages as k6's JSON has them.
func configStages(f *pflag.FlagSet, raw json.RawMessage) error {
	var list []struct {
		Duration json.RawMessage
		Target   *int
	}
	if err := json.Unmarshal(raw, &list); err != nil {
		return errors.New(`must be a list of {"duration": "30s", "target": 10}`)
	}
	for _, s := range list {
		if s.Duration == nil || s.Target == nil {
			return errors.New("each stage needs a duration and a target")
		}
		duration := strings.Trim(string(s.Duration), `"`)
		if err := f.Set("stage", fmt.Sprintf("%s:%d", duration, *s.Target)); err != nil {
			return errors.Unwrap(err)
		}
	}
	return nil
}

// thresholds is a flag "metric: expression", which may be given again.
type thresholds []plan.Threshold

func (v *thresholds) String() string { return "" }
func (*thresholds) Type() string     { return "metric:limit" }
func (v *thresholds) Set(text string) error {
	at := strings.LastIndex(text, ":") // a selector before it may hold others
	if at < 0 {
		return fmt.Errorf("%.60q is no metric:limit, as in http_req_duration:p(95)<500", text)
	}
	*v = append(*v, plan.Threshold{Metric: strings.TrimSpace(text[:at]), Expression: strings.TrimSpace(text[at+1:])})
	return nil
}

// shape gives a scenario the executor that k6 takes for its options of the same names. k6's one iteration without any of
// them would measure nothing: here it is the default duration.
func (o options) shape(s *plan.Scenario) {
	switch {
	case o.rate.n >= 0:
		// VUs that nobody needs cost nothing, and too few would hold the rate down.
		s.TimeUnit, s.PreAllocatedVUs = o.rate.unit, plan.MaxVUs
		if o.vusGiven {
			s.PreAllocatedVUs = o.vus
		}
		if len(o.stages) > 0 {
			s.Executor, s.StartRate, s.Stages = plan.RampingArrivalRate, o.rate.n, o.stages
		} else {
			s.Executor, s.Rate, s.Duration = plan.ConstantArrivalRate, o.rate.n, o.duration
		}
	case len(o.stages) > 0:
		s.Executor, s.StartVUs, s.Stages = plan.RampingVUs, plan.OrNone(o.vus), o.stages
	case o.iterations > 0:
		s.Executor, s.VUs, s.Iterations = plan.SharedIterations, o.vus, o.iterations
		if o.limited {
			s.MaxDuration = o.duration
		}
	default:
		s.Executor, s.VUs, s.Duration = plan.ConstantVUs, o.vus, o.duration
	}
}

// length is how long a plan's iterations may begin.
func length(p plan.Plan) (longest time.Duration) {
	for _, s := range p.Resolved().Scenarios {
		longest = max(longest, s.StartTime+s.Length())
	}
	return longest
}

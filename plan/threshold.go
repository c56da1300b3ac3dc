package plan

import "time"

// MaxThresholds bounds the thresholds of a plan.
const MaxThresholds = 100

// Threshold is a limit that a run has to hold, in k6's words (k6 v2.2, "Thresholds").
type Threshold struct {
	Metric         string        // a metric's name, with a selector or without: "http_req_duration{status:200}"
	Expression     string        // "p(95)<500"; durations in ms
	AbortOnFail    bool          // cut the run when it is crossed
	DelayAbortEval time.Duration // not before this long after the start of the run
}

func (p Plan) validateThresholds(errs *FieldErrors) {
	if len(p.Thresholds) > MaxThresholds {
		errs.Add("thresholds", "at most %d, not %d", MaxThresholds, len(p.Thresholds))
	}
}

package engine

import (
	"errors"
	"time"

	"github.com/nollagluiz/broadside/plan"
	"github.com/nollagluiz/broadside/summary"
)

// evaluation is how often the thresholds of a run under way are evaluated, k6's.
const evaluation = 2 * time.Second

// errCrossed is the cause of a run that a threshold cut.
var errCrossed = errors.New("a threshold was crossed")

// thresholds are those of a run.
type thresholds struct {
	conditions []plan.Condition
	cut        []bool        // by condition: it cut the run
	last       time.Duration // of the evaluations
}

// newThresholds reads the thresholds of a valid plan.
func newThresholds(p plan.Plan) (*thresholds, error) {
	t := &thresholds{cut: make([]bool, len(p.Thresholds))}
	for _, threshold := range p.Thresholds {
		c, err := threshold.Parse()
		if err != nil {
			return nil, err
		}
		t.conditions = append(t.conditions, c)
	}
	return t, nil
}

// crossed tells whether a run that has measured s so far is to be cut: where an evaluation is due, a threshold that
// aborts was crossed. What has no data yet is not crossed. As in k6, no run is cut up to DelayAbortEval itself.
func (t *thresholds) crossed(elapsed time.Duration, s *summary.Summary) bool {
	at := elapsed.Truncate(evaluation)
	if at <= t.last {
		return false
	}
	t.last = at
	any := false
	for i, c := range t.conditions {
		if !c.AbortOnFail || at <= c.DelayAbortEval {
			continue
		}
		r := s.Evaluate(t.conditions[i : i+1])[0]
		t.cut[i] = r.Value != nil && !r.OK
		any = any || t.cut[i]
	}
	return any
}

// results are those of the whole run; cut says whether it was cut indeed.
func (t *thresholds) results(s *summary.Summary, cut bool) []summary.ThresholdResult {
	if len(t.conditions) == 0 {
		return nil
	}
	results := s.Evaluate(t.conditions)
	for i := range results {
		results[i].Cut = cut && t.cut[i]
		results[i].OK = results[i].OK && !results[i].Cut
	}
	return results
}

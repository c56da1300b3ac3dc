package summary

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/nollagluiz/broadside/plan"
)

// ThresholdResult is a threshold of a run with what became of it.
type ThresholdResult struct {
	plan.Threshold
	OK    bool     // it held
	Value *float64 // what its aggregation gave, ms of a trend; nil where nothing was sampled
	Cut   bool     // it was crossed while the run went on, which cut the run: then it did not hold, whatever came after
}

// Evaluate gives the results of conditions over what s holds under the names of their metrics, submetrics included, in
// its Duration. What was not sampled is judged as k6 judges it at the end of a run: a rate holds, all else is 0.
//
// It is pure, and serves a run under way as well: there k6 passes over what has no Value yet.
func (s *Summary) Evaluate(conditions []plan.Condition) []ThresholdResult {
	results := make([]ThresholdResult, len(conditions))
	for i, c := range conditions {
		r := ThresholdResult{Threshold: c.Threshold}
		if v, ok := s.aggregate(c); ok {
			r.Value, r.OK = &v, c.Holds(v)
		} else {
			r.OK = c.Of.Type == plan.Rate || c.Holds(0)
		}
		results[i] = r
	}
	return results
}

// aggregate computes a condition's aggregation; ok is false without a sample.
func (s *Summary) aggregate(c plan.Condition) (v float64, ok bool) {
	switch c.Of.Type {
	case plan.Counter:
		n := s.Counters[c.Metric]
		if v = float64(n); c.Aggregation == "rate" {
			v = perSecond(n, s.Duration)
		}
		return v, n > 0 || c.Of.Name == DataSent || c.Of.Name == DataReceived // of which k6 has samples of 0
	case plan.Gauge:
		g := s.Gauges[c.Metric]
		return g.Value, g.N > 0
	case plan.Rate:
		return s.Rates[c.Metric].Value()
	}
	t := s.Trends[c.Metric]
	if t == nil || t.Count() == 0 {
		return 0, false
	}
	if c.Aggregation == "p(N)" {
		v = t.Quantile(c.Percentile / 100)
	} else {
		v = trendStat(t, c.Aggregation)
	}
	return v / float64(time.Millisecond), true
}

// mergeThresholds joins the lists and evaluates them over what is merged already. A run that one of them cut stays cut.
func (s *Summary) mergeThresholds(from []ThresholdResult) {
	merged := slices.Clone(s.Thresholds)
	for _, r := range from {
		i := slices.IndexFunc(merged, func(o ThresholdResult) bool { return o.Threshold == r.Threshold })
		if i < 0 {
			merged = append(merged, r)
			continue
		}
		merged[i].Cut = merged[i].Cut || r.Cut
	}
	for i, r := range merged {
		if c, err := r.Parse(); err == nil { // as it was when it came from a valid plan
			merged[i] = s.Evaluate([]plan.Condition{c})[0]
			merged[i].Cut = r.Cut
			merged[i].OK = merged[i].OK && !r.Cut
		}
	}
	s.Thresholds = merged
}

// crossed lists the thresholds that did not hold, as "metric: expression (value)".
func (s *Summary) crossed() []string {
	var out []string
	for _, r := range s.Thresholds {
		if r.OK {
			continue
		}
		cut := ""
		if r.Cut {
			cut = fmt.Sprintf(", cut the run after %v", s.Duration.Round(time.Millisecond))
		}
		out = append(out, fmt.Sprintf("%.80s: %.80s (%s%s)", r.Metric, r.Expression, r.value(), cut))
	}
	return out
}

// value writes a result's value with its unit.
func (r ThresholdResult) value() string {
	if r.Value == nil {
		return "no data"
	}
	m, _ := plan.MetricOf(r.Metric)
	text := fmt.Sprintf("%.6g", *r.Value)
	switch {
	case m.Type == plan.Trend:
		return text + " ms"
	case m.Type == plan.Counter && strings.HasPrefix(strings.TrimSpace(r.Expression), "rate"):
		return text + "/s"
	}
	return text
}

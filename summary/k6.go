package summary

import (
	"maps"
	"slices"
	"time"

	"github.com/nollagluiz/broadside/plan"
)

// K6Shape is one of the three JSON shapes in which k6 (v2.2) tells what a run measured.
type K6Shape string

// The shapes.
const (
	K6Flat          K6Shape = "flat"             // --summary-export, since v0.26: no duration, no types
	K6HandleSummary K6Shape = "handleSummary"    // the object that a script's handleSummary gets, since v0.30
	K6Machine       K6Shape = "machine-readable" // --new-machine-readable-summary, since v1.5: never p(99), thresholds or groups
)

// K6 is a summary in k6's terms, whatever the shape that it came in. Read one with [ReadK6]; make one of a run of ours
// with [Summary.K6]. It holds statistics that are computed already, so it can't be merged with another.
type K6 struct {
	Shape     K6Shape             // "" for a run of ours
	Version   string              // of k6, which only the machine-readable shape tells
	Duration  time.Duration       // 0: the shape doesn't tell, and nothing was counted that could
	Estimated bool                // Duration is a count divided by its rate
	Metrics   map[string]K6Metric // by name; a submetric's is "parent{tag:value}", as its threshold wrote it
	Root      K6Group             // the machine-readable shape tells its checks only, in no group
	// TrendStats are what was asked for of the trends of a run of ours. Of another run it is nil, whatever is there.
	TrendStats []string
}

// The types of a K6Metric, each with the values that it has.
const (
	K6Counter = "counter" // count, rate per second of the run
	K6Gauge   = "gauge"   // value, min, max
	K6Rate    = "rate"    // rate 0..1, passes, fails: of http_req_failed, passes are the requests that failed
	K6Trend   = "trend"   // what was asked for of avg, min, med, max, count, p(N); ms where Contains is time
)

// K6Metric is one metric under the names of values that handleSummary gives, in whatever shape it came.
type K6Metric struct {
	Type       string             // K6Counter, ...
	Contains   string             // default, time or data; "" in the flat shape, which doesn't tell
	Values     map[string]float64 // finite
	Thresholds map[string]bool    // by expression: true is held. (The flat shape writes true for crossed.)
}

// Count is a counter's count; 0 if the metric is absent, as k6 leaves out what wasn't counted.
func (k *K6) Count(name string) int64 { return int64(k.Metrics[name].Values["count"]) }

// ThresholdResults lists the thresholds, sorted by metric and expression. Their values are nil: k6 doesn't tell at what
// they were crossed.
func (k *K6) ThresholdResults() []ThresholdResult {
	var out []ThresholdResult
	for _, name := range slices.Sorted(maps.Keys(k.Metrics)) {
		thresholds := k.Metrics[name].Thresholds
		for _, expression := range slices.Sorted(maps.Keys(thresholds)) {
			out = append(out, ThresholdResult{Threshold: plan.Threshold{Metric: name, Expression: expression}, OK: thresholds[expression]})
		}
	}
	return out
}

// Crossed lists the thresholds that were crossed as "metric: expression", in that order. The machine-readable shape has
// none: there exit code 99 tells.
func (k *K6) Crossed() []string {
	var out []string
	for _, r := range k.ThresholdResults() {
		if !r.OK {
			out = append(out, r.Metric+": "+r.Expression)
		}
	}
	return out
}

// Fields gives the eight fields, nil where k6 has nothing: p(99) that wasn't asked for is not made of another value, a
// run without requests has neither latency nor error rate, and one whose requests all failed at 0 ms (refused, no such
// host), which k6 counts as latency, has none. Where only some failed so, k6's latency is lowered by their zeros.
func (k *K6) Fields() Fields {
	f := Fields{
		DataReceivedBytes: k.Count(DataReceived),
		Iterations:        k.Count(Iterations),
		Requests:          k.Count(HTTPReqs),
		RPS:               k.Metrics[HTTPReqs].Values["rate"],
	}
	failed := k.Metrics[HTTPReqFailed].Values
	f.Failures = int64(failed["passes"])
	if failed["passes"]+failed["fails"] > 0 {
		rate := failed["rate"]
		f.ErrorRate = &rate
	}
	if k.hasLatency() {
		stat := func(name string) *float64 {
			if v, ok := k.Metrics[HTTPReqDuration].Values[name]; ok && v >= 0 { // a clock that was set back is no latency
				return &v
			}
			return nil
		}
		f.P50, f.P95, f.P99, f.Avg = stat("med"), stat("p(95)"), stat("p(99)"), stat("avg")
		f.Min, f.Max = stat("min"), stat("max")
	}
	return f
}

// hasLatency tells whether http_req_duration speaks of a response. A threshold that names it puts zeros there without a
// single request.
func (k *K6) hasLatency() bool {
	if k.Count(HTTPReqs) == 0 {
		return false
	}
	failed := k.Metrics[HTTPReqFailed].Values
	allFailed := failed["passes"] > 0 && failed["fails"] == 0
	for name, v := range k.Metrics[HTTPReqDuration].Values {
		if name != "count" && (v > 0 || !allFailed) {
			return true
		}
	}
	return false
}

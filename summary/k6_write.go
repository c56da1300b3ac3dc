package summary

import (
	"bytes"
	"cmp"
	"encoding/json"
	"math"
	"time"

	"github.com/nollagluiz/broadside/plan"
)

// K6 gives the summary in k6's terms: its names, its units (trends in ms), and its rule of what is there: data_sent and
// data_received always, everything else only if it was sampled. So a run without requests has no http_* metric. Our own
// counters come under their own names. A metric that a threshold names is there, with its parent, whether or not it was
// sampled: then its values are 0. Checks and groups are none.
//
// Of trends there is what trendStats names, as ParseTrendStats gives it; DefaultTrendStats if nothing is named.
//
// Two things differ from what k6 would write of the same run: p(99) and count are there unasked; and a target that never
// answered has no latency, where k6 has zeros.
func (s *Summary) K6(trendStats ...string) *K6 {
	if len(trendStats) == 0 {
		trendStats = DefaultTrendStats()
	}
	k := &K6{Duration: max(s.Duration, 0), Metrics: map[string]K6Metric{}, Root: K6Group{ID: rootID}, TrendStats: trendStats}
	add := func(name, kind, contains string, values map[string]float64) {
		for _, v := range values {
			if math.IsNaN(v) || math.IsInf(v, 0) {
				return // JSON can't say it
			}
		}
		k.Metrics[name] = K6Metric{Type: kind, Contains: contains, Values: values}
	}
	counter := func(name, contains string, n int64) {
		add(name, K6Counter, contains, map[string]float64{"count": float64(n), "rate": perSecond(n, s.Duration)})
	}
	for name, n := range s.Counters {
		if n > 0 {
			counter(name, contains(name), n)
		}
	}
	counter(DataSent, "data", s.Counters[DataSent])
	counter(DataReceived, "data", s.Counters[DataReceived])
	for name, r := range s.Rates {
		if rate, ok := r.Value(); ok {
			add(name, K6Rate, "default", map[string]float64{"rate": rate, "passes": float64(r.True), "fails": float64(r.Total - r.True)})
		}
	}
	for name, g := range s.Gauges {
		if g.N > 0 {
			add(name, K6Gauge, "default", map[string]float64{"value": g.Value, "min": g.Min, "max": g.Max})
		}
	}
	for name, t := range s.Trends {
		if t == nil || t.Count() == 0 {
			continue
		}
		values := make(map[string]float64, len(trendStats))
		for _, stat := range trendStats {
			if values[stat] = trendStat(t, stat); stat != "count" {
				values[stat] /= float64(time.Millisecond)
			}
		}
		add(name, K6Trend, "time", values)
	}
	for _, r := range s.Thresholds {
		k.addThreshold(r)
	}
	return k
}

// contains tells what a counter's samples are, in k6's words.
func contains(name string) string {
	if m, _ := plan.MetricOf(name); m.Name == DataSent || m.Name == DataReceived {
		return "data"
	}
	return "default"
}

// addThreshold puts a threshold under its metric. Of two with one expression, which differ in what else they say, the
// crossed one is shown.
func (k *K6) addThreshold(r ThresholdResult) {
	parent, known := plan.MetricOf(r.Metric)
	for _, name := range []string{parent.Name, r.Metric} {
		if _, sampled := k.Metrics[name]; !sampled && known {
			k.Metrics[name] = emptyMetric(parent, k.TrendStats)
		}
	}
	m, ok := k.Metrics[r.Metric]
	if !ok {
		return
	}
	if m.Thresholds == nil {
		m.Thresholds = map[string]bool{}
	}
	held, twice := m.Thresholds[r.Expression]
	m.Thresholds[r.Expression] = r.OK && (held || !twice)
	k.Metrics[r.Metric] = m
}

// emptyMetric is what k6 gives of a metric without a sample.
func emptyMetric(of plan.Metric, trendStats []string) K6Metric {
	m := K6Metric{Type: string(of.Type), Contains: contains(of.Name)}
	stats := map[plan.MetricType][]string{
		plan.Counter: {"count", "rate"}, plan.Gauge: {"value", "min", "max"}, plan.Rate: {"rate", "passes", "fails"}, plan.Trend: trendStats,
	}[of.Type]
	if of.Type == plan.Trend {
		m.Contains = "time"
	}
	m.Values = make(map[string]float64, len(stats))
	for _, stat := range stats {
		m.Values[stat] = 0
	}
	return m
}

// perSecond is a rate over a run; 0 for a run that took no time.
func perSecond(n int64, d time.Duration) float64 {
	if d <= 0 {
		return 0
	}
	return float64(n) / d.Seconds()
}

// Flat writes the shape of k6's --summary-export, keys in a fixed order. It fails only for values that are not finite.
func (k *K6) Flat() ([]byte, error) {
	metrics := make(map[string]map[string]any, len(k.Metrics))
	for name, m := range k.Metrics {
		out := make(map[string]any, len(m.Values)+1)
		for stat, v := range m.Values {
			if m.Type == K6Rate && stat == "rate" {
				stat = "value"
			}
			out[stat] = v
		}
		if len(m.Thresholds) > 0 {
			crossed := make(map[string]bool, len(m.Thresholds))
			for expression, held := range m.Thresholds {
				crossed[expression] = !held
			}
			out["thresholds"] = crossed
		}
		metrics[name] = out
	}
	return indented(map[string]any{"metrics": metrics, "root_group": k.Root.flat()})
}

// HandleSummary writes the shape of the object that k6 hands to handleSummary, keys in a fixed order. It fails only for
// values that are not finite.
func (k *K6) HandleSummary() ([]byte, error) {
	type threshold struct {
		OK bool `json:"ok"`
	}
	type metric struct {
		Type       string               `json:"type"`
		Contains   string               `json:"contains"`
		Values     map[string]float64   `json:"values"`
		Thresholds map[string]threshold `json:"thresholds,omitempty"`
	}
	metrics := make(map[string]metric, len(k.Metrics))
	for name, m := range k.Metrics {
		out := metric{Type: m.Type, Contains: cmp.Or(m.Contains, "default"), Values: m.Values, Thresholds: map[string]threshold{}}
		for expression, held := range m.Thresholds {
			out.Thresholds[expression] = threshold{held}
		}
		metrics[name] = out
	}
	trendStats := k.TrendStats
	if trendStats == nil {
		trendStats = DefaultTrendStats()
	}
	return indented(map[string]any{
		"root_group": k.Root.listed(),
		"options":    map[string]any{"summaryTrendStats": trendStats, "summaryTimeUnit": "", "noColor": true},
		"state": map[string]any{
			"isStdOutTTY": false, "isStdErrTTY": false,
			"testRunDurationMs": float64(k.Duration) / float64(time.Millisecond),
		},
		"metrics": metrics,
	})
}

func indented(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false) // thresholds are written with < and >
	e.SetIndent("", "    ")
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

package plan

import (
	"slices"
	"strings"
)

// MetricType says what a metric's samples add up to, in k6's words.
type MetricType string

// The types.
const (
	Counter MetricType = "counter" // a sum
	Gauge   MetricType = "gauge"   // the last value
	Rate    MetricType = "rate"    // the share of yes among yes and no
	Trend   MetricType = "trend"   // a distribution of durations
)

// aggregations are what a threshold may ask of a metric of the type.
func (t MetricType) aggregations() []string {
	switch t {
	case Counter:
		return []string{"count", "rate"}
	case Gauge:
		return []string{"value"}
	case Rate:
		return []string{"rate"}
	}
	return []string{"avg", "min", "max", "med", "p(N)"}
}

// Metric is one that the engine measures. What each means is in package summary, which has its name as a constant.
type Metric struct {
	Name string
	Type MetricType
	// PerRequest: its samples are requests, and so carry what is known of a request. Those of others belong to a
	// scenario as a whole.
	PerRequest bool
}

// Metrics are those that a threshold may name, sorted.
func Metrics() []Metric {
	return []Metric{
		{"data_received", Counter, false},
		{"data_sent", Counter, false},
		{"dropped_iterations", Counter, false},
		{"http_req_anomalies", Counter, false},
		{"http_req_blocked", Trend, true},
		{"http_req_connecting", Trend, true},
		{"http_req_corrected_duration", Trend, true},
		{"http_req_duration", Trend, true},
		{"http_req_failed", Rate, true},
		{"http_req_receiving", Trend, true},
		{"http_req_retries", Counter, false},
		{"http_req_sending", Trend, true},
		{"http_req_tls_handshaking", Trend, true},
		{"http_req_waiting", Trend, true},
		{"http_reqs", Counter, true},
		{"iteration_duration", Trend, false},
		{"iterations", Counter, false},
		{"iterations_interrupted", Counter, false},
		{"vus", Gauge, false},
		{"vus_max", Gauge, false},
	}
}

// MetricOf gives the metric of a name as a threshold writes it, the parent's for a submetric: "http_reqs{status:200}" is
// of http_reqs.
func MetricOf(name string) (m Metric, ok bool) {
	name, _, _ = strings.Cut(name, "{")
	return metricNamed(name)
}

func metricNamed(name string) (Metric, bool) {
	metrics := Metrics()
	i := slices.IndexFunc(metrics, func(m Metric) bool { return m.Name == name })
	if i < 0 {
		return Metric{}, false
	}
	return metrics[i], true
}

// nearest gives of known, which is not empty, the name that takes the fewest insertions, deletions and replacements of a
// byte to become name, the first of several.
func nearest(name string, known []string) string {
	return slices.MinFunc(known, func(a, b string) int { return distance(name, a) - distance(name, b) })
}

// distance is Levenshtein's.
func distance(a, b string) int {
	row := make([]int, len(b)+1) // of the distances from a's first bytes to b's first bytes
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost = 1 + min(diagonal, row[j], row[j+1])
			}
			diagonal, row[j+1] = row[j+1], cost
		}
	}
	return row[len(b)]
}

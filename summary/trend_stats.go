package summary

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/nollagluiz/broadside/summary/hist"
)

// maxTrendStats bounds what ParseTrendStats takes: far more than a line of a report shows.
const maxTrendStats = 32

// DefaultTrendStats are what k6's JSON tells of a trend if nothing else is asked for: k6's default ones, and p(99) and
// the count, which k6 gives when asked to.
func DefaultTrendStats() []string { return append(reportedStats(), "count") }

// reportedStats are those of a report.
func reportedStats() []string {
	return []string{"avg", "min", "med", "max", "p(90)", "p(95)", "p(99)"}
}

// ParseTrendStats reads a list as k6's --summary-trend-stats has it (v2.2): avg, min, med, max, count and p(N), N from 0
// to 100, with commas and nothing else between them.
func ParseTrendStats(text string) ([]string, error) {
	stats := strings.SplitN(text, ",", maxTrendStats+1)
	if len(stats) > maxTrendStats {
		return nil, fmt.Errorf("at most %d", maxTrendStats)
	}
	for _, name := range stats {
		if !isTrendStat(name) {
			return nil, fmt.Errorf("%.40q is none of avg, min, med, max, count and p(N), N from 0 to 100", name)
		}
	}
	return stats, nil
}

// isTrendStat tells whether k6 accepts a name in summaryTrendStats: avg, min, med, max, count or p(N), 0 <= N <= 100.
func isTrendStat(name string) bool {
	switch name {
	case "avg", "min", "med", "max", "count":
		return true
	}
	_, ok := percentile(name)
	return ok
}

// percentile is the N of p(N).
func percentile(name string) (n float64, ok bool) {
	text, opened := strings.CutPrefix(name, "p(")
	text, closed := strings.CutSuffix(text, ")")
	n, err := strconv.ParseFloat(text, 64)
	return n, opened && closed && err == nil && n >= 0 && n <= 100
}

// trendStat computes one that isTrendStat knows, in nanoseconds but for the count.
func trendStat(t *hist.Histogram, name string) float64 {
	switch name {
	case "avg":
		return t.Mean()
	case "min":
		return float64(t.Min())
	case "med":
		return t.Quantile(0.5)
	case "max":
		return float64(t.Max())
	case "count":
		return float64(t.Count())
	}
	n, _ := percentile(name)
	return t.Quantile(n / 100)
}

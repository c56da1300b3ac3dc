package pages

import (
	"math"

	"github.com/nollagluiz/broadside/fleet"
)

// sparkline is the p95 of a target's last runs, the oldest first, in a picture of 96 x 24 pixels.
type sparkline struct {
	Label     string
	Stretches []string
}

// sparkline draws runs, which come newest first; a run without data is a gap. The axis starts at 0, so that noise
// doesn't look like a cliff.
func (l *locale) sparkline(runs []fleet.Run) sparkline {
	values := make([]float64, len(runs))
	least, most, n := math.Inf(1), 0.0, 0
	for i, r := range runs {
		v := math.NaN()
		if r.Metrics != nil && r.Metrics.P95 != nil {
			v = *r.Metrics.P95
			least, most, n = min(least, v), max(most, v), n+1
		}
		values[len(runs)-1-i] = v
	}
	if n == 0 {
		return sparkline{Label: l.text("no.data")}
	}
	axis := valueAxis{top: max(most, 1e-6) * 1.1}
	return sparkline{
		Label:     l.count("spark.label", n, "min", l.shortLatency(least), "max", l.shortLatency(most)),
		Stretches: newLine("p95", "p95", values, axis, false).Stretches,
	}
}

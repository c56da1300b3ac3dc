package pages

import (
	"math"
	"strconv"
	"strings"

	"github.com/nollagluiz/broadside/fleet"
	"github.com/nollagluiz/broadside/plan"
)

// thresholdRow is a limit with what became of it.
type thresholdRow struct {
	Pill               pill
	Metric, Expression string
	Value              string // that decided, with its unit; "" where there is none
}

func (l *locale) thresholds(results []fleet.ThresholdResult) []thresholdRow {
	rows := make([]thresholdRow, len(results))
	for i, r := range results {
		rows[i] = thresholdRow{Metric: r.Metric, Expression: r.Expression, Pill: pill{"bad", "✕", l.text("threshold.crossed")}}
		if r.OK {
			rows[i].Pill = pill{"ok", "✓", l.text("threshold.held")}
		}
		if r.Value != nil {
			rows[i].Value = l.thresholdValue(r)
		}
	}
	return rows
}

// thresholdValue writes a value in the unit of its limit: ms of a trend, a second of a counter's rate.
func (l *locale) thresholdValue(r fleet.ThresholdResult) string {
	m, _ := plan.MetricOf(r.Metric)
	switch {
	case m.Type == plan.Trend:
		return l.significant(*r.Value) + gap + "ms"
	case m.Type == plan.Counter && strings.HasPrefix(strings.TrimSpace(r.Expression), "rate"):
		return l.significant(*r.Value) + gap + "/" + gap + "s"
	}
	return l.significant(*r.Value)
}

// significant writes whole digits and, of a fraction, as many as make four: a value that crossed a limit by little must
// not look like the limit, nor a small one like 0.
func (l *locale) significant(v float64) string {
	if math.Abs(v) >= 1e15 {
		return strconv.FormatFloat(v, 'g', 4, 64)
	}
	digits := 0
	if v != 0 {
		digits = max(0, 3-int(math.Floor(math.Log10(math.Abs(v)))))
	}
	plain := strconv.FormatFloat(v, 'f', digits, 64)
	if digits > 0 {
		plain = strings.TrimRight(strings.TrimRight(plain, "0"), ".")
	}
	return l.digits(plain)
}

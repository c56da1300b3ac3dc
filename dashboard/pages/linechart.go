package pages

import (
	"math"
	"strings"
	"time"

	"github.com/nollagluiz/broadside/fleet"
	"github.com/nollagluiz/broadside/summary/hist"
)

// line is one series of a chart: a polyline for each stretch without a gap.
type line struct {
	Class, Name string
	Stretches   []string // points, as SVG has them
	Area        []string // the same, closed down to the axis; nil without a filling
}

// lineChart is a chart over the time of a run, ready to draw, and the same numbers as a table.
type lineChart struct {
	Title, Label string // Label says in words what the picture shows
	valueAxis
	XTicks  []tick
	Lines   []line
	Columns []string
	Rows    [][]string
}

// newLine places one value per bucket in the middle of its span; NaN is a gap. A lone point becomes a short dash.
func newLine(class, name string, values []float64, axis valueAxis, filled bool) line {
	l := line{Class: class, Name: name}
	slot := plotW / float64(max(len(values), 1))
	for from := 0; from < len(values); {
		if math.IsNaN(values[from]) {
			from++
			continue
		}
		to := from
		for to < len(values) && !math.IsNaN(values[to]) {
			to++
		}
		first, last := (float64(from)+0.5)*slot, (float64(to)-0.5)*slot
		var points []string
		for i := from; i < to; i++ {
			points = append(points, coord((float64(i)+0.5)*slot)+","+coord(axis.y(values[i])))
		}
		if to-from == 1 {
			first, last = first-slot/4, last+slot/4
			y := coord(axis.y(values[from]))
			points = []string{coord(first) + "," + y, coord(last) + "," + y}
		}
		stretch := strings.Join(points, " ")
		l.Stretches = append(l.Stretches, stretch)
		if filled {
			l.Area = append(l.Area, coord(first)+",200 "+stretch+" "+coord(last)+",200")
		}
		from = to
	}
	return l
}

// timeline is a run's series, decoded.
type timeline struct {
	width     time.Duration
	start     []time.Duration
	durations []*hist.Histogram // nil without a sample that counts for latency
	buckets   []fleet.Bucket
	covered   []float64 // seconds of each bucket that the run lasted for
}

// drawn tells whether bucket i has a place in the picture. One that the run hardly touched, usually the last, holds the
// few requests that were still under way and would make a cliff of nothing; it stands in the table all the same.
func (t timeline) drawn(i int) bool {
	return t.covered[i] >= t.width.Seconds()/2 || len(t.buckets) == 1
}

// maxBuckets bounds what a page draws; the dashboard takes no longer series.
const maxBuckets = 300

// newTimeline decodes a series; ok is false when there is nothing to draw. The run ends somewhere in its last bucket,
// so durationS, measured, says how much of it counts for a rate.
func newTimeline(s *fleet.Series, durationS float64) (t timeline, ok bool) {
	if s == nil || len(s.Buckets) == 0 || s.WidthMs < 1 {
		return timeline{}, false
	}
	t = timeline{width: time.Duration(s.WidthMs) * time.Millisecond, buckets: s.Buckets[:min(len(s.Buckets), maxBuckets)]}
	for i, b := range t.buckets {
		start := time.Duration(i) * t.width
		t.start = append(t.start, start)
		t.durations = append(t.durations, decode(b.Duration))
		covered := t.width.Seconds()
		if left := durationS - start.Seconds(); durationS > 0 {
			covered = min(covered, max(left, 0))
		}
		t.covered = append(t.covered, covered)
	}
	return t, true
}

func (t timeline) total() time.Duration { return time.Duration(len(t.buckets)) * t.width }

// decode returns nil for what is absent, damaged or empty: all three are no data.
func decode(data []byte) *hist.Histogram {
	var h hist.Histogram
	if len(data) == 0 || h.UnmarshalBinary(data) != nil || h.Count() == 0 {
		return nil
	}
	return &h
}

// quantile is in ms, NaN without data.
func quantile(h *hist.Histogram, q float64) float64 {
	if h == nil {
		return math.NaN()
	}
	return h.Quantile(q) / float64(time.Millisecond)
}

// percentile is one of the three that every page shows, with the colour that deepens with it.
type percentile struct {
	name string
	q    float64
}

var percentiles = [...]percentile{{"p50", 0.50}, {"p95", 0.95}, {"p99", 0.99}}

// latencyChart draws p50, p95 and p99 of each bucket.
func (l *locale) latencyChart(t timeline) lineChart {
	var exact, values [len(percentiles)][]float64 // ms: for the table, and for the picture
	most, some := 0.0, false
	for k, p := range percentiles {
		for i, h := range t.durations {
			v := quantile(h, p.q)
			exact[k] = append(exact[k], v)
			if !t.drawn(i) {
				v = math.NaN()
			}
			values[k] = append(values[k], v)
			if !math.IsNaN(v) {
				most, some = max(most, v), true
			}
		}
	}
	c := lineChart{
		Title:     l.text("chart.latency", "width", l.duration(t.width)),
		valueAxis: newValueAxis(most, l.axisLatency),
		XTicks:    timeTicks(t.total(), l.duration),
		Columns:   []string{l.text("col.since"), "p50", "p95", "p99"},
	}
	for k, p := range percentiles {
		c.Lines = append(c.Lines, newLine(p.name, p.name, values[k], c.valueAxis, p.name == "p50"))
	}
	for i, start := range t.start {
		row := []string{l.duration(start)}
		for k := range percentiles {
			row = append(row, l.optional(exact[k][i]))
		}
		c.Rows = append(c.Rows, row)
	}
	c.Label = l.text("no.data")
	if some {
		c.Label = l.text("chart.latency.label", "d", l.duration(t.total()), "most", l.shortLatency(most))
	}
	return c
}

// axisLatency labels an axis, whose 0 needs no unit.
func (l *locale) axisLatency(ms float64) string {
	if ms == 0 {
		return "0"
	}
	return l.shortLatency(ms)
}

// optional writes a latency that may be NaN.
func (l *locale) optional(ms float64) string {
	if math.IsNaN(ms) {
		return l.latency(nil)
	}
	return l.latency(&ms)
}

// trafficChart draws requests and failures per second.
func (l *locale) trafficChart(t timeline) lineChart {
	var requests, failures []float64
	most, total, failed := 0.0, int64(0), int64(0)
	for i, b := range t.buckets {
		total, failed = total+b.Requests, failed+b.Failures
		if !t.drawn(i) || t.covered[i] == 0 {
			requests, failures = append(requests, math.NaN()), append(failures, math.NaN())
			continue
		}
		requests = append(requests, float64(b.Requests)/t.covered[i])
		failures = append(failures, float64(b.Failures)/t.covered[i])
		most = max(most, requests[len(requests)-1])
	}
	c := lineChart{
		Title:     l.text("chart.traffic"),
		Label:     l.text("chart.traffic.label", "d", l.duration(t.total()), "requests", total, "failures", failed),
		valueAxis: newValueAxis(most, l.short),
		XTicks:    timeTicks(t.total(), l.duration),
		Columns:   []string{l.text("col.since"), l.text("col.requests"), l.text("col.failures"), l.text("col.iterations"), l.text("col.vus")},
	}
	c.Lines = []line{
		newLine("traffic", l.text("legend.requests"), requests, c.valueAxis, true),
		newLine("failures", l.text("legend.failures"), failures, c.valueAxis, false),
	}
	for i, b := range t.buckets {
		c.Rows = append(c.Rows, []string{l.duration(t.start[i]), l.number(b.Requests), l.number(b.Failures), l.number(b.Iterations), l.number(int64(b.VUs))})
	}
	return c
}

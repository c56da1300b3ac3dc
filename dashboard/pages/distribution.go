package pages

import "github.com/nollagluiz/broadside/summary/hist"

// bars is how many spans of equal ratio a distribution is drawn in.
const bars = 60

// bar is one span, in the units of the plot.
type bar struct{ Class, X, Y, Width, Height string }

// mark is a percentile on the axis. Y keeps the words of neighbours apart, in pixels.
type mark struct {
	Class, At, Anchor, Label string
	Dx, Y, Top               int
}

// distribution is a histogram of latencies over a log axis, ready to draw, and the same numbers as a table.
type distribution struct {
	Title, Label string
	Legend       []line
	Bars         []bar
	Marks        []mark
	XTicks       []tick
	Columns      []string
	Rows         [][]string
}

// newDistribution draws h, which holds samples. A bucket of h counts for the bar that its middle lies in.
func (l *locale) newDistribution(h *hist.Histogram) distribution {
	axis := newLogAxis(float64(h.Min()), float64(h.Max()))
	var counts [bars]uint64
	most := uint64(1)
	for _, b := range h.Buckets() {
		i := min(int(axis.share((float64(b.Low)+float64(b.High-1))/2)*bars), bars-1)
		counts[i] += b.Count
		most = max(most, counts[i])
	}
	ns := l.nanoseconds
	var at [len(percentiles)]float64 // ns
	for i, p := range percentiles {
		at[i] = h.Quantile(p.q)
	}
	d := distribution{
		Title:   l.text("chart.distribution"),
		XTicks:  axis.ticks(func(v float64) string { return l.shortLatency(v / 1e6) }),
		Columns: []string{l.text("col.from"), l.text("col.to"), l.text("col.count"), l.text("col.share")},
		Label: l.text("chart.distribution.label", "n", int64(h.Count()), "min", ns(float64(h.Min())), "max", ns(float64(h.Max())),
			"p50", ns(at[0]), "p95", ns(at[1]), "p99", ns(at[2])),
	}
	const slot, headroom = plotW / float64(bars), 0.8 // the words of the marks stand above the bars
	for i, n := range counts {
		if n == 0 {
			continue
		}
		from, to := axis.at(float64(i)/bars), axis.at(float64(i+1)/bars)
		height := max(plotH*headroom*float64(n)/float64(most), 1.5)
		class := depth(at, axis.at((float64(i)+0.5)/bars))
		d.Bars = append(d.Bars, bar{class, coord(float64(i)*slot + slot*0.08), coord(plotH - height), coord(slot * 0.84), coord(height)})
		share := float64(n) / float64(h.Count())
		d.Rows = append(d.Rows, []string{ns(from), ns(to), l.number(int64(n)), l.percent(&share)})
	}
	d.Marks = marks(axis, at, ns)
	for _, p := range percentiles {
		d.Legend = append(d.Legend, line{Class: p.name, Name: l.text("legend." + p.name)})
	}
	return d
}

// marks places the percentiles, whose values are at, in ns. A line begins beside its words, so words to the left of
// their line stand above those that come before them, and words to the right below: no line crosses another's words.
func marks(axis logAxis, at [len(percentiles)]float64, ns func(float64) string) []mark {
	const flip = 0.75 // of the width: beyond it, words on the right would leave the picture of a phone
	out := make([]mark, len(percentiles))
	row := 0
	place := func(i int, anchor string, dx int) {
		out[i] = mark{percentiles[i].name, coord(100*axis.share(at[i])) + "%", anchor, percentiles[i].name + " " + ns(at[i]), dx, 12 + 15*row, 2 + 15*row}
		row++
	}
	for i := len(at) - 1; i >= 0; i-- {
		if axis.share(at[i]) > flip {
			place(i, "end", -5)
		}
	}
	for i := range at {
		if axis.share(at[i]) <= flip {
			place(i, "start", 5)
		}
	}
	return out
}

// depth is the colour of a latency: that of the first percentile that it stays within, or else of the last.
func depth(at [len(percentiles)]float64, ns float64) string {
	for i, p := range percentiles {
		if ns <= at[i] {
			return p.name
		}
	}
	return percentiles[len(percentiles)-1].name
}

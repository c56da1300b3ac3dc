package pages

import (
	"strings"
	"time"

	"github.com/nollagluiz/broadside/summary"
	"github.com/nollagluiz/broadside/summary/hist"
)

// phase is one part of a request's time.
type phase struct {
	Class, Name    string
	Mean, P50, P95 string
	Share          string
	X, Width       string // in the bar, in the units of the plot
	width, at      float64
}

// phaseTrends are the parts in their order. The waiting for a connection contains connecting and TLS (package
// summary), so the bar shows what remains of it without them, and the parts add up.
var phaseTrends = [...]struct{ metric, class, key string }{
	{summary.HTTPReqBlocked, "ph1", "phase.blocked"},
	{summary.HTTPReqConnecting, "ph2", "phase.connecting"},
	{summary.HTTPReqTLS, "ph3", "phase.tls"},
	{summary.HTTPReqSending, "ph4", "phase.sending"},
	{summary.HTTPReqWaiting, "ph5", "phase.waiting"},
	{summary.HTTPReqReceiving, "ph6", "phase.receiving"},
}

// phases tells where the time of an average request went: means add up, where medians don't. Nothing comes of a run
// without these trends.
func (l *locale) phases(trends map[string][]byte) (rows []phase, label string) {
	decoded := map[string]*hist.Histogram{}
	mean := func(metric string) float64 {
		if h := decoded[metric]; h != nil {
			return h.Mean()
		}
		return 0
	}
	for _, p := range phaseTrends {
		decoded[p.metric] = decode(trends[p.metric])
	}
	total := 0.0
	for _, p := range phaseTrends {
		h := decoded[p.metric]
		if h == nil {
			continue
		}
		width := h.Mean()
		if p.metric == summary.HTTPReqBlocked {
			width = max(width-mean(summary.HTTPReqConnecting)-mean(summary.HTTPReqTLS), 0)
		}
		rows = append(rows, phase{Class: p.class, Name: l.text(p.key), width: width, at: total,
			Mean: l.nanoseconds(h.Mean()), P50: l.nanoseconds(h.Quantile(0.50)), P95: l.nanoseconds(h.Quantile(0.95))})
		total += width
	}
	var words []string
	for i := range rows {
		r := &rows[i]
		r.X, r.Width, r.Share = "0", "0", none
		if total > 0 {
			part := r.width / total
			r.X, r.Width, r.Share = coord(plotW*r.at/total), coord(plotW*part), l.percent(&part)
		}
		words = append(words, r.Name+" "+r.Mean)
	}
	return rows, strings.Join(words, ", ")
}

func (l *locale) nanoseconds(ns float64) string {
	ms := ns / float64(time.Millisecond)
	return l.latency(&ms)
}

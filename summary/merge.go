package summary

import (
	"cmp"
	"maps"
	"slices"

	"github.com/nollagluiz/broadside/summary/hist"
)

// Merge adds o, what another part measured that ran at the same time: a loop, an agent's share of a round. Counts and
// distributions come out as if one had measured both; so the order of merges makes no difference. o stays as it is, and
// s keeps no reference to it.
//
// The duration is the longer one. Gauges add up, since VUs here and VUs there are at work together; the greatest sum was
// perhaps never reached, so a merged Max is an upper bound and a merged Min a lower one. Thresholds are evaluated again,
// over the whole.
func (s *Summary) Merge(o *Summary) {
	if s.Start.IsZero() || !o.Start.IsZero() && o.Start.Before(s.Start) {
		s.Start = o.Start
	}
	s.Duration = max(s.Duration, o.Duration)
	s.Counters = mergeMap(s.Counters, o.Counters, addInt)
	s.Rates = mergeMap(s.Rates, o.Rates, func(a, b Rate) Rate { return Rate{a.True + b.True, a.Total + b.Total} })
	s.Gauges = mergeMap(s.Gauges, o.Gauges, addGauge)
	s.Statuses = mergeMap(s.Statuses, o.Statuses, addInt)
	s.Unexpected = mergeMap(s.Unexpected, o.Unexpected, addInt)
	s.Broken += o.Broken
	s.Limited = max(s.Limited, o.Limited) // one of them, whatever the order
	s.mergeTrends(o.Trends)
	s.mergeErrors(o.Errors)
	s.Series.Merge(o.Series)
	s.mergeThresholds(o.Thresholds)
}

func addInt(a, b int64) int64 { return a + b }

func addGauge(a, b Gauge) Gauge {
	switch {
	case a.N == 0:
		return b
	case b.N == 0:
		return a
	}
	return Gauge{Value: a.Value + b.Value, Min: a.Min + b.Min, Max: a.Max + b.Max, N: max(a.N, b.N)}
}

func mergeMap[K comparable, V any](to, from map[K]V, add func(a, b V) V) map[K]V {
	if to == nil {
		to = make(map[K]V, len(from))
	}
	for k, v := range from {
		if old, ok := to[k]; ok {
			v = add(old, v)
		}
		to[k] = v
	}
	return to
}

func (s *Summary) mergeTrends(from map[string]*hist.Histogram) {
	if s.Trends == nil {
		s.Trends = make(map[string]*hist.Histogram, len(from))
	}
	for name, h := range from {
		if to := s.Trends[name]; to != nil {
			to.Merge(h)
		} else {
			s.Trends[name] = h.Clone()
		}
	}
}

// mergeErrors keeps of two samples the lesser text, which no order of merges changes.
func (s *Summary) mergeErrors(from []ErrorClass) {
	classes := map[int]ErrorClass{}
	for _, e := range slices.Concat(s.Errors, from) {
		if old, ok := classes[e.Code]; ok {
			e.Count += old.Count
			if e.Sample == "" || old.Sample != "" && old.Sample < e.Sample {
				e.Sample = old.Sample
			}
		}
		classes[e.Code] = e
	}
	s.Errors = slices.SortedFunc(maps.Values(classes), func(a, b ErrorClass) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Code, b.Code))
	})
}

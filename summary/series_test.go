package summary_test

import (
	"bytes"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/nollagluiz/broadside/summary"
	"github.com/nollagluiz/broadside/summary/hist"
)

func histogram(ns ...int64) *hist.Histogram {
	h := hist.New(hist.Coarse)
	for _, v := range ns {
		h.Record(v)
	}
	return h
}

// totals is what must not change, however a series is cut.
type totals struct {
	requests, failures, iterations int64
	vus                            int
	latency                        string // the merged form
}

func totalsOf(s summary.Series) totals {
	var t totals
	all := hist.New(hist.Coarse)
	for _, b := range s.Buckets {
		t.requests += b.Requests
		t.failures += b.Failures
		t.iterations += b.Iterations
		t.vus = max(t.vus, b.VUs)
		if b.Duration != nil {
			all.Merge(b.Duration)
		}
	}
	form, _ := all.MarshalBinary()
	t.latency = string(form)
	return t
}

// checkSeries holds what Series promises of itself.
func checkSeries(t rapid.TB, s summary.Series) {
	t.Helper()
	if len(s.Buckets) > summary.MaxBuckets {
		t.Errorf("%d buckets; at most %d", len(s.Buckets), summary.MaxBuckets)
	}
	for i, b := range s.Buckets {
		if want := time.Duration(i) * s.Width; b.At != want {
			t.Errorf("bucket %d is at %v; want %v", i, b.At, want)
		}
		if b.Duration != nil && (b.Duration.Count() == 0 || b.Duration.Resolution() != hist.Coarse) {
			t.Errorf("bucket %d: %d samples at %d bits; want some at %d, or nil", i, b.Duration.Count(), b.Duration.Resolution(), hist.Coarse)
		}
	}
}

// Field report 37: a run of 24 h, a bucket each second, stays bounded and loses nothing.
func TestSeriesOfADay(t *testing.T) {
	var s summary.Series
	const seconds = 24 * 60 * 60
	for i := range seconds {
		s.Add(summary.Bucket{At: time.Duration(i) * time.Second, Requests: 3, Failures: 1, Iterations: 2, VUs: i % 7, Duration: histogram(int64(i), 5e6)})
	}
	checkSeries(t, s)
	got := totalsOf(s)
	if got.requests != 3*seconds || got.failures != seconds || got.iterations != 2*seconds || got.vus != 6 {
		t.Errorf("%+v", got)
	}
	if s.Width != 512*time.Second || len(s.Buckets) != 169 {
		t.Errorf("%d buckets of %v; want 169 of 8m32s", len(s.Buckets), s.Width)
	}
}

func TestSeriesAdd(t *testing.T) {
	var s summary.Series
	own := histogram(1e6)
	s.Add(summary.Bucket{At: 2500 * time.Millisecond, Requests: 5, VUs: 3, Duration: own})
	s.Add(summary.Bucket{At: 2 * time.Second, Requests: 1, VUs: 2, Duration: histogram(2e6)})
	s.Add(summary.Bucket{At: -time.Second, Failures: 1}) // no clock gives it, and nothing breaks
	s.Add(summary.Bucket{At: 0, Duration: hist.New(hist.Fine)})
	fine := hist.New(hist.Fine)
	fine.Record(1e9)
	s.Add(summary.Bucket{At: time.Second, Duration: fine})
	checkSeries(t, s)
	if len(s.Buckets) != 3 || s.Width != time.Second {
		t.Fatalf("%d buckets of %v; want 3 of 1s", len(s.Buckets), s.Width)
	}
	if b := s.Buckets[2]; b.Requests != 6 || b.VUs != 3 || b.Duration.Count() != 2 {
		t.Errorf("third second: %+v; want 6 requests, the most VUs, 3, and 2 samples", b)
	}
	if b := s.Buckets[0]; b.Failures != 1 || b.Duration != nil {
		t.Errorf("first second: %+v; want a failure and no histogram", b)
	}
	own.Record(9e9)
	if s.Buckets[2].Duration.Count() != 2 {
		t.Error("the series kept a reference to what it was given")
	}
}

func genSeries() *rapid.Generator[summary.Series] {
	return rapid.Custom(func(t *rapid.T) summary.Series {
		var s summary.Series
		longest := rapid.SampledFrom([]time.Duration{10 * time.Second, 10 * time.Minute, 24 * time.Hour}).Draw(t, "longest")
		for range rapid.IntRange(0, 40).Draw(t, "n") {
			s.Add(summary.Bucket{
				At:         time.Duration(rapid.Int64Range(0, int64(longest)).Draw(t, "at")),
				Requests:   rapid.Int64Range(0, 1000).Draw(t, "requests"),
				Failures:   rapid.Int64Range(0, 1000).Draw(t, "failures"),
				Iterations: rapid.Int64Range(0, 1000).Draw(t, "iterations"),
				VUs:        rapid.IntRange(0, 100).Draw(t, "vus"),
				Duration:   histogram(rapid.SliceOfN(rapid.Int64Range(0, 1e10), 0, 3).Draw(t, "latencies")...),
			})
		}
		return s
	})
}

func TestSeriesHalve(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := genSeries().Draw(t, "series")
		for len(s.Buckets) > 1 {
			before, width, n := totalsOf(s), s.Width, len(s.Buckets)
			s.Halve()
			checkSeries(t, s)
			if after := totalsOf(s); after != before {
				t.Fatalf("halved: %+v; before: %+v", after, before)
			}
			if s.Width != 2*width || len(s.Buckets) != (n+1)/2 {
				t.Fatalf("%d buckets of %v; want %d of %v", len(s.Buckets), s.Width, (n+1)/2, 2*width)
			}
		}
	})
}

// sameSeries compares with the histograms by their form; VUs only where vus says so.
func sameSeries(a, b summary.Series, vus bool) bool {
	if len(a.Buckets) != len(b.Buckets) || len(a.Buckets) > 0 && a.Width != b.Width {
		return false
	}
	for i := range a.Buckets {
		x, y := a.Buckets[i], b.Buckets[i]
		if !sameHistogram(x.Duration, y.Duration) || vus && x.VUs != y.VUs {
			return false
		}
		x.Duration, y.Duration, x.VUs, y.VUs = nil, nil, 0, 0
		if x != y {
			return false
		}
	}
	return true
}

func sameHistogram(a, b *hist.Histogram) bool {
	if a == nil || b == nil {
		return a == b
	}
	x, _ := a.MarshalBinary()
	y, _ := b.MarshalBinary()
	return bytes.Equal(x, y)
}

func mergedSeries(parts ...summary.Series) summary.Series {
	var out summary.Series
	for _, p := range parts {
		out.Merge(p)
	}
	return out
}

func TestSeriesMerge(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b, c := genSeries().Draw(t, "a"), genSeries().Draw(t, "b"), genSeries().Draw(t, "c")
		before := totalsOf(b)
		ab := mergedSeries(a, b)
		checkSeries(t, ab)
		if got, want := totalsOf(ab).requests, totalsOf(a).requests+totalsOf(b).requests; got != want {
			t.Errorf("%d requests; want %d", got, want)
		}
		if !sameSeries(ab, mergedSeries(b, a), true) {
			t.Error("a+b is not b+a")
		}
		// The greatest sum of VUs is not kept where widths differ: halving comes before or after the addition.
		if !sameSeries(mergedSeries(ab, c), mergedSeries(a, mergedSeries(b, c)), a.Width == b.Width && b.Width == c.Width) {
			t.Error("(a+b)+c is not a+(b+c)")
		}
		if !sameSeries(mergedSeries(a, summary.Series{}), a, true) {
			t.Error("a + nothing is not a")
		}
		if totalsOf(b) != before {
			t.Error("merging b changed b")
		}
	})
}

// A series that nobody gave a width has the default.
func TestSeriesWithoutWidth(t *testing.T) {
	bare := func() summary.Series {
		return summary.Series{Buckets: []summary.Bucket{{Requests: 1}, {Requests: 2}, {Requests: 4}}}
	}
	halved := bare()
	halved.Halve()
	if halved.Width != 2*time.Second || len(halved.Buckets) != 2 || halved.Buckets[0].Requests != 3 {
		t.Errorf("halved: %+v; want 3 and 4 requests in spans of 2s", halved)
	}
	wide := summary.Series{Width: 4 * time.Second, Buckets: []summary.Bucket{{Requests: 8}}}
	for name, pair := range map[string][2]summary.Series{"into it": {bare(), wide}, "of it": {wide, bare()}} {
		merged := mergedSeries(pair[:]...)
		if len(merged.Buckets) != 1 || merged.Buckets[0].Requests != 15 {
			t.Errorf("merged %s: %+v; want 15 requests in one span of 4s", name, merged)
		}
	}
}

// VUs of parts that run at the same time add up; those of neighbouring seconds don't.
func TestSeriesMergeAddsVUs(t *testing.T) {
	one := summary.Series{Width: time.Second, Buckets: []summary.Bucket{{VUs: 3}, {At: time.Second, VUs: 5}}}
	two := summary.Series{Width: 2 * time.Second, Buckets: []summary.Bucket{{VUs: 10}}}
	one.Merge(two)
	if len(one.Buckets) != 1 || one.Buckets[0].VUs != 15 {
		t.Errorf("%+v; want one bucket with 5 + 10 VUs", one.Buckets)
	}
}

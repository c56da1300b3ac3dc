package hist_test

import (
	"math/rand/v2"
	"testing"

	"github.com/nollagluiz/broadside/summary/hist"
)

// run is the latencies of a run of 3,000 requests, and their histogram.
func run() (samples, *hist.Histogram) {
	s := draw(rand.New(rand.NewPCG(7, 7)), 3000, distributions[0].draw)
	return s, s.histogram(hist.Fine)
}

func BenchmarkRecord(b *testing.B) {
	s, h := run()
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		h.Record(s[i%len(s)])
	}
}

func BenchmarkMerge(b *testing.B) {
	_, h := run()
	into := h.Clone()
	b.ReportAllocs()
	for b.Loop() {
		into.Merge(h)
	}
}

func BenchmarkQuantile(b *testing.B) {
	_, h := run()
	b.ReportAllocs()
	for b.Loop() {
		h.Quantile(0.99)
	}
}

func BenchmarkMarshal(b *testing.B) {
	_, h := run()
	b.ReportAllocs()
	for b.Loop() {
		form(h)
	}
	b.ReportMetric(float64(len(form(h))), "bytes")
}

func BenchmarkUnmarshal(b *testing.B) {
	_, h := run()
	data := form(h)
	b.ReportAllocs()
	for b.Loop() {
		var back hist.Histogram
		if err := back.UnmarshalBinary(data); err != nil {
			b.Fatal(err)
		}
	}
}

// The hot path allocates nothing once a value's octave has been seen.
func TestRecordDoesNotAllocate(t *testing.T) {
	s, h := run()
	if allocs := testing.AllocsPerRun(100, func() {
		for _, v := range s {
			h.Record(v)
		}
	}); allocs != 0 {
		t.Errorf("%v allocations; want 0", allocs)
	}
}

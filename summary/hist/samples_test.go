package hist_test

import (
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/nollagluiz/broadside/summary/hist"
)

// samples is the deliberately dumb second implementation: it keeps every value.
type samples []int64

func (s samples) histogram(b hist.Bits) *hist.Histogram {
	h := hist.New(b)
	for _, v := range s {
		h.Record(v)
	}
	return h
}

// quantile is k6's rule: rank q*(n-1) of the sorted values, interpolated between neighbours.
func (s samples) quantile(q float64) float64 {
	sorted := slices.Sorted(slices.Values(s))
	rank := q * float64(len(sorted)-1)
	i := int(rank)
	if i+1 >= len(sorted) {
		return float64(sorted[len(sorted)-1])
	}
	lo, hi := float64(sorted[i]), float64(sorted[i+1])
	return lo + (hi-lo)*(rank-float64(i))
}

func (s samples) sum() float64 {
	total := new(big.Int)
	for _, v := range s {
		total.Add(total, big.NewInt(v))
	}
	f, _ := new(big.Float).SetInt(total).Float64()
	return f
}

// distributions are shapes that latencies take, and some that they don't.
var distributions = []struct {
	name string
	draw func(r *rand.Rand) int64
}{
	{"log-normal", func(r *rand.Rand) int64 { return int64(2e6 * math.Exp(0.8*r.NormFloat64())) }},
	{"bimodal with a far tail", func(r *rand.Rand) int64 {
		switch p := r.Float64(); {
		case p < 0.94:
			return int64(1e6 * math.Exp(0.2*r.NormFloat64()))
		case p < 0.99:
			return int64(250e6 * math.Exp(0.1*r.NormFloat64()))
		}
		return int64(30e9 * r.Float64())
	}},
	{"all equal", func(*rand.Rand) int64 { return 123_456_789 }},
	{"zeros", func(*rand.Rand) int64 { return 0 }},
	{"mostly zeros", func(r *rand.Rand) int64 { return max(r.Int64N(1_000_000)-900_000, 0) }},
	{"spikes", func(r *rand.Rand) int64 { return []int64{5e5, 5e5, 5e5, 5e5, 4e6, 1e10}[r.IntN(6)] }},
	{"tiny", func(r *rand.Rand) int64 { return r.Int64N(2000) }},
	{"huge", func(r *rand.Rand) int64 { return math.MaxInt64 - r.Int64N(math.MaxInt64/1000) }},
	{"any magnitude", func(r *rand.Rand) int64 { return r.Int64() >> r.IntN(63) }},
}

func draw(r *rand.Rand, n int, f func(*rand.Rand) int64) samples {
	out := make(samples, n)
	for i := range out {
		out[i] = f(r)
	}
	return out
}

// errorBound is what the package comment promises: a bucket's middle is off by half a bucket, 1/2^(b+1), at most. The
// rest is room for float64's own rounding.
func errorBound(b hist.Bits) float64 { return 1/math.Exp2(float64(b)+1) + 1e-12 }

var quantiles = []float64{0, 0.001, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.999, 0.9999, 1}

// checkAgainst holds h against all values that it was given.
func checkAgainst(t rapid.TB, h *hist.Histogram, s samples) {
	t.Helper()
	if got, want := h.Count(), uint64(len(s)); got != want {
		t.Fatalf("count %d; want %d", got, want)
	}
	if len(s) == 0 {
		return
	}
	if got, want := h.Min(), slices.Min(s); got != want {
		t.Errorf("min %d; want %d", got, want)
	}
	if got, want := h.Max(), slices.Max(s); got != want {
		t.Errorf("max %d; want %d", got, want)
	}
	// Exact as far as float64 counts, 2^53, and then off by a last digit at most.
	if got, want := h.Sum(), s.sum(); math.Abs(got-want) > want*0x1p-52 || want < 1<<53 && got != want {
		t.Errorf("sum %g; want %g", got, want)
	}
	sorted := samples(slices.Sorted(slices.Values(s)))
	last := float64(h.Min())
	for _, q := range quantiles {
		got, want := h.Quantile(q), sorted.quantile(q)
		if bound := errorBound(h.Resolution()); math.Abs(got-want) > bound*want {
			t.Errorf("quantile %g of %d samples: %g; want %g: off by %.4f %%, more than %.4f %%",
				q, len(s), got, want, 100*math.Abs(got-want)/want, 100*bound)
		}
		if got < last {
			t.Errorf("quantile %g is %g, below the one before, %g", q, got, last)
		}
		last = got
	}
	if last != float64(h.Max()) {
		t.Errorf("quantile 1 is %g; want the max, %d", last, h.Max())
	}
}

// TestQuantile is the proof of the stated error at each resolution: any n, any shape.
func TestQuantile(t *testing.T) {
	for _, d := range distributions {
		for _, b := range []hist.Bits{hist.Fine, hist.Medium, hist.Coarse} {
			t.Run(fmt.Sprintf("%s at %d bits", d.name, b), func(t *testing.T) {
				r := rand.New(rand.NewPCG(1, uint64(b)))
				sizes := []int{1, 2, 3, 4, 5, 10, 99, 100, 101, 1000, 1 + r.IntN(10_000)}
				if b == hist.Fine {
					sizes = append(sizes, 100_000)
				}
				for _, n := range sizes {
					s := draw(r, n, d.draw)
					checkAgainst(t, s.histogram(b), s)
				}
			})
		}
	}
}

// The bounds that people are told: 0.1 % of run and round, 0.4 % of roll-ups, 1.6 % of phases (ADR 3).
func TestStatedErrors(t *testing.T) {
	for b, stated := range map[hist.Bits]float64{hist.Fine: 0.001, hist.Medium: 0.004, hist.Coarse: 0.016} {
		if bound := errorBound(b); bound > stated {
			t.Errorf("%d bits: error of up to %g; stated is %g", b, bound, stated)
		}
	}
}

// Quantile is k6's, number by number: {1, 3, 7, 10} is what its sink was seen to give.
func TestQuantileInterpolatesAsK6(t *testing.T) {
	h := samples{7, 1, 10, 3}.histogram(hist.Fine)
	for q, want := range map[float64]float64{0.25: 2.5, 0.5: 5, 0.9: 9.1, 0.99: 9.91, -1: 1, 2: 10} {
		if got := h.Quantile(q); math.Abs(got-want) > 1e-9 {
			t.Errorf("quantile %g is %g; want %g", q, got, want)
		}
	}
}

// Field report 35: a guess of the range is nobody's business. One histogram holds a nanosecond beside 292 years, and
// answers about each value between with the stated error.
func TestNoRangeKnob(t *testing.T) {
	for v := int64(1); v > 0; v += v/7 + 1 {
		s := samples{0, v, math.MaxInt64}
		checkAgainst(t, s.histogram(hist.Fine), s)
	}
	s := samples{int64(1e3), int64(3600e9)} // 1 us and 1 h
	checkAgainst(t, s.histogram(hist.Fine), s)
}

// Min and max are exact, so what lies between them alone is, too.
func TestQuantileBetweenTwoIsExact(t *testing.T) {
	h := samples{1_000_001, 3_000_003}.histogram(hist.Coarse)
	for q, want := range map[float64]float64{0: 1_000_001, 0.5: 2_000_002, 0.75: 2_500_002.5, 1: 3_000_003} {
		if got := h.Quantile(q); got != want {
			t.Errorf("quantile %g is %f; want %f", q, got, want)
		}
	}
}

func TestEmpty(t *testing.T) {
	var h hist.Histogram // the zero value is ready to use
	if h.Count() != 0 || h.Sum() != 0 || h.Mean() != 0 || h.Quantile(0.99) != 0 || h.Buckets() != nil || h.Resolution() != hist.Fine {
		t.Errorf("the zero Histogram holds something: %+v", h.Buckets())
	}
	h.RecordN(7, 0)
	if h.Count() != 0 || h.Max() != 0 {
		t.Errorf("no sample was recorded, but count is %d and max %d", h.Count(), h.Max())
	}
}

func TestNegativeCountsAsZero(t *testing.T) {
	h := samples{math.MinInt64, -1, 5}.histogram(hist.Fine)
	if h.Count() != 3 || h.Min() != 0 || h.Max() != 5 || h.Sum() != 5 {
		t.Errorf("count %d, min %d, max %d, sum %g; want 3, 0, 5, 5", h.Count(), h.Min(), h.Max(), h.Sum())
	}
}

func TestNewPanicsOnUnknownResolution(t *testing.T) {
	for _, b := range []hist.Bits{0, hist.Coarse - 1, hist.Fine + 1, 255} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("New(%d) did not panic", b)
				}
			}()
			hist.New(b)
		}()
	}
}

// Buckets tile what was recorded: each sample lies in exactly one.
func TestBuckets(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 2))
	for _, d := range distributions {
		t.Run(d.name, func(t *testing.T) {
			s := draw(r, 1000, d.draw)
			buckets := s.histogram(hist.Medium).Buckets()
			total := uint64(0)
			for i, b := range buckets {
				n := uint64(0)
				for _, v := range s {
					if b.Low <= v && (v < b.High || b.High == math.MaxInt64) {
						n++
					}
				}
				if b.Count != n || n == 0 {
					t.Errorf("bucket [%d, %d) counts %d; want %d", b.Low, b.High, b.Count, n)
				}
				if i > 0 && b.Low < buckets[i-1].High {
					t.Errorf("bucket [%d, %d) begins inside the one before", b.Low, b.High)
				}
				total += b.Count
			}
			if total != uint64(len(s)) {
				t.Errorf("%d samples in buckets; want %d", total, len(s))
			}
		})
	}
}

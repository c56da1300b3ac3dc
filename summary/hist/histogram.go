// Package hist holds a mergeable log-linear histogram of latencies: the only form in which a latency distribution
// crosses a boundary (docs/ADR/0003). VU, loop, run, agent, target, fleet and time window all merge by the same addition
// of counts, so a percentile read at the end is the percentile of all samples, never an average of percentiles.
//
// Values are int64 nanoseconds. With b bits of resolution, 2^b buckets are linear (width 1 ns, exact) and each octave
// [2^e, 2^(e+1)) above is cut in 2^b equal buckets. A bucket answers with its middle, so a value is off by at most
// 1/2^(b+1) of itself: 0.098 % at Fine (512 sub-buckets), 0.39 % at Medium (128), 1.6 % at Coarse (32). Count, sum,
// min and max are exact. A coarser histogram is made of a finer one by adding neighbours, which loses nothing else.
//
// A Histogram is not safe for concurrent use; its owner locks. Octaves are allocated when they are first needed
// (4 KiB each at Fine), and zeros, the commonest value of the phases of a reused connection, are a counter.
package hist

import (
	"fmt"
	"math"
	"math/bits"
)

// Bits is the resolution: 2^Bits sub-buckets per octave.
type Bits uint8

// The resolutions in use.
const (
	Fine    Bits = 9 // run totals: error <= 0.1 %
	Medium  Bits = 7 // roll-ups: error <= 0.4 %
	Coarse  Bits = 5 // phases and time series: error <= 1.6 %
	minBits      = Coarse
	maxBits      = Fine
)

// maxOctaves holds the linear part and every octave of a positive int64 at the coarsest resolution.
const maxOctaves = 64 - int(minBits)

// Histogram is a distribution. The zero value is empty, at Fine resolution, and ready to use.
type Histogram struct {
	coarser  Bits // maxBits - resolution, so that the zero value is Fine
	zeros    uint64
	count    uint64
	sum      sum128
	min, max int64
	octaves  [maxOctaves][]uint64 // [0] is the linear part; nil until used
}

// New returns an empty histogram of a resolution between Coarse and Fine; it panics on another, which is a bug of the caller.
func New(b Bits) *Histogram {
	if b < minBits || b > maxBits {
		panic(fmt.Sprintf("hist: resolution of %d bits; want %d to %d", b, minBits, maxBits))
	}
	return &Histogram{coarser: maxBits - b}
}

// Resolution is the number of bits of a sub-bucket index.
func (h *Histogram) Resolution() Bits { return maxBits - h.coarser }

// Record adds one value in nanoseconds. A negative one, which no monotonic clock gives, counts as 0.
func (h *Histogram) Record(ns int64) { h.RecordN(ns, 1) }

// RecordN adds a value n times.
func (h *Histogram) RecordN(ns int64, n uint64) {
	if n == 0 {
		return
	}
	ns = max(ns, 0)
	if h.count == 0 || ns < h.min {
		h.min = ns
	}
	h.max = max(h.max, ns)
	h.count += n
	h.sum.add(uint64(ns), n)
	if ns == 0 {
		h.zeros += n
		return
	}
	o, i := locate(uint64(ns), h.Resolution())
	*h.bucket(o, i) += n
}

// locate gives the octave and the bucket of v at a resolution of b bits. Octave 0 is the linear part [0, 2^b); octave
// o >= 1 is [2^(b+o-1), 2^(b+o)).
func locate(v uint64, b Bits) (octave, index int) {
	e := bits.Len64(v)
	if e <= int(b) {
		return 0, int(v)
	}
	shift := e - int(b) - 1
	return shift + 1, int(v>>shift) - 1<<b
}

// bounds is the inverse of locate: the lowest value of a bucket and its width.
func bounds(octave, index int, b Bits) (low, width uint64) {
	if octave == 0 {
		return uint64(index), 1
	}
	shift := octave - 1
	return (uint64(index) + 1<<b) << shift, 1 << shift
}

func (h *Histogram) bucket(octave, index int) *uint64 {
	if h.octaves[octave] == nil {
		h.octaves[octave] = make([]uint64, 1<<h.Resolution())
	}
	return &h.octaves[octave][index]
}

// Merge adds o to h. The result has the coarser resolution of the two; o stays as it is. Merging is commutative and
// associative, and an empty histogram of a finer or equal resolution is its neutral element.
func (h *Histogram) Merge(o *Histogram) {
	if o.Resolution() < h.Resolution() {
		h.Coarsen(o.Resolution())
	}
	if o.count == 0 {
		return
	}
	if h.count == 0 || o.min < h.min {
		h.min = o.min
	}
	h.max = max(h.max, o.max)
	h.count += o.count
	h.zeros += o.zeros
	h.sum.merge(o.sum)
	if h.coarser == o.coarser {
		for i, from := range o.octaves {
			if from == nil {
				continue
			}
			if h.octaves[i] == nil {
				h.octaves[i] = append([]uint64(nil), from...)
				continue
			}
			to := h.octaves[i][:len(from)]
			for j, n := range from {
				to[j] += n
			}
		}
		return
	}
	o.each(func(octave, index int, n uint64) bool {
		low, _ := bounds(octave, index, o.Resolution())
		to, i := locate(low, h.Resolution())
		*h.bucket(to, i) += n
		return true
	})
}

// each calls f for each bucket with a count, zeros aside, from low to high, until f says false.
func (h *Histogram) each(f func(octave, index int, n uint64) bool) {
	for o, octave := range h.octaves {
		for i, n := range octave {
			if n != 0 && !f(o, i, n) {
				return
			}
		}
	}
}

// Coarsen lowers the resolution to b; a resolution that is already as low stays.
func (h *Histogram) Coarsen(b Bits) {
	if b >= h.Resolution() {
		return
	}
	out := New(b)
	out.Merge(h)
	*h = *out
}

// Clone returns a copy that shares nothing.
func (h *Histogram) Clone() *Histogram {
	out := New(h.Resolution())
	out.Merge(h)
	return out
}

// Reset empties the histogram and keeps its memory for the next samples.
func (h *Histogram) Reset() {
	for _, octave := range h.octaves {
		clear(octave)
	}
	*h = Histogram{coarser: h.coarser, octaves: h.octaves}
}

// Count is the number of samples.
func (h *Histogram) Count() uint64 { return h.count }

// Min is the smallest sample in nanoseconds, exact; 0 when empty.
func (h *Histogram) Min() int64 { return h.min }

// Max is the largest sample in nanoseconds, exact; 0 when empty.
func (h *Histogram) Max() int64 { return h.max }

// Sum is the sum of all samples in nanoseconds. It is kept exactly; only a float64 of more than 2^53 ns (104 days) is
// rounded.
func (h *Histogram) Sum() float64 { return h.sum.float() }

// Mean is the average in nanoseconds; 0 when empty, so ask Count first where 0 could mislead.
func (h *Histogram) Mean() float64 {
	if h.count == 0 {
		return 0
	}
	return h.Sum() / float64(h.count)
}

// Quantile returns the q-quantile in nanoseconds, 0 <= q <= 1, by k6's rule (its TrendSink, v2.2): the rank is
// q*(n-1), and a rank between two samples is interpolated between them. It grows with q, never leaves [Min, Max], and
// is 0 when empty, so ask Count first where 0 could mislead.
func (h *Histogram) Quantile(q float64) float64 {
	if h.count == 0 {
		return 0
	}
	rank := min(max(q, 0), 1) * float64(h.count-1)
	below := math.Floor(rank)
	lo, hi := h.atRanks(uint64(below))
	return lo + (hi-lo)*(rank-below) // at most hi, rounded too: the fraction is below 1
}

// atRanks gives the values at the 0-based rank k and at its successor, the last rank's being itself.
func (h *Histogram) atRanks(k uint64) (at, next float64) {
	if k >= h.count-1 {
		return float64(h.max), float64(h.max)
	}
	if k == 0 {
		at = float64(h.min)
	}
	found := k == 0
	seen := h.zeros // samples in the buckets passed so far
	if !found && k < seen {
		at, found = 0, true
	}
	if k+1 < seen {
		return at, 0
	}
	next = float64(h.max)
	h.each(func(o, i int, n uint64) bool {
		seen += n
		if k >= seen {
			return true
		}
		low, width := bounds(o, i, h.Resolution())
		mid := float64(low) + float64(width-1)/2
		mid = min(max(mid, float64(h.min)), float64(h.max))
		if !found {
			at, found = mid, true
		}
		if k+1 < seen {
			next = mid
			return false
		}
		return true
	})
	if k+1 == h.count-1 {
		next = float64(h.max)
	}
	return at, next
}

// Bucket is a span of values in nanoseconds with the number of samples in it.
type Bucket struct {
	Low, High int64 // Low <= v < High; for zeros 0 and 1; the last bucket of all holds its High, math.MaxInt64, too
	Count     uint64
}

// Buckets lists the buckets that hold samples, from low to high.
func (h *Histogram) Buckets() []Bucket {
	var out []Bucket
	if h.zeros > 0 {
		out = append(out, Bucket{0, 1, h.zeros})
	}
	h.each(func(o, i int, n uint64) bool {
		low, width := bounds(o, i, h.Resolution())
		out = append(out, Bucket{int64(low), int64(min(low+width, math.MaxInt64)), n})
		return true
	})
	return out
}

package hist_test

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"

	"github.com/nollagluiz/broadside/summary/hist"
)

// form is the binary form, which equal histograms share.
func form(h *hist.Histogram) []byte {
	b, _ := h.MarshalBinary()
	return b
}

func equal(a, b *hist.Histogram) bool { return bytes.Equal(form(a), form(b)) }

func merged(parts ...*hist.Histogram) *hist.Histogram {
	out := parts[0].Clone()
	for _, p := range parts[1:] {
		out.Merge(p)
	}
	return out
}

// genSamples draws values of any magnitude, few or many.
func genSamples() *rapid.Generator[samples] {
	return rapid.Custom(func(t *rapid.T) samples {
		value := rapid.OneOf(rapid.Int64Range(0, 2000), rapid.Int64Range(0, math.MaxInt64), rapid.Just(int64(math.MaxInt64)))
		return rapid.SliceOfN(value, 0, 200).Draw(t, "samples")
	})
}

func genBits() *rapid.Generator[hist.Bits] {
	return rapid.SampledFrom([]hist.Bits{hist.Coarse, hist.Coarse + 1, hist.Medium, hist.Fine - 1, hist.Fine})
}

// What TestQuantile shows of shapes holds for any samples at all.
func TestAnySamples(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := genSamples().Draw(t, "s")
		h := s.histogram(genBits().Draw(t, "bits"))
		checkAgainst(t, h, s)
		lo, hi := rapid.Float64Range(0, 1).Draw(t, "lo"), rapid.Float64Range(0, 1).Draw(t, "hi")
		if lo, hi = min(lo, hi), max(lo, hi); h.Quantile(lo) > h.Quantile(hi) {
			t.Errorf("quantile %g is %g, above quantile %g, %g", lo, h.Quantile(lo), hi, h.Quantile(hi))
		}
	})
}

func TestMergeLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		draw := func(name string) *hist.Histogram {
			return genSamples().Draw(t, name).histogram(genBits().Draw(t, name+" bits"))
		}
		a, b, c := draw("a"), draw("b"), draw("c")
		before := form(b)
		if !equal(merged(a, b), merged(b, a)) {
			t.Error("a+b is not b+a")
		}
		if !equal(merged(merged(a, b), c), merged(a, merged(b, c))) {
			t.Error("(a+b)+c is not a+(b+c)")
		}
		if !equal(merged(a, hist.New(hist.Fine)), a) {
			t.Error("a + nothing is not a")
		}
		if !bytes.Equal(before, form(b)) {
			t.Error("merging b changed b")
		}
	})
}

// VU -> loop -> run -> agent -> fleet is the same merge: however samples are dealt out, the whole is the whole.
func TestMergeOfPartsIsPooled(t *testing.T) {
	for _, d := range distributions {
		for _, parts := range []int{1, 2, 7, 100, 1000} {
			t.Run(fmt.Sprintf("%s over %d parts", d.name, parts), func(t *testing.T) {
				r := rand.New(rand.NewPCG(3, uint64(parts)))
				s := draw(r, 20_000, d.draw)
				of := make([]hist.Histogram, parts)
				for _, v := range s {
					// Unequal parts, some of them empty: a square favours the low numbers.
					p := r.Float64()
					of[int(p*p*float64(parts))].Record(v)
				}
				var whole hist.Histogram
				for _, i := range r.Perm(parts) {
					whole.Merge(&of[i])
				}
				if !equal(&whole, s.histogram(hist.Fine)) {
					t.Error("the merged parts are not the pooled samples")
				}
				checkAgainst(t, &whole, s)
			})
		}
	}
}

// A coarser histogram made of a finer one is the one that would have been recorded: roll-ups lose nothing else.
func TestCoarsenIsExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := genSamples().Draw(t, "s")
		from, to := genBits().Draw(t, "from"), genBits().Draw(t, "to")
		h := s.histogram(from)
		h.Coarsen(to)
		if want := s.histogram(min(from, to)); !equal(h, want) {
			t.Errorf("coarsened from %d to %d bits: %v; recorded: %v", from, to, h.Buckets(), want.Buckets())
		}
	})
}

func TestCloneSharesNothing(t *testing.T) {
	h := samples{0, 1, 1000, 1_000_000}.histogram(hist.Medium)
	before := form(h)
	c := h.Clone()
	if !equal(h, c) {
		t.Fatal("the clone is no copy")
	}
	for _, v := range []int64{0, 1, 1000, 1_000_000, 1_000_000_000} {
		c.Record(v)
	}
	if !bytes.Equal(before, form(h)) {
		t.Error("recording in the clone changed the original")
	}
}

func TestReset(t *testing.T) {
	h := samples{0, 3, 1_000_000}.histogram(hist.Coarse)
	h.Reset()
	again := samples{5, 1_000_000}
	for _, v := range again {
		h.Record(v)
	}
	if !equal(h, again.histogram(hist.Coarse)) {
		t.Errorf("after Reset and %v: %v", again, h.Buckets())
	}
	h.Reset()
	if !equal(h, hist.New(hist.Coarse)) {
		t.Errorf("after Reset: %v", h.Buckets())
	}
	if allocs := testing.AllocsPerRun(10, func() {
		h.Record(1_000_001)
		h.Reset()
	}); allocs != 0 {
		t.Errorf("%v allocations after a Reset; want the memory of before to be used", allocs)
	}
}

// A histogram may be merged with itself: that doubles it.
func TestMergeWithItself(t *testing.T) {
	s := samples{0, 9, 700, 5_000_000}
	h := s.histogram(hist.Fine)
	h.Merge(h)
	if want := append(s, s...).histogram(hist.Fine); !equal(h, want) {
		t.Errorf("h + h is %v; want %v", h.Buckets(), want.Buckets())
	}
}

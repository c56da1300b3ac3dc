package hist_test

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"math"
	"math/rand/v2"
	"os"
	"runtime"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/nollagluiz/broadside/summary/hist"
)

func TestCodecRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := genSamples().Draw(t, "s")
		h := s.histogram(genBits().Draw(t, "bits"))
		var back hist.Histogram
		if err := back.UnmarshalBinary(form(h)); err != nil {
			t.Fatal(err)
		}
		if back.Resolution() != h.Resolution() || !equal(&back, h) {
			t.Errorf("came back as %v; want %v", back.Buckets(), h.Buckets())
		}
		checkAgainst(t, &back, s)
	})
}

// golden pins version 1, byte by byte: what agents of this version have sent must be read for ever.
var golden = []struct {
	name string
	bits hist.Bits
	in   samples
	hex  string
}{
	{"empty", hist.Fine, nil, "01 09 00"},
	{"one zero", hist.Coarse, samples{0}, "01 05" +
		"01" + // count
		"00 00" + // sum: high, low
		"00 00" + // min, max-min
		"01"}, // zeros
	{"linear part and first octave", hist.Coarse, samples{1, 1, 31, 32, 33, 63, 64}, "01 05" +
		"07" + "00 e1 01" + "01 3f" + "00" +
		"02 02" + // bucket 1, from -1: two samples
		"1e 01" + // bucket 31, the last linear one
		"01 01" + // bucket 32 = octave 1, index 0
		"01 01" + "1e 01" + // 33 and 63
		"01 01"}, // octave 2, index 0
	{"at Fine", hist.Fine, samples{0, 1_234_567, 1_234_567, 2_000_000_000}, "01 09" +
		"04" + "00 8e 82 ed ba 07" + "00 80 a8 d6 b9 07" + "01" +
		"db 30 02" + // octave 12, index 90
		"df 2a 01"}, // octave 22, index 441
	{"the largest value", hist.Coarse, samples{math.MaxInt64}, "01 05" +
		"01" + "00 ff ff ff ff ff ff ff ff 7f" + "ff ff ff ff ff ff ff ff 7f 00" + "00" +
		"e0 0e 01"}, // octave 58, index 31: number 1887
}

func unhex(t testing.TB, text string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(text, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestGolden(t *testing.T) {
	for _, g := range golden {
		t.Run(g.name, func(t *testing.T) {
			want := unhex(t, g.hex)
			if got := form(g.in.histogram(g.bits)); !bytes.Equal(got, want) {
				t.Errorf("encodes as\n% x; want\n% x", got, want)
			}
			var h hist.Histogram
			if err := h.UnmarshalBinary(want); err != nil {
				t.Fatal(err)
			}
			checkAgainst(t, &h, g.in)
		})
	}
}

// The example of docs/wire.md is the golden of the same samples.
func TestWirePage(t *testing.T) {
	page, err := os.ReadFile("../../docs/wire.md")
	if err != nil {
		t.Fatal(err)
	}
	_, example, ok := strings.Cut(string(page), "at b = 5:\n\n")
	if !ok {
		t.Fatal("the example is gone")
	}
	example, _, _ = strings.Cut(example, "\n\n")
	var text string
	for line := range strings.Lines(example) {
		form, _, _ := strings.Cut(strings.TrimSpace(line), "  ")
		text += form
	}
	if got, want := unhex(t, text), unhex(t, golden[2].hex); !bytes.Equal(got, want) {
		t.Errorf("the page says\n% x; want\n% x", got, want)
	}
}

// encode writes a form by hand: a resolution and numbers.
func encode(bits byte, numbers ...uint64) []byte {
	out := []byte{1, bits}
	for _, n := range numbers {
		out = binary.AppendUvarint(out, n)
	}
	return out
}

func TestUnmarshalRefuses(t *testing.T) {
	for _, c := range []struct {
		name string
		in   []byte
		why  string
	}{
		{"nothing", nil, "too short"},
		{"version 0", []byte{0, 9, 0}, "version 0"},
		{"version 2", []byte{2, 9, 0}, "version 2; known: 1"},
		{"resolution 4", []byte{1, 4, 0}, "resolution of 4 bits"},
		{"resolution 10", []byte{1, 10, 0}, "resolution of 10 bits"},
		{"empty with more", []byte{1, 9, 0, 0}, "bytes after the end"},
		{"too large", append([]byte{1, 9}, make([]byte, hist.MaxEncoded)...), "at most 131072"},
		{"a number that never ends", append([]byte{1, 9}, bytes.Repeat([]byte{0xff}, 20)...), "cut short"},
		{"a padded number", []byte{1, 9, 0x80, 0}, "longer than it must be"},
		{"no bucket", encode(5, 1, 0, 7, 7, 0, 0), "don't add up"},
		{"too few samples", encode(5, 3, 0, 14, 7, 0, 0, 8, 2), "don't add up"},
		{"too many samples", encode(5, 1, 0, 14, 7, 0, 0, 8, 2), "don't add up"},
		{"counts that overflow", encode(5, 2, 0, 14, 7, 0, 0, 8, math.MaxUint64, 1, 3), "don't add up"},
		{"more zeros than samples", encode(5, 1, 0, 0, 0, 0, 2), "more samples in buckets"},
		{"more samples than are countable", encode(5, 1<<53+1, 0, 0, 0, 0, 1<<53+1), "at most 9007199254740992"},
		{"an empty bucket", encode(5, 1, 0, 7, 7, 0, 0, 6, 0, 2, 1), "don't add up"},
		{"zeros as a bucket", encode(5, 1, 0, 0, 0, 0, 0, 1, 1), "zeros are no bucket"},
		{"a bucket twice", encode(5, 2, 0, 14, 7, 0, 0, 8, 1, 0, 1), "out of order"},
		{"a bucket beyond the last", encode(5, 1, 0, 7, 7, 0, 0, 59*32+1, 1), "out of order or range"},
		{"a distance that overflows", encode(5, 2, 0, 14, 7, 0, 0, 8, 1, math.MaxUint64, 1), "out of order or range"},
		{"min below its bucket", encode(5, 1, 0, 7, 6, 1, 0, 8, 1), "min or max outside"},
		{"min above its bucket", encode(5, 1, 0, 7, 8, 0, 0, 8, 1), "min or max outside"},
		{"max above its bucket", encode(5, 1, 0, 7, 7, 1, 0, 8, 1), "min or max outside"},
		{"max below its bucket", encode(5, 2, 0, 15, 7, 1, 0, 8, 1, 2, 1), "min or max outside"},
		{"zeros, and a min", encode(5, 2, 0, 7, 7, 0, 1, 8, 1), "min or max outside"},
		{"a negative max", encode(5, 1, 0, 7, 1<<63, 0, 0, 8, 1), "out of range"},
		{"a max that overflows", encode(5, 1, 0, 7, 7, math.MaxInt64, 0, 8, 1), "out of range"},
		{"too small a sum", encode(5, 2, 0, 13, 7, 0, 0, 8, 2), "sum outside"},
		{"too large a sum", encode(5, 2, 0, 15, 7, 0, 0, 8, 2), "sum outside"},
		{"a sum of 128 bits", encode(5, 2, math.MaxUint64, math.MaxUint64, 7, 0, 0, 8, 2), "sum outside"},
		{"a sum that overflows", encode(5, 2, math.MaxUint64, math.MaxUint64, 64, 1, 0, 65, 2), "sum outside"},
		{"no sample is the max", encode(5, 2, 0, 128, 64, 1, 0, 65, 2), "sum outside"},
		{"no sample is the min", encode(5, 2, 0, 130, 64, 1, 0, 65, 2), "sum outside"},
		{"one sample, two values", encode(5, 1, 0, 64, 64, 1, 0, 65, 1), "sum outside"},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := samples{42}.histogram(hist.Medium)
			before := form(h)
			err := h.UnmarshalBinary(c.in)
			if !errors.Is(err, hist.ErrCodec) || !strings.Contains(err.Error(), c.why) {
				t.Errorf("error %v; want one that wraps ErrCodec and says %q", err, c.why)
			}
			if !bytes.Equal(before, form(h)) {
				t.Error("the histogram was changed all the same")
			}
		})
	}
}

// Cut at any byte, or with a byte too many, a form is refused: nobody mistakes half a result for a whole one.
func TestTruncated(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 4))
	for _, d := range distributions {
		t.Run(d.name, func(t *testing.T) {
			whole := form(draw(r, 200, d.draw).histogram(hist.Coarse))
			var h hist.Histogram
			for n := range whole {
				if err := h.UnmarshalBinary(whole[:n]); err == nil {
					t.Fatalf("%d bytes of %d were taken", n, len(whole))
				}
			}
			if err := h.UnmarshalBinary(append(whole, 1)); err == nil {
				t.Error("a byte too many was taken")
			}
		})
	}
}

// hostile is the form whose histogram takes the most memory for its length: a sample in each octave.
func hostile() []byte {
	h := hist.New(hist.Fine)
	for e := range 63 {
		h.Record(1 << e)
	}
	return form(h)
}

func TestUnmarshalMemoryIsBounded(t *testing.T) {
	data := hostile()
	var before, after runtime.MemStats
	var h hist.Histogram
	runtime.ReadMemStats(&before)
	err := h.UnmarshalBinary(data)
	runtime.ReadMemStats(&after)
	if err != nil {
		t.Fatal(err)
	}
	if got := after.TotalAlloc - before.TotalAlloc; got > 256<<10 {
		t.Errorf("%d bytes were allocated for a form of %d; want at most 256 KiB", got, len(data))
	}
}

// The sizes that the codec's comment states.
func TestEncodedSize(t *testing.T) {
	s := draw(rand.New(rand.NewPCG(5, 5)), 3000, distributions[0].draw)
	for bits, want := range map[hist.Bits]int{hist.Coarse: 500, hist.Fine: 3500} {
		if got := len(form(s.histogram(bits))); got > want {
			t.Errorf("3,000 samples take %d bytes at %d bits; want at most %d", got, bits, want)
		}
	}
	full := hist.New(hist.Fine)
	for v := int64(1024); v < 1<<30; v += max(1, v/1024) {
		full.RecordN(v, 1<<24) // a count of 4 bytes
	}
	if got := len(form(full)); got > hist.MaxEncoded {
		t.Errorf("twenty full octaves take %d bytes; want at most %d", got, hist.MaxEncoded)
	}
}

// FuzzUnmarshal: no input panics, or makes more of itself than bounded; what is taken is a consistent histogram, and
// its form is the very input.
func FuzzUnmarshal(f *testing.F) {
	for _, g := range golden {
		f.Add(unhex(f, g.hex))
	}
	f.Add(hostile())
	f.Add(form(draw(rand.New(rand.NewPCG(6, 6)), 300, distributions[1].draw).histogram(hist.Fine)))
	f.Fuzz(func(t *testing.T, data []byte) {
		var h hist.Histogram
		if err := h.UnmarshalBinary(data); err != nil {
			if !errors.Is(err, hist.ErrCodec) || h.Count() != 0 {
				t.Errorf("error %v, and %d samples", err, h.Count())
			}
			return
		}
		if back := form(&h); !bytes.Equal(back, data) {
			t.Errorf("taken, but encoded as % x", back)
		}
		last := float64(h.Min())
		for _, q := range quantiles {
			if v := h.Quantile(q); v < last || v > float64(h.Max()) {
				t.Errorf("quantile %g is %g; before it %g, max %d", q, v, last, h.Max())
			} else {
				last = v
			}
		}
		if h.Count() > 0 && (h.Mean() < float64(h.Min())*(1-1e-12) || h.Mean() > float64(h.Max())*(1+1e-12)) {
			t.Errorf("mean %g lies outside [%d, %d]", h.Mean(), h.Min(), h.Max())
		}
		coarse := h.Clone()
		coarse.Coarsen(hist.Coarse)
		coarse.Merge(&h)
		if coarse.Count() != 2*h.Count() {
			t.Errorf("merged twice: %d samples; want %d", coarse.Count(), 2*h.Count())
		}
	})
}

package hist

import (
	"math"
	"math/bits"
)

// sum128 is an exact sum of products in 128 bits: 2^64 samples of 2^63 ns fit.
type sum128 struct{ hi, lo uint64 }

// add adds n times v.
func (s *sum128) add(v, n uint64) {
	hi, lo := bits.Mul64(v, n)
	s.merge(sum128{hi, lo})
}

func (s *sum128) merge(o sum128) {
	var carry uint64
	s.lo, carry = bits.Add64(s.lo, o.lo, 0)
	s.hi, _ = bits.Add64(s.hi, o.hi, carry)
}

func (s sum128) less(o sum128) bool { return s.hi < o.hi || s.hi == o.hi && s.lo < o.lo }

func (s sum128) float() float64 { return math.Ldexp(float64(s.hi), 64) + float64(s.lo) }

package pace

import (
	"math/bits"
	"time"

	"github.com/nollagluiz/broadside/plan"
)

// newConstantArrivalRate returns the executor whose iteration n, counted from 0 over all shares, is due at
// n*timeUnit/rate, rounded down to the nanosecond, and before duration: so duration*rate/timeUnit of them, rounded up.
func newConstantArrivalRate(s plan.Scenario, share plan.Share) *arrivals {
	part := among(share, s.MaxVUs)
	return newArrivals(s, share, &steady{
		n: uint64(part.I), step: uint64(part.N), rate: uint64(s.Rate), unit: uint64(s.TimeUnit), length: s.Duration,
	})
}

// steady is the timetable of a constant rate.
type steady struct {
	n, step    uint64 // the next iteration, and how many until the one after
	rate, unit uint64 // iterations in unit, ns
	length     time.Duration
}

func (t *steady) following() (time.Duration, bool) {
	// n*unit passes 64 bits: 24 h at MaxRate with a time unit of 24 h.
	high, low := bits.Mul64(t.n, t.unit)
	if high >= t.rate { // the quotient has no room in 64 bits, so it is later than any length
		return 0, false
	}
	due, _ := bits.Div64(high, low, t.rate)
	if due >= uint64(t.length) {
		return 0, false
	}
	t.n += t.step
	return time.Duration(due), true
}

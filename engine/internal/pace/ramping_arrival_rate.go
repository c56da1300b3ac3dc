package pace

import (
	"math"
	"math/big"
	"time"

	"github.com/nollagluiz/broadside/plan"
)

// newRampingArrivalRate returns the executor whose iteration i, counted from 1 over all shares, is due when the integral
// of the rate over time reaches i: so as many as the integral over all stages holds, rounded down, the last one perhaps
// just at the end. In a stage of duration D with rates from and to per timeUnit U, which begins with the integral at a,
// that is x after its start, with q = (i-a)*U:
//
//	from*x + (to-from)*x^2/(2*D) = q, so x = 2*q / (from + sqrt(from^2 + 2*q*(to-from)/D))
func newRampingArrivalRate(s plan.Scenario, share plan.Share) *arrivals {
	part := among(share, s.MaxVUs)
	return newArrivals(s, share, &ramps{
		ramps: newRamps(s), unit: float64(s.TimeUnit), i: int64(part.I) + 1, step: int64(part.N),
	})
}

// ramp is a stage of changing rate. Whether an iteration is due in it is exact. When is off by a nanosecond at most, but
// where the rate comes to nothing: there the last of them turn on the last digit of a float.
type ramp struct {
	start, duration time.Duration
	from, to        float64 // iterations each unit
	before          int64   // iterations that were due before it
	part            float64 // of one iteration more that was over then, times unit
	upto            int64   // iterations that are due before its end or just at it
}

// newRamps lays the stages out. The integral times 2*unit is a whole number: it passes 64 bits, so big ones count it.
func newRamps(s plan.Scenario) []ramp {
	var ramps []ramp
	from, start := s.StartRate, time.Duration(0)
	twice := big.NewInt(2 * int64(s.TimeUnit))
	sum, whole, part := new(big.Int), new(big.Int), new(big.Int)
	for _, stage := range s.Stages {
		r := ramp{start: start, duration: stage.Duration, from: float64(from), to: float64(stage.Target)}
		r.before, r.part = whole.Int64(), float64(part.Int64())/2
		area := new(big.Int).Mul(big.NewInt(int64(from)+int64(stage.Target)), big.NewInt(int64(stage.Duration)))
		whole.DivMod(sum.Add(sum, area), twice, part)
		r.upto = whole.Int64()
		ramps = append(ramps, r)
		from, start = stage.Target, start+stage.Duration
	}
	return ramps
}

// ramps is the timetable of a changing rate.
type ramps struct {
	ramps   []ramp // that are not over
	unit    float64
	i, step int64 // the next iteration, and how many until the one after
}

func (t *ramps) following() (time.Duration, bool) {
	for len(t.ramps) > 0 && t.i > t.ramps[0].upto {
		t.ramps = t.ramps[1:]
	}
	if len(t.ramps) == 0 {
		return 0, false
	}
	r := &t.ramps[0]
	q := float64(t.i-r.before)*t.unit - r.part
	t.i += t.step
	return r.start + r.after(q), true
}

// after is how long after its start the ramp has done q, not after its end.
func (r *ramp) after(q float64) time.Duration {
	root := math.Sqrt(max(r.from*r.from+2*q*(r.to-r.from)/float64(r.duration), 0))
	x := time.Duration(math.Round(2 * q / (r.from + root)))
	return min(x, r.duration)
}

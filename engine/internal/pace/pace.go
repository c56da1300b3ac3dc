// Package pace holds the executors: which virtual user starts an iteration when. They are pure and single-threaded;
// the host that drives one calls it under its own lock and owns clock and goroutines. One file per executor, named as
// in k6 (k6 v2.2, "Executors"). Times are offsets from the start of the run.
package pace

import (
	"fmt"
	"time"

	"github.com/nollagluiz/broadside/plan"
)

// Verdict is an executor's answer to a VU that is free.
type Verdict uint8

// The verdicts.
const (
	Go     Verdict = iota // begin an iteration now
	Park                  // wait to be named in Orders.Start again
	Retire                // no iteration any more
)

// Orders is what is due at a Tick. The slices hold VU numbers and are the host's memory, handed in empty.
type Orders struct {
	Start   []int // begin iterating: ask Free
	Drain   []int // end the iteration under way, then retire
	Kill    []int // interrupt the iteration under way, then retire
	Dropped int   // iterations that will never begin: they were due and found no VU, or the time was over
	Over    bool  // no Start will come any more: the run ends when the last VU retired
}

// Executor decides who runs when. VUs are numbered from 0 to MaxVUs-1. now never decreases from call to call. No method
// allocates, but that Tick grows the slices of its Orders.
type Executor interface {
	// Free is asked of a started VU before each iteration; after Park, once the VU is started again. due is when the
	// iteration of a Go was to begin: now in a closed model, now or before in an open one.
	Free(now time.Duration, vu int) (v Verdict, due time.Duration)
	// Tick fills out with what is due at now and says when to ask again, later than now unless out.Over with nothing
	// left to order. The host asks at that time or later; asking sooner changes nothing.
	Tick(now time.Duration, out *Orders) (next time.Duration)
	// VUs is how many VUs there are: k6's initialized ones.
	VUs() int
	// MaxVUs is how many there may be at the most.
	MaxVUs() int
}

// New returns the executor of a valid, resolved scenario, for this engine's share of it.
func New(s plan.Scenario, share plan.Share) (Executor, error) {
	e, err := newExecutor(s, share)
	switch {
	case err != nil:
		return nil, err
	case e.MaxVUs() == 0:
		return nobody{}, nil
	case s.StartTime > 0:
		return &delayed{e, s.StartTime}, nil
	}
	return e, nil
}

func newExecutor(s plan.Scenario, share plan.Share) (Executor, error) {
	switch s.Executor {
	case plan.ConstantVUs:
		return newConstantVUs(s, share), nil
	case plan.SharedIterations:
		return newSharedIterations(s, share), nil
	case plan.PerVUIterations:
		return newPerVUIterations(s, share), nil
	case plan.RampingVUs:
		return newRampingVUs(s, share), nil
	case plan.ConstantArrivalRate:
		return newConstantArrivalRate(s, share), nil
	case plan.RampingArrivalRate:
		return newRampingArrivalRate(s, share), nil
	default:
		return nil, fmt.Errorf("unknown executor %q", s.Executor)
	}
}

// nobody is the executor of a share to which no VU falls.
type nobody struct{}

func (nobody) Free(now time.Duration, _ int) (Verdict, time.Duration) { return Retire, now }
func (nobody) VUs() int                                               { return 0 }
func (nobody) MaxVUs() int                                            { return 0 }

func (nobody) Tick(now time.Duration, out *Orders) time.Duration {
	out.Over = true
	return now
}

// among narrows a share to the parts to which one of the vus falls, so that iterations, dealt out by index, fall to no
// part that could not begin them. To a part without a VU it gives no meaningful share.
func among(s plan.Share, vus int) plan.Share { return plan.Share{I: s.I, N: max(min(s.N, vus), 1)} }

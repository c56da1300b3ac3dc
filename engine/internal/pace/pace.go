// Package pace holds the executors: which virtual user starts an iteration when. They are pure and single-threaded;
// the host that drives one calls it under its own lock and owns clock and goroutines. One file per executor, named as
// in k6 (k6 v2.2, "Executors").
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
	Start   []int // begin iterating
	Drain   []int // end the iteration under way, then retire
	Kill    []int // interrupt the iteration under way, then retire
	Dropped int   // iterations that were due and found no VU
	Over    bool  // no Start will come any more: the run ends when the last VU retired
}

// Executor decides who runs when. VUs are numbered from 0 to MaxVUs-1.
type Executor interface {
	// Free is asked of a started VU before each iteration; after Park, once the VU is started again.
	Free(now time.Duration, vu int) Verdict
	// Tick fills out with what is due at now and says when to ask again, later than now unless out.Over with nothing
	// left to order. The host asks at that time or later; asking sooner changes nothing.
	Tick(now time.Duration, out *Orders) (next time.Duration)
	// MaxVUs is how many VUs it may have at the most.
	MaxVUs() int
}

// New returns the executor of a valid, resolved scenario, for this engine's share of it.
func New(s plan.Scenario, share plan.Share) (Executor, error) {
	switch s.Executor {
	case plan.ConstantVUs:
		return newConstantVUs(s, share), nil
	default:
		return nil, fmt.Errorf("unknown executor %q", s.Executor)
	}
}

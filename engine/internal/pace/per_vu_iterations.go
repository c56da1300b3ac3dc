package pace

import (
	"time"

	"github.com/nollagluiz/broadside/plan"
)

// perVUIterations gives each VU as many iterations, until maxDuration: what is left then is dropped.
type perVUIterations struct {
	looping
	left []int // iterations of each VU
	sum  int   // of left
}

func newPerVUIterations(s plan.Scenario, share plan.Share) *perVUIterations {
	e := &perVUIterations{looping: newLooping(s, share)}
	e.left = make([]int, e.vus)
	for vu := range e.left {
		e.left[vu] = s.Iterations
	}
	e.sum = e.vus * s.Iterations
	return e
}

func (e *perVUIterations) Free(now time.Duration, vu int) (Verdict, time.Duration) {
	if now >= e.length || e.left[vu] == 0 {
		return Retire, now
	}
	e.left[vu]--
	e.sum--
	return Go, now
}

func (e *perVUIterations) Tick(now time.Duration, out *Orders) time.Duration {
	if now >= e.length {
		out.Dropped += e.sum
		e.sum = 0
	}
	next := e.looping.Tick(now, out)
	out.Over = e.sum == 0
	return next
}

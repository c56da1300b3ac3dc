package pace

import (
	"time"

	"github.com/nollagluiz/broadside/plan"
)

// sharedIterations has its VUs take iterations from one heap until it is empty, or until maxDuration: what is left then
// is dropped.
type sharedIterations struct {
	looping
	left int // iterations
}

func newSharedIterations(s plan.Scenario, share plan.Share) *sharedIterations {
	return &sharedIterations{newLooping(s, share), among(share, s.VUs).Of(s.Iterations)}
}

func (e *sharedIterations) Free(now time.Duration, _ int) (Verdict, time.Duration) {
	if now >= e.length || e.left == 0 {
		return Retire, now
	}
	e.left--
	return Go, now
}

func (e *sharedIterations) Tick(now time.Duration, out *Orders) time.Duration {
	if now >= e.length {
		out.Dropped += e.left
		e.left = 0
	}
	next := e.looping.Tick(now, out)
	out.Over = e.left == 0
	return next
}

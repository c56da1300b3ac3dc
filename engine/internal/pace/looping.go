package pace

import (
	"slices"
	"time"

	"github.com/nollagluiz/broadside/plan"
)

// looping is what the executors have in common whose VUs loop: all begin at 0, no iteration begins at or after length,
// and those under way are cut at cut. A negative gracefulStop cuts them at length.
type looping struct {
	vus    int
	length time.Duration
	cut    time.Duration // length + gracefulStop
	given  orders        // so far
}

// orders is how far a looping executor has come.
type orders uint8

const (
	none orders = iota
	started
	drained
	killed
)

func newLooping(s plan.Scenario, share plan.Share) looping {
	length := s.Length()
	return looping{vus: share.Of(s.VUs), length: length, cut: length + max(s.GracefulStop, 0)}
}

func (e *looping) VUs() int    { return e.vus }
func (e *looping) MaxVUs() int { return e.vus }

func (e *looping) Tick(now time.Duration, out *Orders) time.Duration {
	if e.given == none {
		e.given = started
		out.Start = e.all(out.Start)
	}
	if now < e.length {
		return e.length
	}
	out.Over = true
	if now >= e.cut && e.given < killed {
		e.given = killed
		out.Kill = e.all(out.Kill)
	}
	if e.given < drained {
		e.given = drained
		out.Drain = e.all(out.Drain)
	}
	return max(now, e.cut)
}

func (e *looping) all(to []int) []int {
	to = slices.Grow(to, e.vus)
	for vu := range e.vus {
		to = append(to, vu)
	}
	return to
}

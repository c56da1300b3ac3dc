package pace

import (
	"time"

	"github.com/nollagluiz/broadside/plan"
)

// constantVUs loops a number of VUs from 0 to duration. No iteration starts at or after duration; those under way may
// end for gracefulStop, then they are cut. A negative gracefulStop cuts them at duration.
type constantVUs struct {
	vus      int
	duration time.Duration
	cut      time.Duration // duration + gracefulStop
	given    orders        // so far
}

// orders is how far constantVUs has come.
type orders uint8

const (
	none orders = iota
	started
	drained
	killed
)

func newConstantVUs(s plan.Scenario, share plan.Share) *constantVUs {
	return &constantVUs{vus: share.Of(s.VUs), duration: s.Duration, cut: s.Duration + max(s.GracefulStop, 0)}
}

func (e *constantVUs) MaxVUs() int { return e.vus }

func (e *constantVUs) Free(now time.Duration, _ int) Verdict {
	if now < e.duration {
		return Go
	}
	return Retire
}

func (e *constantVUs) Tick(now time.Duration, out *Orders) time.Duration {
	if e.given == none {
		e.given = started
		out.Start = e.all(out.Start)
	}
	if now < e.duration && e.vus > 0 {
		return e.duration
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

func (e *constantVUs) all(to []int) []int {
	for vu := range e.vus {
		to = append(to, vu)
	}
	return to
}

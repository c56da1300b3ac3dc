package pace

import (
	"time"

	"github.com/nollagluiz/broadside/plan"
)

// constantVUs loops a number of VUs for a duration.
type constantVUs struct{ looping }

func newConstantVUs(s plan.Scenario, share plan.Share) *constantVUs {
	return &constantVUs{newLooping(s, share)}
}

func (e *constantVUs) Free(now time.Duration, _ int) (Verdict, time.Duration) {
	if now < e.length {
		return Go, now
	}
	return Retire, now
}

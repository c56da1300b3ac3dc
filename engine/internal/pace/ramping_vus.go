package pace

import (
	"time"

	"github.com/nollagluiz/broadside/plan"
)

// rampingVUs loops a number of VUs that stages change linearly. With T the end of a stage, D its duration, from and to
// its VUs, counted from 1 over all shares, by k6's rule:
//
//	going up,   VU k begins to loop at       T - D*(to-k)/(to-from)      the peak is there when the stage ends
//	going down, VU k is asked to stop at     T - D*(k-1-to)/(from-to)    the first after a step, the last at the end
//
// So the VU that began last stops first. One that was asked to stop may end its iteration for grace; then it is cut.
// Until then its place is reserved: a stage that goes up again finds it at work. At length all are asked to stop, and at
// cut, whatever grace is left, those under way are cut.
type rampingVUs struct {
	share  plan.Share
	stages []plan.Stage
	vus    int
	length time.Duration
	cut    time.Duration
	grace  time.Duration

	stage  int             // the stage of the next event
	from   int             // VUs at its start
	end    time.Duration   // its end
	next   time.Duration   // the next event
	active int             // VUs of this share that are to loop
	told   int             // VUs that the host believes to loop: Start and Drain bring it to active
	high   int             // VUs active..high-1 were stopped, and may still be at work
	killAt []time.Duration // of those; it falls from VU to VU, since the last stopped first
}

func newRampingVUs(s plan.Scenario, share plan.Share) *rampingVUs {
	start, length := max(s.StartVUs, 0), s.Length()
	e := &rampingVUs{
		share:  share,
		stages: s.Stages,
		vus:    share.Of(s.Peak()),
		length: length,
		cut:    length + max(s.GracefulStop, 0),
		grace:  max(s.GracefulRampDown, 0),
		from:   start,
		end:    s.Stages[0].Duration,
		active: share.Of(start),
	}
	e.killAt = make([]time.Duration, e.vus)
	return e
}

func (e *rampingVUs) VUs() int    { return e.vus }
func (e *rampingVUs) MaxVUs() int { return e.vus }

func (e *rampingVUs) Free(now time.Duration, vu int) (Verdict, time.Duration) {
	if now >= e.next {
		e.advance(now)
	}
	if now < e.length && vu < e.active {
		return Go, now
	}
	e.told = min(e.told, vu)
	return Retire, now
}

func (e *rampingVUs) Tick(now time.Duration, out *Orders) time.Duration {
	e.advance(now)
	active := e.active
	if now >= e.length {
		out.Over = true
		active = 0
	}
	for ; e.told < active; e.told++ {
		out.Start = append(out.Start, e.told)
	}
	e.high = max(e.high, e.told)
	for e.told > active {
		e.told--
		out.Drain = append(out.Drain, e.told)
	}
	next := e.next
	if out.Over {
		next = now
	}
	for ; e.high > active; e.high-- {
		if at := e.killTime(e.high - 1); at > now {
			if out.Over {
				return at
			}
			return min(next, at)
		}
		out.Kill = append(out.Kill, e.high-1)
	}
	return next
}

// killTime is when a VU that is to stop is cut.
func (e *rampingVUs) killTime(vu int) time.Duration {
	if vu < e.active { // stopped by the end, and by no stage
		return e.cut
	}
	return min(e.killAt[vu], e.cut)
}

// advance goes through the events up to now.
func (e *rampingVUs) advance(now time.Duration) {
	for e.stage < len(e.stages) {
		s := e.stages[e.stage]
		switch target := e.share.Of(s.Target); {
		case e.active < target:
			k := e.number(e.active)
			e.next = e.end - s.Duration*time.Duration(s.Target-k)/time.Duration(s.Target-e.from)
			if e.next > now {
				return
			}
			e.active++
		case e.active > target:
			k := e.number(e.active - 1)
			e.next = e.end - s.Duration*time.Duration(k-1-s.Target)/time.Duration(e.from-s.Target)
			if e.next > now {
				return
			}
			e.active--
			e.killAt[e.active] = e.next + e.grace
		default:
			e.from = s.Target
			if e.stage++; e.stage < len(e.stages) {
				e.end += e.stages[e.stage].Duration
			}
		}
	}
	e.next = e.length
}

// number is which VU of all shares, counted from 1, is this share's vu.
func (e *rampingVUs) number(vu int) int { return e.share.I + vu*max(e.share.N, 1) + 1 }

package pace

import (
	"time"

	"github.com/nollagluiz/broadside/plan"
)

// arrivals is what the executors have in common whose iterations begin when they are due, whatever became of those
// before: the open models. A due iteration takes a free VU, or is dropped for good; then one more VU is made, up to
// MaxVUs, which is there for the next. So it is a function of the due times alone, however late the host asks: all that
// is due begins, one after another.
//
// Of the free VUs it takes the one that has been free longest, so that each gets to work and has a connection: were one
// opened when the target stalls, the stall would be in http_req_blocked, which http_req_duration leaves out.
//
// Invariant: iterations that were due = those that began + those that were dropped.
type arrivals struct {
	timetable
	due    time.Duration // of the next iteration, if more
	more   bool
	length time.Duration
	cut    time.Duration

	made    int             // VUs
	idle    queue           // VUs that are free
	dueOf   []time.Duration // of a VU: when the iteration was due that Start gave it and that it has not begun; or unset
	drained bool
	killed  bool
}

// timetable says when iterations are due.
type timetable interface {
	// following gives the next due time, not before the last one; none after length.
	following() (due time.Duration, more bool)
}

const unset = -1

func newArrivals(s plan.Scenario, share plan.Share, t timetable) *arrivals {
	vus := share.Of(s.MaxVUs)
	e := &arrivals{
		timetable: t,
		length:    s.Length(),
		cut:       s.Length() + max(s.GracefulStop, 0),
		made:      share.Of(max(s.PreAllocatedVUs, 0)),
		idle:      queue{vus: make([]int, vus)},
		dueOf:     make([]time.Duration, vus),
	}
	for vu := range e.dueOf {
		e.dueOf[vu] = unset
	}
	for vu := range e.made {
		e.idle.push(vu)
	}
	e.due, e.more = t.following()
	return e
}

func (e *arrivals) VUs() int    { return e.made }
func (e *arrivals) MaxVUs() int { return len(e.dueOf) }

func (e *arrivals) Free(now time.Duration, vu int) (Verdict, time.Duration) {
	if due := e.dueOf[vu]; due != unset {
		e.dueOf[vu] = unset
		return Go, due
	}
	switch due := e.due; {
	case e.more && due <= now && now < e.cut: // the host has not asked yet
		e.due, e.more = e.following()
		return Go, due
	case now >= e.length:
		return Retire, now
	}
	e.idle.push(vu)
	return Park, now
}

func (e *arrivals) Tick(now time.Duration, out *Orders) time.Duration {
	for ; e.more && e.due <= now; e.due, e.more = e.following() {
		switch {
		case now >= e.cut:
			out.Dropped++
		case e.idle.n == 0:
			out.Dropped++
			e.grow()
		default:
			vu := e.idle.pop()
			e.dueOf[vu] = e.due
			out.Start = append(out.Start, vu)
		}
	}
	switch {
	case e.more:
		return e.due
	case now < e.length:
		return e.length
	}
	out.Over = true
	if now >= e.cut && !e.killed {
		e.killed = true
		e.kill(out)
	}
	if !e.drained {
		e.drained = true
		for e.idle.n > 0 {
			out.Drain = append(out.Drain, e.idle.pop())
		}
	}
	return max(now, e.cut)
}

// grow makes one VU more if there may be one.
func (e *arrivals) grow() {
	if e.made < len(e.dueOf) {
		e.idle.push(e.made)
		e.made++
	}
}

// kill interrupts all. What a VU has been given and not begun, it never will begin.
func (e *arrivals) kill(out *Orders) {
	for vu := range e.made {
		out.Kill = append(out.Kill, vu)
		if e.dueOf[vu] != unset {
			e.dueOf[vu] = unset
			out.Dropped++
		}
	}
}

// queue is a ring of VUs, which has room for all.
type queue struct {
	vus   []int
	first int
	n     int
}

func (q *queue) push(vu int) {
	q.vus[(q.first+q.n)%len(q.vus)] = vu
	q.n++
}

func (q *queue) pop() int {
	vu := q.vus[q.first]
	q.first = (q.first + 1) % len(q.vus)
	q.n--
	return vu
}

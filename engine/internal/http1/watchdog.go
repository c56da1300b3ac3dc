package http1

import (
	"math"
	"sync/atomic"
	"time"
)

const (
	never = math.MaxInt64
	// nap is the least time between two looks at all VUs, so that a thousand deadlines in a row are not a thousand looks.
	nap = time.Millisecond
)

// watchdog cuts exchanges at their deadlines: one goroutine for all VUs, and no timer for a request. It sleeps until the
// earliest deadline that it has seen; as a VU's deadlines follow one another, requests that end in time don't wake it.
type watchdog struct {
	next    atomic.Int64  // when it looks again, an offset in ns
	wake    chan struct{} // cap 1: a deadline came that is earlier
	quit    chan struct{}
	stopped chan struct{}
}

func (w *watchdog) start(now func() time.Duration, vus []vu) {
	w.wake, w.quit, w.stopped = make(chan struct{}, 1), make(chan struct{}), make(chan struct{})
	w.next.Store(never)
	go func() {
		defer close(w.stopped)
		w.run(now, vus)
	}()
}

// stop waits until it has ended.
func (w *watchdog) stop() {
	close(w.quit)
	<-w.stopped
}

// mind makes sure that it looks at a deadline that a VU has set.
func (w *watchdog) mind(deadline time.Duration) {
	if int64(deadline) < w.next.Load() {
		select {
		case w.wake <- struct{}{}:
		default:
		}
	}
}

func (w *watchdog) run(now func() time.Duration, vus []vu) {
	timer := time.NewTimer(never)
	defer timer.Stop()
	for {
		// Invariant: a deadline that the look misses is set after next says never, so its VU wakes us for another.
		w.next.Store(never)
		next, at := int64(never), now()
		for i := range vus {
			next = min(next, vus[i].expire(at))
		}
		w.next.Store(next)
		timer.Reset(max(time.Duration(next)-now(), nap))
		select {
		case <-w.quit:
			return
		case <-w.wake:
		case <-timer.C:
		}
	}
}

// expire cuts the exchange under way if its time is over, and gives the deadline to look at next.
func (v *vu) expire(now time.Duration) int64 {
	if d := v.deadline.Load(); d == 0 {
		return never
	} else if d > int64(now) {
		return d
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	switch d := v.deadline.Load(); {
	case d == 0:
		return never
	case d > int64(now): // of another exchange
		return d
	}
	v.severLocked()
	return never
}

//go:build linux

package loop

import (
	"time"

	"github.com/nollagluiz/broadside/engine/internal/core"
	"github.com/nollagluiz/broadside/engine/internal/http1"
	"github.com/nollagluiz/broadside/engine/internal/pace"
)

// state is where a VU is. What wakes it, and what a kill does:
//
//	state      | it waits for                              | kill
//	-----------+-------------------------------------------+-------------------------------------------
//	retired    | a start                                   | -
//	parked     | a start                                   | retires
//	resting    | the end of the back-off                   | retires
//	pausing    | the end of the pause                      | cuts the iteration
//	queued     | its turn to dial                          | cuts the exchange
//	connecting | the kernel, which connects                | cuts the exchange
//	dialing    | its goroutine, which makes a connection   | stops that; then the exchange is cut
//	talking    | its connection to tell of something       | cuts the exchange
//	lending    | its goroutine, which reads what is odd    | stops that; then the exchange is cut
//	away       | its goroutine and the other transport     | stops that; then the exchange is cut
//
// An exchange's states end with its time-out as well, but for the last, which has its own.
type state uint8

const (
	retired state = iota
	parked
	resting
	pausing
	queued
	connecting
	dialing
	talking
	lending
	away
	ticking // no VU at all, but a Host's clock
)

// vu is one virtual user. Its size is what a VU costs, so what few need is behind pointers.
type vu struct {
	timer     // of what it waits for
	host      *Host
	number    int32
	state     state
	wanted    bool // it is to iterate
	forgotten bool // connections of the other transport are not to be used again
	cut       bool // the iteration under way was killed: it ends when the goroutine that works for it does
	flow      core.Flow
	rest      time.Duration // the back-off: no iteration before it

	// The exchange under way. Times are offsets from the run's start.
	reached  progress
	slow     bool // its dial counts no more
	anomaly  bool // bytes came on an idle connection
	retries  uint16
	fixed    *core.Request // whose bytes wire was made of, and may serve again; nil if they can't
	wire     *http1.Wire
	request  *core.Request
	conn     *conn    // that carries it
	idle     *conn    // those that may carry the next ones: a list, the last used first
	partial  *partial // of a response that comes in pieces
	job      *job     // what a goroutine does for it
	deadline time.Duration
	due      time.Duration
	asked    time.Duration // for a connection
	began    time.Duration // the connection could carry it
	wrote    time.Duration
	first    time.Duration // byte of the response
	connect  time.Duration
	secure   time.Duration // the TLS handshake took
	sent     int64         // bytes, since the exchange before
	rcvd     int64
}

// start lets a retired or parked VU iterate, and keeps one that was to drain. One that was killed goes on as soon as its
// cut iteration has ended.
func (v *vu) start(h *Host, number int) {
	v.wanted = true
	switch v.state {
	case retired:
		v.host, v.number = h, int32(number)
		h.live++
		h.work(1)
		v.admit()
	case parked:
		h.work(1)
		v.admit()
	}
}

// drain lets the iteration under way be the last.
func (v *vu) drain() {
	v.wanted = false
	if v.state == parked || v.state == resting {
		v.retire()
	}
}

// kill cuts the iteration under way, which is the last.
func (v *vu) kill() {
	v.wanted = false
	switch v.state {
	case parked, resting:
		v.retire()
	case pausing:
		v.flow.Cut(v.host.now())
		v.ended()
	case queued, connecting, talking:
		v.cut = true
		v.fail(nil)
	case dialing, lending, away:
		v.cut = true
		v.job.stop()
	}
}

// admit lets the executor decide what becomes of a VU between two iterations.
func (v *vu) admit() {
	h := v.host
	now := h.now()
	switch {
	case !v.wanted || h.aborted:
		v.retire()
		return
	case now < v.rest:
		v.sleep(resting, v.rest)
		return
	}
	switch verdict, due := h.cfg.Executor.Free(now, int(v.number)); verdict {
	case pace.Go:
		v.iterate(due)
	case pace.Park:
		v.state = parked
		h.work(-1)
	case pace.Retire:
		v.retire()
	}
}

func (v *vu) retire() {
	h := v.host
	if v.state != parked {
		h.work(-1)
	}
	v.state, v.wanted = retired, false
	h.loop.timers.remove(v)
	if h.live--; h.live == 0 {
		h.emptied = true
		h.loop.timers.set(&h.clock, h.loop.now)
	}
}

// iterate begins an iteration, which was due then. Only its first request is late when it is: those that follow are due
// when they are sent.
func (v *vu) iterate(due time.Duration) {
	if v.flow == nil {
		v.flow = v.host.cfg.Flow(int(v.number))
	}
	now := v.host.now()
	v.host.lag.start(now - due)
	v.due, v.cut = due, false
	v.follow(v.flow.Begin(now))
}

// follow does what the flow wants.
func (v *vu) follow(s core.Step) {
	switch {
	case s.Verb == core.End:
		v.rest = s.Until
		v.ended()
	case v.cut: // in the exchange before, which had come to its end by itself
		v.flow.Cut(v.host.now())
		v.ended()
	case s.Verb == core.Wait:
		v.sleep(pausing, s.Until)
	default:
		v.exchange(s.Req, s.Until)
	}
}

// done gives the flow its exchange.
func (v *vu) done(x *core.Exchange) {
	v.request = nil
	v.due = v.host.now()
	v.follow(v.flow.Done(v.due, x))
}

// ended comes after each iteration, cut or not.
func (v *vu) ended() {
	if v.host.cfg.Forget {
		v.forget()
	}
	v.admit()
}

// sleep waits in a state until an offset.
func (v *vu) sleep(s state, until time.Duration) {
	v.state = s
	v.wakeAt(until)
}

// wakeAt lets the VU expire at an offset.
func (v *vu) wakeAt(until time.Duration) {
	v.host.loop.timers.set(v, v.host.offset+min(until, never/2))
}

// expire says that what the VU waited for is due.
func (v *vu) expire() {
	switch v.state {
	case resting:
		v.admit()
	case pausing:
		v.due = v.host.now()
		v.follow(v.flow.Woke(v.due))
	case queued, talking:
		v.fail(nil)
	case connecting:
		v.connectsLong()
	case dialing:
		if v.host.now() < v.deadline {
			v.dialsLong(v.deadline)
			return
		}
		v.job.stop()
	case lending:
		v.job.stop()
	case ticking:
		v.host.expire()
	}
}

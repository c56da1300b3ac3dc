// Package vus is the host that gives each virtual user a goroutine: it asks the executor who runs when, drives each
// VU's Flow with a blocking transport, and carries out the executor's orders. Every wait, a pause or a back-off, ends
// at once when the VU is killed or the run is cut.
package vus

import (
	"context"
	"sync"
	"time"

	"github.com/nollagluiz/broadside/engine/internal/core"
	"github.com/nollagluiz/broadside/engine/internal/pace"
)

// Config is what a Host runs.
type Config struct {
	Start    time.Time // of the run: every offset counts from it
	Executor pace.Executor
	Flow     func(vu int) core.Flow // called once for each VU, before its first iteration
	Do       core.Do
	Ended    func(vu int) // called after each iteration, cut or not, before the VU's next; nothing if nil
}

// Host runs one scenario, once. Run is called once; the other methods may be called at any time.
type Host struct {
	cfg  Config
	idle chan struct{} // told when the last VU has retired
	wg   sync.WaitGroup

	mu      sync.Mutex // guards the executor and all that follows
	vus     []*vu      // nil until first started: an arrival rate may have many that it never needs
	live    int        // VUs with a goroutine
	working int        // of them, those that are not parked
	peak    int        // the most at work since the last Peak
	dropped int        // iterations since the last Dropped
}

// New returns a Host.
func New(cfg Config) *Host {
	if cfg.Ended == nil {
		cfg.Ended = func(int) {}
	}
	return &Host{cfg: cfg, idle: make(chan struct{}, 1), vus: make([]*vu, cfg.Executor.MaxVUs())}
}

// Run returns when the executor is over and the last VU has retired: nil, or the cause of ctx if ctx was done first,
// which cuts every iteration under way. No goroutine outlives it.
func (h *Host) Run(ctx context.Context) error {
	defer h.wg.Wait()
	timer := time.NewTimer(0)
	defer timer.Stop()
	var orders pace.Orders
	for {
		orders = pace.Orders{Start: orders.Start[:0], Drain: orders.Drain[:0], Kill: orders.Kill[:0]}
		h.mu.Lock()
		now := h.now()
		next := h.cfg.Executor.Tick(now, &orders)
		h.obeyLocked(ctx, &orders)
		h.dropped += orders.Dropped
		done := orders.Over && h.live == 0
		h.mu.Unlock()
		if done {
			return nil
		}
		timer.Stop()
		if next > now {
			timer.Reset(next - now)
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-timer.C:
		case <-h.idle:
		}
	}
}

// Peak is the most VUs that were at work at once since the call before.
func (h *Host) Peak() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	peak := h.peak
	h.peak = h.working
	return peak
}

// Working is how many VUs are at work now: begun and not parked.
func (h *Host) Working() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.working
}

// Dropped is how many iterations will never begin that were to since the call before.
func (h *Host) Dropped() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	n := h.dropped
	h.dropped = 0
	return n
}

// VUs is how many VUs there are, at work or not.
func (h *Host) VUs() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.cfg.Executor.VUs()
}

func (h *Host) now() time.Duration { return time.Since(h.cfg.Start) }

func (h *Host) obeyLocked(ctx context.Context, o *pace.Orders) {
	for _, n := range o.Start {
		if h.vus[n] == nil {
			h.vus[n] = &vu{number: n, wake: make(chan struct{}, 1)}
		}
		h.startLocked(ctx, h.vus[n])
	}
	for _, n := range o.Drain {
		if v := h.vus[n]; v != nil {
			v.wanted = false
			v.nudge()
		}
	}
	for _, n := range o.Kill {
		if v := h.vus[n]; v != nil {
			v.wanted = false
			if v.kill != nil {
				v.kill()
			}
		}
	}
}

// startLocked gives a retired VU a goroutine, wakes a parked one, and keeps one that was to drain. One that was killed
// goes on as soon as its cut iteration has ended.
func (h *Host) startLocked(ctx context.Context, v *vu) {
	v.wanted, v.called = true, true
	if v.live {
		v.nudge()
		return
	}
	v.live = true
	h.live++
	h.workLocked(1)
	h.wg.Go(func() { h.work(ctx, v) })
}

func (h *Host) workLocked(n int) {
	h.working += n
	h.peak = max(h.peak, h.working)
}

// work is a VU's goroutine, from its start to its retirement.
func (h *Host) work(run context.Context, v *vu) {
	if v.flow == nil {
		v.flow = h.cfg.Flow(v.number)
	}
	for ctx, due := h.admit(run, nil, v); ctx != nil; ctx, due = h.admit(run, ctx, v) {
		h.iterate(ctx, v, due)
		h.cfg.Ended(v.number)
	}
}

// admit blocks until v may iterate, and gives the context that cuts the iteration and when that was due; or it retires
// v and gives nil. last is the context of the iteration before, done if that was killed.
func (h *Host) admit(run, last context.Context, v *vu) (ctx context.Context, due time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	ctx = last
	for v.wanted && run.Err() == nil {
		if ctx == nil || ctx.Err() != nil {
			ctx, v.kill = context.WithCancel(run)
		}
		now := h.now()
		if now < v.rest {
			h.mu.Unlock()
			v.sleep(ctx, v.rest-now, v.wake)
			h.mu.Lock()
			continue
		}
		v.called = false
		switch verdict, due := h.cfg.Executor.Free(now, v.number); verdict {
		case pace.Go:
			return ctx, due
		case pace.Retire:
			v.wanted = false
		case pace.Park:
			h.parkLocked(run, ctx, v)
		}
	}
	h.retireLocked(v)
	return nil, 0
}

// parkLocked blocks until v is started again, or is to retire.
func (h *Host) parkLocked(run, ctx context.Context, v *vu) {
	h.workLocked(-1)
	v.parked = true
	for v.wanted && !v.called && ctx.Err() == nil {
		h.mu.Unlock()
		select {
		case <-v.wake:
		case <-ctx.Done():
		}
		h.mu.Lock()
	}
	if v.wanted && run.Err() == nil {
		v.parked = false
		h.workLocked(1)
	}
}

func (h *Host) retireLocked(v *vu) {
	v.wanted, v.live = false, false
	if v.kill != nil {
		v.kill()
	}
	if !v.parked {
		h.workLocked(-1)
	}
	v.parked = false
	if h.live--; h.live == 0 {
		select {
		case h.idle <- struct{}{}:
		default:
		}
	}
}

// iterate drives one iteration, which was due then, to its end. Only its first request is late when it is: those that
// follow are due when they are sent.
func (h *Host) iterate(ctx context.Context, v *vu, due time.Duration) {
	step := v.flow.Begin(h.now())
	for {
		switch step.Verb {
		case core.Send:
			if ctx.Err() != nil { // between two hops: the next was never sent
				v.flow.Cut(h.now())
				return
			}
			v.request, v.exchange = *step.Req, core.Exchange{Due: due}
			v.request.Deadline = step.Until
			h.cfg.Do(ctx, v.number, &v.request, &v.exchange)
			due = h.now()
			step = v.flow.Done(due, &v.exchange)
		case core.Wait:
			if v.sleep(ctx, step.Until-h.now(), nil); ctx.Err() != nil {
				v.flow.Cut(h.now())
				return
			}
			due = h.now()
			step = v.flow.Woke(due)
		case core.End:
			v.rest = step.Until
			return
		}
	}
}

// vu is one virtual user. The Host's mu guards the first group; the second belongs to its goroutine.
type vu struct {
	wanted bool               // it is to iterate
	called bool               // it was started since it last asked Free
	parked bool               // it is not at work
	live   bool               // it has a goroutine
	kill   context.CancelFunc // cuts the iteration under way; nil before the first

	number   int
	wake     chan struct{} // cap 1: look at wanted again
	flow     core.Flow
	request  core.Request // the Flow's, with its deadline
	exchange core.Exchange
	rest     time.Duration // the back-off: no iteration before it
	timer    *time.Timer
}

func (v *vu) nudge() {
	select {
	case v.wake <- struct{}{}:
	default:
	}
}

// sleep waits for d, or until ctx is done or wake is told.
func (v *vu) sleep(ctx context.Context, d time.Duration, wake <-chan struct{}) {
	if v.timer == nil {
		v.timer = time.NewTimer(d)
	} else {
		v.timer.Reset(d)
	}
	defer v.timer.Stop()
	select {
	case <-v.timer.C:
	case <-ctx.Done():
	case <-wake:
	}
}

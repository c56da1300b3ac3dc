//go:build linux

package loop

import (
	"context"
	"slices"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/nollagluiz/broadside/engine/internal/core"
	"github.com/nollagluiz/broadside/engine/internal/dial"
	"github.com/nollagluiz/broadside/engine/internal/pace"
)

// Config is what a Host runs.
type Config struct {
	Start    time.Time // of the run: every offset counts from it
	Executor pace.Executor
	Flow     func(vu int) core.Flow // called once for each VU, before its first iteration
	Dialer   *dial.Dialer           // its connections are TCP sockets
	Other    func() Other           // called once, when a request comes that a loop does not carry
	Forget   bool                   // each iteration makes connections of its own
}

// Host runs one scenario, once. Run is called once; the other methods may be called at any time.
type Host struct {
	cfg    Config
	loop   *Loop
	offset time.Duration   // of the run's start, in the loop's time
	ctx    context.Context // of the goroutines that work for VUs: Run's without its end, as a kill comes from the loop
	wg     sync.WaitGroup  // these goroutines, and those that close descriptors
	ended  chan struct{}

	// What follows belongs to the loop.
	clock   vu // the executor's alarm, which is none of the vus
	orders  pace.Orders
	vus     []vu
	live    int  // VUs that are not retired
	emptied bool // the last of them has retired since the last tick, so the executor may be over
	aborted bool // ctx is done
	over    bool // it has ended, or is about to
	servers servers
	dials   dials
	other   Other
	adopted map[int32]*dial.Counter // by VU: of a connection that the other transport took over
	lag     Lag
	cutting bool    // many VUs at once
	cut     []int32 // the descriptors of those

	mu      sync.Mutex // guards what follows
	working int        // VUs at work: live and not parked
	peak    int        // the most since the last Peak
	dropped int        // iterations since the last Dropped
	made    int        // VUs that there are
}

func newHost(l *Loop, cfg Config) *Host {
	return &Host{
		cfg:     cfg,
		loop:    l,
		offset:  cfg.Start.Sub(l.base),
		ended:   make(chan struct{}),
		servers: newServers(cfg.Dialer),
		adopted: map[int32]*dial.Counter{},
		vus:     make([]vu, cfg.Executor.MaxVUs()),
		made:    cfg.Executor.VUs(),
	}
}

// Run returns when the executor is over and the last VU has retired: nil, or the cause of ctx if ctx was done first,
// which cuts every iteration under way. No goroutine outlives it.
func (h *Host) Run(ctx context.Context) error {
	h.ctx = context.WithoutCancel(ctx)
	h.loop.attach(h)
	stop := context.AfterFunc(ctx, func() { h.loop.post(h.abort) })
	<-h.ended
	stop()
	h.wg.Wait()
	h.closeAll()
	if h.aborted {
		return context.Cause(ctx)
	}
	return nil
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
	return h.made
}

// now is the time of the run when the loop's clock was last read.
func (h *Host) now() time.Duration { return h.loop.now - h.offset }

func (h *Host) begin() {
	h.clock = vu{host: h, state: ticking}
	l, n := h.loop, h.made // so many VUs may begin at once
	l.timers = slices.Grow(l.timers, n+1)
	l.conns = slices.Grow(l.conns, n)
	h.dials.waiting = slices.Grow(h.dials.waiting, n)
	h.loop.clock()
	h.expire()
}

// abort cuts everything.
func (h *Host) abort() {
	if h.over {
		return
	}
	h.aborted = true
	h.loop.clock()
	h.cutting = true
	for i := range h.vus {
		h.vus[i].kill()
	}
	h.shutAll()
	h.expire()
}

// expire asks the executor what is due, which ends the run if nothing is and never will be.
func (h *Host) expire() {
	if h.over {
		return
	}
	next := never
	for again := !h.aborted; again; again = h.emptied {
		h.emptied = false
		next = h.tick()
	}
	if next == never && h.live == 0 {
		h.over = true
		h.loop.timers.remove(&h.clock)
		h.leave()
		return
	}
	if next != never {
		next += h.offset
	}
	h.loop.timers.set(&h.clock, next)
}

// tick carries out what is due and gives the time of the next tick; never if the end of the last VU is all that is to
// come.
func (h *Host) tick() time.Duration {
	o := &h.orders
	*o = pace.Orders{Start: o.Start[:0], Drain: o.Drain[:0], Kill: o.Kill[:0]}
	now := h.now()
	next := h.cfg.Executor.Tick(now, o)
	h.mu.Lock()
	h.dropped += o.Dropped
	h.made = h.cfg.Executor.VUs()
	h.mu.Unlock()
	over := o.Over
	for _, n := range o.Start {
		h.vus[n].start(h, n)
	}
	for _, n := range o.Drain {
		h.vus[n].drain()
	}
	h.cutting = len(o.Kill) > 0
	for _, n := range o.Kill {
		h.vus[n].kill()
	}
	h.shutAll()
	if over && (h.live == 0 || next <= now) {
		return never
	}
	return next
}

// work counts VUs that begin to be at work, or cease to.
func (h *Host) work(n int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.working += n
	h.peak = max(h.peak, h.working)
}

// spawn lets a goroutine, which Run waits for, work for a VU, and then the loop call what f gives.
func (h *Host) spawn(f func() func()) {
	h.loop.jobs++
	h.wg.Go(func() {
		done := f()
		h.loop.post(func() {
			h.loop.jobs--
			h.loop.clock()
			done()
		})
	})
}

// shut closes a descriptor. Where many VUs are cut, that takes longer than a loop may be held up: see shutAll.
func (h *Host) shut(fd int32) {
	if h.cutting {
		h.cut = append(h.cut, fd)
		return
	}
	_ = unix.Close(int(fd)) // nothing is left to do when it fails
}

// shutAll closes what a cut has left, on a goroutine that Run waits for.
func (h *Host) shutAll() {
	h.cutting = false
	if len(h.cut) == 0 {
		return
	}
	cut := h.cut
	h.cut = nil
	h.wg.Go(func() {
		for _, fd := range cut {
			_ = unix.Close(int(fd)) // likewise
		}
	})
}

// leave hands the connections that are left to Run, which closes them: that takes longer than a loop may be held up.
func (h *Host) leave() {
	for i := range h.vus {
		for c := h.vus[i].idle; c != nil; c = c.next {
			h.loop.conns[c.fd] = nil
		}
	}
	h.loop.detach()
	close(h.ended)
}

// closeAll closes the connections that are left; no loop knows of them any more.
func (h *Host) closeAll() {
	for i := range h.vus {
		for c := h.vus[i].idle; c != nil; c = c.next {
			c.goodbye()
			c.end()
		}
		h.vus[i].idle = nil
	}
}

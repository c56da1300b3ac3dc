//go:build linux

package loop

import (
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nollagluiz/broadside/engine/internal/core"
	"github.com/nollagluiz/broadside/engine/internal/http1"
)

const (
	// readBuffer is a loop's, in bytes: what one read takes at the most. As much is the longest head of the parser's.
	readBuffer = 64 << 10
	// slice is how long a loop goes on before it lets other goroutines have its P.
	slice = 500 * time.Microsecond
	// margin is how long before a timer is due a loop ceases to park, as that may end late: the rest is waited for precisely.
	margin = 2 * time.Millisecond
)

// Loop carries VUs on one goroutine, which runs while it has Hosts. All but post belongs to that goroutine.
//
// It is not locked to its thread: a locked goroutine hands its P to another thread and gets it back through two futex
// calls each time it yields, which costs more than what a thread of its own gains (ADR 24).
type Loop struct {
	poller
	base    time.Time     // of the loop's times
	now     time.Duration // when the clock was last read
	polled  time.Duration // when events last came: what waits since then waits for us
	seen    time.Duration // whatever connections told before then was handled
	yielded time.Duration // when others last had the P
	idle    bool          // nothing came while it last slept
	jobs    int           // goroutines that work for VUs

	timers timers
	conns  []*conn // by descriptor
	mark   int32   // of the last connection
	again  []*conn // that have more to be read: after the others
	turn   []*conn // of again, being served

	buf    []byte
	parser http1.Parser  // of a response that came in one piece
	x      core.Exchange // of the exchange that ends now
	spare  []*partial

	mu      sync.Mutex // guards what follows
	hosts   int        // attached
	inbox   []func()
	posted  atomic.Bool // inbox, or hosts, is to be looked at. Written with mu held
	asleep  bool        // it waits, or is about to
	running bool
	wg      sync.WaitGroup // its goroutine
}

func newLoop() (*Loop, error) {
	l := &Loop{base: time.Now(), buf: make([]byte, readBuffer)}
	if err := l.open(); err != nil {
		return nil, err
	}
	l.conns = make([]*conn, l.bell+1)
	return l, nil
}

// attach gives the loop a Host to carry.
func (l *Loop) attach(h *Host) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.hosts++
	l.postLocked(h.begin)
	if !l.running {
		l.running = true
		l.wg.Go(l.run)
	}
}

// detach lets go of one.
func (l *Loop) detach() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.hosts--
	l.posted.Store(true) // it may have been the last
}

// post lets the loop call f. Any goroutine may post; f must not block.
func (l *Loop) post(f func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.postLocked(f)
}

func (l *Loop) postLocked(f func()) {
	l.inbox = append(l.inbox, f)
	l.posted.Store(true)
	if l.asleep {
		l.asleep = false
		l.ring()
	}
}

// run serves Hosts until the last has gone.
func (l *Loop) run() {
	l.clock()
	l.yielded = l.now
	for l.serve() {
		n := l.await()
		for i := range n {
			e := &l.events[i]
			if c := l.conns[e.Fd]; c != nil && c.mark == e.Pad {
				c.vu.host.lag.event(l.now - l.polled)
				c.event(e.Events)
				l.breathe()
			}
		}
		if n < maxEvents {
			l.seen = l.polled
		}
		l.resume()
		l.breathe()
	}
}

// serve does what was posted, and tells whether there is still a Host.
func (l *Loop) serve() bool {
	if !l.posted.Load() {
		return true
	}
	l.mu.Lock()
	inbox := l.inbox
	l.inbox = nil
	l.posted.Store(false)
	l.mu.Unlock()
	for _, f := range inbox {
		f()
		l.breathe()
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.hosts == 0 && len(l.inbox) == 0 {
		l.running = false
	}
	return l.running
}

// await gives the number of events, and blocks until there are some, a timer is due or something is posted.
func (l *Loop) await() int {
	n := l.poll()
	if n == 0 && len(l.again) == 0 && l.lieDown() {
		n = l.sleep()
		l.getUp()
	}
	l.polled = l.clock()
	return n
}

// sleep is what await does when there is nothing to do. While requests come and go it holds the P and the thread, which
// costs least, for moments; when none has come for that long, or goroutines work for VUs, it parks and gives up both.
func (l *Loop) sleep() int {
	l.clock()
	d := never
	if first := l.timers.first(); first != never {
		d = first - l.now
	}
	switch {
	case d <= 0:
		return 0
	case d > margin && (l.idle || l.jobs > 0):
		if d != never {
			d -= margin
		}
		n := l.park(d)
		l.clock()
		l.yielded = l.now
		l.idle = n == 0
		return n
	case l.jobs > 0:
		l.yield()
	}
	n := l.wait(min(d, slice), d < slice)
	l.idle = n == 0
	return n
}

// lieDown makes a post wake the loop; there was none in the meantime if it gives true.
func (l *Loop) lieDown() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.asleep = len(l.inbox) == 0
	return l.asleep
}

func (l *Loop) getUp() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.asleep = false
}

// breathe lets timers expire that are due, and others have the P. It comes between any two things that the loop does, so
// that neither a start that is due nor another goroutine waits for long.
func (l *Loop) breathe() {
	if due := l.now; l.timers.first() <= due {
		for v := l.timers.expired(due); v != nil; v = l.timers.expired(due) {
			v.expire()
		}
	}
	if l.now-l.yielded >= slice {
		l.yield()
	}
}

func (l *Loop) yield() {
	runtime.Gosched()
	l.clock()
	l.yielded = l.now
}

// resume reads on where more than a few buffers had come.
func (l *Loop) resume() {
	l.turn, l.again = l.again, l.turn[:0]
	for _, c := range l.turn {
		c.queued = false
		if v := c.vu; v.conn == c && v.state == talking && len(c.out) == 0 {
			v.read()
			l.breathe()
		}
	}
	clear(l.turn)
}

// clock reads the clock.
func (l *Loop) clock() time.Duration {
	l.now = time.Since(l.base)
	return l.now
}

// watch makes c known to the poller.
func (l *Loop) watch(c *conn) error {
	if more := int(c.fd) + 1 - len(l.conns); more > 0 {
		l.conns = append(l.conns, make([]*conn, more)...)
	}
	l.mark++
	c.mark = l.mark
	if err := l.add(int(c.fd), c.mark); err != nil {
		return err
	}
	l.conns[c.fd] = c
	return nil
}

// Loops are the loops of an Engine. Its methods may be called concurrently.
type Loops struct {
	loops []*Loop
	next  atomic.Uint32
}

// NewLoops opens as many loops as leave a P to everything else in the process; one at least. The Go runtime counts a Ps'
// number down to a CPU quota, rounded up and to two at the least: so there is never a loop for a part of a CPU, but the
// first. An error is about descriptors.
func NewLoops() (*Loops, error) {
	ls := &Loops{}
	for range max(1, runtime.GOMAXPROCS(0)-1) {
		l, err := newLoop()
		if err != nil {
			ls.Close()
			return nil, err
		}
		ls.loops = append(ls.loops, l)
	}
	return ls, nil
}

// Len is how many loops there are.
func (ls *Loops) Len() int { return len(ls.loops) }

// Close waits for the loops, whose Hosts must end, and lets go of them.
func (ls *Loops) Close() {
	for _, l := range ls.loops {
		l.wg.Wait()
		l.poller.close()
	}
}

// Host returns a Host on the loop whose turn it is.
func (ls *Loops) Host(cfg Config) *Host {
	i := ls.next.Add(1) - 1
	return newHost(ls.loops[int(i)%len(ls.loops)], cfg)
}

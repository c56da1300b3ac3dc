//go:build linux

package loop

import (
	"context"
	"crypto/tls"
	"errors"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/nollagluiz/broadside/engine/internal/dial"
	"github.com/nollagluiz/broadside/engine/internal/http1"
)

// A Host dials for maxDials VUs at once, so that ten thousand that begin together overrun no server's backlog, and need
// neither as many goroutines nor the memory of as many handshakes. But servers that are far, or silent, are to hold nobody
// up: a dial counts no more when it has gone on for patience. One on a goroutine still does while others end, for
// longPatience at the most: then it is the CPU that handshakes wait for, here or there, and more would only wait longer.
const (
	maxDials     = 64
	patience     = 50 * time.Millisecond
	longPatience = time.Second
)

// dials are those of a Host.
type dials struct {
	counted int           // under way, but for those that count no more
	atOnce  int           // that were over at once, in this turn of the loop
	ended   time.Duration // when one last did
	serving bool          // places are being given
	waiting []int32       // VUs, for their turn, and some that gave up
	turn    int           // of waiting
}

// job is what a goroutine does for a VU.
type job struct {
	stop  func() // cuts it short; the loop hears of its end all the same
	lease *lease // of a connection that it reads
}

// dial makes a connection for the exchange, in turn.
func (v *vu) dial() {
	d := &v.host.dials
	if !d.room() {
		v.state = queued
		v.wakeAt(v.deadline)
		d.waiting = append(d.waiting, v.number)
		return
	}
	v.dialNow()
}

func (v *vu) dialNow() {
	h := v.host
	o := &v.wire.Origin
	var config *tls.Config
	if o.Secure {
		if config = h.servers.config(*o); config == nil {
			v.goAway(nil)
			return
		}
	}
	h.dials.counted++
	v.slow, v.began = false, h.now()
	v.wakeAt(min(v.began+patience, v.deadline))
	if !o.Secure {
		if to, ok := h.servers.where(o, v.began); ok {
			v.connectTo(to)
			return
		}
	}
	ctx, cancel := context.WithCancel(h.ctx)
	v.state, v.job = dialing, &job{stop: cancel}
	h.spawn(func() func() {
		defer cancel()
		d := connect(ctx, h.cfg.Dialer, o, config)
		return func() { v.dialled(&d) }
	})
}

// dialsLong looks at a dial that goes on, and again at end at the latest.
func (v *vu) dialsLong(end time.Duration) {
	h := v.host
	now := h.now()
	if v.state == dialing && !v.slow && now-h.dials.ended < patience && now-v.began < longPatience {
		v.wakeAt(min(now+patience, end))
		return
	}
	v.wakeAt(end)
	if !v.slow {
		v.slow = true
		h.dialNext()
	}
}

// dialEnds gives the dial's place to the next.
func (v *vu) dialEnds() {
	v.job = nil
	v.host.dials.ended = v.host.now()
	if !v.slow {
		v.host.dialNext()
	}
}

// room tells whether one more may begin.
func (d *dials) room() bool { return d.counted+d.atOnce < maxDials }

// dialledAtOnce ends a dial that took no time. Its place is given in the loop's next turn, or a loop that makes thousands of
// connections did nothing else until it has them.
func (h *Host) dialledAtOnce() {
	d := &h.dials
	d.counted--
	d.atOnce++
	if d.atOnce == 1 {
		h.loop.post(func() {
			d.atOnce = 0
			h.dialWaiting()
		})
	}
}

// dialNext gives a dial's place to who waits for one.
func (h *Host) dialNext() {
	h.dials.counted--
	h.dialWaiting()
}

// dialWaiting gives what places there are.
func (h *Host) dialWaiting() {
	d := &h.dials
	if d.serving { // one that fails at once leads here again
		return
	}
	d.serving = true
	defer func() { d.serving = false }()
	for d.room() && d.turn < len(d.waiting) {
		v := &h.vus[d.waiting[d.turn]]
		d.turn++
		if v.state == queued {
			v.dialNow()
		}
	}
	if 2*d.turn >= len(d.waiting) { // what is done makes room
		d.waiting, d.turn = append(d.waiting[:0], d.waiting[d.turn:]...), 0
	}
}

// dialled is what came of a dial.
type dialled struct {
	conn    *conn     // not yet watched
	http2   *tls.Conn // instead, if the server chose that
	err     error     // instead
	under   *dial.Conn
	counter *dial.Counter // of what was counted so far, and goes on counting
}

// connect makes a connection and takes it from the Go runtime's poller.
func connect(ctx context.Context, d *dial.Dialer, o *http1.Origin, config *tls.Config) (r dialled) {
	counter := new(dial.Counter)
	r.counter = counter
	if config == nil {
		if r.under, r.err = d.Dial(ctx, o.Address, counter); r.err != nil {
			return r
		}
		fd, err := descriptor(r.under)
		_ = r.under.Close() // what it was is fd now
		if r.err = err; err == nil {
			r.conn = &conn{fd: int32(fd), origin: o}
		}
		return r
	}
	over, err := d.DialTLS(ctx, o.Address, config, counter)
	if err != nil {
		r.err = err
		return r
	}
	r.under = dial.Under(over)
	state := over.ConnectionState()
	if state.NegotiatedProtocol == "h2" {
		r.http2 = over
		return r
	}
	fd, err := descriptor(r.under)
	if err != nil {
		_ = r.under.Close() // the error to tell is the other
		r.err = err
		return r
	}
	c := &conn{fd: int32(fd), origin: o, tls: &secure{Conn: over, under: r.under, counter: counter, version: state.Version}}
	_ = r.under.Conn.Close() // what it was is fd now
	r.under.Conn = socket{c}
	r.conn = c
	return r
}

// descriptor gives a descriptor of its own for the socket beneath c.
func descriptor(c *dial.Conn) (fd int, err error) {
	s, ok := c.Conn.(syscall.Conn)
	if !ok {
		return 0, errors.New("the connection is no socket")
	}
	raw, err := s.SyscallConn()
	if err != nil {
		return 0, err
	}
	var errno error
	if err := raw.Control(func(from uintptr) { fd, errno = unix.FcntlInt(from, unix.F_DUPFD_CLOEXEC, 0) }); err != nil {
		return 0, err
	}
	return fd, errno
}

// dialled goes on when the goroutine has ended.
func (v *vu) dialled(d *dialled) {
	h := v.host
	v.dialEnds()
	v.count(d.counter)
	if d.err != nil {
		var failed *dial.Error
		if errors.As(d.err, &failed) && !v.cut && h.now() < v.deadline {
			v.connect = failed.Connecting
		}
		v.fail(d.err)
		return
	}
	v.connect = d.under.Connected.Sub(d.under.Began)
	v.secure = d.under.Ready().Sub(d.under.Connected)
	if d.http2 != nil && !v.cut {
		h.servers.leave(v.wire.Origin)
		h.adopted[v.number] = d.counter
		v.goAway(d.http2)
		return
	}
	c := d.conn
	if c == nil {
		_ = d.under.Close() // it carried nothing
		v.fail(nil)
		return
	}
	c.vu = v
	var err error
	if !v.cut {
		err = h.loop.watch(c)
	}
	if v.cut || err != nil {
		c.end()
		v.fail(err)
		return
	}
	v.talk(c)
}

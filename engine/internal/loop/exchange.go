//go:build linux

package loop

import (
	"time"

	"github.com/nollagluiz/broadside/engine/internal/core"
	"github.com/nollagluiz/broadside/engine/internal/dial"
	"github.com/nollagluiz/broadside/engine/internal/http1"
)

// progress is how far an exchange went.
type progress uint8

const (
	unsent   progress = iota // no byte left
	partly                   // of the request
	sent                     // the request, whole
	answered                 // a byte came back
)

// exchange sends r and, some events later, gives the flow what came of it.
func (v *vu) exchange(r *core.Request, deadline time.Duration) {
	h := v.host
	v.request, v.deadline, v.wire = r, deadline, h.servers.wire(v, r)
	v.asked, v.retries = h.now(), 0
	if v.wire.Elsewhere || h.servers.other[v.wire.Origin] {
		v.goAway(nil)
		return
	}
	v.connection()
}

// connection lets an idle connection carry the exchange, or makes one.
func (v *vu) connection() {
	v.reached, v.connect, v.secure = unsent, 0, 0
	if c := v.take(v.wire.Origin); c != nil {
		v.talk(c)
		return
	}
	v.dial()
}

// talk sends the request over c, which can take it now.
func (v *vu) talk(c *conn) {
	v.wakeAt(v.deadline)
	v.state, v.conn = talking, c
	v.began = v.host.now()
	n, err := c.write(v.wire.Bytes)
	v.wroteTo(n, err)
}

// write goes on with a request for which there was no room.
func (v *vu) write() {
	n, err := v.conn.flush()
	v.wroteTo(n, err)
}

// wroteTo goes on after a write of n bytes more.
func (v *vu) wroteTo(n int, err error) {
	v.host.loop.clock()
	v.wrote = v.host.now()
	c := v.conn
	switch {
	case err != nil && (n > 0 || v.reached == partly):
		v.reached = partly
		v.failed(http1.Broken(err))
	case err != nil:
		v.failed(err)
	case len(c.out) > 0:
		v.reached = partly
	default:
		v.reached = sent
		if c.readable {
			v.read()
		}
	}
}

// failed goes on when there will be no whole response: once more over another connection where net/http does so, as the
// server closed one that had carried others, or to the end.
func (v *vu) failed(err error) {
	again := v.reached == unsent || v.reached == sent && v.wire.Replayable
	if !again || !v.conn.reused || v.host.now() >= v.deadline {
		v.fail(err)
		return
	}
	v.conn.abort()
	v.conn = nil
	v.retries++
	v.connection()
}

// fail ends an exchange without a whole response: because of err, unless it was cut or its time is over.
func (v *vu) fail(err error) {
	if v.state == connecting {
		if v.conn != nil {
			v.conn.abort()
			v.conn = nil
		}
		v.dialEnds()
	}
	x := v.unkeep()
	x.Status = 0
	switch {
	case v.cut:
		x.Interrupted = true
	case v.host.now() >= v.deadline:
		x.Code, x.Err = core.CodeTimeout, "request timeout"
	default:
		x.Code, x.Err = dial.Classify(err)
	}
	v.finish(x, false)
}

// finish ends an exchange, at the time when the clock was last read. What its head said, and how it failed, is in x.
func (v *vu) finish(x *core.Exchange, keep bool) {
	now := v.host.now()
	x.Start, x.Due, x.End = v.asked, v.due, now
	x.Phases[core.Connecting], x.Phases[core.TLS] = v.connect, v.secure
	x.Retries = int(v.retries)
	x.Counts = v.reached >= sent
	if c := v.conn; c != nil {
		v.phases(x, now)
		if c.tls != nil {
			v.count(c.tls.counter)
			if x.Proto != core.ProtoNone {
				x.TLSVersion = c.tls.version
			}
		}
		v.release(keep, x.Status != 0)
	}
	x.Anomaly = x.Anomaly || v.anomaly
	x.Sent, x.Rcvd = v.sent, v.rcvd
	v.anomaly, v.sent, v.rcvd = false, 0, 0
	v.done(x)
}

// count gives the exchange bytes that a Counter holds.
func (v *vu) count(c *dial.Counter) {
	sent, rcvd := c.Take()
	v.sent += sent
	v.rcvd += rcvd
}

// phases tells the time from the connection on.
func (v *vu) phases(x *core.Exchange, now time.Duration) {
	x.Phases[core.Blocked] = v.began - v.asked
	switch v.reached {
	case unsent, partly:
		x.Phases[core.Sending] = now - v.began
	case sent:
		x.Phases[core.Sending], x.Phases[core.Waiting] = v.wrote-v.began, now-v.wrote
	case answered:
		x.Phases[core.Sending], x.Phases[core.Waiting], x.Phases[core.Receiving] = v.wrote-v.began, v.first-v.wrote, now-v.first
	}
}

package http1

import (
	"context"
	"crypto/tls"
	"errors"
	"sync"
	"time"

	"github.com/nollagluiz/broadside/engine/internal/core"
	"github.com/nollagluiz/broadside/engine/internal/dial"
	"github.com/nollagluiz/broadside/plan"
)

// Config is how a Transport works.
type Config struct {
	Start  time.Time    // of the run: every offset counts from it
	Dialer *dial.Dialer // stays the caller's
	VUs    int          // they are numbered from 0
	Other  Other
	// HTTP1Only offers HTTP/2 to no server; requests that demand it must not come.
	HTTP1Only bool
}

// Other carries what this package does not.
type Other interface {
	// Do is a core.Do.
	Do(ctx context.Context, vu int, r *core.Request, x *core.Exchange)
	// Adopt gives a connection on which the server chose HTTP/2 to the VU's next Do, which comes at once and to the
	// connection's origin. The exchange began, at that time, with asking for the connection.
	Adopt(vu int, conn *tls.Conn, began time.Time)
}

// Transport carries exchanges over blocking connections. Do may be called for different VUs at once.
type Transport struct {
	Config
	vus      []vu
	watchdog watchdog
	bodies   sync.Pool // of *[]byte, bodyBuffer long
	cuts     sync.WaitGroup

	mu    sync.Mutex              // guards wires
	wires map[*core.Request]*Wire // by Request.Fixed
}

// New returns a Transport. Close it when no Do will come any more.
func New(cfg Config) *Transport {
	t := &Transport{
		Config: cfg,
		vus:    make([]vu, cfg.VUs),
		bodies: sync.Pool{New: func() any { b := make([]byte, bodyBuffer); return &b }},
		wires:  map[*core.Request]*Wire{},
	}
	for i := range t.vus {
		t.vus[i].number = i
	}
	t.watchdog.start(t.now, t.vus)
	return t
}

// Close lets go of idle connections, with TLS's goodbye to the server. No Do may be under way.
func (t *Transport) Close() {
	t.watchdog.stop()
	for vu := range t.vus {
		t.vus[vu].unfollow()
		t.CloseIdle(vu)
	}
	t.cuts.Wait()
}

// CloseIdle closes the VU's connections, so that its next exchange opens anew. No Do of the VU may be under way.
func (t *Transport) CloseIdle(vu int) {
	v := &t.vus[vu]
	for _, c := range v.idle {
		_ = c.Close() // it carried all that it had to
	}
	clear(v.idle)
	v.idle = v.idle[:0]
}

func (t *Transport) now() time.Duration { return time.Since(t.Start) }

// Do is a core.Do.
func (t *Transport) Do(ctx context.Context, vu int, r *core.Request, x *core.Exchange) {
	v := &t.vus[vu]
	w := t.wire(v, r)
	x.Start = t.now()
	if w.Elsewhere || v.http2(w.Origin) {
		t.pass(ctx, vu, r, x)
		return
	}
	v.follow(ctx, &t.cuts)
	for {
		c, began, err := t.connection(ctx, v, w, r, x)
		if err != nil {
			noRetry(x)
			t.fail(ctx, r, x, err)
			break
		}
		if c == nil {
			t.pass(ctx, vu, r, x)
			return
		}
		reached, keep, err := t.exchange(ctx, v, c, w, r, x, began)
		if err == nil {
			x.Sent, x.Rcvd = v.counter.Take()
			v.release(c, keep && !t.Dialer.NoReuse(), x.End)
			return
		}
		c.abort()
		x.Counts = x.Status != 0 || reached >= sent
		again := reached == unsent || reached == sent && w.Replayable
		if !again || !c.reused || ctx.Err() != nil || x.End >= r.Deadline {
			t.fail(ctx, r, x, err)
			break
		}
		x.Retries++
	}
	x.Sent, x.Rcvd = v.counter.Take()
}

// wire gives the bytes of r: those of a fixed request are made once.
func (t *Transport) wire(v *vu, r *core.Request) *Wire {
	if r.Fixed == nil {
		return t.newWire(r)
	}
	if v.fixed == r.Fixed {
		return v.wire
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	w := t.wires[r.Fixed]
	if w == nil {
		w = t.newWire(r)
		t.wires[r.Fixed] = w
	}
	v.fixed, v.wire = r.Fixed, w
	return w
}

func (t *Transport) newWire(r *core.Request) *Wire {
	w := NewWire(r, t.Dialer.NoReuse())
	if t.HTTP1Only {
		w.Origin.Auto = false
	}
	return w
}

// pass lets the other transport carry r. Bytes of a connection that it took over are counted here.
func (t *Transport) pass(ctx context.Context, vu int, r *core.Request, x *core.Exchange) {
	if t.HTTP1Only {
		hop := *r
		hop.Version = plan.HTTP11
		r = &hop
	}
	t.Other.Do(ctx, vu, r, x)
	sent, rcvd := t.vus[vu].counter.Take()
	x.Sent += sent
	x.Rcvd += rcvd
}

// connection gives a connection and when it could carry a request: an idle one, or a new one. There is none, and no
// error either, if the server chose HTTP/2: the exchange is then for the other transport.
func (t *Transport) connection(ctx context.Context, v *vu, w *Wire, r *core.Request, x *core.Exchange) (*conn, time.Duration, error) {
	for c := v.take(w.Origin); c != nil; c = v.take(w.Origin) {
		if w.Replayable && x.Start-c.idle < restless {
			return c, x.Start, nil
		}
		stale, anomaly := c.stale()
		x.Anomaly = x.Anomaly || anomaly
		if !stale {
			began := t.now()
			x.Phases[core.Blocked] = began - x.Start
			return c, began, nil
		}
		c.abort()
	}
	hop, cancel := context.WithDeadline(ctx, t.Start.Add(r.Deadline))
	defer cancel()
	c, other, err := dialOrigin(hop, t.Dialer, w.Origin, &v.counter, t.Start)
	x.End = t.now()
	var failed *dial.Error
	switch {
	case errors.As(err, &failed) && hop.Err() == nil: // net/http doesn't tell it of one that was cut
		x.Phases[core.Connecting] = failed.Connecting
		return nil, 0, err
	case err != nil:
		return nil, 0, err
	case other != nil:
		v.chose2(w.Origin)
		t.Other.Adopt(v.number, other, t.Start.Add(x.Start))
		return nil, 0, nil
	}
	ready := c.under.Ready()
	x.Phases[core.Blocked] = x.End - x.Start
	x.Phases[core.Connecting] = c.under.Connected.Sub(c.under.Began)
	x.Phases[core.TLS] = ready.Sub(c.under.Connected)
	return c, ready.Sub(t.Start), nil
}

// fail says in x why there is no whole response.
func (t *Transport) fail(ctx context.Context, r *core.Request, x *core.Exchange, err error) {
	x.Status = 0
	switch {
	case ctx.Err() != nil:
		x.Interrupted = true
	case x.End >= r.Deadline:
		x.Code, x.Err = core.CodeTimeout, "request timeout"
	default:
		x.Code, x.Err = dial.Classify(err)
	}
}

// noRetry is the exchange x whose second connection failed: as net/http tells it, the first one's, until now.
func noRetry(x *core.Exchange) {
	if x.Retries == 0 {
		return
	}
	x.Retries--
	last := core.Sending
	if x.Counts { // it was sent
		last = core.Waiting
	}
	x.Phases[last] += x.End - x.Start - x.Phases[core.Blocked] - x.Phases[core.Sending] - x.Phases[core.Waiting]
}

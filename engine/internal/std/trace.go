package std

import (
	"net/http/httptrace"
	"sync"
	"time"

	"github.com/nollagluiz/broadside/engine/internal/core"
	"github.com/nollagluiz/broadside/engine/internal/dial"
)

// trace notes when an exchange reached its next phase. net/http calls the hooks from its own goroutines, some of them
// after RoundTrip has returned, and again when it retries on a fresh connection: so a trace serves one exchange, under
// a lock, and what comes after fill is for nobody.
type trace struct {
	began time.Time // when the transport was asked: net/http's GetConn

	mu        sync.Mutex // guards all that follows
	conns     int        // given to it: more than one is a retry
	gotConn   time.Time
	ready     time.Time // when the connection could carry the request: a new one's handshake, a reused one's gotConn
	connect   time.Duration
	tls       time.Duration
	wrote     time.Time
	firstByte time.Time
}

func (t *trace) hooks() *httptrace.ClientTrace {
	return &httptrace.ClientTrace{
		GotConn:              t.onConn,
		WroteRequest:         t.onWrote,
		GotFirstResponseByte: t.onFirstByte,
	}
}

func (t *trace) onConn(info httptrace.GotConnInfo) {
	now := time.Now()
	t.mu.Lock()
	defer t.mu.Unlock()
	t.conns++
	t.gotConn, t.ready, t.connect, t.tls, t.wrote, t.firstByte = now, now, 0, 0, time.Time{}, time.Time{}
	conn := dial.Under(info.Conn)
	if conn == nil || conn.Began.Before(t.began) { // an earlier exchange's
		return
	}
	t.ready = conn.Ready()
	t.connect = conn.Connected.Sub(conn.Began)
	t.tls = t.ready.Sub(conn.Connected)
}

func (t *trace) onWrote(info httptrace.WroteRequestInfo) {
	now := time.Now()
	t.mu.Lock()
	defer t.mu.Unlock()
	if info.Err == nil {
		t.wrote = now
	}
}

func (t *trace) onFirstByte() {
	now := time.Now()
	t.mu.Lock()
	defer t.mu.Unlock()
	t.firstByte = now
}

// written tells whether the whole request left.
func (t *trace) written() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return !t.wrote.IsZero()
}

// fill gives x its phases, by k6's definitions (v2.2, "HTTP request timings"), for an exchange that ended at end. One
// difference: when the answer began before the request's end, sending ends there, so that no time is counted twice.
func (t *trace) fill(x *core.Exchange, end time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.gotConn.IsZero() {
		return
	}
	x.Retries = t.conns - 1
	x.Phases[core.Blocked] = t.gotConn.Sub(t.began)
	x.Phases[core.Connecting] = t.connect
	x.Phases[core.TLS] = t.tls
	answered := !t.firstByte.IsZero()
	switch {
	case t.wrote.IsZero() && !answered: // cut while sending
		x.Phases[core.Sending] = end.Sub(t.ready)
	case t.wrote.IsZero() || answered && t.firstByte.Before(t.wrote):
		x.Phases[core.Sending] = t.firstByte.Sub(t.ready)
	case answered:
		x.Phases[core.Sending] = t.wrote.Sub(t.ready)
		x.Phases[core.Waiting] = t.firstByte.Sub(t.wrote)
	default:
		x.Phases[core.Sending] = t.wrote.Sub(t.ready)
		x.Phases[core.Waiting] = end.Sub(t.wrote)
	}
	if answered {
		x.Phases[core.Receiving] = end.Sub(t.firstByte)
	}
}

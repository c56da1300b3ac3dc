//go:build linux

package loop

import (
	"context"
	"crypto/tls"

	"github.com/nollagluiz/broadside/engine/internal/core"
	"github.com/nollagluiz/broadside/engine/internal/http1"
)

// Other carries what loops don't, on goroutines. Its methods are called for different VUs at once.
type Other interface {
	http1.Other
	// CloseIdle closes the VU's connections.
	CloseIdle(vu int)
}

// goAway lets the other transport carry the exchange: over a connection on which the server chose HTTP/2, if that led to
// it.
func (v *vu) goAway(http2 *tls.Conn) {
	h := v.host
	if h.other == nil {
		h.other = h.cfg.Other()
	}
	ctx, cancel := context.WithCancel(h.ctx)
	v.state, v.job = away, &job{stop: cancel}
	forget := v.forgotten
	v.forgotten = false
	vu, x := int(v.number), &core.Exchange{Due: v.due}
	r := *v.request
	r.Deadline = v.deadline
	began := h.cfg.Start.Add(v.asked)
	h.spawn(func() func() {
		defer cancel()
		if forget {
			h.other.CloseIdle(vu)
		}
		if http2 != nil {
			h.other.Adopt(vu, http2, began)
		}
		h.other.Do(ctx, vu, &r, x)
		return func() { v.cameBack(x) }
	})
}

// cameBack goes on when the goroutine has ended.
func (v *vu) cameBack(x *core.Exchange) {
	v.job = nil
	if c := v.host.adopted[v.number]; c != nil {
		v.count(c)
	}
	x.Anomaly = x.Anomaly || v.anomaly
	x.Sent += v.sent
	x.Rcvd += v.rcvd
	v.anomaly, v.sent, v.rcvd = false, 0, 0
	v.done(x)
}

// forget lets the next iteration begin without connections. Those of the other transport are closed when it is next
// asked, as that could block.
func (v *vu) forget() {
	v.trim(0)
	v.forgotten = true
}

package http1

import (
	"context"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nollagluiz/broadside/engine/internal/core"
	"github.com/nollagluiz/broadside/engine/internal/dial"
)

// maxIdle bounds the idle connections of one VU: k6's number (v2.2, "batch"). As its exchanges follow one another, no
// host has more than one.
const maxIdle = 20

// vu is what one virtual user keeps between its exchanges. The first group belongs to the goroutine that calls Do.
type vu struct {
	number  int
	counter dial.Counter
	fixed   *core.Request // whose bytes wire are
	wire    *Wire
	idle    []*conn  // the last used at the end
	choices []Origin // that chose HTTP/2
	parser  Parser
	buf     []byte
	stop    func() bool // of the watch over ctx

	deadline atomic.Int64 // of the exchange under way, an offset in ns; 0: none. Written with mu held

	mu      sync.Mutex      // guards what follows
	ctx     context.Context // that cuts exchanges: kept to know it again, as a VU has one for its life
	using   net.Conn        // by the exchange under way; nil: none
	severed bool            // using was cut: it is not to be used again
}

// take gives an idle connection to o, or nil.
func (v *vu) take(o Origin) *conn {
	for i := len(v.idle) - 1; i >= 0; i-- {
		if c := v.idle[i]; c.origin == o {
			v.idle = slices.Delete(v.idle, i, i+1)
			return c
		}
	}
	return nil
}

// release keeps a connection for exchanges to come, or closes it.
func (v *vu) release(c *conn, keep bool, now time.Duration) {
	if !keep {
		_ = c.Close() // the exchange is over
		return
	}
	c.reused, c.idle = true, now
	if len(v.idle) == maxIdle {
		_ = v.idle[0].Close() // likewise
		v.idle = slices.Delete(v.idle, 0, 1)
	}
	v.idle = append(v.idle, c)
}

// http2 tells whether o chose HTTP/2 when this VU connected to it.
func (v *vu) http2(o Origin) bool { return len(v.choices) > 0 && slices.Contains(v.choices, o) }

// chose2 remembers that o chose HTTP/2. One that is forgotten is asked again.
func (v *vu) chose2(o Origin) {
	if len(v.choices) == maxIdle {
		v.choices = slices.Delete(v.choices, 0, 1)
	}
	v.choices = append(v.choices, o)
}

// follow lets the end of ctx cut exchanges, from now until another follow.
func (v *vu) follow(ctx context.Context, cuts *sync.WaitGroup) {
	if v.ctx == ctx {
		return
	}
	v.unfollow()
	v.mu.Lock()
	v.ctx = ctx
	v.mu.Unlock()
	cuts.Add(1)
	stop := context.AfterFunc(ctx, func() {
		defer cuts.Done()
		v.cut(ctx)
	})
	v.stop = func() bool {
		stopped := stop()
		if stopped {
			cuts.Done()
		}
		return stopped
	}
}

func (v *vu) unfollow() {
	if v.stop != nil {
		v.stop()
	}
	v.stop = nil
}

// cut ends the exchange under way if it is one of ctx.
func (v *vu) cut(ctx context.Context) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.ctx == ctx {
		v.severLocked()
	}
}

func (v *vu) severLocked() {
	if v.using == nil {
		return
	}
	v.deadline.Store(0)
	v.severed = true
	_ = v.using.SetDeadline(time.Unix(1, 0)) // long ago; a connection that refuses is closed
}

// begin opens an exchange over c that ends at an offset by force.
func (v *vu) begin(c net.Conn, deadline time.Duration) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.using, v.severed = c, false
	v.deadline.Store(int64(deadline))
}

// end closes the exchange and tells whether its connection was cut.
func (v *vu) end() (severed bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.using = nil
	v.deadline.Store(0)
	return v.severed
}

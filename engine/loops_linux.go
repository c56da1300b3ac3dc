package engine

import (
	"fmt"
	"sync"
	"time"

	"github.com/nollagluiz/broadside/engine/internal/core"
	"github.com/nollagluiz/broadside/engine/internal/dial"
	"github.com/nollagluiz/broadside/engine/internal/loop"
	"github.com/nollagluiz/broadside/engine/internal/pace"
	"github.com/nollagluiz/broadside/engine/internal/std"
)

// haveLoops tells that there are event loops here.
const haveLoops = true

// loops are an Engine's event loops, opened when first needed.
type loops struct {
	mu  sync.Mutex // guards set
	set *loop.Loops
}

// open gives how many there are.
func (l *loops) open() (n int, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.set == nil {
		if l.set, err = loop.NewLoops(); err != nil {
			return 0, fmt.Errorf("event loops: %w", err)
		}
	}
	return l.set.Len(), nil
}

// close waits for them. No run may be under way.
func (l *loops) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.set != nil {
		l.set.Close()
		l.set = nil
	}
}

func (r *run) onLoop(executor pace.Executor, flow func(int) core.Flow, dialer *dial.Dialer, shard *core.Shard) part {
	var other *std.Transport // most runs need none
	host := r.loops.set.Host(loop.Config{
		Start:    r.start,
		Executor: executor,
		Flow:     flow,
		Dialer:   dialer,
		Other: func() loop.Other {
			other = std.New(r.start, dialer, executor.MaxVUs())
			return other
		},
		Forget: r.plan.Network.NoVUConnectionReuse,
	})
	return part{host, shard, func() time.Duration { return host.Lag().Late }, func() {
		if other != nil {
			other.Close()
		}
	}}
}

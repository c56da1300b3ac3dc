//go:build linux

package loop

import (
	"context"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/nollagluiz/broadside/engine/internal/core"
	"github.com/nollagluiz/broadside/engine/internal/dial"
	"github.com/nollagluiz/broadside/engine/internal/pace"
	"github.com/nollagluiz/broadside/engine/internal/std"
	"github.com/nollagluiz/broadside/plan"
)

const ms = time.Millisecond

// bench is an Engine's loops with a dialer of one run.
type bench struct {
	loops  *Loops
	dialer *dial.Dialer
	start  time.Time
}

func newBench(t testing.TB) *bench {
	t.Helper()
	loops, err := NewLoops()
	require.NoError(t, err)
	b := &bench{loops: loops, dialer: dial.New(dial.Config{})}
	t.Cleanup(func() {
		b.loops.Close()
		b.dialer.Close()
	})
	return b
}

// result is what a run of one scenario came to.
type result struct {
	*core.Delta
	requests, failed int64
	dropped          int
	took             time.Duration
	err              error
}

// host prepares a scenario.
func (b *bench) host(t testing.TB, s plan.Scenario) (*Host, *core.Shard) {
	t.Helper()
	s = plan.Plan{Scenarios: []plan.Scenario{s}}.Resolved().Scenarios[0]
	executor, err := pace.New(s, plan.Share{})
	require.NoError(t, err)
	template, err := core.NewTemplate(s, "test")
	require.NoError(t, err)
	shard := core.NewShard(s.Open())
	b.start = time.Now()
	return b.loops.Host(Config{
		Start:    b.start,
		Executor: executor,
		Flow:     func(int) core.Flow { return template.Flow(shard) },
		Dialer:   b.dialer,
		Other:    func() Other { return std.New(b.start, b.dialer, executor.MaxVUs()) },
	}), shard
}

// run drives a scenario to its end.
func (b *bench) run(ctx context.Context, t testing.TB, s plan.Scenario) result {
	t.Helper()
	h, shard := b.host(t, s)
	r := result{err: h.Run(ctx), took: time.Since(b.start)}
	require.Zero(t, h.Working())
	r.Delta, r.dropped = shard.Take(), h.Dropped()
	for c := range r.Cells() {
		r.requests += c.Requests
		if c.Failed {
			r.failed += c.Requests
		}
	}
	return r
}

// listen serves each connection in a goroutine until the test ends.
func listen(t testing.TB, serve func(net.Conn)) (address string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				serve(c)
			}()
		}
	}()
	t.Cleanup(func() {
		l.Close()
		<-done
	})
	return l.Addr().String()
}

package engine

import (
	"context"
	"time"

	"github.com/nollagluiz/broadside/engine/internal/core"
	"github.com/nollagluiz/broadside/engine/internal/dial"
	"github.com/nollagluiz/broadside/engine/internal/http1"
	"github.com/nollagluiz/broadside/engine/internal/pace"
	"github.com/nollagluiz/broadside/engine/internal/vus"
	"github.com/nollagluiz/broadside/plan"
)

// host carries VUs: a vus.Host or a loop.Host.
type host interface {
	Run(ctx context.Context) error
	Working() int
	Peak() int
	Dropped() int
	VUs() int
}

// part is a scenario, or a share of it, with what carries it.
type part struct {
	host  host
	shard *core.Shard
	late  func() time.Duration // once the host has run: how much later the generator was than it could have been, in sum
	close func()               // likewise
}

// A scenario lives on one loop while that has room for it, as one executor deals best with what its VUs share. These are
// the bounds: what a loop carries without effort.
const (
	loopVUs  = 256
	loopRate = 20_000 // iterations a second
)

// parts is over how many loops a resolved scenario goes. VUs of executors that share nothing go over all as soon as each
// gets some.
func parts(s plan.Scenario, share plan.Share, loops int) int {
	vus, few := share.Of(s.Peak()), true
	switch s.Executor {
	case plan.ConstantVUs, plan.RampingVUs, plan.PerVUIterations:
		few = vus < 2*loops
	case plan.SharedIterations:
		few = vus <= loopVUs
	case plan.ConstantArrivalRate, plan.RampingArrivalRate:
		rate := max(s.Rate, s.StartRate)
		for _, stage := range s.Stages {
			rate = max(rate, stage.Target)
		}
		few = float64(share.Of(rate))/s.TimeUnit.Seconds() <= loopRate
	}
	if few {
		return 1
	}
	return min(loops, max(vus, 1))
}

// sub is part i of n of a share, by the rule by which the share is one of the whole.
func sub(s plan.Share, i, n int) plan.Share {
	return plan.Share{I: s.I + max(s.N, 1)*i, N: max(s.N, 1) * n}
}

// parts prepares a scenario over loops, where they carry its requests, or over goroutines.
func (r *run) parts(s plan.Scenario, dialer *dial.Dialer) ([]part, error) {
	template, err := core.NewTemplate(s, "Broadside/"+r.cfg.Version)
	if err != nil {
		return nil, err
	}
	n := 0
	if r.cfg.overLoops() && !http1.NewWire(template.Request(), false).Elsewhere {
		if n, err = r.loops.open(); err != nil {
			return nil, err
		}
		n = parts(s, r.plan.Share, n)
	}
	var out []part
	for i := range max(n, 1) {
		executor, err := pace.New(s, sub(r.plan.Share, i, max(n, 1)))
		if err != nil {
			return nil, err
		}
		shard := core.NewShard(s.Open())
		flow := func(int) core.Flow { return template.Flow(shard) }
		if n > 0 {
			out = append(out, r.onLoop(executor, flow, dialer, shard))
		} else {
			out = append(out, r.onGoroutines(executor, flow, dialer, shard))
		}
	}
	return out, nil
}

func (r *run) onGoroutines(executor pace.Executor, flow func(int) core.Flow, dialer *dial.Dialer, shard *core.Shard) part {
	transport := r.cfg.Transport.carrier(r.start, dialer, executor.MaxVUs())
	cfg := vus.Config{Start: r.start, Executor: executor, Flow: flow, Do: transport.Do}
	if r.plan.Network.NoVUConnectionReuse {
		cfg.Ended = transport.CloseIdle
	}
	unknown := func() time.Duration { return 0 } // goroutines are late unseen
	return part{vus.New(cfg), shard, unknown, transport.Close}
}

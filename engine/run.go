package engine

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/nollagluiz/broadside/engine/internal/dial"
	"github.com/nollagluiz/broadside/plan"
	"github.com/nollagluiz/broadside/summary"
)

// tick is how often a run is looked at: the width of a fresh series' bucket.
const tick = time.Second

// run is one run under way.
type run struct {
	cfg       Config
	loops     *loops // the Engine's
	plan      plan.Plan
	observers []Observer

	start      time.Time
	scenarios  []scenario
	thresholds *thresholds
	collector  *collector
}

// scenario is a scenario of the plan with what carries it.
type scenario struct {
	samples samples
	parts   []part
	vus     int // that it has at its start
}

func newRun(cfg Config, loops *loops, p plan.Plan, observers []Observer) *run {
	return &run{cfg: cfg, loops: loops, plan: p, observers: observers}
}

// run drives all scenarios to their end.
func (r *run) run(ctx context.Context) (*summary.Summary, error) {
	rules, err := dial.Compile(r.plan.Network)
	if err != nil {
		return nil, fmt.Errorf("network: %w", err)
	}
	dialer := r.cfg.dialer(rules)
	defer dialer.Close()
	if r.thresholds, err = newThresholds(r.plan); err != nil {
		return nil, err
	}
	r.start = time.Now()
	for i, s := range r.plan.Scenarios {
		parts, err := r.parts(s, dialer)
		if err != nil {
			return nil, fmt.Errorf("scenario %s: %w", s.Name, err)
		}
		sc := scenario{samples: samples{scenario: &r.plan.Scenarios[i]}, parts: parts}
		for _, p := range parts {
			defer p.close()
			sc.vus += p.host.VUs()
		}
		r.scenarios = append(r.scenarios, sc)
	}
	r.collector = newCollector(r.start, newSubmetrics(r.thresholds.conditions))
	before := readThrottling()
	err = r.watch(ctx)
	s := r.collector.finish()
	s.Limited = r.limited(s, before)
	s.Thresholds = r.thresholds.results(s, errors.Is(err, errCrossed))
	if err != nil && !errors.Is(err, errCrossed) { // a run that its own plan cut went as it should
		return s, fmt.Errorf("run cut short: %w", err)
	}
	return s, nil
}

// watch runs the hosts and collects each second, and once more at their end. The error is the cause of what cut the run:
// of ctx, or errCrossed.
func (r *run) watch(ctx context.Context) error {
	ctx, cut := context.WithCancelCause(ctx)
	defer cut(nil)
	var hosts []host
	for _, s := range r.scenarios {
		for _, p := range s.parts {
			hosts = append(hosts, p.host)
		}
	}
	errs := make([]error, len(hosts))
	ended := make(chan struct{})
	var wg sync.WaitGroup
	for i, h := range hosts {
		wg.Go(func() { errs[i] = h.Run(ctx) })
	}
	var end time.Duration
	go func() {
		wg.Wait()
		end = time.Since(r.start)
		close(ended)
	}()
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			elapsed := time.Since(r.start)
			r.collect(elapsed)
			if r.thresholds.crossed(elapsed, r.collector.summary) {
				cut(errCrossed)
			}
		case <-ended:
			r.collect(end)
			if errors.Join(errs...) != nil {
				return context.Cause(ctx)
			}
			return nil
		}
	}
}

// vusPlanned is how many VUs there are from the start of the run, in k6's way: one serves scenarios that don't overlap
// one after another, so it is the most that any moment needs.
func (r *run) vusPlanned() int {
	most := 0
	for _, begins := range r.plan.Scenarios {
		sum := 0
		for i, s := range r.plan.Scenarios {
			if s.StartTime <= begins.StartTime && begins.StartTime < s.End() {
				sum += r.scenarios[i].vus
			}
		}
		most = max(most, sum)
	}
	return most
}

// collect takes what the shards hold and tells the observers.
func (r *run) collect(elapsed time.Duration) {
	r.collector.begin(elapsed)
	shared := -r.vusPlanned()
	for _, s := range r.scenarios {
		shared += s.vus
		for _, p := range s.parts {
			r.collector.vus(s.samples, p.host.Working(), p.host.Peak(), p.host.VUs())
			r.collector.count(s.samples, summary.DroppedIterations, int64(p.host.Dropped()))
			r.collector.add(s.samples, p.shard.Take())
		}
	}
	r.collector.gauges[summary.VUsMax] -= float64(shared) // VUs that serve one scenario after another are one
	snapshot := r.collector.snapshot()
	for _, observe := range r.observers {
		observe(snapshot)
	}
}

package dashboard

import (
	"context"
	"time"

	"github.com/nollagluiz/broadside/fleet"
)

// window is the time that the overview's numbers are about.
const window = 15 * time.Minute

// Everybody may ask for the numbers that the store has to count, so they are kept for a while: at least this long, and
// twenty times as long as they took, so that they cost the store a twentieth of its time at most.
const (
	countLife = 2 * time.Second
	countCost = 20
)

func (s *Service) fetchWindow(ctx context.Context) (fleet.WindowTotals, error) {
	t, err := s.store.WindowTotals(ctx, s.cfg.Now().Add(-window))
	t.Seconds = int(window / time.Second)
	return t, err
}

// Summary implements Operations.
func (s *Service) Summary(ctx context.Context) (fleet.Overview, error) {
	now := s.cfg.Now()
	running, err := s.running.get(ctx, now)
	if err != nil {
		return fleet.Overview{}, err
	}
	totals, err := s.window.get(ctx, now)
	if err != nil {
		return fleet.Overview{}, err
	}
	settings, targets := s.settings.Load(), s.targets.Load()
	o := fleet.Overview{
		AgentsOnline:  s.agents.countOnline(now),
		DesiredAgents: settings.DesiredAgents,
		Stopped:       settings.Stopped,
		Targets:       len(targets.all),
		TargetsOn:     targets.count(true),
		RunsRunning:   running,
		Window:        totals,
	}
	o.AgentsOffline = s.agents.count() - o.AgentsOnline
	o.ActualAgents = o.AgentsOnline
	if s.cfg.Scaler != nil {
		actual, err := s.cfg.Scaler.State()
		o.ActualAgents = actual
		if err != nil {
			o.ScalerError = err.Error()
		}
	}
	if o.Stopped {
		o.NotYetStopped = s.agents.notStopped(settings.StopID, now)
	}
	return o, nil
}

// cached is a value that many may ask for and that is fetched by one at a time. It is safe for concurrent use.
type cached[T any] struct {
	life  time.Duration
	fetch func(context.Context) (T, error)

	turn     chan struct{} // holds one: whoever reads or fetches; guards the rest
	value    T
	at       time.Time     // when it was fetched
	lifetime time.Duration // of this value
}

func newCached[T any](life time.Duration, fetch func(context.Context) (T, error)) *cached[T] {
	return &cached[T]{life: life, fetch: fetch, turn: make(chan struct{}, 1)}
}

// get returns a value that has not outlived itself at now. An error is not kept.
func (c *cached[T]) get(ctx context.Context, now time.Time) (T, error) {
	select {
	case c.turn <- struct{}{}:
		defer func() { <-c.turn }()
	case <-ctx.Done():
		var zero T
		return zero, ctx.Err()
	}
	if age := now.Sub(c.at); age >= 0 && age < c.lifetime {
		return c.value, nil
	}
	began := time.Now()
	value, err := c.fetch(ctx)
	if err == nil {
		c.value, c.at, c.lifetime = value, now, max(c.life, countCost*time.Since(began))
	}
	return value, err
}

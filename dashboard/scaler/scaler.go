// Package scaler keeps the number of agents at what the configuration asks for. It is the one writer of that number
// (ADR 8): a Driver makes and ends agents, this package only compares desired with actual and tells it.
//
// A Scaler is safe for concurrent use. Reconciling is idempotent, so that a crash or a foreign change is mended by the
// next round.
package scaler

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// Driver makes and ends agents. It is called by one goroutine at a time.
type Driver interface {
	// Scale brings the fleet to n agents, the highest-numbered stopped first, and returns when they are started, or
	// stopped. Calling it with the present number mends what has died.
	Scale(ctx context.Context, n int) error
	// Actual is the number of agents now.
	Actual(ctx context.Context) (int, error)
}

// DefaultInterval is the time between two rounds that nobody asked for.
const DefaultInterval = 10 * time.Second

// Config is what New needs.
type Config struct {
	Driver   Driver
	Desired  func(ctx context.Context) (int, error) // the configuration's count
	Interval time.Duration                          // DefaultInterval if 0
	Report   func(error)                            // told of each round that failed unasked; may be nil
}

// Scaler compares and tells.
type Scaler struct {
	cfg  Config
	wake chan struct{}

	turn chan struct{} // held for a whole round

	mu     sync.Mutex // guards actual and err, the outcome of the last round
	actual int
	err    error
}

// New returns a Scaler that does nothing until Run.
func New(cfg Config) (*Scaler, error) {
	if cfg.Driver == nil || cfg.Desired == nil {
		return nil, errors.New("scaler: a driver and a desired count are needed")
	}
	if cfg.Interval <= 0 {
		cfg.Interval = DefaultInterval
	}
	return &Scaler{cfg: cfg, wake: make(chan struct{}, 1), turn: make(chan struct{}, 1)}, nil
}

// Run reconciles at once, at each Wake and at each interval, until ctx is done.
func (s *Scaler) Run(ctx context.Context) error {
	tick := time.NewTicker(s.cfg.Interval)
	defer tick.Stop()
	for {
		if err := s.Reconcile(ctx); err != nil && ctx.Err() == nil && s.cfg.Report != nil {
			s.cfg.Report(err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-s.wake:
		case <-tick.C:
		}
	}
}

// Wake asks for a round soon and returns at once.
func (s *Scaler) Wake() {
	select {
	case s.wake <- struct{}{}:
	default: // one is due already
	}
}

// Reconcile makes a round now and waits for its end. What a caller that went away has cut short is not the State.
func (s *Scaler) Reconcile(ctx context.Context) error {
	select {
	case s.turn <- struct{}{}:
		defer func() { <-s.turn }()
	case <-ctx.Done():
		return ctx.Err()
	}
	actual, err := s.round(ctx)
	if err != nil && ctx.Err() != nil {
		return err
	}
	s.mu.Lock()
	s.actual, s.err = actual, err
	s.mu.Unlock()
	return err
}

func (s *Scaler) round(ctx context.Context) (actual int, err error) {
	desired, err := s.cfg.Desired(ctx)
	if err != nil {
		err = fmt.Errorf("read the desired count: %w", err)
	} else if err = s.cfg.Driver.Scale(ctx, desired); err != nil {
		err = fmt.Errorf("scale to %d: %w", desired, err)
	}
	actual, countErr := s.cfg.Driver.Actual(ctx)
	if countErr != nil {
		err = errors.Join(err, fmt.Errorf("count agents: %w", countErr))
	}
	return actual, err
}

// State is the last round's outcome: how many agents there were, and why it failed. It is 0, nil before the first.
func (s *Scaler) State() (actual int, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.actual, s.err
}

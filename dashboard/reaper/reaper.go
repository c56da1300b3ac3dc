// Package reaper clears away what nobody else ends: runs past their deadline, references to runs that are over, agents
// that went silent, and results that are older than the retention.
//
// When and with which limits it sweeps is decided by pure functions (rules.go); the store's statements re-check their
// own conditions, so an agent or a result that comes back meanwhile is never harmed. A Reaper is safe for concurrent
// use.
package reaper

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// Defaults of a Config, those of the original fleet but for the retention, which it did not have.
const (
	DefaultInterval     = 30 * time.Second
	DefaultHeartbeat    = 30 * time.Second
	DefaultOfflineAfter = 5 * time.Minute
	DefaultDeleteAfter  = time.Hour
	DefaultRetention    = 30 * 24 * time.Hour
)

// Old runs go in transactions of chunk rows, at most maxChunks of them in a sweep, so that neither a result nor the
// other rules wait long for a backlog. That is 3,333 runs a second, ten times what a thousand agents bring.
const (
	chunk     = 1000
	maxChunks = 100
)

// Store is the reaper's statements, one for each rule. Each changes only what meets its condition when it is run.
type Store interface {
	// TimeOutRuns ends the runs whose deadline is over at now as error, verdict lost, with a message.
	TimeOutRuns(ctx context.Context, now time.Time) (int, error)
	// ClearRunRefs takes from each agent the current runs that aren't running. It returns the agents' names.
	ClearRunRefs(ctx context.Context) ([]string, error)
	// MarkOffline makes online agents that were last seen before unseenSince offline. It returns their names.
	MarkOffline(ctx context.Context, unseenSince time.Time) ([]string, error)
	// DeleteAgents deletes offline agents that were last seen before unseenSince. It returns the names of those that
	// are gone, also beside an error. Their runs stay, unless withRuns.
	DeleteAgents(ctx context.Context, unseenSince time.Time, withRuns bool) ([]string, error)
	// DeleteRuns deletes up to limit runs that ended before endedBefore, in one transaction.
	DeleteRuns(ctx context.Context, endedBefore time.Time, limit int) (int, error)
}

// Config is what New needs.
type Config struct {
	Store        Store
	Interval     time.Duration // from sweep to sweep; DefaultInterval if 0
	Heartbeat    time.Duration // the agents' interval; DefaultHeartbeat if 0
	OfflineAfter time.Duration // without a sign of life; DefaultOfflineAfter if 0
	DeleteAfter  time.Duration // without a sign of life, more than OfflineAfter; DefaultDeleteAfter if 0
	Retention    time.Duration // how long runs are kept; DefaultRetention if 0, for ever if negative
	CascadeRuns  bool          // an agent's runs go with it, as in the original fleet (ADR 5)

	Flush  func(context.Context) error // puts what heartbeats said into the store, before each sweep; may be nil
	Forget func(names []string)        // told of agents that were deleted; may be nil
	Idle   func(names []string)        // told of agents that lost a current run that isn't running; may be nil
	Report func(error)                 // told of each sweep of Run that failed; may be nil
}

// Stats counts since New.
type Stats struct {
	RunsTimedOut  int64
	RefsCleared   int64 // agents that lost a current run
	MarkedOffline int64 // agents
	AgentsDeleted int64
	RunsDeleted   int64     // by retention
	LastSuccess   time.Time // of a sweep without an error; zero before the first
}

// Reaper sweeps.
type Reaper struct {
	cfg Config

	mu    sync.Mutex // guards stats
	stats Stats
}

// New returns a Reaper that does nothing until Run or Sweep.
func New(cfg Config) (*Reaper, error) {
	cfg, err := cfg.resolved()
	if err != nil {
		return nil, fmt.Errorf("reaper: %w", err)
	}
	return &Reaper{cfg: cfg}, nil
}

// Run sweeps at each interval until ctx is done, except while it holds back (rules.go).
func (r *Reaper) Run(ctx context.Context) error {
	tick := time.NewTicker(r.cfg.Interval)
	defer tick.Stop()
	h := hold{}.next(time.Now(), r.cfg)
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		now := time.Now()
		if h = h.next(now, r.cfg); h.closed(now) {
			continue
		}
		if err := r.Sweep(ctx, now); err != nil && ctx.Err() == nil && r.cfg.Report != nil {
			r.cfg.Report(err)
		}
	}
}

// Sweep applies each rule once, as of now, whether Run would hold back or not. A rule that fails doesn't keep the
// others from their work, but nothing is done on what is known to be stale: without a flush there is no sweep.
func (r *Reaper) Sweep(ctx context.Context, now time.Time) error {
	if r.cfg.Flush != nil {
		if err := r.cfg.Flush(ctx); err != nil {
			return fmt.Errorf("sweep: flush heartbeats: %w", err)
		}
	}
	limits := r.cfg.limits(now)
	err := errors.Join(
		r.timeOutRuns(ctx, limits),
		r.clearRunRefs(ctx), // after the runs that have just been ended
		r.markOffline(ctx, limits),
		r.deleteAgents(ctx, limits),
		r.deleteRuns(ctx, limits),
	)
	if err != nil {
		return fmt.Errorf("sweep: %w", err)
	}
	r.count(func(s *Stats) { s.LastSuccess = now })
	return nil
}

func (r *Reaper) timeOutRuns(ctx context.Context, l limits) error {
	n, err := r.cfg.Store.TimeOutRuns(ctx, l.deadline)
	r.count(func(s *Stats) { s.RunsTimedOut += int64(n) })
	return err
}

func (r *Reaper) clearRunRefs(ctx context.Context) error {
	names, err := r.cfg.Store.ClearRunRefs(ctx)
	r.count(func(s *Stats) { s.RefsCleared += int64(len(names)) })
	if len(names) > 0 && r.cfg.Idle != nil {
		r.cfg.Idle(names)
	}
	return err
}

func (r *Reaper) markOffline(ctx context.Context, l limits) error {
	names, err := r.cfg.Store.MarkOffline(ctx, l.offline)
	r.count(func(s *Stats) { s.MarkedOffline += int64(len(names)) })
	return err
}

func (r *Reaper) deleteAgents(ctx context.Context, l limits) error {
	names, err := r.cfg.Store.DeleteAgents(ctx, l.delete, r.cfg.CascadeRuns)
	r.count(func(s *Stats) { s.AgentsDeleted += int64(len(names)) })
	if len(names) > 0 && r.cfg.Forget != nil {
		r.cfg.Forget(names)
	}
	return err
}

func (r *Reaper) deleteRuns(ctx context.Context, l limits) error {
	if l.retention.IsZero() {
		return nil
	}
	for range maxChunks {
		n, err := r.cfg.Store.DeleteRuns(ctx, l.retention, chunk)
		r.count(func(s *Stats) { s.RunsDeleted += int64(n) })
		if err != nil || n < chunk {
			return err
		}
	}
	return nil
}

func (r *Reaper) count(f func(*Stats)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	f(&r.stats)
}

// Stats returns the counters.
func (r *Reaper) Stats() Stats {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.stats
}

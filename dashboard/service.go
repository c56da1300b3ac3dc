package dashboard

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sirupsen/logrus"

	"github.com/nollagluiz/broadside/fleet"
)

// Operations is what a person may ask of the fleet: the API and the pages both go through it, so they can't differ.
// *Service implements it; package pages declares the part that it needs. Errors for the person are *fleet.Error.
type Operations interface {
	Targets(ctx context.Context) ([]fleet.Target, error)         // redacted, newest first
	Target(ctx context.Context, id string) (fleet.Target, error) // redacted
	CreateTarget(ctx context.Context, t fleet.Target) (fleet.Target, error)
	// UpdateTarget applies edit to the stored target with its secrets; *** keeps a secret. revision 0 takes any.
	UpdateTarget(ctx context.Context, id string, revision int64, edit func(fleet.Target) (fleet.Target, error)) (fleet.Target, error)
	DeleteTarget(ctx context.Context, id string, revision int64) error
	RunNow(ctx context.Context, targetID string) (orderID string, err error)

	Config(ctx context.Context) (fleet.Config, error)
	UpdateConfig(ctx context.Context, revision int64, edit func(fleet.Config) (fleet.Config, error)) (fleet.Config, error)
	Reconcile(ctx context.Context) error // scale the fleet to its desired count now
	StopAll(ctx context.Context) error   // the kill switch
	AbortRun(ctx context.Context, id string) error

	Agents(ctx context.Context) ([]fleet.Agent, error) // by name, naturally: k6agent-2 before k6agent-10
	Runs(ctx context.Context, f fleet.RunFilter, cursor string, limit int) ([]fleet.Run, string, error)
	Run(ctx context.Context, id string) (fleet.RunDetail, error)
	RecentRuns(ctx context.Context, n int) (map[string][]fleet.Run, error)
	Summary(ctx context.Context) (fleet.Overview, error)
}

// Scaler makes and ends agents.
type Scaler interface {
	// Reconcile brings the fleet to its desired count now and waits for it.
	Reconcile(ctx context.Context) error
	// Wake asks for the same soon and returns at once.
	Wake()
	// State is how many agents there are, and why the last try failed.
	State() (actual int, err error)
}

// Defaults of a ServiceConfig, those of the original fleet.
const (
	DefaultPollInterval      = 5 * time.Second
	DefaultHeartbeatInterval = 30 * time.Second
	DefaultOfflineAfter      = 5 * time.Minute
)

// ServiceConfig is what NewService needs.
type ServiceConfig struct {
	Store             Store
	Scaler            Scaler                 // nil: agents are started elsewhere
	PollInterval      time.Duration          // what agents are told; DefaultPollInterval if 0
	HeartbeatInterval time.Duration          // what agents are told; DefaultHeartbeatInterval if 0
	Gone              func(fleet.Agent) bool // tells of a stored agent that it ended with the process before; nil: none did
	OfflineAfter      time.Duration          // without a sign of life, the reaper's; DefaultOfflineAfter if 0
	Now               func() time.Time       // time.Now if nil
	Log               logrus.FieldLogger     // gets what went wrong beside any request; nil drops it
}

// Service is the fleet's state, and what may be asked of it. What polls and lists of targets and agents need is in memory,
// loaded at the start and changed together with the store; so the store must have one Service at a time.
type Service struct {
	cfg   ServiceConfig
	store Store

	agents *agents
	orders *orders
	ended  *recent // runs whose result was stored

	flushing chan struct{} // holds one: whoever flushes
	edits    chan struct{} // holds one: whoever changes a target

	targets  atomic.Pointer[targetSet]
	changing sync.Mutex // held while settings is replaced
	settings atomic.Pointer[fleet.Config]

	running *cached[int]
	window  *cached[fleet.WindowTotals]
	counts  counts
}

var _ Operations = (*Service)(nil)

// NewService loads the fleet from the store.
func NewService(ctx context.Context, cfg ServiceConfig) (*Service, error) {
	if cfg.Store == nil {
		return nil, errors.New("dashboard: a store is needed")
	}
	if min(cfg.PollInterval, cfg.HeartbeatInterval, cfg.OfflineAfter) < 0 {
		return nil, errors.New("dashboard: a negative interval")
	}
	cfg.PollInterval = cmp.Or(cfg.PollInterval, DefaultPollInterval)
	cfg.HeartbeatInterval = cmp.Or(cfg.HeartbeatInterval, DefaultHeartbeatInterval)
	cfg.OfflineAfter = cmp.Or(cfg.OfflineAfter, DefaultOfflineAfter)
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Log == nil {
		cfg.Log = quiet()
	}
	s := &Service{cfg: cfg, store: cfg.Store, orders: newOrders(), ended: newRecent(recentRuns), flushing: make(chan struct{}, 1), edits: make(chan struct{}, 1)}
	s.agents = newAgents(2*cfg.HeartbeatInterval, cfg.OfflineAfter)
	s.running = newCached(countLife, s.store.CountRunning)
	s.window = newCached(countLife, s.fetchWindow)
	if err := s.load(ctx); err != nil {
		return nil, fmt.Errorf("load the fleet: %w", err)
	}
	return s, nil
}

func (s *Service) load(ctx context.Context) error {
	targets, err := s.store.Targets(ctx)
	if err != nil {
		return err
	}
	settings, err := s.store.Config(ctx)
	if err != nil {
		return err
	}
	stored, err := s.store.Agents(ctx)
	if err != nil {
		return err
	}
	s.targets.Store(newTargetSet(targets))
	s.settings.Store(&settings)
	s.agents.load(stored, s.cfg.Gone, s.cfg.Now())
	return nil
}

// Flush stores what agents said since the last Flush.
func (s *Service) Flush(ctx context.Context) error {
	select {
	case s.flushing <- struct{}{}: // an older state must not be stored after a newer one
		defer func() { <-s.flushing }()
	case <-ctx.Done():
		return fmt.Errorf("flush heartbeats: %w", ctx.Err())
	}
	dirty := s.agents.takeDirty()
	if len(dirty) == 0 {
		return nil
	}
	if err := s.store.SaveAgents(ctx, dirty); err != nil {
		s.agents.setDirty(dirty)
		return fmt.Errorf("flush heartbeats: %w", err)
	}
	return nil
}

// Idle takes their current runs from agents, some of whose are over without a word from them. A live agent says with its
// next heartbeat what it runs.
func (s *Service) Idle(names []string) { s.agents.idle(names) }

// Forget drops agents that the reaper has deleted.
func (s *Service) Forget(names []string) { s.agents.forget(names) }

package dashboard

import (
	"context"
	"time"

	"github.com/nollagluiz/broadside/fleet"
)

// Store is what the dashboard keeps. Every method may be called concurrently, honours ctx, and returns a *fleet.Error
// where the caller is at fault (NotFound, PreconditionFailed); any other error is the store's own and is never shown.
// What a write returns has been committed and survives a power loss.
type Store interface {
	TargetStore
	AgentStore
	RunStore
	ConfigStore
	Ping(ctx context.Context) error // readiness: the store can be read and written
}

// TargetStore keeps targets, secrets included.
type TargetStore interface {
	// Targets lists the targets that are not deleted, newest first.
	Targets(ctx context.Context) ([]fleet.Target, error)
	Target(ctx context.Context, id string) (fleet.Target, error)
	// CreateTarget gives the target an id, revision 1 and its times.
	CreateTarget(ctx context.Context, t fleet.Target, now time.Time) (fleet.Target, error)
	// UpdateTarget applies edit to the stored target in one transaction, and keeps its id and creation. An error of
	// edit is returned as it is and nothing changes. A revision other than 0 must be the stored one, or else
	// PreconditionFailed.
	UpdateTarget(ctx context.Context, id string, revision int64, now time.Time, edit func(fleet.Target) (fleet.Target, error)) (fleet.Target, error)
	// DeleteTarget hides the target; its runs stay.
	DeleteTarget(ctx context.Context, id string, revision int64, now time.Time) error
}

// ConfigStore keeps the fleet's settings.
type ConfigStore interface {
	Config(ctx context.Context) (fleet.Config, error)
	// UpdateConfig is to Config what UpdateTarget is to Target.
	UpdateConfig(ctx context.Context, revision int64, now time.Time, edit func(fleet.Config) (fleet.Config, error)) (fleet.Config, error)
}

// AgentStore keeps the fleet's agents. Between two flushes the dashboard's memory is ahead of it.
type AgentStore interface {
	// Agents lists all agents, the latest seen first.
	Agents(ctx context.Context) ([]fleet.Agent, error)
	// RegisterAgent upserts by name. An empty ID is given one; the row's epoch becomes a.Epoch. When lost says so, the
	// runs of the name that are still running end as error, verdict lost.
	RegisterAgent(ctx context.Context, a fleet.Agent, lost bool, now time.Time) (fleet.Agent, error)
	// SaveAgents upserts by name what heartbeats said, in one transaction. last_seen_at never goes back, and a row whose
	// epoch is newer is left alone.
	SaveAgents(ctx context.Context, agents []fleet.Agent) error
}

// RunStore keeps runs. Lists are ordered by receipt, newest first.
type RunStore interface {
	// StartRun adds a running run; created is false when the id is known, whatever its state: then nothing changes.
	StartRun(ctx context.Context, r fleet.RunStart, now, deadline time.Time) (created bool, err error)
	// EndRun stores a result, and makes the run when its start was lost. A run that has ended stays as it is, except
	// that a result replaces the reaper's verdict lost.
	EndRun(ctx context.Context, r fleet.RunEnd, now time.Time) error
	Run(ctx context.Context, id string) (fleet.RunDetail, error)
	// Runs returns up to limit runs that follow the cursor ("" is the start), and the next cursor, "" at the end. A
	// cursor that this store did not make is Malformed.
	Runs(ctx context.Context, f fleet.RunFilter, cursor string, limit int) (runs []fleet.Run, next string, err error)
	// RecentRuns returns up to n latest finished runs of each target, newest first, by target id, without their specs:
	// for the pages' sparklines and last results.
	RecentRuns(ctx context.Context, n int) (map[string][]fleet.Run, error)
	// CountRunning is how many runs are running.
	CountRunning(ctx context.Context) (int, error)
	// WindowTotals merges the runs that ended (by receipt) since from.
	WindowTotals(ctx context.Context, from time.Time) (fleet.WindowTotals, error)
}

package dashboard

import (
	"context"

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

package agent

import (
	"context"

	"github.com/nollagluiz/broadside/engine"
	"github.com/nollagluiz/broadside/plan"
	"github.com/nollagluiz/broadside/summary"
)

// ByScript is a Runner that gives plans with a k6 script to one Runner and all others to another.
func ByScript(scripts, others Runner) Runner {
	return func(ctx context.Context, p plan.Plan, observe func(summary.Snapshot)) (summary.Outcome, error) {
		if p.Script != "" {
			return scripts(ctx, p, observe)
		}
		return others(ctx, p, observe)
	}
}

// Embedded is a Runner on an engine in this process. Agents of one process share one engine.
func Embedded(e *engine.Engine) Runner {
	return func(ctx context.Context, p plan.Plan, observe func(summary.Snapshot)) (summary.Outcome, error) {
		var observers []engine.Observer
		if observe != nil {
			observers = append(observers, observe)
		}
		s, err := e.Run(ctx, p, observers...)
		if s == nil {
			return summary.Outcome{}, err
		}
		return summary.Judge(s, err != nil), nil // with a summary, an error says that the run was cut
	}
}

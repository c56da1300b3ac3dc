package dashboard

import (
	"context"
	"strings"
	"sync/atomic"

	"github.com/nollagluiz/broadside/fleet"
	"github.com/nollagluiz/broadside/summary"
)

// counts are of the results received since the start, for the metrics.
type counts struct {
	successes, failures, received atomic.Int64
	runs                          [len(outcomes)]atomic.Int64 // by index in outcomes
}

// outcomes are the results that a run may have.
var outcomes = [...]struct {
	status  fleet.RunStatus
	verdict summary.Verdict
}{
	{fleet.RunDone, summary.OK},
	{fleet.RunDone, summary.ThresholdFailed},
	{fleet.RunDone, summary.GeneratorLimited},
	{fleet.RunDone, summary.TargetUnreachable},
	{fleet.RunDone, summary.NoRequests},
	{fleet.RunAborted, summary.Aborted},
	{fleet.RunError, summary.Error},
}

// outcomeOf is the index in outcomes; -1 for what is none.
func outcomeOf(status fleet.RunStatus, verdict summary.Verdict) int {
	for i, o := range outcomes {
		if o.status == status && o.verdict == verdict {
			return i
		}
	}
	return -1
}

// note counts a result, once.
func (c *counts) note(r fleet.RunEnd) {
	if i := outcomeOf(r.Status, r.Verdict); i >= 0 {
		c.runs[i].Add(1)
	}
	if r.Metrics != nil {
		c.successes.Add(r.Metrics.Requests - r.Metrics.Failures)
		c.failures.Add(r.Metrics.Failures)
		c.received.Add(r.Metrics.DataReceivedBytes)
	}
}

// StartRun notes that a run began; created is false when it is known already. Its deadline counts from now, since an
// agent's clock proves nothing.
func (s *Service) StartRun(ctx context.Context, r fleet.RunStart) (created bool, err error) {
	now := s.cfg.Now()
	r.Spec = r.Spec.Redacted()
	created, err = s.store.StartRun(ctx, r, now, fleet.Deadline(now, r.Spec))
	if err == nil && created && !s.ended.has(r.ID) {
		s.agents.setRun(r.Agent, r.ID, true)
	}
	return created, err
}

// earlier is added to the message of a result from an instance that has lost its name since.
const earlier = " It came from an earlier instance of the agent."

// EndRun stores a result, once, however often it comes. epoch is that of the agent that sent it, 0 if it said none.
func (s *Service) EndRun(ctx context.Context, r fleet.RunEnd, epoch int64) error {
	r.Spec = r.Spec.Redacted()
	if s.agents.outdated(r.Agent, epoch) {
		r.Message = strings.TrimSpace(cutRunes(r.Message, maxMessage-len(earlier)) + earlier)
	}
	if err := s.store.EndRun(ctx, r, s.cfg.Now()); err != nil {
		return err
	}
	if s.ended.add(r.ID) {
		s.counts.note(r)
	}
	s.orders.runEnded(r.ID)
	s.agents.setRun(r.Agent, r.ID, false)
	return nil
}

func cutRunes(text string, n int) string {
	for i := range text {
		if n--; n < 0 {
			return text[:i]
		}
	}
	return text
}

// Runs implements Operations.
func (s *Service) Runs(ctx context.Context, f fleet.RunFilter, cursor string, limit int) ([]fleet.Run, string, error) {
	runs, next, err := s.store.Runs(ctx, f, cursor, limit)
	for i := range runs {
		runs[i].Spec = runs[i].Spec.Redacted()
	}
	return runs, next, err
}

// Run implements Operations.
func (s *Service) Run(ctx context.Context, id string) (fleet.RunDetail, error) {
	d, err := s.store.Run(ctx, id)
	d.Spec = d.Spec.Redacted()
	return d, err
}

// RecentRuns implements Operations.
func (s *Service) RecentRuns(ctx context.Context, n int) (map[string][]fleet.Run, error) {
	return s.store.RecentRuns(ctx, n)
}

// AbortRun implements Operations. The agent hears of it with its next poll; the run's result tells that it happened.
func (s *Service) AbortRun(ctx context.Context, id string) error {
	run, err := s.store.Run(ctx, id)
	if err != nil {
		return err
	}
	if run.Status != fleet.RunRunning {
		return fleet.Errorf(fleet.Conflict, "the run is not running: it is %s", run.Status)
	}
	now := s.cfg.Now()
	return s.orders.abort(id, run.Agent, fleet.Deadline(now, run.Spec), now)
}

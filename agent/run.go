package agent

import (
	"cmp"
	"context"
	"fmt"
	"runtime/debug"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/nollagluiz/broadside/fleet"
	"github.com/nollagluiz/broadside/plan"
	"github.com/nollagluiz/broadside/summary"
)

// Runner makes one run of a plan and says how it ended. It returns soon after ctx is done, with what was measured until
// then and the verdict Aborted. An error means that the run could not be made. observe, which may be nil, gets a
// snapshot each second. A Runner may be called concurrently.
type Runner func(ctx context.Context, p plan.Plan, observe func(summary.Snapshot)) (summary.Outcome, error)

// run is one run of a target.
type run struct {
	start  fleet.RunStart
	target fleet.Target
	vus    int       // that it may have at work at once
	began  time.Time // by the local clock: durations are measured from it
	cancel context.CancelCauseFunc

	reported bool // guarded by runs.mu
}

// newRun gives a run its id and its start, now.
func (a *Agent) newRun(t fleet.Target) *run {
	began := time.Now()
	server := a.clock.at(began)
	return &run{
		start: fleet.RunStart{
			ID:        newRunID(server),
			TargetID:  t.ID,
			Agent:     a.cfg.Name,
			StartedAt: fleet.Millis(server),
			Spec:      t.Redacted(),
		},
		target: t,
		vus:    t.Peak(),
		began:  began,
	}
}

// run makes a run that runs.begin has let in, and reports its start and its end.
func (a *Agent) run(ctx context.Context, r *run) {
	defer func() {
		a.runs.end(r)
		if a.orders.stopped() {
			a.orders.tell() // it may have been the last that the stop waited for
		}
	}()
	a.log.WithField("target", r.target.ID).WithField("run", r.start.ID).Debug("run started")
	a.reportStart(r)
	out := a.measure(ctx, r)
	if a.runs.claim(r) {
		a.report(r, out)
	}
}

// measure makes the run. Whatever happens in it, a panic too, is an outcome.
func (a *Agent) measure(ctx context.Context, r *run) (out summary.Outcome) {
	defer func() {
		if p := recover(); p != nil {
			a.log.WithField("run", r.start.ID).Errorf("a run panicked\n%s", debug.Stack())
			out = summary.Outcome{Verdict: summary.Error, Message: fmt.Sprintf("The run crashed inside the agent: %v.", p)}
		}
	}()
	p, err := r.target.Plan()
	if err != nil {
		return summary.Outcome{Verdict: summary.Error, Message: sentence(err)}
	}
	out, err = a.cfg.Runner(ctx, p, nil)
	cut := ctx.Err() != nil
	switch {
	case err != nil && cut:
		out.Verdict = summary.Aborted
		if out.Summary == nil {
			out.Message = "The run was aborted before its first request."
		}
	case err != nil:
		out.Verdict, out.Message = summary.Error, sentence(err)
	case !out.Verdict.Valid():
		out.Verdict, out.Message = summary.Error, "The engine gave no verdict."
	case out.Verdict == summary.Lost:
		out.Verdict, out.Message = summary.Error, "The engine lost the run: "+out.Message // only the dashboard says lost
	case out.Verdict == summary.OK && requests(out) == 0:
		out.Verdict, out.Message = summary.NoRequests, "Not one request was made."
	}
	if out.Message == "" {
		out.Message = "The engine gave no reason."
	}
	if out.Verdict == summary.Aborted && cut {
		out.Message = strings.TrimSuffix(out.Message, ".") + ": " + context.Cause(ctx).Error() + "."
	}
	return out
}

// requests is how many requests an outcome tells of.
func requests(out summary.Outcome) int64 {
	switch {
	case out.K6 != nil:
		return out.K6.Count(summary.HTTPReqs)
	case out.Summary != nil:
		return out.Summary.Counters[summary.HTTPReqs]
	}
	return 0
}

// sentence makes a sentence of an error.
func sentence(err error) string {
	text := cmp.Or(err.Error(), "it failed for no stated reason")
	first, n := utf8.DecodeRuneInString(text)
	return string(unicode.ToUpper(first)) + text[n:] + "."
}

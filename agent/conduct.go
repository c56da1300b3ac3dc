package agent

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nollagluiz/broadside/fleet"
	"github.com/nollagluiz/broadside/summary"
)

// scheduleCheck bounds the wait of a schedule that has nothing due.
const scheduleCheck = time.Minute

// conduct takes polls, obeys their orders and starts what is due, until ctx is done. Runs outlive it: runCtx is theirs.
func (a *Agent) conduct(ctx, runCtx context.Context, polls <-chan fleet.Poll) error {
	defer a.pulse.rest(loopSchedule)
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case p := <-polls:
			a.obey(runCtx, p)
		case <-timer.C:
		case <-ctx.Done():
			return ctx.Err()
		}
		now := time.Now()
		targets, missed := a.schedule.due(now)
		a.runs.missed(missed)
		for _, t := range targets {
			a.launch(runCtx, t)
		}
		wait := scheduleCheck
		if next, ok := a.schedule.next(); ok {
			wait = min(wait, max(0, next.Sub(now)))
		}
		a.pulse.expect(loopSchedule, wait)
		timer.Reset(wait)
	}
}

// obey carries out a poll. A poll that comes again changes nothing.
func (a *Agent) obey(runCtx context.Context, p fleet.Poll) {
	for _, id := range p.Abort {
		a.runs.abort(id, errAborted)
	}
	if a.orders.setStop(p.Stop, p.StopID) {
		a.log.WithField("stop", p.Stop).Warn("the kill switch: while it is set no run starts")
		a.orders.tell()
	}
	if p.Stop {
		a.runs.abortAll(errStopped)
		p.Targets = nil // each is new again when the stop is lifted
	}
	now := time.Now()
	a.schedule.update(now, a.clock.at(now), a.cfg.Name, p.Targets, time.Duration(p.SpreadMs)*time.Millisecond)
	for _, o := range p.Run {
		if a.orders.first(o.ID) {
			a.order(runCtx, o)
			a.orders.tell()
		}
		a.orders.ack(o.ID)
	}
}

// order runs a target once, now. Somebody waits for it, so a refusal is reported as a run, unless the run that stands
// in its way shows anyhow.
func (a *Agent) order(runCtx context.Context, o fleet.RunOrder) {
	err := errStopped
	if !a.orders.stopped() {
		err = a.launch(runCtx, o.Target)
	}
	if err != nil && !errors.Is(err, errOverlap) {
		a.reject(o.Target, fmt.Errorf("the ordered run was not started: %w", err))
	}
}

// launch starts a run of t. The error says why there is no room for it. A target that can't be run at all is reported.
func (a *Agent) launch(runCtx context.Context, t fleet.Target) error {
	if err := t.Validate(); err != nil {
		a.reject(t, fmt.Errorf("the target can't be run: %w", err))
		return nil
	}
	r := a.newRun(t)
	ctx, err := a.runs.begin(runCtx, r)
	if err != nil {
		a.log.WithField("target", t.ID).WithError(err).Debug("a start is skipped")
		return err
	}
	go a.run(ctx, r) // runs.wait waits for it
	return nil
}

// reject reports a run that was never made.
func (a *Agent) reject(t fleet.Target, err error) {
	r := a.newRun(t)
	a.report(r, summary.Outcome{Verdict: summary.Error, Message: sentence(err)})
}

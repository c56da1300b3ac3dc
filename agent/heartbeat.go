package agent

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/nollagluiz/broadside/fleet"
)

// firstBeat bounds the wait before the first heartbeat: it tells what register does not, so somebody may wait for it.
const firstBeat = 5 * time.Second

// beat sends heartbeats, until ctx is done or the dashboard disowns the agent. One is sent ahead of its time when there
// is an order to acknowledge.
func (a *Agent) beat(ctx context.Context) error {
	defer a.pulse.rest(loopHeartbeat)
	var b backoff
	wait := rand.N(firstBeat)
	for first := true; ; first = false {
		a.pulse.expect(loopHeartbeat, wait)
		if err := pause(ctx, wait, a.orders.news); err != nil {
			return err
		}
		err := a.sendHeartbeat(ctx)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case disowned(err):
			return fmt.Errorf("heartbeat: %w", err)
		case err != nil:
			a.complaints.failed("heartbeat", err)
			wait = b.next(err)
		default:
			b.reset()
			wait = jitter(time.Duration(a.beatEvery.Load()))
			if first {
				wait = scatter(wait)
			}
		}
	}
}

// sendHeartbeat says how the agent is, once.
func (a *Agent) sendHeartbeat(ctx context.Context) error {
	h := a.heartbeat()
	answer, err := a.client.heartbeat(ctx, h)
	if err != nil {
		return err
	}
	a.orders.told(h.Acked)
	a.setIntervals(answer.PollIntervalMs, answer.HeartbeatIntervalMs)
	return nil
}

func (a *Agent) heartbeat() fleet.Heartbeat {
	ids := []string{} // never null
	for _, r := range a.runs.list() {
		ids = append(ids, r.start.ID)
	}
	h := fleet.Heartbeat{
		Name:          a.cfg.Name,
		InstanceID:    a.cfg.InstanceID,
		Status:        fleet.AgentIdle,
		CurrentRunIDs: ids,
		RSSBytes:      max(residentBytes(), 0),
		CPURatio:      a.cpu.ratio(),
		Spool:         a.spool.state(),
		Skipped:       a.runs.skips(),
		Acked:         a.orders.pending(len(ids) == 0),
	}
	if a.cfg.K6 != nil {
		h.K6 = a.cfg.K6()
	}
	switch {
	case len(ids) > 0 && a.orders.stopped():
		h.Status = fleet.AgentStopping
	case len(ids) > 0:
		h.Status = fleet.AgentRunning
	}
	return h
}

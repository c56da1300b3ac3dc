package agent

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/nollagluiz/broadside/fleet"
)

// poll asks for targets and orders and hands the answers on, until ctx is done or the dashboard disowns the agent. While
// the dashboard can't be reached, the last answer stays in force.
func (a *Agent) poll(ctx context.Context, polls chan<- fleet.Poll) error {
	defer a.pulse.rest(loopPoll)
	var (
		b       backoff
		etag    string
		last    fleet.Poll
		wait    time.Duration
		failing bool
	)
	for first := true; ; first = false {
		body, tag, err := a.client.poll(ctx, etag)
		if err == nil && body != nil {
			// What can't be read changes nothing: the last poll, a stop in it too, holds until the next that can.
			var read fleet.Poll
			if read, err = a.readPoll(body); err == nil {
				last = read
			}
		}
		every := time.Duration(a.pollEvery.Load())
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case disowned(err):
			return fmt.Errorf("poll: %w", err)
		case err != nil:
			a.complaints.failed("poll", err)
			failing = true
			wait = max(every, b.next(err))
		default:
			if failing {
				a.log.Info("the dashboard answers again")
			}
			failing = false
			b.reset()
			etag, wait = tag, jitter(every)
			if first {
				wait = scatter(wait)
			}
			select {
			case polls <- last:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		a.pulse.expect(loopPoll, wait)
		if err := pause(ctx, wait, nil); err != nil {
			return err
		}
	}
}

// disowned tells whether err says that this agent must register anew: its secret is not taken, or its name is not its
// own any more.
func disowned(err error) bool {
	return statusOf(err) == http.StatusUnauthorized || isNameInUse(err)
}

// readPoll decodes an answer. A field that a target leaves out has its default, and a target that can't be read is left
// out, so that one odd target does not hold up the others.
func (a *Agent) readPoll(body []byte) (fleet.Poll, error) {
	var wire struct {
		fleet.Poll
		Targets []json.RawMessage `json:"targets"`
		Run     []struct {
			ID     string          `json:"id"`
			Target json.RawMessage `json:"target"`
		} `json:"run"`
	}
	if err := json.Unmarshal(body, &wire); err != nil {
		return fleet.Poll{}, fmt.Errorf("read a poll: %w", err)
	}
	p := wire.Poll
	for _, raw := range wire.Targets {
		t, err := a.readTarget(raw)
		if err != nil {
			a.log.WithError(err).Warn("a target can't be read and is left out")
			continue
		}
		p.Targets = append(p.Targets, t)
	}
	for _, o := range wire.Run {
		t, err := a.readTarget(o.Target)
		if err != nil {
			a.log.WithError(err).Warn("an ordered run can't be read and is left out")
			continue
		}
		p.Run = append(p.Run, fleet.RunOrder{ID: o.ID, Target: t})
	}
	return p, nil
}

func (a *Agent) readTarget(raw json.RawMessage) (fleet.Target, error) {
	t := fleet.NewTarget()
	t.VUs, t.DurationS = a.cfg.DefaultVUs, int(a.cfg.DefaultDuration/time.Second)
	if len(raw) == 0 {
		return t, errors.New("no target")
	}
	// The error is the decoder's, which names fields and types but no values.
	return t, json.Unmarshal(raw, &t)
}

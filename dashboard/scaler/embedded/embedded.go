// Package embedded is the scaler driver whose agents are goroutines of the dashboard's own process: the default. It is
// given the agents as a func, so that dashboard code never imports the agent.
package embedded

import (
	"context"
	"errors"
	"fmt"
)

// Start runs the agent of a name until ctx is done, and returns when it has ended. It may return early with an error;
// the next Scale starts it again.
type Start func(ctx context.Context, name string) error

// Driver holds the running agents, named k6agent-0 to k6agent-(n-1). It is safe for concurrent use.
type Driver struct {
	start  Start
	report func(name string, err error)

	turn   chan struct{} // held by who reads or changes the rest; waiting for it ends with a context
	agents []*agent      // by number; never nil
	closed bool
}

type agent struct {
	cancel context.CancelFunc
	done   chan struct{} // closed when the agent has ended
}

// New returns a Driver without agents. report hears of agents that ended by themselves with an error; it may be nil.
func New(start Start, report func(name string, err error)) (*Driver, error) {
	if start == nil {
		return nil, errors.New("embedded scaler: nothing to start agents with")
	}
	return &Driver{start: start, report: report, turn: make(chan struct{}, 1)}, nil
}

// Name is the name of agent number i.
func Name(i int) string { return fmt.Sprintf("k6agent-%d", i) }

// take waits for the turn, or for ctx.
func (d *Driver) take(ctx context.Context) error {
	select {
	case d.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (d *Driver) give() { <-d.turn }

// Scale starts or ends agents until there are n. It waits for those that it ends, or for ctx.
func (d *Driver) Scale(ctx context.Context, n int) error {
	if err := d.take(ctx); err != nil {
		return err
	}
	defer d.give()
	if d.closed {
		return errors.New("the embedded scaler is closed")
	}
	return d.scale(ctx, n)
}

// scale is Scale for who has the turn.
func (d *Driver) scale(ctx context.Context, n int) error {
	surplus := d.agents[min(n, len(d.agents)):]
	for _, a := range surplus {
		a.cancel()
	}
	for i := len(surplus) - 1; i >= 0; i-- {
		select {
		case <-surplus[i].done:
			d.agents = d.agents[:len(d.agents)-1]
		case <-ctx.Done():
			return fmt.Errorf("wait for agents to end: %w", ctx.Err())
		}
	}
	for i := range n {
		if i == len(d.agents) {
			d.agents = append(d.agents, d.launch(i))
		} else if d.agents[i].ended() {
			d.agents[i] = d.launch(i)
		}
	}
	return nil
}

// launch starts agent i. Its context is its own, since it outlives the call that starts it; Close ends it.
func (d *Driver) launch(i int) *agent {
	ctx, cancel := context.WithCancel(context.Background())
	a := &agent{cancel: cancel, done: make(chan struct{})}
	go func() {
		defer close(a.done)
		defer cancel()
		if err := d.start(ctx, Name(i)); err != nil && ctx.Err() == nil && d.report != nil {
			d.report(Name(i), err)
		}
	}()
	return a
}

func (a *agent) ended() bool {
	select {
	case <-a.done:
		return true
	default:
		return false
	}
}

// Actual is the number of agents that are running.
func (d *Driver) Actual(ctx context.Context) (int, error) {
	if err := d.take(ctx); err != nil {
		return 0, err
	}
	defer d.give()
	n := 0
	for _, a := range d.agents {
		if !a.ended() {
			n++
		}
	}
	return n, nil
}

// Close ends all agents and waits for them, or for ctx. No agent is started any more.
func (d *Driver) Close(ctx context.Context) error {
	if err := d.take(ctx); err != nil {
		return err
	}
	defer d.give()
	d.closed = true
	return d.scale(ctx, 0)
}

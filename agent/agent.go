// Package agent is one worker of the fleet: it registers with a dashboard, polls it for targets and orders, makes the
// runs that are due and sends what they measured.
//
// Its main type is Agent. It talks to the dashboard by the wire alone (package fleet) and makes load through a Runner,
// which is a func, so any engine can be plugged in. It keeps nothing on disk: results wait in memory, bounded, until the
// dashboard has them. A dashboard that can't be reached is no error: the agent goes on by the last poll and tries again
// for ever. Intervals and times are measured on the monotonic clock; run ids and start times are the server's, as far
// as its answers tell.
package agent

import (
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sirupsen/logrus"

	"github.com/nollagluiz/broadside/fleet"
	"github.com/nollagluiz/broadside/summary"
)

// startSpread bounds the wait before the first register, so that a fleet that is scaled up does not register at once. It
// is short since a lone agent waits, too; a dashboard that is overrun spreads the rest by its 503.
const startSpread = 500 * time.Millisecond

// sessionSettled is how long a session must have lasted for its end to count as a first failure: a dashboard that takes
// the register and then refuses the poll is not hammered either.
const sessionSettled = time.Minute

// The 5 seconds between a signal and the end, counted from the signal.
const (
	shutdownRuns  = 2 * time.Second         // runs are over
	shutdownFlush = 4 * time.Second         // results are sent
	shutdownEnd   = 4500 * time.Millisecond // the dashboard knows
)

// Agent is one worker.
type Agent struct {
	cfg        Config
	log        logrus.FieldLogger
	client     *client
	clock      *clock
	spool      *spool
	schedule   schedule // of conduct alone; it outlives a session, so that a new one starts nothing anew
	runs       *runs
	orders     *orders
	pulse      *pulse
	complaints *complaints
	cpu        *cpuMeter

	pollEvery, beatEvery atomic.Int64 // ns, in force
}

// New returns an agent that does nothing until it is Run. The error wraps a plan.FieldError that names the field of cfg.
func New(cfg Config) (*Agent, error) {
	cfg = cfg.withDefaults()
	if err := cfg.validate(); err != nil {
		return nil, fmt.Errorf("configure agent: %w", err)
	}
	log := cfg.Log.WithField("agent", cfg.Name)
	c := &clock{}
	return &Agent{
		cfg:        cfg,
		log:        log,
		client:     newClient(cfg, c),
		clock:      c,
		spool:      newSpool(spoolBytes, log),
		runs:       newRuns(cfg.MaxConcurrentRuns, cfg.VULimit),
		orders:     newOrders(),
		pulse:      &pulse{},
		complaints: newComplaints(log),
		cpu:        newCPUMeter(),
	}, nil
}

// Run works until ctx is done. Then it aborts its runs, sends their results and says goodbye, all within 5 seconds. It
// may be called once. It returns nil: nothing that a dashboard does, or does not do, ends an agent.
func (a *Agent) Run(ctx context.Context) error {
	var wg sync.WaitGroup
	defer wg.Wait()
	background, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	if a.cfg.HealthAddr != "" {
		wg.Go(func() {
			if err := a.serveHealth(background, a.cfg.HealthAddr); err != nil {
				a.log.WithError(err).Error("nobody can ask for this agent's health")
			}
		})
	}
	sending, stopSending := context.WithCancel(background)
	defer stopSending()
	drain, drained := make(chan struct{}), make(chan struct{})
	wg.Go(func() {
		defer close(drained)
		a.spool.send(sending, drain, a.client.put, a.pulse, a.complaints)
	})
	registered := a.serve(ctx, background)
	a.shutdown(background, registered, func(ctx context.Context) {
		close(drain)
		select {
		case <-drained:
		case <-ctx.Done():
		}
		stopSending()
	})
	return nil
}

// serve keeps a session with the dashboard, until ctx is done, and tells whether the agent was registered then. Runs are
// of background.
func (a *Agent) serve(ctx, background context.Context) (registered bool) {
	defer a.pulse.rest(loopRegister)
	var b backoff
	wait := rand.N(startSpread)
	for {
		a.pulse.expect(loopRegister, wait)
		if pause(ctx, wait, nil) != nil {
			return false
		}
		err := a.register(ctx)
		if err == nil {
			began := time.Now()
			a.pulse.rest(loopRegister)
			err = a.session(ctx, background)
			if isNameInUse(err) {
				a.runs.abortAll(errReplaced)
			}
			if !disowned(err) {
				return true
			}
			if time.Since(began) >= sessionSettled {
				b.reset()
			}
		}
		if ctx.Err() == nil {
			a.complaints.failed("register", err)
		}
		wait = b.next(err)
	}
}

func (a *Agent) register(ctx context.Context) error {
	r, err := a.client.register(ctx, fleet.Registration{
		Name:        a.cfg.Name,
		InstanceID:  a.cfg.InstanceID,
		Version:     a.cfg.Version,
		Engine:      a.cfg.Engine,
		CPUs:        float64(runtime.GOMAXPROCS(0)),
		MemoryBytes: memoryBytes(),
		MaxVUs:      a.cfg.VULimit.Max(),
		Labels:      a.cfg.Labels,
	})
	if err != nil {
		return err
	}
	a.setIntervals(r.PollIntervalMs, r.HeartbeatIntervalMs)
	a.log.WithField("epoch", r.Epoch).Info("registered")
	return nil
}

// session polls, beats and starts what is due, until ctx is done or the dashboard disowns the agent; it returns why.
func (a *Agent) session(ctx, background context.Context) error {
	ctx, end := context.WithCancelCause(ctx)
	defer end(nil)
	polls := make(chan fleet.Poll)
	var wg sync.WaitGroup
	wg.Go(func() { end(a.poll(ctx, polls)) })
	wg.Go(func() { end(a.beat(ctx)) })
	wg.Go(func() { end(a.conduct(ctx, background, polls)) })
	wg.Wait()
	return context.Cause(ctx)
}

// setIntervals takes what the dashboard asks for; the agent's own intervals are lower bounds.
func (a *Agent) setIntervals(pollMs, heartbeatMs int64) {
	a.pollEvery.Store(int64(interval(a.cfg.PollInterval, pollMs, DefaultPollInterval)))
	a.beatEvery.Store(int64(interval(a.cfg.HeartbeatInterval, heartbeatMs, DefaultHeartbeatInterval)))
}

// shutdown aborts the runs, sends what is left and deregisters, if registered. flush empties the spool, as far as its
// context lets it.
func (a *Agent) shutdown(background context.Context, registered bool, flush func(context.Context)) {
	began := time.Now()
	until := func(d time.Duration) (context.Context, context.CancelFunc) {
		return context.WithDeadline(background, began.Add(d))
	}
	a.runs.abortAll(errShutdown)
	ctx, cancel := until(shutdownRuns)
	err := a.runs.wait(ctx)
	cancel()
	if err != nil {
		a.abandonRuns()
	}
	ctx, cancel = until(shutdownFlush)
	flush(ctx)
	cancel()
	if left := a.spool.state().Results; left > 0 {
		a.log.WithField("results", left).Error("the dashboard can't be reached: results are lost")
	}
	if !registered {
		return // the name is another's, or the secret is wrong
	}
	ctx, cancel = until(shutdownEnd)
	defer cancel()
	if err := a.client.deregister(ctx, fleet.Deregistration{Name: a.cfg.Name, InstanceID: a.cfg.InstanceID}); err != nil {
		a.log.WithError(err).Warn("deregister")
		return
	}
	a.log.Info("deregistered")
}

// abandonRuns reports the runs whose engine does not let go.
func (a *Agent) abandonRuns() {
	for _, r := range a.runs.list() {
		if a.runs.claim(r) {
			a.report(r, summary.Outcome{
				Verdict: summary.Aborted,
				Message: "The run did not stop in time when the agent was shut down; what it measured is lost.",
			})
		}
	}
}

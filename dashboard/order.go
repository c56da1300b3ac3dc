package dashboard

import (
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/nollagluiz/broadside/fleet"
)

// Bounds of the orders in memory.
const (
	orderLife     = 2 * time.Minute // an agent that is not heard from for so long runs nothing late
	maxOrders     = 1000            // open at once
	maxOrderBytes = 7 << 20         // of the targets in open orders to run, as JSON: polls have a bound (maxPollTargets)
)

// orders are what persons have asked of agents and agents have not done yet. They live in memory: what a restart of the
// dashboard loses, a person asks for again, except the stop, which is in the settings. It is safe for concurrent use.
type orders struct {
	mu     sync.Mutex // guards the rest
	runs   []runOrder
	aborts map[string]abortOrder // by run id
}

// runOrder is to run a target once.
type runOrder struct {
	fleet.RunOrder
	until time.Time
	bytes int             // of its target as JSON
	acked map[string]bool // by agent: it has started the run, or said why not
}

// abortOrder is to abort a run.
type abortOrder struct {
	agent string
	until time.Time
}

func newOrders() *orders { return &orders{aborts: map[string]abortOrder{}} }

// run orders a run of t from each agent.
func (o *orders) run(t fleet.Target, now time.Time) (id string, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.pruneLocked(now)
	if len(o.runs) >= maxOrders {
		return "", fleet.Errorf(fleet.Overloaded, "%d orders are open; wait for them", maxOrders)
	}
	order := runOrder{fleet.RunOrder{ID: uuid.NewString(), Target: t}, now.Add(orderLife), encodedSize(t), map[string]bool{}}
	if order.bytes > maxOrderBytes {
		return "", fleet.Errorf(fleet.TooLarge, "a target that is run now may have %d MiB as JSON, and this one has more; shorten its body or its script", maxOrderBytes>>20)
	}
	total := order.bytes
	for _, r := range o.runs {
		total += r.bytes
	}
	if total > maxOrderBytes {
		return "", fleet.Errorf(fleet.Overloaded, "the targets of open orders may have %d MiB as JSON; wait for them", maxOrderBytes>>20)
	}
	o.runs = append(o.runs, order)
	return order.ID, nil
}

// abort orders an agent to abort a run, until its end is known or its deadline is over.
func (o *orders) abort(runID, agent string, until, now time.Time) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.pruneLocked(now)
	if len(o.aborts) >= maxOrders {
		return fleet.Errorf(fleet.Overloaded, "%d runs are being aborted; stop the fleet instead", maxOrders)
	}
	o.aborts[runID] = abortOrder{agent, until}
	return nil
}

// runEnded forgets what was to be aborted.
func (o *orders) runEnded(runID string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	delete(o.aborts, runID)
}

// ack notes what an agent has done. Ids that are no open order's are nothing.
func (o *orders) ack(agent string, ids []string) {
	if len(ids) == 0 {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, r := range o.runs {
		if slices.Contains(ids, r.ID) {
			r.acked[agent] = true
		}
	}
}

// of are an agent's open orders, in a fixed order.
func (o *orders) of(agent string, now time.Time) (runs []fleet.RunOrder, aborts []string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.runs)+len(o.aborts) == 0 {
		return nil, nil
	}
	o.pruneLocked(now)
	for _, r := range o.runs {
		if !r.acked[agent] {
			runs = append(runs, r.RunOrder)
		}
	}
	for id, a := range o.aborts {
		if a.agent == agent {
			aborts = append(aborts, id)
		}
	}
	slices.Sort(aborts)
	return runs, aborts
}

// dropTarget takes back the orders to run a target.
func (o *orders) dropTarget(id string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.runs = slices.DeleteFunc(o.runs, func(r runOrder) bool { return r.Target.ID == id })
}

// dropRuns takes back every order to run.
func (o *orders) dropRuns() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.runs = nil
}

func (o *orders) pruneLocked(now time.Time) {
	o.runs = slices.DeleteFunc(o.runs, func(r runOrder) bool { return !now.Before(r.until) })
	for id, a := range o.aborts {
		if !now.Before(a.until) {
			delete(o.aborts, id)
		}
	}
}

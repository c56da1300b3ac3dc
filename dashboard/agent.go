package dashboard

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/nollagluiz/broadside/fleet"
)

// maxKnownAgents bounds the memory of names, which anybody who has the agents' secret may make up.
const maxKnownAgents = 20_000

// agents is the live memory of the fleet, ahead of the store by what heartbeats said since the last flush. It is safe for
// concurrent use.
//
// One name belongs to one instance at a time, its holder. An instance holds a name for as long as it is live: heard from
// within liveFor and not deregistered. What another one's call does:
//
//	call          of the holder                of another, holder live    of another, holder not live
//	register      new epoch                    409                        new epoch; the holder's runs end as lost
//	heartbeat     seen                         409                        409: it must register, and gets a new epoch
//	deregister    offline                      nothing                    nothing
//	other calls   seen, if the epoch is right  nothing                    nothing
type agents struct {
	liveFor      time.Duration
	offlineAfter time.Duration

	mu        sync.Mutex // guards the rest
	byName    map[string]*agentEntry
	loadedAt  time.Time // before this nobody could be heard from
	online    int       // as counted at countedAt; the zero time has it counted anew
	countedAt time.Time
}

// agentEntry is one agent. Its Status is that of its last sign of life; statusLocked is the present one.
type agentEntry struct {
	fleet.Agent
	dirty bool   // the store does not know all of it
	lost  bool   // an earlier instance's runs are yet to be ended
	acked string // the stop that it has carried out
}

func newAgents(liveFor, offlineAfter time.Duration) *agents {
	return &agents{liveFor: liveFor, offlineAfter: offlineAfter, byName: map[string]*agentEntry{}}
}

func (a *agents) load(stored []fleet.Agent, gone func(fleet.Agent) bool, now time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.loadedAt = now
	for _, agent := range stored {
		if gone != nil && gone(agent) {
			agent.Deregistered = true
		}
		a.byName[agent.Name] = &agentEntry{Agent: agent}
	}
}

// Register makes an instance the holder of its name, in a new epoch.
func (s *Service) Register(ctx context.Context, in fleet.Registration) (fleet.Registered, error) {
	now := s.cfg.Now()
	agent, lost, err := s.agents.take(in, now)
	if err != nil {
		return fleet.Registered{}, err
	}
	agent, err = s.store.RegisterAgent(ctx, agent, lost, now)
	if err != nil {
		return fleet.Registered{}, fmt.Errorf("register agent: %w", err)
	}
	s.agents.stored(agent)
	return fleet.Registered{
		ID: agent.ID, Name: agent.Name, Epoch: agent.Epoch,
		PollIntervalMs:      s.cfg.PollInterval.Milliseconds(),
		HeartbeatIntervalMs: s.cfg.HeartbeatInterval.Milliseconds(),
		ServerTime:          fleet.Millis(now),
	}, nil
}

// take makes the instance the holder, in memory. lost tells whether runs of an earlier one are to be ended.
func (a *agents) take(in fleet.Registration, now time.Time) (_ fleet.Agent, lost bool, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	e := a.byName[in.Name]
	switch {
	case e == nil:
		if e, err = a.addLocked(in.Name); err != nil {
			return fleet.Agent{}, false, err
		}
	case e.InstanceID != in.InstanceID && a.liveLocked(e, now):
		return fleet.Agent{}, false, a.inUseLocked(e, now)
	case e.InstanceID != in.InstanceID:
		e.lost = true
		e.Spool, e.Skipped, e.K6, e.CurrentRunIDs, e.acked = fleet.Spool{}, fleet.Skipped{}, nil, nil, ""
	}
	e.InstanceID, e.Epoch, e.RegisteredAt = in.InstanceID, e.Epoch+1, fleet.Millis(now)
	e.Version, e.Engine, e.CPUs, e.MemoryBytes, e.MaxVUs, e.Labels = in.Version, in.Engine, in.CPUs, in.MemoryBytes, in.MaxVUs, in.Labels
	e.State = fleet.AgentIdle
	a.seenLocked(e, now)
	return e.Agent, e.lost, nil
}

// addLocked makes an entry for a new name.
func (a *agents) addLocked(name string) (*agentEntry, error) {
	if len(a.byName) >= maxKnownAgents {
		return nil, fleet.Errorf(fleet.Overloaded, "%d agents are known; the silent ones have to be cleared away first", maxKnownAgents)
	}
	id, err := uuid.NewV7()
	if err != nil {
		return nil, err
	}
	e := &agentEntry{Agent: fleet.Agent{ID: id.String(), Name: name}}
	a.byName[name] = e
	return e, nil
}

// stored notes that a registration is in the store. A newer one is left to its own.
func (a *agents) stored(agent fleet.Agent) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if e := a.byName[agent.Name]; e != nil && e.Epoch == agent.Epoch {
		e.ID, e.lost = agent.ID, false
	}
}

func (a *agents) seenLocked(e *agentEntry, now time.Time) {
	if a.statusLocked(e, now) != fleet.AgentOnline {
		a.countedAt = time.Time{}
	}
	e.LastSeenAt, e.Status, e.Deregistered, e.dirty = fleet.Millis(now), fleet.AgentOnline, false, true
}

func (a *agents) liveLocked(e *agentEntry, now time.Time) bool {
	return !e.Deregistered && now.Sub(e.LastSeenAt.Time) < a.liveFor
}

// inUseLocked tells an instance when the holder's name may be free.
func (a *agents) inUseLocked(e *agentEntry, now time.Time) error {
	p := newProblem(http.StatusConflict, fleet.AgentNameInUse, fmt.Sprintf("another agent is registered as %.200q", e.Name))
	p.retryAfter(int(math.Ceil((a.liveFor - now.Sub(e.LastSeenAt.Time)).Seconds())))
	return p
}

// Heartbeat notes how an agent is. It is answered from memory.
func (s *Service) Heartbeat(in fleet.Heartbeat, epoch int64) (fleet.HeartbeatAnswer, error) {
	now := s.cfg.Now()
	in.CurrentRunIDs = slices.DeleteFunc(in.CurrentRunIDs, s.ended.has) // the result overtook it
	if err := s.agents.heard(in, epoch, s.settings.Load().StopID, now); err != nil {
		return fleet.HeartbeatAnswer{}, err
	}
	s.orders.ack(in.Name, in.Acked)
	return fleet.HeartbeatAnswer{
		ServerTime:          fleet.Millis(now),
		PollIntervalMs:      s.cfg.PollInterval.Milliseconds(),
		HeartbeatIntervalMs: s.cfg.HeartbeatInterval.Milliseconds(),
	}, nil
}

// heard takes a heartbeat. An agent that is unknown, since the database is new or it was silent for long, is added.
func (a *agents) heard(in fleet.Heartbeat, epoch int64, stopID string, now time.Time) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	e := a.byName[in.Name]
	switch {
	case e == nil:
		var err error
		if e, err = a.addLocked(in.Name); err != nil {
			return err
		}
		e.InstanceID, e.Epoch, e.RegisteredAt = in.InstanceID, max(epoch, 1), fleet.Millis(now)
	case e.InstanceID != in.InstanceID:
		return a.inUseLocked(e, now)
	}
	e.State, e.RSSBytes, e.CPURatio, e.Spool, e.Skipped = in.Status, in.RSSBytes, in.CPURatio, in.Spool, in.Skipped
	e.CurrentRunIDs, e.K6 = in.CurrentRunIDs, in.K6
	if stopID != "" && slices.Contains(in.Acked, stopID) {
		e.acked = stopID
	}
	a.seenLocked(e, now)
	return nil
}

// Deregister is an agent's clean end. That of an instance that lost its name is nothing.
func (s *Service) Deregister(ctx context.Context, in fleet.Deregistration) error {
	agent, ok := s.agents.leave(in)
	if !ok {
		return nil
	}
	if err := s.store.SaveAgents(ctx, []fleet.Agent{agent}); err != nil {
		return fmt.Errorf("deregister agent: %w", err)
	}
	return nil
}

func (a *agents) leave(in fleet.Deregistration) (fleet.Agent, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	e := a.byName[in.Name]
	if e == nil || e.InstanceID != in.InstanceID {
		return fleet.Agent{}, false
	}
	e.Status, e.Deregistered, e.State, e.CurrentRunIDs, e.dirty = fleet.AgentOffline, true, fleet.AgentIdle, nil, true
	a.countedAt = time.Time{}
	return e.Agent, true
}

// touch notes a sign of life that came with another call. The epoch keeps an instance that lost its name, or has not
// got it yet, from keeping it alive for another.
func (a *agents) touch(name string, epoch int64, now time.Time) {
	if name == "" || epoch == 0 {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if e := a.byName[name]; e != nil && e.Epoch == epoch && !e.Deregistered {
		a.seenLocked(e, now)
	}
}

// outdated tells whether a call is of an earlier epoch than the name's present one.
func (a *agents) outdated(name string, epoch int64) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	e := a.byName[name]
	return e != nil && epoch != 0 && epoch < e.Epoch
}

// setRun adds a run to those that an agent is at, or takes it away, ahead of its next heartbeat.
func (a *agents) setRun(name, runID string, running bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	e := a.byName[name]
	if e == nil || slices.Contains(e.CurrentRunIDs, runID) == running {
		return
	}
	ids := slices.DeleteFunc(slices.Clone(e.CurrentRunIDs), func(id string) bool { return id == runID })
	if running {
		ids = append(ids, runID)
	}
	e.CurrentRunIDs, e.dirty = ids, true
}

// statusLocked is whether the agent was heard from lately. The time in which the dashboard was away does not count.
func (a *agents) statusLocked(e *agentEntry, now time.Time) fleet.AgentStatus {
	since := e.LastSeenAt.Time
	if since.Before(a.loadedAt) {
		since = a.loadedAt
	}
	if e.Status != fleet.AgentOnline || e.Deregistered || now.Sub(since) > a.offlineAfter {
		return fleet.AgentOffline
	}
	return fleet.AgentOnline
}

// countOnline is how many agents are online, and exact to a second.
func (a *agents) countOnline(now time.Time) int {
	a.mu.Lock()
	defer a.mu.Unlock()
	if age := now.Sub(a.countedAt); age < 0 || age >= time.Second {
		a.online, a.countedAt = 0, now
		for _, e := range a.byName {
			if a.statusLocked(e, now) == fleet.AgentOnline {
				a.online++
			}
		}
	}
	return a.online
}

// count is how many agents are known.
func (a *agents) count() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.byName)
}

// notStopped is how many agents online have not acknowledged a stop.
func (a *agents) notStopped(stopID string, now time.Time) (n int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, e := range a.byName {
		if a.statusLocked(e, now) == fleet.AgentOnline && e.acked != stopID {
			n++
		}
	}
	return n
}

// list is a copy of the fleet as it is now, by name.
func (a *agents) list(now time.Time) []fleet.Agent {
	a.mu.Lock()
	out := make([]fleet.Agent, 0, len(a.byName))
	for _, e := range a.byName {
		agent := e.Agent
		agent.Status = a.statusLocked(e, now)
		if agent.Status != fleet.AgentOnline || agent.CurrentRunIDs == nil {
			agent.CurrentRunIDs = []string{} // what an agent was at when it fell silent is no news
		}
		agent.CurrentRunID = nil
		if len(agent.CurrentRunIDs) > 0 {
			agent.CurrentRunID = &agent.CurrentRunIDs[0]
		}
		if agent.Labels == nil {
			agent.Labels = map[string]string{}
		}
		out = append(out, agent)
	}
	a.mu.Unlock()
	slices.SortFunc(out, func(x, y fleet.Agent) int { return compareNatural(x.Name, y.Name) })
	return out
}

// Agents implements Operations.
func (s *Service) Agents(context.Context) ([]fleet.Agent, error) {
	return s.agents.list(s.cfg.Now()), nil
}

// takeDirty returns what the store does not know, and holds it for known.
func (a *agents) takeDirty() []fleet.Agent {
	a.mu.Lock()
	defer a.mu.Unlock()
	var out []fleet.Agent
	for _, e := range a.byName {
		if e.dirty {
			e.dirty = false
			out = append(out, e.Agent)
		}
	}
	return out
}

// setDirty takes back what takeDirty returned, when it could not be stored.
func (a *agents) setDirty(agents []fleet.Agent) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, agent := range agents {
		if e := a.byName[agent.Name]; e != nil {
			e.dirty = true
		}
	}
}

// idle takes their current runs from agents.
func (a *agents) idle(names []string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, name := range names {
		if e := a.byName[name]; e != nil {
			e.CurrentRunID, e.CurrentRunIDs = nil, nil
		}
	}
}

// forget drops agents that were deleted, unless they have come back meanwhile.
func (a *agents) forget(names []string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, name := range names {
		if e := a.byName[name]; e != nil && !e.dirty {
			delete(a.byName, name)
		}
	}
	a.countedAt = time.Time{}
}

// compareNatural orders names so that a number in them counts as one: k6agent-2 comes before k6agent-10.
func compareNatural(a, b string) int {
	x, y := a, b
	for x != "" && y != "" {
		dx, dy := digits(x), digits(y)
		if dx == 0 || dy == 0 {
			if x[0] != y[0] {
				return strings.Compare(x, y)
			}
			x, y = x[1:], y[1:]
			continue
		}
		nx, ny := strings.TrimLeft(x[:dx], "0"), strings.TrimLeft(y[:dy], "0")
		if len(nx) != len(ny) {
			return len(nx) - len(ny)
		}
		if c := strings.Compare(nx, ny); c != 0 {
			return c
		}
		x, y = x[dx:], y[dy:]
	}
	if c := len(x) - len(y); c != 0 {
		return c
	}
	return strings.Compare(a, b) // 01 and 1
}

// digits is how many digits s begins with.
func digits(s string) int {
	n := 0
	for n < len(s) && '0' <= s[n] && s[n] <= '9' {
		n++
	}
	return n
}

package dashboard_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/nollagluiz/broadside/dashboard"
	"github.com/nollagluiz/broadside/fleet"
)

// agent is one as everybody may see it; nil if it is not there.
func (f *fixture) agent(name string) *fleet.Agent {
	f.Helper()
	for _, a := range read[list[fleet.Agent]](f.call("GET", pathAgents, nil)).Items {
		if a.Name == name {
			return &a
		}
	}
	return nil
}

// storedAgent is what the store has; nil if there is none.
func (f *fixture) storedAgent(name string) *fleet.Agent {
	f.Helper()
	all, err := f.store.Agents(f.Context())
	f.must(err)
	for _, a := range all {
		if a.Name == name {
			return &a
		}
	}
	return nil
}

func TestRegister(t *testing.T) {
	f := newFixture(t)
	in := fleet.Registration{Name: "k6agent-0", InstanceID: "one", Version: "v1.2", Engine: "embedded", CPUs: 1.5, MemoryBytes: 128 << 20, MaxVUs: 500, Labels: map[string]string{"zone": "a"}}
	got := read[fleet.Registered](f.call("POST", pathRegister, in, asAgent))
	want := fleet.Registered{ID: got.ID, Name: "k6agent-0", Epoch: 1, PollIntervalMs: 5000, HeartbeatIntervalMs: 30_000, ServerTime: fleet.Millis(f.clock.now())}
	if diff := cmp.Diff(want, got); diff != "" || got.ID == "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	now := fleet.Millis(f.clock.now())
	agent := fleet.Agent{ID: got.ID, Name: "k6agent-0", Status: fleet.AgentOnline, State: fleet.AgentIdle, Version: "v1.2", Engine: "embedded", CPUs: 1.5, MemoryBytes: 128 << 20,
		MaxVUs: 500, Labels: map[string]string{"zone": "a"}, RegisteredAt: now, LastSeenAt: now, CurrentRunIDs: []string{}, Epoch: 1}
	if diff := cmp.Diff(&agent, f.agent("k6agent-0")); diff != "" {
		t.Errorf("agent (-want +got)\n%s", diff)
	}
	if stored := f.storedAgent("k6agent-0"); stored == nil || stored.InstanceID != "one" || stored.ID != got.ID {
		t.Errorf("stored %+v", stored)
	}
	// The dashboard knows its fleet again after a restart, and goes on counting epochs.
	f.start()
	if diff := cmp.Diff(&agent, f.agent("k6agent-0")); diff != "" {
		t.Errorf("after a restart (-want +got)\n%s", diff)
	}
	if again := read[fleet.Registered](f.call("POST", pathRegister, in, asAgent)); again.Epoch != 2 || again.ID != got.ID {
		t.Errorf("registered again: %+v; want epoch 2 of the same agent", again)
	}
}

// Field report 39 and 41: one live instance a name. The table in type agents, row by row.
func TestOneLiveInstanceAName(t *testing.T) {
	refused := func(r reply, seconds string) {
		t.Helper()
		r.wantsProblem(http.StatusConflict, fleet.AgentNameInUse)
		if got := r.header.Get("Retry-After"); got != seconds {
			t.Errorf("%s: Retry-After %q; want %s", r.what, got, seconds)
		}
	}
	f := newFixture(t)
	if epoch := f.register("a", "one"); epoch != 1 {
		t.Errorf("epoch %d; want 1", epoch)
	}
	second := fleet.Registration{Name: "a", InstanceID: "two"}
	refused(f.call("POST", pathRegister, second, as("a", 0)), "60")
	refused(f.call("POST", pathHeartbeat, beat("a", "two"), as("a", 0)), "60")
	if epoch := f.register("a", "one"); epoch != 2 { // the same one takes over at once
		t.Errorf("epoch %d; want 2", epoch)
	}
	// What the second tries does not keep the name alive, or it would wait for ever: neither with no epoch nor an old one.
	for range 59 {
		f.clock.add(time.Second)
		f.call("GET", pathPoll, nil, as("a", 0)).wants(http.StatusOK)
		f.call("GET", pathPoll, nil, as("a", 1)).wants(http.StatusOK)
		f.call("POST", pathGoodbye, fleet.Deregistration{Name: "a", InstanceID: "two"}, as("a", 0)).wants(http.StatusNoContent)
		f.call("POST", pathRegister, second, as("a", 0)).wants(http.StatusConflict)
	}
	refused(f.call("POST", pathRegister, second, as("a", 0)), "1")
	f.clock.add(time.Second) // two heartbeat intervals since the last sign of life
	refused(f.call("POST", pathHeartbeat, beat("a", "two"), as("a", 0)), "1")
	if epoch := f.register("a", "two"); epoch != 3 {
		t.Errorf("epoch %d; want 3", epoch)
	}
	refused(f.call("POST", pathHeartbeat, beat("a", "one"), as("a", 2)), "60") // the first is fenced off
	f.call("POST", pathHeartbeat, beat("a", "two"), as("a", 3)).wants(http.StatusOK)

	// A clean end frees the name at once.
	f.call("POST", pathGoodbye, fleet.Deregistration{Name: "a", InstanceID: "two"}, as("a", 3)).wants(http.StatusNoContent)
	if epoch := f.register("a", "three"); epoch != 4 {
		t.Errorf("epoch %d; want 4", epoch)
	}
}

// Any authenticated call with the agent's name and epoch is a sign of life; the unauthenticated is none.
func TestAnyCallIsASignOfLife(t *testing.T) {
	f := newFixture(t)
	epoch := f.register("a", "one")
	seen := func() fleet.Time { return f.agent("a").LastSeenAt }
	for name, call := range map[string]func(){
		"poll":  func() { f.call("GET", pathPoll, nil, as("a", epoch)) },
		"start": func() { f.call("POST", pathResults, startOf(f, 1, "t", "a"), as("a", epoch)) },
		"end":   func() { f.call("PUT", pathResults+"/"+runID(1), endOf(startOf(f, 1, "t", "a")), as("a", epoch)) },
		"a refused result": func() {
			f.call("PUT", pathResults+"/"+runID(1), "{}", as("a", epoch)).wants(http.StatusUnprocessableEntity)
		},
		"heartbeat": func() { f.call("POST", pathHeartbeat, beat("a", "one"), as("a", epoch)) },
	} {
		f.clock.add(10 * time.Second)
		call()
		if got := seen(); !got.Equal(f.clock.now()) {
			t.Errorf("%s: last seen %v; want now, %v", name, got, f.clock.now())
		}
	}
	before := seen()
	f.clock.add(10 * time.Second)
	f.call("GET", pathPoll, nil, as("a", epoch), bearer("wrong")).wants(http.StatusUnauthorized)
	f.call("GET", pathPoll, nil, as("a", epoch+1))
	f.call("GET", pathPoll, nil, as("a", epoch), header(fleet.HeaderEpoch, "-1"))
	f.call("GET", pathPoll, nil, as("a", epoch), header(fleet.HeaderEpoch, "99999999999999999999"))
	f.call("GET", pathList, nil, header(fleet.HeaderAgent, "a"), header(fleet.HeaderEpoch, fmt.Sprint(epoch)))
	if got := seen(); got != before {
		t.Errorf("last seen %v; want %v", got, before)
	}
	f.call("POST", pathGoodbye, fleet.Deregistration{Name: "a", InstanceID: "one"}, as("a", epoch)).wants(http.StatusNoContent)
	f.call("PUT", pathResults+"/"+runID(2), endOf(startOf(f, 2, "t", "a")), as("a", epoch)).wants(http.StatusOK)
	if got := f.agent("a").Status; got != fleet.AgentOffline {
		t.Errorf("a result after the goodbye makes it %s", got)
	}
	f.call("POST", pathHeartbeat, beat("a", "one"), as("a", epoch)).wants(http.StatusOK)
	if got := f.agent("a").Status; got != fleet.AgentOnline {
		t.Errorf("a heartbeat after the goodbye leaves it %s", got)
	}
}

// Heartbeats are answered from memory, and flushed.
func TestHeartbeatsAreFlushed(t *testing.T) {
	f := newFixture(t)
	epoch := f.register("a", "one")
	f.clock.add(20 * time.Second)
	in := fleet.Heartbeat{Name: "a", InstanceID: "one", Status: fleet.AgentRunning, CurrentRunIDs: []string{runID(1), runID(2)}, RSSBytes: 14 << 20, CPURatio: 0.25,
		Spool: fleet.Spool{Results: 1, Bytes: 2, Dropped: 3, Refused: 4}, Skipped: fleet.Skipped{Overlap: 5, NoSlot: 6, VULimit: 7}}
	answer := read[fleet.HeartbeatAnswer](f.call("POST", pathHeartbeat, in, as("a", epoch)))
	if diff := cmp.Diff(fleet.HeartbeatAnswer{ServerTime: fleet.Millis(f.clock.now()), PollIntervalMs: 5000, HeartbeatIntervalMs: 30_000}, answer); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	shown := f.agent("a")
	if shown.State != fleet.AgentRunning || shown.CurrentRunID == nil || *shown.CurrentRunID != runID(1) || len(shown.CurrentRunIDs) != 2 ||
		shown.RSSBytes != in.RSSBytes || shown.CPURatio != in.CPURatio || shown.Spool != in.Spool || shown.Skipped != in.Skipped {
		t.Errorf("shown %+v; want what it said", shown)
	}
	if stored := f.storedAgent("a"); stored.LastSeenAt == shown.LastSeenAt {
		t.Error("a heartbeat was written at once")
	}
	f.must(f.service.Flush(t.Context()))
	stored := f.storedAgent("a")
	if !stored.LastSeenAt.Equal(f.clock.now()) || stored.RSSBytes != in.RSSBytes || !slices.Equal(stored.CurrentRunIDs, in.CurrentRunIDs) {
		t.Errorf("stored %+v; want what it said", stored)
	}
	// What a run's own calls tell is ahead of the next heartbeat, and a heartbeat that a result overtook changes nothing.
	f.call("PUT", pathResults+"/"+runID(1), endOf(startOf(f, 1, "t", "a")), as("a", epoch)).wants(http.StatusOK)
	f.call("POST", pathResults, startOf(f, 3, "t", "a"), as("a", epoch)).wants(http.StatusCreated)
	if got := f.agent("a").CurrentRunIDs; !slices.Equal(got, []string{runID(2), runID(3)}) {
		t.Errorf("current runs %v; want 2 and 3", got)
	}
	f.call("POST", pathHeartbeat, in, as("a", epoch)).wants(http.StatusOK)
	if got := f.agent("a").CurrentRunIDs; !slices.Equal(got, []string{runID(2)}) {
		t.Errorf("current runs %v; want 2", got)
	}
}

// brokenStore fails to save agents until it is mended.
type brokenStore struct {
	dashboard.Store
	mu     sync.Mutex // guards broken
	broken bool
}

func (s *brokenStore) set(broken bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.broken = broken
}

func (s *brokenStore) err() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.broken {
		return errors.New("the disk is full: /secret/path/fleet.db")
	}
	return nil
}

func (s *brokenStore) SaveAgents(ctx context.Context, agents []fleet.Agent) error {
	if err := s.err(); err != nil {
		return err
	}
	return s.Store.SaveAgents(ctx, agents)
}

func (s *brokenStore) RegisterAgent(ctx context.Context, a fleet.Agent, lost bool, now time.Time) (fleet.Agent, error) {
	if err := s.err(); err != nil {
		return fleet.Agent{}, err
	}
	return s.Store.RegisterAgent(ctx, a, lost, now)
}

func (s *brokenStore) Ping(ctx context.Context) error {
	if err := s.err(); err != nil {
		return err
	}
	return s.Store.Ping(ctx)
}

// A store that fails loses nothing: the next flush tries again, a register is tried again with its lost runs, and nobody
// is shown the store's own words.
func TestABrokenStore(t *testing.T) {
	broken := &brokenStore{}
	f := newFixture(t, func(s dashboard.Store) dashboard.Store { broken.Store = s; return broken })
	epoch := f.register("a", "one")
	f.call("POST", pathResults, startOf(f, 1, "t", "a"), as("a", epoch)).wants(http.StatusCreated)
	f.clock.add(10 * time.Second)
	broken.set(true)
	f.call("POST", pathHeartbeat, beat("a", "one"), as("a", epoch)).wants(http.StatusOK)
	if err := f.service.Flush(t.Context()); err == nil {
		t.Error("the flush says nothing")
	}
	f.call("GET", "/readyz", nil).wantsProblem(http.StatusServiceUnavailable, fleet.Overloaded)
	f.call("GET", "/healthz", nil).wants(http.StatusOK)
	f.clock.add(2 * time.Minute)
	r := f.call("POST", pathRegister, fleet.Registration{Name: "a", InstanceID: "two"}, as("a", 0))
	if p := r.wantsProblem(http.StatusInternalServerError, "internal"); p.Detail != "" || strings.Contains(string(r.body), "secret") {
		t.Errorf("the answer says %s", r.body)
	}
	f.contains(f.log.String(), "the disk is full")
	broken.set(false)
	f.must(f.service.Flush(t.Context()))
	f.register("a", "two")
	if run := f.show(1); run.Verdict != "lost" {
		t.Errorf("the first instance's run is %s %s; want lost", run.Status, run.Verdict)
	}
	// Once is enough: the second instance's own runs go on when it registers again.
	f.call("POST", pathResults, startOf(f, 2, "t", "a"), as("a", 3)).wants(http.StatusCreated)
	f.register("a", "two")
	if run := f.show(2); run.Status != fleet.RunRunning {
		t.Errorf("the second instance's run is %s %s; want running", run.Status, run.Verdict)
	}
	f.clock.add(10 * time.Second)
	f.call("POST", pathHeartbeat, beat("a", "two"), asAgent).wants(http.StatusOK)
	broken.set(true)
	if err := f.service.Flush(t.Context()); err == nil {
		t.Error("the flush says nothing")
	}
	broken.set(false)
	f.must(f.service.Flush(t.Context()))
	if got := f.storedAgent("a").LastSeenAt; !got.Equal(f.clock.now()) {
		t.Errorf("stored as seen at %v; want %v", got, f.clock.now())
	}
}

// An agent that the database does not know, since it is new or the agent was silent for long, is added by its heartbeat.
func TestAnUnknownAgentIsAdded(t *testing.T) {
	f := newFixture(t)
	f.call("POST", pathHeartbeat, beat("a", "one"), as("a", 7)).wants(http.StatusOK)
	if a := f.agent("a"); a == nil || a.Epoch != 7 || a.Status != fleet.AgentOnline || a.ID == "" {
		t.Fatalf("%+v; want it online in its epoch", a)
	}
	f.must(f.service.Flush(t.Context()))
	if a := f.storedAgent("a"); a == nil || a.ID != f.agent("a").ID {
		t.Errorf("stored %+v; want the same id", a)
	}
	// The reaper deletes it, and it comes back.
	f.service.Forget([]string{"a", "never-was"})
	if a := f.agent("a"); a != nil {
		t.Errorf("%+v; want it forgotten", a)
	}
	f.call("POST", pathHeartbeat, beat("a", "two"), as("a", 0)).wants(http.StatusOK)
	// One that spoke after the reaper looked is not forgotten.
	f.service.Forget([]string{"a"})
	if a := f.agent("a"); a == nil || a.Epoch != 1 {
		t.Errorf("%+v; want it kept", a)
	}
}

// Field report 51: who falls silent is shown so, by the dashboard's clock, and its outage does not count.
func TestOffline(t *testing.T) {
	f := newFixture(t)
	f.register("a", "one")
	f.call("POST", pathResults, startOf(f, 1, "t", "a"), as("a", 1)).wants(http.StatusCreated)
	status := func() fleet.AgentStatus { return f.agent("a").Status }
	f.clock.add(5 * time.Minute)
	if got := status(); got != fleet.AgentOnline {
		t.Errorf("after five minutes it is %s; want online", got)
	}
	f.clock.add(time.Millisecond)
	if a := f.agent("a"); a.Status != fleet.AgentOffline || a.CurrentRunID != nil || len(a.CurrentRunIDs) != 0 {
		t.Errorf("after more than five minutes it is %+v; want offline, without runs", a)
	}
	if o := f.overview(); o.AgentsOnline != 0 || o.AgentsOffline != 1 {
		t.Errorf("overview %+v; want it offline", o)
	}
	f.clock.add(time.Hour)
	f.start() // the outage: whoever was online has five minutes to be heard
	if got := status(); got != fleet.AgentOnline {
		t.Errorf("after an outage it is %s; want online", got)
	}
	f.clock.add(5*time.Minute + time.Millisecond)
	if got := status(); got != fleet.AgentOffline {
		t.Errorf("five minutes after an outage it is %s; want offline", got)
	}
	f.call("GET", pathPoll, nil, as("a", 1)).wants(http.StatusOK)
	if got := status(); got != fleet.AgentOnline {
		t.Errorf("after a poll it is %s; want online", got)
	}
	f.call("POST", pathGoodbye, fleet.Deregistration{Name: "a", InstanceID: "one"}, as("a", 1)).wants(http.StatusNoContent)
	if stored := f.storedAgent("a"); status() != fleet.AgentOffline || stored.Status != fleet.AgentOffline || !stored.Deregistered {
		t.Errorf("after its goodbye it is %s, stored %+v; want offline at once", status(), stored)
	}
	f.call("POST", pathGoodbye, fleet.Deregistration{Name: "nobody", InstanceID: "x"}, asAgent).wants(http.StatusNoContent)
}

func TestAgentsAreListedByName(t *testing.T) {
	f := newFixture(t)
	want := []string{"a", "k6agent-0", "k6agent-1", "k6agent-2", "k6agent-10", "k6agent-10b", "k6agent-100", "k6agent-a", "z01", "z1", "z2-9-x", "z2-10"}
	for _, i := range []int{5, 3, 11, 0, 8, 1, 10, 2, 9, 4, 7, 6} {
		f.register(want[i], "i")
	}
	var got []string
	cursor := ""
	for {
		page := read[list[fleet.Agent]](f.call("GET", pathAgents+"?limit=5&cursor="+cursor, nil))
		for _, a := range page.Items {
			got = append(got, a.Name)
		}
		if page.NextCursor == nil {
			break
		}
		cursor = *page.NextCursor
	}
	if !slices.Equal(got, want) {
		t.Errorf("%v; want %v", got, want)
	}
}

func TestAgentsWordsAreChecked(t *testing.T) {
	f := newFixture(t)
	long := strings.Repeat("x", 201)
	ids := make([]string, 1001)
	for i := range ids {
		ids[i] = "x"
	}
	labels := map[string]string{}
	for i := range 65 {
		labels[fmt.Sprint(i)] = ""
	}
	for _, c := range []struct {
		path, field string
		value       any
	}{
		{pathRegister, "name", ""}, {pathRegister, "name", long}, {pathRegister, "name", 5}, {pathRegister, "instanceId", long}, {pathRegister, "version", long},
		{pathRegister, "engine", long}, {pathRegister, "cpus", -1}, {pathRegister, "cpus", "two"}, {pathRegister, "memoryBytes", -1}, {pathRegister, "maxVus", -1},
		{pathRegister, "labels", labels}, {pathRegister, "labels", map[string]string{long: ""}}, {pathRegister, "labels", map[string]string{"a": long}},
		{pathHeartbeat, "name", ""}, {pathHeartbeat, "name", long}, {pathHeartbeat, "instanceId", long}, {pathHeartbeat, "status", "asleep"}, {pathHeartbeat, "status", unset{}},
		{pathHeartbeat, "currentRunIds", ids}, {pathHeartbeat, "currentRunIds[0]", []string{""}}, {pathHeartbeat, "currentRunIds[1]", []string{"a", long}},
		{pathHeartbeat, "acked", ids}, {pathHeartbeat, "acked[0]", []string{long}}, {pathHeartbeat, "rssBytes", -1}, {pathHeartbeat, "cpuRatio", -0.5},
		{pathHeartbeat, "spool.results", -1}, {pathHeartbeat, "spool.bytes", -1}, {pathHeartbeat, "spool.dropped", -1}, {pathHeartbeat, "spool.refused", -1},
		{pathHeartbeat, "skipped.overlap", -1}, {pathHeartbeat, "skipped.noSlot", -1}, {pathHeartbeat, "skipped.vuLimit", -1}, {pathHeartbeat, "skipped.vuLimit", "x"},
		{pathGoodbye, "name", ""}, {pathGoodbye, "name", long}, {pathGoodbye, "instanceId", long},
		{pathResults, "id", "x"}, {pathResults, "targetId", ""}, {pathResults, "agent", ""}, {pathResults, "startedAt", unset{}}, {pathResults, "spec.url", strings.Repeat("u", 4097)},
	} {
		t.Run(fmt.Sprintf("%s %s=%.20v", c.path, c.field, c.value), func(t *testing.T) {
			var doc map[string]any
			switch c.path {
			case pathRegister:
				doc = document(t, fleet.Registration{Name: "a", InstanceID: "i"})
			case pathHeartbeat:
				doc = document(t, beat("a", "i"))
			case pathGoodbye:
				doc = document(t, fleet.Deregistration{Name: "a", InstanceID: "i"})
			case pathResults:
				doc = document(t, startOf(f, 1, "t", "a"))
			}
			key, _, _ := strings.Cut(c.field, "[")
			set(doc, key, c.value)
			if p := f.call("POST", c.path, doc, asAgent).wantsProblem(http.StatusUnprocessableEntity, fleet.ValidationFailed); !p.at("body." + c.field) {
				t.Errorf("%+v; want body.%s", p, c.field)
			}
		})
	}
	if agents := read[list[fleet.Agent]](f.call("GET", pathAgents, nil)); len(agents.Items) != 0 {
		t.Errorf("agents %+v; want none", agents.Items)
	}
	for _, path := range []string{pathRegister, pathHeartbeat, pathGoodbye, pathResults} {
		for name, body := range bodies {
			if r := f.call("POST", path, body, asAgent); r.status < 400 || r.status > 499 {
				t.Errorf("%s %s: %d %.200s; want 4xx", path, name, r.status, r.body)
			}
		}
	}
	// Fields of tomorrow are ignored, those of yesterday may be left out.
	f.call("POST", pathRegister, `{"name":"a","warp":{"x":[1]}}`, asAgent).wants(http.StatusOK)
	f.call("POST", pathHeartbeat, `{"name":"a","status":"idle","warp":9}`, asAgent).wants(http.StatusOK)
	f.call("POST", pathGoodbye, `{"name":"a","warp":null}`, asAgent).wants(http.StatusNoContent)
}

// A herd: every agent at once, each answered, each stored, one epoch each.
func TestManyAgentsAtOnce(t *testing.T) {
	f := newFixture(t)
	const n = 60
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			name := fmt.Sprintf("k6agent-%d", i%(n/2)) // each twice, by the same instance
			f.register(name, "i"+name)
			f.call("POST", pathHeartbeat, beat(name, "i"+name), as(name, 1)).wants(http.StatusOK)
			f.poll(name, 1)
		})
		wg.Go(func() { f.must(f.service.Flush(t.Context())) })
	}
	wg.Wait()
	f.must(f.service.Flush(t.Context()))
	for _, a := range read[list[fleet.Agent]](f.call("GET", pathAgents, nil)).Items {
		stored := f.storedAgent(a.Name)
		if a.Epoch != 2 || stored == nil || stored.Epoch != 2 || stored.ID != a.ID {
			t.Errorf("%s: epoch %d, stored %+v; want epoch 2 of one agent", a.Name, a.Epoch, stored)
		}
	}
	if o := f.overview(); o.AgentsOnline != n/2 {
		t.Errorf("%d agents online; want %d", o.AgentsOnline, n/2)
	}
}

package dashboard_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/nollagluiz/broadside/fleet"
)

// poller polls with the tag of the answer before.
type poller struct {
	f     *fixture
	name  string
	epoch int64
	etag  string
}

// next is the answer; nil if nothing has changed.
func (p *poller) next() *fleet.Poll {
	p.f.Helper()
	r := p.f.call("GET", pathPoll, nil, as(p.name, p.epoch), header("If-None-Match", p.etag))
	if r.header.Get("Cache-Control") != "no-store" {
		p.f.Errorf("Cache-Control %q", r.header.Get("Cache-Control"))
	}
	if r.status == http.StatusNotModified {
		if len(r.body) != 0 || r.header.Get("ETag") != p.etag {
			p.f.Errorf("304 with ETag %s and %q", r.header.Get("ETag"), r.body)
		}
		return nil
	}
	if tag := r.header.Get("ETag"); tag == "" || tag == p.etag || tag[0] != '"' {
		p.f.Errorf("ETag %s after %s: %s", tag, p.etag, r.body)
	}
	p.etag = r.header.Get("ETag")
	poll := read[fleet.Poll](r)
	return &poll
}

// changes fails the test unless there is news, once.
func (p *poller) changes(what string) *fleet.Poll {
	p.f.Helper()
	got := p.next()
	if got == nil {
		p.f.Fatalf("after %s: 304", what)
	}
	if again := p.next(); again != nil {
		p.f.Errorf("after %s, polled twice: %+v; want 304", what, again)
	}
	return got
}

// The tag covers all that the answer holds, for that agent, and nothing else.
func TestPollIsConditional(t *testing.T) {
	f := newFixture(t)
	p := &poller{f: f, name: "a", epoch: f.register("a", "i")}
	got := p.changes("the first poll")
	if got.Targets == nil || got.Run == nil || got.Abort == nil || got.Stop || got.StopID != "" || got.SpreadMs != 2000 {
		t.Errorf("%+v; want empty lists, and a spread of 2 s", got)
	}
	target := f.addTarget(`{"url":"https://user:pw@example.org/","label":"x","body":"secret","headers":{"Authorization":"Bearer s"}}`)
	got = p.changes("a new target")
	if len(got.Targets) != 1 || got.Targets[0].URL != "https://user:pw@example.org/" || got.Targets[0].Body != "secret" || got.Targets[0].Headers["Authorization"] != "Bearer s" {
		t.Errorf("%+v; want the target with its secrets", got.Targets)
	}
	f.call("PATCH", pathTargets+"/"+target.ID, `{"vus":4}`, asAdmin).wants(http.StatusOK)
	if got = p.changes("an edit"); got.Targets[0].VUs != 4 || got.Targets[0].Revision != 2 {
		t.Errorf("%+v; want revision 2", got.Targets)
	}
	f.call("PATCH", pathTargets+"/"+target.ID, `{"enabled":false}`, asAdmin).wants(http.StatusOK)
	if got = p.changes("disabling"); len(got.Targets) != 0 {
		t.Errorf("%+v; want none enabled", got.Targets)
	}
	f.call("PATCH", pathTargets+"/"+target.ID, `{"vus":5}`, asAdmin).wants(http.StatusOK)
	f.call("PUT", pathConfig, `{"k6DesiredAgentCount":3}`, asAdmin).wants(http.StatusOK)
	f.call("POST", pathResults, startOf(f, 1, target.ID, "a"), as("a", 1)).wants(http.StatusCreated)
	if got := p.next(); got != nil {
		t.Errorf("news of what is no business of an agent: %+v", got)
	}
	f.register("b", "i")
	if got = p.changes("another agent"); got.SpreadMs != 2020 {
		t.Errorf("spread %d ms; want 2 s and 20 ms for the other agent", got.SpreadMs)
	}
	f.start() // the tag outlives the dashboard
	if got := p.next(); got != nil {
		t.Errorf("news after a restart: %+v", got)
	}
	for tag, status := range map[string]int{"*": 304, "W/" + p.etag: 304, `"x", ` + p.etag: 304, `"x"`: 200, "": 200} {
		f.call("GET", pathPoll, nil, as("a", 1), header("If-None-Match", tag)).wants(status)
	}
}

// Without its name an agent, such as one of the original fleet, gets the targets.
func TestPollWithoutAName(t *testing.T) {
	f := newFixture(t)
	target := f.addTarget(`{"url":"https://example.org/"}`)
	f.call("POST", pathTargets+"/"+target.ID+"/run", nil, asAdmin).wants(http.StatusAccepted)
	got := read[fleet.Poll](f.call("GET", pathPoll, nil, asAgent))
	if len(got.Targets) != 1 || len(got.Run) != 0 {
		t.Errorf("%+v; want the target and no order", got)
	}
}

// An order to run goes to each agent, until it acknowledges it or two minutes are over.
func TestRunNow(t *testing.T) {
	f := newFixture(t)
	target := f.addTarget(`{"url":"https://u:p@example.org/","enabled":false}`)
	a := &poller{f: f, name: "a", epoch: f.register("a", "i")}
	b := &poller{f: f, name: "b", epoch: f.register("b", "i")}
	a.changes("the first poll")
	b.changes("the first poll")
	order := func() string {
		t.Helper()
		r := f.call("POST", pathTargets+"/"+target.ID+"/run", nil, asAdmin).wants(http.StatusAccepted)
		return read[struct{ OrderID string }](r).OrderID
	}
	id := order()
	for _, p := range []*poller{a, b} {
		if got := p.changes("an order"); len(got.Run) != 1 || got.Run[0].ID != id || got.Run[0].Target.URL != "https://u:p@example.org/" || len(got.Targets) != 0 {
			t.Errorf("%s is told %+v; want the order, with the whole target", p.name, got)
		}
	}
	f.call("POST", pathHeartbeat, beat("a", "i", id, "unknown"), as("a", 1)).wants(http.StatusOK)
	if got := a.changes("the acknowledgement"); len(got.Run) != 0 {
		t.Errorf("a is told %+v again", got.Run)
	}
	if got := b.next(); got != nil {
		t.Errorf("a's acknowledgement is news to b: %+v", got)
	}
	f.clock.add(2*time.Minute - time.Second)
	f.call("GET", pathPoll, nil, as("b", 1), header("If-None-Match", b.etag)).wants(http.StatusNotModified)
	f.clock.add(time.Second)
	if got := b.changes("two minutes"); len(got.Run) != 0 {
		t.Errorf("b is told %+v", got.Run)
	}
	// A target that is deleted is not run any more.
	order()
	f.call("DELETE", pathTargets+"/"+target.ID, nil, asAdmin).wants(http.StatusNoContent)
	if got := f.poll("b", 1); len(got.Run) != 0 {
		t.Errorf("b is told %+v", got.Run)
	}
}

func TestOrdersAreBounded(t *testing.T) {
	f := newFixture(t)
	id := f.addTarget(`{"url":"https://example.org/"}`).ID
	for range 1000 {
		if _, err := f.service.RunNow(t.Context(), id); err != nil {
			t.Fatal(err)
		}
	}
	r := f.call("POST", pathTargets+"/"+id+"/run", nil, asAdmin)
	r.wantsProblem(http.StatusServiceUnavailable, fleet.Overloaded)
	if r.header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
	f.clock.add(2 * time.Minute)
	f.call("POST", pathTargets+"/"+id+"/run", nil, asAdmin).wants(http.StatusAccepted)
}

func TestAbortRun(t *testing.T) {
	f := newFixture(t)
	a := &poller{f: f, name: "a", epoch: f.register("a", "i")}
	b := &poller{f: f, name: "b", epoch: f.register("b", "i")}
	abort := func(id string) reply { return f.call("POST", "/api/admin/k6/runs/"+id+"/abort", nil, asAdmin) }
	abort(runID(1)).wantsProblem(http.StatusNotFound, fleet.NotFound)
	start := startOf(f, 1, "t", "a")
	f.call("POST", pathResults, start, as("a", 1)).wants(http.StatusCreated)
	a.changes("the first poll")
	b.changes("the first poll")
	abort(runID(1)).wants(http.StatusAccepted)
	abort(runID(1)).wants(http.StatusAccepted)
	if got := a.changes("the abort"); !slices.Equal(got.Abort, []string{runID(1)}) {
		t.Errorf("a is told %+v; want the abort", got)
	}
	if got := b.next(); got != nil {
		t.Errorf("a's abort is news to b: %+v", got)
	}
	end := endOf(start)
	end.Status, end.Verdict, end.Message = fleet.RunAborted, "aborted", "The run was aborted after 100 requests."
	f.call("PUT", pathResults+"/"+runID(1), end, as("a", 1)).wants(http.StatusOK)
	if got := a.changes("the result"); len(got.Abort) != 0 {
		t.Errorf("a is told %+v", got.Abort)
	}
	p := abort(runID(1)).wantsProblem(http.StatusConflict, fleet.Conflict)
	f.contains(p.Detail, "aborted")

	// An agent that never answers is told until the run's deadline, and not for ever.
	f.call("POST", pathResults, startOf(f, 2, "t", "a"), as("a", 1)).wants(http.StatusCreated)
	abort(runID(2)).wants(http.StatusAccepted)
	f.clock.add(5*time.Minute - time.Millisecond)
	if got := f.poll("a", 1); len(got.Abort) != 1 {
		t.Errorf("a is told %+v; want the abort", got)
	}
	f.clock.add(time.Millisecond)
	if got := f.poll("a", 1); len(got.Abort) != 0 {
		t.Errorf("a is told %+v; want none", got.Abort)
	}
}

// Field report 48: the kill switch is acknowledged by each agent, the rest is counted, and it survives a restart.
func TestStop(t *testing.T) {
	f := newFixture(t)
	target := f.addTarget(`{"url":"https://example.org/"}`)
	f.call("POST", pathTargets+"/"+target.ID+"/run", nil, asAdmin).wants(http.StatusAccepted)
	for _, name := range []string{"a", "b", "c"} {
		f.register(name, "i")
	}
	f.call("POST", pathGoodbye, fleet.Deregistration{Name: "c", InstanceID: "i"}, as("c", 1)).wants(http.StatusNoContent)
	a := &poller{f: f, name: "a", epoch: 1}
	a.changes("the first poll")

	f.call("POST", "/api/admin/k6/stop", nil, asAdmin).wants(http.StatusAccepted)
	got := a.changes("the stop")
	if !got.Stop || got.StopID == "" || len(got.Run) != 0 {
		t.Errorf("%+v; want a stop, and no order to run", got)
	}
	stopID := got.StopID
	left := func(want int) {
		t.Helper()
		if o := f.overview(); !o.Stopped || o.NotYetStopped != want {
			t.Errorf("stopped %v, %d not yet; want %d", o.Stopped, o.NotYetStopped, want)
		}
	}
	left(2) // c is gone
	f.call("POST", pathHeartbeat, beat("a", "i", stopID), as("a", 1)).wants(http.StatusOK)
	f.call("POST", pathHeartbeat, beat("b", "i", "another-stop"), as("b", 1)).wants(http.StatusOK)
	left(1)
	f.call("POST", "/api/admin/k6/stop", nil, asAdmin).wants(http.StatusAccepted) // again: the same stop
	if got := a.next(); got != nil {
		t.Errorf("the same stop is news: %+v", got)
	}
	left(1)
	if p := f.call("POST", pathTargets+"/"+target.ID+"/run", nil, asAdmin).wantsProblem(http.StatusConflict, fleet.Conflict); p.Detail == "" {
		t.Error("the conflict says nothing")
	}

	f.start() // the stop survives, what was acknowledged is asked for again
	if got := a.next(); got != nil {
		t.Errorf("the stop changed with the restart: %+v", got)
	}
	left(2)
	for _, name := range []string{"a", "b"} {
		f.call("POST", pathHeartbeat, beat(name, "i", stopID), as(name, 1)).wants(http.StatusOK)
	}
	left(0)
	f.register("d", "i")
	left(1)

	// PUT config clears it, and nothing that was ordered before starts after it.
	config := read[fleet.Config](f.call("PUT", pathConfig, `{"stopped":false}`, asAdmin))
	if got := f.poll("a", 1); config.Stopped || got.Stop || got.StopID != "" || len(got.Run) != 0 || len(got.Targets) != 1 {
		t.Errorf("after the stop: %+v", got)
	}
	// Set through the configuration it is another stop, with an id of its own.
	f.call("PUT", pathConfig, `{"stopped":true}`, asAdmin).wants(http.StatusOK)
	if got := f.poll("a", 1); !got.Stop || got.StopID == "" || got.StopID == stopID {
		t.Errorf("the next stop: %+v; want another id than %s", got, stopID)
	}
}

// Field report 56: starts of a large fleet are spread.
func TestSpreadGrowsWithTheFleet(t *testing.T) {
	f := newFixture(t)
	for i := range 50 {
		f.call("POST", pathHeartbeat, beat(fmt.Sprint(i), "i"), asAgent).wants(http.StatusOK)
	}
	f.clock.add(time.Second)
	if got := f.poll("0", 1).SpreadMs; got != 2000+49*20 {
		t.Errorf("spread %d ms; want 2980", got)
	}
}

// The poll is the hot path: 1,000 agents ask 200 times a second. 304 and 200 come from memory.
func BenchmarkPoll(b *testing.B) {
	f := newFixture(b)
	for i := range 20 {
		f.addTarget(fmt.Sprintf(`{"url":"https://example.org/%d","label":"target %d"}`, i, i))
	}
	f.register("a", "i")
	etag := f.call("GET", pathPoll, nil, as("a", 1)).header.Get("ETag")
	for name, tag := range map[string]string{"304": etag, "200": `"other"`} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				f.handle(b, "GET", pathPoll, nil, header("If-None-Match", tag))
			}
		})
	}
}

// A result of 30 s at 10 VUs, to the commit.
func BenchmarkResult(b *testing.B) {
	f := newFixture(b)
	f.register("a", "i")
	end := endOf(startOf(f, 1, "t", "a"))
	for range 29 {
		end.Series.Buckets = append(end.Series.Buckets, end.Series.Buckets[0])
	}
	b.ReportAllocs()
	for n := 1; b.Loop(); n++ {
		end.ID = runID(n)
		body, err := json.Marshal(end)
		f.must(err)
		f.handle(b, "PUT", pathResults+"/"+end.ID, body)
	}
}

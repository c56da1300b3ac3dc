package dashboard_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nollagluiz/broadside/fleet"
	"github.com/nollagluiz/broadside/summary"
)

// maxAgentPoll is what an agent takes of a poll, in bytes. Stop and abort travel in it, so no target may fill it.
const maxAgentPoll = 16 << 20

// Legal targets can't make agents deaf: what would outgrow a poll is refused, and the kill switch still arrives.
func TestPollsStayWithinWhatAgentsTake(t *testing.T) {
	f := newFixture(t)
	epoch := f.register("a", "one")
	text := strings.Repeat("<", 1<<20) // each byte six in JSON
	add := func(field string, enabled bool) reply {
		return f.call("POST", pathTargets, fmt.Sprintf(`{"url":"http://h.example/","method":"POST","%s":"%s","enabled":%v}`, field, text, enabled), asAdmin)
	}
	first := read[fleet.Target](add("body", true).wants(http.StatusCreated))
	p := add("script", true).wantsProblem(http.StatusRequestEntityTooLarge, fleet.TooLarge)
	f.contains(p.Detail, "8 MiB as JSON; shorten bodies and scripts")
	second := read[fleet.Target](add("script", false).wants(http.StatusCreated)) // it is in no poll
	enable := f.call("PATCH", pathTargets+"/"+second.ID, `{"enabled":true}`, asAdmin)
	enable.wantsProblem(http.StatusRequestEntityTooLarge, fleet.TooLarge)
	f.call("PATCH", pathTargets+"/"+first.ID, `{"label":"still fits"}`, asAdmin).wants(http.StatusOK)

	f.call("POST", pathTargets+"/"+second.ID+"/run", nil, asAdmin).wants(http.StatusAccepted)
	f.call("POST", pathTargets+"/"+first.ID+"/run", nil, asAdmin).wantsProblem(http.StatusServiceUnavailable, fleet.Overloaded)
	if r := f.call("GET", pathPoll, nil, as("a", epoch)).wants(http.StatusOK); len(r.body) > maxAgentPoll || len(r.body) < 12<<20 {
		t.Errorf("a poll of %d bytes; agents take %d, and two targets have 12 MiB", len(r.body), maxAgentPoll)
	}
	f.call("POST", "/api/admin/k6/stop", nil, asAdmin).wants(http.StatusAccepted)
	if p := f.poll("a", epoch); !p.Stop {
		t.Error("the stop is not in the poll")
	}
}

// A body and a script together may be more than any poll takes. Such a target can be kept, but neither enabled nor run.
func TestATargetThatNoPollTakes(t *testing.T) {
	f := newFixture(t)
	epoch := f.register("a", "one")
	text := strings.Repeat("<", 1<<20)
	huge := f.addTarget(fmt.Sprintf(`{"url":"http://h.example/","method":"POST","body":"%s","script":"%s","enabled":false}`, text, text))
	f.call("PATCH", pathTargets+"/"+huge.ID, `{"enabled":true}`, asAdmin).wantsProblem(http.StatusRequestEntityTooLarge, fleet.TooLarge)
	p := f.call("POST", pathTargets+"/"+huge.ID+"/run", nil, asAdmin).wantsProblem(http.StatusRequestEntityTooLarge, fleet.TooLarge)
	f.contains(p.Detail, "shorten its body or its script")
	if poll := f.poll("a", epoch); len(poll.Targets)+len(poll.Run) > 0 {
		t.Errorf("the poll holds %d targets and %d orders; want none", len(poll.Targets), len(poll.Run))
	}
	f.call("PATCH", pathTargets+"/"+huge.ID, `{"script":"export default function () {}"}`, asAdmin).wants(http.StatusOK)
	f.call("POST", pathTargets+"/"+huge.ID+"/run", nil, asAdmin).wants(http.StatusAccepted)
}

// Of targets that are added at once, no two get the last room.
func TestTheLastRoomOfAPollIsGivenOnce(t *testing.T) {
	f := newFixture(t)
	body := fmt.Sprintf(`{"url":"http://h.example/","script":"%s"}`, strings.Repeat("<", 1<<20))
	var wg sync.WaitGroup
	var created atomic.Int32
	for range 4 {
		wg.Go(func() {
			if f.call("POST", pathTargets, body, asAdmin).status == http.StatusCreated {
				created.Add(1)
			}
		})
	}
	wg.Wait()
	if got := created.Load(); got != 1 {
		t.Errorf("%d targets of 6 MiB were enabled; want 1", got)
	}
}

// The largest body and script together fit into a request, in whatever ordinary way they are escaped.
func TestTheLargestTargetFitsIntoARequest(t *testing.T) {
	f := newFixture(t)
	const most = 1 << 20
	headers := `{"X-Long":"` + strings.Repeat("v", 16<<10-10) + `"}`
	for name, c := range map[string]struct{ unit, escaped string }{
		"quotes and line breaks":    {"\"\n", `\"\n`},
		"letters, written as ASCII": {"é", `\u00e9`},
		"angle brackets":            {"<", "<"},
	} {
		t.Run(name, func(t *testing.T) {
			n := most / len(c.unit)
			text := strings.Repeat(c.escaped, n)
			body := fmt.Sprintf(`{"url":"https://h.example/%s","headers":%s,"body":"%s","script":"%s","enabled":false}`, strings.Repeat("p", 4000), headers, text, text)
			target := f.addTarget(body)
			if target.Body != fleet.Hidden || target.Script != fleet.Hidden {
				t.Errorf("body %.20q and script %.20q are shown", target.Body, target.Script)
			}
			stored, err := f.store.Target(t.Context(), target.ID)
			f.must(err)
			if want := strings.Repeat(c.unit, n); stored.Body != want || stored.Script != want {
				t.Errorf("%d and %d bytes are stored; want %d of each", len(stored.Body), len(stored.Script), len(want))
			}
		})
	}
	over := fmt.Sprintf(`{"url":"https://h.example/","script":"%s"}`, strings.Repeat("x", most+1))
	if p := f.call("POST", pathTargets, over, asAdmin).wantsProblem(http.StatusUnprocessableEntity, fleet.ValidationFailed); !p.at("body.script") {
		t.Errorf("%+v; want the script refused", p)
	}
	p := f.call("POST", pathTargets, fmt.Sprintf(`{"script":"%s"}`, strings.Repeat("x", 8<<20)), asAdmin).wantsProblem(http.StatusRequestEntityTooLarge, fleet.TooLarge)
	f.contains(p.Detail, "8388608 bytes")
}

// Targets that are made at once are all in the list, whatever its pages.
func TestListsLoseNoTargetMadeAtOnce(t *testing.T) {
	f := newFixture(t)
	const writers, each = 8, 12
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for i := range each {
				f.call("POST", pathTargets, fmt.Sprintf(`{"url":"http://h.example/%d/%d"}`, w, i), asAdmin).wants(http.StatusCreated)
			}
		})
	}
	wg.Wait()
	for _, when := range []string{"live", "after a restart"} {
		seen := map[string]bool{}
		for cursor := ""; ; {
			page := read[list[fleet.Target]](f.call("GET", "/api/dashboard/k6/targets?limit=7&cursor="+cursor, nil))
			for _, target := range page.Items {
				seen[target.URL] = true
			}
			if page.NextCursor == nil {
				break
			}
			cursor = *page.NextCursor
		}
		if len(seen) != writers*each {
			t.Errorf("%s: %d targets over all pages; want %d", when, len(seen), writers*each)
		}
		f.start()
	}
}

// Agents that ended with the process before are not waited for: their successors take the names at once, and their runs
// are lost.
func TestAgentsThatEndedWithTheProcess(t *testing.T) {
	f := newFixture(t)
	f.register("k6agent-0", "embedded-1")
	f.register("far", "other")
	f.call("POST", pathResults, startOf(f, 1, "t", "k6agent-0"), asAgent).wants(http.StatusCreated)
	f.gone = func(a fleet.Agent) bool { return strings.HasPrefix(a.InstanceID, "embedded-") }
	f.must(f.service.Flush(f.Context()))
	f.start()
	if epoch := f.register("k6agent-0", "embedded-2"); epoch != 2 {
		t.Errorf("epoch %d; want 2, at once", epoch)
	}
	if run := f.show(1); run.Status != fleet.RunError || run.Verdict != summary.Lost {
		t.Errorf("the run is %s, %s; want lost", run.Status, run.Verdict)
	}
	second := fleet.Registration{Name: "far", InstanceID: "third"}
	f.call("POST", pathRegister, second, as("far", 0)).wantsProblem(http.StatusConflict, fleet.AgentNameInUse)
}

// What the reaper has cleared in the store is gone from what is shown.
func TestIdleAgentsShowNoRun(t *testing.T) {
	f := newFixture(t)
	epoch := f.register("a", "one")
	running := beat("a", "one")
	running.Status, running.CurrentRunIDs = fleet.AgentRunning, []string{runID(9)}
	f.call("POST", pathHeartbeat, running, as("a", epoch)).wants(http.StatusOK)
	current := func() *string {
		return read[list[fleet.Agent]](f.call("GET", "/api/dashboard/k6/agents", nil)).Items[0].CurrentRunID
	}
	if current() == nil {
		t.Fatal("the run is not shown")
	}
	f.service.Idle([]string{"a", "unknown"})
	if got := current(); got != nil {
		t.Errorf("run %s is still shown", *got)
	}
	f.clock.add(time.Second)
	f.call("POST", pathHeartbeat, running, as("a", epoch)).wants(http.StatusOK)
	if current() == nil {
		t.Error("a live agent's own word is not shown")
	}
}

// Sums of what results say can't overflow.
func TestCountsAreBounded(t *testing.T) {
	f := newFixture(t)
	end := endOf(startOf(f, 1, "t", "a"))
	end.Metrics.DataReceivedBytes = 1<<53 + 1
	if p := f.call("PUT", pathResults+"/"+runID(1), end, asAgent).wantsProblem(http.StatusUnprocessableEntity, fleet.ValidationFailed); !p.at("body.metrics.data_received_bytes") {
		t.Errorf("%+v; want the field named", p)
	}
	end.Metrics.DataReceivedBytes = 1 << 53
	f.call("PUT", pathResults+"/"+runID(1), end, asAgent).wants(http.StatusOK)
}

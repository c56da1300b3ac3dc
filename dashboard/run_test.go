package dashboard_test

import (
	"fmt"
	"net/http"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/nollagluiz/broadside/fleet"
	"github.com/nollagluiz/broadside/summary"
)

// show is a run as everybody may see it.
func (f *fixture) show(n int) fleet.RunDetail {
	f.Helper()
	return read[fleet.RunDetail](f.call("GET", pathRuns+"/"+runID(n), nil))
}

// However often start and end come, and in whichever order, there is one run with one result.
func TestARunIsStoredOnce(t *testing.T) {
	f := newFixture(t)
	start := startOf(f, 1, f.addTarget(`{"url":"https://example.org/"}`).ID, "a")
	end := endOf(start)
	f.register("a", "i")
	put := func(end fleet.RunEnd) { f.call("PUT", pathResults+"/"+runID(1), end, asAgent).wants(http.StatusOK) }

	f.call("POST", pathResults, start, asAgent).wants(http.StatusCreated)
	f.call("POST", pathResults, start, asAgent).wants(http.StatusOK)
	if run := f.show(1); run.Status != fleet.RunRunning || run.Verdict != "" || run.EndedAt != nil || run.Metrics != nil {
		t.Errorf("started: %+v", run.Run)
	}
	put(end)
	put(end)
	f.call("POST", pathResults, start, asAgent).wants(http.StatusOK) // late: it reopens nothing
	other := end
	other.Verdict, other.Message = summary.ThresholdFailed, "another result of the same run"
	put(other) // PUT is final
	f.start()  // also for a dashboard that remembers nothing
	put(other)

	want := fleet.RunDetail{
		Run: fleet.Run{ID: start.ID, TargetID: start.TargetID, TargetLabel: "as it was", Agent: "a", Status: fleet.RunDone, Verdict: summary.OK,
			Message: end.Message, StartedAt: start.StartedAt, EndedAt: &end.EndedAt, Metrics: end.Metrics, Spec: start.Spec.Redacted()},
		Trends: end.Trends, Series: end.Series, Statuses: end.Statuses, Errors: end.Errors, Thresholds: []fleet.ThresholdResult{},
	}
	if diff := cmp.Diff(want, f.show(1)); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if runs := read[list[fleet.Run]](f.call("GET", pathRuns, nil)); len(runs.Items) != 1 {
		t.Errorf("%d runs; want 1", len(runs.Items))
	}
}

// A result whose start was lost makes the run.
func TestAnEndMakesTheRun(t *testing.T) {
	f := newFixture(t)
	end := endOf(startOf(f, 1, "t", "a"))
	f.call("PUT", pathResults+"/"+runID(1), end, asAgent).wants(http.StatusOK)
	if run := f.show(1); run.Status != fleet.RunDone || run.StartedAt != end.StartedAt || run.TargetID != "t" {
		t.Errorf("%+v", run.Run)
	}
}

// A measured result replaces the dashboard's lost, and then is final (docs/wire.md).
func TestALateResultReplacesLost(t *testing.T) {
	f := newFixture(t)
	f.register("a", "one")
	start := startOf(f, 1, "t", "a")
	f.call("POST", pathResults, start, asAgent).wants(http.StatusCreated)
	f.clock.add(2 * time.Minute)
	second := f.register("a", "two") // a new instance: the old one's runs are lost (field report 39)
	if run := f.show(1); run.Status != fleet.RunError || run.Verdict != summary.Lost || run.Message != fleet.LostRestart {
		t.Errorf("%+v; want lost", run.Run)
	}
	if second != 2 {
		t.Errorf("epoch %d; want 2", second)
	}
	// Field report 41: what an earlier epoch sends late is taken, once, and marked.
	f.call("PUT", pathResults+"/"+runID(1), endOf(start), as("a", 1)).wants(http.StatusOK)
	run := f.show(1)
	if run.Status != fleet.RunDone || run.Verdict != summary.OK || run.Metrics == nil || run.Metrics.Requests != 100 {
		t.Errorf("%+v; want the result", run.Run)
	}
	f.contains(run.Message, "100 requests, 4 % failed. It came from an earlier instance of the agent.")
	f.call("PUT", pathResults+"/"+runID(1), endOf(start), as("a", 2)).wants(http.StatusOK)
	if again := f.show(1); again.Message != run.Message {
		t.Errorf("message %q; want %q", again.Message, run.Message)
	}
	// One of the present epoch is not marked, and neither is one without any.
	for n, epoch := range map[int]int64{2: 2, 3: 0} {
		f.call("PUT", fmt.Sprintf("%s/%s", pathResults, runID(n)), endOf(startOf(f, n, "t", "a")), as("a", epoch)).wants(http.StatusOK)
		if got := f.show(n).Message; got != "100 requests, 4 % failed." {
			t.Errorf("epoch %d: message %q", epoch, got)
		}
	}
}

// The deadline counts from the server's receipt: an agent's clock proves nothing, and none of its times is refused.
func TestAnAgentsClockMayBeWrong(t *testing.T) {
	f := newFixture(t)
	for i, at := range []string{"1970-01-01T00:00:00.001Z", "2099-12-31T23:59:59Z", "0001-01-02T00:00:00Z", "2026-03-01T14:00:00.5+02:00"} {
		var started fleet.Time
		f.must(started.UnmarshalText([]byte(at)))
		start := startOf(f, i+1, "t", "a")
		start.StartedAt = started
		f.call("POST", pathResults, start, asAgent).wants(http.StatusCreated)
		f.call("PUT", pathResults+"/"+start.ID, endOf(start), asAgent).wants(http.StatusOK)
		if got := f.show(i + 1).StartedAt; !got.Equal(started.Time) {
			t.Errorf("started at %v; want %v", got, started)
		}
	}
	// The order is that of receipt.
	if runs := read[list[fleet.Run]](f.call("GET", pathRuns, nil)).Items; runs[0].ID != runID(4) || runs[3].ID != runID(1) {
		t.Errorf("first %s, last %s; want the order of receipt", runs[0].ID, runs[3].ID)
	}
}

func TestRunFilters(t *testing.T) {
	f := newFixture(t)
	f.register("a", "i")
	f.register("b", "i")
	agents := read[list[fleet.Agent]](f.call("GET", pathAgents, nil)).Items
	for n, c := range []struct {
		target, agent string
		verdict       summary.Verdict
		status        fleet.RunStatus
	}{{"t1", "a", summary.OK, fleet.RunDone}, {"t1", "b", summary.ThresholdFailed, fleet.RunDone}, {"t2", "a", summary.Aborted, fleet.RunAborted}} {
		f.clock.add(time.Minute)
		end := endOf(startOf(f, n+1, c.target, c.agent))
		end.Status, end.Verdict = c.status, c.verdict
		f.call("PUT", pathResults+"/"+end.ID, end, asAgent).wants(http.StatusOK)
	}
	f.clock.add(time.Minute)
	f.call("POST", pathResults, startOf(f, 4, "t2", "b"), asAgent).wants(http.StatusCreated)
	for query, want := range map[string][]int{
		"":                                 {4, 3, 2, 1},
		"target=t1":                        {2, 1},
		"agent=" + agents[0].ID:            {3, 1},
		"agent=a":                          {}, // filters take ids
		"status=done":                      {2, 1},
		"status=running":                   {4},
		"verdict=aborted":                  {3},
		"status=done&verdict=ok&target=t1": {1},
		"from=2026-03-01T12:02:00Z":        {4, 3, 2},
		"to=2026-03-01T12:02:00.000Z":      {1},
		"from=2026-03-01T12:02:00Z&to=2026-03-01T13:03:00%2B01:00": {2},
		"status=":     {4, 3, 2, 1},
		"target=none": {},
	} {
		var got []int
		for _, run := range read[list[fleet.Run]](f.call("GET", pathRuns+"?"+query, nil)).Items {
			var n int
			fmt.Sscanf(run.ID[24:], "%d", &n)
			got = append(got, n)
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%q: runs %v; want %v", query, got, want)
		}
	}
	for query, location := range map[string]string{
		"status=ended": "query.status", "verdict=good": "query.verdict", "from=yesterday": "query.from", "from=0000-01-01T00:00:00Z": "query.from", "to=2026-13-01T00:00:00Z": "query.to",
		"from=" + url.QueryEscape("'; DROP TABLE k6_runs"): "query.from", "target=" + runID(1) + runID(2): "query.target",
	} {
		if p := f.call("GET", pathRuns+"?"+query, nil).wantsProblem(http.StatusUnprocessableEntity, fleet.ValidationFailed); !p.at(location) {
			t.Errorf("%q: %+v; want %s", query, p, location)
		}
	}
	f.call("GET", pathRuns+"/"+runID(9), nil).wantsProblem(http.StatusNotFound, fleet.NotFound)
	f.call("GET", pathRuns+"/%00%ff'--", nil).wantsProblem(http.StatusNotFound, fleet.NotFound)
}

// The pages' sparklines: the latest finished runs of each target.
func TestRecentRuns(t *testing.T) {
	f := newFixture(t)
	id := f.addTarget(`{"url":"https://example.org/"}`).ID
	for n := range 3 {
		f.call("PUT", pathResults+"/"+runID(n), endOf(startOf(f, n, id, "a")), asAgent).wants(http.StatusOK)
	}
	f.call("POST", pathResults, startOf(f, 3, id, "a"), asAgent).wants(http.StatusCreated)
	got, err := f.service.RecentRuns(t.Context(), 2)
	f.must(err)
	if runs := got[id]; len(got) != 1 || len(runs) != 2 || runs[0].ID != runID(2) || runs[1].ID != runID(1) {
		t.Errorf("%+v; want the last two finished", got)
	}
}

// The answer to an end may be lost, so many may come at once: one is stored and counted.
func TestConcurrentResults(t *testing.T) {
	f := newFixture(t)
	var wg sync.WaitGroup
	for n := range 8 {
		start := startOf(f, n+1, "t", fmt.Sprint("agent-", n))
		for range 4 {
			wg.Go(func() { f.call("POST", pathResults, start, asAgent) })
			wg.Go(func() { f.call("PUT", pathResults+"/"+start.ID, endOf(start), asAgent).wants(http.StatusOK) })
		}
	}
	wg.Wait()
	runs := read[list[fleet.Run]](f.call("GET", pathRuns, nil)).Items
	for _, run := range runs {
		if run.Status != fleet.RunDone {
			t.Errorf("run %s is %s; want done", run.ID, run.Status)
		}
	}
	if len(runs) != 8 {
		t.Errorf("%d runs; want 8", len(runs))
	}
	f.contains(f.metrics(), `broadside_runs_total{status="done",verdict="ok"} 8`)
	f.contains(f.metrics(), `broadside_requests_total{outcome="ok"} 768`)
}

func TestSummary(t *testing.T) {
	f := newFixture(t)
	f.addTarget(`{"url":"https://example.org/"}`)
	f.addTarget(`{"url":"https://example.org/","enabled":false}`)
	f.call("PUT", pathConfig, `{"k6DesiredAgentCount":2}`, asAdmin).wants(http.StatusOK)
	f.register("a", "i")
	f.register("b", "i")
	f.call("POST", pathGoodbye, fleet.Deregistration{Name: "b", InstanceID: "i"}, asAgent).wants(http.StatusNoContent)
	f.call("PUT", pathResults+"/"+runID(1), endOf(startOf(f, 1, "t", "a")), asAgent).wants(http.StatusOK)
	f.call("POST", pathResults, startOf(f, 2, "t", "a"), asAgent).wants(http.StatusCreated)
	o := f.overview()
	rate, p95 := o.Window.ErrorRate, o.Window.P95
	if rate == nil || *rate != 0.04 || p95 == nil || *p95 < 4.99 || *p95 > 5.01 {
		t.Errorf("window %+v; want 4 %% failed, a p95 of 5 ms", o.Window)
	}
	want := fleet.Overview{AgentsOnline: 1, AgentsOffline: 1, DesiredAgents: 2, Targets: 2, TargetsOn: 1, RunsRunning: 1,
		Window: fleet.WindowTotals{Seconds: 900, Runs: 1, RunsMerged: 1, Requests: 100, Failures: 4, ErrorRate: rate, P95: p95}}
	if diff := cmp.Diff(want, o); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	// Without a run there is no data, which is not 0 (field report 31).
	f.clock.add(20 * time.Minute)
	if o := f.overview(); o.Window.Runs != 0 || o.Window.ErrorRate != nil || o.Window.P95 != nil {
		t.Errorf("window %+v; want no data", o.Window)
	}
}

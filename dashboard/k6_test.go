package dashboard_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/nollagluiz/broadside/fleet"
	"github.com/nollagluiz/broadside/summary"
)

// k6EndOf is a good result of an external k6: 100 requests, of which its script counted 50, four of them failed.
func k6EndOf(r fleet.RunStart) fleet.RunEnd {
	end := endOf(r)
	ms := []float64{1, 40, 900, 2000, 80, 0.08}
	m := end.Metrics
	m.Min, m.P50, m.P95, m.P99, m.Avg, m.Max, m.ErrorRate = &ms[0], &ms[1], &ms[2], &ms[3], &ms[4], &ms[3], &ms[5]
	end.Engine, end.Trends, end.Series, end.Statuses, end.Errors = fleet.EngineK6, nil, nil, nil, nil
	return end
}

func (f *fixture) putRun(end fleet.RunEnd) reply {
	f.Helper()
	return f.call("PUT", pathResults+"/"+end.ID, end, asAgent)
}

// What k6 measured is taken as it says, and shown as k6's.
func TestResultsOfK6(t *testing.T) {
	f := newFixture(t)
	for i, c := range []struct {
		name   string
		change func(*fleet.RunEnd)
	}{
		{"a rate of the requests that the script counts", func(*fleet.RunEnd) {}},
		{"none that the script counts", func(r *fleet.RunEnd) { r.Metrics.ErrorRate, r.Metrics.Failures = nil, 0 }},
		{"all failed", func(r *fleet.RunEnd) { *r.Metrics.ErrorRate = 1 }},
		{"none failed", func(r *fleet.RunEnd) { *r.Metrics.ErrorRate = 0 }},
		{"no p(99), which it was not asked for", func(r *fleet.RunEnd) { r.Metrics.P99 = nil }},
		{"no requests", func(r *fleet.RunEnd) {
			r.Verdict, r.Message, r.Metrics = summary.NoRequests, "Not one request was made.", &fleet.Metrics{Iterations: 7, DurationS: 30}
		}},
		{"nothing measured", func(r *fleet.RunEnd) {
			r.Status, r.Verdict, r.Message, r.Metrics = fleet.RunError, summary.Error, "k6 ended with code 107.", nil
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			end := k6EndOf(startOf(f, i+1, "t", "a"))
			c.change(&end)
			f.putRun(end).wants(http.StatusOK)
			got := f.show(i + 1)
			if got.Engine != fleet.EngineK6 || got.Series != nil || len(got.Trends) > 0 {
				t.Errorf("engine %q, series %v, %d trends; want k6 and none", got.Engine, got.Series, len(got.Trends))
			}
			if d := cmp.Diff(end.Metrics, got.Metrics); d != "" {
				t.Errorf("metrics (-sent +shown):\n%s", d)
			}
		})
	}
}

func TestResultsOfK6AreChecked(t *testing.T) {
	f := newFixture(t)
	embedded := endOf(startOf(f, 1, "t", "a"))
	for _, c := range []struct {
		path  string
		value any
		field string // that is named; path if empty
	}{
		{"metrics.error_rate", 1.01, ""},
		{"metrics.error_rate", -0.01, ""},
		{"metrics.failures", 101, ""},
		{"metrics", fleet.Metrics{ErrorRate: new(float64)}, "metrics.error_rate"},
		{"metrics", fleet.Metrics{P95: new(float64)}, "metrics.p95_ms"},
		{"metrics.p95_ms", 39, ""},
		{"metrics.rps", -1, ""},
		{"trends", embedded.Trends, ""},
		{"trends", map[string][]byte{"my_trend": samples(1)}, ""},
		{"series", embedded.Series, ""},
		{"series", fleet.Series{}, ""},
		{"engine", strings.Repeat("é", 101), ""},
		{"engine", "embedded", "metrics.error_rate"}, // whose rate is failures / requests
		{"engine", unset{}, "metrics.error_rate"},
	} {
		t.Run(fmt.Sprintf("%s=%.20v", c.path, c.value), func(t *testing.T) {
			doc := document(t, k6EndOf(startOf(f, 1, "t", "a")))
			set(doc, c.path, c.value)
			p := f.call("PUT", pathResults+"/"+runID(1), doc, asAgent).wantsProblem(http.StatusUnprocessableEntity, fleet.ValidationFailed)
			field := c.field
			if field == "" {
				field = c.path
			}
			if !p.at("body." + field) {
				t.Errorf("%+v; want body.%s", p, field)
			}
		})
	}
	f.call("GET", pathRuns+"/"+runID(1), nil).wants(http.StatusNotFound)
}

// k6's percentiles are its own: its requests count, and the window's p95 is of the others' distributions.
func TestRunsOfK6StayOutOfMergedPercentiles(t *testing.T) {
	f := newFixture(t)
	f.putRun(k6EndOf(startOf(f, 1, "t", "a"))).wants(http.StatusOK)
	if w := f.overview().Window; w.Runs != 1 || w.RunsMerged != 0 || w.Requests != 100 || w.Failures != 4 || w.P95 != nil {
		t.Errorf("window %+v; want the requests of k6 and no percentile", w)
	}
	f.putRun(endOf(startOf(f, 2, "t", "a"))).wants(http.StatusOK)
	if w := f.overview().Window; w.Runs != 2 || w.RunsMerged != 1 || w.Requests != 200 || w.Failures != 8 || w.P95 == nil || *w.P95 > 5.01 {
		t.Errorf("window %+v; want the requests of both and a p95 of 5 ms", w)
	}
}

// An agent's k6 is what its holder said last; it outlives a restart, and no other instance has it.
func TestAgentsTellOfTheirK6(t *testing.T) {
	f := newFixture(t)
	epoch := f.register("a", "one")
	said := func(k6 *fleet.K6) {
		t.Helper()
		in := beat("a", "one")
		in.K6 = k6
		f.call("POST", pathHeartbeat, in, as("a", epoch)).wants(http.StatusOK)
		if d := cmp.Diff(k6, f.agent("a").K6); d != "" {
			t.Errorf("k6 (-said +shown):\n%s", d)
		}
	}
	if got := f.agent("a").K6; got != nil {
		t.Errorf("k6 %+v before the first heartbeat; want none", got)
	}
	good := &fleet.K6{Path: "/usr/bin/k6", Version: "2.2.0"}
	said(&fleet.K6{Path: "/usr/bin/k6", Error: "not found"})
	said(good)
	said(nil)
	f.contains(string(f.call("GET", pathAgents, nil).body), `"k6":null`)
	said(good)
	f.must(f.service.Flush(t.Context()))
	f.start()
	if d := cmp.Diff(good, f.agent("a").K6); d != "" {
		t.Errorf("after a restart (-said +shown):\n%s", d)
	}
	f.call("POST", pathGoodbye, fleet.Deregistration{Name: "a", InstanceID: "one"}, as("a", epoch)).wants(http.StatusNoContent)
	f.register("a", "two")
	if got := f.agent("a").K6; got != nil {
		t.Errorf("the next instance has k6 %+v; want none until it says so", got)
	}
}

func TestK6OfAHeartbeatIsBounded(t *testing.T) {
	f := newFixture(t)
	epoch := f.register("a", "one")
	for field, most := range map[string]int{"path": 4096, "version": 100, "error": 300} {
		doc := document(t, beat("a", "one"))
		set(doc, "k6.path", "/usr/bin/k6")
		set(doc, "k6."+field, strings.Repeat("é", most))
		f.call("POST", pathHeartbeat, doc, as("a", epoch)).wants(http.StatusOK)
		set(doc, "k6."+field, strings.Repeat("é", most+1))
		if p := f.call("POST", pathHeartbeat, doc, as("a", epoch)).wantsProblem(http.StatusUnprocessableEntity, fleet.ValidationFailed); !p.at("body.k6." + field) {
			t.Errorf("%+v; want body.k6.%s", p, field)
		}
		set(doc, "k6."+field, 5)
		f.call("POST", pathHeartbeat, doc, as("a", epoch)).wantsProblem(http.StatusUnprocessableEntity, fleet.ValidationFailed)
	}
}

// A script goes to agents, and is shown to nobody: not in lists, nor in an answer to an edit, nor by way of a run.
func TestAScriptIsWriteOnly(t *testing.T) {
	f := newFixture(t)
	epoch := f.register("a", "one")
	const secret = "s3cret-of-a-script"
	created := f.call("POST", pathTargets, map[string]any{"url": "https://example.org/", "script": "// " + secret}, asAdmin).wants(http.StatusCreated)
	target := read[fleet.Target](created)
	if got := f.poll("a", epoch).Targets; len(got) != 1 || got[0].Script != "// "+secret {
		t.Errorf("the poll holds %+v; want the script", got)
	}
	start := fleet.RunStart{ID: runID(1), TargetID: target.ID, Agent: "a", StartedAt: fleet.Millis(f.clock.now()), Spec: f.poll("a", epoch).Targets[0]}
	f.call("POST", pathResults, start, as("a", epoch)).wants(http.StatusCreated) // an agent that forgot to redact
	late := start
	late.ID = runID(2)
	f.putRun(k6EndOf(late)).wants(http.StatusOK)

	path := pathTargets + "/" + target.ID
	answers := []reply{created, f.call("PATCH", path, map[string]any{"label": "x", "script": fleet.Hidden}, asAdmin), f.call("GET", path, nil, asAdmin)}
	for _, open := range []string{pathList, pathList + "/" + target.ID, pathRuns, pathRuns + "/" + runID(1), pathRuns + "/" + runID(2), pathAgents, pathOverview, "/api/metrics"} {
		answers = append(answers, f.call("GET", open, nil))
	}
	for _, r := range answers {
		if r.status/100 != 2 || strings.Contains(string(r.body), secret) {
			t.Errorf("%s: %d %s", r.what, r.status, r.body)
		}
	}
	for _, id := range []string{runID(1), runID(2)} {
		if run, err := f.store.Run(t.Context(), id); err != nil || run.Spec.Script != fleet.Hidden {
			t.Errorf("run %s is stored with the script %q, %v; want it hidden", id, run.Spec.Script, err)
		}
	}
	if got := f.poll("a", epoch).Targets[0]; got.Script != "// "+secret || got.Label != "x" {
		t.Errorf("after an edit with *** the poll holds %+v; want the script kept", got)
	}
	if p := f.call("PATCH", path, `{"url":"https://evil.example/"}`, asAdmin).wantsProblem(http.StatusUnprocessableEntity, fleet.ValidationFailed); !p.at("body.script") {
		t.Errorf("another origin gets the script: %+v", p)
	}
	f.call("PATCH", path, `{"script":null}`, asAdmin).wants(http.StatusOK)
	if got := f.poll("a", epoch).Targets[0].Script; got != "" {
		t.Errorf("the script is %q after null; want none", got)
	}
}

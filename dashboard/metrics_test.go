package dashboard_test

import (
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"

	"github.com/nollagluiz/broadside/dashboard"
	"github.com/nollagluiz/broadside/fleet"
	"github.com/nollagluiz/broadside/summary"
)

func TestMetrics(t *testing.T) {
	f := newFixture(t)
	f.reaper = dashboard.ReaperStats{RunsTimedOut: 1, RefsCleared: 2, MarkedOffline: 3, AgentsDeleted: 4, RunsDeleted: 5, LastSuccess: time.UnixMilli(1_700_000_000_500)}
	f.addTarget(`{"url":"https://example.org/"}`)
	f.addTarget(`{"url":"https://example.org/","enabled":false}`)
	f.call("PUT", pathConfig, `{"k6DesiredAgentCount":7}`, asAdmin).wants(http.StatusOK)
	f.register("a", "i")
	f.register("b", "i")
	f.call("POST", pathGoodbye, fleet.Deregistration{Name: "b", InstanceID: "i"}, asAgent).wants(http.StatusNoContent)
	for range 3 { // one run, however often its result comes
		f.call("PUT", pathResults+"/"+runID(1), endOf(startOf(f, 1, "t", "a")), asAgent).wants(http.StatusOK)
	}
	failed := endOf(startOf(f, 2, "t", "a"))
	failed.Verdict = summary.ThresholdFailed
	f.call("PUT", pathResults+"/"+runID(2), failed, asAgent).wants(http.StatusOK)
	f.call("POST", pathResults, startOf(f, 3, "t", "a"), asAgent).wants(http.StatusCreated)
	f.call("GET", "/nothing/"+strings.Repeat("x", 100), nil).wants(http.StatusNotFound)
	f.call("BREW", pathList, nil).wants(http.StatusMethodNotAllowed)
	f.call("GET", "/agents/k6/sites", nil).wants(http.StatusOK)
	got := f.metrics()
	for _, want := range []string{
		"reaper_k6agents_marked_offline_total 3",
		"reaper_k6agents_deleted_total 4",
		"broadside_reaper_runs_timed_out_total 1",
		"broadside_reaper_run_refs_cleared_total 2",
		"broadside_reaper_runs_deleted_total 5",
		"broadside_reaper_last_success_timestamp_seconds 1.7000000005e+09",
		`broadside_agents{status="online"} 1`,
		`broadside_agents{status="offline"} 1`,
		"broadside_desired_agents 7",
		"broadside_stopped 0",
		`broadside_targets{enabled="true"} 1`,
		`broadside_targets{enabled="false"} 1`,
		`broadside_runs_total{status="done",verdict="ok"} 1`,
		`broadside_runs_total{status="done",verdict="threshold_failed"} 1`,
		`broadside_runs_total{status="error",verdict="error"} 0`,
		"broadside_runs_in_progress 1",
		`broadside_requests_total{outcome="ok"} 192`,
		`broadside_requests_total{outcome="failed"} 8`,
		"broadside_received_bytes_total 246912",
		`broadside_auth_failures_total{surface="admin"} 0`,
		`broadside_auth_failures_total{surface="agent"} 0`,
		`broadside_http_server_request_duration_seconds_count{code="2xx",method="PUT",route="/api/k6/runs/{id}"} 4`,
		`broadside_http_server_request_duration_seconds_count{code="4xx",method="GET",route="none"} 1`,
		`broadside_http_server_request_duration_seconds_count{code="4xx",method="other",route="none"} 1`,
		`broadside_http_server_request_duration_seconds_count{code="2xx",method="GET",route="/agents/"} 1`,
		`version="v0-test"`,
		"go_goroutines ", "process_resident_memory_bytes ",
	} {
		f.contains(got, want)
	}
	if text := got; strings.Contains(text, "example.org") || strings.Contains(text, "xxxx") || strings.Contains(text, runID(1)) {
		t.Error("a label comes from outside")
	}
	f.call("POST", "/api/admin/k6/stop", nil, asAdmin).wants(http.StatusAccepted)
	f.contains(f.metrics(), "broadside_stopped 1")
}

// The linter of Prometheus has nothing to say, and each name is the original's or ours.
func TestMetricsAreLintClean(t *testing.T) {
	f := newFixture(t)
	f.call("GET", "/healthz", nil).wants(http.StatusOK)
	text := f.metrics()
	problems, err := promlint.New(strings.NewReader(text)).Lint()
	f.must(err)
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
	ours := regexp.MustCompile(`^(broadside_|go_|process_|promhttp_|reaper_k6agents_(marked_offline|deleted)_total$)`)
	names := regexp.MustCompile(`(?m)^# TYPE (\S+) `).FindAllStringSubmatch(text, -1)
	if len(names) < 30 {
		t.Errorf("only %d metrics", len(names))
	}
	for _, m := range names {
		if !ours.MatchString(m[1]) {
			t.Errorf("metric %s", m[1])
		}
	}
}

// Two dashboards in one process have metrics of their own: there is no global registry.
func TestMetricsAreNoGlobals(t *testing.T) {
	one, two := newFixture(t), newFixture(t)
	one.call("PUT", pathConfig, `{"k6DesiredAgentCount":1}`, asAdmin).wants(http.StatusOK)
	two.call("PUT", pathConfig, `{"k6DesiredAgentCount":2}`, asAdmin).wants(http.StatusOK)
	one.contains(one.metrics(), "broadside_desired_agents 1")
	two.contains(two.metrics(), "broadside_desired_agents 2")
}

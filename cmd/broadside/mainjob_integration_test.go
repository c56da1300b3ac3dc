//go:build integration && linux

package main

import (
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/nollagluiz/broadside/fleet"
	"github.com/nollagluiz/broadside/summary"
)

// curl runs the operations guide's line.
func curl(t *testing.T, args ...string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "curl", append([]string{"-sS", "--fail-with-body"}, args...)...).CombinedOutput()
	if err != nil {
		t.Fatalf("curl: %v\n%s", err, out)
	}
	return string(out)
}

// TestMainJob is what the product is for: a target added by the guide's curl line is run by an agent, and the eight
// fields are in the dashboard. Requests equal the server's own count exactly, bytes received within 1 %.
func TestMainJob(t *testing.T) {
	s := newSite(t)
	dashboard, base := upOn(t, "127.0.0.1:0", t.TempDir(), nil)
	answer := curl(t, "-u", admin, "-X", "POST", "-H", "content-type: application/json",
		"-d", fmt.Sprintf(`{"url":%q,"label":"Example","vus":10,"durationS":3,"runIntervalMs":60000}`, s.url), base+"/api/admin/k6/targets")
	var target fleet.Target
	if err := json.Unmarshal([]byte(answer), &target); err != nil || target.ID == "" || target.VUs != 10 {
		t.Fatalf("the new target: %v, %s", err, answer)
	}
	var run fleet.Run
	eventually(t, 20*time.Second, "a run is finished", func() bool {
		runs := allRuns(t, base, "&target="+target.ID+"&status=done")
		if len(runs) > 0 {
			run = runs[0]
		}
		return len(runs) > 0
	})

	if run.Verdict != summary.OK || run.TargetLabel != "Example" || run.Agent != "k6agent-0" || run.Message == "" {
		t.Errorf("run %+v; want ok, of Example, by k6agent-0, with a sentence", run)
	}
	m := run.Metrics
	if m == nil || m.P50 == nil || m.P95 == nil || m.P99 == nil || m.Avg == nil || m.ErrorRate == nil {
		t.Fatalf("metrics %+v; want all of the eight fields", m)
	}
	if !(0 < *m.P50 && *m.P50 <= *m.P95 && *m.P95 <= *m.P99) || *m.ErrorRate != 0 {
		t.Errorf("p50 %v p95 %v p99 %v error_rate %v; want growing and no errors", *m.P50, *m.P95, *m.P99, *m.ErrorRate)
	}
	if got := s.requests.Load(); m.Requests != got || m.Iterations != got || got == 0 {
		t.Errorf("%d requests, %d iterations; the server counted %d", m.Requests, m.Iterations, got)
	}
	if got := float64(s.sent.Load()); math.Abs(float64(m.DataReceivedBytes)-got) > got/100 {
		t.Errorf("%d bytes received; the server sent %.0f", m.DataReceivedBytes, got)
	}
	if want := float64(m.Requests) / m.DurationS; math.Abs(m.RPS-want) > want/1000 {
		t.Errorf("rps %v; want %v, requests / measured seconds", m.RPS, want)
	}

	t.Run("the run has its distributions", func(t *testing.T) {
		var detail fleet.RunDetail
		if status := call(t, http.MethodGet, base+"/api/dashboard/k6/runs/"+run.ID, nil, &detail); status != http.StatusOK {
			t.Fatalf("status %d", status)
		}
		if detail.Statuses["200"] != m.Requests || detail.Series == nil || len(detail.Series.Buckets) < 3 || len(detail.Trends[summary.HTTPReqDuration]) == 0 {
			t.Errorf("statuses %v, series %v; want each request a 200, and a bucket a second", detail.Statuses, detail.Series)
		}
	})
	t.Run("the pages show it", func(t *testing.T) {
		for path, want := range map[string]string{
			"/agents/k6":                          "k6agent-0",
			"/agents/k6/sites":                    "Example",
			"/agents/k6/runs?target=" + target.ID: run.ID,
			"/agents/k6/runs/" + run.ID:           "Example",
		} {
			if page := curl(t, base+path); !strings.Contains(page, want) {
				t.Errorf("%s does not show %q:\n%.2000s", path, want, page)
			}
		}
	})
	t.Run("the pages speak Portuguese", func(t *testing.T) {
		if page := curl(t, "-H", "accept-language: pt-BR", base+"/agents/k6/sites"); !strings.Contains(page, "Adicionar") {
			t.Errorf("no Adicionar:\n%.2000s", page)
		}
	})
	t.Run("the program answers for its health", func(t *testing.T) {
		p := start(t, "broadside", []string{"healthcheck"}, "LISTEN_ADDR="+strings.TrimPrefix(base, "http://"))
		<-p.end
		if code := p.cmd.ProcessState.ExitCode(); code != 0 {
			t.Errorf("healthcheck exits %d", code)
		}
	})
	t.Run("it ends in time", func(t *testing.T) {
		if took := dashboard.signal(t, syscall.SIGTERM); took > 8*time.Second || dashboard.cmd.ProcessState.ExitCode() != 0 {
			t.Errorf("SIGTERM took %v, exit code %d; want at most 8 s and 0", took, dashboard.cmd.ProcessState.ExitCode())
		}
	})
}

// ledger is a reverse proxy before the dashboard that notes which results were acknowledged.
type ledger struct {
	proxy *httputil.ReverseProxy

	mu    sync.Mutex
	acked map[string]bool
}

func newLedger(t *testing.T, to string) *ledger {
	t.Helper()
	u, err := url.Parse(to)
	if err != nil {
		t.Fatal(err)
	}
	l := &ledger{proxy: httputil.NewSingleHostReverseProxy(u), acked: map[string]bool{}}
	l.proxy.ModifyResponse = func(res *http.Response) error {
		id, ok := strings.CutPrefix(res.Request.URL.Path, "/api/k6/runs/")
		if ok && res.Request.Method == http.MethodPut && res.StatusCode == http.StatusOK {
			l.mu.Lock()
			defer l.mu.Unlock()
			l.acked[id] = true
		}
		return nil
	}
	l.proxy.ErrorHandler = func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusBadGateway) }
	return l
}

func (l *ledger) count() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.acked)
}

// TestKill9 kills the dashboard during runs, three times: after each restart every acknowledged result is there, once,
// and the runs that were going on come to their end. (Field report 42: agents go on without a restart.)
func TestKill9(t *testing.T) {
	s := newSite(t)
	data := t.TempDir()
	fast := []string{"SCALER=none", "POLL_INTERVAL_MS=500", "HEARTBEAT_INTERVAL_MS=1000"}
	dashboard, base := upOn(t, "127.0.0.1:0", data, nil, fast...)
	ledger := newLedger(t, base)
	proxy := newServer(t, ledger.proxy)
	agent := start(t, "k6agent", nil, "DASHBOARD_URL="+proxy, "DASHBOARD_SECRET="+secret, "AGENT_NAME=killer", "MAX_CONCURRENT_RUNS=4", "HEALTH_ADDR=off")
	for i := range 4 {
		body := map[string]any{"url": s.url, "label": fmt.Sprint("t", i), "vus": 1, "durationS": 1, "runIntervalMs": 1100, "gracefulStopS": 1, "pauseMs": 20}
		if status := call(t, http.MethodPost, base+"/api/admin/k6/targets", body, nil); status != http.StatusCreated {
			t.Fatalf("add a target: status %d", status)
		}
	}
	for kill := range 3 {
		before := ledger.count()
		eventually(t, 30*time.Second, "results are acknowledged", func() bool { return ledger.count() >= before+6 })
		dashboard.signal(t, syscall.SIGKILL)
		dashboard, _ = upOn(t, strings.TrimPrefix(base, "http://"), data, nil, fast...)
		ledger.mu.Lock()
		acked := len(ledger.acked)
		var missing []string
		stored := map[string]int{}
		for _, r := range allRuns(t, base, "") {
			stored[r.ID]++
			if r.Status == fleet.RunRunning {
				continue
			}
			if r.Metrics == nil {
				t.Errorf("kill %d: run %s ended %s without metrics", kill, r.ID, r.Status)
			}
		}
		for id := range ledger.acked {
			if stored[id] != 1 {
				missing = append(missing, fmt.Sprintf("%s x%d", id, stored[id]))
			}
		}
		ledger.mu.Unlock()
		if len(missing) > 0 {
			t.Fatalf("kill %d: of %d acknowledged results these are not there once: %v", kill, acked, missing)
		}
	}
	agent.signal(t, syscall.SIGTERM)
	runs := allRuns(t, base, "")
	if i := slices.IndexFunc(runs, func(r fleet.Run) bool { return r.Status == fleet.RunRunning }); i >= 0 {
		t.Errorf("run %s is still running; want each to have ended with its agent", runs[i].ID)
	}
	var requests int64
	for _, r := range runs {
		requests += r.Metrics.Requests
	}
	if got := s.requests.Load(); requests != got {
		t.Errorf("%d requests over all %d runs; the server counted %d", requests, len(runs), got)
	}
}

// TestKill9OfAllInOne kills the dashboard with its agents inside: the next one's agents take the names at once, and the
// run that died with the process is lost, not running for the rest of its hour.
func TestKill9OfAllInOne(t *testing.T) {
	s := newSite(t)
	data := t.TempDir()
	dashboard, base := upOn(t, "127.0.0.1:0", data, nil)
	if second := start(t, "broadside", []string{"up"}, "LISTEN_ADDR=127.0.0.1:0", "DATA_DIR="+data); true {
		<-second.end
		if !strings.Contains(second.log.String(), "another dashboard works in") {
			t.Errorf("a second dashboard on the same data: %s", second.log)
		}
	}
	body := map[string]any{"url": s.url, "vus": 1, "durationS": 3600, "runIntervalMs": 3_600_000, "pauseMs": 10}
	if status := call(t, http.MethodPost, base+"/api/admin/k6/targets", body, nil); status != http.StatusCreated {
		t.Fatalf("add a target: status %d", status)
	}
	eventually(t, 20*time.Second, "the run is going", func() bool { return len(allRuns(t, base, "&status=running")) == 1 })
	dead := allRuns(t, base, "")[0].ID
	dashboard.signal(t, syscall.SIGKILL)
	_, base = upOn(t, strings.TrimPrefix(base, "http://"), data, nil)
	eventually(t, 20*time.Second, "the dead run is lost", func() bool {
		var run fleet.Run
		call(t, http.MethodGet, base+"/api/dashboard/k6/runs/"+dead, nil, &run)
		return run.Status == fleet.RunError && run.Verdict == summary.Lost
	})
}

// newServer serves a handler on loopback and returns its URL.
func newServer(t *testing.T, h http.Handler) string {
	t.Helper()
	server := &http.Server{Handler: h}
	l := listen(t)
	go server.Serve(l)
	t.Cleanup(func() { server.Close() })
	return "http://" + l.Addr().String()
}

// TestAgentRefusedPrivateTargets: DENY_PRIVATE_TARGETS reaches the embedded agents.
func TestAgentRefusedPrivateTargets(t *testing.T) {
	s := newSite(t)
	_, base := upOn(t, "127.0.0.1:0", t.TempDir(), nil, "DENY_PRIVATE_TARGETS=true")
	if status := call(t, http.MethodPost, base+"/api/admin/k6/targets", map[string]any{"url": s.url, "durationS": 1}, nil); status != http.StatusCreated {
		t.Fatalf("add a target: status %d", status)
	}
	eventually(t, 20*time.Second, "the run is refused", func() bool {
		runs := allRuns(t, base, "&status=done")
		return len(runs) > 0 && runs[0].Verdict == summary.TargetUnreachable && runs[0].Metrics.P95 == nil
	})
	if n := s.requests.Load(); n != 0 {
		t.Errorf("%d requests reached the private target", n)
	}
}

// TestScaleAndStop: the desired count is met by embedded agents, and the kill switch ends what runs.
func TestScaleAndStop(t *testing.T) {
	s := newSite(t)
	_, base := upOn(t, "127.0.0.1:0", t.TempDir(), nil, "POLL_INTERVAL_MS=500")
	config := base + "/api/admin/config"
	if status := call(t, http.MethodPut, config, map[string]any{"k6DesiredAgentCount": 3}, nil); status != http.StatusOK {
		t.Fatalf("scale: status %d", status)
	}
	online := func() (n int) {
		var list struct{ Items []fleet.Agent }
		call(t, http.MethodGet, base+"/api/dashboard/k6/agents", nil, &list)
		for _, a := range list.Items {
			if a.Status == fleet.AgentOnline {
				n++
			}
		}
		return n
	}
	eventually(t, 15*time.Second, "three agents are online", func() bool { return online() == 3 })
	body := map[string]any{"url": s.url, "vus": 1, "durationS": 600, "runIntervalMs": 600_000, "pauseMs": 10}
	if status := call(t, http.MethodPost, base+"/api/admin/k6/targets", body, nil); status != http.StatusCreated {
		t.Fatalf("add a target: status %d", status)
	}
	eventually(t, 20*time.Second, "three runs are going", func() bool { return len(allRuns(t, base, "&status=running")) == 3 })
	if status := call(t, http.MethodPost, base+"/api/admin/k6/stop", nil, nil); status != http.StatusAccepted {
		t.Fatalf("stop: status %d", status)
	}
	eventually(t, 15*time.Second, "all runs are aborted", func() bool { return len(allRuns(t, base, "&status=aborted")) == 3 })
	if status := call(t, http.MethodPut, config, map[string]any{"k6DesiredAgentCount": 1, "stopped": false}, nil); status != http.StatusOK {
		t.Fatalf("scale down: status %d", status)
	}
	eventually(t, 15*time.Second, "one agent is online", func() bool { return online() == 1 })
}

// TestDemo: a first look needs no site of one's own, and leaves nothing that fires at a port that is somebody else's.
func TestDemo(t *testing.T) {
	data := t.TempDir()
	p, base := upOn(t, "127.0.0.1:0", data, []string{"--demo"})
	eventually(t, 30*time.Second, "the demo target has a result", func() bool {
		runs := allRuns(t, base, "&status=done")
		return len(runs) > 0 && runs[0].TargetLabel == "Demo" && runs[0].Metrics.Requests > 0
	})
	p.signal(t, syscall.SIGTERM)
	_, base = upOn(t, "127.0.0.1:0", data, nil)
	var list struct{ Items []fleet.Target }
	if call(t, http.MethodGet, base+"/api/dashboard/k6/targets", nil, &list); len(list.Items) != 1 || list.Items[0].Enabled {
		t.Errorf("without --demo: %+v; want the one target, disabled", list.Items)
	}
}

// TestRunIsInterrupted: ctrl-C cuts a run, and its report is still given; the exit code is k6's.
func TestRunIsInterrupted(t *testing.T) {
	s := newSite(t)
	p := start(t, "k6agent", []string{"run", "--duration", "10m", "--pause", "10", s.url})
	eventually(t, 20*time.Second, "requests come", func() bool { return s.requests.Load() > 5 })
	p.signal(t, syscall.SIGINT)
	if code, out := p.cmd.ProcessState.ExitCode(), p.log.String(); code != 105 || !strings.Contains(out, "Verdict: aborted.") {
		t.Errorf("exit code %d; want 105 and the report:\n%s", code, out)
	}
}

// A target's options shape its runs, and its thresholds judge them: k6's JSON as it is, over the wire and back.
func TestOptionsOfTargets(t *testing.T) {
	s := newSite(t)
	_, base := upOn(t, "127.0.0.1:0", t.TempDir(), nil)
	var target fleet.Target
	options := `{"scenarios":{"steady":{"executor":"constant-arrival-rate","rate":20,"duration":"2s","preAllocatedVUs":5}},` +
		`"thresholds":{"http_reqs":["count==40"],"http_req_duration{scenario:steady}":["p(95)<0.000001"]}}`
	body := map[string]any{"url": s.url, "options": json.RawMessage(options)}
	if status := call(t, http.MethodPost, base+"/api/admin/k6/targets", body, &target); status != http.StatusCreated {
		t.Fatalf("status %d", status)
	}
	var detail fleet.RunDetail
	eventually(t, 30*time.Second, "a run has ended", func() bool {
		for _, run := range allRuns(t, base, "&status=done") {
			return call(t, http.MethodGet, base+"/api/dashboard/k6/runs/"+run.ID, nil, &detail) == http.StatusOK
		}
		return false
	})
	if detail.Verdict != summary.ThresholdFailed || detail.Metrics.Requests != 40 || s.requests.Load() < 40 {
		t.Errorf("%s (%s), %d requests; want threshold_failed and 40", detail.Verdict, detail.Message, detail.Metrics.Requests)
	}
	if len(detail.Thresholds) != 2 || !strings.Contains(detail.Message, "http_req_duration{scenario:steady}: p(95)<0.000001") {
		t.Errorf("thresholds %+v, %q; want both, and the crossed one named", detail.Thresholds, detail.Message)
	}
	for _, th := range detail.Thresholds {
		if want := th.Metric == "http_reqs"; th.OK != want || th.Value == nil {
			t.Errorf("%+v; want held: %v, with its value", th, want)
		}
	}
	if len(detail.Trends[summary.HTTPReqCorrected]) == 0 {
		t.Error("an open model has no corrected duration")
	}
}

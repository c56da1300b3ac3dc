package sqlite_test

import (
	"database/sql"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	_ "modernc.org/sqlite"

	"github.com/nollagluiz/broadside/dashboard/store/sqlite"
	"github.com/nollagluiz/broadside/fleet"
	"github.com/nollagluiz/broadside/summary"
)

// firstVersion is a row of each kind, as the first version of the program wrote them. Its targets and agents knew
// neither script nor k6.
const firstVersion = `
INSERT INTO k6_targets (id, spec, revision, created_at, updated_at, deleted_at) VALUES
	('t', '{"url":"https://user:pw@example.org/","label":"Old","vus":3,"durationS":30,"runIntervalMs":60000,"enabled":true,"method":"GET","headers":{},"secretHeaders":[]}', 2, 1000, 2000, NULL);
INSERT INTO k6_agents (id, name, status, last_seen_at, current_run_id, current_run_ids, registered_at, epoch, instance_id, deregistered, report) VALUES
	('g', 'k6agent-0', 'online', 3000, NULL, '[]', 1000, 4, 'i', 0, '{"version":"0.1.0","engine":"embedded","maxVus":100}');
INSERT INTO k6_runs (id, target_id, target_label, agent_id, agent_name, status, verdict, error_message, started_at, ended_at, received_at, result_at,
	deadline_at, p50_ms, p95_ms, p99_ms, avg_ms, error_rate, rps, data_received_bytes, iterations, requests, failures, data_sent_bytes,
	iterations_interrupted, min_ms, max_ms, vus_max, duration_s, spec) VALUES
	('01950000-0000-7000-8000-000000000001', 't', 'Old', 'g', 'k6agent-0', 'done', 'ok', '', 1000, 31000, 1000, 31000, 300000,
		10.5, 20.25, 30.125, 12.5, 0.01, 3.3, 1234, 100, 100, 1, 50, 0, 1.5, 99.5, 3, 30.01, '{"url":"https://***@example.org/","vus":3}'),
	('01950000-0000-7000-8000-000000000002', 't', 'Old', 'g', 'k6agent-0', 'running', '', '', 61000, NULL, 61000, NULL, 360000,
		NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '{"url":"https://***@example.org/","vus":3}');
INSERT INTO k6_run_data (run_seq, statuses) VALUES (1, '{"200":99,"500":1}');
INSERT INTO k6_config (id, k6_desired_agent_count, stopped, stop_id, revision, updated_at) VALUES (1, 7, 0, '', 3, 1000);`

// openFirstVersion opens a database that the first version made.
func openFirstVersion(t *testing.T) *sqlite.Store {
	t.Helper()
	path := filepath.Join(t.TempDir(), "broadside.db")
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	if err := sqlite.MigrateTo(t.Context(), db, 1); err != nil {
		t.Fatal(err)
	}
	for _, later := range []string{`SELECT engine FROM k6_runs`, `SELECT dropped_iterations FROM k6_runs`, `SELECT thresholds FROM k6_run_data`} {
		if _, err := db.Exec(later); err == nil {
			t.Fatalf("the first version has a column of a later one: %s", later)
		}
	}
	if _, err := db.Exec(firstVersion); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	return open(t, sqlite.Config{Path: path})
}

// What an earlier version stored is read by this one, and goes on.
func TestUpgradeFromTheFirstVersion(t *testing.T) {
	s := openFirstVersion(t)
	ctx := t.Context()
	ms := []float64{10.5, 20.25, 30.125, 12.5, 0.01, 1.5, 99.5}
	ended := fleet.FromMillis(31_000)
	spec := fleet.Target{URL: "https://***@example.org/", VUs: 3}
	done := fleet.Run{
		ID: run(1).ID, TargetID: "t", TargetLabel: "Old", Agent: "k6agent-0", Status: fleet.RunDone, Verdict: summary.OK,
		StartedAt: fleet.FromMillis(1000), EndedAt: &ended, Spec: spec,
		Metrics: &fleet.Metrics{P50: &ms[0], P95: &ms[1], P99: &ms[2], Avg: &ms[3], ErrorRate: &ms[4], RPS: 3.3, DataReceivedBytes: 1234, Iterations: 100,
			Requests: 100, Failures: 1, DataSentBytes: 50, Min: &ms[5], Max: &ms[6], VUsMax: 3, DurationS: 30.01},
	}
	runs, _, err := s.Runs(ctx, fleet.RunFilter{}, "", 10)
	if err != nil || len(runs) != 2 {
		t.Fatalf("%d runs, %v; want 2", len(runs), err)
	}
	if d := cmp.Diff(done, runs[1]); d != "" {
		t.Errorf("the finished run (-want +got):\n%s", d)
	}
	detail, err := s.Run(ctx, done.ID)
	if d := cmp.Diff(done, detail.Run); err != nil || d != "" || detail.Statuses["200"] != 99 || detail.Thresholds == nil || len(detail.Thresholds) != 0 {
		t.Errorf("the finished run's page: %v, statuses %v, thresholds %v\n%s", err, detail.Statuses, detail.Thresholds, d)
	}
	if recent, err := s.RecentRuns(ctx, 5); err != nil || len(recent["t"]) != 1 || recent["t"][0].Metrics == nil || recent["t"][0].Engine != "" {
		t.Errorf("recent runs %+v, %v; want the finished one", recent, err)
	}
	if target, err := s.Target(ctx, "t"); err != nil || target.URL != "https://user:pw@example.org/" || target.Script != "" || target.Revision != 2 {
		t.Errorf("target %+v, %v", target, err)
	}
	agents, err := s.Agents(ctx)
	if err != nil || len(agents) != 1 || agents[0].Version != "0.1.0" || agents[0].Epoch != 4 || agents[0].K6 != nil {
		t.Errorf("agents %+v, %v; want k6agent-0 without a k6", agents, err)
	}
	if c, err := s.Config(ctx); err != nil || c.DesiredAgents != 7 {
		t.Errorf("config %+v, %v; want 7 agents", c, err)
	}

	// A run that was under way during the upgrade gets its result, and a new one is made.
	for n, engine := range map[int]string{2: fleet.EngineK6, 3: "embedded"} {
		end := run(n)
		end.Engine, end.Metrics = engine, &fleet.Metrics{DroppedIterations: 4}
		end.Thresholds = []fleet.ThresholdResult{{Metric: "http_reqs", Expression: "count>0", OK: true}}
		if err := s.EndRun(ctx, end, time.UnixMilli(90_000)); err != nil {
			t.Fatal(err)
		}
		if got, err := s.Run(ctx, end.ID); err != nil || got.Engine != engine || got.Status != fleet.RunDone || got.Metrics.DroppedIterations != 4 || cmp.Diff(end.Thresholds, got.Thresholds) != "" {
			t.Errorf("run %d: %+v, %v; want it done by %s, with drops and a threshold", n, got, err, engine)
		}
	}
}

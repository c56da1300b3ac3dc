package sqlite_test

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nollagluiz/broadside/dashboard/store/sqlite"
	"github.com/nollagluiz/broadside/dashboard/store/storetest"
	"github.com/nollagluiz/broadside/fleet"
	"github.com/nollagluiz/broadside/summary"
)

func TestConformance(t *testing.T) {
	storetest.Run(t, func(t *testing.T) storetest.Store { return openNew(t) })
}

// open opens a store that ends with the test.
func open(t testing.TB, cfg sqlite.Config) *sqlite.Store {
	t.Helper()
	s, err := sqlite.Open(context.Background(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func openNew(t testing.TB) *sqlite.Store {
	t.Helper()
	return open(t, sqlite.Config{Path: filepath.Join(t.TempDir(), "broadside.db")})
}

// run is number n as a finished run, whose RPS is n.
func run(n int) fleet.RunEnd {
	spec := fleet.NewTarget()
	spec.URL = "https://example.org/"
	at := fleet.Millis(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC).Add(time.Duration(n) * time.Second))
	return fleet.RunEnd{
		RunStart: fleet.RunStart{ID: fmt.Sprintf("01950000-0000-7000-8000-%012d", n), TargetID: "t", Agent: "a", StartedAt: at, Spec: spec},
		EndedAt:  at, Status: fleet.RunDone, Verdict: summary.OK, Message: "Fine.", Metrics: &fleet.Metrics{RPS: float64(n)},
	}
}

func TestFilesArePrivate(t *testing.T) {
	// A name with each character that means something in a URI.
	dir := filepath.Join(t.TempDir(), "a b", "50%?x=1#ü&")
	path := filepath.Join(dir, "broad%20side?.db")
	s := open(t, sqlite.Config{Path: path})
	if err := s.Ping(t.Context()); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]os.FileMode{dir: 0o700, path: 0o600, path + "-wal": 0o600, path + "-shm": 0o600} {
		info, err := os.Stat(name)
		if err != nil {
			t.Error(err)
		} else if got := info.Mode().Perm(); got != want {
			t.Errorf("%s has mode %v; want %v", name, got, want)
		}
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 3 {
		t.Errorf("%d files, %v; want the three alone", len(entries), err)
	}
}

func TestOpenMakesAnOldFilePrivate(t *testing.T) {
	path := filepath.Join(t.TempDir(), "broadside.db")
	if err := os.WriteFile(path, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	open(t, sqlite.Config{Path: path})
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v; want 0600", info.Mode(), err)
	}
}

func TestConnections(t *testing.T) {
	s := open(t, sqlite.Config{Path: filepath.Join(t.TempDir(), "full.db")})
	normal := open(t, sqlite.Config{Path: filepath.Join(t.TempDir(), "normal.db"), Sync: sqlite.Normal})
	for _, c := range []struct {
		name   string
		db     *sql.DB
		pragma string
		want   string
	}{
		{"commits reach the disk", s.Writer(), "synchronous", "2"},
		{"or not, as wanted", normal.Writer(), "synchronous", "1"},
		{"write-ahead log", s.Writer(), "journal_mode", "wal"},
		{"which is cut back", s.Writer(), "journal_size_limit", "16777216"},
		{"foreign keys hold", s.Writer(), "foreign_keys", "1"},
		{"it waits for locks", s.Writer(), "busy_timeout", "5000"},
		{"its memory is bounded", s.Writer(), "cache_size", "-4096"},
		{"readers only read", s.Reader(), "query_only", "1"},
		{"their memory is bounded", s.Reader(), "cache_size", "-1024"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got string
			if err := c.db.QueryRowContext(t.Context(), "PRAGMA "+c.pragma).Scan(&got); err != nil || got != c.want {
				t.Errorf("%s is %q, %v; want %s", c.pragma, got, err, c.want)
			}
		})
	}
	if _, err := s.Reader().ExecContext(t.Context(), `DELETE FROM k6_runs`); err == nil {
		t.Error("a reader wrote")
	}
}

func TestReopenKeepsEverything(t *testing.T) {
	cfg := sqlite.Config{Path: filepath.Join(t.TempDir(), "broadside.db")}
	first, err := sqlite.Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	target := fleet.NewTarget()
	target.URL = "https://user:secret@example.org/"
	target, err = first.CreateTarget(t.Context(), target, time.UnixMilli(1))
	if err != nil {
		t.Fatal(err)
	}
	if err := first.EndRun(t.Context(), run(1), time.UnixMilli(2)); err != nil {
		t.Fatal(err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(cfg.Path + "-wal"); !os.IsNotExist(err) {
		t.Errorf("the write-ahead log after Close: %v; want it folded into the file", err)
	}
	second := open(t, cfg)
	if got, err := second.Target(t.Context(), target.ID); err != nil || got.URL != target.URL {
		t.Errorf("target %+v, %v", got, err)
	}
	if err := second.EndRun(t.Context(), run(2), time.UnixMilli(3)); err != nil {
		t.Error(err)
	}
	if runs, _, err := second.Runs(t.Context(), fleet.RunFilter{}, "", 10); err != nil || len(runs) != 2 || runs[1].ID != run(1).ID {
		t.Errorf("runs %+v, %v; want both, the old one last", runs, err)
	}
}

// seed stores n finished runs of an agent in one transaction.
func seed(t testing.TB, s *sqlite.Store, n int, targets, agentID string) {
	t.Helper()
	if _, err := s.Writer().Exec(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $1)
INSERT INTO k6_runs (id, target_id, target_label, agent_id, agent_name, status, verdict, error_message, started_at, ended_at,
	received_at, result_at, deadline_at, spec, p50_ms, p95_ms, p99_ms, avg_ms, error_rate, rps, data_received_bytes, iterations,
	requests, failures, data_sent_bytes, iterations_interrupted, min_ms, max_ms, vus_max, duration_s)
SELECT printf('01940000-0000-7000-8000-%012d', i), printf($2, i % 20), 'Example', nullif($3, ''), 'a', 'done',
	CASE WHEN i % 1000 = 0 THEN 'threshold_failed' ELSE 'ok' END, 'Fine.', i, i, i, i, 0,
	'{"url":"https://example.org/","vus":10,"durationS":30,"runIntervalMs":60000,"method":"GET","headers":{},"secretHeaders":[]}',
	10.5, 20.25, 30.125, 12.5, 0.01, 333.3, 123456, 3000, 3000, 30, 2345, 0, 1.5, 99.5, 10, 30.01 FROM n`, n, targets, agentID); err != nil {
		t.Fatal(err)
	}
}

func TestDeletedTargetForgetsItsSecrets(t *testing.T) {
	s := openNew(t)
	target := fleet.NewTarget()
	target.URL, target.Body = "https://user:s3cret@example.org/", "s3cret body"
	target.Headers = map[string]string{"Authorization": "s3cret"}
	target, err := s.CreateTarget(t.Context(), target, time.UnixMilli(1))
	if err != nil {
		t.Fatal(err)
	}
	spec := func() (text string) {
		if err := s.Reader().QueryRow(`SELECT spec FROM k6_targets WHERE id = $1`, target.ID).Scan(&text); err != nil {
			t.Fatal(err)
		}
		return text
	}
	if n := strings.Count(spec(), "s3cret"); n != 3 {
		t.Fatalf("%d secrets stored; want 3", n)
	}
	if err := s.DeleteTarget(t.Context(), target.ID, 0, time.UnixMilli(2)); err != nil {
		t.Fatal(err)
	}
	if text := spec(); strings.Contains(text, "s3cret") {
		t.Errorf("still there: %s", text)
	}
}

//go:build integration && linux

package main

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nollagluiz/broadside/fleet"
	"github.com/nollagluiz/broadside/summary"
)

// fakeK6 is a k6 that keeps its script and gives what k6 2.2.0 gave. It returns the paths of both.
func fakeK6(t *testing.T) (binary, script string) {
	t.Helper()
	recorded, err := filepath.Abs("../../testdata/k6-2.2.0/plain.flat-p99.json")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	binary, script = filepath.Join(dir, "k6"), filepath.Join(dir, "script.js")
	text := fmt.Sprintf("#!/bin/sh\nPATH=/usr/bin:/bin\nif [ \"$1\" = version ]; then echo 'k6 v2.2.0'; exit; fi\ncat > %[1]s.$$\nmv %[1]s.$$ %[1]s\ncat %[2]s\n", script, recorded)
	if err := os.WriteFile(binary, []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
	return binary, script
}

// A target's script goes to the agent's k6 as it is, and k6's numbers come back, marked; an agent that can't run one says
// so at once, by the verdict and by its heartbeat.
func TestScriptsOfTargets(t *testing.T) {
	const script = "export default function () { /* \u00e9, \"quotes\" & <tags> */ }\n"
	binary, kept := fakeK6(t)
	locked := filepath.Join(t.TempDir(), "k6")
	if err := os.WriteFile(locked, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		name    string
		environ []string
		engine  string
		verdict summary.Verdict
		message string // a part of it
		k6      string // a part of what the agent says of its k6
	}{
		{"a k6", []string{"K6_BINARY=" + binary}, fleet.EngineK6, summary.OK, "21677 requests", "2.2.0"},
		{"always k6", []string{"ENGINE=exec", "K6_BINARY=" + binary}, fleet.EngineK6, summary.OK, "21677 requests", "2.2.0"},
		{"none there", []string{"K6_BINARY=/nowhere/k6"}, "", summary.Error, "/nowhere/k6", "/nowhere/k6"},
		{"not executable", []string{"K6_BINARY=" + locked}, "", summary.Error, "execut", "execut"},
		{"none wanted", []string{"ENGINE=embedded", "K6_BINARY=" + binary}, "", summary.Error, "ENGINE=embedded", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			_, base := upOn(t, "127.0.0.1:0", t.TempDir(), nil, append(tc.environ, "HEARTBEAT_INTERVAL_MS=500")...)
			var target fleet.Target
			body := map[string]any{"url": "http://127.0.0.1:1/", "vus": 3, "durationS": 2, "script": script}
			if status := call(t, http.MethodPost, base+"/api/admin/k6/targets", body, &target); status != http.StatusCreated || target.Script != fleet.Hidden {
				t.Fatalf("status %d, script %q; want 201 and ***", status, target.Script)
			}
			var run fleet.Run
			eventually(t, 30*time.Second, "a run has ended", func() bool {
				runs := allRuns(t, base, "&target="+target.ID)
				if len(runs) > 0 {
					run = runs[0]
				}
				return run.EndedAt != nil
			})
			if run.Verdict != tc.verdict || run.Engine != tc.engine || !strings.Contains(run.Message, tc.message) || run.Spec.Script != fleet.Hidden {
				t.Errorf("run %+v; want %s by %q, with %q", run, tc.verdict, tc.engine, tc.message)
			}
			if tc.engine == fleet.EngineK6 {
				if text, err := os.ReadFile(kept); err != nil || string(text) != script {
					t.Errorf("k6 got %q, %v; want the script as it is", text, err)
				}
				if m := run.Metrics; m == nil || m.Requests != 21677 || m.P99 == nil || *m.P99 != 1.260750120000011 {
					t.Errorf("metrics %+v; want k6's own", m)
				}
				if page := curl(t, base+"/agents/k6/runs/"+run.ID); !strings.Contains(page, "k6") {
					t.Errorf("the run's page does not say k6:\n%.2000s", page)
				}
			}
			eventually(t, 15*time.Second, "a heartbeat tells of k6", func() bool {
				var agents struct{ Items []fleet.Agent }
				call(t, http.MethodGet, base+"/api/dashboard/k6/agents", nil, &agents)
				if len(agents.Items) != 1 {
					return false
				}
				k6 := agents.Items[0].K6
				if tc.k6 == "" {
					return k6 == nil
				}
				return k6 != nil && strings.Contains(k6.Version+k6.Error, tc.k6)
			})
		})
	}
}

package agent

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nollagluiz/broadside/fleet"
	"github.com/nollagluiz/broadside/plan"
	"github.com/nollagluiz/broadside/summary"
)

// acked counts the heartbeats that acknowledge an order.
func (d *dashboard) acked(id string) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	n := 0
	for _, h := range d.heartbeats {
		if slices.Contains(h.Acked, id) {
			n++
		}
	}
	return n
}

func long(id string) fleet.Target {
	t := site(id)
	t.DurationS, t.RunIntervalMs = 3600, 3_600_000
	return t
}

func TestAbort(t *testing.T) {
	inWorld(t, func(d *dashboard, _ *Config) {
		d.poll.Targets = []fleet.Target{long("a"), long("b")}
	}, func(w *world) {
		w.sleep(20 * time.Second)
		var id string
		for _, r := range w.d.started() {
			if r.TargetID == "a" {
				id = r.ID
			}
		}
		w.d.with(func(d *dashboard) { d.poll.Abort = []string{id, "a run of another agent"} })
		w.sleep(6 * time.Second)
		got := w.d.results()
		if len(got) != 1 || got[0].ID != id || got[0].Status != fleet.RunAborted || got[0].Verdict != summary.Aborted || got[0].Metrics == nil {
			t.Fatalf("results %+v; want the aborted run with what it measured", got)
		}
		if got[0].Message != fmt.Sprintf("The run was aborted after %d requests: somebody asked for it.", got[0].Metrics.Requests) {
			t.Errorf("message %q", got[0].Message)
		}
		w.sleep(time.Minute)
		if n := len(w.d.results()); n != 1 {
			t.Errorf("%d results; want the other run to go on", n)
		}
	})
}

// Field report 48: a stop ends all load within a poll, is acknowledged once no run is left, and holds until it is lifted.
func TestStop(t *testing.T) {
	inWorld(t, func(d *dashboard, _ *Config) {
		d.poll.Targets = []fleet.Target{long("a"), long("b")}
	}, func(w *world) {
		w.sleep(20 * time.Second)
		w.d.with(func(d *dashboard) { d.poll.Stop, d.poll.StopID = true, "stop-1" })
		w.sleep(6 * time.Second)
		got := w.d.results()
		if len(got) != 2 || got[0].Status != fleet.RunAborted || !strings.Contains(got[0].Message, "all load was stopped") {
			t.Fatalf("results %+v; want both runs aborted", got)
		}
		if w.d.acked("stop-1") == 0 {
			t.Error("the stop is not acknowledged within a poll")
		}
		// A dashboard that restarts may have forgotten: each heartbeat says it again.
		before := w.d.acked("stop-1")
		w.sleep(2 * time.Minute)
		if w.d.acked("stop-1") < before+3 {
			t.Error("the stop is not acknowledged again")
		}
		w.sleep(3 * time.Hour)
		if n := len(w.d.started()); n != 2 {
			t.Errorf("%d runs; want none started under the stop", n)
		}
		if s := w.agent.runs.skips(); s != (fleet.Skipped{}) {
			t.Errorf("skipped %+v; a stopped agent skips nothing", s)
		}
		w.d.with(func(d *dashboard) { d.poll.Stop, d.poll.StopID = false, "" })
		w.sleep(10 * time.Second)
		if n := len(w.d.started()); n != 4 {
			t.Errorf("%d runs; want both targets started anew soon after the stop was lifted", n)
		}
	})
}

// A stop is acknowledged when load has ended, not when it was heard.
func TestStopIsNotAcknowledgedEarly(t *testing.T) {
	release := make(chan struct{})
	inWorld(t, func(d *dashboard, c *Config) {
		release = make(chan struct{})
		d.poll.Targets = []fleet.Target{long("a")}
		c.Runner = func(ctx context.Context, p plan.Plan, _ func(summary.Snapshot)) (summary.Outcome, error) {
			<-release
			return summary.Judge(fakeSummary(time.Second), true), nil
		}
	}, func(w *world) {
		w.sleep(10 * time.Second)
		w.d.with(func(d *dashboard) { d.poll.Stop, d.poll.StopID = true, "stop-1" })
		w.sleep(time.Minute)
		if w.d.acked("stop-1") != 0 {
			t.Error("acknowledged while a run goes on")
		}
		if h := w.d.lastHeartbeat(); h.Status != fleet.AgentStopping || len(h.CurrentRunIDs) != 1 {
			t.Errorf("heartbeat %+v; want stopping, with its run", h)
		}
		close(release)
		w.sleep(time.Second)
		if w.d.acked("stop-1") != 1 {
			t.Error("not acknowledged at once when the run ended")
		}
	})
}

func TestRunOrder(t *testing.T) {
	inWorld(t, func(d *dashboard, _ *Config) {
		off := site("a")
		off.Enabled = false
		d.poll.Run = []fleet.RunOrder{{ID: "order-1", Target: off}}
	}, func(w *world) {
		w.sleep(2 * time.Second)
		if n := len(w.d.started()); n != 1 {
			t.Fatalf("%d runs; want the ordered one at once, though its target is disabled", n)
		}
		if w.d.acked("order-1") != 1 {
			t.Error("the order is not acknowledged at once")
		}
		w.sleep(10 * time.Minute)
		if n := len(w.d.results()); n != 1 {
			t.Errorf("%d runs; want 1, though the order is still given", n)
		}
		// It is still given, so the dashboard may not have kept the acknowledgement.
		if w.d.acked("order-1") < 10 {
			t.Error("an order that is still given is not acknowledged again")
		}
		w.d.with(func(d *dashboard) { d.poll.Run = nil })
		w.sleep(time.Minute)
		before := w.d.acked("order-1")
		w.sleep(5 * time.Minute)
		if w.d.acked("order-1") != before {
			t.Error("acknowledged though nobody asks")
		}
	})
}

// An order that finds no room is acknowledged, counted and, unless the run in its way shows anyhow, reported.
func TestRunOrderRefused(t *testing.T) {
	for _, tc := range []struct {
		name    string
		set     func(*dashboard, *Config)
		order   fleet.Target
		message string // of the reported error; "" is none
	}{
		{"overlap", func(*dashboard, *Config) {}, site("a"), ""},
		{"no slot", func(_ *dashboard, c *Config) { c.MaxConcurrentRuns = 1 }, site("b"),
			"The ordered run was not started: the agent makes at most 1 runs at once (MAX_CONCURRENT_RUNS)."},
		{"VU limit", func(_ *dashboard, c *Config) { c.VULimit = NewVULimit(3) }, site("b"),
			"The ordered run was not started: 2 more VUs would pass the limit of 3 (MAX_VUS)."},
		{"VU limit, by its options", func(_ *dashboard, c *Config) { c.VULimit = NewVULimit(30) }, shaped("b"),
			"The ordered run was not started: 40 more VUs would pass the limit of 30 (MAX_VUS)."},
		{"stopped", func(d *dashboard, _ *Config) { d.poll.Stop = true }, site("b"),
			"The ordered run was not started: all load was stopped."},
		{"invalid", func(*dashboard, *Config) {}, func() fleet.Target { t := site("b"); t.VUs = 0; return t }(),
			"The target can't be run: vus: must be 1 to 10000, not 0."},
	} {
		t.Run(tc.name, func(t *testing.T) {
			inWorld(t, func(d *dashboard, c *Config) {
				d.poll.Targets = []fleet.Target{long("a")}
				tc.set(d, c)
			}, func(w *world) {
				w.sleep(10 * time.Second)
				w.d.with(func(d *dashboard) { d.poll.Run = []fleet.RunOrder{{ID: "order-1", Target: tc.order}} })
				w.sleep(10 * time.Minute)
				if w.d.acked("order-1") == 0 {
					t.Error("the order is not acknowledged")
				}
				got := w.d.results()
				if tc.message == "" {
					if len(got) != 0 || w.agent.runs.skips().Overlap != 1 {
						t.Errorf("results %+v, skipped %+v; want a counted overlap alone", got, w.agent.runs.skips())
					}
					return
				}
				if len(got) != 1 || got[0].Status != fleet.RunError || got[0].Verdict != summary.Error || got[0].Message != tc.message || got[0].Metrics != nil {
					t.Errorf("results %+v; want one error %q", got, tc.message)
				}
			})
		})
	}
}

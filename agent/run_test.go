package agent

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/nollagluiz/broadside/fleet"
	"github.com/nollagluiz/broadside/plan"
	"github.com/nollagluiz/broadside/summary"
)

// A signal interrupts iterations at once, sends results, deregisters, all within 5 s.
func TestShutdown(t *testing.T) {
	hang := func(ctx context.Context, _ plan.Plan, _ func(summary.Snapshot)) (summary.Outcome, error) {
		<-ctx.Done()
		time.Sleep(3 * time.Second)
		return summary.Judge(fakeSummary(time.Second), true), nil
	}
	for _, tc := range []struct {
		name    string
		set     func(*dashboard, *Config)
		down    bool
		hangs   bool
		least   time.Duration
		most    time.Duration
		results int
		message string
		goodbye bool
	}{
		{name: "runs end at once", most: 100 * time.Millisecond, results: 1, goodbye: true,
			message: "requests: the agent was shut down."},
		{name: "a run that does not let go", set: func(_ *dashboard, c *Config) { c.Runner = hang },
			least: 2 * time.Second, most: 3 * time.Second, results: 1, goodbye: true,
			message: "The run did not stop in time when the agent was shut down; what it measured is lost."},
		{name: "the dashboard is down", down: true, least: 4 * time.Second, most: 5 * time.Second},
		{name: "the dashboard hangs", hangs: true, least: 4 * time.Second, most: 5 * time.Second},
	} {
		t.Run(tc.name, func(t *testing.T) {
			inWorld(t, func(d *dashboard, c *Config) {
				d.poll.Targets = []fleet.Target{long("a")}
				if tc.set != nil {
					tc.set(d, c)
				}
			}, func(w *world) {
				w.sleep(11 * time.Second)
				if tc.down {
					w.d.crash(w.transport)
				}
				if tc.hangs {
					w.d.with(func(d *dashboard) { d.hangs = true })
					w.transport.CloseIdleConnections()
				}
				if took := w.stop(); took < tc.least || took > tc.most {
					t.Errorf("took %v; want %v to %v", took, tc.least, tc.most)
				}
				got := w.d.results()
				if len(got) != tc.results {
					t.Fatalf("%d results; want %d", len(got), tc.results)
				}
				for _, r := range got {
					if r.Status != fleet.RunAborted || r.Verdict != summary.Aborted || !strings.HasSuffix(r.Message, tc.message) {
						t.Errorf("result %s, %s, %q; want %q", r.Status, r.Verdict, r.Message, tc.message)
					}
				}
				if (len(w.d.goodbyes) == 1) != tc.goodbye {
					t.Errorf("%d goodbyes", len(w.d.goodbyes))
				}
				if !tc.goodbye && !strings.Contains(w.log.String(), "results are lost") {
					t.Error("the loss is not in the log")
				}
				w.sleep(10 * time.Second) // the run that did not let go ends, and is not reported again
				if n := w.d.named("end", w.booted); n != tc.results {
					t.Errorf("%d results sent; want %d", n, tc.results)
				}
			})
		})
	}
}

// What was spooled while the dashboard was down is sent before the agent goes.
func TestShutdownFlushesTheSpool(t *testing.T) {
	inWorld(t, func(d *dashboard, _ *Config) {
		d.poll.Targets = []fleet.Target{brisk("a")}
	}, func(w *world) {
		w.sleep(time.Minute)
		w.d.crash(w.transport)
		w.sleep(10 * time.Minute)
		w.d.up()
		waiting := w.agent.spool.state().Results
		before := len(w.d.results())
		w.stop()
		if n := len(w.d.results()) - before; waiting < 50 || n < waiting {
			t.Errorf("%d of %d spooled results were sent", n, waiting)
		}
	})
}

// An agent that is stopped before it could register goes at once.
func TestShutdownBeforeRegister(t *testing.T) {
	inWorld(t, func(d *dashboard, _ *Config) { d.down = true }, func(w *world) {
		w.sleep(time.Hour)
		if took := w.stop(); took > time.Second {
			t.Errorf("took %v", took)
		}
	})
}

// Field report 59: each run that is not ok says why, in a sentence; a crash is a result, not a dead agent.
func TestRunsThatFail(t *testing.T) {
	for _, tc := range []struct {
		name    string
		run     Runner
		message string
	}{
		{"panic", func(context.Context, plan.Plan, func(summary.Snapshot)) (summary.Outcome, error) {
			panic("index out of range")
		},
			"The run crashed inside the agent: index out of range."},
		{"panic with a secret", func(_ context.Context, p plan.Plan, _ func(summary.Snapshot)) (summary.Outcome, error) {
			panic("dial " + p.Scenarios[0].Request.URL)
		}, "The run crashed inside the agent: dial http://***@site.test/."},
		{"error", func(context.Context, plan.Plan, func(summary.Snapshot)) (summary.Outcome, error) {
			return summary.Outcome{}, errors.New("no descriptors left, hunter2 said")
		}, "No descriptors left, *** said."},
		{"no verdict", func(context.Context, plan.Plan, func(summary.Snapshot)) (summary.Outcome, error) {
			return summary.Outcome{}, nil
		}, "The engine gave no verdict."},
		{"no reason", func(context.Context, plan.Plan, func(summary.Snapshot)) (summary.Outcome, error) {
			return summary.Outcome{Verdict: summary.Error}, nil
		}, "The engine gave no reason."},
		{"lost", func(context.Context, plan.Plan, func(summary.Snapshot)) (summary.Outcome, error) {
			return summary.Outcome{Verdict: summary.Lost, Message: "It went away."}, nil
		}, "The engine lost the run: It went away."},
	} {
		t.Run(tc.name, func(t *testing.T) {
			inWorld(t, func(d *dashboard, c *Config) {
				a := brisk("a")
				a.URL = "http://user:hunter2@site.test/"
				d.poll.Targets = []fleet.Target{a}
				c.Runner = tc.run
			}, func(w *world) {
				w.sleep(time.Minute)
				got := w.d.results()
				if len(got) < 5 || len(got) > 7 {
					t.Fatalf("%d results in a minute; want one each 10 s", len(got))
				}
				for _, r := range got {
					if r.Status != fleet.RunError || r.Verdict != summary.Error || r.Message != tc.message || r.Metrics != nil {
						t.Errorf("result %s, %s, %q; want %q", r.Status, r.Verdict, r.Message, tc.message)
					}
				}
				if strings.Contains(w.log.String(), "hunter2") {
					t.Errorf("the log holds the password:\n%s", w.log)
				}
			})
		})
	}
}

// Field report 38: a target that can't be run is reported once for each edit, however short its interval, and never
// tried in a storm.
func TestInvalidTarget(t *testing.T) {
	for _, tc := range []struct {
		name    string
		spoil   func(*fleet.Target)
		message string
	}{
		{"no VUs", func(t *fleet.Target) { t.VUs = 0 }, "vus: must be 1 to 10000, not 0"},
		{"no duration", func(t *fleet.Target) { t.DurationS = 0 }, "durationS: must be 1 to 86400, not 0"},
		{"no interval", func(t *fleet.Target) { t.RunIntervalMs = 0 }, "runIntervalMs: must be 1000 to 31622400000, not 0"},
		{"no scheme", func(t *fleet.Target) { t.URL = "site.test" }, "url: needs a scheme"},
		{"no statuses", func(t *fleet.Target) { t.ExpectedStatuses = "none" }, "expectedStatuses"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			inWorld(t, func(d *dashboard, _ *Config) {
				bad := brisk("bad")
				tc.spoil(&bad)
				d.poll.Targets = []fleet.Target{bad, brisk("good")}
			}, func(w *world) {
				w.sleep(time.Hour)
				var bad []fleet.RunEnd
				for _, r := range w.d.results() {
					if r.TargetID == "bad" {
						bad = append(bad, r)
					}
				}
				if len(bad) != 1 || bad[0].Status != fleet.RunError || bad[0].Verdict != summary.Error || !strings.Contains(bad[0].Message, tc.message) {
					t.Fatalf("results %+v; want one error with %q", bad, tc.message)
				}
				if n := len(w.d.results()); n < 350 {
					t.Errorf("%d results; the good target should have run each 10 s", n)
				}
				w.d.with(func(d *dashboard) {
					d.poll.Targets[0] = brisk("bad")
					d.poll.Targets[0].Revision = 2
				})
				w.sleep(20 * time.Second)
				if starts := w.startsOf("bad"); len(starts) < 2 {
					t.Error("the target does not run though it was mended")
				}
			})
		})
	}
}

// The original dashboard's targets hold few fields; the rest have their defaults, K6_VUS and K6_DURATION among them.
func TestTargetDefaults(t *testing.T) {
	a := &Agent{cfg: Config{DefaultVUs: 7, DefaultDuration: 9 * time.Second}}
	p, err := a.readPoll([]byte(`{"targets":[{"id":"a","url":"http://site.test","enabled":true},{"id":"b","vus":3,"durationS":4}],"run":[{"id":"o","target":{"id":"c"}}]}`))
	if err != nil || len(p.Targets) != 2 || len(p.Run) != 1 {
		t.Fatalf("%+v, %v", p, err)
	}
	if a := p.Targets[0]; a.VUs != 7 || a.DurationS != 9 || a.Method != "GET" || a.ExpectedStatuses != "200-399" || a.Validate() != nil {
		t.Errorf("a: %+v, %v", a, a.Validate())
	}
	if b := p.Targets[1]; b.VUs != 3 || b.DurationS != 4 {
		t.Errorf("b: %+v", b)
	}
	if c := p.Run[0].Target; c.VUs != 7 {
		t.Errorf("c: %+v", c)
	}
	if _, err := a.readPoll([]byte(`[]`)); err == nil {
		t.Error("a list is no poll")
	}
}

// A Runner of one's own can't make a green run of nothing.
func TestOKWithoutRequests(t *testing.T) {
	inWorld(t, func(d *dashboard, c *Config) {
		d.poll.Targets = []fleet.Target{brisk("a")}
		c.Runner = func(context.Context, plan.Plan, func(summary.Snapshot)) (summary.Outcome, error) {
			return summary.Outcome{Summary: summary.New(time.Now()), Verdict: summary.OK, Message: "fine"}, nil
		}
	}, func(w *world) {
		w.sleep(15 * time.Second)
		if got := w.d.results(); len(got) == 0 || got[0].Verdict != summary.NoRequests || got[0].Message != "Not one request was made." {
			t.Errorf("results %+v; want the verdict no_requests", got)
		}
	})
}

package agent

import (
	"testing"
	"time"

	"github.com/sirupsen/logrus"

	"github.com/nollagluiz/broadside/fleet"
	"github.com/nollagluiz/broadside/summary"
)

// clockError is what the milliseconds of the wire take from two times of the server's clock.
const clockError = 2 * time.Millisecond

func TestFirstRun(t *testing.T) {
	inWorld(t, func(d *dashboard, _ *Config) {
		d.skew = 3*time.Hour + 7*time.Second // the agent's clock is far off
		d.poll.Targets = []fleet.Target{site("a")}
	}, func(w *world) {
		w.sleep(40 * time.Second)
		got := w.d.results()
		if len(got) != 1 {
			t.Fatalf("%d results in 40 s of a 30 s run; want 1\n%s", len(got), w.log)
		}
		r := got[0]
		// A first run begins within startSpread and the spread of a lone agent.
		if at := r.StartedAt.Add(-w.d.skew).Sub(w.booted); at < 0 || at > 2600*time.Millisecond {
			t.Errorf("began %v after the boot; want at most 2.5 s", at)
		}
		if took := r.EndedAt.Sub(r.StartedAt.Time); took != 30*time.Second {
			t.Errorf("took %v; want 30 s", took)
		}
		if r.Status != fleet.RunDone || r.Verdict != summary.OK || r.Agent != "k6agent-0" || r.TargetID != "a" {
			t.Errorf("result %+v", r)
		}
		if m := r.Metrics; m == nil || m.Requests != 30 || m.RPS != 1 || *m.P95 != 10 || *m.ErrorRate != 0 || m.DataReceivedBytes != 3000 {
			t.Errorf("metrics %+v", m)
		}
		if _, ok := w.d.started()[r.ID]; !ok {
			t.Error("the run's start was not reported")
		}
	})
}

// A slot counts from the start of the run, and each is at a multiple of the interval by the server's clock.
func TestRunsAreAnIntervalApart(t *testing.T) {
	inWorld(t, func(d *dashboard, _ *Config) {
		d.poll.Targets = []fleet.Target{site("a")}
	}, func(w *world) {
		w.sleep(10 * time.Minute)
		starts := w.startsOf("a")
		if len(starts) < 9 || len(starts) > 10 {
			t.Fatalf("%d runs in 10 minutes at one each minute; want 9 or 10", len(starts))
		}
		if gap := starts[1] - starts[0]; gap < 30*time.Second || gap > 90*time.Second {
			t.Errorf("the second came %v after the first; want half an interval to one and a half", gap)
		}
		for i := 2; i < len(starts); i++ {
			if gap := starts[i] - starts[i-1]; (gap - time.Minute).Abs() > clockError {
				t.Errorf("run %d came %v after the one before; want 1m0s", i, gap)
			}
		}
	})
}

func TestPollUsesTheETag(t *testing.T) {
	inWorld(t, func(d *dashboard, _ *Config) {
		d.poll.Targets = []fleet.Target{site("a")}
	}, func(w *world) {
		w.sleep(time.Minute)
		w.d.with(func(d *dashboard) { d.poll.Targets[0].Label = "new"; d.poll.Targets[0].Revision++ })
		w.sleep(time.Minute)
		w.stop()
		full, unchanged := 0, 0
		for _, c := range w.d.calls {
			switch {
			case c.name != "poll":
			case c.status == 304:
				unchanged++
			default:
				full++
			}
		}
		if full != 2 || unchanged < 18 || unchanged > 24 {
			t.Errorf("%d full answers and %d unchanged in 2 minutes; want 2 and about 22", full, unchanged)
		}
	})
}

func TestIntervals(t *testing.T) {
	for _, tc := range []struct {
		name           string
		askedMs        [2]int64      // of polls and heartbeats
		poll, beat     time.Duration // own
		polls, beats10 [2]int        // least and most in 10 minutes
	}{
		{"the dashboard's", [2]int64{5000, 30_000}, 0, 0, [2]int{108, 122}, [2]int{18, 22}},
		{"the dashboard's are long", [2]int64{60_000, 7_200_000}, 0, 0, [2]int{9, 12}, [2]int{1, 2}},
		{"own are longer", [2]int64{5000, 30_000}, 20 * time.Second, 60 * time.Second, [2]int{27, 32}, [2]int{9, 12}},
		{"own are shorter", [2]int64{5000, 30_000}, time.Second, time.Second, [2]int{108, 122}, [2]int{18, 22}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			inWorld(t, func(d *dashboard, c *Config) {
				d.pollMs, d.beatMs = tc.askedMs[0], tc.askedMs[1]
				c.PollInterval, c.HeartbeatInterval = tc.poll, tc.beat
			}, func(w *world) {
				w.sleep(10 * time.Minute)
				if n := w.d.named("poll", w.booted); n < tc.polls[0] || n > tc.polls[1] {
					t.Errorf("%d polls in 10 minutes; want %v", n, tc.polls)
				}
				if n := w.d.named("heartbeat", w.booted); n < tc.beats10[0] || n > tc.beats10[1] {
					t.Errorf("%d heartbeats in 10 minutes; want %v", n, tc.beats10)
				}
			})
		})
	}
}

// stall is a log that stands still for a while when a start is skipped, as a process does that gets no processor.
type stall struct{ once time.Duration }

func (s *stall) Levels() []logrus.Level { return logrus.AllLevels }
func (s *stall) Fire(e *logrus.Entry) error {
	if e.Message == "a start is skipped" {
		time.Sleep(s.once)
		s.once = 0
	}
	return nil
}

// Slots that pass while the agent stands still are counted, and not made up when it goes on.
func TestMissedSlotsAreCounted(t *testing.T) {
	inWorld(t, func(d *dashboard, c *Config) {
		a := brisk("a")
		a.DurationS = 15 // overlaps itself, so a start is skipped
		d.poll.Targets = []fleet.Target{a}
		c.Log.(*logrus.Logger).AddHook(&stall{5 * time.Minute})
	}, func(w *world) {
		w.sleep(10 * time.Minute)
		s := w.agent.runs.skips()
		if s.NoSlot < 28 || s.NoSlot > 31 {
			t.Errorf("skipped %+v; want the 30 slots of 5 minutes without a processor", s)
		}
		if n := len(w.startsOf("a")); n < 14 || n > 18 {
			t.Errorf("%d runs; want one each 20 s of the other 5 minutes", n)
		}
	})
}

// Field report 55: an edit lets the run finish as it was, and the next one has the new settings.
func TestEdit(t *testing.T) {
	inWorld(t, func(d *dashboard, _ *Config) {
		d.poll.Targets = []fleet.Target{site("a")}
	}, func(w *world) {
		w.sleep(20 * time.Second)
		w.d.with(func(d *dashboard) {
			d.poll.Targets[0].Label, d.poll.Targets[0].DurationS, d.poll.Targets[0].Revision = "edited", 5, 2
		})
		w.sleep(20 * time.Second)
		got := w.d.results()
		if len(got) != 1 || got[0].Spec.Label != "a" || got[0].EndedAt.Sub(got[0].StartedAt.Time) != 30*time.Second {
			t.Fatalf("results %+v; want the first run, whole and under its old label", got)
		}
		w.sleep(2 * time.Minute)
		if got = w.d.results(); len(got) < 2 {
			t.Fatal("the edited target did not run")
		}
		for _, r := range got[1:] {
			if r.Spec.Label != "edited" || r.Spec.Revision != 2 || r.EndedAt.Sub(r.StartedAt.Time) != 5*time.Second {
				t.Errorf("result %+v; want the edited target's", r)
			}
		}
	})
}

func TestEditStartsSoonAgain(t *testing.T) {
	inWorld(t, func(d *dashboard, _ *Config) {
		a := site("a")
		a.DurationS, a.RunIntervalMs = 5, 3_600_000
		d.poll.Targets = []fleet.Target{a}
	}, func(w *world) {
		w.sleep(time.Minute)
		w.d.with(func(d *dashboard) { d.poll.Targets[0].Revision = 2 })
		w.sleep(15 * time.Second)
		if n := len(w.d.results()); n != 2 {
			t.Errorf("%d runs; want the second within a poll and the spread of the edit", n)
		}
	})
}

func TestDisableAndDelete(t *testing.T) {
	for name, change := range map[string]func(*dashboard){
		"disabled": func(d *dashboard) { d.poll.Targets[0].Enabled = false; d.poll.Targets[0].Revision = 2 },
		"deleted":  func(d *dashboard) { d.poll.Targets = nil },
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(d *dashboard, _ *Config) {
				d.poll.Targets = []fleet.Target{site("a")}
			}, func(w *world) {
				w.sleep(10 * time.Second)
				w.d.with(change)
				w.sleep(10 * time.Minute)
				got := w.d.results()
				if len(got) != 1 || got[0].Status != fleet.RunDone {
					t.Fatalf("%d results; want the one run, finished", len(got))
				}
				w.d.with(func(d *dashboard) {
					back := site("a")
					back.Revision = 3
					d.poll.Targets = []fleet.Target{back}
				})
				w.sleep(40 * time.Second)
				if n := len(w.d.results()); n != 2 {
					t.Errorf("%d results after the target came back; want 2", n)
				}
			})
		})
	}
}

// Field report 56: an interval below the duration skips and counts, and never queues.
func TestOverlapIsSkippedAndCounted(t *testing.T) {
	inWorld(t, func(d *dashboard, _ *Config) {
		a := site("a")
		a.DurationS, a.RunIntervalMs = 30, 10_000
		d.poll.Targets = []fleet.Target{a}
	}, func(w *world) {
		w.sleep(10*time.Minute + 15*time.Second)
		starts := w.startsOf("a")
		for i := 1; i < len(starts); i++ {
			if gap := starts[i] - starts[i-1]; gap < 30*time.Second-clockError || gap > 45*time.Second {
				t.Errorf("run %d came %v after the one before; want the next slot after its 30 s", i, gap)
			}
		}
		w.stop()
		if s := w.agent.runs.skips(); s.Overlap < 38 || s.NoSlot != 0 {
			t.Errorf("skipped %+v; want about 40 overlaps of 60 slots", s)
		}
	})
}

func TestSlotsAndVUs(t *testing.T) {
	targets := func(d *dashboard) {
		for _, id := range []string{"a", "b", "c", "d"} {
			d.poll.Targets = append(d.poll.Targets, site(id))
		}
	}
	for _, tc := range []struct {
		name string
		set  func(*Config)
		most int // runs at once
		want func(fleet.Skipped) bool
	}{
		{"two slots", func(*Config) {}, 2, func(s fleet.Skipped) bool { return s.NoSlot > 0 && s.VULimit == 0 }},
		{"six slots", func(c *Config) { c.MaxConcurrentRuns = 6 }, 4, func(s fleet.Skipped) bool { return s == fleet.Skipped{} }},
		{"room for three times two VUs", func(c *Config) { c.MaxConcurrentRuns, c.VULimit = 6, NewVULimit(7) }, 3,
			func(s fleet.Skipped) bool { return s.NoSlot == 0 && s.VULimit > 0 }},
	} {
		t.Run(tc.name, func(t *testing.T) {
			inWorld(t, func(d *dashboard, c *Config) { targets(d); tc.set(c) }, func(w *world) {
				most := 0
				for range 300 {
					w.sleep(time.Second)
					most = max(most, len(w.agent.runs.list()))
				}
				if most != tc.most {
					t.Errorf("at most %d runs at once; want %d", most, tc.most)
				}
				if s := w.agent.runs.skips(); !tc.want(s) {
					t.Errorf("skipped %+v", s)
				}
				w.stop()
				if h := w.agent.cfg.VULimit; h != nil && h.used != 0 {
					t.Errorf("%d VUs are still taken", h.used)
				}
			})
		})
	}
}

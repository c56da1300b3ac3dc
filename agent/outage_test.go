package agent

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/nollagluiz/broadside/fleet"
)

// brisk is a site that runs for 5 s each 10 s.
func brisk(id string) fleet.Target {
	t := site(id)
	t.DurationS, t.RunIntervalMs = 5, 10_000
	return t
}

// Field report 42: a dashboard that is down for minutes, or restarts, loses nothing: the agent goes on by its last poll,
// keeps what it measured and delivers it in order, without registering again.
func TestDashboardDownForMinutes(t *testing.T) {
	inWorld(t, func(d *dashboard, _ *Config) {
		d.poll.Targets = []fleet.Target{brisk("a")}
	}, func(w *world) {
		w.sleep(time.Minute)
		before := len(w.d.results())
		w.d.crash(w.transport)
		w.sleep(10 * time.Minute)
		if n := len(w.d.results()); n != before {
			t.Fatalf("%d results while it was down; want %d", n, before)
		}
		spooled := w.agent.spool.state()
		w.d.up()
		w.sleep(time.Minute)
		starts := w.startsOf("a")
		if n := len(starts); n < 69 || n > 73 {
			t.Errorf("%d results of 12 minutes with a run each 10 s; want about 71 (%d were spooled)", n, spooled.Results)
		}
		for i := 1; i < len(starts); i++ {
			if gap := starts[i] - starts[i-1]; gap <= 0 || gap > 15*time.Second {
				t.Errorf("result %d is of a run %v after the one before; want 10 s", i, gap)
			}
		}
		if s := w.agent.spool.state(); s != (fleet.Spool{}) {
			t.Errorf("spool %+v; want it empty", s)
		}
		if n := w.d.named("register", w.booted); n != 1 {
			t.Errorf("registered %d times; want once", n)
		}
	})
}

// While a dashboard is down it is asked seldom: polls not more often than their interval, the rest backed off to 30 s.
func TestOutageIsNotHammered(t *testing.T) {
	inWorld(t, func(d *dashboard, _ *Config) {
		d.poll.Targets = []fleet.Target{brisk("a")}
	}, func(w *world) {
		w.sleep(time.Minute)
		since := time.Now()
		w.d.with(func(d *dashboard) {
			d.before = func(rw http.ResponseWriter, _ *http.Request) bool {
				problem(rw, http.StatusServiceUnavailable, fleet.Overloaded, "busy")
				return true
			}
		})
		w.sleep(time.Hour)
		polls, beats, puts := w.d.named("poll", since), w.d.named("heartbeat", since), w.d.named("end", since)+w.d.named("start", since)
		if polls < 60 || polls > 400 || beats < 100 || beats > 400 || puts < 100 || puts > 400 {
			t.Errorf("%d polls, %d heartbeats, %d results in an hour; want each 15 s or so", polls, beats, puts)
		}
		w.d.with(func(d *dashboard) { d.before = nil })
		w.sleep(time.Minute)
		if n := len(w.d.results()); n < 360 || w.agent.spool.state().Dropped != 0 {
			t.Errorf("%d results after the hour; want all of about 370", n)
		}
	})
}

func TestRetryAfterIsHonoured(t *testing.T) {
	inWorld(t, func(d *dashboard, _ *Config) {
		d.poll.Targets = []fleet.Target{site("a")}
		d.before = func(rw http.ResponseWriter, r *http.Request) bool {
			if r.Method != http.MethodPut {
				return false
			}
			rw.Header().Set("Retry-After", "120")
			problem(rw, http.StatusServiceUnavailable, fleet.Overloaded, "busy")
			return true
		}
	}, func(w *world) {
		w.sleep(35 * time.Second)
		first := w.d.named("end", w.booted)
		w.sleep(110 * time.Second)
		if n := w.d.named("end", w.booted); first != 1 || n != 1 {
			t.Errorf("%d and %d tries within two minutes; want the first alone", first, n)
		}
		w.sleep(45 * time.Second)
		if n := w.d.named("end", w.booted); n != 2 {
			t.Errorf("%d tries after Retry-After; want 2", n)
		}
	})
}

// An answer that is lost after the dashboard has committed is a result sent twice and stored once.
func TestResultIsResentUntilAcknowledged(t *testing.T) {
	inWorld(t, func(d *dashboard, _ *Config) {
		d.poll.Targets = []fleet.Target{site("a")}
		lost := 0
		d.after = func(r *http.Request) bool {
			if r.Method == http.MethodPut {
				lost++
			}
			return r.Method == http.MethodPut && lost <= 3
		}
	}, func(w *world) {
		w.sleep(50 * time.Second)
		if n := w.d.named("end", w.booted); n != 4 {
			t.Errorf("sent %d times; want 4: three answers were lost", n)
		}
		if n := len(w.d.results()); n != 1 {
			t.Errorf("%d results; want 1", n)
		}
		if s := w.agent.spool.state(); s.Results != 0 {
			t.Errorf("spool %+v; want it empty", s)
		}
	})
}

// A lost start loses nothing: the result repeats it. A start that is overtaken by its result is not sent any more.
func TestLostStart(t *testing.T) {
	inWorld(t, func(d *dashboard, _ *Config) {
		hourly := site("a")
		hourly.RunIntervalMs = 3_600_000
		d.poll.Targets = []fleet.Target{hourly}
		d.before = func(rw http.ResponseWriter, r *http.Request) bool {
			if r.URL.Path != "/api/k6/runs" {
				return false
			}
			problem(rw, http.StatusInternalServerError, "", "broken")
			return true
		}
	}, func(w *world) {
		w.sleep(40 * time.Second)
		got := w.d.results()
		if len(got) != 1 || got[0].TargetID != "a" || got[0].Spec.URL == "" {
			t.Fatalf("results %+v; want the run with its start", got)
		}
		since := time.Now()
		w.sleep(15 * time.Second)
		if n := w.d.named("start", since); n != 0 {
			t.Errorf("the start is still sent, %d times", n)
		}
	})
}

// Field report 58: what a dashboard will not take is counted, sent once more without its bulk, and then left.
func TestRefusedResult(t *testing.T) {
	for _, tc := range []struct {
		status int
		puts   int // of the one result
		all    bool
	}{
		{http.StatusBadRequest, 2, true},
		{http.StatusRequestEntityTooLarge, 2, false},
		{http.StatusUnprocessableEntity, 2, false},
	} {
		t.Run(fmt.Sprint(tc.status), func(t *testing.T) {
			inWorld(t, func(d *dashboard, _ *Config) {
				d.poll.Targets = []fleet.Target{site("a")}
				d.before = func(rw http.ResponseWriter, r *http.Request) bool {
					if r.Method != http.MethodPut || !tc.all && d.namedLocked("end", time.Time{}) > 0 {
						return false
					}
					problem(rw, tc.status, fleet.ValidationFailed, "no")
					return true
				}
			}, func(w *world) {
				w.sleep(50 * time.Second)
				if n := w.d.named("end", w.booted); n != tc.puts {
					t.Errorf("sent %d times; want %d", n, tc.puts)
				}
				got := w.d.results()
				switch {
				case tc.all && len(got) != 0:
					t.Errorf("%d results; want none", len(got))
				case !tc.all && (len(got) != 1 || got[0].Series != nil || got[0].Trends != nil || got[0].Metrics.Requests != 30):
					t.Errorf("results %+v; want one without series and trends", got)
				}
				if s := w.agent.spool.state(); s.Refused != 1 || s.Results != 0 || s.Bytes != 0 {
					t.Errorf("spool %+v; want one refused and nothing left", s)
				}
				if !strings.Contains(w.log.String(), "refused") {
					t.Error("nothing in the log")
				}
			})
		})
	}
}

// A wrong secret is said once and then at most each minute; the agent asks ever more slowly, for ever, and is back as
// soon as the secret is right.
func TestUnauthorized(t *testing.T) {
	inWorld(t, func(d *dashboard, _ *Config) {
		d.secret = "another"
		d.poll.Targets = []fleet.Target{site("a")}
	}, func(w *world) {
		w.sleep(time.Minute)
		if n := w.d.named("", w.booted); n < 3 || n > 25 {
			t.Errorf("%d calls in the first minute; want a handful", n)
		}
		since := time.Now()
		w.sleep(time.Hour)
		if n := w.d.named("register", since); n < 120 || n > 400 || w.d.named("", w.booted) > 425 {
			t.Errorf("%d registers in an hour, %d calls; want one each 15 s or so and nothing else", n, w.d.named("", w.booted))
		}
		if n := strings.Count(w.log.String(), "DASHBOARD_SECRET"); n < 30 || n > 62 {
			t.Errorf("said %d times in an hour; want at most once a minute", n)
		}
		if strings.Contains(w.log.String(), testSecret) {
			t.Error("the log holds the secret")
		}
		w.d.with(func(d *dashboard) { d.secret = testSecret })
		w.sleep(90 * time.Second)
		if n := len(w.d.results()); n == 0 {
			t.Error("no run after the secret was right")
		}
	})
}

// A secret that is taken away while the agent works: the run goes on, its result waits, nothing is hammered or lost.
func TestSecretIsRotatedUnderway(t *testing.T) {
	inWorld(t, func(d *dashboard, _ *Config) {
		d.poll.Targets = []fleet.Target{site("a")}
	}, func(w *world) {
		w.sleep(10 * time.Second)
		w.d.with(func(d *dashboard) { d.secret = "another" })
		since := time.Now()
		w.sleep(10 * time.Minute)
		if n := w.d.named("", w.booted); n > 150 {
			t.Errorf("%d calls in 10 minutes; want two loops that back off", n)
		}
		if n := w.d.named("poll", since); n > 1 {
			t.Errorf("%d polls without a valid secret; want the one that found out", n)
		}
		w.d.with(func(d *dashboard) { d.secret = testSecret })
		w.sleep(time.Minute)
		if got := w.d.results(); len(got) == 0 || got[0].Status != fleet.RunDone {
			t.Errorf("results %+v; want the run that was under way", got)
		}
	})
}

// A dashboard that takes the register and refuses the poll is not hammered either.
func TestUnauthorizedPollAlone(t *testing.T) {
	inWorld(t, func(d *dashboard, _ *Config) {
		d.before = func(rw http.ResponseWriter, r *http.Request) bool {
			if r.Method != http.MethodGet {
				return false
			}
			problem(rw, http.StatusUnauthorized, fleet.Unauthorized, "no")
			return true
		}
	}, func(w *world) {
		w.sleep(10 * time.Minute)
		if n := w.d.named("", w.booted); n < 20 || n > 150 {
			t.Errorf("%d calls in 10 minutes; want two each 15 s or so", n)
		}
	})
}

// Field reports 39, 41: a second live instance of a name is refused, says so, and takes over when the first is gone.
func TestNameInUse(t *testing.T) {
	inWorld(t, func(d *dashboard, _ *Config) {
		d.instances["k6agent-0"] = "another"
		d.poll.Targets = []fleet.Target{site("a")}
	}, func(w *world) {
		w.sleep(10 * time.Minute)
		if n := w.d.named("register", w.booted); n < 10 || n > 31 {
			t.Errorf("%d tries in 10 minutes; want one each 20 s (Retry-After) and a back-off", n)
		}
		if n := strings.Count(w.log.String(), "AGENT_NAME of its own"); n < 5 || n > 11 {
			t.Errorf("said %d times in 10 minutes; want at most once a minute", n)
		}
		if len(w.d.results()) != 0 || w.d.named("poll", w.booted) != 0 {
			t.Error("it worked under another's name")
		}
		w.d.with(func(d *dashboard) { delete(d.instances, "k6agent-0") })
		w.sleep(2 * time.Minute)
		if len(w.d.results()) == 0 {
			t.Error("no run after the name was free")
		}
	})
}

// Field report 41: an agent that comes back to find its name taken stops its load; its result is sent all the same.
func TestReplaced(t *testing.T) {
	inWorld(t, func(d *dashboard, _ *Config) {
		a := site("a")
		a.DurationS = 3600
		d.poll.Targets = []fleet.Target{a}
	}, func(w *world) {
		w.sleep(31 * time.Second)
		w.d.with(func(d *dashboard) { d.instances["k6agent-0"] = "another" })
		w.sleep(45 * time.Second)
		got := w.d.results()
		if len(got) != 1 || got[0].Status != fleet.RunAborted || !strings.Contains(got[0].Message, "another instance") {
			t.Errorf("results %+v; want the run, aborted for the other instance", got)
		}
		since := time.Now()
		w.sleep(10 * time.Minute)
		if w.d.named("poll", since) != 0 || len(w.d.results()) != 1 {
			t.Error("it works on under another's name")
		}
		w.stop()
		if w.d.named("deregister", w.booted) != 0 {
			t.Error("it said goodbye in another's name")
		}
	})
}

// Field report 42: a dashboard that restarts without its memory adopts the agent by its heartbeat; nothing restarts.
func TestDashboardForgotTheAgent(t *testing.T) {
	inWorld(t, func(d *dashboard, _ *Config) {
		d.poll.Targets = []fleet.Target{brisk("a")}
	}, func(w *world) {
		w.sleep(time.Minute)
		w.d.crash(w.transport)
		w.sleep(3 * time.Second)
		w.d.with(func(d *dashboard) { clear(d.instances); clear(d.epochs) })
		w.d.up()
		w.sleep(time.Minute)
		if w.d.holder("k6agent-0") != "first" {
			t.Error("the dashboard does not know the agent again")
		}
		starts := w.startsOf("a")
		for i := 2; i < len(starts); i++ {
			if gap := starts[i] - starts[i-1]; (gap - 10*time.Second).Abs() > clockError {
				t.Errorf("run %d came %v after the one before; want 10s", i, gap)
			}
		}
		if n := w.d.named("register", w.booted); n != 1 || len(starts) < 11 {
			t.Errorf("%d registers and %d runs; want 1 and 12", n, len(starts))
		}
	})
}

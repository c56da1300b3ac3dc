package agent

import (
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/nollagluiz/broadside/fleet"
)

// stranger answers as a proxy before the dashboard does, with a page and a 200.
func stranger(w http.ResponseWriter) bool {
	w.Header().Set("Content-Type", "text/html")
	io.WriteString(w, "<html>maintenance</html>")
	return true
}

// A poll that can't be read changes nothing: the kill switch of the last one holds, also when the next is a 304.
func TestUnreadablePollKeepsTheStop(t *testing.T) {
	inWorld(t, func(d *dashboard, _ *Config) {
		d.poll.Targets = []fleet.Target{site("a")}
	}, func(w *world) {
		w.sleep(10 * time.Second)
		w.d.with(func(d *dashboard) { d.poll.Stop, d.poll.StopID = true, "stop-1" })
		w.sleep(6 * time.Second)
		if !w.agent.orders.stopped() {
			t.Fatal("the stop was not heard")
		}
		w.d.mu.Lock() // not with, which would make the next poll new
		strange := true
		w.d.before = func(rw http.ResponseWriter, r *http.Request) bool {
			return r.URL.Path == "/api/k6/targets" && strange && stranger(rw)
		}
		w.d.mu.Unlock()
		w.sleep(20 * time.Second)
		w.d.mu.Lock()
		strange = false
		w.d.mu.Unlock()
		w.sleep(20 * time.Minute)
		if !w.agent.orders.stopped() {
			t.Error("a page of somebody else's lifted the stop")
		}
	})
}

// Only an answer that names the run acknowledges it.
func TestStrangersAcknowledgeNothing(t *testing.T) {
	inWorld(t, func(d *dashboard, _ *Config) {
		hourly := site("a")
		hourly.RunIntervalMs = 3_600_000
		d.poll.Targets = []fleet.Target{hourly}
		d.before = func(rw http.ResponseWriter, r *http.Request) bool { return r.Method == http.MethodPut && stranger(rw) }
	}, func(w *world) {
		w.sleep(time.Minute)
		if s := w.agent.spool.state(); s.Results == 0 {
			t.Fatal("the result is gone from the spool, and the dashboard never had it")
		}
		w.d.with(func(d *dashboard) { d.before = nil })
		w.sleep(2 * time.Minute)
		if got, s := w.d.results(), w.agent.spool.state(); len(got) != 1 || s.Results != 0 {
			t.Errorf("%d results, spool %+v; want it delivered", len(got), s)
		}
	})
}

// A new session, after a 401 say, starts no target anew: its interval counts from its own last start.
func TestScheduleOutlivesTheSession(t *testing.T) {
	inWorld(t, func(d *dashboard, _ *Config) {
		daily := site("a")
		daily.RunIntervalMs = (24 * time.Hour).Milliseconds()
		d.poll.Targets = []fleet.Target{daily}
	}, func(w *world) {
		w.sleep(10 * time.Minute)
		if n := len(w.d.started()); n != 1 {
			t.Fatalf("%d runs; want the first", n)
		}
		w.d.with(func(d *dashboard) { d.secret = "rotated" })
		w.sleep(5 * time.Minute)
		w.d.with(func(d *dashboard) { d.secret = testSecret })
		since := time.Now()
		w.sleep(30 * time.Minute)
		if w.d.named("register", since) == 0 {
			t.Fatal("there was no new session")
		}
		if n := len(w.d.started()); n != 1 {
			t.Errorf("%d runs of a daily target within an hour; want 1", n)
		}
	})
}

// What the dashboard would not take is cut to the most frequent.
func TestStatusesAreBounded(t *testing.T) {
	many := map[int]int64{}
	for status := 100; status < 1000; status++ {
		many[status] = int64(status)
	}
	got := encodeStatuses(many)
	if len(got) != fleet.MaxStatuses || got["999"] != 999 || got["499"] != 0 || got["500"] != 500 {
		t.Errorf("%d statuses, 999: %d, 500: %d, 499: %d; want the %d most frequent", len(got), got["999"], got["500"], got["499"], fleet.MaxStatuses)
	}
}

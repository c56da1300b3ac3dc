package agent

import (
	"context"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestPulse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p pulse
		check := func(want string) {
			t.Helper()
			err := p.check(time.Now())
			if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
				t.Errorf("check: %v; want %q", err, want)
			}
		}
		check("")
		p.expect(loopPoll, 10*time.Second)
		p.expect(loopSend, time.Hour)
		time.Sleep(10*time.Second + pulseSlack)
		check("")
		time.Sleep(time.Second)
		check("[poll]")
		p.expect(loopPoll, time.Minute)
		check("")
		time.Sleep(2 * time.Hour)
		check("[poll send]")
		p.rest(loopPoll)
		p.rest(loopSend)
		check("")
	})
}

// An agent that works, one whose dashboard is down, and one that is told to wait for long are all healthy.
func TestAgentIsHealthy(t *testing.T) {
	for name, prepare := range map[string]func(*dashboard, *Config){
		"at work":        func(d *dashboard, _ *Config) { d.poll.Targets = append(d.poll.Targets, brisk("a")) },
		"idle":           func(*dashboard, *Config) {},
		"dashboard down": func(d *dashboard, _ *Config) { d.down = true },
		"wrong secret":   func(d *dashboard, _ *Config) { d.secret = "another" },
		"slow polls":     func(d *dashboard, _ *Config) { d.pollMs, d.beatMs = 3_600_000, 3_600_000 },
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, prepare, func(w *world) {
				for range 60 {
					w.sleep(time.Minute)
					if err := w.agent.pulse.check(time.Now()); err != nil {
						t.Fatalf("after %v: %v", time.Since(w.booted), err)
					}
				}
			})
		})
	}
}

func TestServeHealth(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	l.Close()
	if err := CheckHealth(t.Context(), addr); err == nil {
		t.Error("healthy though nobody serves")
	}
	a, err := New(Config{DashboardURL: "http://127.0.0.1:1", Secret: "s", Name: "a", Runner: fakeRun})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- a.serveHealth(ctx, addr) }()
	defer func() {
		cancel()
		if err := <-served; err != nil {
			t.Errorf("serve: %v", err)
		}
	}()
	for deadline := time.Now().Add(10 * time.Second); CheckHealth(t.Context(), addr) != nil; {
		if time.Now().After(deadline) {
			t.Fatal("not healthy within 10 s")
		}
	}
	a.pulse.expect(loopPoll, -time.Hour)
	if err := CheckHealth(t.Context(), addr); err == nil || !strings.Contains(err.Error(), "poll") {
		t.Errorf("check: %v; want the poll loop to hang", err)
	}
	if err := a.serveHealth(ctx, addr); err == nil {
		t.Error("served twice on one address")
	}
}

func TestProcess(t *testing.T) {
	if rss := residentBytes(); rss < 1<<20 || rss > 16<<30 {
		t.Errorf("RSS of %d bytes", rss)
	}
	if n := memoryBytes(); n < 0 {
		t.Errorf("memory of %d bytes", n)
	}
	m := newCPUMeter()
	for began := time.Now(); time.Since(began) < 50*time.Millisecond; {
	}
	if r := m.ratio(); r <= 0 || r > 1000 {
		t.Errorf("%v of a core after a busy 50 ms; want more than nothing", r)
	}
}

package dashboard

import (
	"fmt"
	"sync"
	"testing"
	"time"
)

func TestLimiter(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	fail := func(l *limiter, remote string, n int) {
		for range n {
			l.count(remote, now)
		}
	}
	for _, c := range []struct {
		name   string
		guilty string
		other  string
		want   time.Duration // that the other has to wait
	}{
		{"the same client on another port", "192.0.2.1:1000", "192.0.2.1:2000", failEvery},
		{"another client", "192.0.2.1:1000", "192.0.2.2:1000", 0},
		{"the same IPv6 /64", "[2001:db8::1]:1", "[2001:db8::ffff:2]:1", failEvery},
		{"another IPv6 /64", "[2001:db8::1]:1", "[2001:db8:0:1::1]:1", 0},
		{"IPv4 in IPv6", "[::ffff:192.0.2.1]:1", "192.0.2.1:1", failEvery},
		{"a zone", "[fe80::1%eth0]:1", "[fe80::1]:1", failEvery},
		{"what can't be read is one client", "@", "pipe", failEvery},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := newLimiter()
			fail(l, c.guilty, failBurst-1)
			if got := l.wait(c.guilty, now); got != 0 {
				t.Errorf("within the burst the client waits %v", got)
			}
			fail(l, c.guilty, 20)
			if got := l.wait(c.other, now); got.Round(time.Millisecond) != c.want {
				t.Errorf("the other waits %v; want %v", got, c.want)
			}
			if got := l.wait(c.guilty, now.Add(failEvery)); got != 0 {
				t.Errorf("then the client waits %v", got)
			}
		})
	}
}

// The table is bounded: old failures make room, and when none is old a flood of addresses shares one bucket.
func TestLimiterIsBounded(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	l := newLimiter()
	client := func(i int) string { return fmt.Sprintf("10.%d.%d.%d:1", i>>16, i>>8&255, i&255) }
	for i := range maxClients + 5 {
		l.count(client(i), now)
	}
	if len(l.clients) != maxClients {
		t.Errorf("%d clients; want %d", len(l.clients), maxClients)
	}
	if got := l.wait(client(maxClients+100), now); got != 0 {
		t.Errorf("a newcomer waits %v after 5 failures of all; want 0", got)
	}
	for i := range failBurst {
		l.count(client(maxClients+i), now)
	}
	if got := l.wait(client(maxClients+100), now); got == 0 {
		t.Error("a flood of addresses is not limited")
	}
	if got := l.wait(client(1), now); got != 0 {
		t.Errorf("one that is remembered waits %v", got)
	}
	l.count(client(maxClients+200), now.Add(time.Hour))
	if len(l.clients) != 1 {
		t.Errorf("%d clients after an hour; want the last one", len(l.clients))
	}
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for range 100 {
				l.count(client(i), now)
				l.wait(client(i+1), now)
			}
		})
	}
	wg.Wait()
}

package reaper

import (
	"strings"
	"testing"
	"time"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func resolved(t *testing.T, cfg Config) Config {
	t.Helper()
	cfg.Store = new(fakeStore)
	cfg, err := cfg.resolved()
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

// The four rules of the operations guide, and the retention.
func TestLimits(t *testing.T) {
	for _, c := range []struct {
		name string
		cfg  Config
		want limits
	}{
		{"defaults", Config{}, limits{noon, noon.Add(-5 * time.Minute), noon.Add(-time.Hour), noon.AddDate(0, 0, -30)}},
		{"runs for ever", Config{Retention: -1}, limits{noon, noon.Add(-5 * time.Minute), noon.Add(-time.Hour), time.Time{}}},
		{"others", Config{OfflineAfter: time.Minute, DeleteAfter: 2 * time.Minute, Retention: time.Hour},
			limits{noon, noon.Add(-time.Minute), noon.Add(-2 * time.Minute), noon.Add(-time.Hour)}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := resolved(t, c.cfg).limits(noon); got != c.want {
				t.Errorf("%+v; want %+v", got, c.want)
			}
		})
	}
}

func TestConfigIsChecked(t *testing.T) {
	store := new(fakeStore)
	for _, c := range []struct {
		name, want string
		cfg        Config
	}{
		{"no store", "store", Config{}},
		{"negative interval", "negative", Config{Store: store, Interval: -1}},
		{"negative heartbeat", "negative", Config{Store: store, Heartbeat: -time.Second}},
		{"deleted before offline", "deleted after 1m0s", Config{Store: store, DeleteAfter: time.Minute}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := New(c.cfg); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v; want one about %q", err, c.want)
			}
		})
	}
}

// Fleet lessons: an outage of the dashboard, or a step of its clock by an hour or by 400 days, buries nobody.
func TestHold(t *testing.T) {
	cfg := resolved(t, Config{Interval: 30 * time.Second, Heartbeat: 20 * time.Second})
	const wait = 40 * time.Second // two heartbeats
	running := hold{last: noon, until: noon.Add(-time.Hour)}
	for _, c := range []struct {
		name string
		from hold
		now  time.Time
		want time.Time // held until
	}{
		{"the process has just started", hold{}, noon, noon.Add(wait)},
		{"a sweep as usual", running, noon.Add(30 * time.Second), running.until},
		{"a sweep left out is no gap", running, noon.Add(60 * time.Second), running.until},
		{"a gap", running, noon.Add(61 * time.Second), noon.Add(61*time.Second + wait)},
		{"an outage of two hours", running, noon.Add(2 * time.Hour), noon.Add(2*time.Hour + wait)},
		{"a clock set forward by 400 days", running, noon.AddDate(0, 0, 400), noon.AddDate(0, 0, 400).Add(wait)},
		{"a clock set back by an hour", running, noon.Add(-time.Hour), noon.Add(-time.Hour + wait)},
		{"a clock set back while it holds", hold{noon, noon.Add(wait)}, noon.AddDate(0, 0, -400), noon.AddDate(0, 0, -400).Add(wait)},
		{"a hold goes on", hold{noon, noon.Add(wait)}, noon.Add(30 * time.Second), noon.Add(wait)},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := c.from.next(c.now, cfg)
			if !got.until.Equal(c.want) || !got.last.Equal(c.now) {
				t.Errorf("held until %v, last %v; want %v, %v", got.until, got.last, c.want, c.now)
			}
			if !c.want.After(c.now) == got.closed(c.now) {
				t.Errorf("closed %v at %v, held until %v", got.closed(c.now), c.now, c.want)
			}
			if got.closed(c.want) || !got.closed(c.want.Add(-1)) {
				t.Error("a hold must end at its end, and not before")
			}
		})
	}
}

package reaper

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// fakeStore notes each statement with its limit, as the time before now. old is what retention would delete.
type fakeStore struct {
	log     []string
	offline []string
	gone    []string
	old     int
	fail    map[string]error // by statement
}

func (s *fakeStore) note(statement, detail string) error {
	s.log = append(s.log, strings.TrimSpace(statement+" "+detail))
	return s.fail[statement]
}

func (s *fakeStore) TimeOutRuns(_ context.Context, now time.Time) (int, error) {
	return 2, s.note("timeout", time.Since(now).String())
}

func (s *fakeStore) ClearRunRefs(context.Context) ([]string, error) {
	return []string{"x"}, s.note("clear", "")
}

func (s *fakeStore) MarkOffline(_ context.Context, since time.Time) ([]string, error) {
	return s.offline, s.note("offline", time.Since(since).String())
}

func (s *fakeStore) DeleteAgents(_ context.Context, since time.Time, withRuns bool) ([]string, error) {
	return s.gone, s.note("delete", fmt.Sprint(time.Since(since), withRuns))
}

func (s *fakeStore) DeleteRuns(_ context.Context, before time.Time, limit int) (int, error) {
	n := min(s.old, limit)
	s.old -= n
	return n, s.note("retain", fmt.Sprint(time.Since(before), limit))
}

// newReaper has a flush that is noted as a statement.
func newReaper(t *testing.T, store *fakeStore, cfg Config) *Reaper {
	t.Helper()
	cfg.Store = store
	if cfg.Flush == nil {
		cfg.Flush = func(context.Context) error { return store.note("flush", "") }
	}
	r, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestSweep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &fakeStore{offline: []string{"a", "b", "c"}, gone: []string{"d"}, old: 2500}
		var forgotten []string
		r := newReaper(t, store, Config{CascadeRuns: true, Forget: func(names []string) { forgotten = append(forgotten, names...) }})
		if err := r.Sweep(t.Context(), time.Now()); err != nil {
			t.Fatal(err)
		}
		want := []string{"flush", "timeout 0s", "clear", "offline 5m0s", "delete 1h0m0s true",
			"retain 720h0m0s 1000", "retain 720h0m0s 1000", "retain 720h0m0s 1000"}
		if !slices.Equal(store.log, want) {
			t.Errorf("%q; want %q", store.log, want)
		}
		stats := Stats{RunsTimedOut: 2, RefsCleared: 1, MarkedOffline: 3, AgentsDeleted: 1, RunsDeleted: 2500, LastSuccess: time.Now()}
		if got := r.Stats(); got != stats {
			t.Errorf("%+v; want %+v", got, stats)
		}
		if !slices.Equal(forgotten, []string{"d"}) {
			t.Errorf("forgotten %q; want d", forgotten)
		}
	})
}

func TestSweepLeavesABacklogToTheNext(t *testing.T) {
	store := &fakeStore{old: 150_000}
	r := newReaper(t, store, Config{})
	for _, want := range []int64{100_000, 150_000} {
		if err := r.Sweep(t.Context(), time.Now()); err != nil || r.Stats().RunsDeleted != want {
			t.Errorf("deleted %d, %v; want %d", r.Stats().RunsDeleted, err, want)
		}
	}
}

func TestSweepKeepsRunsForEver(t *testing.T) {
	store := &fakeStore{old: 1}
	r := newReaper(t, store, Config{Retention: -1})
	if err := r.Sweep(t.Context(), time.Now()); err != nil || store.old != 1 {
		t.Errorf("%d runs left, %v; want 1", store.old, err)
	}
}

// Without a flush the store is behind what the dashboard knows: it would bury agents that speak.
func TestSweepNeedsItsFlush(t *testing.T) {
	store, broken := new(fakeStore), errors.New("disk full")
	r := newReaper(t, store, Config{Flush: func(context.Context) error { return broken }})
	if err := r.Sweep(t.Context(), time.Now()); !errors.Is(err, broken) || len(store.log) != 0 || !r.Stats().LastSuccess.IsZero() {
		t.Errorf("error %v, statements %q, stats %+v; want nothing but the flush's error", err, store.log, r.Stats())
	}
}

func TestSweepGoesOnAfterAFailure(t *testing.T) {
	for _, statement := range []string{"timeout", "clear", "offline", "delete", "retain"} {
		t.Run(statement, func(t *testing.T) {
			broken := errors.New("no")
			store := &fakeStore{gone: []string{"d"}, fail: map[string]error{statement: broken}}
			forgotten := 0
			r := newReaper(t, store, Config{Forget: func(names []string) { forgotten += len(names) }})
			err := r.Sweep(t.Context(), time.Now())
			if !errors.Is(err, broken) || len(store.log) != 6 || forgotten != 1 || !r.Stats().LastSuccess.IsZero() {
				t.Errorf("error %v, %d forgotten, statements %q; want all six, and no success", err, forgotten, store.log)
			}
		})
	}
}

// sweeps runs a Reaper for a time, and tells when it swept, counted from its start.
func sweeps(t *testing.T, d time.Duration, cfg Config, during func(sweep int)) []time.Duration {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	defer cancel()
	var at []time.Duration
	began := time.Now()
	cfg.Flush = func(context.Context) error {
		at = append(at, time.Since(began))
		if during != nil {
			during(len(at))
		}
		return nil
	}
	if err := newReaper(t, new(fakeStore), cfg).Run(ctx); err != nil {
		t.Errorf("run: %v", err)
	}
	return at
}

func TestRun(t *testing.T) {
	seconds := func(s ...int) (out []time.Duration) {
		for _, n := range s {
			out = append(out, time.Duration(n)*time.Second)
		}
		return out
	}
	stall := func(sweep int) {
		if sweep == 2 { // the process, not the sweep, stands still: nothing else ran either
			time.Sleep(10 * time.Minute)
		}
	}
	for _, c := range []struct {
		name   string
		d      time.Duration
		cfg    Config
		during func(int)
		want   []time.Duration
	}{
		{"it waits two heartbeats, then sweeps each 30 s", 151 * time.Second, Config{}, nil, seconds(60, 90, 120, 150)},
		{"longer heartbeats, longer wait", 151 * time.Second, Config{Heartbeat: time.Minute}, nil, seconds(120, 150)},
		{"another interval", 35 * time.Second, Config{Interval: 10 * time.Second, Heartbeat: 5 * time.Second}, nil, seconds(10, 20, 30)},
		// The second sweep, at 90 s, ends at 690 s: a gap of ten minutes, so the next one is not before 750 s.
		{"it waits again after a gap", 781 * time.Second, Config{}, stall, seconds(60, 90, 750, 780)},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				if got := sweeps(t, c.d, c.cfg, c.during); !slices.Equal(got, c.want) {
					t.Errorf("swept at %v; want %v", got, c.want)
				}
			})
		})
	}
}

func TestRunReportsAndGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 95*time.Second)
		defer cancel()
		store := &fakeStore{fail: map[string]error{"clear": errors.New("no")}}
		var reported []error
		r := newReaper(t, store, Config{Report: func(err error) { reported = append(reported, err) }})
		if err := r.Run(ctx); err != nil || len(reported) != 2 {
			t.Errorf("run: %v; reported %v; want two failures", err, reported)
		}
	})
}

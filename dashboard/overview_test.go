package dashboard

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestCached(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fetched, broken := 0, errors.New("no")
		var fail error
		took := time.Duration(0)
		c := newCached(2*time.Second, func(context.Context) (int, error) {
			time.Sleep(took)
			fetched++
			return fetched, fail
		})
		get := func(want int) {
			t.Helper()
			if got, err := c.get(t.Context(), time.Now()); err != nil || got != want {
				t.Errorf("%d, %v; want %d", got, err, want)
			}
		}
		get(1)
		time.Sleep(2*time.Second - time.Nanosecond)
		get(1)
		time.Sleep(time.Nanosecond)
		fail = broken
		for range 2 { // an error is not kept
			if _, err := c.get(t.Context(), time.Now()); !errors.Is(err, broken) {
				t.Errorf("error %v; want %v", err, broken)
			}
		}
		fail, took = nil, time.Second
		get(4) // it took a second, so it lives for 20
		time.Sleep(18 * time.Second)
		get(4)
		time.Sleep(time.Second)
		get(5)
	})
}

// Many ask at once, and one fetches; who has gone does not wait.
func TestCachedFetchesOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var fetched atomic.Int64
		c := newCached(time.Minute, func(context.Context) (int64, error) {
			time.Sleep(time.Second)
			return fetched.Add(1), nil
		})
		var wg sync.WaitGroup
		for range 10 {
			wg.Go(func() {
				if got, err := c.get(t.Context(), time.Now()); got != 1 || err != nil {
					t.Errorf("%d, %v; want 1", got, err)
				}
			})
		}
		synctest.Wait()
		gone, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := c.get(gone, time.Now()); !errors.Is(err, context.Canceled) {
			t.Errorf("error %v; want %v", err, context.Canceled)
		}
		wg.Wait()
	})
}

func TestRecentForgetsItsOldest(t *testing.T) {
	r := newRecent(3)
	for _, id := range []string{"a", "b", "c"} {
		if !r.add(id) || r.add(id) || !r.has(id) {
			t.Errorf("%s is not new once", id)
		}
	}
	r.add("d")
	for id, want := range map[string]bool{"a": false, "b": true, "c": true, "d": true, "": false} {
		if got := r.has(id); got != want {
			t.Errorf("%q: %v; want %v", id, got, want)
		}
	}
	for range 10 {
		for _, id := range []string{"e", "f", "g", "h"} {
			r.add(id)
		}
	}
	if len(r.ids) != 3 {
		t.Errorf("%d ids; want 3", len(r.ids))
	}
}

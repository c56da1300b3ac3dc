package scaler_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nollagluiz/broadside/dashboard/scaler"
)

// fleet is a Driver that only counts.
type fleet struct {
	n      atomic.Int64
	rounds atomic.Int64
	broken atomic.Bool
}

func (f *fleet) Scale(_ context.Context, n int) error {
	f.rounds.Add(1)
	if f.broken.Load() {
		return errors.New("no room")
	}
	f.n.Store(int64(n))
	return nil
}

func (f *fleet) Actual(context.Context) (int, error) { return int(f.n.Load()), nil }

func start(t *testing.T, f *fleet, desired *atomic.Int64) *scaler.Scaler {
	t.Helper()
	s, err := scaler.New(scaler.Config{
		Driver:  f,
		Desired: func(context.Context) (int, error) { return int(desired.Load()), nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- s.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-done })
	return s
}

func TestScalerConverges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var f fleet
		var desired atomic.Int64
		desired.Store(3)
		s := start(t, &f, &desired)
		synctest.Wait()
		if got := f.n.Load(); got != 3 {
			t.Fatalf("at start: %d agents; want 3", got)
		}

		desired.Store(5)
		s.Wake()
		synctest.Wait()
		if n, err := s.State(); n != 5 || err != nil {
			t.Fatalf("after a wake: %d, %v; want 5", n, err)
		}

		f.n.Store(2) // three agents die
		time.Sleep(scaler.DefaultInterval)
		synctest.Wait()
		if got := f.n.Load(); got != 5 {
			t.Fatalf("an interval after a loss: %d agents; want 5", got)
		}
		if got := f.rounds.Load(); got != 3 {
			t.Fatalf("%d rounds; want 3: start, wake, interval", got)
		}
	})
}

func TestScalerSaysWhyItFailed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var f fleet
		var desired atomic.Int64
		f.broken.Store(true)
		desired.Store(1)
		s := start(t, &f, &desired)
		synctest.Wait()
		if _, err := s.State(); err == nil || err.Error() != "scale to 1: no room" {
			t.Fatalf("error %v; want the driver's", err)
		}
		f.broken.Store(false)
		if err := s.Reconcile(t.Context()); err != nil {
			t.Fatalf("reconcile: %v", err)
		}
		if n, err := s.State(); n != 1 || err != nil {
			t.Fatalf("after mending: %d, %v; want 1 agent and no error", n, err)
		}
	})
}

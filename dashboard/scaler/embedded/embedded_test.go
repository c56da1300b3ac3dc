package embedded_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nollagluiz/broadside/dashboard/scaler/embedded"
)

// log notes starts and ends.
type log struct {
	mu    sync.Mutex
	lines []string
}

func (l *log) add(format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines = append(l.lines, fmt.Sprintf(format, args...))
}

func (l *log) take() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	out := l.lines
	l.lines = nil
	slices.Sort(out)
	return out
}

func TestScaleStopsTheHighestFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var l log
		d, err := embedded.New(func(ctx context.Context, name string) error {
			l.add("start %s", name)
			<-ctx.Done()
			time.Sleep(time.Second) // an agent takes its time to say goodbye
			l.add("end %s", name)
			return ctx.Err()
		}, func(name string, err error) { l.add("report %s: %v", name, err) })
		if err != nil {
			t.Fatal(err)
		}
		for _, step := range []struct {
			n    int
			want []string
		}{
			{2, []string{"start k6agent-0", "start k6agent-1"}},
			{2, nil},
			{4, []string{"start k6agent-2", "start k6agent-3"}},
			{1, []string{"end k6agent-1", "end k6agent-2", "end k6agent-3"}},
			{0, []string{"end k6agent-0"}},
		} {
			if err := d.Scale(t.Context(), step.n); err != nil {
				t.Fatalf("scale to %d: %v", step.n, err)
			}
			synctest.Wait()
			if got := l.take(); !slices.Equal(got, step.want) {
				t.Errorf("scale to %d: %q; want %q", step.n, got, step.want)
			}
			if n, _ := d.Actual(t.Context()); n != step.n {
				t.Errorf("actual %d; want %d", n, step.n)
			}
		}
	})
}

func TestScaleRestartsWhatDied(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var l log
		die := make(chan struct{})
		d, err := embedded.New(func(ctx context.Context, name string) error {
			l.add("start %s", name)
			select {
			case <-die:
				return errors.New("broken")
			case <-ctx.Done():
				return nil
			}
		}, func(name string, err error) { l.add("report %s: %v", name, err) })
		if err != nil {
			t.Fatal(err)
		}
		defer d.Close(context.Background())
		if err := d.Scale(t.Context(), 1); err != nil {
			t.Fatal(err)
		}
		die <- struct{}{}
		synctest.Wait()
		if n, _ := d.Actual(t.Context()); n != 0 {
			t.Errorf("actual %d after a death; want 0", n)
		}
		if err := d.Scale(t.Context(), 1); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		want := []string{"report k6agent-0: broken", "start k6agent-0", "start k6agent-0"}
		if got := l.take(); !slices.Equal(got, want) {
			t.Errorf("%q; want %q", got, want)
		}
	})
}

func TestScaleGivesUpWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		d, err := embedded.New(func(ctx context.Context, _ string) error { <-release; return nil }, nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := d.Scale(t.Context(), 1); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := d.Scale(ctx, 0); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("scale down of a stuck agent: %v; want the context's end", err)
		}
		close(release)
		if err := d.Close(t.Context()); err != nil {
			t.Errorf("close once it ended: %v", err)
		}
		if err := d.Scale(t.Context(), 1); err == nil {
			t.Error("a closed driver started an agent")
		}
	})
}

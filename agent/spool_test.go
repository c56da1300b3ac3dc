package agent

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sirupsen/logrus"

	"github.com/nollagluiz/broadside/fleet"
	"github.com/nollagluiz/broadside/summary"
)

func quiet() logrus.FieldLogger {
	log := logrus.New()
	log.SetOutput(io.Discard)
	return log
}

func result(run string, bytes int) entry {
	return entry{run: run, result: true, body: make([]byte, bytes)}
}

func (s *spool) runs() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []string
	for _, e := range s.entries {
		out = append(out, e.run)
	}
	return out
}

// The spool is bounded by bytes: the oldest is dropped, and a dropped result is counted.
func TestSpoolBound(t *testing.T) {
	s := newSpool(1000, quiet())
	for i := range 12 {
		s.add(result(fmt.Sprint(i), 100))
	}
	if got, want := s.runs(), []string{"2", "3", "4", "5", "6", "7", "8", "9", "10", "11"}; !slices.Equal(got, want) {
		t.Errorf("holds %v; want %v", got, want)
	}
	if got, want := s.state(), (fleet.Spool{Results: 10, Bytes: 1000, Dropped: 2}); got != want {
		t.Errorf("state %+v; want %+v", got, want)
	}
	s.add(entry{run: "12", body: make([]byte, 100)}) // a start
	s.add(result("13", 950))
	if got, want := s.state(), (fleet.Spool{Results: 1, Bytes: 950, Dropped: 12}); got != want {
		t.Errorf("state %+v; want %+v: a lost start is no loss", got, want)
	}
	s.add(result("14", 5000))
	if got := s.runs(); !slices.Equal(got, []string{"14"}) {
		t.Errorf("holds %v; want the newest even if it is too large alone", got)
	}
}

func TestSpoolResultOvertakesItsStart(t *testing.T) {
	s := newSpool(1000, quiet())
	s.add(entry{run: "a", body: make([]byte, 10)})
	s.add(entry{run: "b", body: make([]byte, 10)})
	s.add(result("a", 50))
	if got, want := s.runs(), []string{"b", "a"}; !slices.Equal(got, want) || s.bytes != 60 {
		t.Errorf("holds %v, %d bytes; want %v, 60", got, s.bytes, want)
	}
}

// One result that always makes the dashboard fail holds up no other, and an outage keeps the order.
func TestSpoolOrder(t *testing.T) {
	broken := &statusError{status: http.StatusInternalServerError}
	for _, tc := range []struct {
		name string
		put  func(try int, e entry) error
		want []string // runs, as they were delivered
	}{
		{"healthy", func(int, entry) error { return nil }, []string{"a", "b", "c"}},
		{"an outage", func(try int, _ entry) error {
			if try < 5 {
				return errors.New("connection refused")
			}
			return nil
		}, []string{"a", "b", "c"}},
		{"one breaks the dashboard", func(try int, e entry) error {
			if e.run == "a" && try < 6 {
				return broken
			}
			return nil
		}, []string{"b", "c", "a"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSpool(1000, quiet())
				for _, run := range []string{"a", "b", "c"} {
					s.add(result(run, 10))
				}
				var got []string
				try := 0
				drain := make(chan struct{})
				close(drain)
				s.send(t.Context(), drain, func(_ context.Context, e entry) error {
					try++
					err := tc.put(try, e)
					if err == nil {
						got = append(got, e.run)
					}
					return err
				}, &pulse{}, newComplaints(quiet()))
				if !slices.Equal(got, tc.want) {
					t.Errorf("delivered %v; want %v", got, tc.want)
				}
			})
		})
	}
}

// An entry that is dropped while it is on its way does not upset the count.
func TestSpoolDropUnderway(t *testing.T) {
	s := newSpool(100, quiet())
	s.add(result("a", 60))
	e := s.next()
	s.add(result("b", 60))
	for _, err := range []error{nil, &statusError{status: http.StatusBadRequest}, errors.New("gone")} {
		if done, _ := s.settle(e, err); !done {
			t.Errorf("after %v a dropped entry is tried again", err)
		}
	}
	if got, want := s.state(), (fleet.Spool{Results: 1, Bytes: 60, Dropped: 1}); got != want {
		t.Errorf("state %+v; want %+v", got, want)
	}
}

func TestSlim(t *testing.T) {
	r := &run{start: fleet.RunStart{ID: "1"}, target: site("a")}
	sum := fakeSummary(10 * time.Second)
	body, err := encode(newRunEnd(r, time.Second, summary.Judge(sum, false)), sum)
	if err != nil {
		t.Fatal(err)
	}
	cut, err := slim(body)
	if err != nil {
		t.Fatal(err)
	}
	var full, small fleet.RunEnd
	if err := errors.Join(json.Unmarshal(body, &full), json.Unmarshal(cut, &small)); err != nil {
		t.Fatal(err)
	}
	if full.Series == nil || full.Trends == nil || small.Series != nil || small.Trends != nil {
		t.Errorf("series and trends: %v, then %v", full.Series != nil, small.Series != nil)
	}
	if small.Message != full.Message || *small.Metrics.P95 != *full.Metrics.P95 || small.Statuses["200"] != 10 {
		t.Errorf("slim %+v; want all the rest kept", small)
	}
	if _, err := slim([]byte("{")); err == nil {
		t.Error("slim of no JSON")
	}
}

// After a success the next failure is a first one again.
func TestSpoolBackoffStartsAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSpool(1000, quiet())
		s.add(result("a", 10))
		s.add(result("b", 10))
		drain := make(chan struct{})
		close(drain)
		var tries []time.Time // of b
		failures := 0
		s.send(t.Context(), drain, func(_ context.Context, e entry) error {
			if e.run == "b" {
				tries = append(tries, time.Now())
			}
			if failures++; failures <= 12 || len(tries) == 1 {
				return errors.New("connection refused")
			}
			return nil
		}, &pulse{}, newComplaints(quiet()))
		if len(tries) != 2 || tries[1].Sub(tries[0]) > backoffFirst {
			t.Errorf("tries of b at %v; want two within %v", tries, backoffFirst)
		}
	})
}

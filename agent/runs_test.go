package agent

import (
	"context"
	"errors"
	"testing"

	"github.com/nollagluiz/broadside/fleet"
)

func TestRuns(t *testing.T) {
	s := newRuns(2, NewVULimit(5))
	begin := func(id, target string, vus int) (*run, context.Context, error) {
		r := &run{start: fleet.RunStart{ID: id}, target: fleet.Target{ID: target}, vus: vus}
		ctx, err := s.begin(t.Context(), r)
		return r, ctx, err
	}
	a, ctxA, err := begin("1", "a", 3)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := begin("2", "a", 1); !errors.Is(err, errOverlap) {
		t.Errorf("the same target: %v; want an overlap", err)
	}
	if _, _, err := begin("3", "b", 3); err == nil {
		t.Error("3 VUs more than 5 allow were let in")
	}
	b, ctxB, err := begin("4", "b", 2)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := begin("5", "c", 0); err == nil {
		t.Error("a third run was let in")
	}
	if got, want := s.skips(), (fleet.Skipped{Overlap: 1, NoSlot: 1, VULimit: 1}); got != want {
		t.Errorf("skipped %+v; want %+v", got, want)
	}

	s.abort("none", errAborted)
	s.abort("1", errAborted)
	if context.Cause(ctxA) != errAborted || ctxB.Err() != nil {
		t.Errorf("causes %v and %v; want the first alone cut", context.Cause(ctxA), context.Cause(ctxB))
	}
	if !s.claim(a) || s.claim(a) {
		t.Error("a run is reported by who claims it first, and nobody else")
	}
	done, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.wait(done); err == nil {
		t.Error("waited for no end")
	}
	s.end(a)
	s.end(b)
	if err := s.wait(t.Context()); err != nil {
		t.Error(err)
	}
	if _, _, err := begin("6", "c", 5); err != nil {
		t.Errorf("room is not given back: %v", err)
	}
}

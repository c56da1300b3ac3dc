package agent

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/nollagluiz/broadside/fleet"
)

// Why a run is cut: the cause of its context, and the end of its message.
var (
	errAborted  = errors.New("somebody asked for it")
	errStopped  = errors.New("all load was stopped")
	errReplaced = errors.New("another instance took over this agent's name")
	errShutdown = errors.New("the agent was shut down")
)

// errOverlap is why a target is not started while its last run is going on.
var errOverlap = errors.New("the target's last run is still going on")

// runs is the set of runs going on, and who may join it. It is safe for concurrent use.
type runs struct {
	most int      // MAX_CONCURRENT_RUNS
	vus  *VULimit // MAX_VUS

	mu      sync.Mutex // guards the rest
	active  map[string]*run
	skipped fleet.Skipped
	ended   chan struct{} // closed and replaced with each end
}

func newRuns(most int, vus *VULimit) *runs {
	return &runs{most: most, vus: vus, active: map[string]*run{}, ended: make(chan struct{})}
}

// begin adds r; its context is made of ctx. The error says why there is no room for it; it has been counted.
func (s *runs) begin(ctx context.Context, r *run) (context.Context, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, other := range s.active {
		if other.target.ID == r.target.ID {
			s.skipped.Overlap++
			return nil, errOverlap
		}
	}
	if len(s.active) >= s.most {
		s.skipped.NoSlot++
		return nil, fmt.Errorf("the agent makes at most %d runs at once (MAX_CONCURRENT_RUNS)", s.most)
	}
	if !s.vus.take(r.vus) {
		s.skipped.VULimit++
		return nil, fmt.Errorf("%d more VUs would pass the limit of %d (MAX_VUS)", r.vus, s.vus.Max())
	}
	ctx, r.cancel = context.WithCancelCause(ctx)
	s.active[r.start.ID] = r
	return ctx, nil
}

// claim gives the right to report r, once.
func (s *runs) claim(r *run) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	first := !r.reported
	r.reported = true
	return first
}

// end takes r out, which begin has added; it is the last that is heard of it.
func (s *runs) end(r *run) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r.cancel(nil)
	delete(s.active, r.start.ID)
	s.vus.give(r.vus)
	close(s.ended)
	s.ended = make(chan struct{})
}

// abort cuts the run of an id, if it is going on, and does not wait for its end.
func (s *runs) abort(id string, cause error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r := s.active[id]; r != nil {
		r.cancel(cause)
	}
}

// abortAll cuts every run.
func (s *runs) abortAll(cause error) {
	for _, r := range s.list() {
		s.abort(r.start.ID, cause)
	}
}

// list is the runs going on, the oldest first: their ids begin with their time.
func (s *runs) list() []*run {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := slices.Collect(maps.Values(s.active))
	slices.SortFunc(out, func(a, b *run) int { return cmp.Compare(a.start.ID, b.start.ID) })
	return out
}

// missed counts starts that did not happen since the process stood still: it had no room for them.
func (s *runs) missed(n int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.skipped.NoSlot += n
}

func (s *runs) skips() fleet.Skipped {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.skipped
}

// wait returns when no run is going on, or with the error of ctx.
func (s *runs) wait(ctx context.Context) error {
	for {
		s.mu.Lock()
		n, ended := len(s.active), s.ended
		s.mu.Unlock()
		if n == 0 {
			return nil
		}
		select {
		case <-ended:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

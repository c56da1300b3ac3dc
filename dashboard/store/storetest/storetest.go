// Package storetest is the conformance suite of the dashboard's store: what each engine has to do, run against a real
// database of its own.
//
// It is test support, so unlike the engines it may import package dashboard, whose interface it holds them to.
package storetest

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/nollagluiz/broadside/dashboard"
	"github.com/nollagluiz/broadside/dashboard/reaper"
	"github.com/nollagluiz/broadside/fleet"
	"github.com/nollagluiz/broadside/summary"
	"github.com/nollagluiz/broadside/summary/hist"
)

// Store is what an engine implements.
type Store interface {
	dashboard.Store
	reaper.Store
}

// Run tests an engine. open returns an empty store, and closes it when the test is over.
func Run(t *testing.T, open func(t *testing.T) Store) {
	for _, group := range []struct {
		name  string
		tests []test
	}{
		{"targets", targetTests()},
		{"config", configTests()},
		{"agents", agentTests()},
		{"runs", runTests()},
		{"lists", listTests()},
		{"reaper", reaperTests()},
		{"store", storeTests()},
	} {
		t.Run(group.name, func(t *testing.T) {
			for _, test := range group.tests {
				t.Run(test.name, func(t *testing.T) { test.run(&fixture{TB: t, Store: open(t), ctx: t.Context()}) })
			}
		})
	}
}

type test struct {
	name string
	run  func(f *fixture)
}

// fixture is a test with an empty store. Its methods do what must succeed.
type fixture struct {
	testing.TB
	Store
	ctx context.Context
}

// at is a point in time, in seconds after an arbitrary one.
func at(seconds float64) time.Time {
	return time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC).Add(time.Duration(seconds * float64(time.Second)))
}

// runID is the id of run n.
func runID(n int) string { return fmt.Sprintf("01950000-0000-7000-8000-%012d", n) }

func (f *fixture) must(err error) {
	f.Helper()
	if err != nil {
		f.Fatal(err)
	}
}

// wants fails the test unless err is a *fleet.Error of the code, bare, so that its message is fit to be shown.
func (f *fixture) wants(code fleet.Code, err error) {
	f.Helper()
	if e, ok := err.(*fleet.Error); !ok || e.Code != code {
		f.Errorf("error %v (%T); want a *fleet.Error with code %q", err, err, code)
	}
}

func (f *fixture) target(label string) fleet.Target {
	f.Helper()
	t := fleet.NewTarget()
	t.URL, t.Label = "https://example.org/", label
	t, err := f.CreateTarget(f.ctx, t, at(0))
	f.must(err)
	return t
}

func (f *fixture) agent(name string, seen time.Time) fleet.Agent {
	f.Helper()
	a, err := f.RegisterAgent(f.ctx, fleet.Agent{Name: name, Epoch: 1, InstanceID: "i-" + name}, false, seen)
	f.must(err)
	return a
}

// start is run n of a target by an agent, as its agent announces it.
func start(n int, targetID, agent string) fleet.RunStart {
	spec := fleet.NewTarget()
	spec.ID, spec.URL, spec.Label, spec.Revision = targetID, "https://example.org/", "label of "+targetID, 1
	return fleet.RunStart{ID: runID(n), TargetID: targetID, Agent: agent, StartedAt: fleet.Millis(at(float64(n))), Spec: spec}
}

// end is a good result of a run, whose every latency is ms.
func end(r fleet.RunStart, ms float64) fleet.RunEnd {
	return fleet.RunEnd{
		RunStart: r, EndedAt: fleet.Millis(r.StartedAt.Add(30 * time.Second)), Status: fleet.RunDone, Verdict: summary.OK,
		Message: "100 requests, 0 % failed.",
		Metrics: &fleet.Metrics{P50: &ms, P95: &ms, P99: &ms, Avg: &ms, ErrorRate: new(float64), RPS: 100.0 / 30, Requests: 100,
			Iterations: 100, DataReceivedBytes: 123_456, DurationS: 30},
		Trends: map[string][]byte{summary.HTTPReqDuration: histogram(ms, 100)},
	}
}

// histogram encodes n samples of ms.
func histogram(ms float64, n uint64) []byte {
	var h hist.Histogram
	h.RecordN(int64(ms*float64(time.Millisecond)), n)
	data, _ := h.MarshalBinary() // it never fails
	return data
}

// started stores a start that is received at once.
func (f *fixture) started(r fleet.RunStart) fleet.RunStart {
	f.Helper()
	created, err := f.StartRun(f.ctx, r, r.StartedAt.Time, fleet.Deadline(r.StartedAt.Time, r.Spec))
	f.must(err)
	if !created {
		f.Fatalf("run %s was known", r.ID)
	}
	return r
}

// ended stores a result that is received at once.
func (f *fixture) ended(r fleet.RunEnd) fleet.RunEnd {
	f.Helper()
	f.must(f.EndRun(f.ctx, r, r.EndedAt.Time))
	return r
}

func (f *fixture) detail(id string) fleet.RunDetail {
	f.Helper()
	r, err := f.Run(f.ctx, id)
	f.must(err)
	return r
}

// page lists the ids of the runs on a page.
func (f *fixture) page(filter fleet.RunFilter, cursor string, limit int) (ids []string, next string) {
	f.Helper()
	runs, next, err := f.Runs(f.ctx, filter, cursor, limit)
	f.must(err)
	ids = []string{}
	for _, r := range runs {
		ids = append(ids, r.ID)
	}
	return ids, next
}

// together runs n calls at the same time and waits for them.
func (f *fixture) together(n int, call func(i int) error) {
	f.Helper()
	errs := make([]error, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { errs[i] = call(i) })
	}
	wg.Wait()
	for _, err := range errs {
		f.must(err)
	}
}

func storeTests() []test {
	return []test{
		{"ping", func(f *fixture) {
			f.must(f.Ping(f.ctx))
			f.must(f.Ping(f.ctx))
		}},
		{"a done context stores nothing", func(f *fixture) {
			ctx, cancel := context.WithCancel(f.ctx)
			cancel()
			if _, err := f.CreateTarget(ctx, fleet.NewTarget(), at(0)); err == nil {
				f.Error("a target was created")
			}
			if err := f.EndRun(ctx, end(start(1, "t", "a"), 10), at(0)); err == nil {
				f.Error("a run was stored")
			}
			if err := f.Ping(ctx); err == nil {
				f.Error("ping said yes")
			}
			targets, err := f.Targets(f.ctx)
			f.must(err)
			runs, _ := f.page(fleet.RunFilter{}, "", 10)
			if len(targets) != 0 || len(runs) != 0 {
				f.Errorf("%d targets, %d runs; want none", len(targets), len(runs))
			}
		}},
		{"readers and writers side by side", func(f *fixture) {
			target := f.target("t")
			f.together(40, func(i int) error {
				switch i % 4 {
				case 0:
					r := start(i, target.ID, "a")
					if _, err := f.StartRun(f.ctx, r, at(0), at(300)); err != nil {
						return err
					}
					return f.EndRun(f.ctx, end(r, 10), at(30))
				case 1:
					return f.SaveAgents(f.ctx, []fleet.Agent{{Name: fmt.Sprintf("a%d", i), LastSeenAt: fleet.Millis(at(1))}})
				case 2:
					_, _, err := f.Runs(f.ctx, fleet.RunFilter{}, "", 50)
					return err
				default:
					return f.Ping(f.ctx)
				}
			})
			if ids, _ := f.page(fleet.RunFilter{}, "", 50); len(ids) != 10 {
				f.Errorf("%d runs; want 10", len(ids))
			}
		}},
	}
}

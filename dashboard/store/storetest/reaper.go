package storetest

import (
	"slices"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/nollagluiz/broadside/fleet"
	"github.com/nollagluiz/broadside/summary"
)

func reaperTests() []test {
	return []test{
		// Field report 52, and ADR 7: a run is lost when its own deadline is over, not before.
		{"runs past their deadline are lost", func(f *fixture) {
			short, long, done := start(1, "t", "a"), start(2, "t", "a"), start(3, "t", "a")
			long.Spec.DurationS = 3600
			f.started(short)
			f.started(long)
			f.ended(end(f.started(done), 10))
			deadline := fleet.Deadline(short.StartedAt.Time, short.Spec)
			for _, c := range []struct {
				now  time.Time
				want int
			}{{deadline, 0}, {deadline.Add(time.Millisecond), 1}, {deadline.Add(time.Minute), 0}} {
				if n, err := f.TimeOutRuns(f.ctx, c.now); err != nil || n != c.want {
					f.Errorf("at %v: %d, %v; want %d", c.now, n, err, c.want)
				}
			}
			lost := f.detail(short.ID)
			if lost.Status != fleet.RunError || lost.Verdict != summary.Lost || lost.Message == "" || lost.EndedAt == nil {
				f.Errorf("%+v; want an error, lost, with a message", lost.Run)
			}
			if f.detail(long.ID).Status != fleet.RunRunning || f.detail(done.ID).Verdict != summary.OK {
				f.Error("another run was touched")
			}
		}},
		{"current runs that aren't running are cleared", func(f *fixture) {
			f.started(start(1, "t", "a"))
			f.ended(end(f.started(start(2, "t", "a")), 10))
			f.must(f.SaveAgents(f.ctx, []fleet.Agent{
				{Name: "both", CurrentRunIDs: ids(2, 1)},
				{Name: "gone", CurrentRunIDs: ids(2, 9)},
				{Name: "good", CurrentRunIDs: ids(1)},
				{Name: "idle"},
			}))
			names, err := f.ClearRunRefs(f.ctx)
			f.must(err)
			slices.Sort(names)
			again, err := f.ClearRunRefs(f.ctx)
			f.must(err)
			if !slices.Equal(names, []string{"both", "gone"}) || len(again) != 0 {
				f.Errorf("cleared %v, then %v; want both and gone, then none", names, again)
			}
			for name, want := range map[string][]string{"both": ids(1), "gone": ids(), "good": ids(1), "idle": ids()} {
				a := f.byName()[name]
				if d := cmp.Diff(want, a.CurrentRunIDs); d != "" {
					f.Errorf("%s: %s", name, d)
				}
				if len(want) == 0 && a.CurrentRunID != nil || len(want) > 0 && (a.CurrentRunID == nil || *a.CurrentRunID != want[0]) {
					f.Errorf("%s: current run %v; want the first of %v", name, a.CurrentRunID, want)
				}
			}
		}},
		// Field report 51: a silent agent does not keep its last good state.
		{"unseen agents are offline", func(f *fixture) {
			f.agent("old", at(10))
			f.agent("edge", at(20))
			f.agent("new", at(30))
			names, err := f.MarkOffline(f.ctx, at(20))
			f.must(err)
			again, err := f.MarkOffline(f.ctx, at(20))
			f.must(err)
			if !slices.Equal(names, []string{"old"}) || len(again) != 0 {
				f.Errorf("%v, then %v; want old, then none", names, again)
			}
			agents := f.byName()
			if agents["old"].Status != fleet.AgentOffline || agents["edge"].Status != fleet.AgentOnline || agents["new"].Status != fleet.AgentOnline {
				f.Errorf("%+v; want only old offline", agents)
			}
			f.must(f.SaveAgents(f.ctx, []fleet.Agent{{Name: "old", Epoch: 1, Status: fleet.AgentOnline, LastSeenAt: fleet.Millis(at(40))}}))
			if f.byName()["old"].Status != fleet.AgentOnline {
				f.Error("an agent that is heard from again stays offline")
			}
		}},
		{"agents are deleted, their runs stay", func(f *fixture) { testDelete(f, false) }},
		{"agents are deleted with their runs", func(f *fixture) { testDelete(f, true) }},
		{"an agent that comes back is new", func(f *fixture) {
			old := f.agent("a", at(0))
			f.ended(end(start(1, "t", "a"), 10))
			f.bury("a")
			back := f.agent("a", at(9000))
			f.ended(end(start(2, "t", "a"), 10))
			if got, _ := f.page(fleet.RunFilter{AgentID: back.ID}, "", 9); back.ID == old.ID || !slices.Equal(got, ids(2)) {
				f.Errorf("ids %s, %s, runs %v; want a new id with the new run", old.ID, back.ID, got)
			}
		}},
		{"old runs are deleted, the oldest first", func(f *fixture) {
			for i := range 6 {
				f.must(f.EndRun(f.ctx, fullEnd(start(i, "t", "a")), at(float64(100-i)))) // results come in any order
			}
			f.started(start(6, "t", "a")) // of long ago, but it is running
			for _, c := range []struct {
				limit, want int
				left        []string
			}{
				{2, 2, ids(6, 3, 2, 1, 0)},
				{2, 1, ids(6, 2, 1, 0)}, // the one at 98 s has not ended before 98 s
				{2, 0, ids(6, 2, 1, 0)},
			} {
				n, err := f.DeleteRuns(f.ctx, at(98), c.limit)
				f.must(err)
				if got, _ := f.page(fleet.RunFilter{}, "", 9); n != c.want || !slices.Equal(got, c.left) {
					f.Errorf("deleted %d, left %v; want %d, %v", n, got, c.want, c.left)
				}
			}
			_, err := f.Run(f.ctx, runID(5))
			f.wants(fleet.NotFound, err)
		}},
	}
}

// bury makes an agent, seen at or after at(0), go.
func (f *fixture) bury(name string) {
	f.Helper()
	_, err := f.MarkOffline(f.ctx, at(8000))
	f.must(err)
	names, err := f.DeleteAgents(f.ctx, at(8000), false)
	f.must(err)
	if !slices.Contains(names, name) {
		f.Fatalf("deleted %v; want %s", names, name)
	}
}

// testDelete covers ADR 5, and what the original did to a fleet that scales to zero at night.
func testDelete(f *fixture, withRuns bool) {
	gone := f.agent("gone", at(0))
	f.agent("edge", at(50))
	f.agent("back", at(0))
	f.agent("online", at(0))
	for i, name := range []string{"gone", "gone", "edge", "back", "online"} {
		f.ended(end(start(i, "t", name), 10))
	}
	f.started(start(5, "t", "gone"))
	for _, name := range []string{"gone", "edge", "back"} {
		f.must(f.SaveAgents(f.ctx, []fleet.Agent{{Name: name, Epoch: 1, Status: fleet.AgentOffline, LastSeenAt: fleet.Millis(at(0))}}))
	}
	f.must(f.SaveAgents(f.ctx, []fleet.Agent{{Name: "back", Epoch: 1, Status: fleet.AgentOnline, LastSeenAt: fleet.Millis(at(99))}}))

	names, err := f.DeleteAgents(f.ctx, at(50), withRuns)
	f.must(err)
	again, err := f.DeleteAgents(f.ctx, at(50), withRuns)
	f.must(err)
	if !slices.Equal(names, []string{"gone"}) || len(again) != 0 {
		f.Errorf("deleted %v, then %v; want gone, then none", names, again)
	}
	if agents := f.byName(); len(agents) != 3 {
		f.Errorf("agents %v; want edge, back, online", agents)
	}
	want := ids(5, 4, 3, 2, 1, 0)
	if withRuns {
		want = ids(4, 3, 2)
	}
	if got, _ := f.page(fleet.RunFilter{}, "", 9); !slices.Equal(got, want) {
		f.Errorf("runs %v; want %v", got, want)
	}
	if got, _ := f.page(fleet.RunFilter{AgentID: gone.ID}, "", 9); len(got) != 0 {
		f.Errorf("runs of the deleted agent's id: %v; want none", got)
	}
	if withRuns {
		return
	}
	if got := f.detail(runID(0)); got.Agent != "gone" || got.Metrics == nil {
		f.Errorf("%+v; want the run whole, with its agent's name", got.Run)
	}
	f.ended(end(start(5, "t", "gone"), 10)) // its last result was still on the way
}

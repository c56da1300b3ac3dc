package storetest

import (
	"github.com/google/go-cmp/cmp"

	"github.com/nollagluiz/broadside/fleet"
	"github.com/nollagluiz/broadside/summary"
)

func fullAgent(name string) fleet.Agent {
	return fleet.Agent{
		Name: name, Status: fleet.AgentOnline, State: fleet.AgentRunning, Version: "1.2.3", Engine: "embedded", CPUs: 0.5,
		MemoryBytes: 128 << 20, MaxVUs: 100, Labels: map[string]string{"zone": "ü"}, CurrentRunIDs: []string{runID(1), runID(2)},
		RSSBytes: 16 << 20, CPURatio: 0.25, Spool: fleet.Spool{Results: 3, Bytes: 4000, Dropped: 1, Refused: 2},
		Skipped: fleet.Skipped{Overlap: 1, NoSlot: 2, VULimit: 3}, Epoch: 7, InstanceID: "i-1",
		K6:           &fleet.K6{Path: "/usr/bin/k6", Version: "2.2.0", Error: "it didn't answer <in time>"},
		RegisteredAt: fleet.Millis(at(0)), LastSeenAt: fleet.Millis(at(10)),
	}
}

// byName lists the agents by name.
func (f *fixture) byName() map[string]fleet.Agent {
	f.Helper()
	agents, err := f.Agents(f.ctx)
	f.must(err)
	out := map[string]fleet.Agent{}
	for _, a := range agents {
		out[a.Name] = a
	}
	return out
}

func agentTests() []test {
	return []test{
		{"what is saved comes back", func(f *fixture) {
			in := fullAgent("a")
			f.must(f.SaveAgents(f.ctx, []fleet.Agent{in}))
			got := f.byName()["a"]
			if got.ID == "" {
				f.Error("no id")
			}
			first := runID(1)
			in.ID, in.CurrentRunID = got.ID, &first
			if d := cmp.Diff(in, got); d != "" {
				f.Error(d)
			}
			f.must(f.SaveAgents(f.ctx, nil))
		}},
		{"k6 is what the agent said last", func(f *fixture) {
			for i, k6 := range []*fleet.K6{nil, {Path: "/k6", Version: "2.2.0"}, {Path: "/k6", Error: "not found"}, {}, nil} {
				f.must(f.SaveAgents(f.ctx, []fleet.Agent{{Name: "a", Epoch: 1, K6: k6, LastSeenAt: fleet.Millis(at(float64(i)))}}))
				if d := cmp.Diff(k6, f.byName()["a"].K6); d != "" {
					f.Error(d)
				}
			}
		}},
		{"the latest seen come first", func(f *fixture) {
			for i, name := range []string{"b", "c", "a"} {
				f.must(f.SaveAgents(f.ctx, []fleet.Agent{{Name: name, LastSeenAt: fleet.Millis(at(float64(i)))}}))
			}
			agents, err := f.Agents(f.ctx)
			f.must(err)
			if got := agents[0].Name + agents[1].Name + agents[2].Name; got != "acb" {
				f.Errorf("order %s; want acb", got)
			}
		}},
		// Field report 39: a restart makes no second agent of the same name.
		{"a second register keeps the id and takes the epoch", func(f *fixture) {
			first, err := f.RegisterAgent(f.ctx, fullAgent("a"), false, at(20))
			f.must(err)
			again := fleet.Agent{Name: "a", Epoch: 3, InstanceID: "i-2", Version: "2"}
			second, err := f.RegisterAgent(f.ctx, again, false, at(30))
			f.must(err)
			want := fleet.Agent{
				ID: first.ID, Name: "a", Status: fleet.AgentOnline, Version: "2", Epoch: 3, InstanceID: "i-2",
				CurrentRunIDs: []string{}, RegisteredAt: fleet.Millis(at(30)), LastSeenAt: fleet.Millis(at(30)),
			}
			agents := f.byName()
			if d := cmp.Diff(want, second) + cmp.Diff(want, agents["a"]); d != "" || len(agents) != 1 {
				f.Errorf("%d agents; %s", len(agents), d)
			}
		}},
		{"registers at once", func(f *fixture) {
			names := []string{"a", "b", "c", "d", "e"}
			f.together(50, func(i int) error {
				_, err := f.RegisterAgent(f.ctx, fleet.Agent{Name: names[i%len(names)], Epoch: int64(i)}, false, at(1))
				return err
			})
			if agents := f.byName(); len(agents) != len(names) {
				f.Errorf("%d agents; want %d", len(agents), len(names))
			}
		}},
		// Field report 45: a run whose agent was killed is seen to be lost when its next instance registers.
		{"a new instance ends the old one's runs", func(f *fixture) {
			f.agent("a", at(0))
			f.agent("b", at(0))
			f.started(start(1, "t", "a"))
			f.ended(end(f.started(start(2, "t", "a")), 10))
			f.started(start(3, "t", "b"))
			_, err := f.RegisterAgent(f.ctx, fleet.Agent{Name: "a", Epoch: 2}, true, at(100))
			f.must(err)
			_, err = f.RegisterAgent(f.ctx, fleet.Agent{Name: "b", Epoch: 2}, false, at(100))
			f.must(err)
			lost := f.detail(runID(1))
			if lost.Status != fleet.RunError || lost.Verdict != summary.Lost || lost.Message == "" || lost.EndedAt == nil || !lost.EndedAt.Equal(at(100)) {
				f.Errorf("the run of the old instance: %+v; want it lost at %v", lost.Run, at(100))
			}
			if done, other := f.detail(runID(2)), f.detail(runID(3)); done.Verdict != summary.OK || other.Status != fleet.RunRunning {
				f.Errorf("a run that was over is %s, another agent's %s; want ok, running", done.Verdict, other.Status)
			}
		}},
		{"last_seen_at never goes back", func(f *fixture) {
			f.agent("a", at(50))
			for _, seen := range []float64{20, 60, 59} {
				f.must(f.SaveAgents(f.ctx, []fleet.Agent{{Name: "a", Epoch: 1, LastSeenAt: fleet.Millis(at(seen))}}))
			}
			if got := f.byName()["a"].LastSeenAt; !got.Equal(at(60)) {
				f.Errorf("last seen %v; want %v", got, at(60))
			}
			back, err := f.RegisterAgent(f.ctx, fleet.Agent{Name: "a", Epoch: 2}, false, at(10)) // the clock was set back
			f.must(err)
			if !back.LastSeenAt.Equal(at(60)) {
				f.Errorf("last seen %v after a register; want %v", back.LastSeenAt, at(60))
			}
		}},
		// Field report 41: what an older epoch still says does not touch the newer.
		{"a row of a newer epoch is left alone", func(f *fixture) {
			f.must(f.SaveAgents(f.ctx, []fleet.Agent{{Name: "a", Epoch: 5, InstanceID: "new", LastSeenAt: fleet.Millis(at(1))}}))
			before := f.byName()["a"]
			f.must(f.SaveAgents(f.ctx, []fleet.Agent{
				{Name: "a", Epoch: 4, InstanceID: "old", LastSeenAt: fleet.Millis(at(9))},
				{Name: "b", Epoch: 4, LastSeenAt: fleet.Millis(at(9))},
			}))
			agents := f.byName()
			if d := cmp.Diff(before, agents["a"]); d != "" || len(agents) != 2 {
				f.Errorf("%d agents; %s", len(agents), d)
			}
		}},
		{"registered_at is that of the register", func(f *fixture) {
			f.agent("a", at(5))
			f.must(f.SaveAgents(f.ctx, []fleet.Agent{{Name: "a", Epoch: 1, LastSeenAt: fleet.Millis(at(9))}}))
			if got := f.byName()["a"].RegisteredAt; !got.Equal(at(5)) {
				f.Errorf("registered at %v; want %v", got, at(5))
			}
		}},
		{"a goodbye is kept", func(f *fixture) {
			a := f.agent("a", at(5))
			a.Status, a.Deregistered = fleet.AgentOffline, true
			f.must(f.SaveAgents(f.ctx, []fleet.Agent{a}))
			if got := f.byName()["a"]; got.Status != fleet.AgentOffline || !got.Deregistered {
				f.Errorf("%+v; want it offline and deregistered", got)
			}
			if got := f.agent("a", at(9)); got.Status != fleet.AgentOnline || got.Deregistered {
				f.Errorf("%+v after a register; want it online", got)
			}
		}},
	}
}

package pages_test

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"sync"

	"github.com/nollagluiz/broadside/fleet"
)

// fakeFleet is a fleet in memory. It validates and checks revisions as the dashboard does, and notes what was asked.
type fakeFleet struct {
	mu       sync.Mutex // guards all below
	targets  []fleet.Target
	runs     []fleet.RunDetail // newest first
	agents   []fleet.Agent
	config   fleet.Config
	overview fleet.Overview
	calls    []string
	err      error // of every call, if set
	failed   error // of Reconcile
}

func (f *fakeFleet) enter(format string, args ...any) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls = append(f.calls, fmt.Sprintf(format, args...))
	return f.err
}

// asked is the calls that change something, since it was asked last.
func (f *fakeFleet) asked() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	out := f.calls
	f.calls = nil
	return slices.DeleteFunc(out, func(c string) bool { return c == "read" })
}

func (f *fakeFleet) Targets(context.Context) ([]fleet.Target, error) {
	err := f.enter("read")
	out := make([]fleet.Target, len(f.targets))
	for i, t := range f.targets {
		out[i] = t.Redacted()
	}
	return out, err
}

func (f *fakeFleet) find(id string) (int, error) {
	for i, t := range f.targets {
		if t.ID == id {
			return i, nil
		}
	}
	return -1, fleet.Errorf(fleet.NotFound, "there is no target %q", id)
}

func (f *fakeFleet) Target(_ context.Context, id string) (fleet.Target, error) {
	if err := f.enter("read"); err != nil {
		return fleet.Target{}, err
	}
	i, err := f.find(id)
	if err != nil {
		return fleet.Target{}, err
	}
	return f.targets[i].Redacted(), nil
}

func (f *fakeFleet) CreateTarget(_ context.Context, t fleet.Target) (fleet.Target, error) {
	if err := f.enter("create %s", t.URL); err != nil {
		return t, err
	}
	if err := t.Validate(); err != nil {
		return t, fleet.Invalid(err)
	}
	t.ID, t.Revision = strconv.Itoa(len(f.targets)+1), 1
	f.targets = slices.Insert(f.targets, 0, t)
	return t, nil
}

func (f *fakeFleet) UpdateTarget(_ context.Context, id string, revision int64, edit func(fleet.Target) (fleet.Target, error)) (fleet.Target, error) {
	if err := f.enter("update %s at %d", id, revision); err != nil {
		return fleet.Target{}, err
	}
	i, err := f.find(id)
	if err != nil {
		return fleet.Target{}, err
	}
	stored := f.targets[i]
	if revision != 0 && revision != stored.Revision {
		return stored, fleet.Errorf(fleet.PreconditionFailed, "revision %d is not %d", revision, stored.Revision)
	}
	t, err := stored.Edit(edit)
	if err != nil {
		return stored, err
	}
	if err := t.Validate(); err != nil {
		return stored, fleet.Invalid(err)
	}
	t.Revision++
	f.targets[i] = t
	return t, nil
}

func (f *fakeFleet) DeleteTarget(_ context.Context, id string, revision int64) error {
	if err := f.enter("delete %s at %d", id, revision); err != nil {
		return err
	}
	i, err := f.find(id)
	if err == nil {
		f.targets = slices.Delete(f.targets, i, i+1)
	}
	return err
}

func (f *fakeFleet) RunNow(_ context.Context, id string) (string, error) {
	if err := f.enter("run %s", id); err != nil {
		return "", err
	}
	_, err := f.find(id)
	return "order-1", err
}

func (f *fakeFleet) Config(context.Context) (fleet.Config, error) {
	err := f.enter("read")
	return f.config, err
}

func (f *fakeFleet) UpdateConfig(_ context.Context, revision int64, edit func(fleet.Config) (fleet.Config, error)) (fleet.Config, error) {
	c, err := edit(f.config)
	if err := f.enter("config desired=%d stopped=%v at %d", c.DesiredAgents, c.Stopped, revision); err != nil {
		return c, err
	}
	if err == nil {
		f.config = c
		f.overview.DesiredAgents, f.overview.Stopped = c.DesiredAgents, c.Stopped
	}
	return c, err
}

func (f *fakeFleet) Reconcile(context.Context) error {
	if err := f.enter("reconcile"); err != nil {
		return err
	}
	return f.failed
}

func (f *fakeFleet) StopAll(context.Context) error {
	f.config.Stopped, f.overview.Stopped = true, true
	return f.enter("stop")
}

func (f *fakeFleet) AbortRun(_ context.Context, id string) error { return f.enter("abort %s", id) }

func (f *fakeFleet) Agents(context.Context) ([]fleet.Agent, error) {
	err := f.enter("read")
	return f.agents, err
}

func (f *fakeFleet) Runs(_ context.Context, filter fleet.RunFilter, cursor string, limit int) ([]fleet.Run, string, error) {
	if err := f.enter("read"); err != nil {
		return nil, "", err
	}
	from := 0
	if cursor != "" {
		var err error
		if from, err = strconv.Atoi(cursor); err != nil {
			return nil, "", fleet.Errorf(fleet.Malformed, "the cursor is none of this store")
		}
	}
	var out []fleet.Run
	for i := from; i < len(f.runs); i++ {
		r := f.runs[i].Run
		if filter.TargetID != "" && r.TargetID != filter.TargetID || filter.Status != "" && r.Status != filter.Status ||
			filter.Verdict != "" && r.Verdict != filter.Verdict || filter.AgentID != "" && "id-"+r.Agent != filter.AgentID {
			continue
		}
		if len(out) == limit {
			return out, strconv.Itoa(i), nil
		}
		out = append(out, r)
	}
	return out, "", nil
}

func (f *fakeFleet) Run(_ context.Context, id string) (fleet.RunDetail, error) {
	if err := f.enter("read"); err != nil {
		return fleet.RunDetail{}, err
	}
	for _, r := range f.runs {
		if r.ID == id {
			return r, nil
		}
	}
	return fleet.RunDetail{}, fleet.Errorf(fleet.NotFound, "there is no run %q", id)
}

func (f *fakeFleet) RecentRuns(_ context.Context, n int) (map[string][]fleet.Run, error) {
	err := f.enter("read")
	out := map[string][]fleet.Run{}
	for _, r := range f.runs {
		if r.Status != fleet.RunRunning && len(out[r.TargetID]) < n {
			out[r.TargetID] = append(out[r.TargetID], r.Run)
		}
	}
	return out, err
}

func (f *fakeFleet) Summary(context.Context) (fleet.Overview, error) {
	err := f.enter("read")
	return f.overview, err
}

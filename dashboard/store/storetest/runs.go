package storetest

import (
	"crypto/rand"
	"encoding/json"
	"strings"

	"github.com/google/go-cmp/cmp"

	"github.com/nollagluiz/broadside/fleet"
	"github.com/nollagluiz/broadside/summary"
)

// fullEnd is a result with everything in it.
func fullEnd(r fleet.RunStart) fleet.RunEnd {
	e := end(r, 12.5)
	e.Engine = "embedded"
	ms := []float64{0.25, 99.75, 1e-9}
	e.Metrics.Min, e.Metrics.Max, e.Metrics.ErrorRate = &ms[0], &ms[1], &ms[2]
	e.Metrics.Failures, e.Metrics.DataSentBytes, e.Metrics.IterationsInterrupted, e.Metrics.DroppedIterations, e.Metrics.VUsMax = 1, 1<<53+1, 2, 3, 10
	e.Trends[summary.HTTPReqWaiting] = histogram(10, 100)
	e.Series = &fleet.Series{WidthMs: 1000, Buckets: []fleet.Bucket{{Requests: 60, VUs: 10, Duration: histogram(10, 60)}, {Requests: 40, Failures: 1}}}
	e.Statuses = map[string]int64{"200": 99, "503": 1}
	e.Errors = []fleet.ErrorCount{{Code: 1503, Count: 1, Sample: "O'Brien said <503>"}}
	e.Thresholds = []fleet.ThresholdResult{
		{Metric: `http_req_duration{name:O'Brien "<é>"}`, Expression: "p(95)<500", OK: true, Value: &ms[1]},
		{Metric: "http_reqs", Expression: "count>999"},
	}
	return e
}

func runTests() []test {
	return []test{
		{"a start", func(f *fixture) {
			r := f.started(start(1, "t", "a"))
			want := fleet.RunDetail{
				Run:    fleet.Run{ID: r.ID, TargetID: "t", TargetLabel: "label of t", Agent: "a", Status: fleet.RunRunning, StartedAt: r.StartedAt, Spec: r.Spec},
				Trends: map[string][]byte{}, Statuses: map[string]int64{}, Errors: []fleet.ErrorCount{}, Thresholds: []fleet.ThresholdResult{},
			}
			if d := cmp.Diff(want, f.detail(r.ID)); d != "" {
				f.Error(d)
			}
			_, err := f.Run(f.ctx, runID(2))
			f.wants(fleet.NotFound, err)
		}},
		{"an end, with a start and without", func(f *fixture) {
			for _, r := range []fleet.RunStart{f.started(start(1, "t", "a")), start(2, "t", "a")} {
				e := f.ended(fullEnd(r))
				want := fleet.RunDetail{
					Run: fleet.Run{
						ID: r.ID, TargetID: "t", TargetLabel: "label of t", Agent: "a", Status: fleet.RunDone, Verdict: summary.OK,
						Message: e.Message, Engine: e.Engine, StartedAt: r.StartedAt, EndedAt: &e.EndedAt, Metrics: e.Metrics, Spec: r.Spec,
					},
					Trends: e.Trends, Series: e.Series, Statuses: e.Statuses, Errors: e.Errors, Thresholds: e.Thresholds,
				}
				if d := cmp.Diff(want, f.detail(r.ID)); d != "" {
					f.Error(d)
				}
			}
		}},
		// Field report 31, and ADR 4: no data is null, and zero is zero.
		{"no data stays apart from zero", func(f *fixture) {
			dead := end(start(1, "t", "a"), 0)
			dead.Verdict = summary.TargetUnreachable
			dead.Metrics = &fleet.Metrics{ErrorRate: new(1.0), Requests: 5, Failures: 5}
			zero := end(start(2, "t", "a"), 0)
			unmeasured := end(start(3, "t", "a"), 0)
			unmeasured.Status, unmeasured.Verdict, unmeasured.Metrics, unmeasured.Trends = fleet.RunError, summary.Error, nil, nil
			for _, e := range []fleet.RunEnd{dead, zero, unmeasured} {
				if d := cmp.Diff(e.Metrics, f.detail(f.ended(e).ID).Metrics); d != "" {
					f.Error(d)
				}
			}
		}},
		{"every reader tells a run's engine", func(f *fixture) {
			t := f.target("t")
			f.started(start(1, t.ID, "a"))
			_, err := f.TimeOutRuns(f.ctx, at(9999)) // a lost run has none, until its result comes
			f.must(err)
			if got := f.detail(runID(1)).Engine; got != "" {
				f.Errorf("engine %q of a run without a result; want none", got)
			}
			e := end(start(1, t.ID, "a"), 10)
			e.Engine, e.Trends = fleet.EngineK6, nil
			f.ended(e)
			page, _, err := f.Runs(f.ctx, fleet.RunFilter{}, "", 1)
			f.must(err)
			recent, err := f.RecentRuns(f.ctx, 1)
			f.must(err)
			for reader, got := range map[string]fleet.Run{"Run": f.detail(runID(1)).Run, "Runs": page[0], "RecentRuns": recent[t.ID][0]} {
				if got.Engine != fleet.EngineK6 || got.Verdict != summary.OK {
					f.Errorf("%s: engine %q, verdict %s; want k6, ok", reader, got.Engine, got.Verdict)
				}
			}
		}},
		{"a second start changes nothing", func(f *fixture) {
			r := f.started(start(1, "t", "a"))
			other := start(1, "other", "b")
			created, err := f.StartRun(f.ctx, other, at(99), at(999))
			f.must(err)
			if got := f.detail(r.ID); created || got.TargetID != "t" || got.Agent != "a" {
				f.Errorf("created %v, run %+v; want the first start", created, got.Run)
			}
		}},
		// docs/wire.md: PUT is final; a later start doesn't reopen a run.
		{"a start after the end changes nothing", func(f *fixture) {
			r := start(1, "t", "a")
			f.ended(fullEnd(r))
			before := f.detail(r.ID)
			created, err := f.StartRun(f.ctx, r, at(99), at(999))
			f.must(err)
			if d := cmp.Diff(before, f.detail(r.ID)); created || d != "" {
				f.Errorf("created %v; %s", created, d)
			}
		}},
		{"a second end changes nothing", func(f *fixture) {
			r := f.started(start(1, "t", "a"))
			f.ended(fullEnd(r))
			before := f.detail(r.ID)
			again := end(r, 99)
			again.Status, again.Verdict = fleet.RunAborted, summary.Aborted
			f.must(f.EndRun(f.ctx, again, at(99)))
			if d := cmp.Diff(before, f.detail(r.ID)); d != "" {
				f.Error(d)
			}
		}},
		{"a result that is sent many times at once is there once", func(f *fixture) {
			f.together(16, func(i int) error {
				r := start(1, "t", "a")
				if i%2 == 0 {
					if _, err := f.StartRun(f.ctx, r, at(0), at(300)); err != nil {
						return err
					}
				}
				return f.EndRun(f.ctx, end(r, 10), at(30))
			})
			ids, next := f.page(fleet.RunFilter{}, "", 10)
			if got := f.detail(runID(1)); len(ids) != 1 || next != "" || got.Status != fleet.RunDone {
				f.Errorf("runs %v, the first %s; want one, done", ids, got.Status)
			}
		}},
		// What fleets of this kind are tested for: a result that comes after the reaper closed its run wins.
		{"a late result replaces lost, once", func(f *fixture) {
			r := f.started(start(1, "t", "a"))
			n, err := f.TimeOutRuns(f.ctx, at(9999))
			f.must(err)
			if lost := f.detail(r.ID); n != 1 || lost.Verdict != summary.Lost || lost.Metrics != nil {
				f.Fatalf("timed out %d, run %+v; want it lost", n, lost.Run)
			}
			e := f.ended(fullEnd(r))
			got := f.detail(r.ID)
			if got.Status != fleet.RunDone || got.Verdict != summary.OK || got.Message != e.Message || !got.EndedAt.Equal(e.EndedAt.Time) {
				f.Errorf("%+v; want the result", got.Run)
			}
			if d := cmp.Diff(e.Metrics, got.Metrics) + cmp.Diff(e.Trends, got.Trends) + cmp.Diff(e.Series, got.Series); d != "" {
				f.Error(d)
			}
			f.must(f.EndRun(f.ctx, end(r, 99), at(10_000)))
			n, err = f.TimeOutRuns(f.ctx, at(99_999))
			f.must(err)
			if d := cmp.Diff(got, f.detail(r.ID)); n != 0 || d != "" {
				f.Errorf("timed out %d more; %s", n, d)
			}
		}},
		// docs/wire.md: a run of an unknown or deleted target is accepted with its frozen spec.
		{"runs of unknown and deleted targets are taken", func(f *fixture) {
			gone := f.target("gone")
			f.must(f.DeleteTarget(f.ctx, gone.ID, 0, at(1)))
			for i, id := range []string{gone.ID, "never-was-here"} {
				r := f.ended(end(f.started(start(i, id, "nobody")), 10))
				if got := f.detail(r.ID); got.TargetID != id || got.Spec.URL != r.Spec.URL || got.TargetLabel != r.Spec.Label {
					f.Errorf("%+v; want target, label and spec of the result", got.Run)
				}
			}
		}},
		// Field report 55: an edit of the target leaves the results of the old one readable as what they were.
		{"a run keeps the target as it was", func(f *fixture) {
			t := f.target("before")
			r := start(1, t.ID, "a")
			r.Spec = t
			f.started(r)
			_, err := f.UpdateTarget(f.ctx, t.ID, 0, at(1), func(t fleet.Target) (fleet.Target, error) {
				t.Label, t.URL, t.VUs = "after", "http://other.example/", 99
				return t, nil
			})
			f.must(err)
			late := r
			late.Spec.Label, late.Spec.VUs = "after", 99 // an end repeats the start, but does not rewrite it
			f.ended(end(late, 10))
			got := f.detail(r.ID)
			if d := cmp.Diff(t, got.Spec); d != "" || got.TargetLabel != "before" {
				f.Errorf("label %q; %s", got.TargetLabel, d)
			}
		}},
		// Field report 22: no credential of a target enters the store by way of a run.
		{"a run's spec holds no secret", func(f *fixture) {
			spec := oddTarget()
			for i, r := range []fleet.RunStart{start(1, "t", "a"), start(2, "t", "a")} {
				r.Spec = spec
				if i == 0 {
					f.started(r)
				} else {
					f.ended(end(r, 10))
				}
				got := f.detail(r.ID)
				text, err := json.Marshal(got)
				f.must(err)
				for _, secret := range []string{"s3cret", "p%40ss", "$2", "</script>"} {
					if strings.Contains(string(text), secret) {
						f.Errorf("the run shows %q", secret)
					}
				}
				if d := cmp.Diff(spec.Redacted(), got.Spec); d != "" {
					f.Error(d)
				}
			}
		}},
		// Field report 59: every end has its word and its sentence.
		{"each verdict and status is kept", func(f *fixture) {
			n := 0
			for _, status := range []fleet.RunStatus{fleet.RunDone, fleet.RunError, fleet.RunAborted} {
				for _, verdict := range []summary.Verdict{summary.Error, summary.Aborted, summary.NoRequests, summary.TargetUnreachable,
					summary.GeneratorLimited, summary.ThresholdFailed, summary.OK, summary.Lost} {
					n++
					e := end(start(n, "t", "a"), 10)
					e.Status, e.Verdict, e.Message = status, verdict, "Because "+string(verdict)+"."
					if got := f.detail(f.ended(e).ID); got.Status != status || got.Verdict != verdict || got.Message != e.Message {
						f.Errorf("%s %s %q; want %s %s %q", got.Status, got.Verdict, got.Message, status, verdict, e.Message)
					}
				}
			}
		}},
		// Field report 58: a result of the size that the API takes at most is no trouble.
		{"the largest result", func(f *fixture) {
			e := fullEnd(start(1, "t", "a"))
			noise := make([]byte, 180<<10)
			rand.Read(noise)
			e.Trends[summary.HTTPReqWaiting] = noise
			if d := cmp.Diff(e.Trends, f.detail(f.ended(e).ID).Trends); d != "" {
				f.Error("the histograms did not come back")
			}
		}},
	}
}

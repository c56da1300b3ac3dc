package storetest

import (
	"math"
	"slices"
	"strings"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/nollagluiz/broadside/fleet"
	"github.com/nollagluiz/broadside/summary"
	"github.com/nollagluiz/broadside/summary/hist"
)

// ids are those of runs, in the order given.
func ids(numbers ...int) []string {
	out := []string{}
	for _, n := range numbers {
		out = append(out, runID(n))
	}
	return out
}

func listTests() []test {
	return []test{
		{"pages show each run once, newest first, while others arrive", func(f *fixture) {
			const n = 23
			for i := range n {
				f.started(start(i, "t", "a"))
			}
			var got []string
			cursor, pages := "", 0
			for {
				page, next := f.page(fleet.RunFilter{}, cursor, 5)
				if len(page) > 5 {
					f.Fatalf("%d runs on a page of 5", len(page))
				}
				got = append(got, page...)
				f.started(start(100+pages, "t", "a"))
				if pages++; next == "" {
					break
				}
				cursor = next
			}
			want := []string{}
			for i := n - 1; i >= 0; i-- {
				want = append(want, runID(i))
			}
			if d := cmp.Diff(want, got); d != "" || pages != 5 {
				f.Errorf("%d pages; %s", pages, d)
			}
		}},
		{"a last page that is full has no next", func(f *fixture) {
			for i := range 4 {
				f.started(start(i, "t", "a"))
			}
			_, cursor := f.page(fleet.RunFilter{}, "", 2)
			page, next := f.page(fleet.RunFilter{}, cursor, 2)
			if d := cmp.Diff(ids(1, 0), page); d != "" || next != "" {
				f.Errorf("next %q; %s", next, d)
			}
			if page, next := f.page(fleet.RunFilter{}, "", 4); len(page) != 4 || next != "" {
				f.Errorf("a page of all: %v, next %q", page, next)
			}
			if page, next := f.page(fleet.RunFilter{TargetID: "none"}, "", 4); len(page) != 0 || next != "" {
				f.Errorf("a page of none: %v, next %q", page, next)
			}
		}},
		{"the order is that of receipt", func(f *fixture) {
			f.started(start(5, "t", "a"))
			f.ended(end(start(1, "t", "a"), 10)) // spooled for long
			f.started(start(9, "t", "a"))
			f.ended(end(start(5, "t", "a"), 10)) // an end does not move a run
			if got, _ := f.page(fleet.RunFilter{}, "", 9); !slices.Equal(got, ids(9, 1, 5)) {
				f.Errorf("%v; want %v", got, ids(9, 1, 5))
			}
		}},
		{"filters", testFilters},
		{"cursors of nobody", func(f *fixture) {
			for i := range 3 {
				f.started(start(i, "t", "a"))
			}
			_, good := f.page(fleet.RunFilter{}, "", 1)
			for _, bad := range []string{"x", "0", "1", "2147483647", good + "A", good + "=", good[1:], good[:len(good)-1], " " + good,
				"' OR 1=1 --", "\x00", "é", "cgAA", "cv___________wE", strings.Repeat("A", 1<<16)} {
				runs, next, err := f.Runs(f.ctx, fleet.RunFilter{}, bad, 10)
				f.wants(fleet.Malformed, err)
				if runs != nil || next != "" {
					f.Errorf("cursor %.40q: %d runs, next %q; want none", bad, len(runs), next)
				}
			}
		}},
		{"recent runs", func(f *fixture) {
			a, b, none, gone := f.target("a"), f.target("b"), f.target("none"), f.target("gone")
			for i := range 4 {
				f.ended(end(start(i, a.ID, "x"), 10))
			}
			f.ended(end(start(4, b.ID, "x"), 10))
			f.started(start(5, b.ID, "x")) // is not over
			f.started(start(6, none.ID, "x"))
			f.ended(end(start(7, gone.ID, "x"), 10))
			f.must(f.DeleteTarget(f.ctx, gone.ID, 0, at(0)))
			recent, err := f.RecentRuns(f.ctx, 3)
			f.must(err)
			got := map[string][]string{}
			for id, runs := range recent {
				for _, r := range runs {
					got[id] = append(got[id], r.ID)
				}
			}
			if d := cmp.Diff(map[string][]string{a.ID: ids(3, 2, 1), b.ID: ids(4)}, got); d != "" {
				f.Error(d)
			}
			if r := recent[b.ID]; len(r) > 0 && (r[0].Metrics == nil || r[0].Verdict != summary.OK || r[0].Spec.URL != "") {
				f.Errorf("%+v; want its metrics and its verdict, and no spec", r[0])
			}
		}},
		{"running runs are counted", func(f *fixture) {
			for i := range 5 {
				f.started(start(i, "t", "a"))
			}
			f.ended(end(start(2, "t", "a"), 10))
			if n, err := f.CountRunning(f.ctx); err != nil || n != 4 {
				f.Errorf("%d, %v; want 4", n, err)
			}
		}},
		{"the totals of an empty window", func(f *fixture) {
			f.started(start(1, "t", "a"))
			f.must(f.EndRun(f.ctx, end(start(2, "t", "a"), 10), at(10)))
			got, err := f.WindowTotals(f.ctx, at(11))
			f.must(err)
			if got != (fleet.WindowTotals{}) {
				f.Errorf("%+v; want no runs and no rates", got)
			}
		}},
		{"no run that says what failed is no rate", func(f *fixture) {
			e := end(start(1, "t", "a"), 10)
			e.Engine, e.Trends, e.Metrics.ErrorRate = fleet.EngineK6, nil, nil
			f.must(f.EndRun(f.ctx, e, at(10)))
			got, err := f.WindowTotals(f.ctx, at(0))
			f.must(err)
			if got != (fleet.WindowTotals{Runs: 1, Requests: 100}) {
				f.Errorf("%+v; want a run of 100 requests without rates", got)
			}
		}},
		{"the totals of a window are of all samples", testWindow},
	}
}

func testFilters(f *fixture) {
	a, b := f.agent("a", at(0)), f.agent("b", at(0))
	f.ended(end(start(1, "t1", "a"), 10))
	failed := end(start(2, "t1", "b"), 10)
	failed.Verdict = summary.ThresholdFailed
	f.ended(failed)
	aborted := end(start(3, "t2", "a"), 10)
	aborted.Status, aborted.Verdict = fleet.RunAborted, summary.Aborted
	f.ended(aborted)
	f.started(start(4, "t2", "b"))
	broken := end(start(5, "t1", "a"), 10)
	broken.Status, broken.Verdict = fleet.RunError, summary.Error
	f.ended(broken)
	f.ended(end(start(6, "t2", "b"), 10))
	for _, c := range []struct {
		name   string
		filter fleet.RunFilter
		want   []string
	}{
		{"none", fleet.RunFilter{}, ids(6, 5, 4, 3, 2, 1)},
		{"target", fleet.RunFilter{TargetID: "t1"}, ids(5, 2, 1)},
		{"agent", fleet.RunFilter{AgentID: a.ID}, ids(5, 3, 1)},
		{"unknown agent", fleet.RunFilter{AgentID: "a"}, ids()},
		{"running", fleet.RunFilter{Status: fleet.RunRunning}, ids(4)},
		{"done", fleet.RunFilter{Status: fleet.RunDone}, ids(6, 2, 1)},
		{"error", fleet.RunFilter{Status: fleet.RunError}, ids(5)},
		{"verdict ok", fleet.RunFilter{Verdict: summary.OK}, ids(6, 1)},
		{"verdict threshold_failed", fleet.RunFilter{Verdict: summary.ThresholdFailed}, ids(2)},
		{"from is in", fleet.RunFilter{From: fleet.Millis(at(5))}, ids(6, 5)},
		{"to is out", fleet.RunFilter{To: fleet.Millis(at(3))}, ids(2, 1)},
		{"an empty span", fleet.RunFilter{From: fleet.Millis(at(3)), To: fleet.Millis(at(3))}, ids()},
		{"all at once", fleet.RunFilter{TargetID: "t2", AgentID: b.ID, Status: fleet.RunDone, Verdict: summary.OK,
			From: fleet.Millis(at(1)), To: fleet.Millis(at(9))}, ids(6)},
		{"hostile", fleet.RunFilter{TargetID: "' OR ''='", Status: "x' OR 1=1 --"}, ids()},
	} {
		got := []string{}
		for cursor, more := "", true; more; more = cursor != "" {
			var page []string
			page, cursor = f.page(c.filter, cursor, 2)
			got = append(got, page...)
		}
		if d := cmp.Diff(c.want, got); d != "" {
			f.Errorf("filter %s: %s", c.name, d)
		}
	}
}

// testWindow holds the percentile of a window against its sorted samples. Two runs of very different size and speed
// have an average p95 that no sample is near (ADR 3).
func testWindow(f *fixture) {
	var samples []float64
	add := func(n int, count int, ms func(i int) float64, received time.Time) {
		var h hist.Histogram
		for i := range count {
			h.Record(int64(ms(i) * float64(time.Millisecond)))
			samples = append(samples, ms(i))
		}
		e := end(start(n, "t", "a"), 0)
		e.Trends[summary.HTTPReqDuration], _ = h.MarshalBinary() // it never fails
		e.Metrics.Requests, e.Metrics.Failures = int64(count), 5
		f.must(f.EndRun(f.ctx, e, received))
	}
	f.must(f.EndRun(f.ctx, end(start(1, "t", "a"), 5000), at(99.999))) // a millisecond too early
	add(2, 950, func(i int) float64 { return 10 + float64(i)/1000 }, at(100))
	add(3, 60, func(i int) float64 { return 1000 + float64(i) }, at(200))
	exec := end(start(4, "t", "a"), 5000)
	exec.Engine, exec.Trends = fleet.EngineK6, nil // k6's own percentiles: no histogram, no say
	exec.Metrics.Requests, exec.Metrics.Failures = 100, 0
	f.must(f.EndRun(f.ctx, exec, at(300)))
	f.started(start(5, "t", "a"))

	got, err := f.WindowTotals(f.ctx, at(100))
	f.must(err)
	if got.Runs != 3 || got.RunsMerged != 2 || got.Requests != 950+60+100 || got.Failures != 10 || got.ErrorRate == nil || *got.ErrorRate != 10.0/1110 {
		f.Errorf("%+v; want 3 runs, two of them merged, 1110 requests, 10 failures", got)
	}
	slices.Sort(samples)
	rank := 0.95 * float64(len(samples)-1)
	below := int(rank)
	want := samples[below] + (samples[below+1]-samples[below])*(rank-float64(below))
	if got.P95 == nil || math.Abs(*got.P95-want) > want/1000 {
		f.Errorf("p95 %v; want %v within 0.1 %%", got.P95, want)
	}
}

package summary_test

import (
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/nollagluiz/broadside/plan"
	"github.com/nollagluiz/broadside/summary"
	"github.com/nollagluiz/broadside/summary/hist"
)

func genSummary() *rapid.Generator[*summary.Summary] {
	return rapid.Custom(func(t *rapid.T) *summary.Summary {
		s := summary.New(time.Unix(rapid.Int64Range(1, 1000).Draw(t, "start"), 0))
		s.Duration = time.Duration(rapid.Int64Range(0, int64(time.Hour)).Draw(t, "duration"))
		count := rapid.Int64Range(0, 1000)
		s.Counters = rapid.MapOf(rapid.SampledFrom([]string{summary.HTTPReqs, summary.Iterations, summary.DataSent}), count).Draw(t, "counters")
		s.Statuses = rapid.MapOf(rapid.SampledFrom([]int{200, 304, 500}), count).Draw(t, "statuses")
		for _, name := range []string{summary.HTTPReqFailed, "checks"} {
			if n := count.Draw(t, name); n > 0 {
				s.Rates[name] = summary.Rate{True: rapid.Int64Range(0, n).Draw(t, "true"), Total: n}
			}
		}
		for _, name := range []string{summary.VUs, summary.VUsMax} {
			var g summary.Gauge
			for _, v := range rapid.SliceOfN(rapid.IntRange(0, 100), 0, 4).Draw(t, name) {
				g.Set(float64(v))
			}
			s.Gauges[name] = g
		}
		for name, bits := range map[string]hist.Bits{summary.HTTPReqDuration: hist.Fine, summary.HTTPReqWaiting: hist.Coarse} {
			if values := rapid.SliceOfN(rapid.Int64Range(0, 1e12), 0, 5).Draw(t, name); len(values) > 0 {
				h := hist.New(bits)
				for _, v := range values {
					h.Record(v)
				}
				s.Trends[name] = h
			}
		}
		codes := rapid.SliceOfNDistinct(rapid.SampledFrom([]int{1000, 1050, 1212, 1500}), 0, 4, rapid.ID).Draw(t, "codes")
		for _, code := range codes {
			s.Errors = append(s.Errors, summary.ErrorClass{Code: code, Count: count.Draw(t, "n"), Sample: rapid.SampledFrom([]string{"", "a", "b"}).Draw(t, "sample")})
		}
		s.Series = genSeries().Draw(t, "series")
		s.Unexpected = rapid.MapOf(rapid.SampledFrom([]int{200, 500}), count).Draw(t, "unexpected")
		s.Broken = count.Draw(t, "broken")
		for _, text := range []string{"http_reqs: rate<1", "http_req_failed: rate<0.5", "vus: value>50", "http_req_duration: p(95)<100", "http_req_waiting: avg>1"} {
			c, err := threshold(text).Parse()
			if err != nil {
				t.Fatal(err)
			}
			r := s.Evaluate([]plan.Condition{c})[0]
			r.Cut = !r.OK && rapid.Bool().Draw(t, "cut")
			s.Thresholds = append(s.Thresholds, r)
		}
		return s
	})
}

func same(a, b *summary.Summary) bool {
	return a.Start.Equal(b.Start) && a.Duration == b.Duration &&
		maps.Equal(a.Counters, b.Counters) && maps.Equal(a.Rates, b.Rates) &&
		maps.Equal(a.Gauges, b.Gauges) && maps.Equal(a.Statuses, b.Statuses) &&
		maps.EqualFunc(a.Trends, b.Trends, sameHistogram) && slices.Equal(a.Errors, b.Errors) &&
		sameSeries(a.Series, b.Series, false) &&
		maps.Equal(a.Unexpected, b.Unexpected) && a.Broken == b.Broken && cmp.Equal(a.Thresholds, b.Thresholds)
}

func mergedSummary(parts ...*summary.Summary) *summary.Summary {
	var out summary.Summary // the zero Summary is the neutral element
	for _, p := range parts {
		out.Merge(p)
	}
	return &out
}

func TestMergeLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b, c := genSummary().Draw(t, "a"), genSummary().Draw(t, "b"), genSummary().Draw(t, "c")
		copyOfB := mergedSummary(b)
		ab := mergedSummary(a, b)
		if !same(ab, mergedSummary(b, a)) {
			t.Error("a+b is not b+a")
		}
		if !same(mergedSummary(ab, c), mergedSummary(a, mergedSummary(b, c))) {
			t.Error("(a+b)+c is not a+(b+c)")
		}
		ab.Merge(c)
		if !same(copyOfB, mergedSummary(b)) {
			t.Error("merging b, or into what it was merged into, changed b")
		}
	})
}

// Two shares of one run, merged, are the run.
func TestMerge(t *testing.T) {
	early, late := time.Unix(100, 0), time.Unix(200, 0)
	part := func(start time.Time, seconds, requests, failed int64, sample string, latency ...int64) *summary.Summary {
		s := summary.New(start)
		s.Duration = time.Duration(seconds) * time.Second
		s.Counters[summary.HTTPReqs] = requests
		s.Rates[summary.HTTPReqFailed] = summary.Rate{True: failed, Total: requests}
		s.Gauges[summary.VUs] = summary.Gauge{Value: 1, Min: 1, Max: 4, N: seconds}
		s.Trends[summary.HTTPReqDuration] = histogram(latency...)
		s.Errors = []summary.ErrorClass{{Code: 1212, Count: failed, Sample: sample}}
		s.Statuses[200] = requests - failed
		return s
	}
	s := part(late, 10, 100, 1, "refused", 1e6, 2e6)
	s.Merge(part(early, 20, 300, 29, "connection refused", 3e6))
	f := s.Fields()
	if !s.Start.Equal(early) || s.Duration != 20*time.Second || f.RPS != 20 || *f.ErrorRate != 0.075 {
		t.Errorf("start %v, duration %v, %g rps, error rate %g; want the earlier, the longer, 20, 0.075", s.Start, s.Duration, f.RPS, *f.ErrorRate)
	}
	if got := s.Trends[summary.HTTPReqDuration]; got.Count() != 3 || got.Max() != 3e6 {
		t.Errorf("%d samples up to %d; want 3 up to 3e6", got.Count(), got.Max())
	}
	if want := (summary.Gauge{Value: 2, Min: 2, Max: 8, N: 20}); s.Gauges[summary.VUs] != want {
		t.Errorf("vus %+v; want %+v", s.Gauges[summary.VUs], want)
	}
	if want := []summary.ErrorClass{{Code: 1212, Count: 30, Sample: "connection refused"}}; !slices.Equal(s.Errors, want) {
		t.Errorf("errors %+v; want %+v", s.Errors, want)
	}
	if s.Statuses[200] != 370 {
		t.Errorf("%d answers of 200; want 370", s.Statuses[200])
	}
}

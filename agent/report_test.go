package agent

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/nollagluiz/broadside/fleet"
	"github.com/nollagluiz/broadside/plan"
	"github.com/nollagluiz/broadside/summary"
	"github.com/nollagluiz/broadside/summary/hist"
)

func testRun(t fleet.Target) *run {
	return &run{
		start:  fleet.RunStart{ID: "id", TargetID: t.ID, Agent: "agent", StartedAt: fleet.Millis(epoch), Spec: t.Redacted()},
		target: t,
	}
}

func TestRunEnd(t *testing.T) {
	s := fakeSummary(10 * time.Second)
	s.Trends[summary.HTTPReqWaiting] = s.Trends[summary.HTTPReqDuration].Clone()
	s.Trends[summary.HTTPReqTLS] = hist.New(hist.Fine) // empty
	s.Statuses[503] = 2
	s.Gauges[summary.VUsMax] = summary.Gauge{Value: 4, Max: 4, N: 1}
	s.Counters[summary.IterationsInterrupted] = 3
	s.Counters[summary.DataSent], s.Counters[summary.DroppedIterations] = 77, 5
	for i := range 40 {
		s.Errors = append(s.Errors, summary.ErrorClass{Code: 1000 + i, Count: int64(40 - i), Sample: strings.Repeat("é", 400)})
	}
	end := newRunEnd(testRun(site("a")), 10*time.Second, summary.Outcome{Summary: s, Verdict: summary.ThresholdFailed, Message: "Some failed."})
	if end.Status != fleet.RunDone || end.Verdict != summary.ThresholdFailed || end.EndedAt.Sub(epoch) != 10*time.Second {
		t.Errorf("end %+v", end)
	}
	m := end.Metrics
	if m.VUsMax != 4 || m.IterationsInterrupted != 3 || m.DroppedIterations != 5 || m.DataSentBytes != 77 || m.DurationS != 10 || m.RPS != 1 || *m.Min != 10 || *m.Max != 10 {
		t.Errorf("metrics %+v", m)
	}
	if end.Statuses["503"] != 2 || end.Statuses["200"] != 10 {
		t.Errorf("statuses %v", end.Statuses)
	}
	if len(end.Errors) != fleet.MaxErrors || end.Errors[0].Code != 1000 || !utf8.ValidString(end.Errors[0].Sample) || len(end.Errors[0].Sample) > maxSample {
		t.Errorf("%d errors, the first %+v", len(end.Errors), end.Errors[0])
	}
	for name, bits := range map[string]hist.Bits{summary.HTTPReqDuration: hist.Fine, summary.HTTPReqWaiting: hist.Coarse} {
		var h hist.Histogram
		if err := h.UnmarshalBinary(end.Trends[name]); err != nil || h.Resolution() != bits || h.Count() != 10 {
			t.Errorf("%s: %v, %d bits, %d samples; want %d bits, 10", name, err, h.Resolution(), h.Count(), bits)
		}
	}
	if _, ok := end.Trends[summary.HTTPReqTLS]; ok {
		t.Error("a trend without a sample is there")
	}
}

// Thresholds go to the wire in order and within its bounds; the submetrics that they named stay here.
func TestRunEndThresholds(t *testing.T) {
	s := fakeSummary(10 * time.Second)
	s.Trends[summary.ExpectedDuration] = s.Trends[summary.HTTPReqDuration]
	s.Trends["http_req_duration{status:200}"] = s.Trends[summary.HTTPReqDuration]
	v, nan := 12.5, math.NaN()
	target := site("a")
	target.URL = "http://a.test/?token=hunter22"
	s.Thresholds = []summary.ThresholdResult{
		{Threshold: plan.Threshold{Metric: "http_reqs", Expression: "count>0", AbortOnFail: true}, OK: true, Value: &v},
		{Threshold: plan.Threshold{Metric: "http_reqs{name:http://a.test/?token=hunter22}", Expression: "count>1"}},
		{Threshold: plan.Threshold{Metric: strings.Repeat("é", 400), Expression: strings.Repeat("9", 400)}, Value: &nan},
	}
	for range plan.MaxThresholds {
		s.Thresholds = append(s.Thresholds, s.Thresholds[0])
	}
	end := newRunEnd(testRun(target), 10*time.Second, summary.Outcome{Summary: s, Verdict: summary.ThresholdFailed, Message: "Some were crossed."})
	if len(end.Thresholds) != fleet.MaxThresholds {
		t.Fatalf("%d thresholds; want %d", len(end.Thresholds), fleet.MaxThresholds)
	}
	if r := end.Thresholds[0]; r.Metric != "http_reqs" || r.Expression != "count>0" || !r.OK || *r.Value != 12.5 {
		t.Errorf("the first: %+v", r)
	}
	if r := end.Thresholds[1]; r.Metric != "http_reqs{name:http://a.test/?token=***}" || r.OK || r.Value != nil {
		t.Errorf("the second: %+v", r)
	}
	if r := end.Thresholds[2]; len(r.Metric) > maxMetric || !utf8.ValidString(r.Metric) || len(r.Expression) > maxExpression || r.Value != nil {
		t.Errorf("the third: %+v", r)
	}
	if end.Trends["http_req_duration{status:200}"] != nil || end.Trends[summary.ExpectedDuration] == nil {
		t.Errorf("%d trends; want the built-in submetric alone", len(end.Trends))
	}
	body, err := encode(end, s)
	if err != nil || !strings.Contains(string(body), `"thresholds":[{"metric":"http_reqs","expression":"count\u003e0","ok":true,"value":12.5},`) {
		t.Errorf("%v in %.2000s", err, body)
	}
}

// Those of a script's own options, as an external k6 tells of them.
func TestK6RunEndThresholds(t *testing.T) {
	k := &summary.K6{Metrics: map[string]summary.K6Metric{
		"http_reqs": {Type: summary.K6Counter, Values: map[string]float64{"count": 4, "rate": 1}, Thresholds: map[string]bool{"count>9": false, "count>0": true}},
		"checks":    {Type: summary.K6Rate, Thresholds: map[string]bool{"rate>0.9": true}},
	}}
	end := newRunEnd(testRun(site("a")), time.Second, summary.Outcome{K6: k, Verdict: summary.ThresholdFailed, Message: "One was crossed."})
	want := []fleet.ThresholdResult{{Metric: "checks", Expression: "rate>0.9", OK: true}, {Metric: "http_reqs", Expression: "count>0", OK: true}, {Metric: "http_reqs", Expression: "count>9"}}
	if !slices.Equal(end.Thresholds, want) {
		t.Errorf("%+v; want %+v", end.Thresholds, want)
	}
}

// Field report 31: a run without a single request, or with numbers that JSON can't say, has nulls and zeros.
func TestRunEndWithoutNumbers(t *testing.T) {
	for name, s := range map[string]*summary.Summary{
		"empty": summary.New(epoch),
		"no time": func() *summary.Summary {
			s := fakeSummary(10 * time.Second)
			s.Duration, s.Trends = 0, nil
			return s
		}(),
	} {
		t.Run(name, func(t *testing.T) {
			body, err := encode(newRunEnd(testRun(site("a")), 0, summary.Judge(s, false)), s)
			if err != nil {
				t.Fatal(err)
			}
			var end fleet.RunEnd
			if err := json.Unmarshal(body, &end); err != nil {
				t.Fatal(err)
			}
			if m := end.Metrics; m == nil || m.P50 != nil || m.Avg != nil || m.Min != nil || m.RPS != 0 {
				t.Errorf("metrics %+v", m)
			}
		})
	}
	for _, v := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		if finite(&v) != nil {
			t.Errorf("%v counts as finite", v)
		}
	}
}

// Field report 58: the body stays within 200 KiB; the series gives way first, its counts exact, and the distribution of
// the run is kept.
func TestResultIsBounded(t *testing.T) {
	wide := func(buckets int, bits hist.Bits) *summary.Summary {
		s := summary.New(epoch)
		s.Trends[summary.HTTPReqDuration] = hist.New(bits)
		for i := range buckets {
			latency := hist.New(hist.Coarse)
			for range 500 {
				ns := int64(math.Exp(rand.Float64()*20 + 5)) // from 0.1 us to 70 s
				latency.Record(ns)
				s.Trends[summary.HTTPReqDuration].Record(ns)
			}
			s.Series.Add(summary.Bucket{At: time.Duration(i) * time.Second, Requests: 500, Failures: 1, Iterations: 500, VUs: 3, Duration: latency})
		}
		return s
	}
	for _, tc := range []struct {
		name    string
		s       *summary.Summary
		most    int // buckets left
		least   int
		request int64
	}{
		{"a short run keeps all", wide(30, hist.Fine), 30, 30, 15_000},
		{"a long run is halved", wide(300, hist.Coarse), 150, 75, 150_000},
	} {
		t.Run(tc.name, func(t *testing.T) {
			count := tc.s.Trends[summary.HTTPReqDuration].Count()
			body, err := encode(newRunEnd(testRun(site("a")), time.Minute, summary.Judge(tc.s, false)), tc.s)
			if err != nil {
				t.Fatal(err)
			}
			if len(body) > maxResult {
				t.Errorf("%d bytes; want at most %d", len(body), maxResult)
			}
			var end fleet.RunEnd
			if err := json.Unmarshal(body, &end); err != nil {
				t.Fatal(err)
			}
			if n := len(end.Series.Buckets); n > tc.most || n < tc.least {
				t.Errorf("%d buckets; want %d to %d", n, tc.least, tc.most)
			}
			var requests int64
			for _, b := range end.Series.Buckets {
				requests += b.Requests
			}
			if requests != tc.request {
				t.Errorf("%d requests in the series; want %d", requests, tc.request)
			}
			var h hist.Histogram
			if err := h.UnmarshalBinary(end.Trends[summary.HTTPReqDuration]); err != nil || h.Count() != count {
				t.Errorf("distribution: %v, %d samples; want %d", err, h.Count(), count)
			}
		})
	}
	t.Run("a series that can't fit is dropped", func(t *testing.T) {
		s := wide(300, hist.Coarse)
		r := testRun(site("a"))
		r.start.Spec.Label = strings.Repeat("x", maxResult)
		body, err := encode(newRunEnd(r, time.Minute, summary.Judge(s, false)), s)
		if err != nil {
			t.Fatal(err)
		}
		var end fleet.RunEnd
		if err := json.Unmarshal(body, &end); err != nil || end.Series != nil || end.Trends == nil {
			t.Errorf("%v, series %v; want no series", err, end.Series)
		}
	})
}

// Field report 22: no credential of a target is in what is said about it.
func TestSecretsAreHidden(t *testing.T) {
	secret := site("a")
	secret.URL = "http://user:hunter2@site.test/?token=t0psecret&page=2"
	secret.Headers = map[string]string{"Authorization": "Bearer abcdef", "Accept": "text/html"}
	secret.Body = "the body"
	for _, tc := range []struct{ in, want string }{
		{"plain words", "plain words"},
		{"Get " + secret.URL + ": refused", "Get http://***@site.test/?token=***&page=2: refused"},
		{"password hunter2", "password ***"},
		{"as user:hunter2", "as ***"},
		{"token t0psecret, page 2", "token ***, page 2"},
		{"header Bearer abcdef and text/html", "header *** and text/html"},
	} {
		end := newRunEnd(testRun(secret), 0, summary.Outcome{
			Summary: &summary.Summary{Errors: []summary.ErrorClass{{Code: 1000, Count: 1, Sample: tc.in}}},
			Verdict: summary.Error, Message: tc.in,
		})
		if end.Message != tc.want || end.Errors[0].Sample != tc.want {
			t.Errorf("%q became %q and %q; want %q", tc.in, end.Message, end.Errors[0].Sample, tc.want)
		}
	}
	body, _ := json.Marshal(newRunEnd(testRun(secret), 0, summary.Outcome{}))
	for _, leak := range []string{"hunter2", "t0psecret", "abcdef", "the body"} {
		if strings.Contains(string(body), leak) {
			t.Errorf("the result holds %q: %s", leak, body)
		}
	}
}

func TestCut(t *testing.T) {
	for _, tc := range []struct {
		in   string
		n    int
		want string
	}{
		{"short", 10, "short"},
		{"exactly 10", 10, "exactly 10"},
		{"a little longer", 10, "a littl…"},
		{"ééééé", 7, "éé…"},
		{"bad \xff byte", 20, "bad \uFFFD byte"},
	} {
		if got := cut(tc.in, tc.n); got != tc.want {
			t.Errorf("cut(%q, %d) = %q; want %q", tc.in, tc.n, got, tc.want)
		}
	}
}

package summary_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/nollagluiz/broadside/plan"
	"github.com/nollagluiz/broadside/summary"
	"github.com/nollagluiz/broadside/summary/hist"
)

func conditions(t *testing.T, thresholds ...plan.Threshold) []plan.Condition {
	t.Helper()
	var out []plan.Condition
	for _, threshold := range thresholds {
		c, err := threshold.Parse()
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, c)
	}
	return out
}

// threshold reads "metric: expression".
func threshold(text string) plan.Threshold {
	i := strings.LastIndex(text, ": ")
	return plan.Threshold{Metric: text[:i], Expression: text[i+2:]}
}

// timed is a run of 10 s with a request of each of 1 to 100 ms, 5 of them failed, in one submetric of 40.
func timed() *summary.Summary {
	s := summary.New(time.Time{})
	s.Duration = 10 * time.Second
	s.Counters[summary.HTTPReqs] = 100
	s.Counters["http_reqs{status:200}"] = 40
	s.Rates[summary.HTTPReqFailed] = summary.Rate{True: 5, Total: 100}
	s.Gauges[summary.VUs] = summary.Gauge{Value: 3, Min: 1, Max: 9, N: 10}
	s.Statuses[200] = 100
	s.Trends[summary.HTTPReqDuration] = hist.New(hist.Fine)
	for ms := range 100 {
		s.Trends[summary.HTTPReqDuration].Record(int64(ms+1) * int64(time.Millisecond))
	}
	return s
}

func TestEvaluate(t *testing.T) {
	for _, c := range []struct {
		threshold string
		value     float64
		ok        bool
	}{
		{"http_reqs: count>=100", 100, true},
		{"http_reqs: count>100", 100, false},
		{"http_reqs: rate==10", 10, true},
		{"http_reqs{status:200}: count==40", 40, true},
		{"http_reqs{status:200}: rate<4", 4, false},
		{"http_req_failed: rate<=0.05", 0.05, true},
		{"http_req_failed: rate<0.05", 0.05, false},
		{"vus: value===3", 3, true},
		{"vus: value!=3", 3, false},
		{"http_req_duration: avg==50.5", 50.5, true},
		{"http_req_duration: min>=1", 1, true},
		{"http_req_duration: max<100", 100, false},
		{"http_req_duration: med<51", 50.5, true},
		{"http_req_duration: p(50)<51", 50.5, true},
		{"http_req_duration: p(0)==1", 1, true},
		{"http_req_duration: p(100)<=100", 100, true},
		{"http_req_duration: p(95)<95", 95.05, false},
		{"data_sent: count>0", 0, false}, // k6 has samples of 0
	} {
		t.Run(c.threshold, func(t *testing.T) {
			want := threshold(c.threshold)
			got := timed().Evaluate(conditions(t, want))
			if len(got) != 1 || got[0].Threshold != want || got[0].OK != c.ok || got[0].Cut {
				t.Fatalf("%+v; want it held: %v", got, c.ok)
			}
			if v := got[0].Value; v == nil || math.Abs(*v-c.value) > 1e-3*c.value { // the histogram's error
				t.Errorf("value %v; want %g", v, c.value)
			}
		})
	}
}

// k6 v2.2.0's rules for metrics without a sample, at the end of a run: a rate holds, the rest is 0.
func TestEvaluateNothing(t *testing.T) {
	for text, ok := range map[string]bool{
		"http_req_failed: rate<0.01":             true,
		"http_req_failed: rate>0.99":             true,
		"http_req_failed{status:500}: rate>2":    true,
		"http_reqs: count>0":                     false,
		"http_reqs: count>=0":                    true,
		"http_reqs: rate<1":                      true,
		"http_reqs{status:500}: count<1":         true,
		"http_req_duration: avg>1":               false,
		"http_req_duration: p(95)<500":           true,
		"http_req_duration{status:200}: max!=0":  false,
		"dropped_iterations: count==0":           true,
		"vus: value>0":                           false,
		"vus: value>=0":                          true,
		"http_req_tls_handshaking: p(99.9)>-0.1": true,
	} {
		t.Run(text, func(t *testing.T) {
			for name, s := range map[string]*summary.Summary{
				"new": summary.New(time.Time{}), "zero": {}, "an empty trend": {Trends: map[string]*hist.Histogram{summary.HTTPReqDuration: hist.New(hist.Fine)}},
			} {
				got := s.Evaluate(conditions(t, threshold(text)))[0]
				if got.OK != ok || got.Value != nil {
					t.Errorf("%s: held %v, value %v; want %v without one", name, got.OK, got.Value, ok)
				}
			}
		})
	}
}

// Each metric that a summary names may be in a threshold.
func TestThresholdsKnowEachMetric(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "summary.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || len(spec.Values) != 1 {
			return true
		}
		if lit, ok := spec.Values[0].(*ast.BasicLit); ok && lit.Kind == token.STRING {
			name, _ := strconv.Unquote(lit.Value)
			seen++
			if m, ok := plan.MetricOf(name); !ok || m.PerRequest != strings.HasPrefix(name, "http_req") && name != summary.HTTPReqRetries && name != summary.HTTPReqAnomalies {
				t.Errorf("%s is %+v to a threshold", name, m)
			}
		}
		return true
	})
	if seen != len(plan.Metrics()) {
		t.Errorf("%d constants, %d metrics", seen, len(plan.Metrics()))
	}
}

func TestJudgeByThresholds(t *testing.T) {
	ok := []string{"http_reqs: count>0"}
	for _, c := range []struct {
		name       string
		thresholds []string
		edit       func(s *summary.Summary)
		verdict    summary.Verdict
		message    string
	}{
		{"held", ok, nil, summary.OK, "100 requests, 5 % failed."},
		{"held, whatever failed", ok, func(s *summary.Summary) { s.Rates[summary.HTTPReqFailed] = summary.Rate{True: 99, Total: 100} }, summary.OK, "100 requests, 99 % failed."},
		{"one", []string{"http_reqs: count>0", "http_req_duration: max<1"}, nil, summary.ThresholdFailed, "A threshold was crossed: http_req_duration: max<1 (100 ms)."},
		{"a rate of a counter", []string{"http_reqs: rate>11"}, nil, summary.ThresholdFailed, "A threshold was crossed: http_reqs: rate>11 (10/s)."},
		{"no data", []string{"http_reqs{status:500}: count>0"}, nil, summary.ThresholdFailed, "A threshold was crossed: http_reqs{status:500}: count>0 (no data)."},
		{"two", []string{"http_req_failed: rate<0.01", "vus: value>5"}, nil, summary.ThresholdFailed, "2 thresholds were crossed: http_req_failed: rate<0.01 (0.05); vus: value>5 (3)."},
		{"many", slices.Repeat([]string{"vus: value>5"}, 7), nil, summary.ThresholdFailed,
			"7 thresholds were crossed: " + strings.Repeat("vus: value>5 (3); ", 5) + "and 2 more."},
		{"the default's place is taken", []string{"http_req_failed: rate<0.5"}, func(s *summary.Summary) { s.Rates[summary.HTTPReqFailed] = summary.Rate{True: 49, Total: 100} }, summary.OK, "100 requests, 49 % failed."},
		{"with what failed most", []string{"http_req_failed: rate<0.01"}, func(s *summary.Summary) {
			s.Errors = []summary.ErrorClass{{Code: 1503, Count: 2, Sample: "HTTP status 503 Service Unavailable"}}
			s.Unexpected = map[int]int64{503: 2, 200: 3}
		}, summary.ThresholdFailed, "A threshold was crossed: http_req_failed: rate<0.01 (0.05); failures most often: HTTP status 200."},
		{"before it: unreachable", []string{"http_reqs: count<1"}, func(s *summary.Summary) { clear(s.Statuses) }, summary.TargetUnreachable, "None of 100 requests got a response."},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := timed()
			if c.edit != nil {
				c.edit(s)
			}
			var thresholds []plan.Threshold
			for _, text := range c.thresholds {
				thresholds = append(thresholds, threshold(text))
			}
			s.Thresholds = s.Evaluate(conditions(t, thresholds...))
			if out := summary.Judge(s, false); out.Verdict != c.verdict || out.Message != c.message {
				t.Errorf("%s: %s\nwant %s: %s", out.Verdict, out.Message, c.verdict, c.message)
			}
			if out := summary.Judge(s, true); out.Verdict != summary.Aborted {
				t.Errorf("%s; want aborted first", out.Verdict)
			}
		})
	}
}

// A threshold that cut its run failed it, even where what came after would have let it hold.
func TestJudgeOfARunThatWasCut(t *testing.T) {
	s := timed()
	s.Duration = 4 * time.Second
	v := 12.0
	s.Thresholds = []summary.ThresholdResult{{Threshold: threshold("http_req_duration: max<10"), Value: &v, Cut: true}}
	out := summary.Judge(s, false)
	if want := "A threshold was crossed: http_req_duration: max<10 (12 ms, cut the run after 4s)."; out.Verdict != summary.ThresholdFailed || out.Message != want {
		t.Errorf("%s: %s\nwant %s", out.Verdict, out.Message, want)
	}
	whole := summary.New(time.Time{})
	whole.Merge(s)
	if out := summary.Judge(whole, false); out.Verdict != summary.ThresholdFailed {
		t.Errorf("merged: %s", out.Verdict)
	}
	if r := whole.Thresholds[0]; r.OK || !r.Cut || *r.Value != 100 {
		t.Errorf("merged: %+v; want the merged value, cut and not held", r)
	}
}

// An answer whose body broke off is an answer: the target was reached.
func TestJudgeOfBrokenAnswers(t *testing.T) {
	s := measured(nil, map[int]int64{1000: 10})
	s.Broken = 10
	if out := summary.Judge(s, false); out.Verdict != summary.ThresholdFailed {
		t.Errorf("%s: %s", out.Verdict, out.Message)
	}
}

// A 200 where only a 204 was expected has no error class, but it is named.
func TestJudgeNamesAnUnexpectedStatus(t *testing.T) {
	for _, c := range []struct {
		name       string
		unexpected map[int]int64
		errors     []summary.ErrorClass
		want       string
	}{
		{"200 alone", map[int]int64{200: 4}, nil, "HTTP status 200."},
		{"the lesser of two as frequent", map[int]int64{301: 3, 200: 3, 404: 1}, nil, "HTTP status 200."},
		{"an error as frequent", map[int]int64{500: 3}, []summary.ErrorClass{{Code: 1500, Count: 3, Sample: "a text"}}, "a text (code 1500)."},
		{"an error less frequent", map[int]int64{200: 3}, []summary.ErrorClass{{Code: 1212, Count: 2, Sample: "refused"}}, "HTTP status 200."},
		{"an error more frequent", map[int]int64{200: 3}, []summary.ErrorClass{{Code: 1212, Count: 9, Sample: "refused"}}, "refused (code 1212)."},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := measured(map[int]int64{200: 9}, nil)
			s.Rates[summary.HTTPReqFailed] = summary.Rate{True: 9, Total: 9}
			s.Unexpected, s.Errors = c.unexpected, c.errors
			if got := summary.Judge(s, false).Message; !strings.HasSuffix(got, "; most often: "+c.want) {
				t.Errorf("%q; want its end %q", got, c.want)
			}
		})
	}
}

// Thresholds of a whole are judged over the whole: parts that crossed may make one that holds, and the other way.
func TestMergeEvaluatesAgain(t *testing.T) {
	list := conditions(t, threshold("http_reqs: count>=150"), threshold("http_reqs{status:200}: count<80"), threshold("http_req_duration{status:500}: max<1"))
	part := func() *summary.Summary {
		s := timed()
		s.Thresholds = s.Evaluate(list)
		return s
	}
	whole := summary.New(time.Time{})
	for range 2 {
		whole.Merge(part())
	}
	var got []string
	for _, r := range whole.Thresholds {
		v := "none"
		if r.Value != nil {
			v = fmt.Sprint(*r.Value)
		}
		got = append(got, fmt.Sprintf("%s %s %v %s", r.Metric, r.Expression, r.OK, v))
	}
	if diff := cmp.Diff([]string{"http_reqs count>=150 true 200", "http_reqs{status:200} count<80 false 80", "http_req_duration{status:500} max<1 true none"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	alone := part()
	if alone.Thresholds[0].OK || !alone.Thresholds[1].OK {
		t.Errorf("a part: %+v", alone.Thresholds)
	}
}

package plan_test

import (
	"errors"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/nollagluiz/broadside/plan"
)

// What k6 v2.2.0 takes, as told by running it with a script that has the one threshold.
func TestParseExpression(t *testing.T) {
	type want struct {
		aggregation string
		percentile  float64
		operator    string
		limit       float64
	}
	for _, c := range []struct {
		metric, expression string
		want               want
	}{
		{"http_reqs", "count>=0", want{"count", 0, ">=", 0}},
		{"http_reqs", " count >= 0 ", want{"count", 0, ">=", 0}},
		{"http_reqs", "count\t<\n1\r\n", want{"count", 0, "<", 1}},
		{"http_reqs", "count<\u00a01\u00a0", want{"count", 0, "<", 1}},
		{"http_reqs", "count<=+1", want{"count", 0, "<=", 1}},
		{"http_reqs", "count>-1", want{"count", 0, ">", -1}},
		{"http_reqs", "count==1e-3", want{"count", 0, "==", 0.001}},
		{"http_reqs", "count===0x1p4", want{"count", 0, "===", 16}},
		{"http_reqs", "count!=1_000", want{"count", 0, "!=", 1000}},
		{"http_reqs", "rate<.5", want{"rate", 0, "<", 0.5}},
		{"http_reqs", "rate<5.", want{"rate", 0, "<", 5}},
		{"http_reqs", "rate<Inf", want{"rate", 0, "<", math.Inf(1)}},
		{"http_reqs", "rate>-infinity", want{"rate", 0, ">", math.Inf(-1)}},
		{"http_req_failed", "rate<0.1", want{"rate", 0, "<", 0.1}},
		{"vus", "value>0", want{"value", 0, ">", 0}},
		{"http_req_duration", "avg<1", want{"avg", 0, "<", 1}},
		{"http_req_duration", "min<1", want{"min", 0, "<", 1}},
		{"http_req_duration", "max<1", want{"max", 0, "<", 1}},
		{"http_req_duration", "med<1", want{"med", 0, "<", 1}},
		{"http_req_duration", "p(95)<500", want{"p(N)", 95, "<", 500}},
		{"http_req_duration", "p(0) <1", want{"p(N)", 0, "<", 1}},
		{"http_req_duration", "p(100.0)<1", want{"p(N)", 100, "<", 1}},
		{"http_req_duration", "p(99.999)<1", want{"p(N)", 99.999, "<", 1}},
		{"http_req_duration", "p(+5)<1", want{"p(N)", 5, "<", 1}},
		{"http_req_duration", "p(1e1)<1", want{"p(N)", 10, "<", 1}},
		{"http_req_duration", "p(.5)<1", want{"p(N)", 0.5, "<", 1}},
		{"http_req_duration", "p(0095)<1", want{"p(N)", 95, "<", 1}},
	} {
		t.Run(c.metric+": "+c.expression, func(t *testing.T) {
			got, err := plan.Threshold{Metric: c.metric, Expression: c.expression}.Parse()
			if err != nil {
				t.Fatal(err)
			}
			if w := (want{got.Aggregation, got.Percentile, got.Operator, got.Limit}); w != c.want {
				t.Errorf("%+v; want %+v", w, c.want)
			}
		})
	}
}

// What k6 v2.2.0 refuses, and three things that it takes and that can't be meant: NaN, "p" alone, and a blank metric.
func TestParseRefusesAnExpression(t *testing.T) {
	for _, c := range []struct{ metric, expression, says string }{
		{"http_reqs", "", `"" has none of the operators`},
		{"http_reqs", "count", "none of the operators"},
		{"http_reqs", "count=1", "none of the operators"},
		{"http_reqs", "count = = 1", "none of the operators"},
		{"http_reqs", "count≤1", "none of the operators"},
		{"http_reqs", "count<", `"" is no number`},
		{"http_reqs", "count<0x10", `"0x10" is no number`},
		{"http_reqs", "count<0b11", "no number"},
		{"http_reqs", "count<1,5", "no number"},
		{"http_reqs", "count<1e400", "no number"},
		{"http_reqs", "count<1ms", "no number"},
		{"http_reqs", "count<1%", "no number"},
		{"http_reqs", "count<1 2", "no number"},
		{"http_reqs", "count<1;", "no number"},
		{"http_reqs", "count<١", "no number"},
		{"http_reqs", "count>=NaN", `"NaN" is no number`},
		{"http_reqs", "count<==1", `"=1" is no number`},
		{"http_reqs", "count====0", `"=0" is no number`},
		{"http_reqs", "count<>1", `">1" is no number`},
		{"http_reqs", "count<1<2", `"1<2" is no number`},
		{"http_reqs", "count < =1", `"=1" is no number`},
		{"http_reqs", "count!==0", `http_reqs is a counter, which has no "count!" but count, rate`},
		{"http_reqs", "count=<1", `no "count="`},
		{"http_reqs", "count>0 && count<2", `no "count>0 && count"`},
		{"http_reqs", "<1", `no ""`},
		{"http_reqs", "Count<1", `no "Count"`},
		{"http_reqs", "co unt<1", `no "co unt"`},
		{"http_reqs", "count()<1", `no "count()"`},
		{"http_reqs", "'count<1'", `no "'count"`},
		{"http_reqs", "value<1", `no "value" but count, rate`},
		{"http_reqs", "p(95)<1", `no "p(95)" but count, rate`},
		{"http_req_failed", "count<1", `http_req_failed is a rate, which has no "count" but rate`},
		{"vus", "max<1", `vus is a gauge, which has no "max" but value`},
		{"http_req_duration", "count<1", `http_req_duration is a trend, which has no "count" but avg, min, max, med, p(N)`},
		{"http_req_duration", "median<1", `no "median"`},
		{"http_req_duration", "p95<1", `no "p95"`},
		{"http_req_duration", "P(95)<1", `no "P(95)"`},
		{"http_req_duration", "p (95)<1", `no "p (95)"`},
		{"http_req_duration", "p<1", `no "p" but`},
		{"http_req_duration", "p(N)<1", `"p(N)" is no percentile`},
		{"http_req_duration", "p()<1", "no percentile"},
		{"http_req_duration", "p(95<1", "no percentile"},
		{"http_req_duration", "p(95))<1", "no percentile"},
		{"http_req_duration", "p(95)a<1", "no percentile"},
		{"http_req_duration", "p( 95 )<1", "no percentile"},
		{"http_req_duration", "p(101)<1", "no percentile"},
		{"http_req_duration", "p(-1)<1", "no percentile"},
		{"http_req_duration", "p(99,9)<1", "no percentile"},
		{"http_req_duration", "p(0x5)<1", "no percentile"},
		{"http_req_duration", "p(NaN)<1", "no percentile"},
		{"http_req_duration", "p(Inf)<1", "no percentile"},
		{"http_req_duration", "p(9<5)<1", `"p(9" is no percentile`},
		{"http_reqs", "count<" + strings.Repeat("1", plan.MaxThreshold), "at most 2048 bytes"},
	} {
		t.Run(c.metric+": "+c.expression[:min(len(c.expression), 20)], func(t *testing.T) {
			checkRefused(t, plan.Threshold{Metric: c.metric, Expression: c.expression}, "expression", c.says)
		})
	}
}

// checkRefused wants one fault, of the field, that says something.
func checkRefused(t *testing.T, threshold plan.Threshold, field, says string) {
	t.Helper()
	c, err := threshold.Parse()
	var errs plan.FieldErrors
	if !errors.As(err, &errs) || len(errs) != 1 || errs[0].Field != field {
		t.Fatalf("%+v, error %v; want one fault of %s", c, err, field)
	}
	if m := errs[0].Message; !strings.Contains(m, says) || len(m) > 1000 {
		t.Errorf("it says %q; want %q in it", m, says)
	}
}

// k6 v2.2.0's rules, seen in the counts that it gave to submetrics.
func TestParseSelector(t *testing.T) {
	const any = `count>=0`
	for _, c := range []struct {
		metric string
		want   []plan.Tag
	}{
		{`http_reqs`, nil},
		{`http_reqs{status:200}`, []plan.Tag{{"status", "200"}}},
		{`http_reqs{ status : 200 }`, []plan.Tag{{"status", "200"}}},
		{`http_reqs{status:200,method:GET}`, []plan.Tag{{"method", "GET"}, {"status", "200"}}},
		{`http_reqs{status:200,status:404}`, []plan.Tag{{"status", "404"}}},
		{`http_reqs{status:404,method:GET,status:200}`, []plan.Tag{{"method", "GET"}, {"status", "200"}}},
		{`http_reqs{"status":'200'}`, []plan.Tag{{"status", "200"}}},
		{`http_reqs{"status':""200"}`, []plan.Tag{{"status", "200"}}},
		{`http_reqs{status:" 200 "}`, []plan.Tag{{"status", " 200 "}}},
		{"http_reqs{status:`200`}", []plan.Tag{{"status", "`200`"}}},
		{`http_reqs{group:::g1}`, []plan.Tag{{"group", "::g1"}}},
		{`http_reqs{group:""}`, []plan.Tag{{"group", ""}}},
		{`http_reqs{name:http://a.test/?q=1}`, []plan.Tag{{"name", "http://a.test/?q=1"}}},
		{`http_reqs{name:"a,b:c"}`, []plan.Tag{{"b", "c"}, {"name", "a"}}},
		{`http_reqs{name:a{b}c}`, []plan.Tag{{"name", "a{b}c"}}},
		{`http_reqs{status:200}{a:b}`, []plan.Tag{{"status", "200}{a:b"}}},
		{`http_reqs{{status:200}}`, []plan.Tag{{"{status", "200}"}}},
		{`http_reqs{a b:c d}`, []plan.Tag{{"a b", "c d"}}},
	} {
		t.Run(c.metric, func(t *testing.T) {
			got, err := plan.Threshold{Metric: c.metric, Expression: any}.Parse()
			if err != nil {
				t.Fatal(err)
			}
			if got.Of.Name != "http_reqs" || !got.Of.PerRequest || got.Of.Type != plan.Counter {
				t.Errorf("of %+v", got.Of)
			}
			if diff := cmp.Diff(c.want, got.Selector); diff != "" {
				t.Errorf("selector (-want +got):\n%s", diff)
			}
		})
	}
}

func TestParseRefusesAMetric(t *testing.T) {
	for _, c := range []struct{ metric, says string }{
		{``, `no metric has the name ""`},
		{`{a:b}`, `no metric has the name ""`},
		{`http_req`, `no metric has the name "http_req"; the nearest is http_reqs`},
		{`http_req_duraton`, `the nearest is http_req_duration`},
		{`HTTP_REQS`, `the nearest is`},
		{`dropped_iteration`, `the nearest is dropped_iterations`},
		{` http_reqs`, `the nearest is http_reqs`},
		{`http_reqs {status:200}`, `no metric has the name "http_reqs "`},
		{`http_reqs}`, `no metric has the name "http_reqs}"`},
		{`checks`, `no metric has the name "checks"`},
		{`http_reqs{`, `lacks its closing brace`},
		{`http_reqs{status:200`, `lacks its closing brace`},
		{`http_reqs{status:200}x`, `lacks its closing brace`},
		{`http_reqs{}`, `"" is no tag:value`},
		{`http_reqs{status}`, `"status" is no tag:value`},
		{`http_reqs{status:}`, `"status:" is no tag:value; an empty value is written ""`},
		{`http_reqs{:200}`, `":200" is no tag:value`}, // k6 panics
		{`http_reqs{status:200,}`, `"" is no tag:value`},
		{`http_reqs{name:http://a.test/?a=1,b=2}`, `"b=2" is no tag:value`},
		{`http_reqs{` + strings.Repeat("a:b,", plan.MaxSelectorTags) + `a:b}`, `at most 16 tags in a selector, not 17`},
		{`http_reqs{a:` + strings.Repeat("b", plan.MaxThreshold) + `}`, `at most 2048 bytes`},
		{strings.Repeat("x", plan.MaxThreshold), `the nearest is`},
		{"http_reqs{a:\xff}", `not valid UTF-8`},
	} {
		t.Run(c.metric[:min(len(c.metric), 30)], func(t *testing.T) {
			checkRefused(t, plan.Threshold{Metric: c.metric, Expression: "count>=0"}, "metric", c.says)
		})
	}
}

func TestParseTellsBothFaults(t *testing.T) {
	_, err := plan.Threshold{Metric: "nope", Expression: "rate<x"}.Parse()
	var errs plan.FieldErrors
	if !errors.As(err, &errs) || len(errs) != 2 || errs[0].Field != "metric" || errs[1].Field != "expression" {
		t.Errorf("error %v; want a fault of each", err)
	}
}

func TestConditionHolds(t *testing.T) {
	for operator, want := range map[string][3]bool{ // of 1, 2 and 3 against 2
		"<": {true, false, false}, "<=": {true, true, false}, ">": {false, false, true}, ">=": {false, true, true},
		"==": {false, true, false}, "===": {false, true, false}, "!=": {true, false, true},
	} {
		c, err := plan.Threshold{Metric: "http_reqs", Expression: "count" + operator + "2"}.Parse()
		if err != nil {
			t.Fatal(err)
		}
		if got := [3]bool{c.Holds(1), c.Holds(2), c.Holds(3)}; got != want {
			t.Errorf("%s: 1, 2 and 3 hold: %v; want %v", operator, got, want)
		}
	}
}

func TestMetricOf(t *testing.T) {
	for name, want := range map[string]string{"vus": "vus", "http_reqs{status:200}": "http_reqs", "http_reqs{": "http_reqs", "nope": "", "": ""} {
		if m, ok := plan.MetricOf(name); m.Name != want || ok != (want != "") {
			t.Errorf("%q: %+v, %v; want %q", name, m, ok, want)
		}
	}
	names := plan.Metrics()
	if !slices.IsSortedFunc(names, func(a, b plan.Metric) int { return strings.Compare(a.Name, b.Name) }) {
		t.Errorf("%v is not sorted", names)
	}
}

func TestValidateThresholds(t *testing.T) {
	request := plan.Request{URL: "http://a.test/"}
	base := func() plan.Plan {
		return plan.Plan{Scenarios: []plan.Scenario{
			{Name: "login", Tags: map[string]string{"team": "red", "status": "mine"}, Request: request},
			{Name: "shop", Tags: map[string]string{"team": "blue"}, Request: request},
		}}
	}
	for _, c := range []struct {
		name       string
		thresholds []plan.Threshold
		faults     []string
		says       string
	}{
		{"none", nil, nil, ""},
		{"two, one delayed", []plan.Threshold{{Metric: "http_reqs", Expression: "count>0"}, {Metric: "vus", Expression: "value<9", AbortOnFail: true, DelayAbortEval: time.Hour}}, nil, ""},
		{"each tag of a request", []plan.Threshold{{Metric: "http_req_duration{scenario:login,team:blue,group:'',name:x,url:x,method:GET,status:200,expected_response:true,error_code:1050,proto:HTTP/1.1,tls_version:tls1.3}", Expression: "max<1"}}, nil, ""},
		{"each tag of a scenario", []plan.Threshold{{Metric: "vus{scenario:shop,team:red,group:''}", Expression: "value<1"}}, nil, ""},
		{"the engine's tag, not the scenario's", []plan.Threshold{{Metric: "http_reqs{status:503}", Expression: "count<1"}}, nil, ""},
		{"too many", make([]plan.Threshold, plan.MaxThresholds+1), []string{"thresholds"}, "at most 100, not 101"},
		{"the second is wrong", []plan.Threshold{{Metric: "http_reqs", Expression: "count>0"}, {Metric: "http_reqs", Expression: "p(95)<1"}}, []string{"thresholds[1].expression"}, "counter"},
		{"all is wrong", []plan.Threshold{{DelayAbortEval: -1}}, []string{"thresholds[0].metric", "thresholds[0].expression", "thresholds[0].delayAbortEval"}, ""},
		{"no such scenario", []plan.Threshold{{Metric: "http_reqs{scenario:logn}", Expression: "count>0"}}, []string{"thresholds[0].metric"}, `the tag scenario is never "logn": it is "login", "shop"`},
		{"no such value of a scenario's tag", []plan.Threshold{{Metric: "http_reqs{team:green}", Expression: "count>0"}}, []string{"thresholds[0].metric"}, `never "green": it is "red", "blue"`},
		{"no such tag", []plan.Threshold{{Metric: "http_reqs{stat:200}", Expression: "count>0"}}, []string{"thresholds[0].metric"}, `no sample of http_reqs has the tag "stat"`},
		{"no group", []plan.Threshold{{Metric: "http_reqs{group:::g1}", Expression: "count>0"}}, []string{"thresholds[0].metric"}, `never "::g1": it is ""`},
		{"neither true nor false", []plan.Threshold{{Metric: "http_reqs{expected_response:yes}", Expression: "count>0"}}, []string{"thresholds[0].metric"}, "never"},
		{"a request's tag on iterations", []plan.Threshold{{Metric: "iterations{status:200}", Expression: "count>0"}}, []string{"thresholds[0].metric"}, `no sample of iterations has the tag "status": they have "group", "scenario", "team"`},
		{"two wrong tags are one fault", []plan.Threshold{{Metric: "iterations{status:200,method:GET}", Expression: "count>0"}}, []string{"thresholds[0].metric"}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := base()
			p.Thresholds = c.thresholds
			checkFaults(t, p, c.faults...)
			if err := p.Validate(); c.says != "" && !strings.Contains(err.Error(), c.says) {
				t.Errorf("error %v; want %q in it", err, c.says)
			}
		})
	}
	t.Run("with a script", func(t *testing.T) {
		p := plan.Plan{Script: "export default () => {}", Scenarios: []plan.Scenario{{Request: request}}}
		p.Thresholds = []plan.Threshold{{Metric: "http_reqs", Expression: "count>0"}}
		checkFaults(t, p, "thresholds")
	})
}

// However much a plan holds, what is said of a slip is short.
func TestThresholdFaultsAreBounded(t *testing.T) {
	p := plan.Plan{}
	for i := range plan.MaxScenarios {
		p.Scenarios = append(p.Scenarios, plan.Scenario{
			Name:    strings.Repeat("n", 120) + string(rune('A'+i%26)) + string(rune('A'+i/26)),
			Tags:    map[string]string{strings.Repeat("t", 1000) + string(rune('A'+i)): strings.Repeat("v", 1000)},
			Request: plan.Request{URL: "http://a.test/"},
		})
	}
	for range plan.MaxThresholds {
		p.Thresholds = append(p.Thresholds, plan.Threshold{Metric: "http_reqs{" + strings.Repeat("x", 2000) + ":y}", Expression: strings.Repeat("z", 2000)})
	}
	if n := len(p.Validate().Error()); n > 1<<19 {
		t.Errorf("%d bytes of faults", n)
	}
}

// FuzzThreshold: what is read never breaks, and means the same when it is read again.
func FuzzThreshold(f *testing.F) {
	for _, seed := range [][2]string{
		{"http_req_duration{status:200, name : 'a:b' }", "p(99.9) <= 1e3"},
		{"http_reqs{group:::g1}", "count===1_0"},
		{"vus{", "value!=-Inf"},
		{"http_reqs{{a:b}}", "<<"},
	} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, metric, expression string) {
		c, err := plan.Threshold{Metric: metric, Expression: expression}.Parse()
		if err != nil {
			if len(err.Error()) > 2000 {
				t.Errorf("%d bytes of error", len(err.Error()))
			}
			return
		}
		if math.IsNaN(c.Limit) || !(c.Percentile >= 0 && c.Percentile <= 100) || c.Of.Name == "" {
			t.Fatalf("%+v", c)
		}
		if !slices.IsSortedFunc(c.Selector, func(a, b plan.Tag) int { return strings.Compare(a.Name, b.Name) }) {
			t.Errorf("selector %q is not sorted", c.Selector)
		}
		if again, err := c.Threshold.Parse(); err != nil || !cmp.Equal(c, again) {
			t.Errorf("again %+v, error %v; want %+v", again, err, c)
		}
		if c.Holds(1) && c.Holds(2) && c.Holds(3) && (c.Operator == "==" || c.Operator == "===") {
			t.Errorf("%s holds of all", c.Operator)
		}
	})
}

package k6exec

import (
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/nollagluiz/broadside/plan"
)

var update = flag.Bool("update", false, "rewrite testdata/plan.js")

// data takes a made script apart: the plan in it, and the code around.
func data(t *testing.T, script string) (plan map[string]any, code string) {
	t.Helper()
	before, rest, _ := strings.Cut(script, "JSON.parse(")
	literal, after, ok := strings.Cut(rest, ");\n")
	if !ok {
		t.Fatalf("no plan in\n%s", script)
	}
	var text string
	if err := json.Unmarshal([]byte(literal), &text); err != nil {
		t.Fatalf("the literal is no string: %v", err)
	}
	if err := json.Unmarshal([]byte(text), &plan); err != nil {
		t.Fatalf("the string is no JSON: %v", err)
	}
	return plan, before + "JSON.parse(%s);\n" + after
}

// TestScript holds the whole script of a plan against a golden file, which k6 v2.2.0 takes ("k6 inspect").
func TestScript(t *testing.T) {
	statuses, err := plan.ParseStatuses("200-299,404")
	if err != nil {
		t.Fatal(err)
	}
	p := plan.Plan{
		Scenarios: []plan.Scenario{
			{Name: "read", VUs: 5, Duration: 90 * time.Second, GracefulStop: -1, Pause: 1500 * time.Millisecond, Tags: map[string]string{"kind": "get"},
				Request: plan.Request{URL: "http://127.0.0.1:1/ä?q=ä", ExpectedStatuses: statuses, MaxRedirects: -1, Timeout: 1500 * time.Microsecond}},
			{Name: "write", Executor: plan.ConstantArrivalRate, StartTime: time.Second, Rate: 7, PreAllocatedVUs: 2, MaxVUs: 9,
				Request: plan.Request{Method: "POST", URL: "http://127.0.0.1:1/", Body: []byte("{\"a\":1}"), Header: http.Header{"Content-Type": {"application/json"}}}},
		},
		Thresholds: []plan.Threshold{{Metric: "http_reqs", Expression: "count>1"}, {Metric: "http_reqs", Expression: "rate>1", AbortOnFail: true, DelayAbortEval: 5 * time.Second}},
		Network:    plan.Network{NoConnectionReuse: true},
	}
	if err := p.Validate(); err != nil {
		t.Fatal(err)
	}
	j, err := runner(t, Config{Path: "k6", UserAgent: "Broadside/test"}).newJob(p, version{2, 2, 0})
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile("testdata/plan.js", []byte(j.script), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	golden, err := os.ReadFile("testdata/plan.js")
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(golden), j.script); d != "" {
		t.Errorf("script (-want +got):\n%s", d)
	}
}

// Whatever a plan holds is data: the code is the same, and each value comes back as it was.
func TestScriptInjection(t *testing.T) {
	evil := "\"'`);${x}\\\u2028\u2029</script><!--\x00\r\n*/ //é\U0001F600"
	p := aPlan()
	plain, err := runner(t, Config{Path: "k6"}).newJob(p, version{2, 2, 0})
	if err != nil {
		t.Fatal(err)
	}
	_, want := data(t, plain.script)
	r := &p.Scenarios[0].Request
	p.Scenarios[0].Name = "__proto__"
	p.Scenarios[0].Tags = map[string]string{"__proto__": "tag"}
	p.Thresholds = []plan.Threshold{{Metric: evil, Expression: evil}}
	r.Body = []byte(evil)
	r.Header = http.Header{"__proto__": {`"'` + "`);${x}\\\u2028\u2029é"}}
	r.URL = "http://127.0.0.1:1/`${x}');\u2028?\u2029\"'"
	r.Method = "A'`!$"
	j, err := runner(t, Config{Path: "k6", UserAgent: evil}).newJob(p, version{2, 2, 0})
	if err != nil {
		t.Fatal(err)
	}
	got, code := data(t, j.script)
	if d := cmp.Diff(want, code); d != "" {
		t.Errorf("code (-want +got):\n%s", d)
	}
	if strings.ContainsAny(j.script, "\u2028\u2029\x00\r") || strings.Contains(j.script, "</") {
		t.Error("the script holds what ends a line or a script elsewhere")
	}
	options := got["options"].(map[string]any)
	request := got["requests"].([]any)[0].(map[string]any)
	for _, c := range []struct{ name, got, want string }{
		{"user agent", options["userAgent"].(string), evil},
		{"threshold", options["thresholds"].(map[string]any)[evil].([]any)[0].(map[string]any)["threshold"].(string), evil},
		{"tag", options["scenarios"].(map[string]any)["__proto__"].(map[string]any)["tags"].(map[string]any)["__proto__"].(string), "tag"},
		{"body", request["body"].(string), evil},
		{"header", request["params"].(map[string]any)["headers"].(map[string]any)["__proto__"].(string), r.Header["__proto__"][0]},
		{"method", request["method"].(string), r.Method},
		{"URL", request["url"].(string), "http://127.0.0.1:1/%60$%7Bx%7D%27%29;%E2%80%A8?%E2%80%A9%22'"},
	} {
		if c.got != c.want {
			t.Errorf("%s: got %q; want %q", c.name, c.got, c.want)
		}
	}
}

func TestRequest(t *testing.T) {
	for _, c := range []struct {
		name    string
		request plan.Request
		version version
		want    string // JSON, or the refusal
	}{
		{"the defaults", plan.Request{}, version{2, 2, 0}, `{"method":"GET","url":"http://h/","body":null,"params":{"headers":{},"redirects":10,"timeout":60000},"expected":[{"max":399,"min":200}],"pause":0}`},
		{"bytes", plan.Request{Body: []byte{0xff, 0, 0xfe}}, version{0, 32, 0}, `{"method":"GET","url":"http://h/","body":null,"base64":"/wD+","params":{"headers":{},"redirects":10,"timeout":60000},"expected":[{"max":399,"min":200}],"pause":0}`},
		{"bytes of an old k6", plan.Request{Body: []byte{0xff}}, version{0, 31, 9}, "k6 v0.31.9 can't send a body that is no UTF-8; v0.32 can"},
		{"a header of bytes", plan.Request{Header: http.Header{"X-A": {"a", "\xff"}}}, version{2, 2, 0}, "k6 can't send the header X-A: its value is no UTF-8"},
		{"headers with several values", plan.Request{Header: http.Header{"X-A": {"a", "b"}, "cookie": {"c=1", "d=2"}, "X-Empty": {""}, "X-None": nil}}, version{2, 2, 0},
			`{"method":"GET","url":"http://h/","body":null,"params":{"headers":{"X-A":"a, b","X-Empty":"","cookie":"c=1; d=2"},"redirects":10,"timeout":60000},"expected":[{"max":399,"min":200}],"pause":0}`},
		{"no redirect, a fraction of a millisecond", plan.Request{MaxRedirects: -1, Timeout: 1000001}, version{2, 2, 0}, `{"method":"GET","url":"http://h/","body":null,"params":{"headers":{},"redirects":0,"timeout":2},"expected":[{"max":399,"min":200}],"pause":0}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.request.URL = "http://h/"
			p := plan.Plan{Scenarios: []plan.Scenario{{Request: c.request}}}
			r, err := newRequest(p.Resolved().Scenarios[0], c.version)
			got, _ := json.Marshal(r)
			if err != nil {
				got = []byte(err.Error())
			}
			if string(got) != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

// The shares of a scenario are the whole: VUs, iterations, targets of VUs by number, rates by a longer time unit.
func TestScenarioShares(t *testing.T) {
	request := plan.Request{URL: "http://h/"}
	stages := []plan.Stage{{Duration: time.Second, Target: 7}, {Duration: 0, Target: 2}}
	for _, c := range []struct {
		scenario plan.Scenario
		want     string // of the whole
		sums     string // of the parts: path=value, ...
	}{
		{plan.Scenario{VUs: 10, Duration: time.Minute}, `{"duration":"1m0s","executor":"constant-vus","gracefulStop":"30s","startTime":"0s","vus":10}`, "vus=10"},
		{plan.Scenario{Executor: plan.SharedIterations, VUs: 5, Iterations: 11}, `{"executor":"shared-iterations","gracefulStop":"30s","iterations":11,"maxDuration":"10m0s","startTime":"0s","vus":5}`, "vus=5 iterations=11"},
		{plan.Scenario{Executor: plan.PerVUIterations, VUs: 5, Iterations: 3}, `{"executor":"per-vu-iterations","gracefulStop":"30s","iterations":3,"maxDuration":"10m0s","startTime":"0s","vus":5}`, "vus=5"},
		{plan.Scenario{Executor: plan.RampingVUs, StartVUs: 4, Stages: stages, GracefulRampDown: -1},
			`{"executor":"ramping-vus","gracefulRampDown":"0s","gracefulStop":"30s","stages":[{"duration":"1s","target":7},{"duration":"0s","target":2}],"startTime":"0s","startVUs":4}`, "startVUs=4 stage0=7 stage1=2"},
		{plan.Scenario{Executor: plan.ConstantArrivalRate, Rate: 9, TimeUnit: time.Minute, PreAllocatedVUs: 7, MaxVUs: 8, Duration: time.Minute},
			`{"duration":"1m0s","executor":"constant-arrival-rate","gracefulStop":"30s","maxVUs":8,"preAllocatedVUs":7,"rate":9,"startTime":"0s","timeUnit":"1m0s"}`, "preAllocatedVUs=7 maxVUs=8 rate=9"},
		{plan.Scenario{Executor: plan.RampingArrivalRate, StartRate: 6, Stages: stages, PreAllocatedVUs: -1, MaxVUs: 5},
			`{"executor":"ramping-arrival-rate","gracefulStop":"30s","maxVUs":5,"preAllocatedVUs":0,"stages":[{"duration":"1s","target":7},{"duration":"0s","target":2}],"startRate":6,"startTime":"0s","timeUnit":"1s"}`, "preAllocatedVUs=0 maxVUs=5 rate=6"},
	} {
		t.Run(c.scenario.Executor, func(t *testing.T) {
			c.scenario.Request = request
			p := plan.Plan{Scenarios: []plan.Scenario{c.scenario}}
			if err := p.Validate(); err != nil {
				t.Fatal(err)
			}
			s := p.Resolved().Scenarios[0]
			whole, ok := scenarioOptions(s, plan.Share{I: 0, N: 1})
			if got, _ := json.Marshal(whole); !ok || string(got) != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
			const parts = 3
			sums := map[string]float64{}
			for i := range parts {
				part, ok := scenarioOptions(s, plan.Share{I: i, N: parts})
				if !ok {
					t.Fatalf("part %d of %d has no VU", i, parts)
				}
				addPart(t, sums, part, s)
			}
			for want := range strings.FieldsSeq(c.sums) {
				name, value, _ := strings.Cut(want, "=")
				if got := strconv.FormatFloat(sums[name], 'g', 6, 64); got != value {
					t.Errorf("the parts' %s are %s in all; want %s", name, got, value)
				}
			}
		})
	}
}

// addPart adds the numbers of a part; a rate counts by the scenario's own time unit.
func addPart(t *testing.T, sums map[string]float64, part map[string]any, s plan.Scenario) {
	t.Helper()
	for _, name := range []string{"vus", "iterations", "startVUs", "preAllocatedVUs", "maxVUs"} {
		if n, ok := part[name].(int); ok {
			sums[name] += float64(n)
		}
	}
	for _, name := range []string{"rate", "startRate"} {
		if n, ok := part[name].(int); ok {
			unit, err := time.ParseDuration(part["timeUnit"].(string))
			if err != nil {
				t.Fatal(err)
			}
			sums["rate"] += float64(n) * float64(s.TimeUnit) / float64(unit)
		}
	}
	if stages, ok := part["stages"].([]map[string]any); ok {
		for i, stage := range stages {
			sums[fmt.Sprintf("stage%d", i)] += float64(stage["target"].(int))
		}
	}
}

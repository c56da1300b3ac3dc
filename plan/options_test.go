package plan_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/nollagluiz/broadside/plan"
)

// What each shortcut of k6 stands for, and its executors with every field.
func TestParseOptionsScenarios(t *testing.T) {
	ramp := []plan.Stage{{Duration: 30 * time.Second, Target: 10}, {Duration: 0, Target: 0}}
	for _, c := range []struct {
		name, text string
		want       []plan.Scenario
	}{
		{"nothing", `{}`, nil},
		{"nothing of scenarios", `{"discardResponseBodies": true, "summaryTrendStats": ["p(99)"], "vus": null}`, nil},
		{"vus", `{"vus": 7}`, []plan.Scenario{{Name: "default", Executor: plan.SharedIterations, VUs: 7, Iterations: 7}}},
		{"iterations", `{"iterations": 20}`, []plan.Scenario{{Name: "default", Executor: plan.SharedIterations, Iterations: 20}}},
		{"iterations, vus, duration", `{"vus": 2, "iterations": 20, "duration": "1m30s"}`,
			[]plan.Scenario{{Name: "default", Executor: plan.SharedIterations, VUs: 2, Iterations: 20, MaxDuration: 90 * time.Second}}},
		{"duration", `{"duration": 5000}`, []plan.Scenario{{Name: "default", Executor: plan.ConstantVUs, Duration: 5 * time.Second}}},
		{"duration, vus", `{"duration": "1d", "vus": 3}`, []plan.Scenario{{Name: "default", Executor: plan.ConstantVUs, VUs: 3, Duration: 24 * time.Hour}}},
		{"stages", `{"stages": [{"duration": "30s", "target": 10}, {"target": 0, "duration": 0}]}`,
			[]plan.Scenario{{Name: "default", Executor: plan.RampingVUs, Stages: ramp}}},
		{"stages, vus", `{"stages": [{"duration": "30s", "target": 10}, {"duration": "0s", "target": 0}], "vus": 4}`,
			[]plan.Scenario{{Name: "default", Executor: plan.RampingVUs, Stages: ramp, StartVUs: 4}}},
		{"constant-vus", `{"scenarios": {"a": {"executor": "constant-vus", "vus": 2, "duration": "10s", "gracefulStop": "0s", "startTime": "1m", "tags": {"k": "v"}, "exec": "default"}}}`,
			[]plan.Scenario{{Name: "a", Executor: plan.ConstantVUs, VUs: 2, Duration: 10 * time.Second, GracefulStop: -1, StartTime: time.Minute, Tags: map[string]string{"k": "v"}}}},
		{"ramping-vus", `{"scenarios": {"a": {"executor": "ramping-vus", "startVUs": 0, "gracefulRampDown": "0", "stages": [{"duration": "30s", "target": 10}, {"duration": 0, "target": 0}]}}}`,
			[]plan.Scenario{{Name: "a", Executor: plan.RampingVUs, StartVUs: -1, GracefulRampDown: -1, Stages: ramp}}},
		{"constant-arrival-rate", `{"scenarios": {"a": {"executor": "constant-arrival-rate", "rate": 90, "timeUnit": "1m", "duration": "10s", "preAllocatedVUs": 0, "maxVUs": 20}}}`,
			[]plan.Scenario{{Name: "a", Executor: plan.ConstantArrivalRate, Rate: 90, TimeUnit: time.Minute, Duration: 10 * time.Second, PreAllocatedVUs: -1, MaxVUs: 20}}},
		{"ramping-arrival-rate", `{"scenarios": {"a": {"executor": "ramping-arrival-rate", "startRate": 5, "preAllocatedVUs": 2, "stages": [{"duration": "30s", "target": 10}, {"duration": 0, "target": 0}]}}}`,
			[]plan.Scenario{{Name: "a", Executor: plan.RampingArrivalRate, StartRate: 5, PreAllocatedVUs: 2, Stages: ramp}}},
		{"two, by name", `{"scenarios": {"b": {"executor": "shared-iterations"}, "a": {"executor": "per-vu-iterations", "vus": 2, "iterations": 3, "maxDuration": "1h"}}}`,
			[]plan.Scenario{{Name: "a", Executor: plan.PerVUIterations, VUs: 2, Iterations: 3, MaxDuration: time.Hour}, {Name: "b", Executor: plan.SharedIterations}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			o, err := plan.ParseOptions([]byte(c.text), false)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(c.want, o.Scenarios); d != "" {
				t.Errorf("scenarios (-want +got):\n%s", d)
			}
			checkFaults(t, o.Apply(shortest()))
		})
	}
}

func TestParseOptionsThresholds(t *testing.T) {
	o, err := plan.ParseOptions([]byte(`{"thresholds": {
		"http_reqs": ["count>10"],
		"http_req_duration{status:200}": ["p(95) < 500", {"threshold": "avg<100", "abortOnFail": true, "delayAbortEval": "10s"}, {"threshold": "max<1e3"}]
	}}`), false)
	if err != nil {
		t.Fatal(err)
	}
	want := []plan.Threshold{
		{Metric: "http_req_duration{status:200}", Expression: "p(95) < 500"},
		{Metric: "http_req_duration{status:200}", Expression: "avg<100", AbortOnFail: true, DelayAbortEval: 10 * time.Second},
		{Metric: "http_req_duration{status:200}", Expression: "max<1e3"},
		{Metric: "http_reqs", Expression: "count>10"},
	}
	if d := cmp.Diff(want, o.Thresholds); d != "" {
		t.Errorf("thresholds (-want +got):\n%s", d)
	}
	p := shortest()
	p.Thresholds = []plan.Threshold{{Metric: "iterations", Expression: "count>1"}}
	if d := cmp.Diff(want, o.Apply(p).Thresholds); d != "" {
		t.Errorf("applied (-want +got):\n%s", d)
	}
}

// scenarioText is options with one scenario of the fields.
func scenarioText(fields string) string { return `{"scenarios": {"a": {` + fields + `}}}` }

// Each fault names its path.
func TestParseOptionsFaults(t *testing.T) {
	for _, c := range []struct {
		name, text string
		fields     string // with commas
	}{
		{"no JSON", `{`, "options"},
		{"two values", `{} {}`, "options"},
		{"a list", `[]`, "options"},
		{"null", `null`, "options"},
		{"too long", `{"userAgent": "` + strings.Repeat("x", plan.MaxOptions) + `"}`, "options"},
		{"one option twice", `{"vus": 1, "vus": 2}`, "vus"},
		{"a field twice", scenarioText(`"executor": "constant-vus", "executor": "constant-vus"`), "scenarios.a.executor"},
		{"an unknown option", `{"duraton": "1s"}`, "duraton"},
		{"another case", `{"VUs": 1}`, "VUs"},
		{"options that this engine lacks", `{"rps": 5, "minIterationDuration": "1s", "localIPs": "10.0.0.1", "executionSegment": "1/2", "httpDebug": "full", "noCookiesReset": true}`,
			"rps,minIterationDuration,localIPs,executionSegment,httpDebug,noCookiesReset"},
		{"values of another type", `{"userAgent": 1, "maxRedirects": "3", "insecureSkipTLSVerify": "yes", "tags": {"a": 1}, "thresholds": []}`,
			"userAgent,maxRedirects,insecureSkipTLSVerify,tags.a,thresholds"},
		{"values out of bounds", `{"userAgent": "a\nb", "maxRedirects": 101}`, "userAgent,maxRedirects"},
		{"negative redirects", `{"maxRedirects": -1}`, "maxRedirects"},
		{"a tag without a name", `{"tags": {"": "x"}}`, "tags"},
		{"a network of another type", `{"hosts": []}`, "hosts"},

		{"stages and duration", `{"stages": [{"duration": "1s", "target": 1}], "duration": "1s"}`, "stages"},
		{"stages and iterations", `{"stages": [{"duration": "1s", "target": 1}], "iterations": 1}`, "stages"},
		{"scenarios and shortcuts", `{"scenarios": {"a": {"executor": "shared-iterations"}}, "vus": 1, "duration": "1s", "iterations": 1, "stages": []}`, "vus,duration,iterations,stages"},
		{"no VUs", `{"vus": 0}`, "vus"},
		{"no time", `{"duration": "0s"}`, "duration"},
		{"little time", `{"duration": "999ms"}`, "duration"},
		{"little time for iterations", `{"duration": 999, "iterations": 5}`, "duration"},
		{"negative time", `{"duration": "-1s"}`, "duration"},
		{"no duration", `{"duration": "soon"}`, "duration"},
		{"a duration of another type", `{"duration": true}`, "duration"},
		{"half a VU", `{"vus": 1.5, "duration": "1s"}`, "vus"},
		{"VUs in a text", `{"vus": "1", "duration": "1s"}`, "vus"},
		{"fewer iterations than VUs", `{"vus": 5, "iterations": 4}`, "iterations"},
		{"too many start VUs", `{"vus": 10001, "stages": [{"duration": "1s", "target": 1}]}`, "vus"},
		{"no stages", `{"stages": []}`, "stages"},
		{"stages of another type", `{"stages": {}}`, "stages"},
		{"a stage of another type", `{"stages": [1]}`, "stages[0]"},
		{"half a stage", `{"stages": [{"duration": "1s", "target": 1}, {"duration": "1s"}]}`, "stages[1]"},
		{"a stage with more", `{"stages": [{"duration": "1s", "target": 1, "x": 1}]}`, "stages[0].x"},
		{"a stage out of bounds", `{"stages": [{"duration": "25h", "target": 10001}]}`, "stages[0].target,stages[0].duration"},
		{"too many stages", `{"stages": [` + strings.TrimSuffix(strings.Repeat(`{"duration":1,"target":1},`, 1001), ",") + `]}`, "stages"},

		{"no scenario", `{"scenarios": {}}`, "scenarios"},
		{"scenarios of another type", `{"scenarios": [{}]}`, "scenarios"},
		{"a name", `{"scenarios": {"a b": {"executor": "shared-iterations"}}}`, "scenarios"},
		{"no executor", scenarioText(``), "scenarios.a.executor"},
		{"a removed executor", scenarioText(`"executor": "externally-controlled"`), "scenarios.a.executor"},
		{"a field of another executor", scenarioText(`"executor": "constant-vus", "duration": "1s", "rate": 0`), "scenarios.a.rate"},
		{"an unknown field", scenarioText(`"executor": "constant-vus", "duration": "1s", "think": "1s"`), "scenarios.a.think"},
		{"what constant-vus needs", scenarioText(`"executor": "constant-vus"`), "scenarios.a.duration"},
		{"what ramping-vus needs", scenarioText(`"executor": "ramping-vus"`), "scenarios.a.stages"},
		{"what constant-arrival-rate needs", scenarioText(`"executor": "constant-arrival-rate"`), "scenarios.a.rate,scenarios.a.duration,scenarios.a.preAllocatedVUs"},
		{"what ramping-arrival-rate needs", scenarioText(`"executor": "ramping-arrival-rate"`), "scenarios.a.stages,scenarios.a.preAllocatedVUs"},
		{"zeros where k6 has none", scenarioText(`"executor": "constant-arrival-rate", "rate": 0, "duration": 0, "preAllocatedVUs": 1, "timeUnit": 0, "maxVUs": 0`),
			"scenarios.a.rate,scenarios.a.duration,scenarios.a.timeUnit,scenarios.a.maxVUs"},
		{"fewer VUs than made before", scenarioText(`"executor": "constant-arrival-rate", "rate": 1, "duration": "1s", "preAllocatedVUs": 2, "maxVUs": 1`), "scenarios.a.maxVUs"},
		{"a browser", scenarioText(`"executor": "shared-iterations", "options": {"browser": {"type": "chromium"}}`), "scenarios.a.options"},
		{"a function without a script", scenarioText(`"executor": "shared-iterations", "exec": "login"`), "scenarios.a.exec"},
		{"an environment without a script", scenarioText(`"executor": "shared-iterations", "env": {"A": "b"}`), "scenarios.a.env"},

		{"a threshold of another type", `{"thresholds": {"http_reqs": "count>1"}}`, "thresholds.http_reqs"},
		{"a threshold of a number", `{"thresholds": {"http_reqs": [1]}}`, "thresholds.http_reqs[0]"},
		{"an unknown metric", `{"thresholds": {"http_requests": ["count>1"]}}`, "thresholds.http_requests[0]"},
		{"an aggregation of another metric", `{"thresholds": {"http_reqs": ["count>1", "p(95)<1"]}}`, "thresholds.http_reqs[1]"},
		{"an unknown field of a threshold", `{"thresholds": {"http_reqs": [{"threshold": "count>1", "abort": true}]}}`, "thresholds.http_reqs[0].abort"},
		{"too many thresholds", `{"thresholds": {"http_reqs": [` + strings.TrimSuffix(strings.Repeat(`"count>1",`, 101), ",") + `]}}`, "thresholds"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := plan.ParseOptions([]byte(c.text), false)
			var errs plan.FieldErrors
			if !errors.As(err, &errs) {
				t.Fatalf("error %v; want FieldErrors", err)
			}
			var fields []string
			for _, e := range errs {
				fields = append(fields, e.Field)
			}
			if got := strings.Join(fields, ","); got != c.fields {
				t.Errorf("faults %s; want %s\n%v", got, c.fields, err)
			}
		})
	}
}

// With a script, functions and environments are taken.
func TestParseOptionsOfAScript(t *testing.T) {
	o, err := plan.ParseOptions([]byte(scenarioText(`"executor": "shared-iterations", "exec": "login", "env": {"A": "b"}`)), true)
	if err != nil {
		t.Fatal(err)
	}
	if s := o.Scenarios[0]; s.Exec != "login" || s.Env["A"] != "b" {
		t.Errorf("scenario %+v", s)
	}
}

// However much is wrong, the error stays short.
func TestParseOptionsErrorIsBounded(t *testing.T) {
	var b strings.Builder
	b.WriteString("{")
	for i := range 20_000 {
		fmt.Fprintf(&b, `"%s%d": 1,`, strings.Repeat("\\u0007x", 5), i)
	}
	b.WriteString(`"z": 1}`)
	_, err := plan.ParseOptions([]byte(b.String()), false)
	if err == nil || len(err.Error()) > 16<<10 || strings.ContainsRune(err.Error(), 7) {
		t.Errorf("an error of %d bytes: %.300v", len(err.Error()), err)
	}
}

func TestApplyOptions(t *testing.T) {
	p := shortest()
	p.Scenarios[0].Pause, p.Scenarios[0].GracefulStop = time.Second, 5*time.Second
	p.Scenarios[0].Request.MaxRedirects = 7
	p.Scenarios[0].Request.Header = header("X-Own", "1")
	apply := func(text string, p plan.Plan) plan.Plan {
		t.Helper()
		o, err := plan.ParseOptions([]byte(text), false)
		if err != nil {
			t.Fatal(err)
		}
		return o.Apply(p)
	}
	got := apply(`{"scenarios": {
			"a": {"executor": "shared-iterations", "tags": {"team": "mine"}},
			"b": {"executor": "shared-iterations", "gracefulStop": "9s"}},
		"tags": {"team": "all", "env": "test"}, "userAgent": "mozilla", "maxRedirects": 0, "insecureSkipTLSVerify": true,
		"noConnectionReuse": true, "hosts": {"a.test": "127.0.0.1"}}`, p)
	checkFaults(t, got)
	want := shortest()
	want.Network.NoConnectionReuse, want.Network.Hosts = true, map[string]string{"a.test": "127.0.0.1"}
	request := want.Scenarios[0].Request
	request.MaxRedirects, request.InsecureSkipVerify, request.Header = -1, true, header("X-Own", "1")
	request.Header.Set("User-Agent", "mozilla")
	want.Scenarios = []plan.Scenario{
		{Name: "a", Executor: plan.SharedIterations, GracefulStop: 5 * time.Second, Pause: time.Second, Tags: map[string]string{"team": "mine", "env": "test"}, Request: request},
		{Name: "b", Executor: plan.SharedIterations, GracefulStop: 9 * time.Second, Pause: time.Second, Tags: map[string]string{"team": "all", "env": "test"}, Request: request},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("applied (-want +got):\n%s", d)
	}
	if p.Scenarios[0].Request.Header.Get("User-Agent") != "" {
		t.Error("the plan's own header was written to")
	}
	if got := apply(`{}`, p); !cmp.Equal(got, p) {
		t.Errorf("nothing changed the plan: %s", cmp.Diff(p, got))
	}
	p.Scenarios[0].Request.Header = header("user-agent", "own")
	if got := apply(`{"userAgent": "mozilla"}`, p).Scenarios[0].Request.Header; !cmp.Equal(got, header("user-agent", "own")) {
		t.Errorf("header %v; want the request's own agent", got)
	}
}

// No text makes it panic, and what it takes either makes a valid plan or one whose faults can be told.
func FuzzParseOptions(f *testing.F) {
	f.Add([]byte(`{"vus": 10, "duration": "30s", "tags": {"a": "b"}, "userAgent": "x", "maxRedirects": 3}`))
	f.Add([]byte(`{"stages": [{"duration": "30s", "target": 10}], "thresholds": {"http_reqs": ["count>1", {"threshold": "rate>1", "abortOnFail": true}]}}`))
	f.Add([]byte(scenarioText(`"executor": "ramping-arrival-rate", "startRate": 5, "preAllocatedVUs": 2, "stages": [{"duration": "30s", "target": 10}]`)))
	f.Add([]byte(`{"hosts": {"a": "1.2.3.4"}, "dns": {"ttl": "0"}, "tlsVersion": {"min": "tls1.2"}, "blacklistIPs": ["10.0.0.0/8"]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		for _, script := range []bool{false, true} {
			o, err := plan.ParseOptions(text, script)
			if err != nil {
				if len(err.Error()) > 1<<20 {
					t.Errorf("an error of %d bytes", len(err.Error()))
				}
				continue
			}
			p := shortest()
			if script {
				p.Script = "export default function() {}"
			}
			p = o.Apply(p)
			for _, s := range o.Scenarios {
				if faults := s.Request.URL; faults != "" {
					t.Errorf("options made a request of %s", faults)
				}
			}
			if len(p.Scenarios) == 0 || p.End() < 0 {
				t.Errorf("plan %+v", p)
			}
			for _, field := range faults(t, p) {
				// What only the whole plan can tell: of scripts and networks, and thresholds that no scenario meets.
				if !strings.HasPrefix(field, "network.") && !strings.HasPrefix(field, "thresholds") && field != "script" {
					t.Errorf("options were taken with a fault of %s", field)
				}
			}
		}
	})
}

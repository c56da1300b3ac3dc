package oneshot

import (
	"errors"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/nollagluiz/broadside/plan"
)

func TestParseDuration(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"30s": 30 * time.Second, "1m30s": 90 * time.Second, "1d": 24 * time.Hour, "1d12h": 36 * time.Hour, "500": 500 * time.Millisecond,
		"0": 0, "1.5": 1500 * time.Microsecond, "0s": 0,
	} {
		if got, err := parseDuration(text); err != nil || got != want {
			t.Errorf("parseDuration(%q) = %v, %v; want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "soon", "1x", "d", "-1d", "1d1x", "NaN", "Inf", "1e300", "-5", "-5s", "65535d2000000h"} {
		if got, err := parseDuration(text); err == nil {
			t.Errorf("parseDuration(%q) = %v; want an error", text, got)
		}
	}
}

// k6's precedence: command line, environment, configuration file, default.
func TestPrecedence(t *testing.T) {
	file := filepath.Join(t.TempDir(), "run.json")
	text := `{"url":"http://file/","vus":2,"duration":"2s","method":"PUT","maxRedirects":0,"headers":{"A":"file"},"insecureSkipTLSVerify":true}`
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	written := func(name, text string) string {
		file := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	rampFile := written("ramp.json", `{"vus":4,"stages":[{"duration":"1s","target":2},{"duration":100,"target":3}]}`)
	networkFile := written("network.json", `{"hosts":{"h":"127.0.0.1"},"dns":{"ttl":"1m"},"blacklistIPs":["192.0.2.0/24"],"noVUConnectionReuse":true,"tlsVersion":"tls1.3"}`)
	scenarioFile := written("scenarios.json", `{"tags":{"team":"x"},"scenarios":{"a":{"executor":"constant-vus","vus":2,"duration":"1s"},
		"b":{"executor":"per-vu-iterations","iterations":3,"startTime":"1s"}}}`)
	limitFile := written("limit.json", `{"thresholds":{"http_reqs":["count>1","rate>1"],"http_req_failed":[{"threshold":"rate<0.1","abortOnFail":true,"delayAbortEval":"10s"}]}}`)
	for _, tc := range []struct {
		name    string
		args    []string
		environ map[string]string
		want    func(*plan.Plan)
	}{
		{"defaults", []string{"http://h/"}, nil, func(*plan.Plan) {}},
		{"environment", []string{"http://h/"}, map[string]string{"K6_VUS": "3", "K6_DURATION": "3s", "K6_MAX_REDIRECTS": "1"}, func(p *plan.Plan) {
			p.Scenarios[0].VUs, p.Scenarios[0].Duration, p.Scenarios[0].Request.MaxRedirects = 3, 3*time.Second, 1
		}},
		{"file", []string{"--config", file}, nil, func(p *plan.Plan) {
			s := &p.Scenarios[0]
			s.VUs, s.Duration, s.Request.URL, s.Request.Method, s.Request.MaxRedirects = 2, 2*time.Second, "http://file/", "PUT", -1
			s.Request.InsecureSkipVerify, s.Request.Header = true, http.Header{"A": {"file"}}
		}},
		{"all three", []string{"-u", "4", "--header", "B: line", "http://h/"}, map[string]string{"K6_CONFIG": file, "K6_VUS": "3", "K6_DURATION": "3s"}, func(p *plan.Plan) {
			s := &p.Scenarios[0]
			s.VUs, s.Duration, s.Request.Method, s.Request.MaxRedirects = 4, 3*time.Second, "PUT", -1
			s.Request.InsecureSkipVerify, s.Request.Header = true, http.Header{"B": {"line"}}
		}},
		{"an alias on the command line", []string{"--insecure", "http://h/"}, map[string]string{"K6_INSECURE_SKIP_TLS_VERIFY": "false"}, func(p *plan.Plan) {
			p.Scenarios[0].Request.InsecureSkipVerify = true
		}},
		{"iterations", []string{"-u", "2", "-i", "8", "http://h/"}, map[string]string{"K6_DURATION": "3s"}, func(p *plan.Plan) {
			*p = shapedPlan(plan.Scenario{Executor: plan.SharedIterations, VUs: 2, Iterations: 8})
		}},
		{"iterations with a limit", []string{"-i", "8", "-d", "3s", "http://h/"}, map[string]string{"K6_STAGES": "1s:1"}, func(p *plan.Plan) {
			*p = shapedPlan(plan.Scenario{Executor: plan.SharedIterations, VUs: 1, Iterations: 8, MaxDuration: 3 * time.Second})
		}},
		{"a rate", []string{"--rate", "6000/1m", "http://h/"}, nil, func(p *plan.Plan) {
			*p = shapedPlan(plan.Scenario{Executor: plan.ConstantArrivalRate, Rate: 6000, TimeUnit: time.Minute, Duration: 30 * time.Second,
				PreAllocatedVUs: plan.MaxVUs})
		}},
		{"a rate that ramps", []string{"--rate", "0/100ms", "-u", "7", "-s", "1s:50", "http://h/"}, nil, func(p *plan.Plan) {
			*p = shapedPlan(plan.Scenario{Executor: plan.RampingArrivalRate, TimeUnit: 100 * time.Millisecond,
				Stages: []plan.Stage{{Duration: time.Second, Target: 50}}, PreAllocatedVUs: 7})
		}},
		{"a rate of the file", []string{"-c", written("rate.json", `{"rate":"9/s","duration":"2s"}`), "http://h/"}, nil, func(p *plan.Plan) {
			*p = shapedPlan(plan.Scenario{Executor: plan.ConstantArrivalRate, Rate: 9, TimeUnit: time.Second, Duration: 2 * time.Second, PreAllocatedVUs: plan.MaxVUs})
		}},
		{"scenarios of the file", []string{"-c", scenarioFile, "http://h/"}, nil, func(p *plan.Plan) {
			request := p.Scenarios[0].Request
			p.Scenarios = []plan.Scenario{
				{Name: "a", Executor: plan.ConstantVUs, VUs: 2, Duration: time.Second, GracefulStop: 30 * time.Second, Request: request, Tags: map[string]string{"team": "x"}},
				{Name: "b", Executor: plan.PerVUIterations, VUs: 1, Iterations: 3, StartTime: time.Second, MaxDuration: 10 * time.Minute, GracefulStop: 30 * time.Second, Request: request, Tags: map[string]string{"team": "x"}},
			}
		}},
		{"a duration wins over scenarios", []string{"-d", "3s", "-c", scenarioFile, "http://h/"}, nil, func(p *plan.Plan) {
			p.Scenarios[0].Duration, p.Scenarios[0].Tags = 3*time.Second, map[string]string{"team": "x"}
		}},
		{"iterations of the environment", []string{"http://h/"}, map[string]string{"K6_ITERATIONS": "8", "K6_CONFIG": rampFile}, func(p *plan.Plan) {
			*p = shapedPlan(plan.Scenario{Executor: plan.SharedIterations, VUs: 4, Iterations: 8})
		}},
		{"stages", []string{"-s", "1m:10", "-s", "500:0", "http://h/"}, map[string]string{"K6_DURATION": "3s", "K6_ITERATIONS": "8"}, func(p *plan.Plan) {
			*p = shapedPlan(plan.Scenario{Executor: plan.RampingVUs, StartVUs: 1, Stages: []plan.Stage{{Duration: time.Minute, Target: 10}, {Duration: 500 * time.Millisecond}}})
		}},
		{"stages of the environment, from nobody", []string{"-u", "0", "http://h/"}, map[string]string{"K6_STAGES": "1s:2,1s:1"}, func(p *plan.Plan) {
			*p = shapedPlan(plan.Scenario{Executor: plan.RampingVUs, StartVUs: -1, Stages: []plan.Stage{{Duration: time.Second, Target: 2}, {Duration: time.Second, Target: 1}}})
		}},
		{"stages of the file", []string{"-c", rampFile, "http://h/"}, nil, func(p *plan.Plan) {
			*p = shapedPlan(plan.Scenario{Executor: plan.RampingVUs, StartVUs: 4, Stages: []plan.Stage{{Duration: time.Second, Target: 2}, {Duration: 100 * time.Millisecond, Target: 3}}})
		}},
		{"a duration above the file's stages", []string{"-c", rampFile, "-d", "2s", "http://h/"}, nil, func(p *plan.Plan) {
			p.Scenarios[0].VUs, p.Scenarios[0].Duration = 4, 2*time.Second
		}},
		{"the network", []string{"--no-connection-reuse", "--blacklist-ip", "10.0.0.0/8", "--blacklist-ip", "::1/128,192.0.2.0/24", "--block-hostnames", "a.b,*.c", "--dns", "ttl=0,policy=onlyIPv4", "http://h/"},
			map[string]string{"K6_NO_VU_CONNECTION_REUSE": "true", "K6_BLOCK_HOSTNAMES": "d"}, func(p *plan.Plan) {
				p.Network.NoConnectionReuse, p.Network.NoVUConnectionReuse = true, true
				p.Network.BlacklistIPs = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("::1/128"), netip.MustParsePrefix("192.0.2.0/24")}
				p.Network.BlockHostnames = []string{"a.b", "*.c"}
				p.Network.DNS.TTL, p.Network.DNS.Policy = -1, plan.OnlyIPv4
			}},
		{"the network of the environment and the file", []string{"-c", networkFile, "http://h/"}, map[string]string{"K6_DNS": "select=first", "K6_BLACKLIST_IPS": "10.0.0.0/8"}, func(p *plan.Plan) {
			p.Network.BlacklistIPs = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
			p.Network.Hosts, p.Network.DNS.Select, p.Network.NoVUConnectionReuse = map[string]string{"h": "127.0.0.1"}, plan.SelectFirst, true
			p.Network.TLS.MinVersion, p.Network.TLS.MaxVersion = plan.TLS13, plan.TLS13
		}},
		{"thresholds", []string{"--threshold", "http_req_duration{status:200}:p(95)<500", "--threshold", "http_reqs: count>1", "-c", limitFile, "http://h/"}, nil, func(p *plan.Plan) {
			p.Thresholds = []plan.Threshold{{Metric: "http_req_duration{status:200}", Expression: "p(95)<500"}, {Metric: "http_reqs", Expression: "count>1"}}
		}},
		{"thresholds of the file", []string{"-c", limitFile, "http://h/"}, nil, func(p *plan.Plan) {
			p.Thresholds = []plan.Threshold{{Metric: "http_req_failed", Expression: "rate<0.1", AbortOnFail: true, DelayAbortEval: 10 * time.Second},
				{Metric: "http_reqs", Expression: "count>1"}, {Metric: "http_reqs", Expression: "rate>1"}}
		}},
		{"every flag", []string{"--graceful-stop=0", "--method=POST", "--body=x", "--timeout=1s", "--expected-status=200", "--insecure", "--http-version=2",
			"--pause=1s", "--user-agent=me", "http://h/"}, nil, func(p *plan.Plan) {
			s := &p.Scenarios[0]
			s.GracefulStop, s.Pause = -1, time.Second
			s.Request = plan.Request{URL: "http://h/", Method: "POST", Body: []byte("x"), Timeout: time.Second, ExpectedStatuses: plan.Statuses{{Min: 200, Max: 200}},
				InsecureSkipVerify: true, HTTPVersion: plan.HTTP2, MaxRedirects: 10, Header: http.Header{"User-Agent": {"me"}}}
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			o, err := parse(tc.args, tc.environ)
			if err != nil {
				t.Fatal(err)
			}
			got, err := o.plan()
			if err != nil {
				t.Fatal(err)
			}
			want := shapedPlan(plan.Scenario{VUs: 1})
			tc.want(&want)
			if d := cmp.Diff(want, got.Resolved(), cmp.Comparer(func(a, b netip.Prefix) bool { return a == b })); d != "" {
				t.Errorf("plan (-want +got):\n%s", d)
			}
		})
	}
}

// shapedPlan is the plan of a run against http://h/ with a shape and defaults.
func shapedPlan(s plan.Scenario) plan.Plan {
	s.Request = plan.Request{URL: "http://h/", Header: http.Header{}, Body: []byte{}}
	return plan.Plan{Scenarios: []plan.Scenario{s}}.Resolved()
}

func TestBadCommandLines(t *testing.T) {
	dir := t.TempDir()
	file := func(text string) string {
		f := filepath.Join(dir, "c.json")
		if err := os.WriteFile(f, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return f
	}
	for _, tc := range []struct {
		name    string
		args    []string
		environ map[string]string
		value   bool // exit code 104, or else 255
		want    string
	}{
		{"a typing error", []string{"--vsu", "3", "http://h/"}, nil, false, "--vsu is no flag of run; did you mean vus?"},
		{"nothing near", []string{"--quixotic-windmills", "http://h/"}, nil, false, "--quixotic-windmills is no flag of run"},
		{"a short one", []string{"-x", "http://h/"}, nil, false, "-x is no flag of run"},
		{"k6's, not here", []string{"--rps", "3", "http://h/"}, nil, false, "--rps: use --pause"},
		{"two shapes", []string{"-i", "3", "-s", "1s:2", "http://h/"}, nil, true, "--stage and --iterations: a run is shaped by one of them"},
		{"two shapes, as well", []string{"-d", "3s", "-s", "1s:2", "http://h/"}, nil, true, "--stage and --duration: a run is shaped by one of them"},
		{"two shapes of the environment", []string{"http://h/"}, map[string]string{"K6_STAGES": "1s:1", "K6_ITERATIONS": "2"}, true, "--stage and --iterations"},
		{"a rate and iterations", []string{"--rate", "3", "-i", "3", "http://h/"}, nil, true, "--rate and --iterations: a run is shaped by one of them"},
		{"no rate", []string{"--rate", "0", "http://h/"}, nil, true, "--rate: must be at least 1, not 0"},
		{"a rate of words", []string{"--rate", "fast", "http://h/"}, nil, true, `--rate: "fast" is no rate`},
		{"a rate in no time", []string{"--rate", "3/0s", "http://h/"}, nil, true, `--rate: "3/0s" is no rate`},
		{"a rate without users", []string{"--rate", "3", "-u", "0", "http://h/"}, nil, true, "--vus: must be 1 to 10000, not 0"},
		{"an unknown transport", []string{"--transport", "pigeon", "http://h/"}, nil, true, `--transport: must be auto, http1 or std, not "pigeon"`},

		{"no iteration", []string{"-i", "0", "http://h/"}, nil, true, "--iterations: must be at least 1, not 0"},
		{"fewer iterations than users", []string{"-u", "5", "-i", "3", "http://h/"}, nil, true, "--iterations: 3 are too few for 5 VUs"},
		{"a stage without a target", []string{"-s", "1s", "http://h/"}, nil, true, `--stage: "1s" is no duration:vus`},
		{"a stage without a duration", []string{"-s", ":2", "http://h/"}, nil, true, `--stage: "" is no duration`},
		{"stages of nobody", []string{"-u", "0", "-s", "1s:0", "http://h/"}, nil, true, "--stage: startVUs or a target must be more than 0"},
		{"a stage below nobody", []string{"-s", "1s:-1", "http://h/"}, nil, true, "--stage[0].target: must be 0 to 10000, not -1"},
		{"too many to start with", []string{"-u", "10001", "-s", "1s:1", "http://h/"}, nil, true, "--vus: must be at most 10000"},
		{"a limit on iterations", []string{"-i", "3", "-d", "500ms", "http://h/"}, nil, true, "--duration: must be 1s to 24h0m0s, not 500ms"},
		{"a threshold of nothing", []string{"--threshold", "p(95)<500", "http://h/"}, nil, true, `--threshold: "p(95)<500" is no metric:limit`},
		{"a threshold", []string{"--threshold", "http_req_duration:p95<500", "http://h/"}, nil, true, "--threshold[0].expression: "},
		{"no range", []string{"--blacklist-ip", "10.0.0.0/33", "http://h/"}, nil, true, "--blacklist-ip: "},
		{"no host name", []string{"--block-hostnames", "*.bad*", "http://h/"}, nil, true, "--block-hostnames[0]: "},
		{"no option of DNS", []string{"--dns", "ttl=1m,selct=first", "http://h/"}, nil, true, `--dns: "selct=first" is none of`},
		{"no policy of DNS", []string{"--dns", "policy=nope", "http://h/"}, nil, true, "--dns.policy: must be"},
		{"k6's streams", []string{"--out", "json=x", "http://h/"}, nil, false, "--out: samples are not streamed; --summary-json gives"},
		{"k6's, for scripts", []string{"--no-setup", "http://h/"}, nil, false, "--no-setup: is for k6 scripts"},
		{"a script", []string{"load.js"}, nil, true, `"load.js" is a k6 script, and run requests one URL`},
		{"a script on standard input", []string{"-"}, nil, true, `"-" is a k6 script`},
		{"two summaries on one stream", []string{"--summary-export", "-", "--summary-json", "stdout", "http://h/"}, nil, true, "--summary-export and --summary-json: both go to stdout"},
		{"two summaries in one file", []string{"--summary-json", "a", "http://h/"}, map[string]string{"K6_SUMMARY_EXPORT": "a"}, true, "both go to a"},
		{"a summary mode", []string{"--summary-mode", "legacy", "http://h/"}, nil, true, `--summary-mode: must be compact, full or disabled, not "legacy"`},
		{"a statistic", []string{"--summary-trend-stats", "avg,p95", "http://h/"}, nil, true, `--summary-trend-stats: "p95" is none of avg`},
		{"no statistic", []string{"--summary-trend-stats=", "http://h/"}, nil, true, `--summary-trend-stats: "" is none of avg`},
		{"a statistic of the environment", []string{"http://h/"}, map[string]string{"K6_SUMMARY_TREND_STATS": "p99"}, true, `K6_SUMMARY_TREND_STATS: "p99" is none of avg`},
		{"less than no redirect", []string{"--max-redirects", "-3", "http://h/"}, nil, true, "--max-redirects: must be 0"},
		{"no URL", nil, nil, false, "a URL is needed"},
		{"two URLs", []string{"http://a/", "http://b/"}, nil, false, "one URL at most, not 2"},
		{"no number", []string{"--vus", "many", "http://h/"}, nil, true, "--vus: "},
		{"no duration", []string{"-d", "soon", "http://h/"}, nil, true, `--duration: "soon" is no duration`},
		{"no users", []string{"--vus", "0", "http://h/"}, nil, true, "--vus: must be 1 to 10000, not 0"},
		{"no time", []string{"-d", "0s", "http://h/"}, nil, true, "--duration: must be"},
		{"no time-out", []string{"--timeout", "0", "http://h/"}, nil, true, "--timeout: must be over 0"},
		{"too many users", []string{"--vus", "10001", "http://h/"}, nil, true, "--vus: must be 1 to 10000"},
		{"no scheme", []string{"h"}, nil, true, "URL: needs a scheme"},
		{"credentials are not repeated", []string{"ftp://me:sesame@h/"}, nil, true, "URL: "},
		{"a header without a colon", []string{"--header", "sesame", "http://h/"}, nil, true, `--header: must be "Name: value"`},
		{"a status list", []string{"--expected-status", "9", "http://h/"}, nil, true, "--expected-status: "},
		{"an HTTP version", []string{"--http-version", "3", "http://h/"}, nil, true, "--http-version: must be"},
		{"a body file", []string{"--body", "@" + filepath.Join(dir, "none"), "http://h/"}, nil, true, "no such file"},
		{"the environment", []string{"http://h/"}, map[string]string{"K6_VUS": "many"}, true, "K6_VUS: "},
		{"no configuration", []string{"-c", filepath.Join(dir, "none")}, nil, true, "no such file"},
		{"no JSON", []string{"-c", file("{")}, nil, true, "no JSON object"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			o, err := parse(tc.args, tc.environ)
			if err == nil {
				_, err = o.plan()
			}
			if err == nil || !strings.Contains(err.Error(), tc.want) || errors.As(err, new(valueError)) != tc.value {
				t.Errorf("error %v (of a value: %v); want %q (%v)", err, errors.As(err, new(valueError)), tc.want, tc.value)
			}
			if err != nil && strings.Contains(err.Error(), "sesame") {
				t.Errorf("the error repeats a secret: %v", err)
			}
		})
	}
	for text, want := range map[string]string{
		`{"vsu":1}`:                 `"vsu": is no option of a run; did you mean vus?`,
		`{"vus":"x"}`:               `"vus": `,
		`{"stages":[{"target":1}]}`: `"stages": each stage needs a duration and a target`,
		`{"stages":{}}`:             `"stages": must be a list`,
		`{"stages":[{"duration":"1x","target":1}]}`:                                      `"stages": "1x" is no duration`,
		`{"stages":[{"duration":"1s","target":1}],"duration":"1s"}`:                      `--stage and --duration`,
		`{"thresholds":["a"]}`:                                                           `thresholds: must be an object`,
		`{"thresholds":{"http_reqs":[7]}}`:                                               `thresholds.http_reqs[0]: must be an object`,
		`{"thresholds":{"http_reqs":[{"threshold":"count>1","delayAbortEval":"soon"}]}}`: `thresholds.http_reqs[0].delayAbortEval: "soon" is no duration`,
		`{"hosts":7}`:                   `"hosts": must map names`,
		`{"summaryTrendStats":"avg"}`:   `"summaryTrendStats": must be a list of texts`,
		`{"summaryTrendStats":["p95"]}`: `"summaryTrendStats": "p95" is none of avg`,
		`{"headers":["a"]}`:             `"headers": must be an object of texts`,
		`{"duration":"soon"}`:           `"duration": "soon" is no duration`,
	} {
		if _, err := parse([]string{"-c", file(text), "http://h/"}, nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v; want %s", text, err, want)
		}
	}
}

package oneshot

import (
	"errors"
	"net/http"
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
			want := plan.Plan{Scenarios: []plan.Scenario{{VUs: 1, Request: plan.Request{URL: "http://h/", Header: http.Header{}, Body: []byte{}}}}}.Resolved()
			tc.want(&want)
			if d := cmp.Diff(want, got.Resolved()); d != "" {
				t.Errorf("plan (-want +got):\n%s", d)
			}
		})
	}
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
		{"k6's, not here", []string{"--iterations", "3", "http://h/"}, nil, false, "--iterations: the one executor so far"},
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
		`{"vsu":1}`:                     `"vsu": is no option of a run; did you mean vus?`,
		`{"vus":"x"}`:                   `"vus": `,
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

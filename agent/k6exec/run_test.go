package k6exec

import (
	"context"
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/nollagluiz/broadside/plan"
	"github.com/nollagluiz/broadside/summary"
)

// TestRecorded replays what k6 v2.2.0 gave: every case of testdata/k6-2.2.0/exits.txt, in each shape.
func TestRecorded(t *testing.T) {
	const (
		crossedAll = "2 thresholds were crossed: checks: rate>0.5; http_req_duration: avg<0.00001."
		onLog      = "k6 says that thresholds were crossed: thresholds on metrics 'checks, http_req_duration' have been crossed."
		refused    = "None of 5 requests got a response; the last: dial tcp 127.0.0.1:1: connect: connection refused."
	)
	want := map[string]struct {
		verdict summary.Verdict
		message string
	}{
		"plain.flat-default.json":     {summary.OK, "20192 requests, 0 % failed."},
		"plain.flat-p99.json":         {summary.OK, "21677 requests, 0 % failed."},
		"plain.handle-summary.json":   {summary.OK, "21937 requests, 0 % failed."},
		"plain.machine.json":          {summary.OK, "18812 requests, 0 % failed."},
		"rich.flat-default.json":      {summary.ThresholdFailed, crossedAll},
		"rich.flat-p99.json":          {summary.ThresholdFailed, crossedAll},
		"rich.handle-summary.json":    {summary.ThresholdFailed, crossedAll},
		"rich.machine.json":           {summary.ThresholdFailed, onLog},
		"empty.flat-default.json":     {summary.NoRequests, "Not one request was made."},
		"empty.flat-p99.json":         {summary.NoRequests, "Not one request was made."},
		"empty.handle-summary.json":   {summary.NoRequests, "Not one request was made."},
		"empty.machine.json":          {summary.NoRequests, "Not one request was made."},
		"refused.flat-default.json":   {summary.TargetUnreachable, refused},
		"refused.flat-p99.json":       {summary.TargetUnreachable, refused},
		"refused.handle-summary.json": {summary.TargetUnreachable, refused},
		"refused.machine.json":        {summary.TargetUnreachable, refused},
		"syntax.out":                  {summary.Error, "The script threw an exception: script: Line 1:54 Expected identifier but found end of file."},
		"vus0.out":                    {summary.Error, "k6 refuses the options: There were problems with the specified script configuration: - scenario default has configuration errors: the number of VUs must be more than 0."},
		"nodefault.out":               {summary.Error, "k6 could not begin the run: no exported functions in script."},
		"setup-throws.json":           {summary.Error, "The script threw an exception: Error: boom at setup (script:1:32(3))."},
		"iteration-throws.json":       {summary.NoRequests, "Not one request was made."},
		"abort.json":                  {summary.Aborted, "The script aborted the run: test aborted: enough at default (script:1:119(6))."},
		"sigterm.json":                {summary.Aborted, "k6 was stopped by a signal from elsewhere: test run was aborted because k6 received a 'terminated' signal."},
		"badflag.out":                 {summary.Error, "k6 could not begin the run: unknown flag: --no-such-flag."},
	}
	exits, err := os.ReadFile(recorded(t, "exits.txt"))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(exits)) {
		words := strings.Fields(line) // NAME exit CODE ...
		name := words[0]
		t.Run(name, func(t *testing.T) {
			w, ok := want[name]
			if !ok {
				t.Fatal("no row for it")
			}
			delete(want, name)
			var b behaviour
			if err := json.Unmarshal([]byte(words[2]), &b.Exit); err != nil {
				t.Fatal(err)
			}
			b.Stdout = existing(recorded(t, name))
			b.Stderr = existing(recorded(t, name+".stderr"))
			out, err := runner(t, Config{Path: fake(t, b)}).Run(t.Context(), aPlan(), nil)
			if err != nil {
				t.Fatal(err)
			}
			if out.Verdict != w.verdict || out.Message != w.message {
				t.Errorf("got %s: %s\nwant %s: %s", out.Verdict, out.Message, w.verdict, w.message)
			}
			if (out.K6 != nil) != (b.Stdout != "") || out.Summary != nil {
				t.Fatalf("K6 %v, Summary %v; the recorded summary is %q", out.K6, out.Summary, b.Stdout)
			}
			if out.K6 != nil && out.K6.Duration <= 0 {
				t.Errorf("the run has no duration")
			}
		})
	}
	if len(want) > 0 {
		t.Errorf("no exit code was recorded for %v", want)
	}
}

func existing(path string) string {
	if info, err := os.Stat(path); err != nil || info.Size() == 0 {
		return ""
	}
	return path
}

// What k6 could not tell for want of a request is the time that it took.
func TestDurationEstimated(t *testing.T) {
	bare := t.TempDir() + "/bare.json"
	if err := os.WriteFile(bare, []byte(`{"root_group": {"name": "", "path": "", "id": "", "groups": {}, "checks": {}}, "metrics": {"data_sent": {"count": 0, "rate": 0}}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := runner(t, Config{Path: fake(t, behaviour{Stdout: bare})}).Run(t.Context(), aPlan(), nil)
	if err != nil || out.K6 == nil {
		t.Fatal(out, err)
	}
	if out.K6.Duration <= 0 || !out.K6.Estimated {
		t.Errorf("duration %v, estimated %v; want the time that the run took, estimated", out.K6.Duration, out.K6.Estimated)
	}
}

// k6 gets this and nothing else, however rich the environment of the agent is.
func TestCall(t *testing.T) {
	t.Setenv("DASHBOARD_SECRET", "hunter22")
	t.Setenv("K6_VUS", "77")
	t.Setenv("HTTPS_PROXY", "http://127.0.0.1:9")
	t.Setenv("XDG_CONFIG_HOME", t.TempDir())
	record := t.TempDir() + "/call.json"
	tmp := t.TempDir()
	p := aPlan()
	p.Script = "export default function () { /* “bytes”, \u2028 \r\n\x00\x1a </script> */ }"
	p.Scenarios[0].Request.URL = "http://u:p%40ss@127.0.0.1:1/?a=b"
	out, err := runner(t, Config{Path: fake(t, behaviour{Record: record, Stdout: recorded(t, "plain.flat-p99.json")}), TmpDir: tmp}).Run(t.Context(), p, nil)
	if err != nil || out.Verdict != summary.OK {
		t.Fatal(out, err)
	}
	got := readCall(t, record)
	want := call{
		Args: []string{"run", "--quiet", "--verbose", "--no-usage-report", "--no-color", "--summary-trend-stats", "avg,min,med,max,p(90),p(95),p(99),count", "--summary-export", "stdout", "-"},
		Env: []string{"HOME=/nonexistent", "K6_AUTO_EXTENSION_RESOLUTION=false", "K6_DURATION=2s", "K6_NO_USAGE_REPORT=true", "K6_VUS=3", "NO_COLOR=1",
			"TARGET_URL=http://u:p%40ss@127.0.0.1:1/?a=b"},
		Dir:   workDir,
		Stdin: p.Script,
		Files: map[string]string{},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("the call (-want +got):\n%s", d)
	}
	if left, err := os.ReadDir(tmp); err != nil || len(left) > 0 {
		t.Errorf("files were made: %v %v", left, err)
	}
}

func readCall(t *testing.T, path string) call {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var c call
	if err := json.Unmarshal(text, &c); err != nil {
		t.Fatal(err)
	}
	// PWD is what os/exec adds for a working directory.
	c.Env = slices.DeleteFunc(c.Env, func(s string) bool { return s == "PWD="+workDir })
	slices.Sort(c.Env)
	return c
}

func TestCallOfOldVersions(t *testing.T) {
	for _, c := range []struct {
		name, version string
		want          []string
	}{
		{"v2.0 serves no API unless told to", "k6 v2.0.0", []string{"--summary-export", "stdout", "-"}},
		{"v1.7 does unless told not to", "k6 v1.7.1 (commit/abc, go1.25, linux/amd64)", []string{"--address", "", "--summary-export", "stdout", "-"}},
		{"v0.30 is the oldest that prints its summary", "k6 v0.30.0", []string{"--address", "", "--summary-export", "stdout", "-"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			record := t.TempDir() + "/call.json"
			if _, err := runner(t, Config{Path: fake(t, behaviour{Version: c.version, Record: record})}).Run(t.Context(), aPlan(), nil); err != nil {
				t.Fatal(err)
			}
			got := readCall(t, record).Args
			if d := cmp.Diff(c.want, got[slices.Index(got, trendStats)+1:]); d != "" {
				t.Errorf("arguments (-want +got):\n%s", d)
			}
		})
	}
}

// What k6 said goes into a message without the plan's secrets.
func TestSecretsStayHidden(t *testing.T) {
	p := aPlan()
	r := &p.Scenarios[0].Request
	r.URL = "http://user:pw1@127.0.0.1:1/a;token=t0k3n/b?api_key=k%2Fey1&x=shown#sid=frag1"
	r.Header = map[string][]string{"Authorization": {"Basic dXNlcjpwdzI="}, "Cookie": {"sid=cookie123; theme=darkdark"}, "X-Mine": {"mine"}, "X-Shown": {"plain"}}
	r.SecretHeaders = []string{"x-mine"}
	r.Body = []byte("{\"b\":\"secret body\"}\n")
	said := t.TempDir() + "/stderr"
	line := "level=error msg=" + `"user pw1 t0k3n k%2Fey1 k/ey1 frag1 Basic dXNlcjpwdzI= pw2 cookie123 mine {\"b\":\"secret body\"} http://user:pw1@h shown plain end"` + "\n"
	if err := os.WriteFile(said, []byte(line), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := runner(t, Config{Path: fake(t, behaviour{Stderr: said, Exit: 107})}).Run(t.Context(), p, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{"pw1", "t0k3n", "ey1", "frag1", "dXNl", "pw2", "cookie123", "mine", "secret body", "user"} {
		if strings.Contains(out.Message, secret) {
			t.Errorf("%q is shown", secret)
		}
	}
	for _, open := range []string{"shown", "plain", "end", "The script threw an exception: "} {
		if !strings.Contains(out.Message, open) {
			t.Errorf("%q is missing", open)
		}
	}
	if t.Failed() {
		t.Log(out.Message)
	}
}

func TestMessageIsBounded(t *testing.T) {
	said := t.TempDir() + "/stderr"
	if err := os.WriteFile(said, []byte("level=error msg=\""+strings.Repeat("é ", 4000)+"\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := runner(t, Config{Path: fake(t, behaviour{Stderr: said, Exit: 104})}).Run(t.Context(), aPlan(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(out.Message) > 500 || len(out.Message) < 490 || strings.ToValidUTF8(out.Message, "?") != out.Message || !strings.HasSuffix(out.Message, "…") {
		t.Errorf("%d bytes: %s", len(out.Message), out.Message)
	}
}

// What k6 can't do is an outcome, what is wrong with the plan or the binary an error.
func TestNotRun(t *testing.T) {
	k6 := fake(t, behaviour{Report: "127.0.0.1:1"}) // a run would end with 42
	for _, c := range []struct {
		name    string
		change  func(*plan.Plan)
		verdict summary.Verdict
		message string
	}{
		{"HTTP/2", func(p *plan.Plan) { p.Scenarios[0].Request.HTTPVersion = plan.HTTP2 }, summary.Error,
			"k6 can't be held to HTTP/2: over TLS it takes what the server offers, in clear always HTTP/1.1."},
		{"no VU for this share", func(p *plan.Plan) { p.Share = plan.Share{I: 3, N: 4} }, summary.NoRequests, "No VU of the plan falls to this part of it."},
		{"no VU for this share of a script", func(p *plan.Plan) { p.Share, p.Script = plan.Share{I: 3, N: 4}, "x" }, summary.NoRequests, "No VU of the plan falls to this part of it."},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := aPlan()
			c.change(&p)
			out, err := runner(t, Config{Path: k6}).Run(t.Context(), p, nil)
			if err != nil || out.Verdict != c.verdict || out.Message != c.message {
				t.Errorf("got %+v, %v; want %s: %s", out, err, c.verdict, c.message)
			}
		})
	}
	t.Run("an invalid plan", func(t *testing.T) {
		if out, err := runner(t, Config{Path: k6}).Run(t.Context(), plan.Plan{}, nil); err == nil {
			t.Errorf("got %+v", out)
		}
	})
	t.Run("a context that is done", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		r := runner(t, Config{Path: k6})
		if out, err := r.Run(ctx, aPlan(), nil); err != context.Canceled || r.Status().Error != "" {
			t.Errorf("got %+v, %v; status %+v", out, err, r.Status())
		}
	})
	t.Run("a binary that went away", func(t *testing.T) {
		path := fake(t, behaviour{})
		r := runner(t, Config{Path: path})
		if err := r.Probe(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		out, err := r.Run(t.Context(), aPlan(), nil)
		if err == nil || !strings.HasPrefix(err.Error(), "start k6 at ") {
			t.Fatalf("got %+v, %v", out, err)
		}
		if s := r.Status(); s.Version != "" || s.Error != err.Error() {
			t.Errorf("status %+v; want the error %v", s, err)
		}
	})
}

package oneshot

import (
	"bytes"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/nollagluiz/broadside/summary"
)

// site answers everything, /missing with 404.
func site(t *testing.T) string {
	mux := http.NewServeMux()
	mux.HandleFunc("/", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("/missing", http.NotFound)
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s.URL
}

// ran is what one call of Run gave.
type ran struct {
	code           int
	stdout, stderr string
}

// run makes a run of one second.
func run(t *testing.T, environ []string, args ...string) ran {
	t.Helper()
	var stdout, stderr bytes.Buffer
	code := Run(t.Context(), Config{Program: "test", Version: "dev", Args: append([]string{"-d", "1s", "--pause", "20ms"}, args...), Environ: environ, Stdout: &stdout, Stderr: &stderr})
	return ran{code, stdout.String(), stderr.String()}
}

// shape reads what should be a summary in one of k6's shapes, of a run with requests, and nothing else.
func shape(t *testing.T, text string) summary.K6Shape {
	t.Helper()
	k, err := summary.ReadK6([]byte(text))
	if err != nil {
		t.Fatalf("%v in\n%.200s", err, text)
	}
	if f := k.Fields(); f.Requests == 0 || f.P99 == nil {
		t.Errorf("fields %+v; want requests and a p99", f)
	}
	return k.Shape
}

func read(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

const reported = "✓ Verdict: ok."

func TestSummariesInFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	flat, handle := filepath.Join(dir, "flat.json"), filepath.Join(dir, "handle.json")
	if err := os.WriteFile(flat, bytes.Repeat([]byte("x"), 1<<16), 0o600); err != nil { // longer than what comes
		t.Fatal(err)
	}
	got := run(t, nil, "--summary-export", flat, "--summary-json", handle, site(t))
	if got.code != exitOK || got.stderr != "" || !strings.Contains(got.stdout, reported) {
		t.Errorf("%+v; want 0 and the report", got)
	}
	if s := shape(t, read(t, flat)); s != summary.K6Flat {
		t.Errorf("--summary-export gave the shape %s", s)
	}
	if s := shape(t, read(t, handle)); s != summary.K6HandleSummary {
		t.Errorf("--summary-json gave the shape %s", s)
	}
	if info, err := os.Stat(flat); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v of a file that was there; want the one it had", info.Mode(), err)
	}
	if info, err := os.Stat(handle); err != nil || info.Mode().Perm()&0o711 != 0o600 { // the rest is the umask's
		t.Errorf("mode %v, %v of a new file; want 0666 but for the umask", info.Mode(), err)
	}
}

// A stream that a summary goes to has it alone.
func TestSummariesOnStreams(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name           string
		args           []string
		environ        []string
		stdout, stderr summary.K6Shape // "" for no JSON
		report         bool
	}{
		{"the flat one on stdout", []string{"--summary-export", "stdout"}, nil, summary.K6Flat, "", false},
		{"a dash", []string{"--summary-export", "-"}, nil, summary.K6Flat, "", false},
		{"handleSummary's on stdout", []string{"--summary-json=-"}, nil, summary.K6HandleSummary, "", false},
		{"on stderr", []string{"--summary-export", "stderr"}, []string{"HTTP_PROXY=http://127.0.0.1:1"}, "", summary.K6Flat, true},
		{"one on each", []string{"--summary-export", "stderr", "--summary-json", "stdout"}, nil, summary.K6HandleSummary, summary.K6Flat, false},
		{"the environment", nil, []string{"K6_SUMMARY_EXPORT=stdout"}, summary.K6Flat, "", false},
		{"no report, and a summary all the same", []string{"--summary-mode", "disabled", "--summary-json", "stdout"}, nil, summary.K6HandleSummary, "", false},
		{"no report", nil, []string{"K6_SUMMARY_MODE=disabled"}, "", "", false},
		{"a full report", []string{"--summary-mode", "full"}, nil, "", "", true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			got := run(t, tc.environ, append(tc.args, site(t))...)
			if got.code != exitOK {
				t.Errorf("exit code %d: %s", got.code, got.stderr)
			}
			if tc.stdout != "" {
				if s := shape(t, got.stdout); s != tc.stdout {
					t.Errorf("stdout has the shape %s", s)
				}
			} else if strings.Contains(got.stdout, reported) != tc.report || !tc.report && got.stdout != "" {
				t.Errorf("stdout %q; want a report: %v", got.stdout, tc.report)
			}
			if tc.stderr != "" {
				if s := shape(t, got.stderr); s != tc.stderr {
					t.Errorf("stderr has the shape %s", s)
				}
			} else if got.stderr != "" {
				t.Errorf("stderr %q; want nothing", got.stderr)
			}
		})
	}
}

// k6 leaves with 0 where a summary could not be written.
func TestUnwritableSummary(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	nowhere, handle := filepath.Join(dir, "none", "flat.json"), filepath.Join(dir, "handle.json")
	url := site(t)
	got := run(t, nil, "--summary-export", nowhere, "--summary-json", handle, url)
	if got.code != exitFailed || !strings.Contains(got.stderr, "test run: --summary-export: open "+nowhere) {
		t.Errorf("exit code %d, stderr %q; want %d and the file", got.code, got.stderr, exitFailed)
	}
	if !strings.Contains(got.stdout, reported) || shape(t, read(t, handle)) != summary.K6HandleSummary {
		t.Errorf("stdout %q; want the report, and the other summary in its file", got.stdout)
	}
	if got := run(t, nil, "--summary-export", nowhere, url+"/missing"); got.code != exitVerdict {
		t.Errorf("exit code %d of a run whose requests failed; want the verdict's, %d", got.code, exitVerdict)
	}
	var stderr bytes.Buffer
	code := Run(t.Context(), Config{Program: "test", Version: "dev", Args: []string{"-d", "1s", "--summary-export", handle, url}, Stdout: full{}, Stderr: &stderr})
	if code != exitFailed || !strings.Contains(stderr.String(), "write the report: disk full") || shape(t, read(t, handle)) != summary.K6Flat {
		t.Errorf("a report that can't be written: exit code %d, stderr %q; want %d, and the summary in its file", code, stderr.String(), exitFailed)
	}
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("disk full") }

// Where JSON replaces the report, stderr says why the run failed.
func TestVerdictBesideJSON(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"--summary-export", "stdout"}, {"--summary-mode", "disabled"}} {
		got := run(t, nil, append(args, site(t)+"/missing")...)
		if got.code != exitVerdict || !strings.HasPrefix(got.stderr, "✗ Verdict: threshold_failed. ") || strings.Count(got.stderr, "\n") != 1 {
			t.Errorf("%v: exit code %d, stderr %q; want %d and the verdict in a line", args, got.code, got.stderr, exitVerdict)
		}
	}
}

// Proxies are not used, and that is said: k6 would have sent the load through them.
func TestProxyVariables(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy"} {
		got := run(t, []string{name + "=http://me:sesame@127.0.0.1:1"}, site(t))
		if want := name + " is set and not used: load goes straight to its target\n"; got.code != exitOK || got.stderr != want {
			t.Errorf("exit code %d, stderr %q; want 0, %q", got.code, got.stderr, want)
		}
	}
	if got := run(t, []string{"HTTP_PROXY="}, site(t)); got.stderr != "" {
		t.Errorf("stderr %q; want nothing", got.stderr)
	}
}

// Results go where the command line says, or else the environment, or else the configuration file.
func TestPrecedenceOfResults(t *testing.T) {
	file := filepath.Join(t.TempDir(), "run.json")
	text := `{"summaryExport":"file","summaryJSON":"file.json","summaryMode":"full","summaryTrendStats":["avg","max"],"discardResponseBodies":true,"noUsageReport":true}`
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	environ := map[string]string{"K6_CONFIG": file, "K6_SUMMARY_EXPORT": "env", "K6_SUMMARY_MODE": "compact", "K6_SUMMARY_TREND_STATS": "med", "K6_DISCARD_RESPONSE_BODIES": "true", "K6_NO_USAGE_REPORT": "true"}
	for _, tc := range []struct {
		name    string
		args    []string
		environ map[string]string
		want    string // export, json, mode, statistics
	}{
		{"defaults", nil, nil, "  compact "},
		{"file", []string{"-c", file}, nil, "file file.json full avg,max"},
		{"environment", nil, environ, "env file.json compact med"},
		{"command line", []string{"--summary-export=line", "--summary-json=line.json", "--summary-mode=disabled", "--summary-trend-stats=p(99.9),count"}, environ,
			"line line.json disabled p(99.9),count"},
	} {
		o, err := parse(append(tc.args, "http://h/"), tc.environ)
		if got := strings.Join([]string{o.summaryExport, o.summaryJSON, o.summaryMode, o.trendStats.String()}, " "); err != nil || got != tc.want {
			t.Errorf("%s: %q, %v; want %q", tc.name, got, err, tc.want)
		}
	}
}

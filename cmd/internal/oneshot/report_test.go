package oneshot

import (
	"strings"
	"testing"
	"time"

	"github.com/nollagluiz/broadside/plan"
	"github.com/nollagluiz/broadside/summary"
)

func TestProgress(t *testing.T) {
	p := plan.Plan{Scenarios: []plan.Scenario{{Duration: 20 * time.Second}}}
	snapshot := func(seconds int) summary.Snapshot {
		return summary.Snapshot{Elapsed: time.Duration(seconds) * time.Second, VUs: 2, Requests: int64(10 * seconds), Failures: 1}
	}
	var lines, bar strings.Builder
	for _, to := range []*progress{newProgress(&lines, p, false), newProgress(&bar, p, true)} {
		for second := 1; second <= 12; second++ {
			to.observe(snapshot(second))
		}
		to.end()
	}
	if want := "5s / 20s  2 VUs  50 requests  1 failed\n10s / 20s  2 VUs  100 requests  1 failed\n"; lines.String() != want {
		t.Errorf("without a terminal:\n%swant a line each 5 s:\n%s", lines.String(), want)
	}
	if got := strings.Count(bar.String(), "\r["); got != 12 || !strings.HasSuffix(bar.String(), "12s / 20s  2 VUs  120 requests  1 failed\x1b[K\n") {
		t.Errorf("on a terminal %d bars, %q; want one a second and a new line", got, bar.String())
	}
}

func TestExitCode(t *testing.T) {
	for verdict, want := range map[summary.Verdict]int{
		summary.OK: 0, summary.GeneratorLimited: 0, summary.ThresholdFailed: 99, summary.TargetUnreachable: 99, summary.NoRequests: 99,
		summary.Aborted: 105, summary.Error: 1,
	} {
		if got := exitCode(verdict); got != want {
			t.Errorf("exit code of %s is %d; want %d", verdict, got, want)
		}
	}
}

// Of a number of iterations the bar shows how many are done, or the time of their limit if that is nearer.
func TestProgressOfIterations(t *testing.T) {
	p := plan.Plan{Scenarios: []plan.Scenario{{Executor: plan.SharedIterations, Iterations: 10, MaxDuration: 20 * time.Second}}}
	for _, tc := range []struct {
		elapsed    time.Duration
		iterations int64
		want       string
	}{{time.Second, 5, " 50 %  1s / 20s"}, {15 * time.Second, 5, " 75 %  15s / 20s"}, {25 * time.Second, 10, "100 %  25s / 20s"}} {
		var bar strings.Builder
		newProgress(&bar, p, true).observe(summary.Snapshot{Elapsed: tc.elapsed, Iterations: tc.iterations})
		if !strings.Contains(bar.String(), tc.want) {
			t.Errorf("after %v and %d iterations: %q; want %q", tc.elapsed, tc.iterations, bar.String(), tc.want)
		}
	}
}

// Colours are asked for nowhere, or refused in one of three places; k6's variable holds a boolean, NO_COLOR anything.
func TestNoColor(t *testing.T) {
	for _, tc := range []struct {
		name    string
		args    []string
		environ map[string]string
		want    bool
	}{
		{"not said", nil, nil, false},
		{"the flag", []string{"--no-color"}, nil, true},
		{"k6's variable", nil, map[string]string{"K6_NO_COLOR": "true"}, true},
		{"k6's variable, false", nil, map[string]string{"K6_NO_COLOR": "false"}, false},
		{"NO_COLOR", nil, map[string]string{"NO_COLOR": "1"}, true},
		{"NO_COLOR, empty", nil, map[string]string{"NO_COLOR": ""}, false},
	} {
		o, err := parse(append(tc.args, "http://h/"), tc.environ)
		if err != nil || o.noColor != tc.want {
			t.Errorf("%s: no colours %v, %v; want %v", tc.name, o.noColor, err, tc.want)
		}
	}
	if got := run(t, nil, site(t)); strings.Contains(got.stdout+got.stderr, "\x1b") {
		t.Errorf("colours without a terminal: %q", got.stdout)
	}
}

// A line of progress comes after 5 s, but not with --quiet; the report comes with both.
func TestQuiet(t *testing.T) {
	t.Parallel()
	for args, lines := range map[string]int{"--pause=20ms": 1, "--quiet": 0} {
		t.Run(args, func(t *testing.T) {
			t.Parallel()
			got := run(t, nil, "-d", "6s", args, site(t))
			if strings.Count(got.stderr, " / 6s  ") != lines || strings.Count(got.stderr, "\n") != lines || !strings.Contains(got.stdout, reported) {
				t.Errorf("stderr %q, stdout %q; want %d lines, and a report", got.stderr, got.stdout, lines)
			}
		})
	}
}

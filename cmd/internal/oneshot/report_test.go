package oneshot

import (
	"strings"
	"testing"
	"time"

	"github.com/nollagluiz/broadside/plan"
	"github.com/nollagluiz/broadside/summary"
	"github.com/nollagluiz/broadside/summary/hist"
)

func TestReport(t *testing.T) {
	s := summary.New(time.Time{})
	s.Duration = 2 * time.Second
	s.Counters = map[string]int64{summary.HTTPReqs: 4, summary.Iterations: 3, summary.IterationsInterrupted: 1, summary.DataReceived: 3_000_000, summary.DataSent: 400}
	s.Rates[summary.HTTPReqFailed] = summary.Rate{True: 1, Total: 4}
	s.Statuses[200] = 3
	s.Errors = []summary.ErrorClass{{Code: 1220, Count: 1, Sample: "connection reset by peer"}}
	for _, name := range []string{summary.HTTPReqDuration, summary.ExpectedDuration} {
		s.Trends[name] = &hist.Histogram{}
		s.Trends[name].RecordN(int64(40*time.Millisecond), 3)
	}
	var b strings.Builder
	if err := report(&b, summary.Judge(s, false)); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"http_req_duration...........: avg=40ms min=40ms med=40ms max=40ms p(90)=40ms p(95)=40ms p(99)=40ms\n",
		"{expected_response:true}....: avg=40ms ",
		"http_req_failed.............: 25.00%  1 out of 4\n",
		"http_reqs...................: 4  2.00/s\n",
		"iterations_interrupted......: 1\n",
		"data_received...............: 3.0 MB  1.5 MB/s\n",
		"data_sent...................: 400 B  200 B/s\n",
		"1 x code 1220 connection reset by peer\n",
		"Verdict: threshold_failed. 25 % of 4 requests failed",
		"at most 0.1 % of their value, phases by at most 1.6 %",
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("the report lacks %q:\n%s", want, b.String())
		}
	}
}

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

package summary_test

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/nollagluiz/broadside/summary"
	"github.com/nollagluiz/broadside/summary/hist"
)

var update = flag.Bool("update", false, "rewrite the golden files of testdata")

// golden holds got against a file of testdata. `go test ./summary -update` rewrites them all.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (-want +got):\n%s", path, diff)
	}
}

// full is a run in which everything was sampled, also what a script measures.
func full() *summary.Summary {
	s := summary.New(time.Time{})
	s.Duration = 12500 * time.Millisecond
	s.Counters = map[string]int64{summary.HTTPReqs: 100_000, summary.Iterations: 50_000, summary.DataReceived: 1_234_567_890,
		summary.DataSent: 999_960, summary.HTTPReqRetries: 3, "orders": 7, "orders_with_a_name_that_is_too_long": 2}
	s.Rates[summary.HTTPReqFailed] = summary.Rate{True: 1, Total: 100_000}
	s.Rates["checks"] = summary.Rate{True: 99_999, Total: 100_000}
	s.Gauges[summary.VUs] = summary.Gauge{Value: 10, Min: 5, Max: 10, N: 12}
	s.Gauges[summary.VUsMax] = summary.Gauge{Value: 10, Min: 10, Max: 10, N: 12}
	s.Gauges["cache"] = summary.Gauge{Value: 0.25, Min: 0.125, Max: 0.5, N: 3}
	s.Statuses[200], s.Statuses[503] = 99_999, 1
	s.Errors = []summary.ErrorClass{{Code: 1503, Count: 1, Sample: "HTTP status 503"}}
	for i, name := range []string{summary.HTTPReqDuration, summary.ExpectedDuration, summary.HTTPReqBlocked, summary.HTTPReqConnecting,
		summary.HTTPReqTLS, summary.HTTPReqSending, summary.HTTPReqWaiting, summary.HTTPReqReceiving, summary.IterationDuration, "pay_time"} {
		s.Trends[name] = hist.New(hist.Fine)
		for _, ns := range []int64{250, 31_500, 1_250_000, 2_345_678_901} {
			s.Trends[name].Record(ns * int64(i+1))
		}
	}
	return s
}

func TestWriteReport(t *testing.T) {
	refused := measured(nil, map[int]int64{1212: 40})
	refused.Duration = 4 * time.Second
	clean := ran()
	clean.Rates[summary.HTTPReqFailed], clean.Errors = summary.Rate{Total: 4}, nil
	nothing := summary.New(time.Time{})
	nothing.Trends[summary.HTTPReqDuration] = hist.New(hist.Fine)
	limited := full()
	limited.Counters["http_reqs{status:200}"] = 99_999
	limited.Counters["data_received{scenario:login}"] = 1_000_000
	limited.Trends["http_req_duration{name:\x1b[2J}"] = limited.Trends[summary.HTTPReqDuration]
	limited.Thresholds = limited.Evaluate(conditions(t, threshold("http_reqs: count>0"), threshold("http_req_duration: p(95)<500"),
		threshold("http_req_duration: p(99)<3000"), threshold("http_reqs{status:200}: rate>10000"), threshold("http_reqs{status:404}: count<1"),
		threshold("http_req_duration{name:\x1b[2J}: avg<1"), threshold("vus: value>5"), threshold("data_received{scenario:login}: rate>1")))
	limited.Thresholds[1].Cut = true
	for name, c := range map[string]struct {
		outcome summary.Outcome
		opts    summary.ReportOptions
	}{
		"ok":       {summary.Judge(full(), false), summary.ReportOptions{}},
		"clean":    {summary.Judge(clean, false), summary.ReportOptions{}},
		"failed":   {summary.Judge(ran(), false), summary.ReportOptions{}},
		"color":    {summary.Judge(ran(), false), summary.ReportOptions{Color: true}},
		"refused":  {summary.Judge(refused, false), summary.ReportOptions{}},
		"limited":  {summary.Judge(limited, false), summary.ReportOptions{}},
		"nothing":  {summary.Judge(nothing, false), summary.ReportOptions{}},
		"aborted":  {summary.Judge(ran(), true), summary.ReportOptions{}},
		"no-start": {summary.Outcome{Verdict: summary.Error, Message: "k6 was not found."}, summary.ReportOptions{}},
	} {
		t.Run(name, func(t *testing.T) {
			var b strings.Builder
			if err := summary.WriteReport(&b, c.outcome, c.opts); err != nil {
				t.Fatal(err)
			}
			if !c.opts.Color && strings.Contains(b.String(), "\x1b") {
				t.Error("there are colours that nobody asked for")
			}
			golden(t, "report-"+name+".golden.txt", []byte(b.String()))
		})
	}
}

// What a target sent can't steer the terminal on which its report is read.
func TestReportIsPrintable(t *testing.T) {
	s := measured(nil, map[int]int64{1000: 1})
	s.Errors[0].Sample = "bad \x1b[2Jheader\nline"
	o := summary.Judge(s, false)
	var b strings.Builder
	if err := summary.WriteReport(&b, o, summary.ReportOptions{}); err != nil {
		t.Fatal(err)
	}
	if got := strings.Count(b.String(), "bad ?[2Jheader?line"); got != 2 {
		t.Errorf("%d times printable; want it in the class and in the verdict:\n%s", got, b.String())
	}
}

// A class that no request was counted for has no share, and one without a sample says so.
func TestReportOfErrorsAlone(t *testing.T) {
	var b strings.Builder
	s := &summary.Summary{Errors: []summary.ErrorClass{{Code: 1000, Count: 2}}}
	if err := summary.WriteReport(&b, summary.Judge(s, false), summary.ReportOptions{}); err != nil {
		t.Fatal(err)
	}
	if want := "✗ 2 (0.00%) code 1000: no message\n"; !strings.Contains(b.String(), want) {
		t.Errorf("the report lacks %q:\n%s", want, b.String())
	}
}

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, errors.New("disk full") }

func TestReportTellsOfAFailedWrite(t *testing.T) {
	if err := summary.WriteReport(broken{}, summary.Outcome{Verdict: summary.OK}, summary.ReportOptions{}); err == nil || err.Error() != "disk full" {
		t.Errorf("%v; want disk full", err)
	}
}

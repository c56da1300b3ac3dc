package summary_test

import (
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/nollagluiz/broadside/summary"
)

// measured builds what a run would have: answers by status, and failures that got none by error code.
func measured(answers map[int]int64, codes map[int]int64) *summary.Summary {
	s := summary.New(time.Time{})
	var rate summary.Rate
	for status, n := range answers {
		s.Statuses[status] += n
		rate.Total += n
		if status >= 400 {
			rate.True += n
			s.Errors = append(s.Errors, summary.ErrorClass{Code: 1000 + status, Count: n, Sample: "HTTP status"})
		}
	}
	for code, n := range codes {
		rate.Total += n
		rate.True += n
		s.Errors = append(s.Errors, summary.ErrorClass{Code: code, Count: n, Sample: "a sample of " + string(rune('0'+code%10))})
	}
	if rate.Total > 0 {
		s.Rates[summary.HTTPReqFailed] = rate
		s.Counters[summary.HTTPReqs] = rate.Total
	}
	return s
}

// Field report 59: each verdict comes with one sentence. Field report 27 and 31: a run without requests is no success.
func TestJudge(t *testing.T) {
	const refused, interrupted = 1212, 1060
	for _, c := range []struct {
		name    string
		answers map[int]int64
		codes   map[int]int64
		aborted bool
		verdict summary.Verdict
		message string
	}{
		{"all answered", map[int]int64{200: 90, 304: 10}, nil, false, summary.OK, "100 requests, 0 % failed."},
		{"five percent are still ok", map[int]int64{200: 95, 500: 5}, nil, false, summary.OK, "100 requests, 5 % failed."},
		{"one in twenty, exactly", map[int]int64{200: 19, 500: 1}, nil, false, summary.OK, "20 requests, 5 % failed."},
		{"over five percent are not", map[int]int64{200: 949, 500: 51}, nil, false, summary.ThresholdFailed, "5.1 % of 1000 requests failed, over the limit of 5 %; most often: HTTP status (code 1500)."},
		{"all 500", map[int]int64{500: 3}, nil, false, summary.ThresholdFailed, "100 % of 3 requests failed, over the limit of 5 %; most often: HTTP status (code 1500)."},
		{"nothing was asked", nil, nil, false, summary.NoRequests, "Not one request was made."},
		{"refused", nil, map[int]int64{refused: 7}, false, summary.TargetUnreachable, "None of 7 requests got a response; most often: a sample of 2 (code 1212)."},
		{"a black hole, field report 13", nil, map[int]int64{interrupted: 10}, false, summary.TargetUnreachable, "None of 10 requests got a response; most often: a sample of 0 (code 1060)."},
		{"one answer is an answer", map[int]int64{200: 1}, map[int]int64{refused: 99}, false, summary.ThresholdFailed, "99 % of 100 requests failed, over the limit of 5 %; most often: a sample of 2 (code 1212)."},
		{"out of ports, field report 30", nil, map[int]int64{summary.CodeGenerator: 9, refused: 1}, false, summary.GeneratorLimited, "9 of 10 requests could not be made by the agent itself: a sample of 0 (code 1290)."},
		{"the target's fault, mostly", nil, map[int]int64{summary.CodeGenerator: 1, refused: 9}, false, summary.TargetUnreachable, "None of 10 requests got a response; most often: a sample of 2 (code 1212)."},
		{"over one percent is the agent's", map[int]int64{200: 98}, map[int]int64{summary.CodeGenerator: 2}, false, summary.GeneratorLimited, "2 of 100 requests could not be made by the agent itself: a sample of 0 (code 1290)."},
		{"up to one percent is not", map[int]int64{200: 99}, map[int]int64{summary.CodeGenerator: 1}, false, summary.OK, "100 requests, 1 % failed."},
		{"aborted, whatever came", map[int]int64{500: 4}, nil, true, summary.Aborted, "The run was aborted after 4 requests."},
		{"aborted before all", nil, nil, true, summary.Aborted, "The run was aborted after 0 requests."},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := measured(c.answers, c.codes)
			out := summary.Judge(s, c.aborted)
			if out.Verdict != c.verdict || out.Message != c.message || out.Summary != s {
				t.Errorf("%s: %s\nwant %s: %s", out.Verdict, out.Message, c.verdict, c.message)
			}
			first := rune(out.Message[0])
			if !(unicode.IsUpper(first) || unicode.IsDigit(first)) || !strings.HasSuffix(out.Message, ".") {
				t.Errorf("%q is no sentence", out.Message)
			}
			if !out.Verdict.Valid() {
				t.Errorf("%q is no verdict", out.Verdict)
			}
		})
	}
}

func TestJudgeWithoutSamplesOfErrors(t *testing.T) {
	s := summary.New(time.Time{})
	s.Rates[summary.HTTPReqFailed] = summary.Rate{True: 2, Total: 2}
	if got := summary.Judge(s, false).Message; got != "None of 2 requests got a response." {
		t.Errorf("message %q", got)
	}
}

func TestVerdictValid(t *testing.T) {
	for _, v := range []summary.Verdict{
		summary.Error, summary.Lost, summary.Aborted, summary.NoRequests,
		summary.TargetUnreachable, summary.GeneratorLimited, summary.ThresholdFailed, summary.OK,
	} {
		if !v.Valid() {
			t.Errorf("%q is not valid", v)
		}
	}
	for _, v := range []summary.Verdict{"", "OK", "passed"} {
		if v.Valid() {
			t.Errorf("%q is valid", v)
		}
	}
}

// A run that did not make all it was to make says so, however well the rest went.
func TestJudgeTellsOfDroppedIterations(t *testing.T) {
	s := summary.New(time.Time{})
	s.Rates[summary.HTTPReqFailed] = summary.Rate{Total: 80}
	s.Statuses[200] = 80
	s.Counters[summary.DroppedIterations] = 20
	out := summary.Judge(s, false)
	if want := "80 requests, 0 % failed. But 20 iterations were dropped: they found no free VU, or no time."; out.Verdict != summary.OK || out.Message != want {
		t.Errorf("got %s, %q; want ok, %q", out.Verdict, out.Message, want)
	}
}

// A run that its generator was the limit of is told so, whatever its thresholds say; not one that got no answer.
func TestJudgeOfALimitedRun(t *testing.T) {
	const why = "The agent was late."
	for _, c := range []struct {
		name    string
		answers map[int]int64
		codes   map[int]int64
		aborted bool
		verdict summary.Verdict
	}{
		{"all answered", map[int]int64{200: 9}, nil, false, summary.GeneratorLimited},
		{"most failed", map[int]int64{500: 9}, nil, false, summary.GeneratorLimited},
		{"unreachable", nil, map[int]int64{1212: 9}, false, summary.TargetUnreachable},
		{"aborted", map[int]int64{200: 9}, nil, true, summary.Aborted},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, other := measured(c.answers, c.codes), measured(nil, nil)
			other.Limited = why
			s.Merge(other)
			out := summary.Judge(s, c.aborted)
			if out.Verdict != c.verdict || (out.Message == why) != (c.verdict == summary.GeneratorLimited) {
				t.Errorf("%s: %s", out.Verdict, out.Message)
			}
		})
	}
}

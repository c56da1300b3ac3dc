package k6exec

import (
	"errors"
	"testing"
	"time"

	"github.com/nollagluiz/broadside/summary"
)

// measured is what a k6 may have measured.
func measured(requests, failed, received float64, max float64, thresholds map[string]bool) *summary.K6 {
	return &summary.K6{Metrics: map[string]summary.K6Metric{
		summary.HTTPReqs:        {Type: summary.K6Counter, Values: map[string]float64{"count": requests, "rate": 1}},
		summary.DataReceived:    {Type: summary.K6Counter, Values: map[string]float64{"count": received, "rate": 1}},
		summary.HTTPReqFailed:   {Type: summary.K6Rate, Values: map[string]float64{"passes": failed, "fails": requests - failed, "rate": failed / requests}},
		summary.HTTPReqDuration: {Type: summary.K6Trend, Values: map[string]float64{"med": max, "max": max}, Thresholds: thresholds},
	}}
}

// TestOutcome is the table of docs/ADR/0010 and k6's exit codes: what was measured is kept with each.
func TestOutcome(t *testing.T) {
	ok := measured(10, 0, 100, 1, nil)
	const noSummary = " but printed no summary: words."
	for _, c := range []struct {
		name    string
		e       ending
		verdict summary.Verdict
		message string
	}{
		{"0", ending{k6: ok}, summary.OK, "10 requests, 0 % failed."},
		{"0, a twentieth failed", ending{k6: measured(100, 5, 100, 1, nil)}, summary.OK, "100 requests, 5 % failed."},
		{"0, more failed", ending{k6: measured(100, 6, 100, 1, nil)}, summary.ThresholdFailed, "6 % of 100 requests failed, over the limit of 5 %."},
		{"0, more failed and thresholds held", ending{k6: measured(100, 6, 100, 1, map[string]bool{"p(95)<1": true})}, summary.OK, "100 requests, 6 % failed."},
		{"0, no request", ending{k6: measured(0, 0, 0, 0, nil)}, summary.NoRequests, "Not one request was made."},
		{"0, no response", ending{k6: measured(10, 10, 0, 0, nil), request: "refused"}, summary.TargetUnreachable, "None of 10 requests got a response; the last: refused."},
		{"0, no response but a handshake", ending{k6: measured(10, 10, 2000, 0, nil)}, summary.TargetUnreachable, "None of 10 requests got a response."},
		{"0, all timed out", ending{k6: measured(10, 10, 0, 300, nil)}, summary.TargetUnreachable, "None of 10 requests got a response."},
		{"0, no JSON", ending{words: "words"}, summary.Error, "k6 ended well" + noSummary},
		{"0, garbage", ending{err: errors.New("read k6 summary: garbage")}, summary.Error, "k6 ended well: read k6 summary: garbage."},
		{"97", ending{code: 97}, summary.Error, "k6 says that a cloud run failed (exit code 97)."},
		{"98", ending{code: 98}, summary.Error, "k6 says that a cloud run failed (exit code 98)."},
		{"99", ending{code: 99, k6: measured(10, 0, 100, 1, map[string]bool{"p(95)<1": false}), words: "words"}, summary.ThresholdFailed, "A threshold was crossed: http_req_duration: p(95)<1."},
		{"99 without names", ending{code: 99, k6: ok, words: "words"}, summary.ThresholdFailed, "k6 says that thresholds were crossed: words."},
		{"99 without a response", ending{code: 99, k6: measured(10, 10, 0, 0, map[string]bool{"p(95)<1": false})}, summary.TargetUnreachable, "None of 10 requests got a response."},
		{"99 without a request", ending{code: 99, k6: measured(0, 0, 0, 0, map[string]bool{"count>0": false})}, summary.NoRequests, "Not one request was made."},
		{"99, no JSON", ending{code: 99, words: "words"}, summary.Error, "k6 says that thresholds were crossed" + noSummary},
		{"100", ending{code: 100, k6: ok}, summary.Error, "The script's setup() took too long."},
		{"101", ending{code: 101, k6: ok}, summary.Error, "The script's teardown() took too long."},
		{"102", ending{code: 102}, summary.Error, "k6 says that something took too long."},
		{"103", ending{code: 103, k6: ok}, summary.Aborted, "The run was stopped through k6's REST API."},
		{"104", ending{code: 104, words: "words"}, summary.Error, "k6 refuses the options: words."},
		{"105", ending{code: 105, k6: ok}, summary.Aborted, "k6 was stopped by a signal from elsewhere."},
		{"105 without a summary", ending{code: 105}, summary.Aborted, "k6 was stopped by a signal from elsewhere and left no summary."},
		{"106", ending{code: 106, words: "words"}, summary.Error, "k6 could not serve its REST API: words."},
		{"107", ending{code: 107, k6: ok, words: "words"}, summary.Error, "The script threw an exception: words."},
		{"108", ending{code: 108, k6: ok, words: "words"}, summary.Aborted, "The script aborted the run: words."},
		{"109", ending{code: 109, words: "words"}, summary.Error, "k6 crashed: words."},
		{"110", ending{code: 110, k6: ok, words: "words"}, summary.ThresholdFailed, "The script marked the run as failed: words."},
		{"110 and many failed", ending{code: 110, k6: measured(10, 9, 100, 1, nil)}, summary.ThresholdFailed, "The script marked the run as failed."},
		{"137", ending{code: 137}, summary.Error, "k6 was killed, most likely because memory ran out."},
		{"255", ending{code: 255, words: "words"}, summary.Error, "k6 could not begin the run: words."},
		{"1", ending{code: 1, k6: ok}, summary.Error, "k6 ended with exit code 1, whose meaning is not known."},
		{"a code of Windows", ending{code: 3221225477}, summary.Error, "k6 ended with exit code 3221225477, whose meaning is not known."},
		{"SIGKILL", ending{code: -1, signal: "killed", killed: true}, summary.Error, "k6 was killed, most likely because memory ran out."},
		{"SIGHUP", ending{code: -1, signal: "hangup"}, summary.Error, "k6 was ended by a signal (hangup)."},
		{"aborted", ending{cut: cutAborted, code: 105, k6: ok, words: "words"}, summary.Aborted, "The run was aborted after 10 requests."},
		{"aborted, thresholds crossed", ending{cut: cutAborted, code: 99, k6: measured(10, 0, 100, 1, map[string]bool{"p(95)<1": false})}, summary.Aborted, "The run was aborted after 10 requests."},
		{"aborted, killed", ending{cut: cutAborted, code: -1, signal: "killed", killed: true}, summary.Aborted, "The run was aborted and left no summary."},
		{"aborted, half a summary", ending{cut: cutAborted, err: errors.New("unexpected end")}, summary.Aborted, "The run was aborted and left no summary."},
		{"overrun", ending{cut: cutOverrun, limit: time.Minute, code: 105, k6: ok, words: "words"}, summary.Error, "k6 had not ended after 1m0s and was stopped."},
		{"loading", ending{cut: cutLoading, limit: time.Minute, signal: "terminated"}, summary.Error, "k6 had not loaded the script after 1m0s; on some syntax it hangs for ever."},
		{"flooding", ending{cut: cutFlooding, signal: "killed", killed: true}, summary.Error, "k6 printed more than the 2097152 bytes that a summary may have, and was stopped."},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := c.e.outcome()
			if got.Verdict != c.verdict || got.Message != c.message || got.K6 != c.e.k6 || got.Summary != nil {
				t.Errorf("got  %s: %s\nwant %s: %s", got.Verdict, got.Message, c.verdict, c.message)
			}
		})
	}
}

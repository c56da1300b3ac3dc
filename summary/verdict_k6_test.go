package summary_test

import (
	"testing"

	"github.com/nollagluiz/broadside/summary"
)

// A run of an external k6 is judged as one of ours, by what its summary has.
func TestJudgeK6(t *testing.T) {
	type metrics map[string]summary.K6Metric
	counter := func(n float64) summary.K6Metric {
		return summary.K6Metric{Type: summary.K6Counter, Values: map[string]float64{"count": n, "rate": 1}}
	}
	failed := func(passes, fails float64) summary.K6Metric {
		return summary.K6Metric{Type: summary.K6Rate, Values: map[string]float64{"passes": passes, "fails": fails, "rate": passes / (passes + fails)}}
	}
	duration := func(ms float64, thresholds map[string]bool) summary.K6Metric {
		return summary.K6Metric{Type: summary.K6Trend, Values: map[string]float64{"med": ms, "max": ms}, Thresholds: thresholds}
	}
	for _, c := range []struct {
		name    string
		metrics metrics
		aborted bool
		verdict summary.Verdict
		message string
	}{
		{"all answered", metrics{"http_reqs": counter(20), "data_received": counter(9), "http_req_failed": failed(1, 19), "http_req_duration": duration(1, nil)}, false, summary.OK, "20 requests, 5 % failed."},
		{"over five percent", metrics{"http_reqs": counter(10), "data_received": counter(9), "http_req_failed": failed(1, 9), "http_req_duration": duration(1, nil)}, false, summary.ThresholdFailed, "10 % of 10 requests failed, over the limit of 5 %."},
		{"over five percent, by thresholds of its own", metrics{"http_reqs": counter(10), "data_received": counter(9), "http_req_failed": failed(1, 9), "http_req_duration": duration(1, map[string]bool{"max<5": true})}, false, summary.OK, "10 requests, 10 % failed."},
		{"a threshold", metrics{"http_reqs": counter(10), "data_received": counter(9), "http_req_failed": failed(0, 10), "http_req_duration": duration(1, map[string]bool{"max<5": true, "max<1": false})}, false, summary.ThresholdFailed, "A threshold was crossed: http_req_duration: max<1."},
		{"thresholds", metrics{"http_reqs": counter(10), "data_received": counter(9), "http_req_failed": failed(0, 10), "http_req_duration": duration(1, map[string]bool{"max<1": false, "avg<1": false})}, false, summary.ThresholdFailed, "2 thresholds were crossed: http_req_duration: avg<1; http_req_duration: max<1."},
		{"a summary without http_req_failed", metrics{"http_reqs": counter(10), "data_received": counter(9), "http_req_duration": duration(1, nil)}, false, summary.OK, "10 requests, 0 % failed."},
		{"refused", metrics{"http_reqs": counter(10), "data_received": counter(0), "http_req_failed": failed(10, 0), "http_req_duration": duration(0, nil)}, false, summary.TargetUnreachable, "None of 10 requests got a response."},
		{"refused, before thresholds", metrics{"http_reqs": counter(10), "data_received": counter(0), "http_req_failed": failed(10, 0), "http_req_duration": duration(0, map[string]bool{"max>1": false})}, false, summary.TargetUnreachable, "None of 10 requests got a response."},
		{"a handshake is no response", metrics{"http_reqs": counter(10), "data_received": counter(9), "http_req_failed": failed(10, 0), "http_req_duration": duration(0, nil)}, false, summary.TargetUnreachable, "None of 10 requests got a response."},
		{"all timed out", metrics{"http_reqs": counter(10), "data_received": counter(0), "http_req_failed": failed(10, 0), "http_req_duration": duration(60000, nil)}, false, summary.TargetUnreachable, "None of 10 requests got a response."},
		{"a black hole, whose requests k6 cuts and doesn't count", metrics{"data_sent": counter(72), "data_received": counter(0)}, false, summary.TargetUnreachable, "Not one request got a response before it was cut."},
		{"nothing was asked", metrics{"data_sent": counter(0), "data_received": counter(0)}, false, summary.NoRequests, "Not one request was made."},
		{"another protocol than HTTP", metrics{"data_sent": counter(9), "data_received": counter(9)}, false, summary.NoRequests, "Not one request was made."},
		{"aborted, whatever came", metrics{"http_reqs": counter(4), "data_received": counter(0)}, true, summary.Aborted, "The run was aborted after 4 requests."},
	} {
		t.Run(c.name, func(t *testing.T) {
			k := &summary.K6{Metrics: c.metrics}
			got := summary.JudgeK6(k, c.aborted)
			if got.Verdict != c.verdict || got.Message != c.message || got.K6 != k || got.Summary != nil {
				t.Errorf("got  %s: %s\nwant %s: %s", got.Verdict, got.Message, c.verdict, c.message)
			}
		})
	}
}

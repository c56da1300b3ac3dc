package engine_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/nollagluiz/broadside/engine"
	"github.com/nollagluiz/broadside/plan"
	"github.com/nollagluiz/broadside/summary"
)

// limits reads thresholds of the form "metric: expression".
func limits(texts ...string) []plan.Threshold {
	var out []plan.Threshold
	for _, text := range texts {
		i := strings.LastIndex(text, ": ")
		out = append(out, plan.Threshold{Metric: text[:i], Expression: text[i+2:]})
	}
	return out
}

// k6 evaluates each 2 s, and a delay is over when more than it has passed (v2.2.0: with '2s' it aborted at 4.0 s, with
// '1s' at 2.0 s, with '4s' at 6.0 s).
func TestAbortOnFail(t *testing.T) {
	const whole = 7140 * ms // 42 requests of each VU
	for _, tc := range []struct {
		name      string
		threshold string
		delay     time.Duration
		end       time.Duration
		cut       bool
		ok        bool
	}{
		{"at the first evaluation", "http_reqs: count<10", 0, 2 * time.Second, true, false},
		{"after a delay", "http_reqs: count<10", time.Second, 2 * time.Second, true, false},
		{"after a delay as long as to an evaluation", "http_reqs: count<10", 2 * time.Second, 4 * time.Second, true, false},
		{"after a delay of two", "http_reqs: count<10", 4 * time.Second, 6 * time.Second, true, false},
		{"a delay longer than the run", "http_reqs: count<10", time.Hour, whole, false, false},
		{"when it is crossed", "http_reqs: count<60", 0, 6 * time.Second, true, false}, // 22, 46, 70
		{"only at the end", "http_reqs: count<80", 0, whole, false, false},
		{"of a rate per second so far", "http_reqs: rate<=12", 0, whole, false, true},
		{"of a trend", "http_req_waiting: p(95)<169", 0, 2 * time.Second, true, false},
		{"of a gauge", "vus: value<2", 0, 2 * time.Second, true, false},
		{"of a submetric", "http_req_failed{status:200}: rate>0.5", 0, 2 * time.Second, true, false},
		{"of a scenario", "iterations{scenario:default}: count<10", 0, 2 * time.Second, true, false},
		{"held to the end", "http_reqs: count<=84", 0, whole, false, true},
		{"what has no data yet is passed over", "http_reqs{status:500}: count>0", 0, whole, false, false},
		{"a trend too", "http_req_duration{status:500}: avg>1", 0, whole, false, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			bubble(t, after(170*ms), func(t *testing.T, e *engine.Engine) {
				p := one(plan.Scenario{VUs: 2, Duration: 7 * time.Second})
				p.Thresholds = limits("http_reqs: count>0", tc.threshold)
				p.Thresholds[1].AbortOnFail, p.Thresholds[1].DelayAbortEval = true, tc.delay
				s, err := e.Run(t.Context(), p)
				require.NoError(t, err, "a run that its plan cut went as it should")
				require.Equal(t, tc.end, s.Duration)
				requests := 2 * int64(tc.end/(170*ms))
				if tc.cut {
					require.EqualValues(t, 2, s.Counters[summary.IterationsInterrupted])
					requests += 2
				}
				require.Equal(t, requests, s.Counters[summary.HTTPReqs])
				require.Len(t, s.Thresholds, 2)
				require.True(t, s.Thresholds[0].OK)
				require.Equal(t, p.Thresholds[1], s.Thresholds[1].Threshold)
				require.Equal(t, tc.cut, s.Thresholds[1].Cut)
				require.Equal(t, tc.ok, s.Thresholds[1].OK)
				verdict := summary.ThresholdFailed
				if tc.ok {
					verdict = summary.OK
				}
				out := summary.Judge(s, false)
				require.Equal(t, verdict, out.Verdict)
				require.Equal(t, tc.cut, strings.Contains(out.Message, ", cut the run after "+tc.end.String()), out.Message)
			})
		})
	}
}

// A run is cut as at its hard stop: requests and pauses under way end at once, interrupted.
func TestAThresholdCutsAtOnce(t *testing.T) {
	for name, scenario := range map[string]plan.Scenario{
		"requests": {VUs: 3, Duration: time.Hour, Request: plan.Request{URL: "http://a.test/slow"}},
		"pauses":   {VUs: 3, Duration: time.Hour, Pause: time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(_ http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/slow" {
					<-r.Context().Done()
				}
			}, func(t *testing.T, e *engine.Engine) {
				p := one(scenario)
				p.Thresholds = limits("vus: value<3", "http_reqs: count<1000")
				p.Thresholds[0].AbortOnFail, p.Thresholds[1].AbortOnFail = true, true
				s, err := e.Run(t.Context(), p)
				require.NoError(t, err)
				require.Equal(t, 2*time.Second, s.Duration)
				require.EqualValues(t, 3, s.Counters[summary.HTTPReqs])
				require.EqualValues(t, 3, s.Counters[summary.IterationsInterrupted])
				require.True(t, s.Thresholds[0].Cut)
				require.False(t, s.Thresholds[1].Cut)
				require.True(t, s.Thresholds[1].OK)
			})
		})
	}
}

// What cut a run first is what cut it.
func TestAbortBeforeAThreshold(t *testing.T) {
	bubble(t, after(100*ms), func(t *testing.T, e *engine.Engine) {
		cause := errors.New("told to stop")
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(1500*ms, func() { cancel(cause) })
		p := one(plan.Scenario{Duration: time.Hour})
		p.Thresholds = limits("http_reqs: count<1")
		p.Thresholds[0].AbortOnFail = true
		s, err := e.Run(ctx, p)
		require.ErrorIs(t, err, cause)
		require.False(t, s.Thresholds[0].OK)
		require.False(t, s.Thresholds[0].Cut)
		require.Equal(t, summary.Aborted, summary.Judge(s, err != nil).Verdict)
	})
}

// The shares of a run, merged, are judged as the run.
func TestThresholdsOfShares(t *testing.T) {
	bubble(t, after(100*ms), func(t *testing.T, e *engine.Engine) {
		whole := summary.New(time.Now())
		for i := range 3 {
			p := one(plan.Scenario{VUs: 10, Duration: time.Second})
			p.Share = plan.Share{I: i, N: 3}
			p.Thresholds = limits("http_reqs{status:200}: count>=100", "vus{scenario:default}: value<5")
			s, err := e.Run(t.Context(), p)
			require.NoError(t, err)
			require.False(t, s.Thresholds[0].OK)
			require.True(t, s.Thresholds[1].OK)
			whole.Merge(s)
		}
		require.True(t, whole.Thresholds[0].OK)
		require.EqualValues(t, 100, *whole.Thresholds[0].Value)
		require.False(t, whole.Thresholds[1].OK)
	})
}

// A 200 that nobody expected is named, though it has no error code.
func TestAnUnexpectedStatusIsNamed(t *testing.T) {
	bubble(t, after(100*ms), func(t *testing.T, e *engine.Engine) {
		s, err := e.Run(t.Context(), one(plan.Scenario{Duration: time.Second, Request: plan.Request{
			URL: "http://a.test/", ExpectedStatuses: plan.Statuses{{Min: 204, Max: 204}},
		}}))
		require.NoError(t, err)
		require.Equal(t, map[int]int64{200: 10}, s.Unexpected)
		require.Equal(t, "100 % of 10 requests failed, over the limit of 5 %; most often: HTTP status 200.", summary.Judge(s, false).Message)
	})
}

// An answer whose body breaks off is an answer: it is not backed off, and the target was reached.
func TestABrokenBodyIsAnAnswer(t *testing.T) {
	bubble(t, func(w http.ResponseWriter, _ *http.Request) {
		time.Sleep(100 * ms)
		w.Header().Set("Content-Length", "9")
		_, _ = w.Write([]byte("short"))
	}, func(t *testing.T, e *engine.Engine) {
		s, err := e.Run(t.Context(), one(plan.Scenario{Duration: time.Second}))
		require.NoError(t, err)
		require.EqualValues(t, 10, s.Counters[summary.HTTPReqs])
		require.EqualValues(t, 10, s.Broken)
		require.Empty(t, s.Statuses)
		require.Equal(t, summary.ThresholdFailed, summary.Judge(s, false).Verdict)
	})
}

// Tags of a connection need a real one.
func TestSubmetricsByProtocol(t *testing.T) {
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { time.Sleep(20 * ms) }))
	srv.EnableHTTP2 = true
	srv.StartTLS()
	defer srv.Close()
	clear := httptest.NewServer(srv.Config.Handler)
	defer clear.Close()
	scenario := func(name, url string, v plan.HTTPVersion) plan.Scenario {
		return plan.Scenario{Name: name, Duration: time.Second, Request: plan.Request{URL: url, HTTPVersion: v, InsecureSkipVerify: true}}
	}
	p := plan.Plan{Scenarios: []plan.Scenario{scenario("h1", srv.URL, plan.HTTP11), scenario("h2", srv.URL, plan.HTTPAuto), scenario("clear", clear.URL, plan.HTTPAuto)}}
	p.Thresholds = limits("http_reqs{proto:HTTP/2.0}: count>0", "http_reqs{proto:HTTP/1.1}: count>0", "http_reqs{tls_version:tls1.3}: count>0",
		"http_reqs{tls_version:tls1.3,proto:HTTP/1.1}: count>0", `http_reqs{tls_version:""}: count<1`)
	s, err := engine.Run(t.Context(), p)
	require.NoError(t, err)
	require.Equal(t, summary.OK, summary.Judge(s, false).Verdict, summary.Judge(s, false).Message)
	require.Equal(t, s.Counters[summary.HTTPReqs], s.Counters["http_reqs{proto:HTTP/2.0}"]+s.Counters["http_reqs{proto:HTTP/1.1}"])
	require.Equal(t, s.Counters["http_reqs{tls_version:tls1.3}"], s.Counters["http_reqs{proto:HTTP/2.0}"]+s.Counters["http_reqs{tls_version:tls1.3,proto:HTTP/1.1}"])
}

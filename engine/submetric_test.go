package engine_test

import (
	"fmt"
	"net/http"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/nollagluiz/broadside/engine"
	"github.com/nollagluiz/broadside/plan"
	"github.com/nollagluiz/broadside/summary"
)

// named gives a threshold that always holds on each metric, so that its submetric is kept.
func named(metrics ...string) []plan.Threshold {
	var out []plan.Threshold
	for _, metric := range metrics {
		m, _ := plan.MetricOf(metric)
		aggregation := map[plan.MetricType]string{plan.Counter: "count", plan.Gauge: "value", plan.Rate: "rate", plan.Trend: "max"}[m.Type]
		out = append(out, plan.Threshold{Metric: metric, Expression: aggregation + ">=0"})
	}
	return out
}

// The parts of a metric by a tag that each of its samples has add up to the whole, of whatever kind it is.
func TestSubmetricsAddUp(t *testing.T) {
	requests := [][]string{
		{"{status:200}", "{status:404}", "{status:503}", "{status:302}", "{status:0}"},
		{"{expected_response:true}", "{expected_response:false}"},
		{"{method:GET}", "{method:POST}"},
	}
	all := [][]string{
		{"{scenario:mixed}", "{scenario:moved}", "{scenario:cut}"},
		{"{team:red}", "{team:blue}"},
		{"{group:''}"},
	}
	var n atomic.Int64
	bubble(t, func(w http.ResponseWriter, r *http.Request) {
		time.Sleep(time.Duration(10+n.Add(1)%7) * ms)
		switch r.URL.Path {
		case "/moved":
			http.Redirect(w, r, "/target", http.StatusFound)
		case "/cut":
			<-r.Context().Done()
		case "/mixed":
			w.WriteHeader([]int{200, 404, 503}[n.Load()%3])
		}
	}, func(t *testing.T, e *engine.Engine) {
		scenario := func(name, team, method string, vus int) plan.Scenario {
			return plan.Scenario{Name: name, VUs: vus, Duration: 3 * time.Second, GracefulStop: -1, Tags: map[string]string{"team": team},
				Request: plan.Request{URL: "http://a.test/" + name, Method: method}}
		}
		p := plan.Plan{Scenarios: []plan.Scenario{
			scenario("mixed", "red", "GET", 4), scenario("moved", "blue", "POST", 3), scenario("cut", "red", "GET", 2),
		}}
		for i, parts := range slices.Concat(requests, all) {
			p.Thresholds = nil
			var metrics []plan.Metric
			for _, m := range plan.Metrics() {
				if m.PerRequest || i >= len(requests) {
					metrics = append(metrics, m)
					for _, part := range parts {
						p.Thresholds = append(p.Thresholds, named(m.Name+part)...)
					}
				}
			}
			s, err := e.Run(t.Context(), p)
			require.NoError(t, err)
			require.Greater(t, s.Counters[summary.HTTPReqs], int64(1000))
			for _, m := range metrics {
				checkSum(t, s, m, parts)
			}
		}
	})
}

// checkSum wants the parts of a metric to add up.
func checkSum(t *testing.T, s *summary.Summary, m plan.Metric, parts []string) {
	t.Helper()
	merged := summary.New(time.Time{})
	for _, part := range parts {
		name := m.Name + part
		one := summary.New(time.Time{})
		one.Counters[m.Name] = s.Counters[name]
		one.Rates[m.Name] = s.Rates[name]
		one.Gauges[m.Name] = s.Gauges[name]
		if trend := s.Trends[name]; trend != nil {
			one.Trends[m.Name] = trend
		}
		merged.Merge(one)
	}
	show := func(s *summary.Summary) string {
		text := fmt.Sprintf("%d %v %v", s.Counters[m.Name], s.Rates[m.Name], s.Gauges[m.Name])
		if trend := s.Trends[m.Name]; trend != nil {
			text += fmt.Sprintf(" %d samples, %g ns, %d to %d, p50 %g, p99 %g", trend.Count(), trend.Sum(), trend.Min(), trend.Max(), trend.Quantile(0.5), trend.Quantile(0.99))
		}
		return text
	}
	require.Equal(t, show(s), show(merged), "%s by %v", m.Name, parts)
}

// Each tag selects what it says: exact counts, as k6 v2.2.0 gave them for the same requests. Where we differ is noted.
func TestSubmetricTags(t *testing.T) {
	bubble(t, func(w http.ResponseWriter, r *http.Request) {
		time.Sleep(100 * ms)
		switch r.URL.Path {
		case "/r":
			http.Redirect(w, r, "/ok", http.StatusFound)
		case "/nf":
			w.WriteHeader(http.StatusNotFound)
		}
	}, func(t *testing.T, e *engine.Engine) {
		once := func(name, url, method string, tags map[string]string) plan.Scenario {
			return plan.Scenario{Name: name, Executor: plan.PerVUIterations, Tags: tags, Request: plan.Request{URL: url, Method: method}}
		}
		p := plan.Plan{Scenarios: []plan.Scenario{
			once("ok", "http://user:secret@a.test/ok", "GET", map[string]string{"foo": "bar", "status": "mine"}),
			once("nf", "http://a.test/nf", "GET", nil),
			once("r", "http://a.test/r", "POST", map[string]string{"foo": "baz"}),
		}}
		want := map[string]int64{
			"http_reqs":                                              4,
			"http_reqs{status:200}":                                  2,
			"http_reqs{ status : '200' }":                            2,
			"http_reqs{status:404}":                                  1,
			"http_reqs{status:302}":                                  1,
			"http_reqs{status:0}":                                    0,
			"http_reqs{status:2*}":                                   0,
			"http_reqs{status:200,status:404}":                       1,
			"http_reqs{status:200,foo:bar}":                          1,
			"http_reqs{status:404,foo:bar}":                          0,
			"http_reqs{method:GET}":                                  3, // a POST that a 302 redirects becomes a GET
			"http_reqs{method:get}":                                  0,
			"http_reqs{error_code:1404}":                             1,
			"http_reqs{error_code:''}":                               0, // a tag that is not there is not an empty one
			"http_reqs{expected_response:true}":                      3,
			"http_reqs{expected_response:false}":                     1,
			"http_reqs{proto:HTTP/1.1}":                              4,
			"http_reqs{tls_version:''}":                              0,
			"http_reqs{group:''}":                                    4,
			"http_reqs{foo:bar}":                                     1,
			"http_reqs{foo:baz}":                                     2,
			"http_reqs{scenario:r}":                                  2,
			"http_reqs{name:http://a.test/ok}":                       1, // without credentials
			"http_reqs{url:http://a.test/r}":                         2, // k6 has a name for each hop
			"http_reqs{name:http://a.test/r,method:GET}":             1,
			"iterations":                                             3,
			"iterations{foo:bar}":                                    1,
			"iterations{scenario:nf,group:''}":                       1,
			"iteration_duration{scenario:r}":                         1,
			"iteration_duration{foo:bar}":                            1,
			"http_req_duration{expected_response:true}":              3,
			"http_req_duration{status:404}":                          1,
			"http_req_duration{expected_response:true,status:200}":   2,
			"http_req_waiting{scenario:ok,method:GET,foo:bar}":       1,
			"http_req_waiting{scenario:ok,method:GET,foo:baz}":       0,
			"http_req_duration{scenario:r,expected_response:'true'}": 2,
		}
		var metrics []string
		for name := range want {
			metrics = append(metrics, name)
		}
		p.Thresholds = named(metrics...)
		s, err := e.Run(t.Context(), p)
		require.NoError(t, err)
		for name, n := range want {
			got := s.Counters[name]
			if trend := s.Trends[name]; trend != nil {
				got = int64(trend.Count())
			}
			require.Equal(t, n, got, name)
		}
		for _, r := range s.Thresholds {
			require.Equal(t, want[r.Metric] > 0, r.Value != nil, "%s has a value where it has samples", r.Metric)
			require.True(t, r.OK, r.Metric)
		}
	})
}

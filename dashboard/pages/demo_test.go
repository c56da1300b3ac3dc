package pages_test

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"github.com/nollagluiz/broadside/fleet"
	"github.com/nollagluiz/broadside/summary"
	"github.com/nollagluiz/broadside/summary/hist"
)

// noon is when the tests look at the fleet.
var noon = time.Date(2026, 11, 25, 14, 15, 0, 0, time.UTC)

func ptr[T any](v T) *T { return &v }

// demoTargets are three sites: a plain one, one with secrets in its URL and an open model that is disabled, and one with
// secret headers, body and script.
func demoTargets() []fleet.Target {
	home, search, api := fleet.NewTarget(), fleet.NewTarget(), fleet.NewTarget()
	home.ID, home.URL, home.Label, home.VUs = "1", "https://example.org/", "Example · home", 10
	search.ID, search.URL, search.Label, search.VUs, search.Enabled = "2", "https://anna:pw@example.org/search?q=ação&token=abc", "Example · search", 25, false
	api.ID, api.URL, api.RunIntervalMs, api.DurationS = "3", "https://api.example.net:8443/v2/items", 300_000, 90
	api.Headers = map[string]string{"Authorization": "Bearer s3cret", "X-Trace": "on"}
	api.Body, api.Script = "s3cret body", "export default function () {} // s3cret"
	search.Options = json.RawMessage(`{"scenarios":{"steady":{"executor":"constant-arrival-rate","rate":1400,"duration":"30s","preAllocatedVUs":20,"maxVUs":25}},` +
		`"thresholds":{"http_req_duration":["p(95)\u003c500"],"http_req_failed":["rate\u003c0.01"],"http_reqs{scenario:steady}":["count\u003e1"]}}`)
	home.Revision, search.Revision, api.Revision = 4, 4, 4
	return []fleet.Target{home, search, api}
}

// demoFleet is a small fleet at work: three sites, agents in every state, and runs of every verdict.
func demoFleet() *fakeFleet {
	rng := rand.New(rand.NewPCG(7, 7))
	f := &fakeFleet{targets: demoTargets()}
	home := f.targets[0]
	verdicts := []summary.Verdict{
		summary.OK, summary.OK, summary.ThresholdFailed, summary.OK, summary.TargetUnreachable,
		summary.GeneratorLimited, summary.Aborted, summary.Lost, summary.NoRequests, summary.Error,
	}
	for i := range 60 {
		f.runs = append(f.runs, demoRun(rng, fmt.Sprintf("0193-run-%02d", i), f.targets[i%3], verdicts[i/3%len(verdicts)], noon.Add(-time.Duration(i)*40*time.Second)))
	}
	running := demoRun(rng, "0193-running", home, "", noon.Add(-12*time.Second))
	f.runs = append([]fleet.RunDetail{running}, f.runs...)
	for i := range 5 {
		f.agents = append(f.agents, demoAgent(i))
	}
	f.agents[0].CurrentRunIDs = []string{running.ID, "0193abcd-0000-7000-8000-000000000000"}
	f.agents[1].State = fleet.AgentRunning // its run has ended since
	f.agents[0].K6 = &fleet.K6{Path: "/usr/bin/k6"}
	f.agents[1].K6 = &fleet.K6{Path: "/usr/bin/k6", Version: "2.2.0"}
	f.agents[4].K6 = &fleet.K6{Path: "/opt/k6", Error: "/opt/k6: permission denied"}
	f.agents[2].LastSeenAt = fleet.Millis(noon.Add(-75 * time.Second))
	f.agents[3].Status, f.agents[3].LastSeenAt = fleet.AgentOffline, fleet.Millis(noon.Add(-6*time.Minute))
	f.agents[4].Spool, f.agents[4].Skipped = fleet.Spool{Results: 12, Bytes: 51_200, Dropped: 3}, fleet.Skipped{Overlap: 4, NoSlot: 2}
	f.config = fleet.Config{DesiredAgents: 5, Revision: 2}
	f.overview = fleet.Overview{
		AgentsOnline: 4, AgentsOffline: 1, DesiredAgents: 5, ActualAgents: 4, Targets: 3, TargetsOn: 2, RunsRunning: 1,
		Window: fleet.WindowTotals{Seconds: 900, Runs: 130, RunsMerged: 118, Requests: 2_912_447, Failures: 6112, ErrorRate: ptr(6112.0 / 2_912_447), P95: ptr(84.31)},
	}
	return f
}

func demoAgent(i int) fleet.Agent {
	return fleet.Agent{
		ID: fmt.Sprintf("id-k6agent-%d", i), Name: fmt.Sprintf("k6agent-%d", i), Status: fleet.AgentOnline, State: fleet.AgentIdle,
		Version: "0.1.0", LastSeenAt: fleet.Millis(noon.Add(-time.Duration(i+1) * time.Second)), RSSBytes: 9_100_000 + int64(i)*130_000, CPURatio: 0.031,
	}
}

// demoRun is a run of a target as its verdict would have it. An empty verdict is a run under way.
func demoRun(rng *rand.Rand, id string, t fleet.Target, verdict summary.Verdict, start time.Time) fleet.RunDetail {
	spec := t.Redacted()
	r := fleet.RunDetail{Run: fleet.Run{
		ID: id, TargetID: t.ID, TargetLabel: t.Label, Agent: fmt.Sprintf("k6agent-%d", rng.IntN(5)), Status: fleet.RunDone, Verdict: verdict,
		StartedAt: fleet.Millis(start), Spec: spec,
	}}
	if verdict == "" {
		r.Status = fleet.RunRunning
		return r
	}
	r.EndedAt = ptr(fleet.Millis(start.Add(time.Duration(t.DurationS) * time.Second)))
	r.Metrics = &fleet.Metrics{DurationS: float64(t.DurationS) + 0.04, VUsMax: t.VUs}
	switch verdict {
	case summary.Lost, summary.Error:
		r.Status, r.Metrics = fleet.RunError, nil
		r.Message = fleet.LostDeadline
		return r
	case summary.NoRequests:
		r.Message = "Not one request was made."
		return r
	case summary.TargetUnreachable:
		r.Message = "None of 412 requests got a response; most often: connection refused (code 1212)."
		r.Metrics.Requests, r.Metrics.Failures, r.Metrics.ErrorRate = 412, 412, ptr(1.0)
		r.Metrics.RPS = 412 / r.Metrics.DurationS
		r.Errors = []fleet.ErrorCount{{Code: 1212, Count: 412, Sample: "dial tcp 192.0.2.1:443: connection refused"}}
		return r
	case summary.Aborted:
		r.Status = fleet.RunAborted
	}
	demoMeasured(rng, &r, verdict == summary.ThresholdFailed)
	if r.Engine = "embedded"; t.Script != "" { // k6 tells no more than its summary
		r.Engine, r.Series, r.Trends, r.Statuses, r.Errors = fleet.EngineK6, nil, nil, nil, nil
	}
	return r
}

// demoMeasured gives a run its numbers, with a slow and failing stretch if bad.
func demoMeasured(rng *rand.Rand, r *fleet.RunDetail, bad bool) {
	var total hist.Histogram
	series := &fleet.Series{WidthMs: 1000}
	n := r.Spec.DurationS
	for i := range n + 1 {
		slow := bad && i > n*2/3 && i < n*2/3+8
		b := fleet.Bucket{Requests: int64(1350 + 120*math.Sin(float64(i)/7) + 60*rng.Float64()), VUs: r.Spec.VUs}
		if slow {
			b.Requests, b.Failures = b.Requests*2/3, int64(300+rng.IntN(160))
		}
		if i == n { // the last requests, 40 ms after the duration
			b.Requests = 9
		}
		b.Iterations = b.Requests
		h := hist.New(hist.Coarse)
		const each = 20 // requests of one latency, to be quick
		for range b.Requests / each {
			ms := 18 * math.Exp(0.28*rng.NormFloat64())
			if rng.Float64() < 0.12 {
				ms = 85 * math.Exp(0.25*rng.NormFloat64())
			}
			if slow {
				ms *= 2.2
			}
			h.RecordN(int64(ms*1e6), each)
			total.RecordN(int64(ms*1e6), each)
		}
		b.Duration, _ = h.MarshalBinary()
		series.Buckets = append(series.Buckets, b)
		r.Metrics.Requests, r.Metrics.Failures = r.Metrics.Requests+b.Requests, r.Metrics.Failures+b.Failures
	}
	m := r.Metrics
	m.Iterations, m.RPS, m.ErrorRate = m.Requests, float64(m.Requests)/m.DurationS, ptr(float64(m.Failures)/float64(m.Requests))
	ms := func(ns float64) *float64 { return ptr(ns / 1e6) }
	m.P50, m.P95, m.P99, m.Avg = ms(total.Quantile(.5)), ms(total.Quantile(.95)), ms(total.Quantile(.99)), ms(total.Mean())
	m.Min, m.Max = ms(float64(total.Min())), ms(float64(total.Max()))
	m.DataReceivedBytes, m.DataSentBytes = m.Requests*1643, m.Requests*119
	r.Series = series
	r.Trends = map[string][]byte{}
	add := func(name string, h *hist.Histogram) { r.Trends[name], _ = h.MarshalBinary() }
	add(summary.HTTPReqDuration, &total)
	for name, typical := range map[string]float64{
		summary.HTTPReqBlocked: 0.9, summary.HTTPReqConnecting: 0.3, summary.HTTPReqTLS: 0.4, summary.HTTPReqSending: 0.1,
		summary.HTTPReqWaiting: 20, summary.HTTPReqReceiving: 4,
	} {
		h := hist.New(hist.Coarse)
		for range 500 {
			h.Record(int64(typical * math.Exp(0.3*rng.NormFloat64()) * 1e6))
		}
		add(name, h)
	}
	if r.Spec.HasOptions() {
		demoOpenModel(r, &total)
	}
	r.Message = fmt.Sprintf("%d requests, %.4g %% failed.", m.Requests, 100**m.ErrorRate)
	r.Statuses = map[string]int64{"200": m.Requests - m.Failures}
	if bad {
		r.Message = fmt.Sprintf("%.4g %% of %d requests failed, over the limit of 5 %%.", 100**m.ErrorRate, m.Requests)
		r.Statuses["503"] = m.Failures - 12
		r.Errors = []fleet.ErrorCount{{Code: 1503, Count: m.Failures - 12, Sample: "unexpected status 503"}, {Code: 1050, Count: 12, Sample: "no answer within 60 s"}}
	}
}

// demoOpenModel gives a run what only an open model has, and thresholds.
func demoOpenModel(r *fleet.RunDetail, total *hist.Histogram) {
	due := hist.New(hist.Coarse)
	due.Merge(total)
	due.RecordN(int64(900*time.Millisecond), total.Count()/20)
	r.Trends[summary.HTTPReqCorrected], _ = due.MarshalBinary()
	m := r.Metrics
	m.DroppedIterations = 197
	r.Thresholds = []fleet.ThresholdResult{
		{Metric: "http_req_duration", Expression: "p(95)<500", OK: true, Value: m.P95},
		{Metric: "http_req_failed", Expression: "rate<0.01", OK: *m.ErrorRate < 0.01, Value: m.ErrorRate},
		{Metric: "http_reqs{scenario:steady}", Expression: "count>1", OK: true, Value: ptr(float64(m.Requests))},
	}
}

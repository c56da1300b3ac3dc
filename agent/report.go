package agent

import (
	"cmp"
	"encoding/json"
	"maps"
	"math"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/nollagluiz/broadside/fleet"
	"github.com/nollagluiz/broadside/summary"
	"github.com/nollagluiz/broadside/summary/hist"
)

// Bounds of a result on the wire.
const (
	maxResult     = 200 << 10 // bytes of the body, above which the series gives way
	maxMessage    = 1000      // bytes
	maxSample     = 300       // bytes
	maxMetric     = 300       // bytes of a threshold's metric
	maxExpression = 100       // bytes of it
)

// reportStart queues a run's start.
func (a *Agent) reportStart(r *run) {
	body, err := json.Marshal(r.start)
	if err != nil {
		a.log.WithField("run", r.start.ID).WithError(err).Error("encode a run's start")
		return
	}
	a.spool.add(entry{run: r.start.ID, body: body})
}

// report queues a run's end, now.
func (a *Agent) report(r *run, out summary.Outcome) {
	end := newRunEnd(r, time.Since(r.began), out)
	if end.Metrics != nil && end.Engine == "" {
		end.Engine = a.cfg.Engine
	}
	log := a.log.WithField("target", r.start.TargetID).WithField("run", r.start.ID)
	body, err := encode(end, out.Summary)
	if err != nil {
		log.WithError(err).Error("encode a run's result")
		return
	}
	a.spool.add(entry{run: r.start.ID, result: true, body: body})
	log.WithField("verdict", end.Verdict).Info("run ended: " + end.Message)
}

// newRunEnd maps an outcome to the wire, the series aside.
func newRunEnd(r *run, took time.Duration, out summary.Outcome) fleet.RunEnd {
	hide := secretsOf(r.target)
	end := fleet.RunEnd{
		RunStart: r.start,
		EndedAt:  fleet.Millis(r.start.StartedAt.Add(took)),
		Status:   fleet.RunDone,
		Verdict:  out.Verdict,
		Message:  cut(hide.Replace(out.Message), maxMessage),
	}
	switch out.Verdict {
	case summary.Aborted:
		end.Status = fleet.RunAborted
	case summary.Error:
		end.Status = fleet.RunError
	}
	if out.K6 != nil {
		end.Metrics, end.Engine = newK6Metrics(out.K6, r.target.Peak()), fleet.EngineK6
		end.Thresholds = encodeThresholds(out.K6.ThresholdResults(), hide)
		return end
	}
	s := out.Summary
	if s == nil {
		return end
	}
	end.Metrics = newMetrics(s)
	end.Trends = encodeTrends(s.Trends)
	end.Statuses = encodeStatuses(s.Statuses)
	end.Thresholds = encodeThresholds(s.Thresholds, hide)
	for _, e := range s.Errors[:min(len(s.Errors), fleet.MaxErrors)] {
		end.Errors = append(end.Errors, fleet.ErrorCount{Code: e.Code, Count: e.Count, Sample: cut(hide.Replace(e.Sample), maxSample)})
	}
	return end
}

func encodeThresholds(results []summary.ThresholdResult, hide *strings.Replacer) []fleet.ThresholdResult {
	var out []fleet.ThresholdResult
	for _, r := range results[:min(len(results), fleet.MaxThresholds)] {
		out = append(out, fleet.ThresholdResult{
			Metric: cut(hide.Replace(r.Metric), maxMetric), Expression: cut(r.Expression, maxExpression), OK: r.OK, Value: finite(r.Value),
		})
	}
	return out
}

// encodeStatuses keeps the most frequent statuses, as many as the dashboard takes.
func encodeStatuses(statuses map[int]int64) map[string]int64 {
	byCount := slices.SortedFunc(maps.Keys(statuses), func(a, b int) int {
		return cmp.Or(cmp.Compare(statuses[b], statuses[a]), cmp.Compare(a, b))
	})
	out := make(map[string]int64, len(byCount))
	for _, status := range byCount[:min(len(byCount), fleet.MaxStatuses)] {
		out[strconv.Itoa(status)] = statuses[status]
	}
	return out
}

func newMetrics(s *summary.Summary) *fleet.Metrics {
	f := s.Fields()
	m := &fleet.Metrics{
		P50: finite(f.P50), P95: finite(f.P95), P99: finite(f.P99), Avg: finite(f.Avg),
		ErrorRate:         finite(f.ErrorRate),
		DataReceivedBytes: f.DataReceivedBytes,
		Iterations:        f.Iterations,

		Requests:              f.Requests,
		Failures:              f.Failures,
		DataSentBytes:         s.Counters[summary.DataSent],
		IterationsInterrupted: s.Counters[summary.IterationsInterrupted],
		DroppedIterations:     s.Counters[summary.DroppedIterations],
		VUsMax:                int(s.Gauges[summary.VUsMax].Max),
		DurationS:             max(s.Duration, 0).Seconds(),
		Min:                   f.Min,
		Max:                   f.Max,
	}
	if rps := finite(&f.RPS); rps != nil {
		m.RPS = *rps
	}
	return m
}

// newK6Metrics gives k6's own numbers; what it did not tell is null, or 0 where it is a count. k6 samples vus_max each
// second, so a run shorter than that had as many as were asked for.
func newK6Metrics(k *summary.K6, vus int) *fleet.Metrics {
	f := k.Fields()
	return &fleet.Metrics{
		P50: f.P50, P95: f.P95, P99: f.P99, Avg: f.Avg, ErrorRate: f.ErrorRate, RPS: f.RPS,
		DataReceivedBytes: f.DataReceivedBytes,
		Iterations:        f.Iterations,

		Requests:          f.Requests,
		Failures:          f.Failures,
		DataSentBytes:     k.Count(summary.DataSent),
		DroppedIterations: k.Count(summary.DroppedIterations),
		VUsMax:            cmp.Or(int(k.Metrics[summary.VUsMax].Values["max"]), vus),
		DurationS:         k.Duration.Seconds(),
		Min:               f.Min,
		Max:               f.Max,
	}
}

// finite drops what JSON can't say.
func finite(v *float64) *float64 {
	if v == nil || math.IsNaN(*v) || math.IsInf(*v, 0) {
		return nil
	}
	return v
}

// encodeTrends gives each trend that has samples its binary form: the latency as it is, the others coarse. Submetrics
// that thresholds named, of which there may be many, are left out.
func encodeTrends(trends map[string]*hist.Histogram) map[string][]byte {
	out := map[string][]byte{}
	for name, t := range trends {
		if t == nil || t.Count() == 0 || strings.Contains(name, "{") && name != summary.ExpectedDuration {
			continue
		}
		if name != summary.HTTPReqDuration {
			t = t.Clone()
			t.Coarsen(hist.Coarse)
		}
		out[name], _ = t.MarshalBinary() // never fails
	}
	return out
}

// encode makes the body of a result. Its series is halved until the body fits maxResult, and then dropped; s, which
// may be nil, is used up.
func encode(end fleet.RunEnd, s *summary.Summary) ([]byte, error) {
	if s == nil || len(s.Series.Buckets) == 0 {
		return json.Marshal(end)
	}
	for {
		end.Series = newSeries(s.Series)
		body, err := json.Marshal(end)
		if err != nil || len(body) <= maxResult {
			return body, err
		}
		if len(s.Series.Buckets) == 1 {
			end.Series = nil
			return json.Marshal(end)
		}
		s.Series.Halve()
	}
}

func newSeries(s summary.Series) *fleet.Series {
	out := &fleet.Series{WidthMs: s.Width.Milliseconds(), Buckets: make([]fleet.Bucket, len(s.Buckets))}
	for i, b := range s.Buckets {
		to := fleet.Bucket{Requests: b.Requests, Failures: b.Failures, Iterations: b.Iterations, VUs: b.VUs}
		if b.Duration != nil && b.Duration.Count() > 0 {
			to.Duration, _ = b.Duration.MarshalBinary() // never fails
		}
		out.Buckets[i] = to
	}
	return out
}

// secretsOf hides, in texts about a run, what its target keeps secret. The engine writes none of it; this holds also
// for what a panic or a foreign library says.
func secretsOf(t fleet.Target) *strings.Replacer {
	redacted := t.Redacted()
	var pairs []string
	hide := func(secret, shown string) {
		if secret != shown && len(secret) >= 4 { // a shorter one is no secret, and would riddle the text
			pairs = append(pairs, secret, shown)
		}
	}
	hide(t.URL, redacted.URL)
	if u, err := url.Parse(t.URL); err == nil {
		password, _ := u.User.Password()
		hide(u.User.String(), fleet.Hidden)
		hide(password, fleet.Hidden)
		shown, _ := url.Parse(redacted.URL)
		for name, values := range u.Query() {
			if shown != nil && shown.Query().Get(name) == fleet.Hidden {
				for _, value := range values {
					hide(value, fleet.Hidden)
				}
			}
		}
	}
	for name, value := range t.Headers {
		hide(value, redacted.Headers[name])
	}
	return strings.NewReplacer(pairs...)
}

// cut shortens text to at most n bytes of whole, valid characters.
func cut(text string, n int) string {
	text = strings.ToValidUTF8(text, "\uFFFD")
	if len(text) <= n {
		return text
	}
	return strings.ToValidUTF8(text[:n-len("…")], "") + "…"
}

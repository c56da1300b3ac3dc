package dashboard

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/nollagluiz/broadside/fleet"
	"github.com/nollagluiz/broadside/plan"
	"github.com/nollagluiz/broadside/summary"
	"github.com/nollagluiz/broadside/summary/hist"
)

// Bounds of what an agent may say, in characters and entries; those that package fleet documents on its fields.
const (
	maxName    = 200
	maxWord    = 100
	maxID      = 64
	maxMessage = 1000
	maxSample  = 300
	maxPath    = 4096
	maxReason  = 300
	maxLabels  = 64
	maxMetric  = 300
	maxIDs     = 1000
	maxTrends  = 64
	maxBuckets = summary.MaxBuckets
)

// faults collects what is wrong with a body.
type faults struct{ plan.FieldErrors }

func (f *faults) err() error {
	if len(f.FieldErrors) == 0 {
		return nil
	}
	return fleet.Invalid(f.FieldErrors)
}

// text holds a string to its length, in characters.
func (f *faults) text(field, v string, most int) {
	if n := utf8.RuneCountInString(v); n > most {
		f.Add(field, "at most %d characters, not %d", most, n)
	}
}

// name holds a string that is needed to its length.
func (f *faults) name(field, v string, most int) {
	if v == "" {
		f.Add(field, "is needed")
	}
	f.text(field, v, most)
}

func (f *faults) ids(field string, ids []string) {
	if len(ids) > maxIDs {
		f.Add(field, "at most %d, not %d", maxIDs, len(ids))
		return
	}
	for i, id := range ids {
		f.name(fmt.Sprintf("%s[%d]", field, i), id, maxID)
	}
}

// maxCount is more than any run counts, is still a number in JavaScript, and lets a thousand be added.
const maxCount = 1 << 53

// count holds an integer to 0..maxCount.
func (f *faults) count(field string, v int64) {
	switch {
	case v < 0:
		f.Add(field, "must not be negative")
	case v > maxCount:
		f.Add(field, "must be at most 2^53")
	}
}

// amount holds a number to finite and 0 or more (field report 31).
func (f *faults) amount(field string, v float64) {
	if math.IsNaN(v) || math.IsInf(v, 0) || v < 0 {
		f.Add(field, "must be a finite number, not negative")
	}
}

func checkRegistration(r fleet.Registration) error {
	var f faults
	f.name("name", r.Name, maxName)
	f.text("instanceId", r.InstanceID, maxName)
	f.text("version", r.Version, maxWord)
	f.text("engine", r.Engine, maxWord)
	f.amount("cpus", r.CPUs)
	f.count("memoryBytes", r.MemoryBytes)
	f.count("maxVus", int64(r.MaxVUs))
	if len(r.Labels) > maxLabels {
		f.Add("labels", "at most %d, not %d", maxLabels, len(r.Labels))
	}
	for name, value := range r.Labels {
		f.text("labels", name, maxName)
		f.text("labels", value, maxName)
	}
	return f.err()
}

func checkHeartbeat(h fleet.Heartbeat) error {
	var f faults
	f.name("name", h.Name, maxName)
	f.text("instanceId", h.InstanceID, maxName)
	switch h.Status {
	case fleet.AgentIdle, fleet.AgentRunning, fleet.AgentStopping:
	default:
		f.Add("status", "must be %s, %s or %s", fleet.AgentIdle, fleet.AgentRunning, fleet.AgentStopping)
	}
	f.ids("currentRunIds", h.CurrentRunIDs)
	f.ids("acked", h.Acked)
	f.count("rssBytes", h.RSSBytes)
	f.amount("cpuRatio", h.CPURatio)
	for _, c := range []struct {
		field string
		v     int64
	}{
		{"spool.results", int64(h.Spool.Results)}, {"spool.bytes", h.Spool.Bytes}, {"spool.dropped", h.Spool.Dropped},
		{"spool.refused", h.Spool.Refused}, {"skipped.overlap", h.Skipped.Overlap}, {"skipped.noSlot", h.Skipped.NoSlot},
		{"skipped.vuLimit", h.Skipped.VULimit},
	} {
		f.count(c.field, c.v)
	}
	if h.K6 != nil {
		f.text("k6.path", h.K6.Path, maxPath)
		f.text("k6.version", h.K6.Version, maxWord)
		f.text("k6.error", h.K6.Error, maxReason)
	}
	return f.err()
}

func checkDeregistration(d fleet.Deregistration) error {
	var f faults
	f.name("name", d.Name, maxName)
	f.text("instanceId", d.InstanceID, maxName)
	return f.err()
}

func checkRunStart(r fleet.RunStart) error {
	var f faults
	f.start(r)
	return f.err()
}

// start checks what identifies a run. Its spec may be one that Validate refuses: that a target could not be run is
// worth knowing, too.
func (f *faults) start(r fleet.RunStart) {
	// To the letter, since another spelling would be another row.
	if id, err := uuid.Parse(r.ID); err != nil || id.String() != r.ID || id.Version() != 7 || id.Variant() != uuid.RFC4122 {
		f.Add("id", "must be a UUIDv7 in lower case")
	}
	f.name("targetId", r.TargetID, maxID)
	f.name("agent", r.Agent, maxName)
	if r.StartedAt.IsZero() {
		f.Add("startedAt", "is needed")
	}
	f.text("spec.label", r.Spec.Label, fleet.MaxLabel)
	if len(r.Spec.URL) > plan.MaxURL {
		f.Add("spec.url", "at most %d bytes, not %d", plan.MaxURL, len(r.Spec.URL))
	}
}

// checkRunEnd holds a result to what a run can have measured, so that nothing that is stored needs a second look.
func checkRunEnd(pathID string, r fleet.RunEnd) error {
	var f faults
	if r.ID != pathID {
		f.Add("id", "is not the one in the path")
	}
	f.start(r.RunStart)
	if r.EndedAt.Before(r.StartedAt.Time) {
		f.Add("endedAt", "is before startedAt")
	}
	f.verdict(r)
	f.text("engine", r.Engine, maxWord)
	if r.Metrics != nil {
		f.metrics(*r.Metrics, r.Engine)
	}
	f.distributions(r)
	f.statuses(r.Statuses)
	f.thresholds(r)
	if len(r.Errors) > fleet.MaxErrors {
		f.Add("errors", "at most %d, not %d", fleet.MaxErrors, len(r.Errors))
	}
	for i, e := range r.Errors {
		f.count(fmt.Sprintf("errors[%d].count", i), e.Count)
		f.text(fmt.Sprintf("errors[%d].sample", i), e.Sample, maxSample)
	}
	return f.err()
}

// verdict: every run that is not ok says why (field report 59), and none that requested nothing is ok (27).
func (f *faults) verdict(r fleet.RunEnd) {
	f.text("message", r.Message, maxMessage)
	switch {
	case r.Verdict == summary.Lost:
		f.Add("verdict", "only the dashboard says %s", summary.Lost)
	case !r.Verdict.Valid():
		f.Add("verdict", "there is no such verdict")
	case outcomeOf(r.Status, r.Verdict) < 0:
		f.Add("status", "does not go with the verdict %s", r.Verdict)
	case r.Verdict == summary.OK && (r.Metrics == nil || r.Metrics.Requests == 0):
		f.Add("verdict", "a run without requests is not ok")
	case r.Verdict != summary.OK && r.Message == "":
		f.Add("message", "must say why the run is not ok")
	}
}

// thresholds: a run that failed by them crossed one of them, unless it had none, and one that is ok crossed none. Only a
// script of k6 can call its run failed all the same.
func (f *faults) thresholds(r fleet.RunEnd) {
	if len(r.Thresholds) > fleet.MaxThresholds {
		f.Add("thresholds", "at most %d, not %d", fleet.MaxThresholds, len(r.Thresholds))
		return
	}
	crossed := 0
	for i, t := range r.Thresholds {
		f.name(fmt.Sprintf("thresholds[%d].metric", i), t.Metric, maxMetric)
		f.name(fmt.Sprintf("thresholds[%d].expression", i), t.Expression, maxWord)
		if !t.OK {
			crossed++
		}
	}
	switch {
	case r.Verdict == summary.OK && crossed > 0:
		f.Add("thresholds", "%d were crossed, so the run is not ok", crossed)
	case r.Verdict == summary.ThresholdFailed && crossed == 0 && len(r.Thresholds) > 0 && r.Engine != fleet.EngineK6:
		f.Add("thresholds", "none was crossed, so the verdict is not %s", summary.ThresholdFailed)
	}
}

// slack is the rounding that two ways to the same number may differ by, relative.
const slack = 1e-6

func (f *faults) metrics(m fleet.Metrics, engine string) {
	for _, c := range []struct {
		field string
		v     int64
	}{
		{"data_received_bytes", m.DataReceivedBytes}, {"iterations", m.Iterations}, {"requests", m.Requests},
		{"failures", m.Failures}, {"data_sent_bytes", m.DataSentBytes}, {"iterations_interrupted", m.IterationsInterrupted},
		{"dropped_iterations", m.DroppedIterations}, {"vus_max", int64(m.VUsMax)},
	} {
		f.count("metrics."+c.field, c.v)
	}
	f.amount("metrics.rps", m.RPS)
	f.amount("metrics.duration_s", m.DurationS)
	if m.Failures > m.Requests {
		f.Add("metrics.failures", "are more than the requests")
	}
	f.errorRate(m, engine)
	f.latencies(m)
}

// errorRate is failures / requests, except that of k6, whose scripts choose the requests that http_req_failed is of: some
// of them, or none, and then there is no rate.
func (f *faults) errorRate(m fleet.Metrics, engine string) {
	switch {
	case m.ErrorRate == nil && (m.Requests == 0 || engine == fleet.EngineK6):
	case m.ErrorRate == nil:
		f.Add("metrics.error_rate", "is needed with requests")
	case m.Requests == 0:
		f.Add("metrics.error_rate", "must be null without requests")
	case engine == fleet.EngineK6:
		if !(0 <= *m.ErrorRate && *m.ErrorRate <= 1) {
			f.Add("metrics.error_rate", "must be 0 to 1")
		}
	case !(math.Abs(*m.ErrorRate-float64(m.Failures)/float64(m.Requests)) <= slack):
		f.Add("metrics.error_rate", "is not failures / requests")
	}
}

// latencies: min <= p50 <= p95 <= p99 <= max and min <= avg <= max, of those that are there. What was not measured is
// null, never 0.
func (f *faults) latencies(m fleet.Metrics) {
	type point struct {
		field string
		v     *float64
	}
	for _, p := range []point{{"p50_ms", m.P50}, {"p95_ms", m.P95}, {"p99_ms", m.P99}, {"avg_ms", m.Avg}, {"min_ms", m.Min}, {"max_ms", m.Max}} {
		if p.v != nil {
			f.amount("metrics."+p.field, *p.v)
			if m.Requests == 0 {
				f.Add("metrics."+p.field, "must be null without requests")
			}
		}
	}
	for _, order := range [][]point{
		{{"min_ms", m.Min}, {"p50_ms", m.P50}, {"p95_ms", m.P95}, {"p99_ms", m.P99}, {"max_ms", m.Max}},
		{{"min_ms", m.Min}, {"avg_ms", m.Avg}, {"max_ms", m.Max}},
	} {
		order = slices.DeleteFunc(order, func(p point) bool { return p.v == nil })
		for i := 1; i < len(order); i++ {
			if *order[i].v < *order[i-1].v*(1-slack) {
				f.Add("metrics."+order[i].field, "is less than %s", order[i-1].field)
			}
		}
	}
}

// distributions are refused of k6, which tells percentiles alone: what called itself one would be merged.
func (f *faults) distributions(r fleet.RunEnd) {
	if r.Engine != fleet.EngineK6 {
		f.trends(r)
		f.series(r.Series)
		return
	}
	const why = "a run of k6 has none: its percentiles are its own"
	if len(r.Trends) > 0 {
		f.Add("trends", why)
	}
	if r.Series != nil {
		f.Add("series", why)
	}
}

func (f *faults) trends(r fleet.RunEnd) {
	if len(r.Trends) > maxTrends {
		f.Add("trends", "at most %d, not %d", maxTrends, len(r.Trends))
		return
	}
	for _, name := range slices.Sorted(maps.Keys(r.Trends)) {
		f.name("trends", name, maxName)
		field := fmt.Sprintf("trends.%.*s", maxName, name)
		h := f.histogram(field, r.Trends[name])
		if name == summary.HTTPReqDuration && (r.Metrics == nil || h.Count() > uint64(max(r.Metrics.Requests, 0))) {
			f.Add(field, "has more samples than there are requests")
		}
	}
}

// histogram is what data decodes to, or an empty one.
func (f *faults) histogram(field string, data []byte) *hist.Histogram {
	h := new(hist.Histogram)
	if err := h.UnmarshalBinary(data); err != nil {
		f.Add(field, "%v", err)
	}
	return h
}

func (f *faults) series(s *fleet.Series) {
	if s == nil {
		return
	}
	if s.WidthMs < 1 || s.WidthMs > plan.MaxDuration.Milliseconds() {
		f.Add("series.widthMs", "must be 1 to %d", plan.MaxDuration.Milliseconds())
	}
	if len(s.Buckets) > maxBuckets {
		f.Add("series.buckets", "at most %d, not %d", maxBuckets, len(s.Buckets))
		return
	}
	for i, b := range s.Buckets {
		field := func(name string) string { return fmt.Sprintf("series.buckets[%d].%s", i, name) }
		f.count(field("requests"), b.Requests)
		f.count(field("failures"), b.Failures)
		f.count(field("iterations"), b.Iterations)
		f.count(field("vus"), int64(b.VUs))
		if b.Failures > b.Requests {
			f.Add(field("failures"), "are more than the requests")
		}
		if len(b.Duration) > 0 {
			f.histogram(field("duration"), b.Duration)
		}
	}
}

func (f *faults) statuses(statuses map[string]int64) {
	if len(statuses) > fleet.MaxStatuses {
		f.Add("statuses", "at most %d, not %d", fleet.MaxStatuses, len(statuses))
		return
	}
	for _, status := range slices.Sorted(maps.Keys(statuses)) {
		field := fmt.Sprintf("statuses.%.10s", status)
		// Some servers answer with a status over 599, which is one all the same.
		if n, err := strconv.Atoi(status); err != nil || n < 100 || n > 999 || len(status) != 3 {
			f.Add(field, "is no HTTP status")
		}
		f.count(field, statuses[status])
	}
}

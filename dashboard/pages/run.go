package pages

import (
	"cmp"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/nollagluiz/broadside/fleet"
	"github.com/nollagluiz/broadside/plan"
	"github.com/nollagluiz/broadside/summary"
	"github.com/nollagluiz/broadside/summary/hist"
)

// runView is a run's page.
type runView struct {
	runRow
	Running      bool
	Work         load
	Elapsed      time.Duration // while it runs: whole seconds of Work.Length
	Ended        *moment
	Sentence     string // what the verdict means
	Message      string // the agent's own words, in English
	OfK6         bool
	Percentiles  string // how exact they are, or whose; "" without any
	Latency      *lineChart
	Traffic      *lineChart
	Distribution *distribution
	Phases       []phase
	PhasesLabel  string
	Statuses     []statusRow
	Errors       []errorRow
	Thresholds   []thresholdRow
	Corrected    *corrected // of an open model
	Settings     []setting
}

// setting is a line of the target as it was.
type setting struct{ Key, Value string }

type statusRow struct {
	Pill  pill
	Count int64
	Share *float64
}

type errorRow struct {
	fleet.ErrorCount
	Meaning string
	Share   *float64
}

func (h *handler) showRun(v *visit) error {
	r, err := h.Fleet.Run(v.r.Context(), v.r.PathValue("id"))
	if err != nil {
		return err
	}
	l := v.loc
	view := runView{runRow: h.runRow(l, r.Run), Running: r.Status == fleet.RunRunning, OfK6: r.Engine == fleet.EngineK6, Message: r.Message}
	if r.Verdict == summary.OK {
		view.Message = "" // it repeats the numbers below it
	}
	view.Sentence = l.known("sentence.", string(cmp.Or(r.Verdict, summary.Verdict(r.Status))))
	if r.EndedAt != nil {
		ended := l.moment(*r.EndedAt, h.Now())
		view.Ended = &ended
	}
	if view.Running {
		v.offerRefresh(true)
	}
	view.Work = l.load(r.Spec)
	view.Elapsed = min(max(h.Now().Sub(r.StartedAt.Time), 0), view.Work.Length).Truncate(time.Second)
	view.measured(l, r)
	view.Settings = l.settings(r.Spec.Redacted())
	return v.render(http.StatusOK, pageRun, view.Name, view)
}

// measured fills what the run's numbers show. What is missing or damaged is left out, and the page says "no data".
func (v *runView) measured(l *locale, r fleet.RunDetail) {
	var durationS float64
	var requests int64
	if r.Metrics != nil {
		durationS, requests = r.Metrics.DurationS, r.Metrics.Requests
	}
	if t, ok := newTimeline(r.Series, durationS); ok {
		latency, traffic := l.latencyChart(t), l.trafficChart(t)
		v.Latency, v.Traffic = &latency, &traffic
	}
	if total := decode(r.Trends[summary.HTTPReqDuration]); total != nil {
		d := l.newDistribution(total)
		v.Distribution = &d
		v.Percentiles = l.text("run.exact", "error", l.stated(total.Resolution()), "charts", l.stated(hist.Coarse))
	}
	if v.OfK6 && r.Metrics != nil && r.Metrics.P95 != nil {
		v.Percentiles = l.text("run.k6")
	}
	v.Corrected = l.corrected(r.Trends[summary.HTTPReqCorrected])
	v.Thresholds = l.thresholds(r.Thresholds)
	v.Phases, v.PhasesLabel = l.phases(r.Trends)
	v.Statuses = l.statuses(r.Statuses, r.Spec.ExpectedStatuses)
	for _, e := range r.Errors[:min(len(r.Errors), fleet.MaxErrors)] {
		v.Errors = append(v.Errors, errorRow{e, l.text("class." + errorClass(e.Code)), share(e.Count, requests)})
	}
}

// stated is the error of a histogram's values (package hist), rounded up to two digits.
func (l *locale) stated(b hist.Bits) string {
	var ratio float64
	switch b {
	case hist.Fine:
		ratio = 0.001
	case hist.Medium:
		ratio = 0.004
	default:
		ratio = 0.016
	}
	return l.short(100*ratio) + gap + "%"
}

func share(part, whole int64) *float64 {
	if whole <= 0 {
		return nil
	}
	v := float64(part) / float64(whole)
	return &v
}

// statuses lists the answers by code, the lowest first. Whether one is a success is the target's own rule.
func (l *locale) statuses(counts map[string]int64, expected string) []statusRow {
	allowed, err := plan.ParseStatuses(expected)
	if err != nil || len(allowed) == 0 {
		allowed = plan.Statuses{{Min: 200, Max: 399}}
	}
	var total int64
	codes := make([]string, 0, len(counts))
	for code, n := range counts {
		codes, total = append(codes, code), total+n
	}
	slices.Sort(codes)
	var out []statusRow
	for _, code := range codes {
		n, _ := strconv.Atoi(code)
		p := pill{"bad", "✕", code + " · " + l.text("answer.unexpected")}
		if allowed.Contains(n) {
			p = pill{"ok", "✓", code + " · " + l.text("answer.expected")}
		}
		out = append(out, statusRow{p, counts[code], share(counts[code], total)})
	}
	return out
}

// errorClasses are the codes with a meaning of their own, then the classes of k6's error codes (k6 v2.2, its
// documentation of "Error codes"); 1030, 1060, 1110 and 1290 are ours.
var errorClasses = [...]struct {
	from, to int
	name     string
}{
	{1030, 1030, "loop"}, {1050, 1050, "timeout"}, {1060, 1060, "interrupted"}, {1110, 1110, "denied"},
	{1211, 1211, "timeout"}, {1212, 1212, "refused"}, {1220, 1220, "reset"}, {summary.CodeGenerator, summary.CodeGenerator, "generator"},
	{1310, 1311, "certificate"},
	{1000, 1099, "general"}, {1100, 1199, "dns"}, {1200, 1299, "tcp"}, {1300, 1399, "tls"},
	{1400, 1499, "http4"}, {1500, 1599, "http5"}, {1600, 1699, "http2"},
}

func errorClass(code int) string {
	for _, c := range errorClasses {
		if c.from <= code && code <= c.to {
			return c.name
		}
	}
	return "general"
}

// settings lists the target as it was when the run started, without its secrets.
func (l *locale) settings(t fleet.Target) []setting {
	var out []setting
	for _, f := range targetFields {
		value := f.show(l, t)
		if value == "" {
			value = none
		}
		out = append(out, setting{f.name, value})
	}
	return out
}

func (h *handler) abortRun(v *visit) error {
	id := v.r.PathValue("id")
	if err := h.Fleet.AbortRun(v.r.Context(), id); err != nil {
		return err
	}
	return v.done(runPath(id), "aborting")
}

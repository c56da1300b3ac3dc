package pages

import (
	"cmp"
	"net/http"
	"slices"
	"strconv"

	"github.com/nollagluiz/broadside/fleet"
	"github.com/nollagluiz/broadside/summary"
)

// The length of a page of runs.
const (
	defaultLimit = 50
	maxLimit     = 500
)

// highFailRate is the share of failed requests above which a run is marked: the limit of a target that names none.
const highFailRate = summary.DefaultMaxFailRate

var (
	runStatuses = [...]fleet.RunStatus{fleet.RunRunning, fleet.RunDone, fleet.RunError, fleet.RunAborted}
	runVerdicts = [...]summary.Verdict{
		summary.OK, summary.ThresholdFailed, summary.NoRequests, summary.TargetUnreachable,
		summary.GeneratorLimited, summary.Aborted, summary.Lost, summary.Error,
	}
)

// runsView is a page of the list of runs.
type runsView struct {
	Rows         []runRow
	OfK6         bool // some of the rows are k6's
	Filtered     bool
	First        bool   // the page holds the newest runs
	Older        string // link, "" on the last page
	Newest       string
	Clear        string
	Targets      []option
	Statuses     []option
	Verdicts     []option
	Agent        string // id that the list is narrowed to
	AgentName    string
	WithoutAgent string
	Limit        string // as the query has it, "" for the default
}

// option is one choice of a select.
type option struct {
	Value, Text string
	Selected    bool
}

type runRow struct {
	fleet.Run
	Name    string
	Pill    pill
	Started moment
	Fail    failRate
}

// failRate is a share of failed requests, nil without a request, and whether it is too high to pass over.
type failRate struct {
	Rate *float64
	High bool
}

func newFailRate(rate *float64) failRate {
	return failRate{rate, rate != nil && *rate > highFailRate}
}

// runName is what people call a run's target. A run of a list has no URL where the store leaves specs out.
func runName(r fleet.Run) string {
	name := r.TargetLabel
	if name == "" && r.Spec.URL != "" {
		name = r.Spec.Name()
	}
	return cmp.Or(name, r.TargetID)
}

func (h *handler) runRow(l *locale, r fleet.Run) runRow {
	row := runRow{Run: r, Name: runName(r), Pill: l.runPill(r), Started: l.moment(r.StartedAt, h.Now())}
	if r.Metrics != nil {
		row.Fail = newFailRate(r.Metrics.ErrorRate)
	}
	return row
}

// runFilter reads the query; a value that is none of ours picks all.
func (v *visit) runFilter() fleet.RunFilter {
	f := fleet.RunFilter{TargetID: v.query.Get("target"), AgentID: v.query.Get("agent")}
	if s := fleet.RunStatus(v.query.Get("status")); slices.Contains(runStatuses[:], s) {
		f.Status = s
	}
	if s := summary.Verdict(v.query.Get("verdict")); s.Valid() {
		f.Verdict = s
	}
	return f
}

func (v *visit) limit() int {
	n, err := strconv.Atoi(v.query.Get("limit"))
	if err != nil || n < 1 || n > maxLimit {
		return defaultLimit
	}
	return n
}

func (h *handler) showRuns(v *visit) error {
	ctx, filter, cursor := v.r.Context(), v.runFilter(), v.query.Get("cursor")
	v.offerRefresh(false)
	runs, next, err := h.Fleet.Runs(ctx, filter, cursor, v.limit())
	if cursor != "" && fleet.CodeOf(err) == fleet.Malformed {
		cursor = "" // a mangled link shows the newest runs
		runs, next, err = h.Fleet.Runs(ctx, filter, "", v.limit())
	}
	if err != nil {
		return err
	}
	view := runsView{
		Filtered: filter != fleet.RunFilter{}, First: cursor == "", Newest: v.with("cursor", ""),
		Clear: pathRuns, Agent: filter.AgentID, WithoutAgent: v.with("agent", "", "cursor", ""), Limit: v.query.Get("limit"),
	}
	if next != "" {
		view.Older = v.with("cursor", next)
	}
	for _, r := range runs {
		view.Rows = append(view.Rows, h.runRow(v.loc, r))
		view.OfK6 = view.OfK6 || r.Engine == fleet.EngineK6
	}
	if err := h.runFilters(v, filter, &view); err != nil {
		return err
	}
	return v.render(http.StatusOK, pageRuns, v.loc.text("title.runs"), view)
}

// runFilters fills the form that narrows the list.
func (h *handler) runFilters(v *visit, f fleet.RunFilter, view *runsView) error {
	ctx := v.r.Context()
	targets, err := h.Fleet.Targets(ctx)
	if err != nil {
		return err
	}
	for _, t := range targets {
		view.Targets = append(view.Targets, option{t.ID, t.Name(), t.ID == f.TargetID})
	}
	if known := slices.ContainsFunc(targets, func(t fleet.Target) bool { return t.ID == f.TargetID }); f.TargetID != "" && !known {
		// Its runs outlive a target.
		view.Targets = append(view.Targets, option{f.TargetID, v.loc.text("runs.gone", "id", f.TargetID), true})
	}
	for _, s := range runStatuses {
		view.Statuses = append(view.Statuses, option{string(s), v.loc.text("status." + string(s)), s == f.Status})
	}
	for _, s := range runVerdicts {
		view.Verdicts = append(view.Verdicts, option{string(s), v.loc.text("verdict." + string(s)), s == f.Verdict})
	}
	if f.AgentID == "" {
		return nil
	}
	agents, err := h.Fleet.Agents(ctx)
	view.AgentName = f.AgentID
	for _, a := range agents {
		if a.ID == f.AgentID {
			view.AgentName = a.Name
		}
	}
	return err
}

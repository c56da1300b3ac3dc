package pages

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"github.com/nollagluiz/broadside/fleet"
)

// recentRuns is how many of a target's last runs its sparkline and its failure rate show.
const recentRuns = 30

// sitesView is the list of targets with the form that adds one.
type sitesView struct {
	Rows   []siteRow
	Pages  pager
	Agents int // online
	Form   siteForm
	Open   bool // the form is unfolded
}

type siteRow struct {
	fleet.Target
	Work      load
	TotalVUs  int
	Obstacles []string // why no agent online can run it
	Last      *runRow
	Spark     sparkline
	Fail      failRate // of the last runs together: failures / requests
}

// Shaped tells whether the target's options replace its one loop of virtual users: others, such as thresholds, leave it.
func (r siteRow) Shaped() bool {
	var options map[string]json.RawMessage
	if json.Unmarshal(r.Options, &options) != nil {
		return false
	}
	return slices.ContainsFunc([]string{"scenarios", "stages", "iterations"}, func(name string) bool {
		value := options[name]
		return value != nil && string(value) != "null"
	})
}

// crew is what the agents online can do.
type crew struct {
	Online int
	MaxVUs int  // that one of them takes at most; 0 if one has no limit
	K6     bool // one of them has a k6 that works
}

func (h *handler) showSites(v *visit) error {
	v.offerRefresh(false)
	return h.renderSites(v, http.StatusOK, nil, nil)
}

// renderSites shows the list; typed and found are those of an add form that was refused.
func (h *handler) renderSites(v *visit, status int, typed url.Values, found faults) error {
	ctx := v.r.Context()
	targets, err := h.Fleet.Targets(ctx)
	if err != nil {
		return err
	}
	recent, err := h.Fleet.RecentRuns(ctx, recentRuns)
	if err != nil {
		return err
	}
	crew, err := h.crew(v)
	if err != nil {
		return err
	}
	view := sitesView{Agents: crew.Online, Form: newSiteForm(v.loc, fleet.NewTarget(), typed, found), Open: len(targets) == 0 || typed != nil}
	view.Form.Action, view.Form.Agents = pathSites, crew.Online
	v.here = pathSites
	view.Pages = v.pager(len(targets), "#sites")
	for _, t := range targets[view.Pages.From-1 : view.Pages.To] {
		view.Rows = append(view.Rows, h.siteRow(v.loc, t, recent[t.ID], crew))
	}
	return v.render(status, pageSites, v.loc.text("title.sites"), view)
}

func (h *handler) siteRow(l *locale, t fleet.Target, runs []fleet.Run, c crew) siteRow {
	work := l.load(t)
	row := siteRow{Target: t, Work: work, TotalVUs: c.Online * work.VUs, Obstacles: l.obstacles(t, work, c), Spark: l.sparkline(runs)}
	if len(runs) > 0 {
		last := h.runRow(l, runs[0])
		row.Last = &last
	}
	var requests, failures int64
	for _, r := range runs {
		if r.Metrics != nil && r.Metrics.ErrorRate != nil { // a script of k6 may count no request as failed or not
			requests, failures = requests+r.Metrics.Requests, failures+r.Metrics.Failures
		}
	}
	row.Fail = newFailRate(share(failures, requests))
	return row
}

// obstacles says why the agents online, if there are any, let the target's starts pass.
func (l *locale) obstacles(t fleet.Target, work load, c crew) []string {
	var out []string
	if c.Online > 0 && c.MaxVUs > 0 && work.VUs > c.MaxVUs {
		out = append(out, l.text("site.toomany", "max", c.MaxVUs))
	}
	if c.Online > 0 && t.Script != "" && !c.K6 {
		out = append(out, l.text("site.nok6"))
	}
	return out
}

func (h *handler) crew(v *visit) (c crew, err error) {
	agents, err := h.Fleet.Agents(v.r.Context())
	unlimited := false
	for _, a := range agents {
		if a.Status != fleet.AgentOnline {
			continue
		}
		c.Online++
		c.MaxVUs = max(c.MaxVUs, a.MaxVUs)
		unlimited = unlimited || a.MaxVUs == 0
		c.K6 = c.K6 || a.K6 != nil && a.K6.Error == ""
	}
	if unlimited {
		c.MaxVUs = 0
	}
	return c, err
}

func (h *handler) createSite(v *visit) error {
	found := unreadable(v.loc, fleet.NewTarget(), v.r.PostForm)
	if len(found) == 0 {
		t := fleet.NewTarget()
		apply(v.loc, &t, v.r.PostForm)
		_, err := h.Fleet.CreateTarget(v.r.Context(), t)
		if err == nil {
			return v.done(pathSites, "created")
		}
		var ok bool
		if found, ok = refusal(v.loc, err); !ok {
			return err
		}
	}
	return h.renderSites(v, http.StatusUnprocessableEntity, v.r.PostForm, found)
}

// showSite is the page on which a target is edited.
func (h *handler) showSite(v *visit) error {
	return h.renderSite(v, http.StatusOK, nil, nil, "")
}

func (h *handler) renderSite(v *visit, status int, typed url.Values, found faults, problem string) error {
	t, err := h.Fleet.Target(v.r.Context(), v.r.PathValue("id"))
	if err != nil {
		return err
	}
	crew, err := h.crew(v)
	if err != nil {
		return err
	}
	form := newSiteForm(v.loc, t, typed, found)
	form.Action, form.Agents, form.TotalVUs = sitePath(t.ID), crew.Online, crew.Online*t.Peak()
	if problem != "" {
		form.Problem = problem
	} else if typed != nil {
		form.Revision = v.revision() // what the reader saw: a change since then still shows at the next try
	}
	v.here = sitePath(t.ID)
	return v.render(status, pageSite, t.Name(), siteView{t, form})
}

// siteView is the page of one target.
type siteView struct {
	fleet.Target
	Form siteForm
}

// revision is that of the target when the form was made; 0, which takes any, when the form doesn't say.
func (v *visit) revision() int64 {
	n, _ := strconv.ParseInt(v.form("revision"), 10, 64)
	return max(n, 0)
}

func (h *handler) saveSite(v *visit) error {
	found := unreadable(v.loc, fleet.NewTarget(), v.r.PostForm)
	if len(found) == 0 {
		_, err := h.Fleet.UpdateTarget(v.r.Context(), v.r.PathValue("id"), v.revision(), func(t fleet.Target) (fleet.Target, error) {
			apply(v.loc, &t, v.r.PostForm)
			return t, nil
		})
		if err == nil {
			return v.done(pathSites, "saved")
		}
		if fleet.CodeOf(err) == fleet.PreconditionFailed {
			return h.renderSite(v, http.StatusPreconditionFailed, v.r.PostForm, nil, v.loc.text("form.changed"))
		}
		var ok bool
		if found, ok = refusal(v.loc, err); !ok {
			return err
		}
	}
	return h.renderSite(v, http.StatusUnprocessableEntity, v.r.PostForm, found, "")
}

func (h *handler) enableSite(on bool) func(*visit) error {
	return func(v *visit) error {
		_, err := h.Fleet.UpdateTarget(v.r.Context(), v.r.PathValue("id"), 0, func(t fleet.Target) (fleet.Target, error) {
			t.Enabled = on
			return t, nil
		})
		if err != nil {
			return err
		}
		if on {
			return v.done(pathSites, "enabled")
		}
		return v.done(pathSites, "disabled")
	}
}

func (h *handler) runSite(v *visit) error {
	if _, err := h.Fleet.RunNow(v.r.Context(), v.r.PathValue("id")); err != nil {
		return err
	}
	return v.done(pathSites, "ordered")
}

// confirmDelete names the target that is about to go.
func (h *handler) confirmDelete(v *visit) error {
	t, err := h.Fleet.Target(v.r.Context(), v.r.PathValue("id"))
	if err != nil {
		return err
	}
	return v.render(http.StatusOK, pageDelete, v.loc.text("title.delete", "name", t.Name()), t)
}

func (h *handler) deleteSite(v *visit) error {
	if err := h.Fleet.DeleteTarget(v.r.Context(), v.r.PathValue("id"), v.revision()); err != nil {
		return err
	}
	return v.done(pathSites, "deleted")
}

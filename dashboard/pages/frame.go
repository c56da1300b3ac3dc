package pages

import (
	"embed"
	"html/template"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/nollagluiz/broadside/fleet"
)

//go:embed templates/*.html
var templateFiles embed.FS

// The pages, each a template of its own inside templates/frame.html with templates/parts.html.
const (
	pageFleet  = "fleet"
	pageStop   = "stop"
	pageSites  = "sites"
	pageSite   = "site"
	pageDelete = "delete"
	pageRuns   = "runs"
	pageRun    = "run"
	pageError  = "error"
)

// parseTemplates makes each page in one language.
func parseTemplates(l *locale) (map[string]*template.Template, error) {
	funcs := template.FuncMap{
		"t": l.text, "tn": l.count, "known": l.known,
		"num": l.number, "latency": l.latency, "pct": l.percent, "bytes": l.bytes, "rate": l.rate, "figure": l.figure,
		"int":         func(n int) int64 { return int64(n) },
		"duration":    l.duration,
		"nanoseconds": l.nanoseconds,
		"millis":      func(n int64) string { return l.duration(time.Duration(n) * time.Millisecond) },
		"site":        sitePath,
		"run":         runPath,
	}
	shared, err := template.New("frame.html").Funcs(funcs).ParseFS(templateFiles, "templates/frame.html", "templates/parts.html", "templates/chart.html")
	if err != nil {
		return nil, err
	}
	pages := map[string]*template.Template{}
	for _, page := range []string{pageFleet, pageStop, pageSites, pageSite, pageDelete, pageRuns, pageRun, pageError} {
		clone, err := shared.Clone()
		if err != nil {
			return nil, err
		}
		if pages[page], err = clone.ParseFS(templateFiles, "templates/"+page+".html"); err != nil {
			return nil, err
		}
	}
	return pages, nil
}

func sitePath(id string) string { return pathSites + "/" + url.PathEscape(id) }
func runPath(id string) string  { return pathRuns + "/" + url.PathEscape(id) }

// choice is one of several links, of which one is where the reader is.
type choice struct {
	Value, Link string
	Current     bool
}

// frame is what every page has around its own part, Data.
type frame struct {
	Title, Style, Version string
	Lang, Theme           string
	Languages, Themes     []choice
	Nav                   []choice
	SignIn                string
	Notice                string // a word of notices, or ""
	Stopped               bool
	CanRefresh, Refresh   bool
	Here, Toggle          string // the page itself, and the page with the other choice of refreshing
	Data                  any
}

// frame is usable beside an error, which is that of asking for the fleet's settings.
func (v *visit) frame(title string, data any) (frame, error) {
	config, err := v.h.Fleet.Config(v.r.Context())
	f := frame{
		Title: title, Style: v.h.style.path(), Version: v.h.Version,
		Lang: v.loc.tag, Theme: v.theme,
		SignIn:  "/admin/login?" + url.Values{"next": {v.with()}}.Encode(),
		Stopped: config.Stopped,
		Here:    v.with(), CanRefresh: v.canRefresh, Refresh: v.refresh,
		Data: data,
	}
	f.Toggle = v.with("auto", "1")
	if v.refresh {
		f.Toggle = v.with("auto", "0")
	}
	if notice := v.query.Get("notice"); slices.Contains(notices[:], notice) {
		f.Notice = notice
	}
	for _, tag := range languages {
		f.Languages = append(f.Languages, choice{tag, v.with(cookieLang, tag), tag == v.loc.tag})
	}
	for _, theme := range themes {
		f.Themes = append(f.Themes, choice{theme, v.with(cookieTheme, theme), theme == v.theme})
	}
	for _, item := range []struct{ name, path string }{{"agents", pathFleet}, {"sites", pathSites}, {"runs", pathRuns}} {
		// The fleet's path is a prefix of the others.
		below := item.path != pathFleet && strings.HasPrefix(v.here, item.path+"/")
		f.Nav = append(f.Nav, choice{item.name, item.path, v.here == item.path || below})
	}
	return f, err
}

// pill is a state as people see it: a shape, a word and a colour that mean the same.
type pill struct{ Class, Icon, Word string }

// verdictPills are the looks of verdicts, and of runs that have none yet.
var verdictPills = map[string]pill{
	"ok":                 {Class: "ok", Icon: "✓"},
	"threshold_failed":   {Class: "bad", Icon: "✕"},
	"no_requests":        {Class: "bad", Icon: "∅"},
	"target_unreachable": {Class: "bad", Icon: "⊘"},
	"generator_limited":  {Class: "warn", Icon: "▲"},
	"aborted":            {Class: "off", Icon: "■"},
	"lost":               {Class: "bad", Icon: "?"},
	"error":              {Class: "bad", Icon: "!"},
	"running":            {Class: "run", Icon: "▶"},
}

// runPill tells how a run stands: its verdict, or else its status.
func (l *locale) runPill(r fleet.Run) pill {
	word := string(r.Verdict)
	if word == "" {
		word = string(r.Status)
	}
	p, ok := verdictPills[word]
	if !ok {
		p = pill{Class: "off", Icon: "○"}
	}
	p.Word = l.known("verdict.", word)
	return p
}

// staleAfter is two heartbeat intervals of the default 30 s: an agent that is still counted online but has been silent
// for that long is shown as stale, never as well (field report 51).
const staleAfter = time.Minute

func (l *locale) agentPill(a fleet.Agent, now time.Time) pill {
	switch {
	case a.Status != fleet.AgentOnline:
		return pill{"off", "○", l.text("agent.offline")}
	case now.Sub(a.LastSeenAt.Time) > staleAfter:
		return pill{"warn", "◐", l.text("agent.stale")}
	default:
		return pill{"ok", "●", l.text("agent.online")}
	}
}

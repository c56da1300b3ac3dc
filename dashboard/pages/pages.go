// Package pages is the user interface of a build without Node: server-rendered pages in English and Portuguese for the
// fleet, its sites (targets) and their runs, with forms for what a person may change.
//
// They hold no JavaScript and need no more than the content security policy that each answer carries. All that comes
// from outside, such as labels, URLs and messages, is escaped by html/template. Whoever mounts the handler authenticates
// everything but GET and HEAD, refuses cross-origin requests, and limits the time of a request; the handler limits its
// size. It is safe for concurrent use.
package pages

import (
	"bytes"
	"context"
	"errors"
	"html/template"
	"net/http"
	"time"

	"github.com/nollagluiz/broadside/fleet"
)

// Fleet is what the pages show and change. Errors for the person are *fleet.Error; any other one is internal.
type Fleet interface {
	Targets(ctx context.Context) ([]fleet.Target, error)         // redacted, newest first
	Target(ctx context.Context, id string) (fleet.Target, error) // redacted
	CreateTarget(ctx context.Context, t fleet.Target) (fleet.Target, error)
	// UpdateTarget applies edit to the stored target with its secrets; *** keeps a secret. revision 0 takes any.
	UpdateTarget(ctx context.Context, id string, revision int64, edit func(fleet.Target) (fleet.Target, error)) (fleet.Target, error)
	DeleteTarget(ctx context.Context, id string, revision int64) error
	RunNow(ctx context.Context, targetID string) (orderID string, err error)

	Config(ctx context.Context) (fleet.Config, error)
	UpdateConfig(ctx context.Context, revision int64, edit func(fleet.Config) (fleet.Config, error)) (fleet.Config, error)
	Reconcile(ctx context.Context) error
	StopAll(ctx context.Context) error
	AbortRun(ctx context.Context, id string) error

	Agents(ctx context.Context) ([]fleet.Agent, error) // by name
	Runs(ctx context.Context, f fleet.RunFilter, cursor string, limit int) ([]fleet.Run, string, error)
	Run(ctx context.Context, id string) (fleet.RunDetail, error)
	RecentRuns(ctx context.Context, n int) (map[string][]fleet.Run, error)
	Summary(ctx context.Context) (fleet.Overview, error)
}

// Config is what the pages need.
type Config struct {
	Fleet   Fleet
	Now     func() time.Time // time.Now if nil
	Version string           // shown at the foot of each page
	// OnError gets the internal errors, of which no page shows more than that there was one. nil drops them.
	OnError func(r *http.Request, err error)
}

// The paths of the pages. Everything of theirs lies below root.
const (
	root      = "/agents/"
	pathFleet = "/agents/k6"
	pathSites = "/agents/k6/sites"
	pathRuns  = "/agents/k6/runs"
)

// maxForm bounds the body of a form: a target's body and script of a mebibyte each, each byte escaped as three, with room
// for line breaks, which take six.
const maxForm = 8 << 20

type handler struct {
	Config
	style     style
	locales   map[string]*locale
	templates map[string]map[string]*template.Template // by language and page
}

// New makes the handler of everything below /agents/.
func New(c Config) (http.Handler, error) {
	if c.Fleet == nil {
		return nil, errors.New("pages: no fleet")
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.OnError == nil {
		c.OnError = func(*http.Request, error) {}
	}
	h := &handler{Config: c, style: newStyle(), locales: map[string]*locale{}, templates: map[string]map[string]*template.Template{}}
	for _, tag := range languages {
		l, err := newLocale(tag)
		if err != nil {
			return nil, err
		}
		h.locales[tag] = l
		if h.templates[tag], err = parseTemplates(l); err != nil {
			return nil, err
		}
	}
	return h.routes(), nil
}

func (h *handler) routes() http.Handler {
	mux := http.NewServeMux()
	for pattern, f := range map[string]func(*visit) error{
		"GET /agents/k6":                     h.showFleet,
		"POST /agents/k6/scale":              h.scale,
		"POST /agents/k6/reconcile":          h.reconcile,
		"GET /agents/k6/stop":                h.confirmStop,
		"POST /agents/k6/stop":               h.stop,
		"POST /agents/k6/resume":             h.resume,
		"GET /agents/k6/sites":               h.showSites,
		"POST /agents/k6/sites":              h.createSite,
		"GET /agents/k6/sites/{id}":          h.showSite,
		"POST /agents/k6/sites/{id}":         h.saveSite,
		"POST /agents/k6/sites/{id}/enable":  h.enableSite(true),
		"POST /agents/k6/sites/{id}/disable": h.enableSite(false),
		"POST /agents/k6/sites/{id}/run":     h.runSite,
		"GET /agents/k6/sites/{id}/delete":   h.confirmDelete,
		"POST /agents/k6/sites/{id}/delete":  h.deleteSite,
		"GET /agents/k6/runs":                h.showRuns,
		"GET /agents/k6/runs/{id}":           h.showRun,
		"POST /agents/k6/runs/{id}/abort":    h.abortRun,
		root:                                 h.notFound,
	} {
		mux.Handle(pattern, h.visited(f))
	}
	mux.Handle("GET /agents/k6/static/{file}", h.style)
	for _, pattern := range []string{"GET /agents/{$}", "GET /agents/k6/{$}"} {
		mux.Handle(pattern, http.RedirectHandler(pathFleet, http.StatusSeeOther))
	}
	return mux
}

// visited turns a page into a handler: it settles language and theme, and answers an error with a page of its own.
func (h *handler) visited(f func(*visit) error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		v := h.newVisit(w, r)
		if v.rememberPreferences() {
			return
		}
		err := v.readForm()
		if err == nil {
			err = f(v)
		}
		if err != nil {
			v.fail(err)
		}
	})
}

func (h *handler) notFound(*visit) error {
	return fleet.Errorf(fleet.NotFound, "there is no such page")
}

// policy allows the pages' own style sheet, their icon and their forms, and nothing else.
const policy = "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// render fills the page's template before the first byte is sent, so that a fault in it is an error page, not half a page.
func (v *visit) render(status int, page, title string, data any) error {
	var body bytes.Buffer
	frame, err := v.frame(title, data)
	if err != nil && page != pageError {
		return err
	}
	if err := v.h.templates[v.loc.tag][page].Execute(&body, frame); err != nil {
		return err
	}
	head := v.w.Header()
	head.Set("Content-Type", "text/html; charset=utf-8")
	head.Set("Content-Language", v.loc.tag)
	head.Set("Content-Security-Policy", policy)
	head.Set("X-Content-Type-Options", "nosniff")
	head.Set("Referrer-Policy", "same-origin")
	head.Set("Cache-Control", "no-cache")
	if !v.reads() {
		head.Set("Cache-Control", "no-store") // it may repeat a secret that was typed
	}
	head.Set("Vary", "Cookie, Accept-Language")
	v.w.WriteHeader(status)
	_, _ = v.w.Write(body.Bytes()) // the reader has gone; there is nobody to tell
	return nil
}

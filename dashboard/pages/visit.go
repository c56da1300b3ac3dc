package pages

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/nollagluiz/broadside/fleet"
)

// visit is one request with its reader's language and theme.
type visit struct {
	h     *handler
	w     http.ResponseWriter
	r     *http.Request
	here  string     // path of the page that is shown, which a GET answers with the same
	query url.Values // of that page; empty after a form was sent
	loc   *locale
	theme string // one of themes

	canRefresh, refresh bool // the page may reload itself, and does
}

// themes are the choices of colours; auto follows the system.
var themes = [...]string{"auto", "light", "dark"}

const (
	cookieLang  = "lang"
	cookieTheme = "theme"
	cookieAge   = 365 * 24 * 60 * 60 // seconds
)

func (h *handler) newVisit(w http.ResponseWriter, r *http.Request) *visit {
	v := &visit{h: h, w: w, r: r, here: r.URL.Path, query: r.URL.Query(), theme: themes[0]}
	if !v.reads() {
		v.here, v.query = pathFleet, url.Values{}
	}
	tag := preferred(r.Header.Get("Accept-Language"))
	if c, err := r.Cookie(cookieLang); err == nil && slices.Contains(languages[:], c.Value) {
		tag = c.Value
	}
	if c, err := r.Cookie(cookieTheme); err == nil && slices.Contains(themes[:], c.Value) {
		v.theme = c.Value
	}
	v.loc = h.locales[tag]
	return v
}

// reads tells whether the request changes nothing.
func (v *visit) reads() bool { return v.r.Method == http.MethodGet || v.r.Method == http.MethodHead }

// rememberPreferences keeps ?lang= and ?theme= in cookies and sends the reader back to the page without them. It is
// false, and nothing is sent, where the query chooses neither.
func (v *visit) rememberPreferences() bool {
	if !v.reads() {
		return false
	}
	chosen := false
	for name, allowed := range map[string][]string{cookieLang: languages[:], cookieTheme: themes[:]} {
		if value := v.query.Get(name); slices.Contains(allowed, value) {
			http.SetCookie(v.w, &http.Cookie{
				Name: name, Value: value, Path: root, MaxAge: cookieAge,
				HttpOnly: true, Secure: v.r.TLS != nil, SameSite: http.SameSiteLaxMode,
			})
			chosen = true
		}
	}
	if chosen {
		v.redirect(v.with(cookieLang, "", cookieTheme, ""))
	}
	return chosen
}

// with is the page's own address with some values of its query set; "" removes one. What happened last is left out.
func (v *visit) with(pairs ...string) string {
	query := maps.Clone(v.query)
	query.Del("notice")
	for i := 0; i+1 < len(pairs); i += 2 {
		query.Set(pairs[i], pairs[i+1])
		if pairs[i+1] == "" {
			query.Del(pairs[i])
		}
	}
	u := url.URL{Path: v.here, RawQuery: query.Encode()}
	return u.String()
}

// redirect goes to one of our own pages: to is never taken from a request as it is.
//
// A path that begins with two slashes would be another host's address; the mux never lets one through, and it has not
// our prefix either.
func (v *visit) redirect(to string) {
	if !strings.HasPrefix(to, root) {
		to = pathFleet
	}
	v.w.Header().Set("Cache-Control", "no-store")
	v.w.Header().Set("Location", to)
	v.w.WriteHeader(http.StatusSeeOther)
}

// offerRefresh lets the page reload itself every few seconds, where the reader asked for it or, from the start, where
// on says so. Never offer it to a page whose form may be half filled, unless the reader asks.
func (v *visit) offerRefresh(on bool) {
	choice := v.query.Get("auto")
	v.canRefresh, v.refresh = true, choice == "1" || on && choice != "0"
}

// notices are what a page may say after a form was sent to it; they travel in its query by these words alone.
var notices = [...]string{"scaled", "reconciled", "stopped", "resumed", "created", "saved", "enabled", "disabled", "deleted", "ordered", "aborting"}

// done redirects to a page that then says what happened.
func (v *visit) done(path, notice string) error {
	v.redirect(path + "?notice=" + notice)
	return nil
}

func (v *visit) readForm() error {
	if v.r.Method != http.MethodPost {
		return nil
	}
	v.r.Body = http.MaxBytesReader(v.w, v.r.Body, maxForm)
	err := v.r.ParseForm()
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return fleet.Errorf(fleet.TooLarge, "the form is over %d bytes", large.Limit)
	case err != nil:
		return fleet.Errorf(fleet.Malformed, "the form can't be read")
	}
	return nil
}

// form is what was sent in a form's body; the query has no say.
func (v *visit) form(name string) string { return v.r.PostForm.Get(name) }

// problem is an error as its page shows it.
type problem struct {
	Status  int
	Heading string
	Message string // in English, as the API has it
}

// fail answers with the page of an error. Only a *fleet.Error is the reader's to read.
func (v *visit) fail(err error) {
	if errors.Is(v.r.Context().Err(), context.Canceled) {
		return // the reader has gone
	}
	p := problem{Status: http.StatusInternalServerError}
	var known *fleet.Error
	if errors.Is(err, context.DeadlineExceeded) {
		err = fleet.Errorf(fleet.Overloaded, "it took too long; try again")
	}
	if errors.As(err, &known) {
		p.Message = known.Message
		p.Status = known.Code.Status()
	}
	if p.Status == http.StatusInternalServerError {
		v.h.OnError(v.r, err)
	}
	p.Heading = v.loc.text("error.heading." + codeName(known, p.Status))
	if err := v.render(p.Status, pageError, p.Heading, p); err != nil {
		v.h.OnError(v.r, err)
		http.Error(v.w, http.StatusText(p.Status), p.Status)
	}
}

func codeName(known *fleet.Error, status int) string {
	if known == nil || status == http.StatusInternalServerError {
		return "internal"
	}
	return string(known.Code)
}

package pages_test

import (
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/html"

	"github.com/nollagluiz/broadside/fleet"
)

// redirectsTo checks that the browser is sent on.
func (a answer) redirectsTo(t *testing.T, path string) {
	t.Helper()
	a.want(t, http.StatusSeeOther)
	if got := a.Header.Get("Location"); got != path {
		t.Errorf("redirected to %q; want %q", got, path)
	}
}

func TestAddSite(t *testing.T) {
	f := &fakeFleet{}
	b := newBrowser(t, f)
	form := b.get("/agents/k6/sites").want(t, http.StatusOK).form(t, "/agents/k6/sites")
	form.Set("url", "https://example.com/")
	b.post("/agents/k6/sites", form).redirectsTo(t, "/agents/k6/sites?notice=created")
	want := fleet.NewTarget() // the form's defaults are the API's
	want.ID, want.URL, want.Revision = "1", "https://example.com/", 1
	if diff := cmp.Diff([]fleet.Target{want}, f.targets); diff != "" {
		t.Errorf("stored (-want +got):\n%s", diff)
	}
	page := b.get("/agents/k6/sites?notice=created")
	if got := words(all(page.doc, func(n *html.Node) bool { return attr(n, "role") == "status" })[0]); !strings.Contains(got, "The site was added") {
		t.Errorf("the page says %q", got)
	}
}

func TestEveryFieldOfASite(t *testing.T) {
	f := &fakeFleet{}
	form := url.Values{
		"url": {"https://[::1]:8443/a?b=c"}, "label": {"Ação 🎯"}, "vus": {"12"}, "durationS": {"90"}, "runIntervalMs": {"1.5"},
		"method": {"POST"}, "httpVersion": {"2"}, "expectedStatuses": {"200-299,418"}, "maxRedirects": {"0"}, "timeoutMs": {"1.001"}, "pauseMs": {"3"},
		"gracefulStopS": {"0"}, "insecureSkipVerify": {"on"}, "headers": {"X-A: one: two\r\n\r\n  Authorization :  Bearer x \r\n"}, "secretHeaders": {" X-A , "}, "body": {"a\r\nb"}, "script": {"// é\r\nexport default () => {}\r\n"},
	}
	newBrowser(t, f).post("/agents/k6/sites", form).redirectsTo(t, "/agents/k6/sites?notice=created")
	want := fleet.Target{
		ID: "1", Revision: 1, URL: "https://[::1]:8443/a?b=c", Label: "Ação 🎯", VUs: 12, DurationS: 90, RunIntervalMs: 1500,
		Method: "POST", HTTPVersion: "2", ExpectedStatuses: "200-299,418", MaxRedirects: 0, TimeoutMs: 1001, PauseMs: 3000,
		GracefulStopS: 0, InsecureSkipVerify: true, Headers: map[string]string{"X-A": "one: two", "Authorization": "Bearer x"}, SecretHeaders: []string{"X-A"}, Body: "a\nb", Script: "// é\nexport default () => {}\n", Options: json.RawMessage("{}"),
	}
	if diff := cmp.Diff([]fleet.Target{want}, f.targets); diff != "" {
		t.Errorf("stored (-want +got):\n%s", diff)
	}
}

// Options are written for people to read, and kept as they were meant; the keys in them show to nobody.
func TestOptionsInAForm(t *testing.T) {
	const stored = `{"stages":[{"duration":"30s","target":5}],"thresholds":{"http_req_duration{name:a&b}":["p(95)\u003c500"]}}`
	site := fleet.NewTarget()
	site.ID, site.URL, site.Revision, site.Options = "1", "https://example.org/", 3, json.RawMessage(stored)
	f := &fakeFleet{targets: []fleet.Target{site}}
	b := newBrowser(t, f)
	page := b.get("/agents/k6/sites/1").want(t, http.StatusOK)
	form := page.form(t, "/agents/k6/sites/1")
	const shown = `{
  "stages": [
    {
      "duration": "30s",
      "target": 5
    }
  ],
  "thresholds": {
    "http_req_duration{name:a&b}": [
      "p(95)<500"
    ]
  }
}`
	if got := strings.ReplaceAll(form.Get("options"), "\r\n", "\n"); got != shown {
		t.Errorf("the form shows\n%s\nwant\n%s", got, shown)
	}
	form.Set("options", strings.ReplaceAll(shown, "\n", "\r\n"))
	b.post("/agents/k6/sites/1", form).redirectsTo(t, "/agents/k6/sites?notice=saved")
	if got, want := string(f.targets[0].Options), strings.ReplaceAll(stored, `\u003c`, "<"); got != want {
		t.Errorf("stored %s; want %s", got, want)
	}
	form.Set("revision", "4")
	form.Set("options", " \r\n")
	b.post("/agents/k6/sites/1", form).redirectsTo(t, "/agents/k6/sites?notice=saved")
	if got := string(f.targets[0].Options); got != "{}" {
		t.Errorf("an empty control stored %s; want {}", got)
	}
	f.targets[0].Options = json.RawMessage(`{"tlsAuth":[{"cert":"CERT","key":"s3cret"}],"vus":2,"duration":"3s"}`)
	if page := b.get("/agents/k6/sites/1"); strings.Contains(page.text, "s3cret") || !strings.Contains(page.form(t, "/agents/k6/sites/1").Get("options"), `"tlsAuth": "***"`) {
		t.Error("the key is shown, or is not said to be there")
	}
}

// What is read can be sent back: a form that nobody touched changes nothing, secrets included.
func TestEditRoundTrip(t *testing.T) {
	odd := fleet.NewTarget()
	odd.ID, odd.URL, odd.Label = "1", "https://u:p@example.org/ação?token=1&q=\"<&>'", "\"><script>alert(1)</script>"
	odd.RunIntervalMs, odd.TimeoutMs, odd.PauseMs, odd.Enabled, odd.Revision = 61_001, 1, 7, false, 9
	odd.Headers, odd.SecretHeaders = map[string]string{"Cookie": "a=b", "X-Plain": "x", "X-Mine": "y"}, []string{"X-Mine"}
	odd.Body, odd.HTTPVersion, odd.InsecureSkipVerify = "\n\nleading lines </textarea>\n", "1.1", true
	odd.Script = "\nimport http from 'k6/http' // hidden lines </textarea>\n"
	for _, lang := range []string{"en", "pt-BR"} {
		t.Run(lang, func(t *testing.T) {
			f := &fakeFleet{targets: []fleet.Target{odd}}
			b := newBrowser(t, f).speaks(lang)
			page := b.get("/agents/k6/sites/1").want(t, http.StatusOK)
			for _, secret := range []string{"u:p", "a=b", "token=1", "leading lines", "hidden lines"} {
				if strings.Contains(page.text, secret) {
					t.Errorf("the page shows %q", secret)
				}
			}
			b.post("/agents/k6/sites/1", page.form(t, "/agents/k6/sites/1")).redirectsTo(t, "/agents/k6/sites?notice=saved")
			want := odd
			want.Revision = 10
			if diff := cmp.Diff([]fleet.Target{want}, f.targets); diff != "" {
				t.Errorf("stored (-want +got):\n%s", diff)
			}
		})
	}
}

func TestEditConflict(t *testing.T) {
	f := demoFleet()
	b := newBrowser(t, f)
	form := b.get("/agents/k6/sites/1").form(t, "/agents/k6/sites/1")
	f.targets[0].Revision++ // somebody else
	form.Set("label", "mine")
	again := b.post("/agents/k6/sites/1", form).want(t, http.StatusPreconditionFailed)
	if !strings.Contains(again.text, "Somebody else changed this site") || f.targets[0].Label == "mine" {
		t.Errorf("the conflict is not shown, or was overwritten: %q", f.targets[0].Label)
	}
	b.post("/agents/k6/sites/1", again.form(t, "/agents/k6/sites/1")).redirectsTo(t, "/agents/k6/sites?notice=saved")
	if f.targets[0].Label != "mine" {
		t.Errorf("after a second save the label is %q", f.targets[0].Label)
	}
}

func TestFaultsBesideTheirFields(t *testing.T) {
	for _, c := range []struct {
		name, field, value string
		en, pt             string
	}{
		{"no scheme", "url", "example.org", "http://", "http://"},
		{"ftp", "url", "ftp://example.org", "http://", "http://"},
		{"no URL", "url", "", "a URL is needed", "a URL is needed"},
		{"a long label", "label", strings.Repeat("é", 201), "200", "200"},
		{"no users", "vus", "0", "must be 1 to 10,000", "deve ser de 1 a 10.000"},
		{"too many users", "vus", "10001", "must be 1 to 10,000", "deve ser de 1 a 10.000"},
		{"no number", "vus", "ten", "must be a whole number", "deve ser um número inteiro"},
		{"half a user", "vus", "1.5", "must be a whole number", "deve ser um número inteiro"},
		{"beyond an int", "vus", "99999999999999999999", "must be a whole number", "deve ser um número inteiro"},
		{"no value", "durationS", "", "must be a whole number", "deve ser um número inteiro"},
		{"over a day", "durationS", "86401", "must be 1 s to 24 h", "deve ser de 1 s a 24 h"},
		{"under a second, in the unit of the form", "runIntervalMs", "0.999", "must be 1 s to 366 d", "deve ser de 1 s a 366 d"},
		{"not a number at all", "runIntervalMs", "NaN", "must be a number", "deve ser um número"},
		{"infinite", "runIntervalMs", "1e999", "must be a number", "deve ser um número"},
		{"huge", "runIntervalMs", "1e300", "must be a number", "deve ser um número"},
		{"a decimal comma", "timeoutMs", "1,5", "must be a number", "deve ser um número"},
		{"no time-out", "timeoutMs", "0", "must be 1 ms to 10 min", "deve ser de 1 ms a 10 min"},
		{"negative", "pauseMs", "-1", "must be 0 s to 1 h", "deve ser de 0 s a 1 h"},
		{"no colon", "headers", "X-A", "each line", "cada linha"},
		{"no name", "headers", ": x", "each line", "cada linha"},
		{"twice", "headers", "A: 1\nA: 2", "twice", "duas vezes"},
		{"a bad name", "headers", "A B: 1", "header name", "header name"},
		{"a secret of nothing", "secretHeaders", "X-Z", "not among", "not among"},
		{"no status", "expectedStatuses", "9", "status", "status"},
		{"no JSON", "options", "{vus: 3}", "must be valid JSON", "deve ser JSON válido"},
		{"two faults in one control", "options", `{"vuss": 3, "rps": 5}`, "vuss: k6 has no such option", "; rps: this engine has no such limit"},
		{"an option of nobody", "options", `{"vuss": 3}`, "vuss: k6 has no such option", "vuss: k6 has no such option"},
		{"a scenario without an executor", "options", `{"scenarios": {"a": {"vus": 1}}}`, "scenarios.a", "scenarios.a"},
		{"a blank script", "script", " ", "is blank", "is blank"},
		{"no method", "method", "", "is needed", "is needed"},
		{"an unknown version", "httpVersion", "3", "must be auto", "must be auto"},
	} {
		t.Run(c.name, func(t *testing.T) {
			for lang, want := range map[string]string{"en": c.en, "pt-BR": c.pt} {
				for _, path := range []string{"/agents/k6/sites", "/agents/k6/sites/1"} {
					f := &fakeFleet{targets: demoTargets()}
					before := slices.Clone(f.targets)
					form := url.Values{"url": {"https://example.org/"}, "vus": {"1"}, "durationS": {"30"}, "runIntervalMs": {"60"}, "revision": {"4"}}
					form.Set(c.field, c.value)
					a := newBrowser(t, f).speaks(lang).post(path, form).want(t, http.StatusUnprocessableEntity)
					control, fault := a.byID(t, "f-"+c.field), words(a.byID(t, "f-"+c.field+"-error"))
					fault = strings.ReplaceAll(fault, "\u00a0", " ")
					if !strings.Contains(fault, want) {
						t.Errorf("%s %s: the fault is %q; want %q", lang, path, fault, want)
					}
					if attr(control, "aria-invalid") != "true" || !strings.Contains(attr(control, "aria-describedby"), "f-"+c.field+"-error") {
						t.Errorf("%s %s: the control is not marked: %v", lang, path, control.Attr)
					}
					if got := a.form(t, path); control.Data != "select" && strings.ReplaceAll(got.Get(c.field), "\r\n", "\n") != c.value {
						t.Errorf("%s %s: the value became %q", lang, path, got.Get(c.field))
					}
					if diff := cmp.Diff(before, f.targets); diff != "" {
						t.Errorf("%s %s: something was stored:\n%s", lang, path, diff)
					}
				}
			}
		})
	}
}

func TestAllFaultsAtOnce(t *testing.T) {
	form := maps.Clone(badTarget)
	form.Set("vus", "ten")
	a := newBrowser(t, demoFleet()).post("/agents/k6/sites", form).want(t, http.StatusUnprocessableEntity)
	for _, field := range []string{"url", "vus", "runIntervalMs", "expectedStatuses"} {
		a.byID(t, "f-"+field+"-error")
	}
	if !strings.Contains(a.text, "4 fields need another value") {
		t.Error("the page doesn't count the faults")
	}
	if _, open := lookup(a.byID(t, "f-expectedStatuses").Parent.Parent.Parent, "open"); !open {
		t.Error("a fault is hidden in a folded part of the form")
	}
}

// An unreadable number doesn't make the dashboard's own *** look like a mistake.
func TestHiddenValuesBesideAFault(t *testing.T) {
	f := demoFleet()
	b := newBrowser(t, f)
	form := b.get("/agents/k6/sites/3").form(t, "/agents/k6/sites/3")
	form.Set("vus", "ten")
	a := b.post("/agents/k6/sites/3", form).want(t, http.StatusUnprocessableEntity)
	if n := len(all(a.doc, func(n *html.Node) bool { return strings.HasSuffix(attr(n, "id"), "-error") })); n != 1 {
		t.Errorf("%d faults are shown; want 1", n)
	}
	// A hidden value that belongs to nothing is refused beside its field.
	form.Set("vus", "10")
	form.Set("headers", "X-Auth-Token: ***")
	a = b.post("/agents/k6/sites/3", form).want(t, http.StatusUnprocessableEntity)
	a.byID(t, "f-headers-error")
}

// A parser drops a line break right after <textarea>, so that one of the value's own must not stand there.
func TestLinesOfATextArea(t *testing.T) {
	form := url.Values{"url": {"https://example.org/"}, "vus": {"0"}}
	for _, name := range []string{"body", "script"} {
		form.Set(name, "\r\n\r\n"+name+" </textarea>\r\n")
	}
	a := newBrowser(t, demoFleet()).post("/agents/k6/sites", form).want(t, http.StatusUnprocessableEntity)
	for _, name := range []string{"body", "script"} {
		if got := a.form(t, "/agents/k6/sites").Get(name); got != form.Get(name) {
			t.Errorf("the %s became %q; want %q", name, got, form.Get(name))
		}
	}
}

func TestActions(t *testing.T) {
	for _, c := range []struct {
		path     string
		form     url.Values
		location string
		asked    string
	}{
		{"/agents/k6/scale", url.Values{"desired": {"0"}}, "/agents/k6?notice=scaled", "config desired=0 stopped=false at 0"},
		{"/agents/k6/scale", url.Values{"desired": {"1000"}}, "/agents/k6?notice=scaled", "config desired=1000 stopped=false at 0"},
		{"/agents/k6/reconcile", nil, "/agents/k6?notice=reconciled", "reconcile"},
		{"/agents/k6/stop", nil, "/agents/k6?notice=stopped", "stop"},
		{"/agents/k6/resume", nil, "/agents/k6?notice=resumed", "config desired=5 stopped=false at 0"},
		{"/agents/k6/sites/2/enable", nil, "/agents/k6/sites?notice=enabled", "update 2 at 0"},
		{"/agents/k6/sites/1/disable", nil, "/agents/k6/sites?notice=disabled", "update 1 at 0"},
		{"/agents/k6/sites/1/run", nil, "/agents/k6/sites?notice=ordered", "run 1"},
		{"/agents/k6/sites/3/delete", url.Values{"revision": {"4"}}, "/agents/k6/sites?notice=deleted", "delete 3 at 4"},
		{"/agents/k6/runs/0193-running/abort", nil, "/agents/k6/runs/0193-running?notice=aborting", "abort 0193-running"},
		{"/agents/k6/runs/a%2F..%2Fb/abort", nil, "/agents/k6/runs/a%2F..%2Fb?notice=aborting", "abort a/../b"},
	} {
		t.Run(c.path, func(t *testing.T) {
			f := demoFleet()
			b := newBrowser(t, f)
			b.post(c.path, c.form).redirectsTo(t, c.location)
			if diff := cmp.Diff([]string{c.asked}, f.asked()); diff != "" {
				t.Errorf("the fleet was asked (-want +got):\n%s", diff)
			}
			if a := b.do(get(t, c.path)); a.StatusCode == http.StatusSeeOther || len(f.asked()) > 0 {
				t.Errorf("a GET of the route does it too")
			}
		})
	}
}

func TestReconcileFails(t *testing.T) {
	f := demoFleet()
	b := newBrowser(t, f)
	f.failed = fleet.Errorf(fleet.Conflict, "there is nothing to scale")
	if a := b.post("/agents/k6/reconcile", nil).want(t, http.StatusConflict); !strings.Contains(a.text, "there is nothing to scale") {
		t.Error("the reason is not shown")
	}
	f.failed = errors.New("no docker") // the fleet's page shows it, by Overview.ScalerError
	b.post("/agents/k6/reconcile", nil).redirectsTo(t, "/agents/k6#scale")
	if len(b.errors) != 1 {
		t.Errorf("reported %v", b.errors)
	}
}

func get(t *testing.T, path string) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, path, nil)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// Disabling keeps the secrets, which the page never had.
func TestDisableKeepsSecrets(t *testing.T) {
	f := demoFleet()
	newBrowser(t, f).post("/agents/k6/sites/3/disable", nil)
	if got := f.targets[2]; got.Enabled || got.Headers["Authorization"] != "Bearer s3cret" || got.Body != "s3cret body" || got.Script != demoTargets()[2].Script {
		t.Errorf("after disabling: %+v", got)
	}
}

func TestScaleRefused(t *testing.T) {
	for _, value := range []string{"", "-1", "1001", "1e3", "ten", "99999999999999999999", "5 "} {
		t.Run(value, func(t *testing.T) {
			f := &fakeFleet{}
			a := newBrowser(t, f).post("/agents/k6/scale", url.Values{"desired": {value}}).want(t, http.StatusUnprocessableEntity)
			control := a.byID(t, "desired")
			if attr(control, "value") != value || attr(control, "aria-invalid") != "true" || attr(control, "aria-describedby") != "desired-error" {
				t.Errorf("the control is %v", control.Attr)
			}
			if words(a.byID(t, "desired-error")) == "" || len(f.asked()) > 0 {
				t.Error("no reason is given, or the fleet was asked")
			}
		})
	}
}

func TestConfirmations(t *testing.T) {
	f := demoFleet()
	b := newBrowser(t, f)
	stop := words(b.get("/agents/k6/stop").want(t, http.StatusOK).byID(t, "main"))
	for _, part := range []string{"1 run that is going on is cut", "4 agents online", "until somebody resumes"} {
		if !strings.Contains(stop, part) {
			t.Errorf("the kill switch doesn't say %q: %s", part, stop)
		}
	}
	page := b.get("/agents/k6/sites/2/delete").want(t, http.StatusOK)
	remove := words(page.byID(t, "main"))
	for _, part := range []string{"Example · search", "https://***@example.org/", "Its runs stay"} {
		if !strings.Contains(remove, part) {
			t.Errorf("deleting doesn't say %q: %s", part, remove)
		}
	}
	if got := page.form(t, "/agents/k6/sites/2/delete").Get("revision"); got != "4" {
		t.Errorf("the form deletes revision %q; want 4", got)
	}
	if asked := f.asked(); len(asked) > 0 {
		t.Errorf("asking for confirmation did %q", asked)
	}
}

func TestLargeForm(t *testing.T) {
	f := demoFleet()
	form := url.Values{"url": {"https://example.org/"}, "body": {strings.Repeat("x", 9<<20)}}
	newBrowser(t, f).post("/agents/k6/sites", form).want(t, http.StatusRequestEntityTooLarge)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "/agents/k6/sites", strings.NewReader("%zz"))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	newBrowser(t, f).do(r).want(t, http.StatusBadRequest)
	if asked := f.asked(); len(asked) > 0 {
		t.Errorf("the fleet was asked %q", asked)
	}
}

package pages_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/nollagluiz/broadside/dashboard/pages"
)

func TestLanguage(t *testing.T) {
	for _, c := range []struct{ name, cookie, accept, want string }{
		{"nothing said", "", "", "en"},
		{"the browser's", "", "pt-PT,pt;q=0.9,en;q=0.8", "pt-BR"},
		{"the choice wins", "en", "pt-BR", "en"},
		{"a choice that isn't one", "xx\"><script>", "pt", "pt-BR"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBrowser(t, demoFleet())
			r := httptest.NewRequest(http.MethodGet, "/agents/k6", nil)
			r.Header.Set("Accept-Language", c.accept)
			r.Header.Set("Cookie", "lang="+c.cookie)
			if got := attr(all(b.do(r).doc, tag("html"))[0], "lang"); got != c.want {
				t.Errorf("the page is in %q; want %q", got, c.want)
			}
		})
	}
}

// The words of the original's guide.
func TestGuideLabels(t *testing.T) {
	b := newBrowser(t, demoFleet()).speaks("pt-BR")
	for path, labels := range map[string][]string{
		"/agents/k6":       {"Agentes", "Sites", "Execuções", "Escala K6", "Reconciliar", "Aplicar", "Visto por último"},
		"/agents/k6/sites": {"Adicionar", "Alvo", "Usuários virtuais", "Duração", "Intervalo", "Taxa de falha", "Excluir", "Cancelar"},
		"/agents/k6/runs":  {"Taxa de falha", "Agente", "executando", "limite ultrapassado"},
	} {
		page := words(b.get(path).doc)
		for _, label := range labels {
			if !strings.Contains(page, label) {
				t.Errorf("%s doesn't say %q", path, label)
			}
		}
	}
	if page := words(newBrowser(t, &fakeFleet{}).speaks("pt-BR").get("/agents/k6/runs").doc); !strings.Contains(page, "Nenhuma execução ainda") {
		t.Error("the empty list doesn't say so")
	}
	if page := words(b.get("/agents/k6/sites/1").doc); !strings.Contains(page, "Salvar") {
		t.Error("the edit page can't save")
	}
}

func TestPreferencesAreKept(t *testing.T) {
	for _, c := range []struct{ path, location, cookie string }{
		{"/agents/k6?lang=pt-BR", "/agents/k6", "lang=pt-BR"},
		{"/agents/k6/runs?status=done&theme=dark&limit=7", "/agents/k6/runs?limit=7&status=done", "theme=dark"},
		{"/agents/k6/runs/x?theme=auto&notice=scaled", "/agents/k6/runs/x", "theme=auto"},
		{"/agents/k6/sites?q=%22%3E&lang=en", "/agents/k6/sites?q=%22%3E", "lang=en"},
		{"/agents//evil.example/?lang=en", "", ""},
		{"/agents/k6?lang=fr", "", ""},
		{"/agents/k6?theme=pink", "", ""},
	} {
		t.Run(c.path, func(t *testing.T) {
			a := newBrowser(t, demoFleet()).get(c.path)
			if c.location == "" {
				if len(a.Cookies()) > 0 || strings.HasPrefix(a.Header.Get("Location"), "//") {
					t.Errorf("cookies %v, Location %q", a.Cookies(), a.Header.Get("Location"))
				}
				return
			}
			a.redirectsTo(t, c.location)
			if len(a.Cookies()) != 1 {
				t.Fatalf("cookies %v", a.Cookies())
			}
			got := a.Cookies()[0]
			if got.Name+"="+got.Value != c.cookie || !got.HttpOnly || got.SameSite != http.SameSiteLaxMode || got.Path != "/agents/" || got.MaxAge < 1 {
				t.Errorf("cookie %v", got)
			}
		})
	}
}

func TestTheme(t *testing.T) {
	for cookie, want := range map[string]string{"": "auto", "dark": "dark", "light": "light", "x": "auto"} {
		b := newBrowser(t, demoFleet())
		b.cookies = []*http.Cookie{{Name: "theme", Value: cookie}}
		if got := attr(all(b.get("/agents/k6").doc, tag("html"))[0], "data-theme"); got != want {
			t.Errorf("theme of %q is %q; want %q", cookie, got, want)
		}
	}
}

// No value of a query or form sends the reader to another host.
func TestNoOpenRedirect(t *testing.T) {
	for _, path := range []string{
		"/agents/k6?lang=en&next=//evil.example", "/agents/k6/../../evil?lang=en", "/agents/%2F%2Fevil.example?lang=en", "/agents/k6/runs/%2F%2Fevil.example?lang=en",
		"/agents/\\evil.example?lang=en", "/agents/", "/agents/k6/",
	} {
		a := newBrowser(t, demoFleet()).get(path)
		location := a.Header.Get("Location")
		u, err := url.Parse(location)
		if err != nil || u.Host != "" || u.Scheme != "" || location != "" && !strings.HasPrefix(location, "/agents/") && !strings.HasPrefix(location, "/evil") {
			t.Errorf("%s leads to %q", path, location)
		}
	}
	form := url.Values{"next": {"//evil.example"}, "location": {"https://evil.example"}}
	newBrowser(t, demoFleet()).post("/agents/k6/reconcile?next=//evil.example", form).redirectsTo(t, "/agents/k6?notice=reconciled")
}

func TestSignIn(t *testing.T) {
	a := newBrowser(t, demoFleet()).get("/agents/k6/runs?target=1&notice=saved")
	for _, n := range all(a.doc, tag("a")) {
		if words(n) == "Sign in" {
			if want := "/admin/login?next=" + url.QueryEscape("/agents/k6/runs?target=1"); attr(n, "href") != want {
				t.Errorf("sign in leads to %q; want %q", attr(n, "href"), want)
			}
			return
		}
	}
	t.Error("there is no link to sign in")
}

func TestUnknownQueriesAreHarmless(t *testing.T) {
	b := newBrowser(t, demoFleet())
	for _, path := range []string{
		"/agents/k6?page=-3", "/agents/k6?page=99999999999999999999", "/agents/k6?page=2&status=nothing", "/agents/k6?auto=x&notice=%3Cscript%3E", "/agents/k6?%zz=1;2",
		"/agents/k6/sites?page=7", "/agents/k6/runs?limit=0", "/agents/k6/runs?limit=501", "/agents/k6/runs?limit=x", "/agents/k6/runs?cursor=mangled",
		"/agents/k6/runs?status=nothing&verdict=%00", "/agents/k6/runs?target=%3Cb%3E&agent=%3Cb%3E", "/agents/k6/runs?cursor=" + strings.Repeat("9", 3000),
	} {
		a := b.get(path).want(t, http.StatusOK)
		if strings.Contains(a.text, "<script>") || strings.Contains(a.text, "<b><b>") || strings.Contains(a.text, `class="notice"`) {
			t.Errorf("%s is not escaped", path)
		}
		if got := len(all(a.doc, tag("tr"))); strings.Contains(path, "limit=") && got != 1+50 {
			t.Errorf("%s shows %d rows; want the default of 50", path, got-1)
		}
	}
	if len(b.errors) > 0 {
		t.Errorf("internal errors: %v", b.errors)
	}
}

func TestRefresh(t *testing.T) {
	refreshing := func(a answer) bool {
		return len(all(a.doc, func(n *html.Node) bool { return attr(n, "http-equiv") == "refresh" })) > 0
	}
	b := newBrowser(t, demoFleet())
	for path, want := range map[string]bool{
		"/agents/k6": false, "/agents/k6?auto=1": true, "/agents/k6/sites": false, "/agents/k6/runs?auto=1": true, "/agents/k6/sites/1?auto=1": false,
		"/agents/k6/runs/0193-running": true, "/agents/k6/runs/0193-running?auto=0": false, "/agents/k6/runs/0193-run-00?auto=1": false, "/agents/k6/stop?auto=1": false,
	} {
		if got := refreshing(b.get(path).want(t, http.StatusOK)); got != want {
			t.Errorf("%s reloads itself: %v; want %v", path, got, want)
		}
	}
	if a := b.post("/agents/k6/sites?auto=1", badTarget); refreshing(a) {
		t.Error("a form with faults would be lost in a reload")
	}
}

// HEAD over a real connection: the headers of a GET, and no body.
func TestHead(t *testing.T) {
	h, err := pages.New(pages.Config{Fleet: demoFleet()})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(h)
	defer server.Close()
	for path, want := range map[string]int{"/agents/k6": 200, "/agents/k6/runs": 200, "/agents/k6/nowhere": 404, "/agents/": 200} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodHead, server.URL+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		a, err := server.Client().Do(r)
		if err != nil {
			t.Fatal(err)
		}
		if a.StatusCode != want || a.Header.Get("Content-Type") != "text/html; charset=utf-8" {
			t.Errorf("HEAD %s: %s, %s", path, a.Status, a.Header.Get("Content-Type"))
		}
		_ = a.Body.Close()
	}
}

func TestNewNeedsAFleet(t *testing.T) {
	if _, err := pages.New(pages.Config{}); err == nil {
		t.Error("pages without a fleet are made")
	}
}

package dashboard_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/nollagluiz/broadside/dashboard"
	"github.com/nollagluiz/broadside/fleet"
)

// route is one that the dashboard has.
type route struct {
	method, path, needs string // needs: "", "admin", "agent"
	plain               bool   // not in OpenAPI
}

// allRoutes is every route of docs/wire.md.
var allRoutes = []route{
	{"POST", "/api/k6/agents/register", "agent", false},
	{"POST", "/api/k6/agents/heartbeat", "agent", false},
	{"POST", "/api/k6/agents/deregister", "agent", false},
	{"GET", "/api/k6/targets", "agent", false},
	{"POST", "/api/k6/runs", "agent", false},
	{"PUT", "/api/k6/runs/{id}", "agent", false},
	{"POST", "/api/admin/k6/targets", "admin", false},
	{"GET", "/api/admin/k6/targets/{id}", "admin", false},
	{"PATCH", "/api/admin/k6/targets/{id}", "admin", false},
	{"DELETE", "/api/admin/k6/targets/{id}", "admin", false},
	{"POST", "/api/admin/k6/targets/{id}/run", "admin", false},
	{"POST", "/api/admin/k6/runs/{id}/abort", "admin", false},
	{"POST", "/api/admin/k6/stop", "admin", false},
	{"POST", "/api/admin/k6/reconcile", "admin", false},
	{"GET", "/api/admin/config", "admin", false},
	{"PUT", "/api/admin/config", "admin", false},
	{"GET", "/api/dashboard/k6/targets", "", false},
	{"GET", "/api/dashboard/k6/targets/{id}", "", false},
	{"GET", "/api/dashboard/k6/agents", "", false},
	{"GET", "/api/dashboard/k6/runs", "", false},
	{"GET", "/api/dashboard/k6/runs/{id}", "", false},
	{"GET", "/api/dashboard/k6/summary", "", false},
	{"GET", "/api/metrics", "", false},
	{"GET", "/api/openapi.json", "", false},
	{"GET", "/healthz", "", false},
	{"GET", "/readyz", "", false},
	{"GET", "/", "", true},
	{"GET", "/agents/k6", "", true},
	{"GET", "/agents/k6/sites", "", true},
	{"GET", "/agents/k6/runs", "", true},
	{"GET", "/agents/k6/static/style.css", "", true},
	{"POST", "/agents/k6/sites", "admin", true},
	{"POST", "/agents/k6/stop", "admin", true},
	{"DELETE", "/agents/k6/sites/1", "admin", true},
	{"GET", "/admin/login", "admin", true},
}

func basic(user, password string) option {
	return func(r *http.Request) { r.SetBasicAuth(user, password) }
}

func bearer(secret string) option { return header("Authorization", "Bearer "+secret) }

// Each route, with no credentials, each kind of wrong ones, and the right ones.
func TestEachRouteAsksForItsCredentials(t *testing.T) {
	f := newFixture(t)
	none := func(*http.Request) {}
	attempts := []struct {
		name  string
		with  option
		opens string // the surface that it opens
	}{
		{"none", none, ""},
		{"empty basic", basic("", ""), ""},
		{"wrong password", basic(adminUser, "wrong"), ""},
		{"wrong user", basic("root", adminPassword), ""},
		{"half a password", basic(adminUser, adminPassword[:5]), ""},
		{"password and more", basic(adminUser, adminPassword+"x"), ""},
		{"swapped", basic(adminPassword, adminUser), ""},
		{"broken basic", header("Authorization", "Basic !!!"), ""},
		{"empty bearer", bearer(""), ""},
		{"wrong bearer", bearer("wrong"), ""},
		{"both secrets", bearer(agentSecret + "," + nextSecret), ""},
		{"password as bearer", bearer(adminPassword), ""},
		{"secret as password", basic(adminUser, agentSecret), ""},
		{"no scheme", header("Authorization", agentSecret), ""},
		{"admin", asAdmin, "admin"},
		{"agent", asAgent, "agent"},
		{"agent after the rotation", bearer(nextSecret), "agent"},
		{"agent in lower case", header("Authorization", "bearer "+agentSecret), "agent"},
	}
	for _, r := range allRoutes {
		for _, a := range attempts {
			f.clock.add(time.Hour) // so that no limit is hit
			t.Run(r.method+" "+r.path+" "+a.name, func(t *testing.T) {
				got := f.call(r.method, strings.ReplaceAll(r.path, "{id}", runID(1)), nil, a.with)
				if got.status >= 500 {
					t.Fatalf("%d %s", got.status, got.body)
				}
				challenge := got.header.Get("WWW-Authenticate")
				if r.needs == "" || r.needs == a.opens {
					if got.status == http.StatusUnauthorized || got.status == http.StatusForbidden || challenge != "" {
						t.Errorf("%d %s", got.status, got.body)
					}
					return
				}
				got.wantsProblem(http.StatusUnauthorized, fleet.Unauthorized)
				if want := r.needs == "admin"; (challenge != "") != want || want && challenge != `Basic realm="Broadside", charset="UTF-8"` {
					t.Errorf("WWW-Authenticate %q", challenge)
				}
			})
		}
	}
}

// What OpenAPI says of a route's credentials is what the server asks for.
func TestOpenAPISaysWhoMayAsk(t *testing.T) {
	f := newFixture(t)
	d := f.description()
	for _, r := range allRoutes {
		if r.plain {
			continue
		}
		got := ""
		for _, s := range d.Paths[r.path][strings.ToLower(r.method)].Security {
			for name := range s {
				got = name
			}
		}
		if got != r.needs {
			t.Errorf("%s %s says %q; want %q", r.method, r.path, got, r.needs)
		}
	}
}

func TestServerNeedsSecrets(t *testing.T) {
	f := newFixture(t)
	good := dashboard.Credentials{User: "a", Password: "b"}
	for _, c := range []struct {
		name    string
		admin   dashboard.Credentials
		secrets []string
	}{
		{"nothing", dashboard.Credentials{}, nil},
		{"no user", dashboard.Credentials{Password: "b"}, []string{"s"}},
		{"no password", dashboard.Credentials{User: "a"}, []string{"s"}},
		{"a colon in the user", dashboard.Credentials{User: "a:b", Password: "c"}, []string{"s"}},
		{"no secret", good, nil},
		{"an empty secret", good, []string{""}},
		{"an empty second secret", good, []string{"s", ""}},
		{"three secrets", good, []string{"s", "t", "u"}},
		{"the example's secret", good, []string{"CHANGE_ME_please"}},
		{"the example's password", dashboard.Credentials{User: "a", Password: "CHANGE_ME_now"}, []string{"s"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := dashboard.New(dashboard.Config{Service: f.service, Admin: c.admin, AgentSecrets: c.secrets})
			if err == nil {
				t.Fatal("it started")
			}
			for _, secret := range append(c.secrets, c.admin.Password) {
				if len(secret) > 3 && strings.Contains(err.Error(), secret) {
					t.Errorf("the error shows a secret: %v", err)
				}
			}
		})
	}
	if _, err := dashboard.New(dashboard.Config{Admin: good, AgentSecrets: []string{"s"}}); err == nil {
		t.Error("it started without a service")
	}
	if _, err := dashboard.NewService(t.Context(), dashboard.ServiceConfig{}); err == nil {
		t.Error("a service started without a store")
	}
	if _, err := dashboard.NewService(t.Context(), dashboard.ServiceConfig{Store: f.store, PollInterval: -1}); err == nil {
		t.Error("a service started with a negative interval")
	}
}

// Only failed attempts count. Who guesses at the password is not heard at all for a while; a right bearer always is,
// since many agents share an address.
func TestFailedAttemptsAreLimited(t *testing.T) {
	f := newFixture(t)
	for range 50 {
		f.call("GET", pathConfig, nil).wants(http.StatusUnauthorized) // no guess
		f.call("GET", pathConfig, nil, asAdmin).wants(http.StatusOK)
	}
	for range 10 {
		f.call("GET", pathConfig, nil, basic(adminUser, "guess")).wantsProblem(http.StatusUnauthorized, fleet.Unauthorized)
		f.call("GET", pathPoll, nil, bearer("guess")).wantsProblem(http.StatusUnauthorized, fleet.Unauthorized)
	}
	for _, with := range []option{basic(adminUser, "guess"), asAdmin} {
		r := f.call("GET", pathConfig, nil, with)
		r.wantsProblem(http.StatusTooManyRequests, fleet.RateLimited)
		if r.header.Get("Retry-After") != "6" || r.header.Get("WWW-Authenticate") != "" {
			t.Errorf("header %v; want Retry-After 6, and no challenge", r.header)
		}
	}
	r := f.call("GET", pathPoll, nil, bearer("guess"))
	r.wantsProblem(http.StatusTooManyRequests, fleet.RateLimited)
	f.call("GET", pathPoll, nil, asAgent).wants(http.StatusOK)
	f.call("GET", pathList, nil).wants(http.StatusOK)

	f.clock.add(6 * time.Second)
	f.call("GET", pathConfig, nil, asAdmin).wants(http.StatusOK)
	f.call("GET", pathConfig, nil, basic(adminUser, "guess")).wants(http.StatusUnauthorized)
	f.call("GET", pathConfig, nil, asAdmin).wants(http.StatusTooManyRequests)
	f.contains(f.metrics(), `broadside_auth_failures_total{surface="admin"} 11`)
	f.contains(f.metrics(), `broadside_auth_failures_total{surface="agent"} 11`)
}

func (f *fixture) metrics() string {
	f.Helper()
	return string(f.call("GET", "/api/metrics", nil).wants(http.StatusOK).body)
}

// A browser sends cached Basic credentials with requests of foreign pages, too.
func TestForeignPagesChangeNothing(t *testing.T) {
	f := newFixture(t)
	target := f.addTarget(`{"url":"https://example.org/"}`)
	for _, r := range allRoutes {
		if r.needs != "admin" || r.method == "GET" {
			continue
		}
		for name, foreign := range map[string]option{
			"cross-site": header("Sec-Fetch-Site", "cross-site"),
			"same-site":  header("Sec-Fetch-Site", "same-site"),
			"origin":     header("Origin", "https://evil.example"),
			"null":       header("Origin", "null"),
		} {
			t.Run(r.method+" "+r.path+" "+name, func(t *testing.T) {
				f.call(r.method, strings.ReplaceAll(r.path, "{id}", target.ID), `{}`, asAdmin, foreign).wantsProblem(http.StatusForbidden, fleet.Forbidden)
			})
		}
	}
	f.call("GET", pathList, nil, header("Sec-Fetch-Site", "cross-site")).wants(http.StatusOK)
	f.call("POST", "/agents/k6/sites", "url=x", asAdmin, header("Content-Type", "application/x-www-form-urlencoded"), header("Sec-Fetch-Site", "same-origin")).wants(http.StatusOK)
	f.call("POST", "/agents/k6/sites", "url=x", asAdmin, header("Origin", f.http.URL)).wants(http.StatusOK)
}

// Writes are JSON: what a form can send is none.
func TestWritesAreJSON(t *testing.T) {
	f := newFixture(t)
	for _, c := range []struct {
		method, kind string
		status       int
	}{
		{"POST", "application/json", 201}, {"POST", "application/json; charset=utf-8", 201}, {"POST", "Application/JSON", 201},
		{"POST", "application/x-www-form-urlencoded", 415}, {"POST", "text/plain", 415}, {"POST", "multipart/form-data; boundary=x", 415},
		{"POST", "application/merge-patch+json", 415}, {"POST", "application/jsonx", 415}, {"POST", "a/b/c", 415}, {"POST", "", 415},
		{"PATCH", "application/json", 200}, {"PATCH", "application/merge-patch+json", 200}, {"PATCH", "application/json-patch+json", 415}, {"PATCH", "text/plain", 415},
	} {
		t.Run(c.method+" "+c.kind, func(t *testing.T) {
			path := pathTargets
			if c.method == "PATCH" {
				path += "/" + f.addTarget(`{"url":"https://example.org/"}`).ID
			}
			f.call(c.method, path, `{"url":"https://example.org/"}`, asAdmin, header("Content-Type", c.kind)).wants(c.status)
		})
	}
	f.call("POST", "/api/admin/k6/stop", nil, asAdmin, header("Content-Type", "text/plain")).wants(http.StatusUnsupportedMediaType)
	f.call("POST", "/api/admin/k6/stop", nil, asAdmin).wants(http.StatusAccepted)
}

func TestUnknownRoutes(t *testing.T) {
	f := newFixture(t)
	for _, path := range []string{"/nothing", "/api", "/api/", "/api/dashboard/k6/nothing", "/api/dashboard/k6/targets/", "/api/dashboard/k6/events", "/favicon.ico"} {
		f.call("GET", path, nil).wantsProblem(http.StatusNotFound, fleet.NotFound)
	}
	f.call("GET", "/api/admin/nothing", nil).wantsProblem(http.StatusUnauthorized, fleet.Unauthorized)
	f.call("GET", "/api/admin/nothing", nil, asAdmin).wantsProblem(http.StatusNotFound, fleet.NotFound)
	for _, c := range []struct {
		method, path, allow string
		with                option
	}{
		{"DELETE", "/healthz", "GET, HEAD", asAgent},
		{"POST", pathList, "GET, HEAD", asAgent},
		{"PATCH", pathConfig, "GET, HEAD, PUT", asAdmin},
		{"GET", pathRegister, "POST", asAgent},
		{"OPTIONS", pathPoll, "GET, HEAD", asAgent},
		{"BREW", pathTargets, "POST", asAdmin},
	} {
		r := f.call(c.method, c.path, nil, c.with)
		r.wantsProblem(http.StatusMethodNotAllowed, fleet.Malformed)
		if got := r.header.Get("Allow"); got != c.allow {
			t.Errorf("%s %s: Allow %q; want %q", c.method, c.path, got, c.allow)
		}
	}
	// A path that is not clean is no way around.
	for _, path := range []string{"//api/admin/config", "/x/../api/admin/config", "/api/./admin/config", "/%61pi/admin/config", "/api//admin/config"} {
		if r := f.call("GET", path, nil); r.status == http.StatusOK {
			t.Errorf("GET %s: %s", path, r.body)
		}
	}
}

func TestLogin(t *testing.T) {
	f := newFixture(t)
	f.call("GET", "/admin/login?next=/agents/k6/sites", nil).wantsProblem(http.StatusUnauthorized, fleet.Unauthorized)
	for next, want := range map[string]string{
		"/agents/k6/sites":        "/agents/k6/sites",
		"/agents/k6/runs?x=1&y=2": "/agents/k6/runs?x=1&y=2",
		"":                        "/agents/k6",
		"https://evil.example/":   "/agents/k6",
		"//evil.example/":         "/agents/k6",
		`/\evil.example/`:         "/agents/k6",
		`\\evil.example/`:         "/agents/k6",
		"/\t/evil.example/":       "/agents/k6",
		"/\r\nX: y":               "/agents/k6",
		"javascript:alert(1)":     "/agents/k6",
		"agents/k6":               "/agents/k6",
		"///evil.example":         "/agents/k6",
	} {
		r := f.call("GET", "/admin/login?next="+url.QueryEscape(next), nil, asAdmin).wants(http.StatusSeeOther)
		if got := r.header.Get("Location"); got != want {
			t.Errorf("next %q leads to %q; want %q", next, got, want)
		}
	}
}

func TestRootLeadsToTheFleet(t *testing.T) {
	f := newFixture(t)
	if got := f.call("GET", "/", nil).wants(http.StatusSeeOther).header.Get("Location"); got != "/agents/k6" {
		t.Errorf("/ leads to %q", got)
	}
	if got := string(f.call("GET", "/agents/k6", nil).wants(http.StatusOK).body); got != "page GET /agents/k6\n" {
		t.Errorf("the page is %q", got)
	}
}

func TestSecurityHeaders(t *testing.T) {
	f := newFixture(t)
	for _, path := range []string{"/healthz", pathList, "/nothing", pathConfig, "/agents/k6", "/api/metrics"} {
		r := f.call("GET", path, nil)
		for name, want := range map[string]string{
			"Content-Security-Policy":      "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
			"X-Content-Type-Options":       "nosniff",
			"X-Frame-Options":              "DENY",
			"Referrer-Policy":              "same-origin",
			"Cross-Origin-Opener-Policy":   "same-origin",
			"Cross-Origin-Resource-Policy": "same-origin",
			"Cache-Control":                "no-store",
			"Access-Control-Allow-Origin":  "",
		} {
			if got := r.header.Get(name); got != want {
				t.Errorf("%s: %s is %q; want %q", path, name, got, want)
			}
		}
	}
}

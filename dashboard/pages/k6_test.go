package pages_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/nollagluiz/broadside/fleet"
	"github.com/nollagluiz/broadside/summary"
)

// plainWords is the text of the page's main part, its no-break spaces made plain.
func (a answer) plainWords(t *testing.T) string {
	t.Helper()
	return strings.ReplaceAll(words(a.byID(t, "main")), "\u00a0", " ")
}

// runOfK6 is the first run of the demo that k6 measured, with the verdict.
func runOfK6(t *testing.T, f *fakeFleet, verdict summary.Verdict) *fleet.RunDetail {
	t.Helper()
	i := slices.IndexFunc(f.runs, func(r fleet.RunDetail) bool { return r.Engine == fleet.EngineK6 && r.Verdict == verdict })
	if i < 0 {
		t.Fatalf("no run of k6 with verdict %q", verdict)
	}
	return &f.runs[i]
}

// A run of k6 shows its numbers, says whose they are, and why there is no picture of them.
func TestRunPageOfK6(t *testing.T) {
	for lang, parts := range map[string][]string{
		"en":    {"measured by k6", "its percentiles are k6's own, computed by it, and are never merged", "There is no distribution to show: k6 gives its percentiles"},
		"pt-BR": {"medida por k6", "os percentis são do próprio k6, calculados por ele, e nunca são mesclados", "Não há distribuição para mostrar: o k6 informa seus percentis"},
	} {
		f := demoFleet()
		r := runOfK6(t, f, summary.OK)
		*r.Metrics.P95, r.Metrics.P99 = 123.4, nil
		a := newBrowser(t, f).speaks(lang).get("/agents/k6/runs/"+r.ID).want(t, http.StatusOK)
		page := a.plainWords(t)
		latency := map[string]string{"en": "p95 123 ms p99 – no data", "pt-BR": "p95 123 ms p99 – sem dados"}[lang]
		for _, part := range append(parts, latency) {
			if !strings.Contains(page, part) {
				t.Errorf("%s: the page doesn't say %q: %s", lang, part, page)
			}
		}
		if strings.Contains(page, "off by at most") || len(all(a.doc, tag("figure"))) > 0 {
			t.Errorf("%s: k6's percentiles look like ours, or there is a picture of nothing", lang)
		}
	}
	// Without a latency there is no percentile to speak of, whoever looked for it; and ours are nobody else's.
	f := demoFleet()
	r := runOfK6(t, f, summary.OK)
	*r.Metrics = fleet.Metrics{Requests: 3, Failures: 3, ErrorRate: ptr(1.0)}
	if page := newBrowser(t, f).get("/agents/k6/runs/" + r.ID).plainWords(t); strings.Contains(page, "percentiles") || !strings.Contains(page, "no latency to show") || !strings.Contains(page, "measured by k6") {
		t.Errorf("without a latency: %s", page)
	}
	if page := newBrowser(t, f).get("/agents/k6/runs/" + runOf(t, f, summary.ThresholdFailed).ID).plainWords(t); strings.Contains(page, "k6's own") || strings.Contains(page, "measured by") {
		t.Errorf("a run of ours is called k6's: %s", page)
	}
}

func TestRunsOfK6AreMarked(t *testing.T) {
	f := demoFleet()
	byID := map[string]fleet.RunDetail{}
	for _, r := range f.runs {
		byID[r.ID] = r
	}
	a := newBrowser(t, f).get("/agents/k6/runs").want(t, http.StatusOK)
	marked := 0
	for _, row := range all(all(a.doc, tag("tbody"))[0], tag("tr")) {
		id := strings.TrimPrefix(attr(all(row, tag("a"))[0], "href"), "/agents/k6/runs/")
		cell := words(all(row, tag("td", "th"))[3])
		if got, want := strings.HasSuffix(cell, " k6"), byID[id].Engine == fleet.EngineK6; got != want {
			t.Errorf("run %s, of engine %q: %q", id, byID[id].Engine, cell)
		} else if want {
			marked++
		}
	}
	if note := "k6 An external k6 measured it: its percentiles are k6's own"; marked == 0 || !strings.Contains(a.plainWords(t), note) {
		t.Errorf("%d runs are marked, and the page doesn't say %q", marked, note)
	}
	f.runs = slices.DeleteFunc(f.runs, func(r fleet.RunDetail) bool { return r.Engine == fleet.EngineK6 })
	if page := newBrowser(t, f).get("/agents/k6/runs").plainWords(t); strings.Contains(page, "external k6") {
		t.Error("a page without a run of k6 explains them")
	}
}

// What no agent online can run is said where the target is, since no run will tell.
func TestSitesThatNoAgentCanRun(t *testing.T) {
	works, broken := &fleet.K6{Version: "2.2.0"}, &fleet.K6{Error: "not found"}
	agent := func(maxVUs int, k6 *fleet.K6) fleet.Agent {
		return fleet.Agent{Status: fleet.AgentOnline, LastSeenAt: fleet.Millis(noon), MaxVUs: maxVUs, K6: k6}
	}
	gone := agent(0, works)
	gone.Status = fleet.AgentOffline
	const tooMany, noK6 = "! no agent online takes so many virtual users: at most 1,500", "! no agent online has a k6 that works"
	for _, c := range []struct {
		name   string
		vus    int
		script string
		agents []fleet.Agent
		want   []string
	}{
		{"no agent at all", 9999, "x", nil, nil},
		{"none online", 9999, "x", []fleet.Agent{gone}, nil},
		{"as many as one takes", 1500, "", []fleet.Agent{agent(10, nil), agent(1500, nil)}, nil},
		{"one more", 1501, "", []fleet.Agent{agent(10, nil), agent(1500, nil), gone}, []string{tooMany}},
		{"one without a limit", 1501, "", []fleet.Agent{agent(1500, nil), agent(0, nil)}, nil},
		{"no k6 for a script", 1, "x", []fleet.Agent{agent(0, nil), gone}, []string{noK6}},
		{"a broken one", 1, "x", []fleet.Agent{agent(0, broken)}, []string{noK6}},
		{"a k6 that works", 1, "x", []fleet.Agent{agent(0, broken), agent(0, works)}, nil},
		{"no k6, and no script", 1, "", []fleet.Agent{agent(0, broken)}, nil},
		{"both", 2000, "x", []fleet.Agent{agent(1500, broken)}, []string{tooMany, noK6}},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := &fakeFleet{targets: demoTargets()[:1], agents: c.agents}
			f.targets[0].VUs, f.targets[0].Script = c.vus, c.script
			row := newBrowser(t, f).get("/agents/k6/sites").want(t, http.StatusOK).cells(t)[0]
			if got, want := row[1], strings.Join(append([]string{"● enabled"}, c.want...), " "); got != want {
				t.Errorf("the state is %q; want %q", got, want)
			}
			if got := strings.HasSuffix(row[0], " k6 script"); got != (c.script != "") {
				t.Errorf("the name is %q; want the script marked, if there is one", row[0])
			}
		})
	}
}

// A script may count none of its requests as failed or not: then there is no rate, which is not 0 %.
func TestFailRateThatNobodyCounted(t *testing.T) {
	f := demoFleet()
	for i := range f.runs {
		if f.runs[i].Engine == fleet.EngineK6 {
			f.runs[i].Metrics.ErrorRate, f.runs[i].Metrics.Failures = nil, 0
		}
	}
	f.runs = slices.DeleteFunc(f.runs, func(r fleet.RunDetail) bool { return r.TargetID == "3" && r.Engine != fleet.EngineK6 })
	b := newBrowser(t, f)
	if got := b.get("/agents/k6/sites").cells(t)[2][8]; got != "– no data" {
		t.Errorf("the site's fail rate is %q; want no data", got)
	}
	if page := b.get("/agents/k6/runs/" + runOfK6(t, f, summary.OK).ID).plainWords(t); !strings.Contains(page, "Failed – no data") {
		t.Errorf("the run's fail rate: %s", page)
	}
	runOfK6(t, f, summary.OK).Metrics.ErrorRate = ptr(0.0) // one that counted, without a failure
	if got := b.get("/agents/k6/sites").cells(t)[2][8]; got != "0 %" {
		t.Errorf("the site's fail rate is %q; want 0 %%", got)
	}
}

// The form says what a script does, and a large one gets through beside a large body.
func TestScriptOfASite(t *testing.T) {
	for lang, parts := range map[string][]string{
		"en":    {"instead of the request", "Virtual users and duration above win", "__ENV.TARGET_URL", "K6_BINARY", "docs/engines.md", "shown as ***"},
		"pt-BR": {"no lugar da requisição", "Os usuários virtuais e a duração acima prevalecem", "__ENV.TARGET_URL", "K6_BINARY", "docs/engines.md", "mostrado como ***"},
	} {
		a := newBrowser(t, &fakeFleet{}).speaks(lang).get("/agents/k6/sites").want(t, http.StatusOK)
		control, hint := a.byID(t, "f-script"), words(a.byID(t, "f-script-hint"))
		if control.Data != "textarea" || attr(control, "aria-describedby") != "f-script-hint" {
			t.Errorf("%s: the control is <%s %v>", lang, control.Data, control.Attr)
		}
		for _, part := range parts {
			if !strings.Contains(hint, part) {
				t.Errorf("%s: the hint doesn't say %q: %s", lang, part, hint)
			}
		}
		folded := false
		for n := control.Parent; n != nil; n = n.Parent {
			folded = folded || n.Data == "details" && attr(n, "class") == "more"
		}
		if !folded {
			t.Errorf("%s: the script is not in the advanced part", lang)
		}
	}
	f := &fakeFleet{}
	line := strings.Repeat("é", 10) + "\n" // 66 bytes of %C3%A9 and %0D%0A
	text := strings.Repeat(line, (1<<20)/len(line))
	form := url.Values{"url": {"https://example.org/"}, "vus": {"1"}, "durationS": {"30"}, "runIntervalMs": {"60"}}
	for _, name := range []string{"body", "script"} {
		form.Set(name, strings.ReplaceAll(text, "\n", "\r\n"))
	}
	newBrowser(t, f).post("/agents/k6/sites", form).redirectsTo(t, "/agents/k6/sites?notice=created")
	if got := f.targets[0]; got.Body != text || got.Script != text {
		t.Errorf("body of %d bytes, script of %d; want %d of each", len(got.Body), len(got.Script), len(text))
	}
	page := newBrowser(t, f).get("/agents/k6/sites/1").want(t, http.StatusOK)
	if got := page.form(t, "/agents/k6/sites/1").Get("script"); got != fleet.Hidden || strings.Contains(page.text, "é") {
		t.Errorf("the form shows the script as %.40q; want ***", got)
	}
}

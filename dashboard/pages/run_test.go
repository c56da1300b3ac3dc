package pages_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"github.com/nollagluiz/broadside/fleet"
	"github.com/nollagluiz/broadside/summary"
)

// runOf is the first run of the demo with the verdict.
func runOf(t *testing.T, f *fakeFleet, verdict summary.Verdict) *fleet.RunDetail {
	t.Helper()
	for i := range f.runs {
		if f.runs[i].Verdict == verdict {
			return &f.runs[i]
		}
	}
	t.Fatalf("no run with verdict %q", verdict)
	return nil
}

func (a answer) captions() (out []string) {
	for _, n := range all(a.doc, tag("caption")) {
		out = append(out, strings.ReplaceAll(words(n), "\u00a0", " "))
	}
	return out
}

func TestRunPage(t *testing.T) {
	f := demoFleet()
	r := runOf(t, f, summary.ThresholdFailed)
	a := newBrowser(t, f).get("/agents/k6/runs/"+r.ID).want(t, http.StatusOK)
	want := []string{
		"Latency, in steps of 1 s", "Requests and failures per second", "Latency distribution, log scale",
		"Where the time of an average request went", "Answers", "Errors",
	}
	if got := a.captions(); !slices.Equal(got, want) {
		t.Errorf("tables %q; want %q", got, want)
	}
	page := strings.ReplaceAll(words(a.doc), "\u00a0", " ")
	for _, part := range []string{
		"The target went over a limit of this run.", r.Message, "threshold failed", "off by at most 0.1 %", "by at most 1.6 %",
		"✕ 503 · unexpected", "✓ 200 · expected", "HTTP 5xx 1503", "time-out 1050", "Expected statuses 200-399", "! ",
	} {
		if !strings.Contains(page, part) {
			t.Errorf("the page doesn't say %q", part)
		}
	}
	if strings.Contains(page, "Abort") {
		t.Error("a run that has ended can be aborted")
	}
	// Each picture says in words what it shows, and has its numbers as a table.
	for _, n := range all(a.doc, func(n *html.Node) bool { return n.Data == "figure" }) {
		if len(all(n, tag("table"))) != 1 || len(all(n, func(n *html.Node) bool { return attr(n, "role") == "img" })) != 1 {
			t.Errorf("figure %q is not picture and table", words(n))
		}
	}
	for _, part := range []string{"p50, p95 and p99 over 31", "requests over 31"} {
		if labels := strings.ReplaceAll(a.text, "\u00a0", " "); !strings.Contains(labels, part) {
			t.Errorf("no picture is labelled %q", part)
		}
	}
}

// Every verdict has its word, its own sentence and the agent's message, in both languages (field report 59).
func TestVerdictsInWords(t *testing.T) {
	verdicts := []summary.Verdict{
		"", summary.OK, summary.ThresholdFailed, summary.NoRequests, summary.TargetUnreachable,
		summary.GeneratorLimited, summary.Aborted, summary.Lost, summary.Error,
	}
	for _, lang := range []string{"en", "pt-BR"} {
		f := demoFleet()
		b := newBrowser(t, f).speaks(lang)
		seen := map[string]bool{}
		for _, verdict := range verdicts {
			r := runOf(t, f, verdict)
			a := b.get("/agents/k6/runs/"+r.ID).want(t, http.StatusOK)
			card := all(a.doc, func(n *html.Node) bool { return strings.Contains(attr(n, "class"), "card verdict") })[0]
			sentence := words(all(card, tag("b"))[0])
			if seen[sentence] || !strings.HasSuffix(sentence, ".") || verdict != summary.OK && !strings.Contains(words(card), r.Message) {
				t.Errorf("%s %q: sentence %q, card %q", lang, verdict, sentence, words(card))
			}
			seen[sentence] = true
			if pills := all(a.doc, func(n *html.Node) bool { return strings.HasPrefix(attr(n, "class"), "pill ") }); len(strings.Fields(words(pills[0]))) < 2 {
				t.Errorf("%s %q: the pill %q has no shape and word", lang, verdict, words(pills[0]))
			}
		}
	}
}

// Field reports 19, 31 and 13: no data is said, never shown as 0 and never drawn.
func TestRunWithoutLatency(t *testing.T) {
	f := demoFleet()
	b := newBrowser(t, f)
	a := b.get("/agents/k6/runs/" + runOf(t, f, summary.TargetUnreachable).ID)
	page := strings.ReplaceAll(words(a.doc), "\u00a0", " ")
	for _, part := range []string{"p50 – no data", "p95 – no data", "p99 – no data", "Average – no data", "! 100 % 412 of 412 · high", "connection refused 1212", "no latency to show"} {
		if !strings.Contains(page, part) {
			t.Errorf("the page doesn't say %q: %s", part, page)
		}
	}
	if pictures := all(a.doc, func(n *html.Node) bool { return n.Data == "figure" }); len(pictures) > 0 {
		t.Errorf("%d pictures of nothing", len(pictures))
	}
	page = words(b.get("/agents/k6/runs/" + runOf(t, f, summary.NoRequests).ID).doc)
	if !strings.Contains(page, "Failed – no data") {
		t.Errorf("a fail rate without requests: %s", page)
	}
}

func TestDamagedRun(t *testing.T) {
	f := demoFleet()
	r := runOf(t, f, summary.ThresholdFailed)
	for name := range r.Trends {
		r.Trends[name] = []byte("\x01\x09\xff\xff\xff")
	}
	for i := range r.Series.Buckets {
		r.Series.Buckets[i].Duration = []byte{9}
	}
	r.Statuses, r.Errors = nil, slices.Repeat([]fleet.ErrorCount{{Code: -1}}, 500)
	b := newBrowser(t, f)
	a := b.get("/agents/k6/runs/"+r.ID).want(t, http.StatusOK)
	if len(b.errors) > 0 {
		t.Errorf("internal errors %v", b.errors)
	}
	if got := a.captions(); !slices.Equal(got, []string{"Latency, in steps of 1 s", "Requests and failures per second", "Errors"}) {
		t.Errorf("tables %q", got)
	}
	if lines := all(a.doc, func(n *html.Node) bool { return attr(n, "class") == "line p95" }); len(lines) > 0 {
		t.Error("damaged buckets are drawn")
	}
	for _, fault := range faults(a, "en") {
		t.Error(fault)
	}
}

func TestRunningRun(t *testing.T) {
	f := demoFleet()
	b := newBrowser(t, f)
	a := b.get("/agents/k6/runs/0193-running").want(t, http.StatusOK)
	progress := all(a.doc, tag("progress"))
	if len(progress) != 1 || attr(progress[0], "value") != "12" || attr(progress[0], "max") != "30" {
		t.Errorf("progress %v", progress)
	}
	a.form(t, "/agents/k6/runs/0193-running/abort")
	f.runs[0].StartedAt = fleet.Millis(noon.Add(-5 * time.Minute))
	if got := attr(all(b.get("/agents/k6/runs/0193-running").doc, tag("progress"))[0], "value"); got != "30" {
		t.Errorf("an overdue run is at %s of 30", got)
	}
	f.runs[0].StartedAt = fleet.Millis(noon.Add(time.Minute)) // an agent's clock that runs ahead
	if got := attr(all(b.get("/agents/k6/runs/0193-running").doc, tag("progress"))[0], "value"); got != "0" {
		t.Errorf("a run of the future is at %s", got)
	}
}

// A run whose options shape it goes by these.
func TestRunningRunOfOptions(t *testing.T) {
	f := demoFleet()
	f.runs[0].Spec.Options = json.RawMessage(`{"tlsAuth":"***","scenarios":{"a":{"executor":"ramping-vus","startVUs":0,"startTime":"10s","stages":[{"duration":"50s","target":80}]}}}`)
	b := newBrowser(t, f)
	a := b.get("/agents/k6/runs/0193-running").want(t, http.StatusOK)
	progress := all(a.doc, tag("progress"))
	if attr(progress[0], "value") != "12" || attr(progress[0], "max") != "60" {
		t.Errorf("progress %v", progress[0].Attr)
	}
	if page := a.plainWords(t); !strings.Contains(page, "12 s of 1 min") || !strings.Contains(page, "· ramping-vus 0→80 ·") {
		t.Errorf("the page says %s", page)
	}
	if got := b.get("/agents/k6").cells(t)[0]; !slices.Contains(got, "80") {
		t.Errorf("the agent's row is %q; want 80 VUs", got)
	}
}

// Field report 55: a run shows the settings that it was made with, whatever became of its target.
func TestRunKeepsItsSettings(t *testing.T) {
	f := demoFleet()
	r := runOf(t, f, summary.OK)
	f.targets = nil
	r.Spec.VUs, r.Spec.URL, r.Spec.Headers = 77, "https://u:p@old.example/", map[string]string{"Authorization": "Bearer x"}
	page := newBrowser(t, f).get("/agents/k6/runs/"+r.ID).want(t, http.StatusOK)
	for _, part := range []string{"77", "https://***@old.example/", "Authorization: ***"} {
		if !strings.Contains(page.text, part) {
			t.Errorf("the settings don't hold %q", part)
		}
	}
	for _, secret := range []string{"u:p", "Bearer x"} {
		if strings.Contains(page.text, secret) {
			t.Errorf("the page shows %q", secret)
		}
	}
}

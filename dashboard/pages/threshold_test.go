package pages_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/nollagluiz/broadside/fleet"
	"github.com/nollagluiz/broadside/summary"
)

// What a run was held to stands on its page in words, and so does what an open model did not make.
func TestRunPageOfThresholds(t *testing.T) {
	f := demoFleet()
	r := runOf(t, f, summary.ThresholdFailed)
	value, rate := 813.2, 0.25
	r.Thresholds = []fleet.ThresholdResult{
		{Metric: "http_req_duration{status:200}", Expression: "p(95)<500", Value: &value},
		{Metric: "http_req_failed", Expression: "rate<0.5", OK: true, Value: &rate},
		{Metric: "http_reqs{scenario:<b>}", Expression: "count>1", OK: true},
	}
	r.Metrics.DroppedIterations = 1234
	r.Trends[summary.HTTPReqCorrected] = r.Trends[summary.HTTPReqDuration]
	a := newBrowser(t, f).get("/agents/k6/runs/"+r.ID).want(t, http.StatusOK)
	if got := a.captions()[0]; got != "Thresholds" {
		t.Errorf("the first table is %q", got)
	}
	page := strings.ReplaceAll(words(a.doc), "\u00a0", " ")
	for _, part := range []string{
		"✕ crossed http_req_duration{status:200} p(95)<500 813.2 ms", "✓ held http_req_failed rate<0.5 0.25", "✓ held http_reqs{scenario:<b>} count>1 – no data",
		"39,603 ! 1,234 dropped", "! 1,234 iterations that were due never began", "20.5 ms 20.5 ms corrected", "http_req_corrected_duration", "off by at most 0.1 %",
	} {
		if !strings.Contains(page, part) {
			t.Errorf("the page doesn't say %q:\n%.2000s", part, page)
		}
	}
	portuguese := newBrowser(t, f).speaks("pt-BR").get("/agents/k6/runs/"+r.ID).want(t, http.StatusOK)
	if page := words(portuguese.doc); !strings.Contains(page, "ultrapassado") || !strings.Contains(page, "1.234 descartadas") || !strings.Contains(page, "ms corrigida") {
		t.Error("not in Portuguese")
	}
}

// A run that was held to nothing, and made all that was due, speaks of neither.
func TestRunPageWithoutThresholds(t *testing.T) {
	f := demoFleet()
	r := runOf(t, f, summary.OK)
	r.Thresholds, r.Metrics.DroppedIterations = nil, 0
	delete(r.Trends, summary.HTTPReqCorrected)
	b := newBrowser(t, f)
	const thresholds, dropped, corrected = "Thresholds", "dropped", "ms corrected"
	page := b.get("/agents/k6/runs/"+r.ID).want(t, http.StatusOK).plainWords(t)
	for _, part := range []string{thresholds, dropped, corrected} {
		if strings.Contains(page, part) {
			t.Errorf("the page speaks of %q: %.2000s", part, page)
		}
	}
	r.Trends[summary.HTTPReqCorrected] = []byte("damaged")
	if page := b.get("/agents/k6/runs/"+r.ID).want(t, http.StatusOK).plainWords(t); strings.Contains(page, corrected) {
		t.Errorf("a damaged histogram gave %.2000s", page)
	}
}

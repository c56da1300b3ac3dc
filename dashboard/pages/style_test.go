package pages

import (
	"math"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

func TestStyleSheetIsKeptForEver(t *testing.T) {
	s := newStyle()
	ask := func(path, etag string) *http.Response {
		r := httptest.NewRequest(http.MethodGet, path, nil)
		r.Header.Set("If-None-Match", etag)
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		return w.Result()
	}
	a := ask(s.path(), "")
	if a.StatusCode != 200 || a.Header.Get("Cache-Control") != "public, max-age=31536000, immutable" || a.Header.Get("Content-Type") != "text/css; charset=utf-8" {
		t.Errorf("%s %v", a.Status, a.Header)
	}
	if a := ask(s.path(), a.Header.Get("ETag")); a.StatusCode != http.StatusNotModified {
		t.Errorf("asked again: %s", a.Status)
	}
	if a := ask("/agents/k6/static/style.0000000000000000.css", ""); a.StatusCode != http.StatusNotFound || a.Header.Get("Cache-Control") != "" {
		t.Errorf("another version: %s %v", a.Status, a.Header)
	}
	if strings.Contains(styleSheet, "url(") || strings.Contains(styleSheet, "@import") {
		t.Error("the sheet loads something else, which the policy forbids")
	}
}

var token = regexp.MustCompile(`--([\w-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\);`)

// luminance is the relative luminance of WCAG 2.2.
func luminance(colour string) float64 {
	v, _ := strconv.ParseUint(colour[1:], 16, 32)
	channel := func(shift int) float64 {
		c := float64(v>>shift&0xff) / 255
		if c <= 0.04045 {
			return c / 12.92
		}
		return math.Pow((c+0.055)/1.055, 2.4)
	}
	return 0.2126*channel(16) + 0.7152*channel(8) + 0.0722*channel(0)
}

func contrast(a, b string) float64 {
	la, lb := luminance(a), luminance(b)
	return (max(la, lb) + 0.05) / (min(la, lb) + 0.05)
}

// WCAG 2.2 AA: 4.5 for text (1.4.3), 3 for lines and the edges of controls (1.4.11).
func TestContrast(t *testing.T) {
	tokens := map[string][2]string{}
	for _, m := range token.FindAllStringSubmatch(styleSheet, -1) {
		tokens[m[1]] = [2]string{m[2], m[3]}
	}
	if len(tokens) < 20 {
		t.Fatalf("only %d colours found", len(tokens))
	}
	for _, c := range []struct {
		least float64
		pairs string
	}{
		{4.5, "ink/bg ink/card ink/soft mute/bg mute/card mute/soft accent/card accent/bg accent/soft accent-ink/accent ok/ok-bg bad/bad-bg bad/card warn/warn-bg off/off-bg"},
		{3, "p50/card p95/card p99/card bad/card edge/card accent/card accent/bg"},
	} {
		for pair := range strings.FieldsSeq(c.pairs) {
			front, back, _ := strings.Cut(pair, "/")
			for i, theme := range []string{"light", "dark"} {
				if got := contrast(tokens[front][i], tokens[back][i]); got < c.least {
					t.Errorf("%s in %s: contrast %.2f; want %.1f", pair, theme, got, c.least)
				}
			}
		}
	}
	// One hue for latency, which deepens with the percentile: away from the card in either theme.
	for i, theme := range []string{"light", "dark"} {
		last := 0.0
		for _, p := range percentiles {
			got := contrast(tokens[p.name][i], tokens["card"][i])
			if got < 1.4*last {
				t.Errorf("%s in %s is hardly deeper than the one before: %.2f, %.2f", p.name, theme, got, last)
			}
			last = got
		}
	}
}

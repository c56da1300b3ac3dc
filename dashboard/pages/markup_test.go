package pages_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/nollagluiz/broadside/fleet"
)

// badTarget is a form in which much is wrong.
var badTarget = url.Values{
	"url": {"example.org"}, "label": {"x"}, "vus": {"0"}, "durationS": {"30"}, "runIntervalMs": {"0.5"},
	"expectedStatuses": {"9"}, "method": {"GET"}, "headers": {"A: b"}, "revision": {"4"},
}

// everyPage visits each page in each of its states.
func everyPage(t *testing.T, tag string, visit func(name string, b *browser, a answer)) {
	t.Helper()
	empty := &fakeFleet{}
	stopped := demoFleet()
	stopped.overview.Stopped, stopped.config.Stopped, stopped.overview.NotYetStopped = true, true, 3
	stopped.overview.ScalerError = "no such host"
	broken := demoFleet()
	broken.err = errors.New("the disk is full")
	for name, f := range map[string]*fakeFleet{"demo": demoFleet(), "empty": empty, "stopped": stopped, "broken": broken} {
		b := newBrowser(t, f).speaks(tag)
		paths := []string{
			"/agents/k6", "/agents/k6?status=offline", "/agents/k6?status=online&page=2&auto=1", "/agents/k6/stop", "/agents/k6/sites", "/agents/k6/runs",
			"/agents/k6/runs?status=aborted&target=1", "/agents/k6/runs?target=gone&verdict=lost", "/agents/k6/runs?agent=id-k6agent-2&limit=5",
			"/agents/k6/sites/1", "/agents/k6/sites/3", "/agents/k6/sites/2/delete", "/agents/k6/nowhere", "/agents/k6?notice=scaled",
		}
		for _, r := range demoFleet().runs[:32] {
			paths = append(paths, "/agents/k6/runs/"+r.ID)
		}
		for _, path := range paths {
			visit(name+" "+path, b, b.get(path))
		}
		visit(name+" POST sites", b, b.post("/agents/k6/sites", badTarget))
		visit(name+" POST sites/1", b, b.post("/agents/k6/sites/1", badTarget))
		visit(name+" POST scale", b, b.post("/agents/k6/scale", url.Values{"desired": {"many"}}))
		visit(name+" POST abort", b, b.post("/agents/k6/runs/none/abort", nil))
	}
}

func TestMarkup(t *testing.T) {
	for _, lang := range []string{"en", "pt-BR"} {
		t.Run(lang, func(t *testing.T) {
			everyPage(t, lang, func(name string, _ *browser, a answer) {
				if a.StatusCode == http.StatusSeeOther {
					return
				}
				for _, fault := range faults(a, lang) {
					t.Errorf("%s: %s", name, fault)
				}
			})
		})
	}
}

// faults lists what is wrong with a page's markup.
func faults(a answer, lang string) (out []string) {
	add := func(format string, args ...any) { out = append(out, fmt.Sprintf(format, args...)) }
	if err := balanced(a.text); err != nil {
		add("not well-formed: %v", err)
	}
	if n := len(all(a.doc, tag("h1"))); n != 1 {
		add("%d h1", n)
	}
	if got := attr(all(a.doc, tag("html"))[0], "lang"); got != lang || a.Header.Get("Content-Language") != lang {
		add("language %q, Content-Language %q", got, a.Header.Get("Content-Language"))
	}
	if title := all(a.doc, tag("title")); len(title) != 1 || !strings.HasSuffix(words(title[0]), " · Broadside") {
		add("title %v", title)
	}
	if current := all(a.doc, func(n *html.Node) bool { return attr(n, "aria-current") == "page" }); len(current) > 1 {
		add("%d pages are the current one", len(current))
	}
	ids := map[string]bool{}
	labelled := map[string]bool{}
	for _, n := range all(a.doc, func(*html.Node) bool { return true }) {
		if id, ok := lookup(n, "id"); ok {
			if ids[id] || id == "" {
				add("the id %q twice", id)
			}
			ids[id] = true
		}
		if n.Data == "label" {
			labelled[attr(n, "for")] = true
		}
		for _, at := range n.Attr {
			link := at.Key == "href" || at.Key == "src" || strings.HasSuffix(at.Key, "action")
			if at.Key == "style" || strings.HasPrefix(at.Key, "on") || link && !strings.HasPrefix(at.Val, "/") && !strings.HasPrefix(at.Val, "#") && !strings.HasPrefix(at.Val, "data:image/svg+xml,") {
				add("<%s %s=%q>", n.Data, at.Key, at.Val)
			}
			if strings.Contains(at.Val, "ZgotmplZ") {
				add("<%s %s> was refused by html/template", n.Data, at.Key)
			}
		}
	}
	for _, n := range all(a.doc, tag("script", "style", "iframe", "object", "embed", "img", "base")) {
		add("<%s>", n.Data)
	}
	out = append(out, namelessParts(a.doc, labelled)...)
	for _, n := range all(a.doc, func(*html.Node) bool { return true }) {
		for _, name := range []string{"aria-describedby", "aria-labelledby", "for"} {
			for id := range strings.FieldsSeq(attr(n, name)) {
				if !ids[id] {
					add("<%s %s=%q> points nowhere", n.Data, name, id)
				}
			}
		}
	}
	for _, key := range []string{"nav.", "col.", "title.", "notice.", "verdict.", "field.", "error.heading", "class.", "sentence."} {
		if strings.Contains(words(a.doc), key) {
			add("a key of the catalogue is shown: %s", key)
		}
	}
	return out
}

// namelessParts lists controls, pictures and tables without words for those who don't see them.
func namelessParts(doc *html.Node, labelled map[string]bool) (out []string) {
	add := func(format string, args ...any) { out = append(out, fmt.Sprintf(format, args...)) }
	for _, n := range all(doc, tag("input", "select", "textarea")) {
		if attr(n, "type") != "hidden" && !labelled[attr(n, "id")] {
			add("<%s name=%q> has no label", n.Data, attr(n, "name"))
		}
	}
	for _, n := range all(doc, tag("a", "button", "summary")) {
		if words(n) == "" && attr(n, "aria-label") == "" {
			add("<%s %v> has no words", n.Data, n.Attr)
		}
	}
	for _, n := range all(doc, tag("table")) {
		if caption := all(n, tag("caption")); len(caption) != 1 || words(caption[0]) == "" {
			add("a table without caption")
		}
		for _, th := range all(n, tag("th")) {
			if scope := attr(th, "scope"); scope != "col" && scope != "row" {
				add("<th> %q without scope", words(th))
			}
		}
	}
	for _, n := range all(doc, tag("svg")) {
		if n.Parent.Data != "svg" && (attr(n, "role") != "img" || attr(n, "aria-label") == "") {
			add("a picture without words")
		}
	}
	return out
}

// void are the elements without an end (HTML, section 13.1.2).
var void = []string{"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}

// balanced checks that each element that is opened is closed, in order. The parser of package html would mend it.
func balanced(text string) error {
	var open []string
	z := html.NewTokenizer(strings.NewReader(text))
	for {
		switch z.Next() {
		case html.ErrorToken:
			if z.Err() != io.EOF {
				return z.Err()
			}
			if len(open) > 0 {
				return fmt.Errorf("%v left open", open)
			}
			return nil
		case html.StartTagToken:
			if name := z.Token().Data; !slices.Contains(void, name) {
				open = append(open, name)
			}
		case html.EndTagToken:
			name := z.Token().Data
			if len(open) == 0 || open[len(open)-1] != name {
				return fmt.Errorf("</%s> closes %v", name, open)
			}
			open = open[:len(open)-1]
		}
	}
}

// outside are the addresses of the dashboard that are none of the pages'.
var outside = regexp.MustCompile(`^(/admin/login\?next=%2Fagents%2F|/api/openapi\.json$|/api/metrics$|/api/dashboard/k6/runs/[\w-]+$|data:image/svg\+xml,)`)

// Every link leads to a page, and every form to a route.
func TestLinks(t *testing.T) {
	seen := map[string]bool{}
	everyPage(t, "en", func(name string, _ *browser, a answer) {
		if strings.HasPrefix(name, "broken") || strings.HasPrefix(name, "empty") {
			return
		}
		for _, n := range all(a.doc, tag("a", "link")) {
			seen["GET "+strings.SplitN(attr(n, "href"), "#", 2)[0]] = true
		}
		for _, n := range all(a.doc, tag("form")) {
			seen[strings.ToUpper(attr(n, "method"))+" "+attr(n, "action")] = true
		}
	})
	if len(seen) < 60 {
		t.Fatalf("only %d links found", len(seen))
	}
	reader := newBrowser(t, demoFleet())
	for link := range seen {
		method, target, _ := strings.Cut(link, " ")
		if target == "" || outside.MatchString(target) {
			continue
		}
		var a answer
		if method == http.MethodPost {
			a = newBrowser(t, demoFleet()).post(target, badTarget)
		} else {
			a = reader.get(target)
		}
		// Two runs of the demo point to an agent and a run that are gone on purpose.
		if gone := strings.Contains(target, "0193abcd"); a.StatusCode == http.StatusNotFound && !gone || a.StatusCode >= 500 {
			t.Errorf("%s answers %d", link, a.StatusCode)
		}
	}
}

func TestEveryAnswerIsGuarded(t *testing.T) {
	everyPage(t, "en", func(name string, _ *browser, a answer) {
		if a.StatusCode == http.StatusSeeOther {
			return
		}
		for header, want := range map[string]string{
			"Content-Type":            "text/html; charset=utf-8",
			"Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
			"X-Content-Type-Options":  "nosniff",
			"Vary":                    "Cookie, Accept-Language",
		} {
			if got := a.Header.Get(header); got != want {
				t.Errorf("%s: %s is %q; want %q", name, header, got, want)
			}
		}
		want := "no-cache"
		if strings.Contains(name, "POST") {
			want = "no-store"
		}
		if got := a.Header.Get("Cache-Control"); got != want {
			t.Errorf("%s: Cache-Control %q; want %q", name, got, want)
		}
	})
}

// An internal error is told to whoever runs the dashboard, and to nobody else.
func TestInternalErrorsStayInside(t *testing.T) {
	everyPage(t, "en", func(name string, b *browser, a answer) {
		if strings.Contains(a.text, "disk is full") {
			t.Errorf("%s shows the error", name)
		}
		internal := strings.HasPrefix(name, "broken") && a.StatusCode == http.StatusInternalServerError
		if internal && (len(b.errors) == 0 || !strings.Contains(b.errors[len(b.errors)-1].Error(), "disk is full")) {
			t.Errorf("%s was not reported", name)
		}
	})
	f := demoFleet()
	f.err = fmt.Errorf("list runs: %w", context.DeadlineExceeded)
	newBrowser(t, f).get("/agents/k6/runs").want(t, http.StatusServiceUnavailable)
	f.err = fleet.Errorf(fleet.Overloaded, "too much to do")
	b := newBrowser(t, f)
	if a := b.get("/agents/k6/runs").want(t, http.StatusServiceUnavailable); !strings.Contains(a.text, "too much to do") || len(b.errors) > 0 {
		t.Errorf("an error for the reader: reported %v", b.errors)
	}
}

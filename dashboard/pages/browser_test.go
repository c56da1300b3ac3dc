package pages_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"github.com/nollagluiz/broadside/dashboard/pages"
)

// browser asks for pages as a reader without JavaScript does.
type browser struct {
	t       *testing.T
	handler http.Handler
	cookies []*http.Cookie
	errors  []error // that the handler kept from its readers
}

func newBrowser(t *testing.T, f pages.Fleet) *browser {
	t.Helper()
	b := &browser{t: t}
	h, err := pages.New(pages.Config{
		Fleet: f, Now: func() time.Time { return noon }, Version: "1.2.3",
		OnError: func(_ *http.Request, err error) { b.errors = append(b.errors, err) },
	})
	if err != nil {
		t.Fatal(err)
	}
	b.handler = h
	return b
}

func (b *browser) speaks(tag string) *browser {
	b.cookies = append(b.cookies, &http.Cookie{Name: "lang", Value: tag})
	return b
}

// answer is a page as it came.
type answer struct {
	*http.Response
	text string
	doc  *html.Node
}

func (b *browser) do(r *http.Request) answer {
	b.t.Helper()
	for _, c := range b.cookies {
		r.AddCookie(c)
	}
	w := httptest.NewRecorder()
	b.handler.ServeHTTP(w, r)
	a := answer{Response: w.Result()}
	text, err := io.ReadAll(a.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	a.text = string(text)
	if a.doc, err = html.Parse(strings.NewReader(a.text)); err != nil {
		b.t.Fatal(err)
	}
	return a
}

func (b *browser) get(path string) answer {
	b.t.Helper()
	return b.do(httptest.NewRequest(http.MethodGet, path, nil))
}

func (b *browser) post(path string, form url.Values) answer {
	b.t.Helper()
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return b.do(r)
}

// want checks the status.
func (a answer) want(t *testing.T, status int) answer {
	t.Helper()
	if a.StatusCode != status {
		t.Fatalf("status %d; want %d\n%s", a.StatusCode, status, a.text)
	}
	return a
}

// all are the elements below n that fit, in their order.
func all(n *html.Node, fits func(*html.Node) bool) []*html.Node {
	var out []*html.Node
	for d := range n.Descendants() {
		if d.Type == html.ElementNode && fits(d) {
			out = append(out, d)
		}
	}
	return out
}

func tag(names ...string) func(*html.Node) bool {
	return func(n *html.Node) bool { return slices.Contains(names, n.Data) }
}

func attr(n *html.Node, name string) string {
	v, _ := lookup(n, name)
	return v
}

func lookup(n *html.Node, name string) (string, bool) {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val, true
		}
	}
	return "", false
}

// words is the text of n, its spaces made single.
func words(n *html.Node) string {
	var b strings.Builder
	for d := range n.Descendants() {
		if d.Type == html.TextNode {
			b.WriteString(d.Data + " ")
		}
	}
	return strings.Join(strings.Fields(b.String()), " ")
}

// byID finds the one element with the id.
func (a answer) byID(t *testing.T, id string) *html.Node {
	t.Helper()
	found := all(a.doc, func(n *html.Node) bool { return attr(n, "id") == id })
	if len(found) != 1 {
		t.Fatalf("%d elements have the id %s", len(found), id)
	}
	return found[0]
}

// form is what a browser would send of the form with that action, untouched.
func (a answer) form(t *testing.T, action string) url.Values {
	t.Helper()
	forms := all(a.doc, func(n *html.Node) bool { return n.Data == "form" && attr(n, "action") == action })
	if len(forms) == 0 {
		t.Fatalf("no form goes to %s", action)
	}
	out := url.Values{}
	for _, c := range all(forms[0], tag("input", "select", "textarea")) {
		name := attr(c, "name")
		switch {
		case c.Data == "select":
			for _, o := range all(c, tag("option")) {
				if _, ok := lookup(o, "selected"); ok || !out.Has(name) {
					out.Set(name, attr(o, "value"))
				}
			}
		case c.Data == "textarea":
			text := ""
			if c.FirstChild != nil {
				text = c.FirstChild.Data
			}
			out.Set(name, strings.ReplaceAll(text, "\n", "\r\n"))
		case attr(c, "type") == "checkbox":
			if _, ok := lookup(c, "checked"); ok {
				out.Set(name, attr(c, "value"))
			}
		default:
			out.Set(name, attr(c, "value"))
		}
	}
	return out
}

package core

import (
	"errors"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/nollagluiz/broadside/plan"
)

// sent is what a server sees of a hop.
type sent struct {
	Method, URL, Host, Body string
	Header                  http.Header
}

// answer is what a scripted server says: a status, a Location and a cookie.
type answer struct {
	status   int
	location string
	cookie   string
}

// follow drives a chain through the answers and lists the hops that it sends.
func follow(t require.TestingT, r plan.Request, answers []answer) (hops []sent, code uint16) {
	tpl, err := NewTemplate(plan.Plan{Scenarios: []plan.Scenario{{Request: r}}}.Resolved().Scenarios[0], "test")
	require.NoError(t, err)
	c := chain{Template: tpl}
	hop := c.start()
	for _, a := range answers {
		hops = append(hops, sent{hop.Method, hop.URL.String(), hop.Host, string(hop.Body), hop.Header.Clone()})
		x := &Exchange{Status: a.status, Location: a.location}
		if a.cookie != "" {
			x.SetCookie = []string{a.cookie}
		}
		next, failed, _ := c.next(x)
		if next == nil {
			return hops, failed
		}
		hop = next
	}
	return hops, 0
}

// clientHops lists the hops that net/http's Client sends, given the same answers.
func clientHops(t require.TestingT, r plan.Request, answers []answer) (hops []sent) {
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	client := http.Client{Jar: jar, Transport: roundTrip(func(req *http.Request) (*http.Response, error) {
		body := ""
		if req.Body != nil {
			b, err := io.ReadAll(req.Body)
			require.NoError(t, err)
			body = string(b)
		}
		host := req.Host
		if host == req.URL.Host {
			host = ""
		}
		bareURL := *req.URL
		bareURL.User, bareURL.Fragment = nil, ""
		header := req.Header.Clone()
		if header == nil {
			header = http.Header{}
		}
		hops = append(hops, sent{req.Method, bareURL.String(), host, body, header})
		if len(hops) > len(answers) {
			return nil, errors.New("the script is over")
		}
		a := answers[len(hops)-1]
		resp := &http.Response{StatusCode: a.status, Header: http.Header{}, Body: http.NoBody, Request: req}
		if a.location != "" {
			resp.Header.Set("Location", a.location)
		}
		if a.cookie != "" {
			resp.Header.Set("Set-Cookie", a.cookie)
		}
		return resp, nil
	})}
	req, err := http.NewRequest(r.Method, r.URL, strings.NewReader(string(r.Body)))
	require.NoError(t, err)
	for name, values := range r.Header {
		req.Header[name] = values
	}
	req.Header.Set("User-Agent", "test")
	if host := req.Header.Get("Host"); host != "" {
		req.Host = host
		req.Header.Del("Host")
	}
	resp, err := client.Do(req)
	if err == nil {
		resp.Body.Close()
	}
	return hops
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// TestRedirectsAsNetHTTP holds chains of redirects against net/http's Client: the same methods, URLs, bodies, Referers,
// cookies and credentials. (Its Referer may hold a fragment, which RFC 9110 section 10.1.3 forbids; ours never does.)
func TestRedirectsAsNetHTTP(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := plan.Request{
			Method: rapid.SampledFrom([]string{"GET", "HEAD", "POST", "PUT", "DELETE"}).Draw(t, "method"),
			URL:    rapid.SampledFrom([]string{"http://a.test/x", "https://a.test/x?q=1#frag", "http://sub.a.test:8080/", "http://[::1]/"}).Draw(t, "url"),
			Body:   []byte(rapid.SampledFrom([]string{"", "body"}).Draw(t, "body")),
			Header: http.Header{"Authorization": {"Bearer x"}, "Content-Type": {"text/plain"}, "X-Other": {"1"}},
		}
		if rapid.Bool().Draw(t, "has cookies") {
			r.Header["Cookie"] = []string{"a=1; b=2"}
		}
		if rapid.Bool().Draw(t, "has host") {
			r.Header["Host"] = []string{"other.test"}
		}
		answers := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) answer {
			return answer{
				status:   rapid.SampledFrom([]int{200, 301, 302, 303, 304, 307, 308}).Draw(t, "status"),
				location: rapid.SampledFrom([]string{"", "/y", "y?z=1", "http://a.test/y", "https://a.test/y", "http://sub.a.test/", "//b.test/y", "http://b.test/#f", "http://a.test:81/"}).Draw(t, "location"),
				cookie:   rapid.SampledFrom([]string{"", "a=9; Path=/", "c=3", "d=4; Domain=a.test; Path=/"}).Draw(t, "cookie"),
			}
		}), 1, 6).Draw(t, "answers")

		got, _ := follow(t, r, answers)
		want := clientHops(t, r, answers)
		want = want[:min(len(want), len(answers))] // the script ends both
		for _, hops := range [][]sent{got, want} {
			for i := range hops {
				if ref := hops[i].Header.Get("Referer"); ref != "" {
					ref, _, _ = strings.Cut(ref, "#")
					hops[i].Header.Set("Referer", ref)
				}
				// Cookies are a set: the caller's come first here, by name there.
				if c := hops[i].Header.Get("Cookie"); c != "" {
					parts := strings.Split(c, "; ")
					slices.Sort(parts)
					hops[i].Header.Set("Cookie", strings.Join(parts, "; "))
				}
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("hops differ (-net/http +ours):\n%s", diff)
		}
	})
}

// Field report 14: what looks like a credential, and what the caller calls one, stays with the host it was meant for.
func TestCredentialsStayBehind(t *testing.T) {
	r := plan.Request{
		URL: "http://user:pass@a.test/",
		Header: http.Header{
			"Cookie": {"a=1"}, "X-Api-Key": {"k"}, "X-Session-Id": {"s"}, "X-Mine": {"m"}, "Accept": {"*/*"},
		},
		SecretHeaders: []string{"x-mine"},
	}
	all := []string{"Accept", "Authorization", "Cookie", "Referer", "User-Agent", "X-Api-Key", "X-Mine", "X-Session-Id"}
	few := []string{"Accept", "Referer", "User-Agent"}
	for _, tc := range []struct {
		name     string
		location string
		want     []string
	}{
		{"same host", "/y", all},
		{"same host, another port", "http://a.test:8080/", all},
		{"subdomain", "http://sub.a.test/", all},
		{"another host", "http://b.test/", few},
		{"a name that only ends alike", "http://evila.test/", few},
		{"an address", "http://10.0.0.1/", few},
	} {
		t.Run(tc.name, func(t *testing.T) {
			hops, _ := follow(t, r, []answer{{status: 302, location: tc.location}, {status: 200}})
			require.Len(t, hops, 2)
			names := []string{}
			for name := range hops[1].Header {
				names = append(names, name)
			}
			slices.Sort(names)
			require.Equal(t, tc.want, names)
		})
	}
	t.Run("a secret of the URL is in no other host's Referer", func(t *testing.T) {
		secret := plan.Request{URL: "http://a.test/x?page=1&access_token=t"}
		for to, want := range map[string]string{"http://b.test/": "http://a.test/", "/y": "http://a.test/x?page=1&access_token=t"} {
			hops, _ := follow(t, secret, []answer{{status: 302, location: to}, {status: 200}})
			require.Equal(t, want, hops[1].Header.Get("Referer"), to)
		}
		hops, _ := follow(t, plan.Request{URL: "http://a.test/x?page=1"}, []answer{{status: 302, location: "http://b.test/"}, {status: 200}})
		require.Equal(t, "http://a.test/x?page=1", hops[1].Header.Get("Referer"))
	})
	t.Run("and does not come back", func(t *testing.T) {
		hops, _ := follow(t, r, []answer{{status: 302, location: "http://b.test/"}, {status: 302, location: "http://a.test/"}, {status: 200}})
		require.Empty(t, hops[2].Header.Get("Authorization"))
		require.Empty(t, hops[2].Header.Get("Cookie"))
	})
	t.Run("the next iteration has it again", func(t *testing.T) {
		first, err := url.Parse("http://a.test/")
		require.NoError(t, err)
		c := chain{Template: &Template{first: Request{Method: "GET", URL: first, Header: http.Header{"Authorization": {"x"}}}, max: 10}}
		c.start()
		next, _, err := c.next(&Exchange{Status: 302, Location: "http://b.test/", SetCookie: []string{"s=1"}})
		require.NoError(t, err)
		require.Empty(t, next.Header.Get("Authorization"))
		require.Equal(t, "x", c.start().Header.Get("Authorization"))
		next, _, err = c.next(&Exchange{Status: 302, Location: "/y"})
		require.NoError(t, err)
		require.Empty(t, next.Header.Get("Cookie"), "each iteration begins with an empty jar")
	})
}

func TestRedirectsThatCannotBeFollowed(t *testing.T) {
	for _, tc := range []struct {
		name      string
		max       int
		locations []string
		hops      int
		code      uint16
	}{
		{"as many as allowed", 2, []string{"/1", "/2"}, 3, 0},
		{"one more", 2, []string{"/1", "/2", "/3"}, 3, CodeRedirectLoop},
		{"none allowed", -1, []string{"/1"}, 1, 0},
		{"no location", 5, []string{""}, 1, 0},
		{"another scheme", 5, []string{"ftp://a.test/"}, 1, CodeInvalidURL},
		{"javascript", 5, []string{"javascript:alert(1)"}, 1, CodeInvalidURL},
		{"no host", 5, []string{"http:///x"}, 1, CodeInvalidURL},
		{"no URL", 5, []string{"http://[::1/%zz"}, 1, CodeInvalidURL},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var answers []answer
			for _, l := range tc.locations {
				answers = append(answers, answer{status: 302, location: l})
			}
			answers = append(answers, answer{status: 200})
			hops, code := follow(t, plan.Request{URL: "http://a.test/", MaxRedirects: tc.max}, answers)
			require.Len(t, hops, tc.hops)
			require.Equal(t, tc.code, code)
		})
	}
}

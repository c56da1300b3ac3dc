package core

import (
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"slices"
	"strings"

	"github.com/nollagluiz/broadside/plan"
)

// A chain is the redirect hops of one iteration, by the rules of net/http's Client (Go 1.26), which are k6's: they
// change the method, drop the body, add a Referer and keep cookies. Differences: more redirects than allowed are a
// failure, a caller's credential in any header stays with the host it was meant for, not only the standard ones, and
// credentials of the first URL follow a redirect that stays there.
type chain struct {
	*Template
	hop     *Request // that was sent last: the first, or the detour's
	*detour          // nil until a redirect is followed: most iterations follow none, and a VU is to be small
}

// detour is what a chain remembers of its hops.
type detour struct {
	request  Request
	hops     int            // redirects followed
	away     bool           // a hop has left the first host: credentials stay behind for good
	bodiless bool           // a hop has dropped the body, for good
	cookies  []*http.Cookie // of the caller's Cookie header that no answer replaced
	jar      *cookiejar.Jar // nil until an answer sets a cookie
}

// start goes back to the first request, with no cookie but the caller's.
func (c *chain) start() *Request {
	c.hop, c.detour = &c.first, nil
	return c.hop
}

// next makes the request that the answer x leads to. It is nil when the answer stands as it is; the error, with its
// code, says why a redirect could not be followed.
func (c *chain) next(x *Exchange) (*Request, uint16, error) {
	method, keepBody, ok := redirected(x.Status, c.hop.Method)
	if !ok || x.Location == "" || c.max < 0 {
		return nil, 0, nil
	}
	if c.detour == nil && c.max == 0 || c.detour != nil && c.hops >= c.max {
		return nil, CodeRedirectLoop, fmt.Errorf("more than %d redirects: a redirect loop", c.max)
	}
	to, err := c.hop.URL.Parse(x.Location)
	if err != nil || to.Scheme != "http" && to.Scheme != "https" || to.Hostname() == "" {
		// The location may hold a credential, so it is not shown.
		return nil, CodeInvalidURL, fmt.Errorf("the answer %d redirects to no http or https URL", x.Status)
	}
	if c.detour == nil {
		c.detour = &detour{}
	}
	c.hops++
	c.remember(x.SetCookie)
	from := c.hop.URL
	user := to.User
	to = bare(to)
	c.away = c.away || !sameOrSubdomain(to.Hostname(), c.first.URL.Hostname())
	c.bodiless = c.bodiless || !keepBody
	host := ""
	if relative, err := url.Parse(x.Location); err == nil && !relative.IsAbs() {
		host = c.hop.Host
	}
	c.request = *c.hop
	c.hop = &c.request
	c.hop.Method, c.hop.URL, c.hop.Host, c.hop.Fixed = method, to, host, nil
	c.hop.Header = c.header(from, to)
	if c.bodiless {
		c.hop.Body = nil
	}
	if user != nil {
		setBasicAuth(c.hop.Header, user)
	}
	return c.hop, 0, nil
}

// redirected is the method with which a status repeats a request, and whether the body goes along (RFC 9110 section
// 15.4, as net/http reads it); ok is false when it is no redirect.
func redirected(status int, method string) (next string, keepBody, ok bool) {
	switch status {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther:
		if method != http.MethodHead {
			method = http.MethodGet
		}
		return method, false, true
	case http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
		return method, true, true
	}
	return "", false, false
}

// remember keeps the cookies that the hop's answer sets; one of a caller's name replaces the caller's.
func (c *chain) remember(lines []string) {
	if c.hops == 1 {
		c.cookies = (&http.Request{Header: c.first.Header}).Cookies()
	}
	set := (&http.Response{Header: http.Header{"Set-Cookie": lines}}).Cookies()
	if len(set) == 0 {
		return
	}
	if c.jar == nil {
		c.jar, _ = cookiejar.New(nil) // its error is always nil, by its documentation
	}
	c.jar.SetCookies(c.cookieURL(), set)
	c.cookies = slices.DeleteFunc(c.cookies, func(mine *http.Cookie) bool {
		return slices.ContainsFunc(set, func(s *http.Cookie) bool { return s.Name == mine.Name })
	})
}

// cookieURL is where the hop's cookies belong: to the host that it names, whatever address it goes to.
func (c *chain) cookieURL() *url.URL {
	if c.hop.Host == "" {
		return c.hop.URL
	}
	u := *c.hop.URL
	u.Host = c.hop.Host
	return &u
}

// header is the header of the hop from one URL to another.
func (c *chain) header(from, to *url.URL) http.Header {
	out := make(http.Header, len(c.first.Header)+2)
	for name, values := range c.first.Header {
		if c.away && c.sensitive(name) || c.bodiless && ofBody(name) || name == "Cookie" && c.jar != nil {
			continue
		}
		out[name] = values
	}
	if c.jar != nil {
		var cookies []string
		if !c.away {
			cookies = appendCookies(cookies, c.cookies)
		}
		if cookies = appendCookies(cookies, c.jar.Cookies(c.cookieURL())); len(cookies) > 0 {
			out["Cookie"] = []string{strings.Join(cookies, "; ")}
		}
	}
	if out.Get("Referer") == "" && !(from.Scheme == "https" && to.Scheme == "http") {
		out["Referer"] = []string{c.referer(from)}
	}
	return out
}

// referer is what the next hop learns of the one before: the URL, or the origin alone where the URL holds a secret
// parameter that would go to another host.
func (c *chain) referer(from *url.URL) string {
	if c.away {
		for name := range from.Query() {
			if plan.IsSecretName(name) {
				return (&url.URL{Scheme: from.Scheme, Host: from.Host, Path: "/"}).String()
			}
		}
	}
	return from.String()
}

func appendCookies(to []string, cookies []*http.Cookie) []string {
	for _, c := range cookies {
		to = append(to, c.Name+"="+c.Value)
	}
	return to
}

// sensitive tells whether a header may hold a credential: those that net/http takes for one, what looks like one, and
// what the caller calls secret.
func (c *chain) sensitive(name string) bool {
	switch name {
	case "Authorization", "Cookie", "Cookie2", "Proxy-Authenticate", "Proxy-Authorization", "Www-Authenticate":
		return true
	}
	return c.secrets[name] || plan.IsSecretName(name)
}

// ofBody tells whether a header describes a body.
func ofBody(name string) bool {
	switch name {
	case "Content-Encoding", "Content-Language", "Content-Location", "Content-Type":
		return true
	}
	return false
}

// sameOrSubdomain tells whether host is parent or a name below it. A port makes no difference, as in net/http.
func sameOrSubdomain(host, parent string) bool {
	host, parent = strings.ToLower(host), strings.ToLower(parent)
	if host == parent {
		return true
	}
	return !strings.ContainsAny(host, ":%") && strings.HasSuffix(host, "."+parent)
}

// bare is u without what is never sent: userinfo and fragment.
func bare(u *url.URL) *url.URL {
	out := *u
	out.User, out.Fragment, out.RawFragment = nil, "", ""
	return &out
}

func setBasicAuth(h http.Header, user *url.Userinfo) {
	password, _ := user.Password()
	r := http.Request{Header: h}
	r.SetBasicAuth(user.Username(), password)
}

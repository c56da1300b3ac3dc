package k6exec

import (
	"cmp"
	"encoding/base64"
	"net/url"
	"slices"
	"strings"

	"github.com/nollagluiz/broadside/plan"
)

// secrets are texts that must not be shown.
type secrets []string

// add adds a secret in each form in which k6 might write it.
func (s *secrets) add(secret string) {
	if secret != "" {
		*s = append(*s, secret, url.QueryEscape(secret), url.PathEscape(secret))
	}
}

// secretsOf collects the credentials of a plan: userinfo and secret parameters of its URLs, secret headers, bodies, keys.
func secretsOf(p plan.Plan) secrets {
	var s secrets
	for _, c := range p.Network.TLS.Certificates {
		s.add(string(c.KeyPEM))
		s.add(string(c.Password))
	}
	for _, scenario := range p.Scenarios {
		r := scenario.Request
		s.addURL(r.URL)
		for name, values := range r.Header {
			if !plan.IsSecretName(name) && !slices.ContainsFunc(r.SecretHeaders, func(h string) bool { return strings.EqualFold(h, name) }) {
				continue
			}
			for _, value := range values {
				s.addHeader(value)
			}
		}
		if len(r.Body) >= 4 { // a shorter one would riddle every message
			s.add(string(r.Body))
			s.add(strings.TrimSpace(string(r.Body)))
		}
	}
	return s
}

func (s *secrets) addURL(text string) {
	u, err := plan.ParseURL(text)
	if err != nil {
		return // it is not sent either
	}
	if u.User != nil {
		password, _ := u.User.Password()
		s.add(u.User.String())
		s.add(u.User.Username())
		s.add(password)
	}
	_, rest, _ := strings.Cut(text, "://")
	for i := range len(rest) {
		if rest[i] != '=' {
			continue
		}
		name := rest[strings.LastIndexAny(rest[:i], "/?#&;=")+1 : i]
		if unescaped, err := url.QueryUnescape(name); err == nil {
			name = unescaped
		}
		if !plan.IsSecretName(name) {
			continue
		}
		for _, separators := range []string{"&#", "/?#&;"} { // a sloppy server takes it for longer, or for shorter
			value := rest[i+1:]
			if end := strings.IndexAny(value, separators); end >= 0 {
				value = value[:end]
			}
			s.add(value)
			if unescaped, err := url.QueryUnescape(value); err == nil {
				s.add(unescaped)
			}
		}
	}
}

// addHeader adds the value of a secret header, and what in it may be a secret by itself: a token after its scheme, a
// cookie, a password.
func (s *secrets) addHeader(value string) {
	s.add(value)
	for _, part := range strings.FieldsFunc(value, func(c rune) bool { return strings.ContainsRune(" ;=,", c) }) {
		if len(part) >= 8 {
			s.add(part)
		}
	}
	if _, basic, ok := strings.Cut(value, " "); ok {
		if userinfo, err := base64.StdEncoding.DecodeString(basic); err == nil && len(userinfo) > 0 {
			_, password, _ := strings.Cut(string(userinfo), ":")
			s.add(string(userinfo))
			s.add(password)
		}
	}
}

// hide puts *** in place of the secrets of at least so many bytes, the longest first, so that none leaves its end behind.
// (A strings.Replacer takes minutes to be made of a body of 1 MiB.)
func (s secrets) hide(text string, least int) string {
	for _, secret := range slices.SortedFunc(slices.Values(s), func(a, b string) int { return cmp.Compare(len(b), len(a)) }) {
		if len(secret) >= least {
			text = strings.ReplaceAll(text, secret, "***")
		}
	}
	return text
}

package fleet

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/nollagluiz/broadside/plan"
)

// Hidden stands for a write-only value. Sent back in an edit, it keeps the stored one.
const Hidden = "***"

func (t Target) isSecretHeader(name string) bool {
	return plan.IsSecretName(name) || slices.ContainsFunc(t.SecretHeaders, func(s string) bool { return strings.EqualFold(s, name) })
}

// Redacted returns the target as anybody may see it: userinfo, secret parameters of the URL, secret headers, the
// body, the script and the keys of its options are shown as ***. It shares nothing with t that it changes.
func (t Target) Redacted() Target {
	t.URL = RedactURL(t.URL)
	headers := make(map[string]string, len(t.Headers))
	for name, value := range t.Headers {
		if t.isSecretHeader(name) {
			value = Hidden
		}
		headers[name] = value
	}
	t.Headers = headers
	t.SecretHeaders = append([]string{}, t.SecretHeaders...) // a list, never null
	if t.Body != "" {
		t.Body = Hidden
	}
	if t.Script != "" {
		t.Script = Hidden
	}
	t.Options = redactedOptions(t.Options)
	return t
}

// Restore puts the secrets of stored back where an edit still says ***, so that what was read can be sent back:
// t.Redacted().Restore(t) is t. A secret stays what it is, and where it belongs: none is put back when the edit leads to
// another origin, or by hosts of its options to other addresses, which would else learn it, and no header that the edit
// calls secret no more. What is left of *** then, Validate refuses.
func (t Target) Restore(stored Target) Target {
	switch {
	case !sameHosts(t.Options, stored.Options):
		return t
	case t.URL == RedactURL(stored.URL):
		t.URL = stored.URL
	case origin(t.URL) == "" || origin(t.URL) != origin(stored.URL):
		return t
	default:
		t.URL = restoreURL(t.URL, stored.URL)
	}
	t.Headers = maps.Clone(t.Headers)
	for name, value := range t.Headers {
		if value != Hidden || !t.isSecretHeader(name) {
			continue
		}
		for old, secret := range stored.Headers {
			if http.CanonicalHeaderKey(old) == http.CanonicalHeaderKey(name) {
				t.Headers[name] = secret
			}
		}
	}
	if t.Body == Hidden {
		t.Body = stored.Body
	}
	if t.Script == Hidden {
		t.Script = stored.Script
	}
	t.Options = restoredOptions(t.Options, stored.Options)
	return t
}

// Edit is the way in which a stored target changes: edit gets the target as it was shown, and what it leaves of *** is
// restored. The result is not yet validated.
func (t Target) Edit(edit func(shown Target) (Target, error)) (Target, error) {
	edited, err := edit(t.Redacted())
	if err != nil {
		return Target{}, err
	}
	return edited.Restore(t), nil
}

// validateHidden finds *** where a secret belongs: a target that was copied, or leads to another origin.
func (t Target) validateHidden(errs *plan.FieldErrors) {
	const why = "*** stands for a secret that is not known here; write the secret itself"
	p := splitURL(t.URL)
	hidden := func(token string) bool {
		_, secret := cutSecret(token)
		return secret == Hidden
	}
	if p.userinfo == Hidden || slices.ContainsFunc(p.tokens(), hidden) {
		errs.Add("url", why)
	}
	for _, name := range slices.Sorted(maps.Keys(t.Headers)) {
		if t.Headers[name] == Hidden {
			errs.Add("headers", "%.60s: "+why, name)
		}
	}
	if t.Body == Hidden {
		errs.Add("body", why)
	}
	if t.Script == Hidden {
		errs.Add("script", why)
	}
	if isHidden(member(t.Options, secretOption)) {
		errs.Add("options."+secretOption, why)
	}
}

// RedactURL hides the userinfo and the secret parameters of a URL, in query, path and fragment; each other byte stays.
// What is no valid URL is returned as Hidden, since nobody can tell what it holds.
func RedactURL(text string) string {
	if _, err := plan.ParseURL(text); err != nil {
		return Hidden
	}
	p := splitURL(text)
	if p.hasUserinfo {
		p.userinfo = Hidden
	}
	return p.mapTokens(func(token string) string {
		if shown, secret := cutSecret(token); secret != "" {
			return shown + Hidden
		}
		return token
	}).String()
}

// restoreURL replaces each *** that RedactURL would have put into text by what stands in its place in stored.
func restoreURL(text, stored string) string {
	p, old := splitURL(text), splitURL(stored)
	if p.userinfo == Hidden && old.hasUserinfo {
		p.userinfo = old.userinfo
	}
	secrets := map[string][]string{} // by what is shown of the token, in order
	for _, token := range old.tokens() {
		if shown, secret := cutSecret(token); secret != "" {
			secrets[shown] = append(secrets[shown], secret)
		}
	}
	return p.mapTokens(func(token string) string {
		shown, secret := cutSecret(token)
		if secret != Hidden || len(secrets[shown]) == 0 {
			return token
		}
		secret, secrets[shown] = secrets[shown][0], secrets[shown][1:]
		return shown + secret
	}).String()
}

// cutSecret cuts a token (name=value, in which a sloppy server may see further parameters) after the "=" of the first
// secret name; secret is "" if there is none.
func cutSecret(token string) (shown, secret string) {
	from := 0
	for i := range len(token) {
		switch token[i] {
		case ';', '?', '/':
			from = i + 1
		case '=':
			name, err := url.QueryUnescape(token[from:i])
			if err != nil {
				name = token[from:i]
			}
			if plan.IsSecretName(name) {
				return token[:i+1], token[i+1:]
			}
			from = i + 1
		}
	}
	return token, ""
}

// urlParts is a URL in pieces that keep each byte: begin userinfo @ host, and the tokens of what follows.
type urlParts struct {
	begin       string // "https://"
	userinfo    string
	hasUserinfo bool
	host        string   // with the port
	rest        []string // path, query and fragment: tokens and what separates them, in turn
}

// splitURL takes a valid URL apart where net/url does. Path segments, query parameters and fragment parameters are
// tokens.
func splitURL(text string) urlParts {
	var p urlParts
	scheme, rest, _ := strings.Cut(text, "://")
	p.begin = scheme + "://"
	end := strings.IndexAny(rest, "/?#")
	if end < 0 {
		end = len(rest)
	}
	p.host, rest = rest[:end], rest[end:]
	if i := strings.LastIndexByte(p.host, '@'); i >= 0 {
		p.userinfo, p.host, p.hasUserinfo = p.host[:i], p.host[i+1:], true
	}
	separators := "/?#" // of tokens in the path
	for {
		i := strings.IndexAny(rest, separators)
		if i < 0 {
			p.rest = append(p.rest, rest)
			return p
		}
		p.rest = append(p.rest, rest[:i], rest[i:i+1])
		switch rest[i] {
		case '?':
			separators = "&#"
		case '#':
			separators = "&"
		}
		rest = rest[i+1:]
	}
}

func (p urlParts) tokens() []string {
	var out []string
	for i := 0; i < len(p.rest); i += 2 {
		out = append(out, p.rest[i])
	}
	return out
}

func (p urlParts) mapTokens(f func(string) string) urlParts {
	rest := slices.Clone(p.rest)
	for i := 0; i < len(rest); i += 2 {
		rest[i] = f(rest[i])
	}
	p.rest = rest
	return p
}

func (p urlParts) String() string {
	at := ""
	if p.hasUserinfo {
		at = "@"
	}
	return p.begin + p.userinfo + at + p.host + strings.Join(p.rest, "")
}

// origin is scheme, host and port (RFC 6454 section 4), of which a secret must not leave; "" for no valid URL.
func origin(text string) string {
	u, err := plan.ParseURL(text)
	if err != nil {
		return ""
	}
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	return u.Scheme + "://" + strings.ToLower(u.Hostname()) + ":" + port
}

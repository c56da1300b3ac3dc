package fleet

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// Hidden stands for a write-only value. Sent back in an edit, it keeps the stored one.
const Hidden = "***"

// alwaysSecret are headers whose values nobody but an agent sees, named as secret or not.
var alwaysSecret = []string{"Authorization", "Proxy-Authorization", "Cookie", "X-Api-Key", "X-Auth-Token"}

// secretParams are parts of query parameter names whose values are hidden.
var secretParams = []string{"token", "secret", "password", "passwd", "apikey", "api_key", "api-key", "auth", "signature", "credential", "session"}

func isSecretParam(name string) bool {
	name = strings.ToLower(name)
	if name == "key" || name == "sig" || name == "pwd" {
		return true
	}
	return slices.ContainsFunc(secretParams, func(part string) bool { return strings.Contains(name, part) })
}

func (t Target) isSecretHeader(name string) bool {
	same := func(secret string) bool { return strings.EqualFold(secret, name) }
	return slices.ContainsFunc(alwaysSecret, same) || slices.ContainsFunc(t.SecretHeaders, same)
}

// Redacted returns the target as anybody may see it: userinfo, secret query values, secret headers and the body are
// shown as ***. It shares nothing with t that it changes.
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
	if t.Body != "" {
		t.Body = Hidden
	}
	return t
}

// RedactURL hides the userinfo and the secret query values of a URL. What is no URL is returned as Hidden, since
// nobody can tell what it holds.
func RedactURL(text string) string {
	head, query, _ := strings.Cut(text, "?")
	u, err := url.Parse(text)
	if err != nil {
		return Hidden
	}
	if u.User != nil {
		scheme, rest, _ := strings.Cut(head, "//")
		authority, path, slash := strings.Cut(rest, "/")
		_, host, _ := cutLast(authority, "@")
		head = scheme + "//" + Hidden + "@" + host
		if slash {
			head += "/" + path
		}
	}
	if query == "" {
		return head + strings.TrimPrefix(text, strings.SplitN(text, "?", 2)[0])
	}
	return head + "?" + mapParams(query, func(name, value string, _ int) string {
		if value != "" && isSecretParam(name) {
			return Hidden
		}
		return value
	})
}

func cutLast(s, sep string) (before, after string, found bool) {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[:i], s[i+len(sep):], true
	}
	return s, "", false
}

// mapParams rewrites the values of a raw query in place; names, order and escapes of the rest stay byte for byte.
func mapParams(query string, f func(name, value string, i int) string) string {
	query, fragment, hasFragment := strings.Cut(query, "#")
	params := strings.Split(query, "&")
	for i, param := range params {
		raw, value, ok := strings.Cut(param, "=")
		if !ok {
			continue
		}
		name, err := url.QueryUnescape(raw)
		if err != nil {
			name = raw
		}
		params[i] = raw + "=" + f(name, value, i)
	}
	out := strings.Join(params, "&")
	if hasFragment {
		out += "#" + fragment
	}
	return out
}

// Restore puts the stored secrets back where an edit still says ***, so that what was read can be sent back.
func (t Target) Restore(stored Target) Target {
	t.URL = restoreURL(t.URL, stored.URL)
	headers := make(map[string]string, len(t.Headers))
	for name, value := range t.Headers {
		if value == Hidden {
			for old, secret := range stored.Headers {
				if http.CanonicalHeaderKey(old) == http.CanonicalHeaderKey(name) {
					value = secret
				}
			}
		}
		headers[name] = value
	}
	t.Headers = headers
	if t.Body == Hidden {
		t.Body = stored.Body
	}
	return t
}

// restoreURL keeps secrets within one origin: an edit that changes scheme or host must name them again, since they
// would else be sent to whom the editor likes.
func restoreURL(text, stored string) string {
	if !strings.Contains(text, Hidden) {
		return text
	}
	to, err := url.Parse(text)
	from, err2 := url.Parse(stored)
	if err != nil || err2 != nil || to.Scheme != from.Scheme || to.Host != from.Host {
		return text
	}
	if to.User.String() == url.User(Hidden).String() && from.User != nil {
		_, rest, _ := strings.Cut(text, "@")
		authority, _, _ := strings.Cut(strings.TrimPrefix(stored, from.Scheme+"://"), "/")
		userinfo, _, _ := cutLast(authority, "@")
		text = to.Scheme + "://" + userinfo + "@" + rest
	}
	head, query, ok := strings.Cut(text, "?")
	if !ok {
		return text
	}
	old := map[string][]string{}
	_, storedQuery, _ := strings.Cut(stored, "?")
	mapParams(storedQuery, func(name, value string, _ int) string {
		old[name] = append(old[name], value)
		return value
	})
	return head + "?" + mapParams(query, func(name, value string, _ int) string {
		if value == Hidden && len(old[name]) > 0 {
			value, old[name] = old[name][0], old[name][1:]
		}
		return value
	})
}

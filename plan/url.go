package plan

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// ParseURL reads a request's URL: absolute, http or https, with a host, a port of 1..65535 if any, no space or
// control character, at most MaxURL bytes. What a query may not hold as it is (RFC 3986 section 3.4), such as a letter
// beyond ASCII, is percent-encoded in the result; net/url does the same for the path.
//
// Errors tell the position where they can, and never repeat any part of the text: it may be a credential.
func ParseURL(text string) (*url.URL, error) {
	switch {
	case strings.TrimSpace(text) == "":
		return nil, errors.New("a URL is needed")
	case len(text) > MaxURL:
		return nil, fmt.Errorf("at most %d bytes, not %d", MaxURL, len(text))
	case !utf8.ValidString(text):
		return nil, errors.New("is not valid UTF-8")
	}
	for i, c := range text {
		if c <= ' ' || c == 0x7f {
			return nil, fmt.Errorf("holds a space or control character at byte %d; write a space as %%20", i)
		}
	}
	scheme, _, ok := strings.Cut(text, "://")
	switch {
	case !ok || strings.ContainsAny(scheme, "/?#@"):
		return nil, errors.New("needs a scheme: http:// or https://")
	case !strings.EqualFold(scheme, "http") && !strings.EqualFold(scheme, "https"):
		return nil, errors.New("must begin with http:// or https://")
	}
	u, err := url.Parse(text)
	if err != nil {
		return nil, whyNoURL(text)
	}
	if err := checkAuthority(u); err != nil {
		return nil, err
	}
	u.RawQuery = encodeQuery(u.RawQuery)
	return u, nil
}

// whyNoURL says what is wrong with a text that url.Parse refuses; its own error would repeat the text.
func whyNoURL(text string) error {
	beforeQuery, _, _ := strings.Cut(text, "?")
	for i := range len(beforeQuery) {
		if beforeQuery[i] == '%' && !isEscape(beforeQuery[i:]) {
			return fmt.Errorf("holds a %% at byte %d that begins no escape; write it as %%25", i)
		}
	}
	return errors.New("is no URL; look at its user, host and port")
}

func isEscape(s string) bool {
	if len(s) < 3 {
		return false
	}
	_, err := strconv.ParseUint(s[1:3], 16, 8)
	return err == nil
}

func checkAuthority(u *url.URL) error {
	switch {
	case u.Hostname() == "":
		return errors.New("needs a host")
	case strings.HasSuffix(u.Host, ":"):
		return errors.New("has an empty port")
	}
	if port := u.Port(); port != "" {
		if n, err := strconv.Atoi(port); err != nil || n < 1 || n > 65535 {
			return errors.New("port must be 1 to 65535")
		}
	}
	return checkHost(u.Hostname())
}

// checkHost refuses what no resolver of the fleet can take. url.Parse has seen to it that IPv6 addresses, and nothing
// else, stand in brackets.
func checkHost(host string) error {
	if addr, err := netip.ParseAddr(host); err == nil {
		if addr.Zone() != "" {
			return errors.New("an IPv6 zone means nothing on another machine")
		}
		return nil
	}
	name := strings.TrimSuffix(host, ".")
	labels := strings.Split(name, ".")
	for _, label := range labels {
		if n := utf8.RuneCountInString(label); n < 1 || n > 63 {
			return errors.New("each part of the host's name must have 1 to 63 characters")
		}
	}
	if utf8.RuneCountInString(name) > 253 {
		return errors.New("the host's name must have at most 253 characters")
	}
	if strings.ContainsFunc(name, func(c rune) bool { return !isHostRune(c) }) {
		return errors.New("the host is no name or address")
	}
	// No top-level domain is a number (RFC 3696 section 2): this is an address with a slip in it.
	if last := labels[len(labels)-1]; len(labels) > 1 && strings.Trim(last, "0123456789") == "" {
		return errors.New("the host ends in a number but is no IPv4 address")
	}
	return nil
}

// isHostRune takes what DNS and IDNA may take: a dot, a letter, a digit, a hyphen, an underscore, and what can be seen
// beyond ASCII.
func isHostRune(c rune) bool {
	if c >= utf8.RuneSelf {
		return unicode.IsGraphic(c) && !unicode.IsSpace(c)
	}
	return c == '.' || c == '-' || c == '_' || '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}

// encodeQuery percent-encodes what browsers do (WHATWG URL, "query percent-encode set"), and leaves the rest as it is.
func encodeQuery(query string) string {
	var b strings.Builder
	for i := range len(query) {
		if c := query[i]; c >= utf8.RuneSelf || c == '"' || c == '<' || c == '>' {
			fmt.Fprintf(&b, "%%%02X", c)
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}

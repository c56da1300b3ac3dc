package plan

import (
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"time"
)

// FieldError says which field is at fault and why, in words for the person who wrote it.
type FieldError struct{ Field, Message string }

func (e FieldError) Error() string { return e.Field + ": " + e.Message }

// FieldErrors is every fault that a validation found, in the order of the fields. It is never empty when it is an error.
type FieldErrors []FieldError

func (e FieldErrors) Error() string {
	texts := make([]string, len(e))
	for i, f := range e {
		texts[i] = f.Error()
	}
	return strings.Join(texts, "; ")
}

// Add notes a fault.
func (e *FieldErrors) Add(field, format string, args ...any) {
	*e = append(*e, FieldError{field, fmt.Sprintf(format, args...)})
}

// Err is nil without faults.
func (e FieldErrors) Err() error {
	if len(e) == 0 {
		return nil
	}
	return e
}

var scenarioName = regexp.MustCompile(`^[0-9a-zA-Z_-]+$`)

// Validate checks the plan with its defaults written out. The error is a FieldErrors whose fields are paths such as
// "scenarios[0].request.url".
func (p Plan) Validate() error {
	p = p.Resolved()
	var errs FieldErrors
	if len(p.Scenarios) == 0 {
		errs.Add("scenarios", "a plan needs at least one scenario")
	}
	if len(p.Scenarios) > MaxScenarios {
		errs.Add("scenarios", "at most %d scenarios, not %d", MaxScenarios, len(p.Scenarios))
		return errs
	}
	if p.Share.N < 1 || p.Share.I < 0 || p.Share.I >= p.Share.N {
		errs.Add("share", "part %s does not exist", p.Share)
	}
	seen := map[string]bool{}
	for i, s := range p.Scenarios {
		prefix := fmt.Sprintf("scenarios[%d].", i)
		if seen[s.Name] {
			errs.Add(prefix+"name", "%q is taken by another scenario", s.Name)
		}
		seen[s.Name] = true
		s.validate(prefix, &errs)
	}
	return errs.Err()
}

func (s Scenario) validate(prefix string, errs *FieldErrors) {
	if !scenarioName.MatchString(s.Name) || len(s.Name) > 128 {
		errs.Add(prefix+"name", "must be 1 to 128 of 0-9 a-z A-Z _ -")
	}
	if s.Executor != ConstantVUs {
		errs.Add(prefix+"executor", "unknown executor %.40q; known: %s", s.Executor, ConstantVUs)
	}
	if s.VUs < 1 || s.VUs > MaxVUs {
		errs.Add(prefix+"vus", "must be 1 to %d, not %d", MaxVUs, s.VUs)
	}
	within(errs, prefix+"duration", s.Duration, MinDuration, MaxDuration)
	if s.GracefulStop > MaxDuration {
		errs.Add(prefix+"gracefulStop", "must be at most %v, not %v", MaxDuration, s.GracefulStop)
	}
	within(errs, prefix+"pause", s.Pause, 0, MaxPause)
	s.Request.validate(prefix+"request.", errs)
}

func within(errs *FieldErrors, field string, d, least, most time.Duration) {
	if d < least || d > most {
		errs.Add(field, "must be %v to %v, not %v", least, most, d)
	}
}

func (r Request) validate(prefix string, errs *FieldErrors) {
	if !isToken(r.Method) || len(r.Method) > 32 {
		errs.Add(prefix+"method", "%.40q is no HTTP method", r.Method)
	}
	if _, err := ParseURL(r.URL); err != nil {
		errs.Add(prefix+"url", "%v", err)
	}
	validateHeader(prefix+"header", r.Header, errs)
	if len(r.Body) > MaxBody {
		errs.Add(prefix+"body", "at most %d bytes, not %d", MaxBody, len(r.Body))
	}
	within(errs, prefix+"timeout", r.Timeout, time.Millisecond, MaxTimeout)
	if r.MaxRedirects > MaxRedirects {
		errs.Add(prefix+"maxRedirects", "at most %d, not %d", MaxRedirects, r.MaxRedirects)
	}
	for _, s := range r.ExpectedStatuses {
		if s.Min < 100 || s.Max > 599 || s.Min > s.Max {
			errs.Add(prefix+"expectedStatuses", "%d-%d is no range of HTTP status codes (100 to 599)", s.Min, s.Max)
		}
	}
	switch r.HTTPVersion {
	case HTTPAuto, HTTP11, HTTP2:
	default:
		errs.Add(prefix+"httpVersion", "must be %s, %s or %s, not %.20q", HTTPAuto, HTTP11, HTTP2, string(r.HTTPVersion))
	}
}

// managedHeaders belong to the transport: a caller's value would make a request that lies about its own framing.
var managedHeaders = map[string]bool{"Content-Length": true, "Transfer-Encoding": true, "Trailer": true, "Upgrade": true, "Te": true}

func validateHeader(field string, h http.Header, errs *FieldErrors) {
	total := 0
	for name, values := range h {
		if !isToken(name) {
			errs.Add(field, "%.60q is no header name", name)
			continue
		}
		if managedHeaders[http.CanonicalHeaderKey(name)] {
			errs.Add(field, "%s is set by the engine", name)
		}
		for _, v := range values {
			total += len(name) + len(v) + 4
			if strings.ContainsFunc(v, func(c rune) bool { return c < ' ' && c != '\t' || c == 0x7f }) {
				// The value may be a secret, so it is not shown.
				errs.Add(field, "the value of %s holds a control character", name)
			}
		}
	}
	if total > MaxHeaderBytes {
		errs.Add(field, "at most %d bytes in all, not %d", MaxHeaderBytes, total)
	}
}

// isToken tells whether s is a token of RFC 9110 section 5.6.2.
func isToken(s string) bool {
	if s == "" {
		return false
	}
	for i := range len(s) {
		c := s[i]
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		case strings.IndexByte("!#$%&'*+-.^_`|~", c) >= 0:
		default:
			return false
		}
	}
	return true
}

// ParseURL reads a request's URL: absolute, http or https, with a host, a port of 1..65535 if any, no space or
// control character, at most MaxURL bytes. Errors never repeat a part that may hold a credential.
func ParseURL(text string) (*url.URL, error) {
	switch {
	case strings.TrimSpace(text) == "":
		return nil, fmt.Errorf("a URL is needed")
	case len(text) > MaxURL:
		return nil, fmt.Errorf("at most %d bytes, not %d", MaxURL, len(text))
	case !utf8.ValidString(text):
		return nil, fmt.Errorf("is not valid UTF-8")
	}
	for i, c := range text {
		if c <= ' ' || c == 0x7f {
			return nil, fmt.Errorf("holds a space or control character at byte %d; write a space as %%20", i)
		}
	}
	u, err := url.Parse(text)
	if err != nil {
		return nil, fmt.Errorf("is no URL")
	}
	switch {
	case u.Scheme == "":
		return nil, fmt.Errorf("needs a scheme: http:// or https://")
	case u.Scheme != "http" && u.Scheme != "https":
		return nil, fmt.Errorf("must be http or https, not %.20q", u.Scheme)
	case u.Opaque != "" || u.Hostname() == "":
		return nil, fmt.Errorf("needs a host")
	case strings.HasSuffix(u.Host, ":"):
		return nil, fmt.Errorf("has an empty port")
	}
	if port := u.Port(); port != "" {
		if n, err := strconv.Atoi(port); err != nil || n < 1 || n > 65535 {
			return nil, fmt.Errorf("port must be 1 to 65535")
		}
	}
	if err := checkHost(u.Hostname()); err != nil {
		return nil, err
	}
	return u, nil
}

// checkHost refuses what no resolver can take. An IPv6 zone names an interface of one machine, so a fleet can't use it.
func checkHost(host string) error {
	if addr, err := netip.ParseAddr(host); err == nil {
		if addr.Zone() != "" {
			return fmt.Errorf("an IPv6 zone means nothing on another machine")
		}
		return nil
	}
	if strings.ContainsAny(host, " :%[]<>\"\\^`{|}") || len(host) > 253 {
		return fmt.Errorf("host %.60q is no name or address", host)
	}
	return nil
}

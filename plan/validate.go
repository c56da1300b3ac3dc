package plan

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// FieldError says which field is at fault and why, in words for the person who wrote it.
type FieldError struct{ Field, Message string }

func (e FieldError) Error() string { return e.Field + ": " + e.Message }

// FieldErrors is every fault that a validation found. It is never empty when it is an error.
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
	p.validateScript(&errs)
	p.Network.validate(&errs)
	p.validateThresholds(&errs)
	seen := map[string]bool{}
	for i, s := range p.Scenarios {
		prefix := fmt.Sprintf("scenarios[%d].", i)
		if seen[s.Name] {
			errs.Add(prefix+"name", "%q is taken by another scenario", s.Name)
		}
		seen[s.Name] = true
		s.validate(prefix, p.Script != "", &errs)
		s.Request.validate(prefix+"request.", &errs)
	}
	return errs.Err()
}

func (p Plan) validateScript(errs *FieldErrors) {
	switch {
	case p.Script == "":
	case len(p.Script) > MaxScript:
		errs.Add("script", "at most %d bytes, not %d", MaxScript, len(p.Script))
	case !utf8.ValidString(p.Script):
		errs.Add("script", "is not valid UTF-8")
	case strings.TrimSpace(p.Script) == "":
		errs.Add("script", "is blank")
	case len(p.Scenarios) > 1:
		errs.Add("script", "goes with one scenario, not %d", len(p.Scenarios))
	}
}

func within(errs *FieldErrors, field string, d, least, most time.Duration) {
	if d < least || d > most {
		errs.Add(field, "must be %v to %v, not %v", least, most, d)
	}
}

func (r Request) validate(prefix string, errs *FieldErrors) {
	switch {
	case !isToken(r.Method) || len(r.Method) > 32:
		errs.Add(prefix+"method", "%.40q is no HTTP method", r.Method)
	case r.Method == http.MethodConnect:
		errs.Add(prefix+"method", "CONNECT opens a tunnel, which is no request")
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
	if len(r.ExpectedStatuses) > maxStatusRanges {
		errs.Add(prefix+"expectedStatuses", "more than %d ranges", maxStatusRanges)
	}
	for _, s := range r.ExpectedStatuses[:min(len(r.ExpectedStatuses), maxStatusRanges)] {
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

// isManaged tells whether a header belongs to the transport: a caller's value would make a request that lies about its
// own framing.
func isManaged(canonical string) bool {
	switch canonical {
	case "Content-Length", "Transfer-Encoding", "Trailer", "Upgrade", "Te":
		return true
	}
	return false
}

func validateHeader(field string, h http.Header, errs *FieldErrors) {
	total := 0
	for name, values := range h {
		total += max(len(values), 1) * (len(name) + len(": \r\n"))
		for _, v := range values {
			total += len(v)
		}
	}
	if total > MaxHeaderBytes {
		errs.Add(field, "at most %d bytes in all, not %d", MaxHeaderBytes, total)
		return
	}
	for _, name := range slices.Sorted(maps.Keys(h)) {
		switch canonical := http.CanonicalHeaderKey(name); {
		case !isToken(name):
			errs.Add(field, "%.60q is no header name", name)
		case isManaged(canonical):
			errs.Add(field, "%s is set by the engine", name)
		case canonical == "Host" && !isHost(h[name]):
			errs.Add(field, "Host must be one host, with a port or without")
		case slices.ContainsFunc(h[name], hasControl):
			// The value may be a secret, so it is not shown.
			errs.Add(field, "the value of %s holds a control character", name)
		}
	}
}

// isHost tells whether the values of a Host header are one host with or without a port.
func isHost(values []string) bool {
	if len(values) != 1 {
		return false
	}
	u, err := ParseURL("http://" + values[0])
	return err == nil && u.Host == values[0]
}

// hasControl finds what RFC 9110 section 5.5 keeps out of a field value.
func hasControl(value string) bool {
	return strings.ContainsFunc(value, func(c rune) bool { return c < ' ' && c != '\t' || c == 0x7f })
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

package plan_test

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nollagluiz/broadside/plan"
)

// faults are the fields that Validate finds at fault.
func faults(t *testing.T, p plan.Plan) []string {
	t.Helper()
	err := p.Validate()
	var errs plan.FieldErrors
	if err == nil {
		return nil
	}
	if !errors.As(err, &errs) || len(errs) == 0 {
		t.Fatalf("error %#v; want FieldErrors with one at least", err)
	}
	var out []string
	for _, e := range errs {
		if e.Message == "" || !strings.Contains(err.Error(), e.Error()) {
			t.Errorf("fault %+v is not told by %q", e, err)
		}
		out = append(out, e.Field)
	}
	return out
}

func checkFaults(t *testing.T, p plan.Plan, fields ...string) {
	t.Helper()
	if got := faults(t, p); !slices.Equal(got, fields) {
		t.Errorf("faults %q; want %q", got, fields)
	}
}

func TestValidatePlan(t *testing.T) {
	for _, c := range []struct {
		name   string
		fields []string
		edit   func(p *plan.Plan)
	}{
		{"the shortest", nil, func(p *plan.Plan) {}},
		{"resolved", nil, func(p *plan.Plan) { *p = p.Resolved() }},
		{"a share", nil, func(p *plan.Plan) { p.Share = plan.Share{I: 2, N: 3} }},
		{"no scenario", []string{"scenarios"}, func(p *plan.Plan) { p.Scenarios = nil }},
		{"too many scenarios", []string{"scenarios"}, func(p *plan.Plan) { p.Scenarios = make([]plan.Scenario, plan.MaxScenarios+1) }},
		{"two of one name", []string{"scenarios[1].name"}, func(p *plan.Plan) { p.Scenarios = append(p.Scenarios, p.Scenarios[0]) }},
		{"a share too many", []string{"share"}, func(p *plan.Plan) { p.Share = plan.Share{I: 3, N: 3} }},
		{"a negative share", []string{"share"}, func(p *plan.Plan) { p.Share = plan.Share{I: -1, N: 3} }},
		{"a share of less than none", []string{"share"}, func(p *plan.Plan) { p.Share = plan.Share{N: -1} }},
		{"every fault at once", []string{"share", "scenarios[0].vus", "scenarios[0].request.url"}, func(p *plan.Plan) {
			p.Share.N, p.Scenarios[0].VUs, p.Scenarios[0].Request.URL = -1, -1, ""
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := shortest()
			c.edit(&p)
			checkFaults(t, p, c.fields...)
		})
	}
}

func TestValidateScenario(t *testing.T) {
	for _, c := range []struct {
		name, field string // field "": valid
		edit        func(s *plan.Scenario)
	}{
		{"a name", "", func(s *plan.Scenario) { s.Name = "Az_09-" }},
		{"a name with a space", "name", func(s *plan.Scenario) { s.Name = "a b" }},
		{"a name with a new line", "name", func(s *plan.Scenario) { s.Name = "a\n" }},
		{"a name of 129", "name", func(s *plan.Scenario) { s.Name = strings.Repeat("a", 129) }},
		{"an unknown executor", "executor", func(s *plan.Scenario) { s.Executor = "constant-vu" }},
		{"the most VUs", "", func(s *plan.Scenario) { s.VUs = plan.MaxVUs }},
		{"a VU too many", "vus", func(s *plan.Scenario) { s.VUs = plan.MaxVUs + 1 }},
		{"negative VUs", "vus", func(s *plan.Scenario) { s.VUs = -1 }},
		{"the shortest duration", "", func(s *plan.Scenario) { s.Duration = time.Second }},
		{"too short", "duration", func(s *plan.Scenario) { s.Duration = time.Second - 1 }},
		{"a day", "", func(s *plan.Scenario) { s.Duration = 24 * time.Hour }},
		{"over a day", "duration", func(s *plan.Scenario) { s.Duration = 24*time.Hour + 1 }},
		{"negative duration", "duration", func(s *plan.Scenario) { s.Duration = -1 }},
		{"no grace", "", func(s *plan.Scenario) { s.GracefulStop = -time.Hour }},
		{"endless grace", "gracefulStop", func(s *plan.Scenario) { s.GracefulStop = 24*time.Hour + 1 }},
		{"a pause", "", func(s *plan.Scenario) { s.Pause = time.Hour }},
		{"a long pause", "pause", func(s *plan.Scenario) { s.Pause = time.Hour + 1 }},
		{"a negative pause", "pause", func(s *plan.Scenario) { s.Pause = -1 }},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := shortest()
			c.edit(&p.Scenarios[0])
			if c.field == "" {
				checkFaults(t, p)
			} else {
				checkFaults(t, p, "scenarios[0]."+c.field)
			}
		})
	}
}

func header(name string, values ...string) http.Header { return http.Header{name: values} }

// headerOf takes n bytes on the wire.
func headerOf(n int) http.Header { return header("X", strings.Repeat("v", n-len("X: \r\n"))) }

func TestValidateRequest(t *testing.T) {
	for _, c := range []struct {
		name, field string // field "": valid
		edit        func(r *plan.Request)
	}{
		{"a method of another RFC", "", func(r *plan.Request) { r.Method = "PROPFIND" }},
		{"a lower-case method", "", func(r *plan.Request) { r.Method = "get" }},
		{"a method with a space", "method", func(r *plan.Request) { r.Method = "GET /" }},
		{"a method with a new line", "method", func(r *plan.Request) { r.Method = "GET\r\n" }},
		{"a method of 33", "method", func(r *plan.Request) { r.Method = strings.Repeat("A", 33) }},
		{"a tunnel", "method", func(r *plan.Request) { r.Method = http.MethodConnect }},
		{"no URL", "url", func(r *plan.Request) { r.URL = "" }},
		{"ftp", "url", func(r *plan.Request) { r.URL = "ftp://h/" }},
		{"a header", "", func(r *plan.Request) { r.Header = header("x-odd!#$%&'*+-.^_`|~", "a\tb", "", "ü") }},
		{"a header without a name", "header", func(r *plan.Request) { r.Header = header("", "v") }},
		{"a space in a name", "header", func(r *plan.Request) { r.Header = header("X Y", "v") }},
		{"a colon in a name", "header", func(r *plan.Request) { r.Header = header("X:", "v") }},
		{"a letter beyond ASCII in a name", "header", func(r *plan.Request) { r.Header = header("Ü", "v") }},
		{"a pseudo header", "header", func(r *plan.Request) { r.Header = header(":authority", "v") }},
		{"a new line in a value", "header", func(r *plan.Request) { r.Header = header("X", "a\r\nY: b") }},
		{"a NUL in a value", "header", func(r *plan.Request) { r.Header = header("X", "fine", "a\x00") }},
		{"DEL in a value", "header", func(r *plan.Request) { r.Header = header("X", "a\x7f") }},
		{"a length of one's own", "header", func(r *plan.Request) { r.Header = header("content-length", "3") }},
		{"an encoding of one's own", "header", func(r *plan.Request) { r.Header = header("Transfer-Encoding", "chunked") }},
		{"an upgrade", "header", func(r *plan.Request) { r.Header = header("Upgrade", "websocket") }},
		{"a trailer", "header", func(r *plan.Request) { r.Header = header("Trailer", "X") }},
		{"TE", "header", func(r *plan.Request) { r.Header = header("TE", "gzip") }},
		{"another host", "", func(r *plan.Request) { r.Header = header("Host", "other.example:81") }},
		{"an IPv6 host", "", func(r *plan.Request) { r.Header = header("host", "[::1]:81") }},
		{"two hosts", "header", func(r *plan.Request) { r.Header = header("Host", "a", "b") }},
		{"no host", "header", func(r *plan.Request) { r.Header = header("Host") }},
		{"an empty host", "header", func(r *plan.Request) { r.Header = header("Host", "") }},
		{"a host with a path", "header", func(r *plan.Request) { r.Header = header("Host", "a/b") }},
		{"a host with a user", "header", func(r *plan.Request) { r.Header = header("Host", "u@a") }},
		{"a host with port 0", "header", func(r *plan.Request) { r.Header = header("Host", "a:0") }},
		{"headers as large as allowed", "", func(r *plan.Request) { r.Header = headerOf(plan.MaxHeaderBytes) }},
		{"headers a byte too large", "header", func(r *plan.Request) { r.Header = headerOf(plan.MaxHeaderBytes + 1) }},
		{"names alone that are too large", "header", func(r *plan.Request) { r.Header = header(strings.Repeat("a", plan.MaxHeaderBytes)) }},
		{"the largest body", "", func(r *plan.Request) { r.Body = make([]byte, plan.MaxBody) }},
		{"a body too large", "body", func(r *plan.Request) { r.Body = make([]byte, plan.MaxBody+1) }},
		{"a millisecond", "", func(r *plan.Request) { r.Timeout = time.Millisecond }},
		{"a nanosecond", "timeout", func(r *plan.Request) { r.Timeout = 1 }},
		{"a negative time-out", "timeout", func(r *plan.Request) { r.Timeout = -1 }},
		{"ten minutes", "", func(r *plan.Request) { r.Timeout = 10 * time.Minute }},
		{"more", "timeout", func(r *plan.Request) { r.Timeout = 10*time.Minute + 1 }},
		{"no redirect", "", func(r *plan.Request) { r.MaxRedirects = -7 }},
		{"too many redirects", "maxRedirects", func(r *plan.Request) { r.MaxRedirects = 101 }},
		{"statuses", "", func(r *plan.Request) { r.ExpectedStatuses = plan.Statuses{{Min: 100, Max: 599}} }},
		{"a status below", "expectedStatuses", func(r *plan.Request) { r.ExpectedStatuses = plan.Statuses{{Min: 99, Max: 200}} }},
		{"a status above", "expectedStatuses", func(r *plan.Request) { r.ExpectedStatuses = plan.Statuses{{Min: 200, Max: 600}} }},
		{"statuses backwards", "expectedStatuses", func(r *plan.Request) { r.ExpectedStatuses = plan.Statuses{{Min: 300, Max: 200}} }},
		{"too many ranges", "expectedStatuses", func(r *plan.Request) { r.ExpectedStatuses = slices.Repeat(plan.Statuses{{Min: 200, Max: 200}}, 65) }},
		{"HTTP/1.1", "", func(r *plan.Request) { r.HTTPVersion = plan.HTTP11 }},
		{"HTTP/2", "", func(r *plan.Request) { r.HTTPVersion = plan.HTTP2 }},
		{"HTTP/3", "httpVersion", func(r *plan.Request) { r.HTTPVersion = "3" }},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := shortest()
			c.edit(&p.Scenarios[0].Request)
			if c.field == "" {
				checkFaults(t, p)
			} else {
				checkFaults(t, p, "scenarios[0].request."+c.field)
			}
		})
	}
}

// However much is wrong, the error stays short, the same each time, and shows no header's value.
func TestValidateErrorIsBounded(t *testing.T) {
	p := shortest()
	h := http.Header{}
	for i := range 500 {
		h[fmt.Sprintf("bad name %d", i)] = []string{"hunter2\x00"}
		h[fmt.Sprintf("X-%d", i)] = []string{"hunter2\x00"}
	}
	p.Scenarios[0].Request.Header = h
	p.Scenarios[0].Request.Method = strings.Repeat("\x00", 1<<16)
	p.Scenarios[0].Executor = strings.Repeat("x", 1<<16)
	p.Scenarios[0].Request.HTTPVersion = plan.HTTPVersion(strings.Repeat("x", 1<<16))
	first := p.Validate()
	if first == nil || len(first.Error()) > 200<<10 {
		t.Fatalf("an error of %d bytes", len(first.Error()))
	}
	if strings.Contains(first.Error(), "hunter2") {
		t.Error("a header's value is shown")
	}
	if second := p.Validate(); second.Error() != first.Error() {
		t.Error("the error is another one the second time")
	}
}

func TestFieldErrors(t *testing.T) {
	var errs plan.FieldErrors
	if errs.Err() != nil {
		t.Errorf("no fault is %v", errs.Err())
	}
	errs.Add("a", "is %d", 1)
	errs.Add("b", "is %q", "x")
	if got := errs.Err().Error(); got != `a: is 1; b: is "x"` {
		t.Errorf("error %q", got)
	}
}

package fleet_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/nollagluiz/broadside/fleet"
	"github.com/nollagluiz/broadside/plan"
)

// site is the shortest target.
func site() fleet.Target {
	t := fleet.NewTarget()
	t.URL = "https://example.org/"
	return t
}

// The defaults that docs/wire.md states, as the wire has them.
func TestNewTarget(t *testing.T) {
	got, err := json.MarshalIndent(fleet.NewTarget(), "", " ")
	if err != nil {
		t.Fatal(err)
	}
	want := `{
 "id": "",
 "url": "",
 "label": "",
 "vus": 1,
 "durationS": 30,
 "runIntervalMs": 60000,
 "enabled": true,
 "method": "GET",
 "headers": {},
 "secretHeaders": [],
 "body": "",
 "timeoutMs": 60000,
 "expectedStatuses": "200-399",
 "maxRedirects": 10,
 "insecureSkipVerify": false,
 "httpVersion": "auto",
 "pauseMs": 0,
 "gracefulStopS": 30,
 "options": {},
 "script": "",
 "revision": 0,
 "createdAt": "0001-01-01T00:00:00.000Z",
 "updatedAt": "0001-01-01T00:00:00.000Z"
}`
	if d := cmp.Diff(want, string(got)); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	if err := site().Validate(); err != nil {
		t.Errorf("the defaults with a URL: %v", err)
	}
}

// jsonNames are the fields of the wire.
func jsonNames() []string {
	var out []string
	typ := reflect.TypeFor[fleet.Target]()
	for i := range typ.NumField() {
		name, _, _ := strings.Cut(typ.Field(i).Tag.Get("json"), ",")
		out = append(out, name)
	}
	return out
}

// checkTarget holds the faults of t against the fields named, in any order; each must be a field of the wire.
func checkTarget(t *testing.T, target fleet.Target, want string) {
	t.Helper()
	var got []string
	if err := target.Validate(); err != nil {
		var faults plan.FieldErrors
		if !errors.As(err, &faults) {
			t.Fatalf("error %#v; want plan.FieldErrors", err)
		}
		for _, f := range faults {
			got = append(got, f.Field)
			if !slices.Contains(jsonNames(), f.Field) {
				t.Errorf("%q is no field of the wire", f.Field)
			}
			if f.Message == "" || len(f.Message) > 300 {
				t.Errorf("%s: a message of %d bytes", f.Field, len(f.Message))
			}
		}
	}
	slices.Sort(got)
	if text := strings.Join(got, " "); text != want {
		t.Errorf("faults %q; want %q: %v", text, want, target.Validate())
	}
}

// What a person may mistype, and what a program may send: rows that belong to one field. plan's own tables go further
// into URLs, headers and status lists.
func TestValidateNumbers(t *testing.T) {
	huge := math.MaxInt
	for _, f := range []struct {
		field       string
		set         func(t *fleet.Target, v int)
		least, most int
	}{
		{"vus", func(t *fleet.Target, v int) { t.VUs = v }, 1, 10_000},
		{"durationS", func(t *fleet.Target, v int) { t.DurationS = v }, 1, 86_400},
		{"runIntervalMs", func(t *fleet.Target, v int) { t.RunIntervalMs = int64(v) }, 1000, 366 * 86_400_000},
		{"timeoutMs", func(t *fleet.Target, v int) { t.TimeoutMs = v }, 1, 600_000},
		{"maxRedirects", func(t *fleet.Target, v int) { t.MaxRedirects = v }, 0, 100},
		{"pauseMs", func(t *fleet.Target, v int) { t.PauseMs = v }, 0, 3_600_000},
		{"gracefulStopS", func(t *fleet.Target, v int) { t.GracefulStopS = v }, 0, 86_400},
	} {
		for _, v := range []int{f.least, f.most, f.least - 1, f.most + 1, -1, -huge, math.MinInt, huge, huge/1_000_000 + 1} {
			t.Run(fmt.Sprintf("%s %d", f.field, v), func(t *testing.T) {
				target := site()
				f.set(&target, v)
				want := ""
				if v < f.least || v > f.most {
					want = f.field
				}
				checkTarget(t, target, want)
			})
		}
	}
}

func TestValidate(t *testing.T) {
	headers := func(pairs ...string) func(*fleet.Target) {
		return func(t *fleet.Target) {
			for i := 0; i < len(pairs); i += 2 {
				t.Headers[pairs[i]] = pairs[i+1]
			}
		}
	}
	for _, c := range []struct {
		name, faults string
		edit         func(t *fleet.Target)
	}{
		{"the defaults", "", func(*fleet.Target) {}},
		{"a label", "", func(t *fleet.Target) { t.Label = "Loja São Paulo ✓ 例え" }},
		{"a label of 200 characters", "", func(t *fleet.Target) { t.Label = strings.Repeat("ß", 200) }},
		{"a label of 201", "label", func(t *fleet.Target) { t.Label = strings.Repeat("ß", 201) }},
		{"a label of 1 MB", "label", func(t *fleet.Target) { t.Label = strings.Repeat("x", 1<<20) }},
		{"a label of two lines", "label", func(t *fleet.Target) { t.Label = "a\nb" }},
		{"a label with NUL", "label", func(t *fleet.Target) { t.Label = "a\x00" }},
		{"a label with C1", "label", func(t *fleet.Target) { t.Label = "a\u0085" }},
		{"a label that is no UTF-8", "label", func(t *fleet.Target) { t.Label = "a\xff" }},
		{"markup in a label", "", func(t *fleet.Target) { t.Label = `<script>alert("x")</script>` }},
		{"disabled", "", func(t *fleet.Target) { t.Enabled = false }},
		{"no URL", "url", func(t *fleet.Target) { t.URL = "" }},
		{"no scheme", "url", func(t *fleet.Target) { t.URL = "example.org" }},
		{"no scheme, a port", "url", func(t *fleet.Target) { t.URL = "localhost:8080" }},
		{"scheme-relative", "url", func(t *fleet.Target) { t.URL = "//example.org" }},
		{"ftp", "url", func(t *fleet.Target) { t.URL = "ftp://example.org" }},
		{"no host", "url", func(t *fleet.Target) { t.URL = "http://" }},
		{"port 0", "url", func(t *fleet.Target) { t.URL = "http://h:0" }},
		{"port 65536", "url", func(t *fleet.Target) { t.URL = "http://h:65536" }},
		{"a space in the host", "url", func(t *fleet.Target) { t.URL = "http://h h/" }},
		{"a space in the query", "url", func(t *fleet.Target) { t.URL = "http://h/?a b" }},
		{"5 KB", "url", func(t *fleet.Target) { t.URL = "http://h/" + strings.Repeat("x", 5000) }},
		{"NUL in the URL", "url", func(t *fleet.Target) { t.URL = "http://h/\x00" }},
		{"IPv6", "", func(t *fleet.Target) { t.URL = "http://[::1]:8080/" }},
		{"credentials", "", func(t *fleet.Target) { t.URL = "http://u:p@h/?token=x" }},
		{"a user of stars", "url", func(t *fleet.Target) { t.URL = "http://***@h/" }},
		{"a token of stars", "url", func(t *fleet.Target) { t.URL = "http://h/?token=***" }},
		{"stars elsewhere", "", func(t *fleet.Target) { t.URL = "http://h/***?q=***" }},
		{"a method", "", func(t *fleet.Target) { t.Method = "PROPFIND" }},
		{"no method", "method", func(t *fleet.Target) { t.Method = "" }},
		{"a method with a space", "method", func(t *fleet.Target) { t.Method = "GET x" }},
		{"a method with a new line", "method", func(t *fleet.Target) { t.Method = "GET\r\nX: y" }},
		{"a method beyond ASCII", "method", func(t *fleet.Target) { t.Method = "GËT" }},
		{"a long method", "method", func(t *fleet.Target) { t.Method = strings.Repeat("A", 1<<16) }},
		{"CONNECT", "method", func(t *fleet.Target) { t.Method = "CONNECT" }},
		{"headers", "", headers("Accept", "text/html", "X-Empty", "", "Authorization", "Bearer x")},
		{"no headers at all", "", func(t *fleet.Target) { t.Headers = nil }},
		{"a header without a name", "headers", headers("", "x")},
		{"a header with a space", "headers", headers("X Y", "x")},
		{"a header with a colon", "headers", headers("X:", "x")},
		{"a value with a new line", "headers", headers("X", "a\r\nb")},
		{"a value with NUL", "headers", headers("X", "\x00")},
		{"one header twice", "headers", headers("X-A", "1", "x-a", "2")},
		{"a header of the engine", "headers", headers("content-length", "1")},
		{"another host", "", headers("Host", "other.example")},
		{"a host that is none", "headers", headers("Host", "a/b")},
		{"17 KB of headers", "headers", headers("X", strings.Repeat("x", 17<<10))},
		{"a header of stars", "headers", headers("X-Any", "***")},
		{"secret headers", "", func(t *fleet.Target) { headers("X-A", "1")(t); t.SecretHeaders = []string{"x-a"} }},
		{"a secret header that isn't there", "secretHeaders", func(t *fleet.Target) { t.SecretHeaders = []string{"X-A"} }},
		{"65 secret headers", "secretHeaders", func(t *fleet.Target) {
			headers("X-A", "1")(t)
			t.SecretHeaders = slices.Repeat([]string{"X-A"}, 65)
		}},
		{"a body", "", func(t *fleet.Target) { t.Body = "a=1\x00\r\n" }},
		{"a body of 1 MiB", "", func(t *fleet.Target) { t.Body = strings.Repeat("x", 1<<20) }},
		{"a body of more", "body", func(t *fleet.Target) { t.Body = strings.Repeat("x", 1<<20+1) }},
		{"a body of stars", "body", func(t *fleet.Target) { t.Body = "***" }},
		{"statuses", "", func(t *fleet.Target) { t.ExpectedStatuses = "200,201-204, 418" }},
		{"no statuses: the default", "", func(t *fleet.Target) { t.ExpectedStatuses = "" }},
		{"statuses in words", "expectedStatuses", func(t *fleet.Target) { t.ExpectedStatuses = "2xx" }},
		{"status 99", "expectedStatuses", func(t *fleet.Target) { t.ExpectedStatuses = "99" }},
		{"status 600", "expectedStatuses", func(t *fleet.Target) { t.ExpectedStatuses = "200-600" }},
		{"statuses backwards", "expectedStatuses", func(t *fleet.Target) { t.ExpectedStatuses = "399-200" }},
		{"100 ranges", "expectedStatuses", func(t *fleet.Target) { t.ExpectedStatuses = strings.Repeat("200,", 100) + "200" }},
		{"HTTP/1.1", "", func(t *fleet.Target) { t.HTTPVersion = "1.1" }},
		{"HTTP/2", "", func(t *fleet.Target) { t.HTTPVersion = "2" }},
		{"no version", "httpVersion", func(t *fleet.Target) { t.HTTPVersion = "" }},
		{"HTTP/3", "httpVersion", func(t *fleet.Target) { t.HTTPVersion = "3" }},
		{"a long version", "httpVersion", func(t *fleet.Target) { t.HTTPVersion = strings.Repeat("1", 1<<16) }},
		{"an interval shorter than the run", "", func(t *fleet.Target) { t.DurationS, t.RunIntervalMs = 60, 1000 }},
		{"everything wrong", "durationS expectedStatuses gracefulStopS headers httpVersion label maxRedirects method pauseMs runIntervalMs secretHeaders timeoutMs url vus", func(t *fleet.Target) {
			*t = fleet.Target{
				URL: "x", Label: "\x00", VUs: -1, DurationS: -1, RunIntervalMs: -1, Method: "\x00", Headers: map[string]string{" ": ""}, SecretHeaders: []string{"X"},
				TimeoutMs: -1, ExpectedStatuses: "x", MaxRedirects: -1, HTTPVersion: "x", PauseMs: -1, GracefulStopS: -1,
			}
		}},
		{"the zero Target", "durationS httpVersion method runIntervalMs timeoutMs url vus", func(t *fleet.Target) { *t = fleet.Target{} }},
	} {
		t.Run(c.name, func(t *testing.T) {
			target := site()
			c.edit(&target)
			checkTarget(t, target, c.faults)
		})
	}
}

// Field report 22: what is wrong with a secret is said without it.
func TestValidateKeepsSecrets(t *testing.T) {
	target := secretTarget()
	target.URL = "http://user:hunter2@h:0/?token=hunter2"
	target.Headers["X-Api-Key"] = "hunter2\x00"
	target.Body = strings.Repeat("hunter2", 1<<20)
	err := target.Validate()
	if err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("error %v", err)
	}
	var plain *fleet.Error
	if wrapped := fleet.Invalid(err); !errors.As(wrapped, &plain) || plain.Code != fleet.ValidationFailed || len(plain.Fields) != 3 {
		t.Errorf("on the wire: %+v", plain)
	}
}

// Each field of a target arrives where the engine looks for it.
func TestPlan(t *testing.T) {
	target := fleet.Target{
		URL: "https://u:p@example.org/?token=x", Label: "Shop", VUs: 3, DurationS: 20, RunIntervalMs: 5000, Enabled: true,
		Method: "POST", Headers: map[string]string{"accept": "a", "x-mine": "b", "authorization": "c"}, SecretHeaders: []string{"X-MINE"}, Body: "hello",
		TimeoutMs: 1500, ExpectedStatuses: "200-204,418", MaxRedirects: 3, InsecureSkipVerify: true, HTTPVersion: "2", PauseMs: 250, GracefulStopS: 5,
	}
	if err := target.Validate(); err != nil {
		t.Fatal(err)
	}
	got, err := target.Plan()
	if err != nil {
		t.Fatal(err)
	}
	want := plan.Plan{Name: "Shop", Scenarios: []plan.Scenario{{
		Executor: "constant-vus", VUs: 3, Duration: 20 * time.Second, GracefulStop: 5 * time.Second, Pause: 250 * time.Millisecond,
		Request: plan.Request{
			Method: "POST", URL: target.URL, Body: []byte("hello"), Timeout: 1500 * time.Millisecond, MaxRedirects: 3,
			Header:             map[string][]string{"Accept": {"a"}, "X-Mine": {"b"}, "Authorization": {"c"}},
			SecretHeaders:      []string{"Authorization", "X-Mine"}, // what people don't see, no redirect takes along
			ExpectedStatuses:   plan.Statuses{{Min: 200, Max: 204}, {Min: 418, Max: 418}},
			InsecureSkipVerify: true, HTTPVersion: plan.HTTP2,
		},
	}}}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	for range 20 { // maps have no order
		again, _ := target.Plan()
		if d := cmp.Diff(got, again); d != "" {
			t.Fatalf("another plan the next time:\n%s", d)
		}
	}
	if got := target.RunInterval(); got != 5*time.Second {
		t.Errorf("interval %v; want 5s", got)
	}
}

// A target's 0 is none, where a plan's 0 is the default.
func TestPlanOfZeros(t *testing.T) {
	target := site()
	target.MaxRedirects, target.GracefulStopS, target.PauseMs = 0, 0, 0
	p, err := target.Plan()
	if err != nil {
		t.Fatal(err)
	}
	s := p.Resolved().Scenarios[0]
	if s.Request.MaxRedirects >= 0 || s.GracefulStop >= 0 || s.Pause != 0 {
		t.Errorf("redirects %d, grace %v, pause %v; want none", s.Request.MaxRedirects, s.GracefulStop, s.Pause)
	}
	target.ExpectedStatuses = "x"
	if _, err := target.Plan(); err == nil {
		t.Error("a plan with statuses that can't be read")
	}
}

func TestName(t *testing.T) {
	for _, c := range []struct{ label, want string }{
		{"Shop", "Shop"}, {" Shop ", " Shop "}, {"", "https://example.org/"}, {" \u00a0", "https://example.org/"},
	} {
		target := site()
		target.Label = c.label
		if got := target.Name(); got != c.want {
			t.Errorf("label %q: name %q; want %q", c.label, got, c.want)
		}
	}
}

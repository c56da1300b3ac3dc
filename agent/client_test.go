package agent

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"
	"github.com/sirupsen/logrus"

	"github.com/nollagluiz/broadside/fleet"
	"github.com/nollagluiz/broadside/plan"
)

// TestClientTrustsNothing: answers are bounded, redirects are not followed with the secret, and an error says no more
// than fits a log.
func TestClientTrustsNothing(t *testing.T) {
	var elsewhere int
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { elsewhere++ }))
	defer other.Close()
	for _, tc := range []struct {
		name   string
		answer func(w http.ResponseWriter)
		status int
		text   string
	}{
		{"endless", func(w http.ResponseWriter) {
			for range 20 {
				if _, err := io.WriteString(w, strings.Repeat("x", 10<<10)); err != nil {
					return
				}
			}
		}, 0, "has over 65536 bytes"},
		{"no JSON", func(w http.ResponseWriter) { io.WriteString(w, "<html>") }, 0, "read the answer of /api/k6/agents/register"},
		{"redirect", func(w http.ResponseWriter) {
			w.Header().Set("Location", other.URL)
			w.WriteHeader(http.StatusFound)
		}, 302, "302 Found"},
		{"a proxy's page", func(w http.ResponseWriter) { http.Error(w, "<html>", http.StatusBadGateway) }, 502, "502 Bad Gateway"},
		{"a problem", func(w http.ResponseWriter) {
			problem(w, http.StatusConflict, fleet.AgentNameInUse, "taken\n"+strings.Repeat("y", 1000))
		}, 409, `409 Conflict: "taken\nyyyy`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { tc.answer(w) }))
			defer server.Close()
			transport := NewTransport(1)
			defer transport.CloseIdleConnections()
			c := newClient(Config{DashboardURL: server.URL, Secret: "s", Name: "a", Transport: transport}, &clock{})
			_, err := c.register(t.Context(), fleet.Registration{})
			if err == nil || statusOf(err) != tc.status || !strings.Contains(err.Error(), tc.text) || len(err.Error()) > 400 {
				t.Errorf("error %v (status %d); want %d and %q", err, statusOf(err), tc.status, tc.text)
			}
		})
	}
	if elsewhere != 0 {
		t.Error("a redirect was followed")
	}
}

func TestDashboardURLPrefix(t *testing.T) {
	var path string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { path = r.URL.Path; io.WriteString(w, "{}") }))
	defer server.Close()
	transport := NewTransport(1)
	defer transport.CloseIdleConnections()
	c := newClient(Config{DashboardURL: server.URL + "/fleet/", Secret: "s", Name: "a", Transport: transport}, &clock{})
	if _, err := c.register(t.Context(), fleet.Registration{}); err != nil || path != "/fleet/api/k6/agents/register" {
		t.Errorf("called %s, %v", path, err)
	}
}

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, tc := range []struct {
		text string
		want time.Duration
	}{
		{"", 0},
		{"7", 7 * time.Second},
		{"0", 0},
		{"-3", 0},
		{"1000000", retryAfterMost},
		{"9223372036854775807", retryAfterMost},
		{"Thu, 01 Jan 2026 00:00:30 GMT", 30 * time.Second},
		{"Thu, 01 Jan 2099 00:00:00 GMT", retryAfterMost},
		{"Wed, 31 Dec 2025 00:00:00 GMT", 0},
		{"soon", 0},
	} {
		if got := retryAfter(tc.text, now); got != tc.want {
			t.Errorf("%q: %v; want %v", tc.text, got, tc.want)
		}
	}
}

func TestBackoff(t *testing.T) {
	var b backoff
	for i := range 100 {
		ceiling := 250 * time.Millisecond << min(i, 7)
		if wait := b.next(nil); wait < 0 || wait >= min(ceiling, 30*time.Second) {
			t.Errorf("wait %d is %v; want under %v", i, wait, min(ceiling, 30*time.Second))
		}
	}
	asked := &statusError{status: 503, retryAfter: time.Minute}
	if wait := b.next(asked); wait < time.Minute || wait >= 90*time.Second {
		t.Errorf("waits %v; want what was asked for and a jitter", wait)
	}
	b.reset()
	if wait := b.next(nil); wait >= 250*time.Millisecond {
		t.Errorf("waits %v after a success; want under 250ms", wait)
	}
}

func TestClock(t *testing.T) {
	local := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	server := local.Add(-400 * 24 * time.Hour)
	var c clock
	if got := c.at(local); !got.Equal(local) {
		t.Errorf("unset: %v; want the local time", got)
	}
	c.sync(time.Time{}, local, local) // an answer without a time
	if got := c.at(local); !got.Equal(local) {
		t.Errorf("after no time: %v; want the local time", got)
	}
	c.sync(server, local, local.Add(3*time.Second)) // the first is taken however slow
	if got, want := c.at(local.Add(10*time.Second)), server.Add(8500*time.Millisecond); !got.Equal(want) {
		t.Errorf("at %v; want %v: the answer was written in the middle", got, want)
	}
	c.sync(server.Add(time.Hour), local, local.Add(2*time.Second))
	if got, want := c.at(local.Add(10*time.Second)), server.Add(8500*time.Millisecond); !got.Equal(want) {
		t.Errorf("a slow answer moved the clock to %v; want %v", got, want)
	}
	c.sync(server, local, local.Add(10*time.Millisecond))
	if got, want := c.at(local.Add(time.Second)), server.Add(995*time.Millisecond); !got.Equal(want) {
		t.Errorf("at %v; want %v", got, want)
	}
}

func TestRunID(t *testing.T) {
	at := time.Date(2026, 3, 4, 5, 6, 7, 891_000_000, time.UTC)
	seen := map[string]bool{}
	for range 1000 {
		text := newRunID(at)
		id, err := uuid.Parse(text)
		if err != nil || id.Version() != 7 || id.Variant() != uuid.RFC4122 || seen[text] {
			t.Fatalf("%s: %v, version %d, seen %v", text, err, id.Version(), seen[text])
		}
		seen[text] = true
		if sec, nsec := id.Time().UnixTime(); !time.Unix(sec, nsec).Equal(at) {
			t.Fatalf("%s holds %v; want %v", text, time.Unix(sec, nsec).UTC(), at)
		}
	}
	if a, b := newRunID(at), newRunID(at.Add(time.Millisecond)); a >= b {
		t.Errorf("%s is not before %s", a, b)
	}
	if id := newRunID(time.Unix(-5, 0)); !strings.HasPrefix(id, "00000000-0000-7") {
		t.Errorf("a time before 1970 gives %s", id)
	}
}

func TestComplaints(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out := &logBuffer{}
		log := logrus.New()
		log.SetOutput(out)
		c := newComplaints(log)
		for range 200 { // two kinds of failure, each each second
			c.failed("poll", errors.New("connection refused"))
			c.failed("heartbeat", &statusError{status: 503})
			time.Sleep(time.Second)
		}
		if n := strings.Count(out.String(), "\n"); n != 8 {
			t.Errorf("%d lines in 200 s; want each kind at 0, 60, 120 and 180 s", n)
		}
	})
}

func TestConfig(t *testing.T) {
	good := Config{DashboardURL: "http://dashboard:3000", Secret: "s", Name: "a", Runner: fakeRun}
	for _, tc := range []struct {
		field string
		spoil func(*Config)
	}{
		{"", func(*Config) {}},
		{"", func(c *Config) { c.DashboardURL = "https://[::1]/prefix/" }},
		{"DashboardURL", func(c *Config) { c.DashboardURL = "" }},
		{"DashboardURL", func(c *Config) { c.DashboardURL = "dashboard:3000" }},
		{"DashboardURL", func(c *Config) { c.DashboardURL = "ftp://dashboard" }},
		{"DashboardURL", func(c *Config) { c.DashboardURL = "http://me:secret@dashboard" }},
		{"DashboardURL", func(c *Config) { c.DashboardURL = "http://dashboard?token=secret" }},
		{"Secret", func(c *Config) { c.Secret = "" }},
		{"Secret", func(c *Config) { c.Secret = "two\nlines" }},
		{"Name", func(c *Config) { c.Name = "" }},
		{"Name", func(c *Config) { c.Name = strings.Repeat("n", 201) }},
		{"Name", func(c *Config) { c.Name = "a\r\nX-Evil: 1" }},
		{"Runner", func(c *Config) { c.Runner = nil }},
		{"MaxConcurrentRuns", func(c *Config) { c.MaxConcurrentRuns = -1 }},
		{"PollInterval, HeartbeatInterval", func(c *Config) { c.PollInterval = -1 }},
		{"DefaultVUs, DefaultDuration", func(c *Config) { c.DefaultVUs = -1 }},
		{"DefaultVUs, DefaultDuration", func(c *Config) { c.DefaultDuration = 1500 * time.Millisecond }},
	} {
		cfg := good
		tc.spoil(&cfg)
		_, err := New(cfg)
		var field plan.FieldError
		errors.As(err, &field)
		if field.Field != tc.field || (err == nil) != (tc.field == "") {
			t.Errorf("%v; want a fault of %q", err, tc.field)
		}
		if err != nil && strings.Contains(err.Error(), "secret@") {
			t.Errorf("the error holds a secret: %v", err)
		}
	}
}

func TestInterval(t *testing.T) {
	for _, tc := range []struct {
		own     time.Duration
		askedMs int64
		want    time.Duration
	}{
		{0, 5000, 5 * time.Second},
		{0, 0, 7 * time.Second},
		{0, -1, 7 * time.Second},
		{0, 1, minInterval},
		{0, 1 << 62, maxInterval},
		{20 * time.Second, 5000, 20 * time.Second},
		{time.Second, 5000, 5 * time.Second},
	} {
		if got := interval(tc.own, tc.askedMs, 7*time.Second); got != tc.want {
			t.Errorf("own %v, asked %d ms: %v; want %v", tc.own, tc.askedMs, got, tc.want)
		}
	}
}

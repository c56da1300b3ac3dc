package dashboard_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sirupsen/logrus"

	"github.com/nollagluiz/broadside/dashboard"
	"github.com/nollagluiz/broadside/dashboard/store/sqlite"
	"github.com/nollagluiz/broadside/fleet"
	"github.com/nollagluiz/broadside/summary"
	"github.com/nollagluiz/broadside/summary/hist"
)

// Credentials of the tests.
const (
	adminUser     = "ops"
	adminPassword = "p:ssw0rd-of-the-tests"
	agentSecret   = "bearer-of-the-tests"
	nextSecret    = "bearer-of-the-rotation"
)

// Paths of the tests.
const (
	pathTargets   = "/api/admin/k6/targets"
	pathConfig    = "/api/admin/config"
	pathList      = "/api/dashboard/k6/targets"
	pathRuns      = "/api/dashboard/k6/runs"
	pathAgents    = "/api/dashboard/k6/agents"
	pathOverview  = "/api/dashboard/k6/summary"
	pathPoll      = "/api/k6/targets"
	pathResults   = "/api/k6/runs"
	pathRegister  = "/api/k6/agents/register"
	pathHeartbeat = "/api/k6/agents/heartbeat"
	pathGoodbye   = "/api/k6/agents/deregister"
)

// clock is a time that a test moves.
type clock struct {
	mu sync.Mutex // guards at
	at time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// fakeScaler is a fleet that is always as large as was asked last.
type fakeScaler struct {
	mu     sync.Mutex // guards the rest
	rounds int
	wakes  int
	err    error
}

func (s *fakeScaler) Reconcile(context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rounds++
	return s.err
}

func (s *fakeScaler) Wake() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.wakes++
}

func (s *fakeScaler) State() (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.rounds, s.err
}

// fixture is a dashboard on a SQLite file of its own, served on loopback.
type fixture struct {
	testing.TB
	clock   *clock
	store   dashboard.Store
	service *dashboard.Service
	server  *dashboard.Server
	scaler  *fakeScaler
	http    *httptest.Server
	log     *bytes.Buffer // what it logged, at the lowest level
	reaper  dashboard.ReaperStats

	open func() dashboard.Store // the file, anew
	gone func(fleet.Agent) bool // for the next start
}

// lockedBuffer lets many write a log.
type lockedBuffer struct {
	mu sync.Mutex // guards b
	b  *bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func newFixture(t testing.TB, wrap ...func(dashboard.Store) dashboard.Store) *fixture {
	t.Helper()
	f := &fixture{TB: t, clock: &clock{at: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}, scaler: &fakeScaler{}, log: &bytes.Buffer{}}
	path := filepath.Join(t.TempDir(), "fleet.db")
	var opened *sqlite.Store
	f.open = func() dashboard.Store {
		if opened != nil {
			f.must(opened.Close())
		}
		var err error
		opened, err = sqlite.Open(context.Background(), sqlite.Config{Path: path, Sync: sqlite.Normal})
		f.must(err)
		var store dashboard.Store = opened
		for _, w := range wrap {
			store = w(store)
		}
		return store
	}
	f.start()
	t.Cleanup(func() {
		f.http.Close()
		f.must(opened.Close())
	})
	return f
}

// start makes the dashboard of what is in the file, in place of the one before.
func (f *fixture) start() {
	f.Helper()
	if f.http != nil {
		f.http.Close()
	}
	f.store = f.open()
	log := logrus.New()
	log.SetOutput(&lockedBuffer{b: f.log})
	if _, ok := f.TB.(*testing.T); ok {
		log.SetLevel(logrus.TraceLevel)
	}
	var err error
	f.service, err = dashboard.NewService(f.Context(), dashboard.ServiceConfig{Store: f.store, Scaler: f.scaler, Gone: f.gone, Now: f.clock.now, Log: log})
	f.must(err)
	f.server, err = dashboard.New(dashboard.Config{
		Service:      f.service,
		Pages:        http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprintln(w, "page", r.Method, r.URL.Path) }),
		Admin:        dashboard.Credentials{User: adminUser, Password: adminPassword},
		AgentSecrets: []string{agentSecret, nextSecret},
		ReaperStats:  func() dashboard.ReaperStats { return f.reaper },
		Version:      "v0-test",
		Log:          log,
	})
	f.must(err)
	f.http = httptest.NewServer(f.server.Handler())
}

func (f *fixture) must(err error) {
	f.Helper()
	if err != nil {
		f.Fatal(err)
	}
}

// reply is an answer, read whole.
type reply struct {
	f      *fixture
	what   string
	status int
	header http.Header
	body   []byte
}

// problem is an error as the API answers it.
type problem struct {
	Type, Title, Detail string
	Status              int
	Code                fleet.Code
	Errors              []struct{ Location, Message string }
}

// option changes a request.
type option func(*http.Request)

func header(name, value string) option {
	return func(r *http.Request) { r.Header.Set(name, value) }
}

func asAdmin(r *http.Request) { r.SetBasicAuth(adminUser, adminPassword) }
func asAgent(r *http.Request) { r.Header.Set("Authorization", "Bearer "+agentSecret) }

// as is an agent by name in an epoch.
func as(name string, epoch int64) option {
	return func(r *http.Request) {
		asAgent(r)
		r.Header.Set(fleet.HeaderAgent, name)
		if epoch != 0 {
			r.Header.Set(fleet.HeaderEpoch, fmt.Sprint(epoch))
		}
	}
}

// call makes a request. A body that is no string or []byte is sent as JSON; nil is none.
func (f *fixture) call(method, path string, body any, options ...option) reply {
	f.Helper()
	var text []byte
	switch b := body.(type) {
	case nil:
	case string:
		text = []byte(b)
	case []byte:
		text = b
	default:
		var err error
		text, err = json.Marshal(b)
		f.must(err)
	}
	req, err := http.NewRequestWithContext(f.Context(), method, f.http.URL+path, bytes.NewReader(text))
	f.must(err)
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	for _, o := range options {
		o(req)
	}
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := client.Do(req)
	f.must(err)
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	f.must(err)
	return reply{f, method + " " + path, res.StatusCode, res.Header, answer}
}

// wants fails the test unless the status is that.
func (r reply) wants(status int) reply {
	r.f.Helper()
	if r.status != status {
		r.f.Fatalf("%s: %d %s; want %d", r.what, r.status, r.body, status)
	}
	return r
}

// wantsProblem fails the test unless the answer is a whole problem with that status and code.
func (r reply) wantsProblem(status int, code fleet.Code) problem {
	r.f.Helper()
	r.wants(status)
	var p problem
	if err := json.Unmarshal(r.body, &p); err != nil {
		r.f.Fatalf("%s: %v in %.300s", r.what, err, r.body)
	}
	if kind := r.header.Get("Content-Type"); kind != "application/problem+json" || p.Status != status || p.Code != code || p.Type != "about:blank" || p.Title != http.StatusText(status) {
		r.f.Fatalf("%s: %s %s; want %d %s", r.what, kind, r.body, status, code)
	}
	return p
}

// at tells whether the problem names a field.
func (p problem) at(location string) bool {
	for _, e := range p.Errors {
		if e.Location == location && e.Message != "" {
			return true
		}
	}
	return false
}

// read decodes the answer, which must be a 2xx of JSON.
func read[T any](r reply) T {
	r.f.Helper()
	var v T
	if r.status/100 != 2 || r.header.Get("Content-Type") != "application/json" {
		r.f.Fatalf("%s: %d %s %s", r.what, r.status, r.header.Get("Content-Type"), r.body)
	}
	if err := json.Unmarshal(r.body, &v); err != nil {
		r.f.Fatalf("%s: %v in %.300s", r.what, err, r.body)
	}
	return v
}

// list is a page of a list.
type list[T any] struct {
	Items      []T
	NextCursor *string
}

// addTarget adds a target by a JSON body.
func (f *fixture) addTarget(body string) fleet.Target {
	f.Helper()
	return read[fleet.Target](f.call("POST", pathTargets, body, asAdmin).wants(http.StatusCreated))
}

// register registers an instance of a name and returns its epoch.
func (f *fixture) register(name, instance string) int64 {
	f.Helper()
	in := fleet.Registration{Name: name, InstanceID: instance, Version: "v1", Engine: "embedded", CPUs: 2}
	return read[fleet.Registered](f.call("POST", pathRegister, in, as(name, 0)).wants(http.StatusOK)).Epoch
}

// beat is a heartbeat of an idle agent.
func beat(name, instance string, acked ...string) fleet.Heartbeat {
	return fleet.Heartbeat{Name: name, InstanceID: instance, Status: fleet.AgentIdle, CurrentRunIDs: []string{}, Acked: acked}
}

// poll is what an agent is told.
func (f *fixture) poll(name string, epoch int64) fleet.Poll {
	f.Helper()
	return read[fleet.Poll](f.call("GET", pathPoll, nil, as(name, epoch)))
}

// overview is the summary, not from memory.
func (f *fixture) overview() fleet.Overview {
	f.Helper()
	f.clock.add(3 * time.Second)
	return read[fleet.Overview](f.call("GET", pathOverview, nil))
}

// runID is the id of run n.
func runID(n int) string { return fmt.Sprintf("01950000-0000-7000-8000-%012d", n) }

// startOf is run n of a target by an agent.
func startOf(f *fixture, n int, targetID, agent string) fleet.RunStart {
	spec := fleet.NewTarget()
	spec.ID, spec.URL, spec.Label = targetID, "https://example.org/", "as it was"
	return fleet.RunStart{ID: runID(n), TargetID: targetID, Agent: agent, StartedAt: fleet.Millis(f.clock.now()), Spec: spec}
}

// endOf is a good result of a run: 100 requests of 5 ms, four of them failed.
func endOf(r fleet.RunStart) fleet.RunEnd {
	ms, rate := 5.0, 0.04
	h := hist.New(hist.Fine)
	h.RecordN(int64(5*time.Millisecond), 100)
	coarse := hist.New(hist.Coarse)
	coarse.RecordN(int64(5*time.Millisecond), 100)
	fine, _ := h.MarshalBinary()
	rough, _ := coarse.MarshalBinary()
	return fleet.RunEnd{
		RunStart: r, EndedAt: fleet.Millis(r.StartedAt.Add(30 * time.Second)), Status: fleet.RunDone, Verdict: summary.OK,
		Message: "100 requests, 4 % failed.",
		Metrics: &fleet.Metrics{P50: &ms, P95: &ms, P99: &ms, Avg: &ms, Min: &ms, Max: &ms, ErrorRate: &rate, RPS: 100.0 / 30,
			Requests: 100, Failures: 4, Iterations: 100, DataReceivedBytes: 123_456, DataSentBytes: 7000, VUsMax: 1, DurationS: 30},
		Trends:   map[string][]byte{summary.HTTPReqDuration: fine, summary.HTTPReqWaiting: rough},
		Series:   &fleet.Series{WidthMs: 1000, Buckets: []fleet.Bucket{{Requests: 100, Failures: 4, Iterations: 100, VUs: 1, Duration: rough}}},
		Statuses: map[string]int64{"200": 96, "500": 4},
		Errors:   []fleet.ErrorCount{{Code: 1500, Count: 4, Sample: "500 Internal Server Error"}},
	}
}

// contains fails the test unless text holds part.
func (f *fixture) contains(text, part string) {
	f.Helper()
	if !strings.Contains(text, part) {
		f.Errorf("%q is not in %.2000s", part, text)
	}
}

// handle makes an agent's call without a network, for benchmarks.
func (f *fixture) handle(b *testing.B, method, path string, body []byte, options ...option) {
	b.Helper()
	r := httptest.NewRequest(method, path, bytes.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	as("a", 1)(r)
	for _, o := range options {
		o(r)
	}
	w := httptest.NewRecorder()
	f.server.Handler().ServeHTTP(w, r)
	if w.Code >= 400 {
		b.Fatalf("%s %s: %d %s", method, path, w.Code, w.Body)
	}
}

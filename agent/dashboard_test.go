package agent

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/nollagluiz/broadside/fleet"
)

const testSecret = "s3cret-of-the-fleet"

// dashboard is a fake that holds agents strictly to the contract of docs/wire.md: a call that breaks it fails the
// test. Time is the bubble's; connections are pipes.
type dashboard struct {
	t *testing.T

	mu         sync.Mutex // guards the rest
	secret     string
	skew       time.Duration // of its clock against the agents'
	pollMs     int64
	beatMs     int64
	poll       fleet.Poll
	etag       string // of poll; "" has it made anew
	instances  map[string]string
	epochs     map[string]int64
	starts     map[string]fleet.RunStart
	ends       map[string]fleet.RunEnd
	ended      []string // ids, in the order of their first receipt
	heartbeats []fleet.Heartbeat
	goodbyes   []fleet.Deregistration
	calls      []call
	down       bool // refuses connections
	hangs      bool // takes connections, and never answers
	// before may answer a call itself (true), with anything.
	before func(w http.ResponseWriter, r *http.Request) bool
	// after is called when the call has been carried out and before it is answered; true loses the answer.
	after func(r *http.Request) bool
}

type call struct {
	at     time.Time
	name   string // "poll", "register", "start", "end", "heartbeat", "deregister"
	status int
	header http.Header
}

func newDashboard(t *testing.T) *dashboard {
	return &dashboard{
		t: t, secret: testSecret, pollMs: 5000, beatMs: 30_000,
		poll:      fleet.Poll{SpreadMs: 2000},
		instances: map[string]string{}, epochs: map[string]int64{},
		starts: map[string]fleet.RunStart{}, ends: map[string]fleet.RunEnd{},
	}
}

// with changes the dashboard under its lock; what an agent polls next is new.
func (d *dashboard) with(change func(d *dashboard)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	change(d)
	d.etag = ""
}

func (d *dashboard) now() time.Time { return time.Now().Add(d.skew) }

// named counts the calls of a name since a time, whatever their answer; "" is any name.
func (d *dashboard) named(name string, since time.Time) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.namedLocked(name, since)
}

func (d *dashboard) namedLocked(name string, since time.Time) int {
	n := 0
	for _, c := range d.calls {
		if (name == "" || c.name == name) && !c.at.Before(since) {
			n++
		}
	}
	return n
}

// results are the results received, in their order.
func (d *dashboard) results() []fleet.RunEnd {
	d.mu.Lock()
	defer d.mu.Unlock()
	out := make([]fleet.RunEnd, len(d.ended))
	for i, id := range d.ended {
		out[i] = d.ends[id]
	}
	return out
}

// started are the starts received, by run id.
func (d *dashboard) started() map[string]fleet.RunStart {
	d.mu.Lock()
	defer d.mu.Unlock()
	return maps.Clone(d.starts)
}

// holder is the instance that has a name.
func (d *dashboard) holder(name string) string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.instances[name]
}

func (d *dashboard) lastHeartbeat() fleet.Heartbeat {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.heartbeats) == 0 {
		return fleet.Heartbeat{}
	}
	return d.heartbeats[len(d.heartbeats)-1]
}

// statusWriter notes the status of an answer.
type statusWriter struct {
	http.ResponseWriter
	status int
}

func (w *statusWriter) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

func (d *dashboard) ServeHTTP(plain http.ResponseWriter, r *http.Request) {
	d.mu.Lock()
	defer d.mu.Unlock()
	w := &statusWriter{plain, http.StatusOK}
	name, handle := d.route(r)
	defer func() {
		d.calls = append(d.calls, call{time.Now(), name, w.status, r.Header.Clone()})
	}()
	if d.before != nil && d.before(w, r) {
		return
	}
	if handle == nil {
		d.t.Errorf("agent called %s %s", r.Method, r.URL)
		http.NotFound(w, r)
		return
	}
	if r.Header.Get("Authorization") != "Bearer "+d.secret {
		problem(w, http.StatusUnauthorized, fleet.Unauthorized, "the secret is wrong")
		return
	}
	if r.Header.Get(fleet.HeaderAgent) == "" {
		d.t.Errorf("%s without %s", name, fleet.HeaderAgent)
	}
	if r.Header.Get(fleet.HeaderEpoch) == "" && name != "register" {
		d.t.Errorf("%s without %s", name, fleet.HeaderEpoch)
	}
	if r.Method != http.MethodGet && r.Header.Get("Content-Type") != "application/json" {
		d.t.Errorf("%s with content type %q", name, r.Header.Get("Content-Type"))
	}
	var answer bytes.Buffer
	held := &statusWriter{&buffered{&answer, w.Header()}, http.StatusOK}
	handle(held, r)
	if d.after != nil && d.after(r) {
		w.status = 0
		panic(http.ErrAbortHandler) // cuts the connection
	}
	w.WriteHeader(held.status)
	w.Write(answer.Bytes())
}

// buffered keeps an answer's body back.
type buffered struct {
	*bytes.Buffer
	header http.Header
}

func (b *buffered) Header() http.Header { return b.header }
func (b *buffered) WriteHeader(int)     {}

func (d *dashboard) route(r *http.Request) (string, func(http.ResponseWriter, *http.Request)) {
	switch r.Method + " " + r.URL.Path {
	case "POST /api/k6/agents/register":
		return "register", d.register
	case "GET /api/k6/targets":
		return "poll", d.targets
	case "POST /api/k6/runs":
		return "start", d.start
	case "POST /api/k6/agents/heartbeat":
		return "heartbeat", d.heartbeat
	case "POST /api/k6/agents/deregister":
		return "deregister", d.deregister
	}
	if id, ok := strings.CutPrefix(r.URL.Path, "/api/k6/runs/"); ok && r.Method == http.MethodPut {
		return "end", func(w http.ResponseWriter, r *http.Request) { d.end(w, r, id) }
	}
	return "unknown", nil
}

func (d *dashboard) register(w http.ResponseWriter, r *http.Request) {
	var in fleet.Registration
	d.read(r, &in)
	if in.Name == "" || in.InstanceID == "" || in.CPUs <= 0 || in.MemoryBytes < 0 || in.Version == "" {
		d.t.Errorf("registration %+v", in)
	}
	if in.Name != r.Header.Get(fleet.HeaderAgent) {
		d.t.Errorf("registration of %s by %s", in.Name, r.Header.Get(fleet.HeaderAgent))
	}
	if holder := d.instances[in.Name]; holder != "" && holder != in.InstanceID {
		w.Header().Set("Retry-After", "20")
		problem(w, http.StatusConflict, fleet.AgentNameInUse, "another live agent has this name")
		return
	}
	d.instances[in.Name] = in.InstanceID
	d.epochs[in.Name]++
	write(w, http.StatusOK, map[string]any{
		"id": "agent-1", "name": in.Name, "epoch": d.epochs[in.Name], "pollIntervalMs": d.pollMs,
		"heartbeatIntervalMs": d.beatMs, "serverTime": fleet.Millis(d.now()), "aFieldOfTomorrow": []int{1},
	})
}

func (d *dashboard) targets(w http.ResponseWriter, r *http.Request) {
	if d.etag == "" {
		d.etag = strconv.Quote(uuid.NewString())
	}
	w.Header().Set("ETag", d.etag)
	w.Header().Set("Cache-Control", "no-store")
	if r.Header.Get("If-None-Match") == d.etag {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	write(w, http.StatusOK, struct {
		fleet.Poll
		Tomorrow string `json:"aFieldOfTomorrow"`
	}{d.poll, "?"})
}

func (d *dashboard) heartbeat(w http.ResponseWriter, r *http.Request) {
	var in fleet.Heartbeat
	d.read(r, &in)
	if in.CurrentRunIDs == nil || in.RSSBytes <= 0 || in.CPURatio < 0 || in.InstanceID == "" {
		d.t.Errorf("heartbeat %+v", in)
	}
	switch in.Status {
	case fleet.AgentIdle, fleet.AgentRunning, fleet.AgentStopping:
	default:
		d.t.Errorf("heartbeat with status %q", in.Status)
	}
	if holder := d.instances[in.Name]; holder != "" && holder != in.InstanceID {
		w.Header().Set("Retry-After", "20")
		problem(w, http.StatusConflict, fleet.AgentNameInUse, "another live agent has this name")
		return
	}
	d.instances[in.Name] = in.InstanceID // an unknown agent is upserted
	d.heartbeats = append(d.heartbeats, in)
	write(w, http.StatusOK, fleet.HeartbeatAnswer{ServerTime: fleet.Millis(d.now()), PollIntervalMs: d.pollMs, HeartbeatIntervalMs: d.beatMs})
}

func (d *dashboard) deregister(w http.ResponseWriter, r *http.Request) {
	var in fleet.Deregistration
	d.read(r, &in)
	if d.instances[in.Name] == in.InstanceID {
		delete(d.instances, in.Name)
	}
	d.goodbyes = append(d.goodbyes, in)
	w.WriteHeader(http.StatusNoContent)
}

func (d *dashboard) start(w http.ResponseWriter, r *http.Request) {
	var in fleet.RunStart
	d.read(r, &in)
	d.checkStart(in)
	status := http.StatusCreated
	if _, known := d.starts[in.ID]; known {
		status = http.StatusOK
	}
	d.starts[in.ID] = in
	write(w, status, in)
}

func (d *dashboard) end(w http.ResponseWriter, r *http.Request, id string) {
	var in fleet.RunEnd
	d.read(r, &in)
	d.checkStart(in.RunStart)
	switch in.Status {
	case fleet.RunDone, fleet.RunError, fleet.RunAborted:
	default:
		d.t.Errorf("result with status %q", in.Status)
	}
	if in.ID != id || !in.Verdict.Valid() || in.Message == "" || in.EndedAt.Before(in.StartedAt.Time) {
		d.t.Errorf("result %s of %q: %+v", id, in.Verdict, in)
	}
	if _, known := d.ends[id]; !known {
		d.ended = append(d.ended, id)
		d.ends[id] = in
	}
	write(w, http.StatusOK, in)
}

func (d *dashboard) checkStart(in fleet.RunStart) {
	if id, err := uuid.Parse(in.ID); err != nil || id.Version() != 7 || id.Variant() != uuid.RFC4122 {
		d.t.Errorf("run id %q is no UUIDv7", in.ID)
	}
	if in.TargetID == "" || in.Agent == "" || in.StartedAt.IsZero() || in.Spec.Body != "" && in.Spec.Body != fleet.Hidden {
		d.t.Errorf("start %+v", in)
	}
}

// read decodes a body, which must hold nothing that the wire types don't, in 256 KiB.
func (d *dashboard) read(r *http.Request, into any) {
	body, err := io.ReadAll(io.LimitReader(r.Body, 256<<10+1))
	if err != nil || len(body) > 256<<10 {
		d.t.Errorf("%s %s: body of %d bytes, %v", r.Method, r.URL, len(body), err)
	}
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.DisallowUnknownFields()
	if err := dec.Decode(into); err != nil {
		d.t.Errorf("%s %s: %v in %.200s", r.Method, r.URL, err, body)
	}
}

func write(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(v)
}

func problem(w http.ResponseWriter, status int, code fleet.Code, detail string) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	fmt.Fprintf(w, `{"status":%d,"code":%q,"detail":%q}`, status, code, detail)
}

// pipes is a network of net.Pipe, which a bubble can hold: a listener and the dialer to it.
type pipes struct {
	d      *dashboard
	conns  chan net.Conn
	closed chan struct{}
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}
func (p *pipes) Close() error   { return nil }
func (p *pipes) Addr() net.Addr { return &net.UnixAddr{Name: "pipe"} }

func (p *pipes) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	p.d.mu.Lock()
	down, hangs := p.d.down, p.d.hangs
	p.d.mu.Unlock()
	if down {
		return nil, errors.New("connection refused")
	}
	ours, theirs := net.Pipe()
	if hangs {
		return ours, nil
	}
	select {
	case p.conns <- theirs:
		return ours, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// serve runs the dashboard until the test's end and returns the transport to it.
func (d *dashboard) serve() *http.Transport {
	p := &pipes{d: d, conns: make(chan net.Conn), closed: make(chan struct{})}
	server := &http.Server{Handler: d}
	done := make(chan struct{})
	go func() { defer close(done); server.Serve(p) }()
	transport := NewTransport(2)
	transport.Proxy, transport.DialContext = nil, p.dial
	d.t.Cleanup(func() {
		transport.CloseIdleConnections()
		close(p.closed)
		server.Close()
		<-done
	})
	return transport
}

// crash closes every connection that the transport holds and refuses new ones, until up.
func (d *dashboard) crash(transport *http.Transport) {
	d.with(func(d *dashboard) { d.down = true })
	transport.CloseIdleConnections()
}

func (d *dashboard) up() { d.with(func(d *dashboard) { d.down = false }) }

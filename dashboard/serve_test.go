package dashboard_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nollagluiz/broadside/dashboard"
	"github.com/nollagluiz/broadside/fleet"
)

// memoryStore is a store of no targets, agents or runs: for bubbles, in which SQLite can't live.
type memoryStore struct {
	dashboard.Store // nil: what is not written out below is not called
	slow            func(context.Context) error
	saved           chan []fleet.Agent
}

func (s *memoryStore) Targets(context.Context) ([]fleet.Target, error) { return nil, nil }
func (s *memoryStore) Agents(context.Context) ([]fleet.Agent, error)   { return nil, nil }
func (s *memoryStore) Config(context.Context) (fleet.Config, error)    { return fleet.Config{}, nil }
func (s *memoryStore) Ping(context.Context) error                      { return nil }
func (s *memoryStore) CountRunning(context.Context) (int, error)       { return 0, nil }

func (s *memoryStore) SaveAgents(_ context.Context, agents []fleet.Agent) error {
	s.saved <- agents
	return nil
}

func (s *memoryStore) RegisterAgent(_ context.Context, a fleet.Agent, _ bool, _ time.Time) (fleet.Agent, error) {
	return a, nil
}

func (s *memoryStore) Run(ctx context.Context, _ string) (fleet.RunDetail, error) {
	return fleet.RunDetail{}, s.slow(ctx)
}

// pipes is a network of net.Pipe, which a bubble can hold.
type pipes struct {
	conns  chan net.Conn
	closed chan struct{}
}

func newPipes() *pipes { return &pipes{make(chan net.Conn), make(chan struct{})} }

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}
func (p *pipes) Addr() net.Addr { return &net.UnixAddr{Name: "pipe"} }
func (p *pipes) Close() error {
	close(p.closed)
	return nil
}

// dial opens a connection; ok is false when nobody listens any more.
func (p *pipes) dial() (conn net.Conn, ok bool) {
	ours, theirs := net.Pipe()
	select {
	case p.conns <- theirs:
		return ours, true
	case <-p.closed:
		return nil, false
	}
}

// served is a dashboard in a bubble.
type served struct {
	*pipes
	t      *testing.T
	store  *memoryStore
	server *dashboard.Server
	stop   context.CancelFunc
	ended  chan error // of Serve
}

func serve(t *testing.T, drain time.Duration) *served {
	s := &served{pipes: newPipes(), t: t, ended: make(chan error, 1), store: &memoryStore{saved: make(chan []fleet.Agent, 10)}}
	service, err := dashboard.NewService(t.Context(), dashboard.ServiceConfig{Store: s.store})
	if err == nil {
		s.server, err = dashboard.New(dashboard.Config{Service: service, Admin: dashboard.Credentials{User: adminUser, Password: adminPassword}, AgentSecrets: []string{agentSecret}, DrainDelay: drain})
	}
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	s.stop = cancel
	go func() { s.ended <- s.server.Serve(ctx, s) }()
	return s
}

// ask sends one request and returns the answer's status and body; 0 if the connection was closed instead.
func (s *served) ask(request string) (status int, body string) {
	s.t.Helper()
	conn, ok := s.dial()
	if !ok {
		return 0, ""
	}
	defer conn.Close()
	go io.WriteString(conn, request) // fails when the server closes the pipe
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return 0, ""
	}
	defer res.Body.Close()
	text, _ := io.ReadAll(res.Body)
	return res.StatusCode, string(text)
}

// closedAfter tells how long the server keeps a connection to which send writes.
func (s *served) closedAfter(send func(net.Conn)) time.Duration {
	s.t.Helper()
	conn, _ := s.dial()
	defer conn.Close()
	began := time.Now()
	go send(conn)
	io.Copy(io.Discard, conn)
	return time.Since(began)
}

// Slow loris: who trickles a head or a body, or says nothing, is cut off in bounded time.
func TestSlowClientsAreCutOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := serve(t, 0)
		drip := func(conn net.Conn, text string) {
			for i := range len(text) {
				if _, err := io.WriteString(conn, text[i:i+1]); err != nil {
					return
				}
				time.Sleep(time.Second)
			}
		}
		for _, c := range []struct {
			name string
			most time.Duration
			send func(net.Conn)
		}{
			{"nothing", 5 * time.Second, func(net.Conn) {}},
			{"a head, byte by byte", 5 * time.Second, func(c net.Conn) { drip(c, "GET /healthz HTTP/1.1\r\nHost: x\r\nX-A: "+strings.Repeat("a", 100)) }},
			{"a body, byte by byte", 16 * time.Second, func(c net.Conn) {
				fmt.Fprintf(c, "PUT %s/%s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n", pathResults, runID(1), agentSecret)
				drip(c, strings.Repeat("{", 1000))
			}},
			{"an idle connection", 121 * time.Second, func(c net.Conn) { io.WriteString(c, "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n") }},
		} {
			if got := s.closedAfter(c.send); got > c.most {
				t.Errorf("%s: closed after %v; want at most %v", c.name, got, c.most)
			}
		}
		s.stop()
		if err := <-s.ended; err != nil {
			t.Errorf("serve: %v", err)
		}
	})
}

// A body that stops is answered, and so is one whose store hangs: nobody waits for ever.
func TestHangingRequestsAreAnswered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := serve(t, 0)
		s.store.slow = func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
		began := time.Now()
		status, body := s.ask("GET " + pathRuns + "/" + runID(1) + " HTTP/1.1\r\nHost: x\r\n\r\n")
		if took := time.Since(began); status != http.StatusServiceUnavailable || !strings.Contains(body, `"overloaded"`) || took != 25*time.Second {
			t.Errorf("a store that hangs: %d %s after %v; want 503 after 25 s", status, body, took)
		}
		status, body = s.ask("PUT " + pathConfig + " HTTP/1.1\r\nHost: x\r\nAuthorization: Basic b3BzOnA6c3N3MHJkLW9mLXRoZS10ZXN0cw==\r\nContent-Type: application/json\r\nContent-Length: 10\r\n\r\n{")
		if status != http.StatusRequestTimeout || !strings.Contains(body, `"malformed"`) {
			t.Errorf("a body that stops: %d %s; want 408", status, body)
		}
		s.stop()
		<-s.ended
	})
}

// At the end /readyz says no first, requests under way are answered, and what agents said is stored.
func TestServeEndsGently(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := serve(t, 5*time.Second)
		release := make(chan struct{})
		s.store.slow = func(context.Context) error { <-release; return fleet.Errorf(fleet.NotFound, "gone") }
		s.ask(fmt.Sprintf("POST %s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\nContent-Length: 28\r\n\r\n"+`{"name":"a","status":"idle"}`, pathHeartbeat, agentSecret))
		if status, _ := s.ask("GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n"); status != http.StatusOK {
			t.Errorf("ready: %d; want 200", status)
		}
		slow := make(chan int)
		go func() {
			status, _ := s.ask("GET " + pathRuns + "/" + runID(1) + " HTTP/1.1\r\nHost: x\r\n\r\n")
			slow <- status
		}()
		synctest.Wait()
		s.stop()
		synctest.Wait()
		if status, body := s.ask("GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n"); status != http.StatusServiceUnavailable || !strings.Contains(body, "shutting down") {
			t.Errorf("ready at the end: %d %s; want 503", status, body)
		}
		if status, _ := s.ask("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"); status != http.StatusOK {
			t.Errorf("healthy at the end: %d; want 200", status)
		}
		time.Sleep(6 * time.Second)
		if status, _ := s.ask("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"); status != 0 {
			t.Errorf("after the delay: %d; want no connection", status)
		}
		close(release)
		if status := <-slow; status != http.StatusNotFound {
			t.Errorf("the request under way: %d; want its answer", status)
		}
		if err := <-s.ended; err != nil {
			t.Errorf("serve: %v", err)
		}
		if saved := <-s.store.saved; len(saved) != 1 || saved[0].Name != "a" {
			t.Errorf("stored at the end: %+v; want the heartbeat", saved)
		}
	})
}

// A request that does not end is cut at the end of the shutdown.
func TestServeEndsForSure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := serve(t, 0)
		s.store.slow = func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
		go s.ask("GET " + pathRuns + "/" + runID(1) + " HTTP/1.1\r\nHost: x\r\n\r\n")
		synctest.Wait()
		began := time.Now()
		s.stop()
		if err := <-s.ended; err == nil || time.Since(began) != 10*time.Second {
			t.Errorf("serve: %v after %v; want an error after 10 s", err, time.Since(began))
		}
	})
}

func TestRunFlushes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := serve(t, 0)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- s.server.Run(ctx) }()
		began := time.Now()
		beat := fmt.Sprintf("POST %s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\nContent-Length: 28\r\n\r\n"+`{"name":"a","status":"idle"}`, pathHeartbeat, agentSecret)
		s.ask(beat)
		<-s.store.saved
		if got := time.Since(began); got != 5*time.Second {
			t.Errorf("flushed after %v; want 5 s", got)
		}
		time.Sleep(20 * time.Second)
		if len(s.store.saved) != 0 {
			t.Error("flushed without news")
		}
		s.ask(beat)
		cancel()
		if err := <-done; err != nil || len(s.store.saved) != 1 {
			t.Errorf("run: %v, %d flushes; want a last one", err, len(s.store.saved))
		}
		s.stop()
		<-s.ended
	})
}

func TestHeadersAreBounded(t *testing.T) {
	f := newFixture(t)
	server := httptest.NewUnstartedServer(nil)
	defer server.Close()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- f.server.Serve(ctx, server.Listener) }()
	get := func(path string, options ...option) int {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), "GET", "http://"+server.Listener.Addr().String()+path, nil)
		f.must(err)
		for _, o := range options {
			o(req)
		}
		res, err := http.DefaultClient.Do(req)
		f.must(err)
		defer res.Body.Close()
		return res.StatusCode
	}
	if got := get("/healthz?" + strings.Repeat("x", 4<<10)); got != http.StatusOK {
		t.Errorf("a URL of 4 KiB: %d; want 200", got)
	}
	if got := get("/healthz", header("X-Big", strings.Repeat("x", 32<<10))); got != http.StatusRequestHeaderFieldsTooLarge {
		t.Errorf("a header of 32 KiB: %d; want 431", got)
	}
	cancel()
	f.must(<-done)
}

// A fault of ours is a bare 500, logged with its stack, and the next request is served.
func TestPanicsAreAnswered(t *testing.T) {
	f := newFixture(t)
	server, err := dashboard.New(dashboard.Config{
		Service: f.service, Admin: dashboard.Credentials{User: "a", Password: "b"}, AgentSecrets: []string{"s"},
		Pages: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/agents/half" {
				io.WriteString(w, "half")
				http.NewResponseController(w).Flush()
			}
			panic("S3CRET of the handler")
		}),
	})
	f.must(err)
	f.http.Config.Handler = server.Handler()
	if p := f.call("GET", "/agents/k6", nil).wantsProblem(http.StatusInternalServerError, "internal"); p.Detail != "" {
		t.Errorf("the answer says %q", p.Detail)
	}
	res, err := http.Get(f.http.URL + "/agents/half")
	if err == nil {
		_, err = io.ReadAll(res.Body)
		res.Body.Close()
	}
	if err == nil {
		t.Error("half an answer looks like a whole one")
	}
	f.call("GET", "/healthz", nil).wants(http.StatusOK)
	bare, err := dashboard.New(dashboard.Config{Service: f.service, Admin: dashboard.Credentials{User: "a", Password: "b"}, AgentSecrets: []string{"s"}})
	f.must(err)
	f.http.Config.Handler = bare.Handler()
	f.call("GET", "/agents/k6", nil).wantsProblem(http.StatusNotFound, fleet.NotFound)
}

func TestHealth(t *testing.T) {
	f := newFixture(t)
	for _, path := range []string{"/healthz", "/readyz"} {
		if got := read[map[string]string](f.call("GET", path, nil)); got["status"] != "ok" {
			t.Errorf("%s: %v", path, got)
		}
		f.call("HEAD", path, nil).wants(http.StatusOK)
	}
}

//go:build integration && linux

package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/nollagluiz/broadside/fleet"
)

const (
	admin  = "admin:a-password"
	secret = "an-agent-secret"
)

// binaries builds both programs as `make build` does, once, and returns their directory, which TestMain removes.
var binaries = sync.OnceValues(func() (string, error) {
	cmd := exec.Command("go", "build", "-trimpath", "-o", binDir()+"/", "./cmd/broadside", "./cmd/k6agent")
	cmd.Dir = filepath.Join("..", "..")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	return binDir(), nil
})

// process is a running program.
type process struct {
	cmd *exec.Cmd
	log *logBuffer
	end chan struct{} // closed when it has ended
}

// logBuffer gathers what a process prints.
type logBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func start(t *testing.T, program string, args []string, environ ...string) *process {
	t.Helper()
	dir, err := binaries()
	if err != nil {
		t.Fatal(err)
	}
	p := &process{cmd: exec.Command(filepath.Join(dir, program), args...), log: &logBuffer{}, end: make(chan struct{})}
	p.cmd.Env = environ
	p.cmd.Stdout, p.cmd.Stderr = p.log, p.log
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { p.cmd.Wait(); close(p.end) }()
	t.Cleanup(func() {
		p.cmd.Process.Kill()
		<-p.end
		if t.Failed() {
			t.Logf("%s printed:\n%.8000s", program, p.log)
		}
	})
	return p
}

// signal sends a signal and waits for the process's end, which it returns the time of.
func (p *process) signal(t *testing.T, s syscall.Signal) time.Duration {
	t.Helper()
	sent := time.Now()
	if err := p.cmd.Process.Signal(s); err != nil {
		t.Fatal(err)
	}
	select {
	case <-p.end:
	case <-time.After(20 * time.Second):
		t.Fatalf("%v did not end the process within 20 s", s)
	}
	return time.Since(sent)
}

// upOn starts `broadside up` on addr and returns its URL.
func upOn(t *testing.T, addr, data string, args []string, environ ...string) (*process, string) {
	t.Helper()
	environ = append([]string{"LISTEN_ADDR=" + addr, "DATA_DIR=" + data, "ADMIN_BASIC_AUTH=" + admin, "DASHBOARD_SECRET=" + secret}, environ...)
	p := start(t, "broadside", append([]string{"up"}, args...), environ...)
	var url string
	eventually(t, 20*time.Second, "the dashboard says where it serves", func() bool {
		m := regexp.MustCompile(`serves (http://\S+)/agents/k6`).FindStringSubmatch(p.log.String())
		if m != nil {
			url = m[1]
		}
		return m != nil
	})
	return p, url
}

// eventually waits for a condition of another process, which nothing here can be told of.
func eventually(t *testing.T, within time.Duration, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(within); !ok(); {
		if time.Now().After(deadline) {
			t.Fatalf("not within %v: %s", within, what)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// call makes one API call as the administrator and decodes the answer into out, if any.
func call(t *testing.T, method, url string, body, out any) int {
	t.Helper()
	var payload io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			t.Fatal(err)
		}
		payload = bytes.NewReader(text)
	}
	req, err := http.NewRequestWithContext(t.Context(), method, url, payload)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.SetBasicAuth("admin", "a-password")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err == nil && out != nil && res.StatusCode < 300 {
		if err := json.Unmarshal(text, out); err != nil {
			t.Fatalf("%s %s: %v in %.300s", method, url, err, text)
		}
	}
	return res.StatusCode
}

// allRuns reads the list of runs to its end.
func allRuns(t *testing.T, base, filter string) []fleet.Run {
	t.Helper()
	var out []fleet.Run
	for cursor := ""; ; {
		var page struct {
			Items      []fleet.Run
			NextCursor *string
		}
		if status := call(t, http.MethodGet, base+"/api/dashboard/k6/runs?limit=500&cursor="+cursor+filter, nil, &page); status != http.StatusOK {
			t.Fatalf("list of runs: status %d", status)
		}
		out = append(out, page.Items...)
		if page.NextCursor == nil {
			return out
		}
		cursor = *page.NextCursor
	}
}

// site is a server under load that counts what it serves: requests, and bytes on its sockets.
type site struct {
	url      string
	requests atomic.Int64
	sent     atomic.Int64
}

func newSite(t *testing.T) *site {
	t.Helper()
	l := listen(t)
	s := &site{url: "http://" + l.Addr().String() + "/page?a=1"}
	page := bytes.Repeat([]byte("x"), 1000)
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		s.requests.Add(1)
		w.Write(page)
	})}
	go server.Serve(countingListener{l, &s.sent})
	t.Cleanup(func() { server.Close() })
	return s
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

type countingListener struct {
	net.Listener
	sent *atomic.Int64
}

func (l countingListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return countingConn{c, l.sent}, nil
}

type countingConn struct {
	net.Conn
	sent *atomic.Int64
}

func (c countingConn) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	c.sent.Add(int64(n))
	return n, err
}

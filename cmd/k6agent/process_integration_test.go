//go:build integration && linux

package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/nollagluiz/broadside/fleet"
	"github.com/nollagluiz/broadside/summary"
)

const secret = "hush-hush-secret"

// build makes the binary as `make build` does.
func build(t *testing.T) string {
	t.Helper()
	bin := filepath.Join(t.TempDir(), "k6agent")
	cmd := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w -X main.version=v1.2.3", "-o", bin, ".")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return bin
}

// dashboard is a fake that gives an agent the targets and takes what it sends.
type dashboard struct {
	url      string
	events   chan string // "poll", "result", "deregister"
	mu       sync.Mutex  // guards results
	results  []fleet.RunEnd
	versions []string
}

func serve(t *testing.T, targets ...fleet.Target) *dashboard {
	d := &dashboard{events: make(chan string, 1000)}
	answer := func(w http.ResponseWriter, v any) { json.NewEncoder(w).Encode(v) }
	mux := http.NewServeMux()
	mux.HandleFunc("POST /api/k6/agents/register", func(w http.ResponseWriter, r *http.Request) {
		var in fleet.Registration
		json.NewDecoder(r.Body).Decode(&in)
		d.mu.Lock()
		d.versions = append(d.versions, in.Version)
		d.mu.Unlock()
		answer(w, fleet.Registered{ID: "1", Name: in.Name, Epoch: 1, PollIntervalMs: 1000, HeartbeatIntervalMs: 1000, ServerTime: fleet.Millis(time.Now())})
	})
	mux.HandleFunc("GET /api/k6/targets", func(w http.ResponseWriter, r *http.Request) {
		d.events <- "poll"
		w.Header().Set("ETag", `"1"`)
		answer(w, fleet.Poll{Targets: targets, SpreadMs: 100})
	})
	mux.HandleFunc("POST /api/k6/agents/heartbeat", func(w http.ResponseWriter, r *http.Request) {
		answer(w, fleet.HeartbeatAnswer{ServerTime: fleet.Millis(time.Now()), PollIntervalMs: 1000, HeartbeatIntervalMs: 1000})
	})
	mux.HandleFunc("POST /api/k6/runs", func(w http.ResponseWriter, r *http.Request) {
		var in fleet.RunStart
		if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
			t.Errorf("start: %v", err)
		}
		answer(w, map[string]string{"id": in.ID})
	})
	mux.HandleFunc("PUT /api/k6/runs/{id}", func(w http.ResponseWriter, r *http.Request) {
		var in fleet.RunEnd
		if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
			t.Errorf("result: %v", err)
		}
		d.mu.Lock()
		d.results = append(d.results, in)
		d.mu.Unlock()
		answer(w, map[string]string{"id": in.ID})
		d.events <- "result"
	})
	mux.HandleFunc("POST /api/k6/agents/deregister", func(w http.ResponseWriter, r *http.Request) { d.events <- "deregister" })
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer "+secret {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		mux.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	d.url = server.URL
	return d
}

// await waits for an event.
func (d *dashboard) await(t *testing.T, ctx context.Context, event string) {
	t.Helper()
	for {
		select {
		case got := <-d.events:
			if got == event {
				return
			}
		case <-ctx.Done():
			t.Fatalf("no %s: %v", event, ctx.Err())
		}
	}
}

// start runs a command with an agent's environment; the buffer is what it logs, to be read after Wait.
func (d *dashboard) start(t *testing.T, name string, args ...string) (*exec.Cmd, *bytes.Buffer) {
	t.Helper()
	var log bytes.Buffer
	cmd := exec.Command(name, args...)
	cmd.Env = []string{"DASHBOARD_URL=" + d.url, "DASHBOARD_SECRET=" + secret, "AGENT_NAME=traced", "HEALTH_ADDR=127.0.0.1:0"}
	cmd.Stderr = &log
	if err := cmd.Start(); err != nil {
		t.Fatalf("%v (make test installs what is missing)", err)
	}
	t.Cleanup(func() { cmd.Process.Kill() })
	return cmd, &log
}

// terminate sends the signal and expects a clean end within 5 s.
func terminate(t *testing.T, cmd *exec.Cmd, log *bytes.Buffer) {
	t.Helper()
	began := time.Now()
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("agent: %v\n%s", err, log)
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("took %v to end; want at most 5 s", took)
	}
	if strings.Contains(log.String(), secret) || !strings.Contains(log.String(), "k6agent starts") {
		t.Errorf("log without the configuration, or with the secret:\n%s", log)
	}
}

func site(t *testing.T) *httptest.Server {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "hello") }))
	t.Cleanup(s.Close)
	return s
}

// No file is written, ever, and no process is started: strace sees every call from exec to exit, through register, a run
// to its end, a run that the signal cuts, their results and the goodbye.
func TestNoFileIsWritten(t *testing.T) {
	bin := build(t)
	target := fleet.NewTarget()
	target.ID, target.URL, target.VUs, target.DurationS, target.RunIntervalMs = "short", site(t).URL, 2, 1, 3_600_000
	long := target
	long.ID, long.DurationS = "long", 3600
	d := serve(t, target, long)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	trace := filepath.Join(t.TempDir(), "trace")
	// -D makes the agent our child and strace its grandchild.
	cmd, log := d.start(t, "strace", "-D", "-f", "-o", trace, "-e", "trace=%file,%process,ftruncate,memfd_create", bin)
	d.await(t, ctx, "result")
	terminate(t, cmd, log)
	d.await(t, ctx, "result")
	d.await(t, ctx, "deregister")

	d.mu.Lock()
	defer d.mu.Unlock()
	if r := d.results[0]; r.TargetID != "short" || r.Verdict != summary.OK || r.Metrics.Requests == 0 {
		t.Errorf("first result %+v", r)
	}
	if r := d.results[1]; r.TargetID != "long" || r.Verdict != summary.Aborted || r.Metrics.Requests == 0 {
		t.Errorf("second result %+v", r)
	}
	if d.versions[0] != "v1.2.3" {
		t.Errorf("registered as version %q; want that of -ldflags", d.versions[0])
	}
	checkTrace(t, readTrace(t, ctx, trace))
}

// readTrace waits for strace, which ends after the agent, to have written the last line.
func readTrace(t *testing.T, ctx context.Context, file string) []string {
	t.Helper()
	for {
		text, err := os.ReadFile(file)
		if err == nil && bytes.Contains(text, []byte("+++ exited with 0 +++\n")) {
			var lines []string
			for scan := bufio.NewScanner(bytes.NewReader(text)); scan.Scan(); {
				lines = append(lines, scan.Text())
			}
			return lines
		}
		select {
		case <-time.After(50 * time.Millisecond):
		case <-ctx.Done():
			t.Fatalf("no end in the trace: %v\n%s", err, text)
		}
	}
}

var (
	call     = regexp.MustCompile(`^\d+ +(\w+)\((.*)`)
	writes   = regexp.MustCompile(`O_WRONLY|O_RDWR|O_CREAT|O_TRUNC|O_APPEND|O_TMPFILE`)
	reading  = regexp.MustCompile(`^(open|openat|openat2|readlink|readlinkat|stat|lstat|newfstatat|statx|access|faccessat2?|getcwd|uname)$`)
	ofThread = regexp.MustCompile(`^(clone3?|exit|exit_group|wait4|waitid|kill|tgkill|rt_sigqueueinfo|pidfd_open|pidfd_send_signal)$`)
)

// checkTrace takes only what reads: any call that it does not know fails the test.
func checkTrace(t *testing.T, lines []string) {
	t.Helper()
	seen := map[string]int{}
	for _, line := range lines {
		m := call.FindStringSubmatch(line)
		if m == nil {
			continue // a signal, an exit, or the rest of a call
		}
		name, args := m[1], m[2]
		seen[name]++
		switch {
		case name == "execve":
		case reading.MatchString(name):
			if writes.MatchString(args) && !strings.Contains(args, `"/dev/null"`) {
				t.Errorf("opened for writing: %s", line)
			}
		case strings.HasPrefix(name, "clone"):
			if !strings.Contains(args, "CLONE_THREAD") {
				t.Errorf("started a process: %s", line)
			}
		case ofThread.MatchString(name):
		default:
			t.Errorf("neither reads nor is of threads: %s", line)
		}
	}
	if seen["execve"] != 1 || seen["openat"] == 0 || seen["clone"]+seen["clone3"] == 0 {
		t.Errorf("calls %v; want one execve, and reads and threads, or the trace saw nothing", seen)
	}
}

// An idle agent stays under 16 MB.
func TestIdleMemory(t *testing.T) {
	bin := build(t)
	d := serve(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd, log := d.start(t, bin)
	for range 4 {
		d.await(t, ctx, "poll")
	}
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile(`VmRSS:\s+(\d+) kB`).FindSubmatch(status)
	if m == nil {
		t.Fatalf("no VmRSS in %s", status)
	}
	var kib int64
	fmt.Sscan(string(m[1]), &kib)
	t.Logf("RSS of an idle agent: %.1f MB", float64(kib*1024)/1e6)
	if kib*1024 > 16e6 {
		t.Errorf("RSS of an idle agent is %d KiB; want at most 16 MB", kib)
	}
	terminate(t, cmd, log)
	d.await(t, ctx, "deregister")
}

// Command bench prints the figures that the README names: memory of an idle k6agent and of one at 10 VUs, and the
// engine's requests per second beside hey's, interleaved in one run so that the machine's noise hits both alike.
//
// It drives the built binaries through the main job: a dashboard, an agent, a target, run now. Everything is on
// loopback and ends by itself within two minutes. Usage: go run ./test/bench BIN_DIR
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	rounds   = 5
	vus      = 10
	runS     = 4
	warmUpS  = 2
	auth     = "bench:bench-password"
	secret   = "bench-secret"
	serveArg = "serve-target" // re-executes this program as the server under load, so that its CPU and memory are apart
)

func main() {
	if len(os.Args) == 2 && os.Args[1] == serveArg {
		fmt.Fprintln(os.Stderr, serveTarget())
		os.Exit(1)
	}
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: bench BIN_DIR")
		os.Exit(2)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	if err := bench(ctx, os.Args[1], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// serveTarget answers 128 bytes to everything and prints its URL first.
func serveTarget() error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Printf("http://%s/\n", l.Addr())
	page := bytes.Repeat([]byte("x"), 128)
	return http.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Write(page) }))
}

func bench(ctx context.Context, bin string, out io.Writer) error {
	if _, err := exec.LookPath("hey"); err != nil {
		return fmt.Errorf("hey is needed: %w", err)
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	url, stop, err := startPrinting(ctx, exec.Command(self, serveArg), regexp.MustCompile(`http://\S+`))
	if err != nil {
		return fmt.Errorf("target: %w", err)
	}
	defer stop()
	data, err := os.MkdirTemp("", "broadside-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(data)
	f, err := startFleet(ctx, bin, data)
	if err != nil {
		return err
	}
	defer f.stop()

	idle, err := f.idleRSS(ctx)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "server: Go net/http, 128 B answers, same machine, GOMAXPROCS %d\n", runtime.GOMAXPROCS(0))
	fmt.Fprintf(out, "RSS of an idle k6agent             %6.1f MB (bar: 16)\n", mb(idle))
	warm, err := f.addTarget(ctx, url, warmUpS)
	if err != nil {
		return err
	}
	if _, err := f.run(ctx, warm); err != nil {
		return err
	}
	target, err := f.addTarget(ctx, url, runS)
	if err != nil {
		return err
	}
	var ours, theirs, ratios []float64
	for range rounds {
		a, err := f.run(ctx, target)
		if err != nil {
			return err
		}
		b, err := hey(ctx, url)
		if err != nil {
			return err
		}
		ours, theirs, ratios = append(ours, a), append(theirs, b), append(ratios, a/b)
	}
	peak, err := f.agentMemory("VmHWM")
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "peak RSS of a k6agent at %d VUs    %6.1f MB (bar: 32)\n", vus, mb(peak))
	fmt.Fprintf(out, "requests/s, %d VUs, %d rounds of %d s, medians: k6agent (std) %.0f, hey %.0f, ratio of the pairs %.2f\n",
		vus, rounds, runS, median(ours), median(theirs), median(ratios))
	if mb(idle) > 16 || mb(peak) > 32 {
		return errors.New("a memory bar is broken")
	}
	return nil
}

func mb(bytes int64) float64 { return float64(bytes) / 1e6 }

func median(v []float64) float64 {
	v = slices.Sorted(slices.Values(v))
	return v[len(v)/2]
}

// hey runs Debian's hey for the same time with the same connections and returns its requests per second.
func hey(ctx context.Context, url string) (float64, error) {
	out, err := exec.CommandContext(ctx, "hey", "-z", fmt.Sprintf("%ds", runS), "-c", strconv.Itoa(vus), url).Output()
	if err != nil {
		return 0, fmt.Errorf("hey: %w", err)
	}
	m := regexp.MustCompile(`Requests/sec:\s+([0-9.]+)`).FindSubmatch(out)
	if m == nil {
		return 0, fmt.Errorf("hey printed no rate: %.200s", out)
	}
	return strconv.ParseFloat(string(m[1]), 64)
}

// fleet is a dashboard and one agent, as processes.
type fleet struct {
	base  string
	agent *exec.Cmd
	stops []func()
}

func startFleet(ctx context.Context, bin, data string) (*fleet, error) {
	f := &fleet{}
	dashboard := exec.Command(filepath.Join(bin, "broadside"), "up")
	dashboard.Env = []string{"LISTEN_ADDR=127.0.0.1:0", "DATA_DIR=" + data, "SCALER=none", "POLL_INTERVAL_MS=500", "ADMIN_BASIC_AUTH=" + auth, "DASHBOARD_SECRET=" + secret}
	base, stop, err := startPrinting(ctx, dashboard, regexp.MustCompile(`http://127\.0\.0\.1:\d+`))
	if err != nil {
		return nil, fmt.Errorf("dashboard: %w", err)
	}
	f.base, f.stops = base, append(f.stops, stop)
	f.agent = exec.Command(filepath.Join(bin, "k6agent"))
	f.agent.Env = []string{"DASHBOARD_URL=" + base, "DASHBOARD_SECRET=" + secret, "AGENT_NAME=bench", "HEALTH_ADDR=off", "LOG_LEVEL=warning"}
	f.agent.Stderr = os.Stderr
	if err := f.agent.Start(); err != nil {
		f.stop()
		return nil, fmt.Errorf("agent: %w", err)
	}
	f.stops = append(f.stops, func() { end(f.agent) })
	return f, nil
}

func (f *fleet) stop() {
	for _, stop := range slices.Backward(f.stops) {
		stop()
	}
}

// end asks a process to go and waits for it.
func end(cmd *exec.Cmd) {
	cmd.Process.Signal(os.Interrupt)
	done := time.AfterFunc(10*time.Second, func() { cmd.Process.Kill() })
	defer done.Stop()
	cmd.Wait()
}

// startPrinting starts cmd and returns the first match of want in what it prints, on either stream.
func startPrinting(ctx context.Context, cmd *exec.Cmd, want *regexp.Regexp) (string, func(), error) {
	r, w, err := os.Pipe()
	if err != nil {
		return "", nil, err
	}
	cmd.Stdout, cmd.Stderr = w, w
	if err := cmd.Start(); err != nil {
		return "", nil, err
	}
	w.Close()
	found := make(chan string, 1)
	go func() {
		var seen []byte
		buf := make([]byte, 4096)
		for {
			n, err := r.Read(buf)
			if seen = append(seen, buf[:n]...); len(seen) < 1<<20 {
				if m := want.Find(seen); m != nil {
					select {
					case found <- string(m):
					default:
					}
				}
			}
			if err != nil {
				return
			}
		}
	}()
	stop := func() { end(cmd); r.Close() }
	select {
	case m := <-found:
		return m, stop, nil
	case <-time.After(20 * time.Second):
	case <-ctx.Done():
	}
	stop()
	return "", nil, fmt.Errorf("%s did not print %v", cmd.Path, want)
}

// idleRSS waits until the agent is online and quiet, and returns its memory.
func (f *fleet) idleRSS(ctx context.Context) (int64, error) {
	for {
		var list struct{ Items []struct{ Status string } }
		if err := f.call(ctx, http.MethodGet, "/api/dashboard/k6/agents", nil, &list); err != nil {
			return 0, err
		}
		if len(list.Items) == 1 && list.Items[0].Status == "online" {
			break
		}
		if err := wait(ctx, 200*time.Millisecond); err != nil {
			return 0, err
		}
	}
	if err := wait(ctx, 3*time.Second); err != nil {
		return 0, err
	}
	return f.agentMemory("VmRSS")
}

func wait(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// agentMemory reads a line of the agent's /proc/PID/status, in bytes (Linux; VmHWM is the peak of VmRSS).
func (f *fleet) agentMemory(line string) (int64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", f.agent.Process.Pid))
	if err != nil {
		return 0, err
	}
	m := regexp.MustCompile(line + `:\s+(\d+) kB`).FindSubmatch(text)
	if m == nil {
		return 0, fmt.Errorf("no %s in /proc", line)
	}
	kb, err := strconv.ParseInt(string(m[1]), 10, 64)
	return kb << 10, err
}

// addTarget adds a target that only runs on order.
func (f *fleet) addTarget(ctx context.Context, url string, seconds int) (id string, err error) {
	var target struct{ ID string }
	err = f.call(ctx, http.MethodPost, "/api/admin/k6/targets", map[string]any{
		"url": url, "label": fmt.Sprintf("bench %d s", seconds), "vus": vus, "durationS": seconds, "enabled": false, "gracefulStopS": 1,
	}, &target)
	return target.ID, err
}

// run orders one run and returns its requests per second.
func (f *fleet) run(ctx context.Context, target string) (rps float64, err error) {
	type list struct {
		Items []struct {
			Status, Verdict, Message string
			Metrics                  *struct {
				RPS float64 `json:"rps"`
			}
		}
	}
	path := "/api/dashboard/k6/runs?target=" + target
	var before list
	if err := f.call(ctx, http.MethodGet, path, nil, &before); err != nil {
		return 0, err
	}
	if err := f.call(ctx, http.MethodPost, "/api/admin/k6/targets/"+target+"/run", struct{}{}, nil); err != nil {
		return 0, err
	}
	for {
		if err := wait(ctx, 100*time.Millisecond); err != nil {
			return 0, err
		}
		var now list
		if err := f.call(ctx, http.MethodGet, path, nil, &now); err != nil {
			return 0, err
		}
		if len(now.Items) == len(before.Items) || now.Items[0].Status == "running" {
			continue
		}
		if r := now.Items[0]; r.Verdict != "ok" || r.Metrics == nil {
			return 0, fmt.Errorf("the run ended %s: %s", r.Verdict, r.Message)
		}
		return now.Items[0].Metrics.RPS, nil
	}
}

func (f *fleet) call(ctx context.Context, method, path string, body, answer any) error {
	var payload io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			return err
		}
		payload = bytes.NewReader(text)
	}
	req, err := http.NewRequestWithContext(ctx, method, f.base+path, payload)
	if err != nil {
		return err
	}
	user, password, _ := strings.Cut(auth, ":")
	req.SetBasicAuth(user, password)
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(io.LimitReader(res.Body, 8<<20))
	if err != nil {
		return err
	}
	if res.StatusCode >= 300 {
		return fmt.Errorf("%s %s: %s: %.300s", method, path, res.Status, text)
	}
	if answer == nil {
		return nil
	}
	return json.Unmarshal(text, answer)
}

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"time"
)

// The fleet's own settings, for a minute on loopback.
const (
	auth   = "bench:bench-password"
	secret = "bench-secret"
)

// agentMemory measures an agent through the main job: a dashboard, an agent, a target, run now.
func agentMemory(ctx context.Context, l *lab) ([]figure, error) {
	f, err := startFleet(ctx, l)
	if err != nil {
		return nil, err
	}
	defer f.stop()
	if err := f.awaitAgent(ctx); err != nil {
		return nil, err
	}
	idle, err := memory(f.agent.Process.Pid, "VmRSS")
	if err != nil {
		return nil, err
	}
	if err := f.run(ctx, l.server.plain); err != nil {
		return nil, err
	}
	peak, err := memory(f.agent.Process.Pid, "VmHWM")
	if err != nil {
		return nil, err
	}
	return []figure{
		{name: "RSS of an idle agent", value: float64(idle) / 1e6, unit: "MB", must: 16, aim: none},
		{name: "peak RSS of an agent, plain, 10 VUs", value: float64(peak) / 1e6, unit: "MB", must: 32, aim: none},
	}, nil
}

// fleet is a dashboard and one agent, as processes.
type fleet struct {
	base  string
	agent *exec.Cmd
	stops []func()
}

func startFleet(ctx context.Context, l *lab) (*fleet, error) {
	f := &fleet{}
	dashboard := exec.Command(filepath.Join(l.bin, "broadside"), "up")
	dashboard.Env = []string{"LISTEN_ADDR=127.0.0.1:0", "DATA_DIR=" + filepath.Join(l.server.dir, "data"), "SCALER=none", "POLL_INTERVAL_MS=500",
		"ADMIN_BASIC_AUTH=" + auth, "DASHBOARD_SECRET=" + secret}
	base, stop, err := startPrinting(ctx, dashboard, regexp.MustCompile(`http://127\.0\.0\.1:\d+`))
	if err != nil {
		return nil, fmt.Errorf("dashboard: %w", err)
	}
	f.base, f.stops = base, append(f.stops, stop)
	f.agent = exec.Command(filepath.Join(l.bin, "k6agent"))
	f.agent.Env = []string{"DASHBOARD_URL=" + base, "DASHBOARD_SECRET=" + secret, "AGENT_NAME=bench", "HEALTH_ADDR=off", "LOG_LEVEL=warning"}
	f.agent.Stderr = os.Stderr
	if err := f.agent.Start(); err != nil {
		f.stop()
		return nil, fmt.Errorf("agent: %w", err)
	}
	f.stops = append(f.stops, func() { end(f.agent, syscall.SIGTERM) })
	return f, nil
}

func (f *fleet) stop() {
	for _, stop := range slices.Backward(f.stops) {
		stop()
	}
}

// awaitAgent waits until the agent is online and quiet.
func (f *fleet) awaitAgent(ctx context.Context) error {
	for {
		var list struct{ Items []struct{ Status string } }
		if err := f.call(ctx, http.MethodGet, "/api/dashboard/k6/agents", nil, &list); err != nil {
			return err
		}
		if len(list.Items) == 1 && list.Items[0].Status == "online" {
			return wait(ctx, 3*time.Second)
		}
		if err := wait(ctx, 200*time.Millisecond); err != nil {
			return err
		}
	}
}

// run adds a target that runs only on order, orders a run and waits for its end.
func (f *fleet) run(ctx context.Context, url string) error {
	var target struct{ ID string }
	err := f.call(ctx, http.MethodPost, "/api/admin/k6/targets", map[string]any{
		"url": url, "label": "bench", "vus": 10, "durationS": 4, "enabled": false, "gracefulStopS": 1,
	}, &target)
	if err != nil {
		return err
	}
	if err := f.call(ctx, http.MethodPost, "/api/admin/k6/targets/"+target.ID+"/run", struct{}{}, nil); err != nil {
		return err
	}
	for {
		if err := wait(ctx, 100*time.Millisecond); err != nil {
			return err
		}
		var runs struct {
			Items []struct{ Status, Verdict, Message string }
		}
		if err := f.call(ctx, http.MethodGet, "/api/dashboard/k6/runs?target="+target.ID, nil, &runs); err != nil {
			return err
		}
		if len(runs.Items) == 0 || runs.Items[0].Status == "running" {
			continue
		}
		if r := runs.Items[0]; r.Verdict != "ok" {
			return fmt.Errorf("the run ended %s: %s", r.Verdict, r.Message)
		}
		return nil
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

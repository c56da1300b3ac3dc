package main

import (
	"os"
	"testing"
	"time"
)

// The defaults of the original agent's variables, and that the first of two secrets is used.
func TestEnvironmentDefaults(t *testing.T) {
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	for name, environ := range map[string][]string{
		"not set": {"DASHBOARD_SECRET=first, second"},
		"empty": {"DASHBOARD_SECRET=first", "DASHBOARD_URL=", "AGENT_NAME=", "POLL_INTERVAL_MS=", "HEARTBEAT_INTERVAL_MS=", "K6_BINARY=", "TMP_DIR=", "K6_VUS=",
			"K6_DURATION="},
	} {
		t.Run(name, func(t *testing.T) {
			env, err := load(environ)
			if err != nil {
				t.Fatal(err)
			}
			cfg, _, err := env.configs()
			if err != nil {
				t.Fatal(err)
			}
			if cfg.DashboardURL != "http://dashboard:3000" || cfg.Secret != "first" || cfg.Name != host {
				t.Errorf("dashboard %q, secret %q, name %q", cfg.DashboardURL, cfg.Secret, cfg.Name)
			}
			if cfg.DefaultVUs != 1 || cfg.DefaultDuration != 30*time.Second || cfg.PollInterval != 0 || cfg.HeartbeatInterval != 0 {
				t.Errorf("%d VUs, %v, polls %v, heartbeats %v; want 1, 30s, and the dashboard's", cfg.DefaultVUs, cfg.DefaultDuration, cfg.PollInterval, cfg.HeartbeatInterval)
			}
		})
	}
}

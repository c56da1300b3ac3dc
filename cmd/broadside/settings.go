package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"time"

	"github.com/nollagluiz/broadside/cmd/internal/runners"
	"github.com/nollagluiz/broadside/cmd/internal/settings"
	"github.com/nollagluiz/broadside/fleet"
)

// environment is the dashboard's settings, as the README's table lists them.
type environment struct {
	ListenAddr        string `env:"LISTEN_ADDR" envDefault:":3000"`
	AdminBasicAuth    string `env:"ADMIN_BASIC_AUTH"`
	DashboardSecret   string `env:"DASHBOARD_SECRET"`
	DataDir           string `env:"DATA_DIR" envDefault:"./data"`
	DatabaseURL       string `env:"DATABASE_URL"`
	Scaler            string `env:"SCALER" envDefault:"embedded"`
	InitialAgents     int    `env:"INITIAL_AGENTS" envDefault:"1"`
	RunRetention      int    `env:"RUN_RETENTION" envDefault:"30"` // days
	CascadeRuns       bool   `env:"REAPER_CASCADE_RUNS"`
	PollMs            int64  `env:"POLL_INTERVAL_MS" envDefault:"5000"`
	HeartbeatMs       int64  `env:"HEARTBEAT_INTERVAL_MS" envDefault:"30000"`
	MaxConcurrentRuns int    `env:"MAX_CONCURRENT_RUNS" envDefault:"2"`
	MaxVUs            int    `env:"MAX_VUS"`
	DenyPrivate       bool   `env:"DENY_PRIVATE_TARGETS"`
	Engine            string `env:"ENGINE" envDefault:"auto"`
	K6Binary          string `env:"K6_BINARY"`
	TmpDir            string `env:"TMP_DIR"`
	LogLevel          string `env:"LOG_LEVEL" envDefault:"info"`
	LogFormat         string `env:"LOG_FORMAT" envDefault:"text"`
}

// Values of SCALER.
const (
	scalerEmbedded = "embedded"
	scalerNone     = "none"
)

func load(environ []string) (environment, error) {
	var env environment
	if err := settings.Load(&env, environ, "ADMIN_BASIC_AUTH", "DASHBOARD_SECRET", "DATABASE_URL"); err != nil {
		return env, err
	}
	return env, env.validate()
}

// validate names each variable at fault and what it may be.
func (env environment) validate() error {
	var bad []error
	within := func(variable string, v, least, most int64) {
		if v < least || v > most {
			bad = append(bad, fmt.Errorf("%s must be %d to %d, not %d", variable, least, most, v))
		}
	}
	hour := time.Hour.Milliseconds()
	within("INITIAL_AGENTS", int64(env.InitialAgents), 0, fleet.MaxAgents)
	within("RUN_RETENTION", int64(env.RunRetention), 1, 3650)
	within("POLL_INTERVAL_MS", env.PollMs, 500, hour)
	within("HEARTBEAT_INTERVAL_MS", env.HeartbeatMs, 500, hour)
	within("MAX_CONCURRENT_RUNS", int64(env.MaxConcurrentRuns), 1, 1000)
	within("MAX_VUS", int64(env.MaxVUs), 0, 1_000_000)
	if _, _, err := net.SplitHostPort(env.ListenAddr); err != nil {
		bad = append(bad, fmt.Errorf("LISTEN_ADDR must be host:port or :port, not %.60q", env.ListenAddr))
	}
	if env.Scaler != scalerEmbedded && env.Scaler != scalerNone {
		bad = append(bad, fmt.Errorf("SCALER must be %s or %s, not %.40q", scalerEmbedded, scalerNone, env.Scaler))
	}
	if err := env.runners().Validate(); err != nil {
		bad = append(bad, err)
	}
	if env.DatabaseURL != "" {
		bad = append(bad, errors.New("DATABASE_URL must be empty: this version stores in SQLite under DATA_DIR alone"))
	}
	if env.AdminBasicAuth != "" {
		if user, password, ok := strings.Cut(env.AdminBasicAuth, ":"); !ok || user == "" || password == "" {
			bad = append(bad, errors.New("ADMIN_BASIC_AUTH must be user:password"))
		}
	}
	return errors.Join(bad...)
}

// runners is what makes the runs of embedded agents.
func (env environment) runners() runners.Config {
	return runners.Config{Version: version, Engine: env.Engine, K6Binary: env.K6Binary, TmpDir: env.TmpDir, DenyPrivate: env.DenyPrivate}
}

// secrets are what the dashboard checks callers against.
type secrets struct {
	adminUser, adminPassword string
	agents                   []string
}

// secrets takes them from the environment, or else keeps random ones under DATA_DIR. kept lists the files of those.
func (env environment) secrets() (s secrets, kept []string, err error) {
	if err := os.MkdirAll(env.DataDir, 0o700); err != nil {
		return s, nil, fmt.Errorf("DATA_DIR: %w", err)
	}
	get := func(value, file string) (string, error) {
		if value != "" {
			return value, nil
		}
		secret, path, err := keptSecret(env.DataDir, file)
		if err != nil {
			return "", fmt.Errorf("keep a secret: %w", err)
		}
		kept = append(kept, path)
		return secret, nil
	}
	admin := env.AdminBasicAuth
	if admin == "" {
		password, err := get("", "admin-password")
		if err != nil {
			return s, nil, err
		}
		admin = "admin:" + password
	}
	s.adminUser, s.adminPassword, _ = strings.Cut(admin, ":")
	agents, err := get(env.DashboardSecret, "dashboard-secret")
	if err != nil {
		return s, nil, err
	}
	for secret := range strings.SplitSeq(agents, ",") {
		if secret = strings.TrimSpace(secret); secret != "" {
			s.agents = append(s.agents, secret)
		}
	}
	if len(s.agents) == 0 || len(s.agents) > 2 {
		return s, nil, errors.New("DASHBOARD_SECRET must be one secret, or two with a comma between them")
	}
	return s, kept, nil
}

package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/sirupsen/logrus"

	"github.com/nollagluiz/broadside/agent"
	"github.com/nollagluiz/broadside/cmd/internal/runners"
	"github.com/nollagluiz/broadside/cmd/internal/settings"
	"github.com/nollagluiz/broadside/plan"
)

// off is the HEALTH_ADDR of an agent that serves none.
const off = "off"

// environment is the agent's settings as texts, so that a bad one is answered with what is allowed.
type environment struct {
	DashboardURL      string `env:"DASHBOARD_URL" envDefault:"http://dashboard:3000"`
	DashboardSecret   string `env:"DASHBOARD_SECRET"`
	AgentName         string `env:"AGENT_NAME"`
	AgentInstanceID   string `env:"AGENT_INSTANCE_ID"`
	AgentLabels       string `env:"AGENT_LABELS"`
	PollInterval      string `env:"POLL_INTERVAL_MS"`
	HeartbeatInterval string `env:"HEARTBEAT_INTERVAL_MS"`
	MaxConcurrentRuns string `env:"MAX_CONCURRENT_RUNS" envDefault:"2"`
	MaxVUs            string `env:"MAX_VUS" envDefault:"0"`
	VUs               string `env:"K6_VUS" envDefault:"1"`
	Duration          string `env:"K6_DURATION" envDefault:"30s"`
	Engine            string `env:"ENGINE" envDefault:"auto"`
	DenyPrivate       string `env:"DENY_PRIVATE_TARGETS" envDefault:"false"`
	HealthAddr        string `env:"HEALTH_ADDR" envDefault:"127.0.0.1:9095"`
	LogLevel          string `env:"LOG_LEVEL" envDefault:"info"`
	LogFormat         string `env:"LOG_FORMAT" envDefault:"text"`
	K6Binary          string `env:"K6_BINARY"`
	TmpDir            string `env:"TMP_DIR"`
}

func load(environ []string) (environment, error) {
	var env environment
	err := settings.Load(&env, environ, "DASHBOARD_SECRET")
	return env, err
}

// configs reads the texts. The error names every variable at fault and what it may be.
func (env environment) configs() (agent.Config, runners.Config, error) {
	var bad faults
	secret, _, _ := strings.Cut(env.DashboardSecret, ",")
	if secret = strings.TrimSpace(secret); secret == "" {
		bad.add("DASHBOARD_SECRET", "is needed: the secret that the dashboard was given or has made")
	}
	name := env.AgentName
	if name == "" {
		host, err := os.Hostname()
		if err != nil {
			bad.add("AGENT_NAME", "is needed, since the host has no name")
		}
		name = host
	}
	health := env.HealthAddr
	if health == off {
		health = ""
	} else if _, _, err := net.SplitHostPort(health); err != nil {
		bad.add("HEALTH_ADDR", "must be host:port or %s, not %.60q", off, health)
	}
	deny := false
	switch env.DenyPrivate {
	case "true":
		deny = true
	case "false":
	default:
		bad.add("DENY_PRIVATE_TARGETS", "must be true or false, not %.40q", env.DenyPrivate)
	}
	const anHour = int(time.Hour / time.Millisecond)
	cfg := agent.Config{
		DashboardURL:      env.DashboardURL,
		Secret:            secret,
		Name:              name,
		InstanceID:        env.AgentInstanceID,
		Version:           version,
		Labels:            bad.labels("AGENT_LABELS", env.AgentLabels),
		PollInterval:      time.Duration(bad.number("POLL_INTERVAL_MS", env.PollInterval, 1, anHour)) * time.Millisecond,
		HeartbeatInterval: time.Duration(bad.number("HEARTBEAT_INTERVAL_MS", env.HeartbeatInterval, 1, anHour)) * time.Millisecond,
		MaxConcurrentRuns: bad.number("MAX_CONCURRENT_RUNS", env.MaxConcurrentRuns, 1, 1000),
		VULimit:           agent.NewVULimit(bad.number("MAX_VUS", env.MaxVUs, 0, 1_000_000)),
		DefaultVUs:        bad.number("K6_VUS", env.VUs, 1, plan.MaxVUs),
		DefaultDuration:   bad.seconds("K6_DURATION", env.Duration),
		HealthAddr:        health,
	}
	choice := runners.Config{Version: version, Engine: env.Engine, K6Binary: env.K6Binary, TmpDir: env.TmpDir, DenyPrivate: deny}
	if err := choice.Validate(); err != nil {
		bad = append(bad, err)
	}
	return cfg, choice, errors.Join(bad...)
}

// faults collects what is wrong with the environment.
type faults []error

func (f *faults) add(variable, format string, args ...any) {
	*f = append(*f, fmt.Errorf(variable+" "+format, args...))
}

// number reads a whole number; an empty text is 0, the agent's own default.
func (f *faults) number(variable, text string, least, most int) int {
	if text == "" {
		return 0
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < least || n > most {
		f.add(variable, "must be a whole number from %d to %d, not %.40q", least, most, text)
	}
	return n
}

func (f *faults) seconds(variable, text string) time.Duration {
	d, err := time.ParseDuration(text)
	if err != nil || d < plan.MinDuration || d > plan.MaxDuration || d%time.Second != 0 {
		f.add(variable, "must be whole seconds from 1s to 24h, as in 90s or 5m, not %.40q", text)
	}
	return d
}

func (f *faults) labels(variable, text string) map[string]string {
	out := map[string]string{}
	for pair := range strings.SplitSeq(text, ",") {
		if strings.TrimSpace(pair) == "" {
			continue
		}
		name, value, ok := strings.Cut(pair, "=")
		if name = strings.TrimSpace(name); !ok || name == "" {
			f.add(variable, "must be name=value pairs with commas between them, not %.60q", pair)
			continue
		}
		out[name] = strings.TrimSpace(value)
	}
	return out
}

// named says the variable where the agent says its own field.
func named(err error) error {
	var field plan.FieldError
	if !errors.As(err, &field) {
		return err
	}
	variables := map[string]string{"DashboardURL": "DASHBOARD_URL", "Secret": "DASHBOARD_SECRET", "Name": "AGENT_NAME",
		"InstanceID": "AGENT_INSTANCE_ID", "Labels": "AGENT_LABELS"}
	if variable, ok := variables[field.Field]; ok {
		return fmt.Errorf("%s %s", variable, field.Message)
	}
	return err
}

// shown is the configuration as the log may have it: without the secret.
func shown(cfg agent.Config, choice runners.Config) logrus.Fields {
	return logrus.Fields{
		"version":           cfg.Version,
		"dashboard":         cfg.DashboardURL,
		"agent":             cfg.Name,
		"engine":            choice.Engine,
		"maxConcurrentRuns": cfg.MaxConcurrentRuns,
		"maxVUs":            cfg.VULimit.Max(),
		"pollInterval":      cfg.PollInterval,
		"heartbeatInterval": cfg.HeartbeatInterval,
		"defaultVUs":        cfg.DefaultVUs,
		"defaultDuration":   cfg.DefaultDuration,
		"denyPrivate":       choice.DenyPrivate,
		"health":            cfg.HealthAddr,
		"labels":            cfg.Labels,
	}
}

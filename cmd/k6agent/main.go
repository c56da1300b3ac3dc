// Command k6agent is one worker of the fleet: see package agent. It is set up by its environment alone; `k6agent help`
// lists it.
package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"os"
	"os/signal"
	"sync"
	"syscall"

	"github.com/nollagluiz/broadside/agent"
	"github.com/nollagluiz/broadside/cmd/internal/oneshot"
	"github.com/nollagluiz/broadside/cmd/internal/runners"
	"github.com/nollagluiz/broadside/cmd/internal/settings"
	"github.com/nollagluiz/broadside/engine"
)

// version is set by the linker: -X main.version=...
var version = "dev"

// Exit codes; 104 and 255 are k6's.
const (
	exitOK     = 0
	exitFailed = 1
	exitValue  = 104 // a setting is wrong
	exitUsage  = 255 // the command line is wrong
)

const usage = `k6agent is a worker of a load-test fleet.

usage: k6agent [agent | run URL | healthcheck | version | help]

  agent        (or nothing) work for the dashboard until SIGTERM
  run          make one run without a dashboard; see k6agent run --help
  healthcheck  ask the agent that runs on this machine how it is: exit 0 or 1
  version      print the version

environment:
  DASHBOARD_URL           where the dashboard is                        http://dashboard:3000
  DASHBOARD_SECRET        bearer token; the first of two with a comma   required
  AGENT_NAME              unique in the fleet                           the host's name
  AGENT_INSTANCE_ID       tells a restart from a second agent           random
  AGENT_LABELS            name=value,name=value, for people
  POLL_INTERVAL_MS        least time between two polls                  the dashboard's
  HEARTBEAT_INTERVAL_MS   least time between two heartbeats             the dashboard's
  MAX_CONCURRENT_RUNS     runs at once                                  2
  MAX_VUS                 virtual users at once; 0 is no limit          0
  K6_VUS, K6_DURATION     of a target that names none                   1, 30s
  ENGINE                  auto, embedded or exec (always k6)            auto
  K6_BINARY               k6, for targets with a script                 /usr/bin/k6
  TMP_DIR                 files of a k6 older than v0.30                /tmp
  DENY_PRIVATE_TARGETS    true refuses private addresses                false
  HEALTH_ADDR             where health is served; off for nowhere       127.0.0.1:9095
  LOG_LEVEL               trace, debug, info, warning or error          info
  LOG_FORMAT              text or json                                  text

DASHBOARD_SECRET may come from a file instead: DASHBOARD_SECRET_FILE.
`

func main() {
	log.SetOutput(io.Discard) // net/http prints there what a server sends unasked; this program's own log is another
	os.Exit(run(context.Background(), os.Args[1:], os.Environ(), os.Stdout, os.Stderr))
}

// run is the whole program; it returns the exit code.
func run(ctx context.Context, args, environ []string, stdout, stderr io.Writer) int {
	verb := "agent"
	if len(args) > 0 {
		verb = args[0]
	}
	if verb == "run" {
		return oneshot.Run(ctx, oneshot.Config{Program: "k6agent", Version: version, Args: args[1:], Environ: environ, Stdout: stdout, Stderr: stderr})
	}
	if len(args) > 1 {
		return complain(stderr, exitUsage, fmt.Errorf("one word at most, not %d; see k6agent help", len(args)))
	}
	switch verb {
	case "agent":
		return work(ctx, environ, stderr)
	case "healthcheck":
		return checkHealth(ctx, environ, stderr)
	case "version", "--version", "-v":
		fmt.Fprintln(stdout, "k6agent", version)
		return exitOK
	case "help", "--help", "-h":
		fmt.Fprint(stdout, usage)
		return exitOK
	}
	return complain(stderr, exitUsage, fmt.Errorf("%.40q is no verb; see k6agent help", verb))
}

func complain(stderr io.Writer, code int, err error) int {
	fmt.Fprintln(stderr, "k6agent:", err)
	return code
}

// work runs the agent until a signal. A second signal ends the process at once.
func work(ctx context.Context, environ []string, stderr io.Writer) int {
	ctx, stop := signal.NotifyContext(ctx, syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop)

	env, err := load(environ)
	if err != nil {
		return complain(stderr, exitValue, err)
	}
	log, err := settings.Logger(env.LogLevel, env.LogFormat, stderr)
	if err != nil {
		return complain(stderr, exitValue, err)
	}
	cfg, choice, err := env.configs()
	if err != nil {
		return complain(stderr, exitValue, err)
	}
	e, err := engine.New(engine.Config{Version: version, DenyPrivate: choice.DenyPrivate})
	if err != nil {
		return complain(stderr, exitFailed, err)
	}
	chosen, err := runners.New(choice, e)
	if err != nil {
		return complain(stderr, exitFailed, err)
	}
	// The process's end closes the engine: to wait for a run that does not let go would outlast the 5 seconds of a stop.
	cfg.Runner, cfg.Engine, cfg.K6, cfg.Log = chosen.Runner, chosen.Engine, chosen.K6, log
	a, err := agent.New(cfg)
	if err != nil {
		return complain(stderr, exitValue, named(err))
	}
	log.WithFields(shown(cfg, choice)).Info("k6agent starts")
	var probe sync.WaitGroup
	defer probe.Wait()
	probe.Go(func() { chosen.Probe(ctx, log) })
	if err := a.Run(ctx); err != nil {
		return complain(stderr, exitFailed, err)
	}
	return exitOK
}

// checkHealth asks the agent of this machine, for images without a shell.
func checkHealth(ctx context.Context, environ []string, stderr io.Writer) int {
	var env environment
	if err := settings.Load(&env, environ); err != nil {
		return complain(stderr, exitFailed, err)
	}
	if env.HealthAddr == off {
		return complain(stderr, exitFailed, fmt.Errorf("HEALTH_ADDR is %s: there is nothing to ask", off))
	}
	if err := agent.CheckHealth(ctx, env.HealthAddr); err != nil {
		return complain(stderr, exitFailed, err)
	}
	return exitOK
}

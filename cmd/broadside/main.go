// Command broadside is the dashboard of a load-test fleet, with agents of its own inside: see package dashboard. It is
// set up by its environment; `broadside help` lists it.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/nollagluiz/broadside/cmd/internal/oneshot"
	"github.com/nollagluiz/broadside/cmd/internal/settings"
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

const usage = `broadside is a load-test fleet: a dashboard and its agents.

usage: broadside up [--demo] | run URL | healthcheck | version | help

  up           serve the dashboard until SIGTERM; --demo adds a demo target, served on loopback
  run          make one run without a dashboard; see broadside run --help
  healthcheck  ask the dashboard that runs on this machine how it is: exit 0 or 1
  version      print the version

environment:
  LISTEN_ADDR            address to serve on                            :3000
  ADMIN_BASIC_AUTH       user:password of the administration            made at random, kept under DATA_DIR
  DASHBOARD_SECRET       bearer token of the agents; two in a rotation  made at random, kept under DATA_DIR
  DATA_DIR               database and secrets                           ./data
  SCALER                 embedded: agents in this process; none         embedded
  INITIAL_AGENTS         desired count on the very first start          1
  RUN_RETENTION          days that runs are kept                        30
  REAPER_CASCADE_RUNS    true deletes a deleted agent's runs too        false
  POLL_INTERVAL_MS       what agents are told                           5000
  HEARTBEAT_INTERVAL_MS  what agents are told                           30000
  MAX_CONCURRENT_RUNS    of each embedded agent                         2
  MAX_VUS                of all embedded agents together; 0 is no limit 0
  DENY_PRIVATE_TARGETS   true: embedded agents refuse private addresses false
  ENGINE                 of embedded agents: auto, embedded or exec     auto
  K6_BINARY, TMP_DIR     k6, for targets with a script; files of an old /usr/bin/k6, /tmp
  LOG_LEVEL              trace, debug, info, warning or error           info
  LOG_FORMAT             text or json                                   text

ADMIN_BASIC_AUTH and DASHBOARD_SECRET may come from files instead: ADMIN_BASIC_AUTH_FILE, DASHBOARD_SECRET_FILE.
`

func main() {
	log.SetOutput(io.Discard) // net/http prints there what a server sends unasked; this program's own log is another
	os.Exit(run(context.Background(), os.Args[1:], os.Environ(), os.Stdout, os.Stderr))
}

// run is the whole program; it returns the exit code.
func run(ctx context.Context, args, environ []string, stdout, stderr io.Writer) int {
	if len(args) == 0 {
		fmt.Fprint(stderr, usage)
		return exitUsage
	}
	verb, args := args[0], args[1:]
	if verb == "run" {
		return oneshot.Run(ctx, oneshot.Config{Program: "broadside", Version: version, Args: args, Environ: environ, Stdout: stdout, Stderr: stderr})
	}
	if verb != "up" && len(args) > 0 {
		return complain(stderr, exitUsage, fmt.Errorf("%s takes no %.40q; see broadside help", verb, args[0]))
	}
	switch verb {
	case "up":
		return up(ctx, args, environ, stdout, stderr)
	case "healthcheck":
		return checkHealth(ctx, environ, stderr)
	case "version", "--version", "-v":
		fmt.Fprintln(stdout, "broadside", version)
		return exitOK
	case "help", "--help", "-h":
		fmt.Fprint(stdout, usage)
		return exitOK
	}
	return complain(stderr, exitUsage, fmt.Errorf("%.40q is no verb; see broadside help", verb))
}

func complain(stderr io.Writer, code int, err error) int {
	fmt.Fprintln(stderr, "broadside:", err)
	return code
}

// up serves until a signal. A second signal ends the process at once.
func up(ctx context.Context, args, environ []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("up", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	demo := flags.Bool("demo", false, "")
	if err := flags.Parse(args); err != nil || flags.NArg() > 0 {
		return complain(stderr, exitUsage, fmt.Errorf("up takes --demo and nothing else, not %.60q; see broadside help", args))
	}
	env, err := load(environ)
	if err != nil {
		return complain(stderr, exitValue, err)
	}
	log, err := settings.Logger(env.LogLevel, env.LogFormat, stderr)
	if err != nil {
		return complain(stderr, exitValue, err)
	}
	secrets, kept, err := env.secrets()
	if err != nil {
		return complain(stderr, exitValue, err)
	}
	for _, file := range kept {
		log.WithField("file", file).Info("no secret was given; a random one is kept here")
	}
	ctx, stop := signal.NotifyContext(ctx, syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop)
	if err := serve(ctx, env, secrets, *demo, stdout, log); err != nil {
		return complain(stderr, exitFailed, err)
	}
	return exitOK
}

// checkHealth asks the dashboard of this machine, for images without a shell.
func checkHealth(ctx context.Context, environ []string, stderr io.Writer) int {
	env, err := load(environ)
	if err != nil {
		return complain(stderr, exitFailed, err)
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	if err := ask(ctx, localURL(env.ListenAddr)+"/healthz"); err != nil {
		return complain(stderr, exitFailed, err)
	}
	return exitOK
}

func ask(ctx context.Context, url string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return errors.New("the dashboard answered " + res.Status)
	}
	return nil
}

// localURL is where this machine reaches what listens on addr.
func localURL(addr string) string {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return "http://" + addr
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return "http://" + net.JoinHostPort(host, port)
}

// Package oneshot is the verb run of both programs: one run against one URL, without a dashboard, by k6's flags,
// environment variables, precedence and exit codes where k6 has them (k6 v2.2, "k6 run").
//
// Progress goes to stderr, the report to stdout; a summary in k6's JSON that goes to one of them has it alone.
package oneshot

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/caarlos0/env/v11"
	"github.com/mattn/go-isatty"
	"github.com/spf13/pflag"

	"github.com/nollagluiz/broadside/engine"
	"github.com/nollagluiz/broadside/plan"
	"github.com/nollagluiz/broadside/summary"
)

// Exit codes, k6's. That a target without an answer and a run without requests fail the command differs from k6, which
// leaves with 0.
const (
	exitOK      = 0
	exitFailed  = 1   // a result could not be written
	exitVerdict = 99  // threshold_failed, target_unreachable, no_requests
	exitValue   = 104 // a value or URL that can't be used
	exitAborted = 105
	exitUsage   = 255 // a flag that does not exist
)

// Config is what Run needs.
type Config struct {
	Program        string // for help and errors
	Version        string
	Args           []string // after the verb
	Environ        []string // as of os.Environ
	Stdout, Stderr io.Writer
}

// Run makes the run and returns the program's exit code. The first SIGINT or SIGTERM cuts the run, and its summary is
// still given; after a second one Run returns at once.
func Run(ctx context.Context, cfg Config) int {
	o, err := parse(cfg.Args, env.ToMap(cfg.Environ))
	if errors.Is(err, pflag.ErrHelp) {
		fmt.Fprint(cfg.Stdout, help(cfg.Program))
		return exitOK
	}
	var p plan.Plan
	if err == nil {
		p, err = o.plan()
	}
	if err != nil {
		fmt.Fprintf(cfg.Stderr, "%s run: %v\n", cfg.Program, err)
		if errors.As(err, new(valueError)) {
			return exitValue
		}
		return exitUsage
	}
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM)
	defer signal.Stop(signals)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ended := make(chan int, 1)
	go func() { ended <- o.run(ctx, cfg, p) }()
	for range 2 {
		select {
		case code := <-ended:
			return code
		case <-signals:
			cancel()
		}
	}
	return exitAborted
}

// run makes the run and tells of it.
func (o options) run(ctx context.Context, cfg Config, p plan.Plan) int {
	e, err := engine.New(engine.Config{Version: cfg.Version, DenyPrivate: o.denyPrivate, Transport: engine.Transport(o.transport)})
	if err != nil {
		fmt.Fprintf(cfg.Stderr, "%s run: %v\n", cfg.Program, err)
		return exitFailed
	}
	defer e.Close()
	w := o.writers(cfg)
	if name := proxyVariable(cfg.Environ); name != "" {
		fmt.Fprintf(w.notes, "%s is set and not used: load goes straight to its target\n", name)
	}
	progress := newProgress(w.notes, p, isTerminal(w.notes))
	var observers []engine.Observer
	if !o.quiet {
		observers = append(observers, progress.observe)
	}
	s, err := e.Run(ctx, p, observers...)
	progress.end()
	if s == nil {
		fmt.Fprintf(cfg.Stderr, "%s run: %v\n", cfg.Program, err)
		return exitValue
	}
	out := summary.Judge(s, err != nil)
	code := exitCode(out.Verdict)
	for _, err := range o.write(w, out) {
		fmt.Fprintf(cfg.Stderr, "%s run: %v\n", cfg.Program, err)
		code = cmp.Or(code, exitFailed)
	}
	return code
}

// proxyVariable names a variable that k6 would have sent the load through; "" if there is none.
func proxyVariable(environ []string) string {
	set := env.ToMap(environ)
	for _, name := range []string{"HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy"} {
		if set[name] != "" {
			return name
		}
	}
	return ""
}

func exitCode(v summary.Verdict) int {
	switch v {
	case summary.OK, summary.GeneratorLimited:
		return exitOK
	case summary.Aborted:
		return exitAborted
	case summary.ThresholdFailed, summary.TargetUnreachable, summary.NoRequests:
		return exitVerdict
	}
	return exitFailed
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && isatty.IsTerminal(f.Fd())
}

// Command bench measures what docs/benchmarks.md states, and prints it as a table of what each figure is, must be and
// should be: rate and CPU per request of `k6agent run` beside wrk and hey, system calls, allocations, memory, start-up.
//
// It drives the built binaries from outside, but for the count of allocations. The server is Debian's nginx. Server and
// client have a core each; clients take turns, and ratios are of pairs, so that the machine's noise hits both alike.
// Everything is on loopback and ends by itself.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	if len(args) == 4 && args[0] == exchangeArg {
		conns, err := strconv.Atoi(args[2])
		if err != nil {
			return err
		}
		seconds, err := strconv.Atoi(args[3])
		if err != nil {
			return err
		}
		return exchange(ctx, stdout, args[1], conns, time.Duration(seconds)*time.Second)
	}
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(stderr)
	rounds := flags.Int("rounds", 15, "rounds of each contest")
	seconds := flags.Int("seconds", 1, "of each client's turn")
	rows := flags.String("rows", "", "regular expression of the experiments to make: "+names())
	docs := flags.String("docs", "", "document to write the figures to; with all rows only")
	check := flags.Bool("check", false, "fail if a figure misses what it must be")
	quick := flags.Bool("quick", false, "only what noise does not touch, and check it: for CI")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *quick {
		*rows, *check = structural, true
	}
	chosen, err := regexp.Compile(*rows)
	switch {
	case err != nil:
		return err
	case flags.NArg() != 1 || *rounds < 1 || *seconds < 1:
		return errors.New("usage: bench [flags] BIN_DIR, with at least one round of a second")
	case *docs != "" && *rows != "":
		return errors.New("-docs is for all rows")
	}
	bin, err := filepath.Abs(flags.Arg(0))
	if err != nil {
		return err
	}
	l := &lab{bin: bin, rounds: *rounds, seconds: *seconds}
	if l.server, err = startServer(ctx); err != nil {
		return err
	}
	defer l.server.stop()
	figures, failures := l.measure(ctx, chosen, stderr)
	text := setting(ctx, l) + "\n" + table(figures)
	fmt.Fprint(stdout, text)
	if len(failures) > 0 {
		return errors.New("not measured:\n" + strings.Join(failures, "\n"))
	}
	if *docs != "" {
		if err := writeDocument(*docs, text); err != nil {
			return err
		}
	}
	if *check {
		return misses(figures)
	}
	return nil
}

// misses is an error that names the figures that miss what they must be.
func misses(figures []figure) error {
	var missed []error
	for _, f := range figures {
		if f.verdict() == "miss" {
			missed = append(missed, fmt.Errorf("%s is %s; must be %s", f.name, number(f.value), f.bound(f.must)))
		}
	}
	return errors.Join(missed...)
}

// measure makes the chosen experiments. One that fails does not keep the others from being made.
func (l *lab) measure(ctx context.Context, chosen *regexp.Regexp, progress io.Writer) (figures []figure, failures []string) {
	for _, e := range experiments() {
		if !chosen.MatchString(e.name) {
			continue
		}
		began := time.Now()
		got, err := e.measure(ctx, l)
		fmt.Fprintf(progress, "%s took %.0f s\n", e.name, time.Since(began).Seconds())
		if err != nil {
			failures = append(failures, e.name+": "+err.Error())
		}
		figures = append(figures, got...)
		if ctx.Err() != nil {
			break
		}
	}
	return figures, failures
}

func names() string {
	var out []string
	for _, e := range experiments() {
		out = append(out, e.name)
	}
	return strings.Join(out, " ")
}

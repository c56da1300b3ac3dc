package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"strings"
	"time"
)

// The lines of a document between which its figures stand.
const (
	beginFigures = "<!-- figures: written by make bench -->"
	endFigures   = "<!-- end of figures -->"
)

// replaceFigures puts text between the two lines.
func replaceFigures(document, text string) (string, error) {
	head, rest, ok := strings.Cut(document, beginFigures)
	_, tail, ended := strings.Cut(rest, endFigures)
	if !ok || !ended {
		return "", fmt.Errorf("no %q and %q in the document", beginFigures, endFigures)
	}
	return head + beginFigures + "\n" + text + endFigures + tail, nil
}

// writeDocument replaces the figures of a document.
func writeDocument(path, text string) error {
	old, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	document, err := replaceFigures(string(old), text)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return os.WriteFile(path, []byte(document), 0o644)
}

// setting says when, of what and on which machine the figures are.
func setting(ctx context.Context, l *lab) string {
	run := func(command ...string) string {
		path, err := lookUp(command[0])
		if err != nil {
			return "?"
		}
		text, _ := exec.CommandContext(ctx, path, command[1:]...).CombinedOutput() // wrk -v fails, and says it
		return strings.TrimSpace(string(text))
	}
	first := func(pattern, text string) string {
		if m := regexp.MustCompile(pattern).FindStringSubmatch(text); m != nil {
			return m[1]
		}
		return "?"
	}
	commit := run("git", "rev-parse", "--short", "HEAD")
	if run("git", "status", "--porcelain", "--untracked-files=no") != "" {
		commit += " with changes"
	}
	cpu, _ := os.ReadFile("/proc/cpuinfo") // "?" without
	kernel, _ := os.ReadFile("/proc/sys/kernel/osrelease")
	return fmt.Sprintf("%s, commit %s. %s, %d cores, Linux %s, %s; nginx %s, wrk %s. Rounds: %d, of %d s for each client.\n",
		time.Now().UTC().Format("2006-01-02 15:04 UTC"), commit, first(`model name\s*: (.+)`, string(cpu)), runtime.NumCPU(),
		strings.TrimSpace(string(kernel)), runtime.Version(), first(`nginx/(\S+)`, run("nginx", "-v")), first(`wrk \S*?/?([\d.]+)`, run("wrk", "-v")),
		l.rounds, l.seconds)
}

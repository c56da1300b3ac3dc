//go:build integration && linux

// Package servers holds the engine against web servers that we did not write: nginx, Apache httpd, HAProxy, lighttpd
// and go-httpbin. After a load, what the engine's Summary says is what the server's access log says: requests, statuses,
// failures, iterations, connections and, where the server can log them, bytes on the socket.
//
// Each server is a private process of the test: it listens on 127.0.0.1, has its configuration and its log in the test's
// folder, and is stopped by its pid before its log is read. A server that is not installed fails the test with the name
// of its Debian package. It is a module of its own, so that go-httpbin is no dependency of the product.
package servers

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// site is a server process.
type site struct {
	name  string
	bases map[string]string // URL up to the path, by the name of what listens there
	log   string            // file
	parse func(line string) (entry, error)

	cmd    *exec.Cmd
	output *bytes.Buffer // to be read once ended is closed
	ended  chan struct{}
}

// program is how a server is started.
type program struct {
	command, pkg string   // the file in PATH or /usr/sbin, and the Debian packages that it needs
	secure       []string // of its listeners, those that speak TLS
	clear        []string
	// args writes the configuration into a folder and returns the command's arguments. addresses are "127.0.0.1:port"
	// by the listener's name.
	args  func(t *testing.T, dir string, addresses map[string]string) []string
	log   string // the access log's name in the folder; "" if it is what the process prints
	parse func(line string) (entry, error)
	// quit ends it once it has answered what is under way.
	quit syscall.Signal
}

// startTries bounds the starts of a server: a port that was free may be another's by the time the server binds it.
const startTries = 3

// start starts a server and waits until it listens everywhere. It is stopped with the test at the latest.
func start(t *testing.T, p program) *site {
	t.Helper()
	command := lookUp(t, p.command, p.pkg)
	var err error
	for range startTries {
		var s *site
		if s, err = p.try(t, command); err == nil {
			return s
		}
	}
	t.Fatalf("%s (%s): %v", p.command, p.pkg, err)
	return nil
}

// lookUp finds a program that Debian may keep where only root looks.
func lookUp(t *testing.T, command, pkg string) string {
	t.Helper()
	for _, name := range []string{command, filepath.Join("/usr/sbin", command)} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	t.Fatalf("%s is not there: install Debian's %s (make deps does)", command, pkg)
	return ""
}

func (p program) try(t *testing.T, command string) (*site, error) {
	t.Helper()
	dir := t.TempDir()
	// Servers that were started by root serve and write as another user.
	if err := os.Chmod(filepath.Dir(dir), 0o755); err != nil {
		t.Fatal(err)
	}
	s := &site{name: p.command, bases: map[string]string{}, parse: p.parse, output: &bytes.Buffer{}, ended: make(chan struct{})}
	addresses := map[string]string{}
	for scheme, names := range map[string][]string{"http": p.clear, "https": p.secure} {
		for _, name := range names {
			addresses[name] = freeAddress(t)
			s.bases[name] = scheme + "://" + addresses[name]
		}
	}
	s.cmd = exec.Command(command, p.args(t, dir, addresses)...)
	s.cmd.Dir = dir
	s.cmd.Stdout, s.cmd.Stderr = s.output, s.output
	if p.log == "" {
		log, err := os.Create(filepath.Join(dir, "printed.log"))
		if err != nil {
			t.Fatal(err)
		}
		defer log.Close()
		s.log, s.cmd.Stdout, s.cmd.Stderr = log.Name(), log, log
	} else {
		s.log = filepath.Join(dir, p.log)
	}
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		defer close(s.ended)
		_ = s.cmd.Wait() // how it ended shows in its log
	}()
	t.Cleanup(func() {
		_ = s.cmd.Process.Kill() // it may have ended
		<-s.ended
	})
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	for _, address := range addresses {
		if err := s.awaitListener(ctx, address); err != nil {
			_ = s.cmd.Process.Kill()
			<-s.ended
			return nil, fmt.Errorf("%w\n%s", err, s.printed())
		}
	}
	return s, nil
}

func (s *site) printed() string {
	if s.cmd.Stdout != s.output {
		text, _ := os.ReadFile(s.log) // for a message alone
		return string(text)
	}
	return s.output.String()
}

// freeAddress is one on which nobody listens now.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func (s *site) awaitListener(ctx context.Context, address string) error {
	for {
		c, err := net.Dial("tcp", address)
		if err == nil {
			return c.Close()
		}
		select {
		case <-time.After(10 * time.Millisecond):
		case <-s.ended:
			return fmt.Errorf("ended before it listened on %s", address)
		case <-ctx.Done():
			return fmt.Errorf("does not listen on %s: %w", address, err)
		}
	}
}

// stop ends the server and returns what it has logged, by the run that a request's User-Agent names.
func (s *site) stop(t *testing.T, quit syscall.Signal) map[string][]entry {
	t.Helper()
	if err := s.cmd.Process.Signal(quit); err != nil {
		t.Fatal(err)
	}
	select {
	case <-s.ended:
	case <-time.After(10 * time.Second):
		t.Fatalf("%s does not end on %v", s.name, quit)
	}
	text, err := os.ReadFile(s.log)
	if err != nil {
		t.Fatal(err)
	}
	byRun := map[string][]entry{}
	for line := range strings.Lines(string(text)) {
		e, err := s.parse(strings.TrimSpace(line))
		if err != nil {
			t.Fatalf("%s logged %q: %v", s.name, line, err)
		}
		if strings.Trim(e.run, "-") != "" { // else no request of a run
			byRun[e.run] = append(byRun[e.run], e)
		}
	}
	return byRun
}

package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"syscall"
	"time"
)

// The cores on which a server and its client run: apart, so that neither takes time from the other.
const (
	serverCore = 0
	clientCore = 1
)

// lookUp finds a program that Debian may keep where only root looks.
func lookUp(name string) (string, error) {
	path, err := exec.LookPath(name)
	if err != nil {
		path, err = exec.LookPath(filepath.Join("/usr/sbin", name))
	}
	if err != nil {
		return "", fmt.Errorf("%s is needed (make deps installs it): %w", name, err)
	}
	return path, nil
}

// pinned is a command on one core. taskset becomes the command: pid and CPU time are the command's own.
func pinned(ctx context.Context, core int, command ...string) (*exec.Cmd, error) {
	path, err := lookUp(command[0])
	if err != nil {
		return nil, err
	}
	args := append([]string{"-c", strconv.Itoa(core), path}, command[1:]...)
	cmd := exec.CommandContext(ctx, "taskset", args...)
	cmd.Env = []string{"GOMAXPROCS=1"}
	return cmd, nil
}

// output runs a command to its end and returns what it printed.
func output(cmd *exec.Cmd) (string, error) {
	var printed, complained bytes.Buffer
	cmd.Stdout, cmd.Stderr = &printed, &complained
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("%v: %w\n%s%s", cmd.Args, err, complained.String(), printed.String())
	}
	return printed.String(), nil
}

// end asks a process to go and waits for it.
func end(cmd *exec.Cmd, ask syscall.Signal) {
	_ = cmd.Process.Signal(ask) // it may have ended
	done := time.AfterFunc(10*time.Second, func() { _ = cmd.Process.Kill() })
	defer done.Stop()
	_ = cmd.Wait()
}

// startPrinting starts cmd and returns the first match of want in what it prints, on either stream.
func startPrinting(ctx context.Context, cmd *exec.Cmd, want *regexp.Regexp) (match string, stop func(), err error) {
	r, w, err := os.Pipe()
	if err != nil {
		return "", nil, err
	}
	cmd.Stdout, cmd.Stderr = w, w
	err = cmd.Start()
	w.Close()
	if err != nil {
		r.Close()
		return "", nil, err
	}
	found := make(chan string, 1)
	read := make(chan struct{})
	go func() {
		defer close(read)
		scan(r, want, found)
	}()
	stop = func() {
		end(cmd, syscall.SIGTERM)
		r.Close()
		<-read
	}
	select {
	case m := <-found:
		return m, stop, nil
	case <-time.After(20 * time.Second):
		err = fmt.Errorf("%s did not print %v", cmd.Path, want)
	case <-ctx.Done():
		err = ctx.Err()
	}
	stop()
	return "", nil, err
}

// scan reads to the end, so that the writer never waits, and tells the first match in the first 1 MiB.
func scan(r io.Reader, want *regexp.Regexp, found chan<- string) {
	var seen []byte
	buf := make([]byte, 4096)
	for told := false; ; {
		n, err := r.Read(buf)
		if !told && len(seen) < 1<<20 {
			seen = append(seen, buf[:n]...)
			if m := want.Find(seen); m != nil {
				told = true
				found <- string(m)
			}
		}
		if err != nil {
			return
		}
	}
}

// wait waits for d.
func wait(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// memory reads a line of a process's /proc/PID/status in bytes: VmRSS, or VmHWM, its peak.
func memory(pid int, line string) (int64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	m := regexp.MustCompile(line + `:\s+(\d+) kB`).FindSubmatch(text)
	if m == nil {
		return 0, fmt.Errorf("no %s in /proc/%d/status", line, pid)
	}
	kb, err := strconv.ParseInt(string(m[1]), 10, 64)
	return kb << 10, err
}

package k6exec

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
)

// version is a version of k6: major, minor, patch.
type version [3]int

func (v version) String() string { return fmt.Sprintf("v%d.%d.%d", v[0], v[1], v[2]) }

// since tells whether v is major.minor or later.
func (v version) since(major, minor int) bool {
	return v[0] > major || v[0] == major && v[1] >= minor
}

// printsSummary tells whether k6 takes "stdout" for a file to export its summary to.
func (v version) printsSummary() bool { return v.since(0, 30) }

// listens tells whether k6 serves its REST API unless told not to.
func (v version) listens() bool { return !v.since(2, 0) }

// maxVersionOutput bounds what is read of "k6 version", in bytes. A build with many extensions lists them.
const maxVersionOutput = 16 << 10

// binary is a k6 that has told its version.
type binary struct {
	path    string // absolute
	version version
}

// Probe asks k6 for its version, unless it has told it already: a success is remembered, a failure is not. The error
// says in words what is wrong with the binary; it is fs.ErrNotExist if there is none.
func (r *Runner) Probe(ctx context.Context) error {
	_, err := r.probe(ctx)
	return err
}

func (r *Runner) probe(ctx context.Context) (*binary, error) {
	r.mu.Lock()
	k6 := r.k6
	r.mu.Unlock()
	if k6 != nil {
		return k6, nil
	}
	k6, err := r.ask(ctx)
	if ctx.Err() != nil {
		return nil, ctx.Err() // it says nothing about k6
	}
	if err != nil {
		r.failed(err)
		return nil, err
	}
	if r.cfg.TmpDir != "" {
		removeLeftovers(r.cfg.TmpDir)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.k6, r.status.Version, r.status.Error = k6, k6.version.String(), ""
	return k6, nil
}

// failed notes why k6 can't be used, until a probe finds otherwise.
func (r *Runner) failed(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.k6, r.status.Version, r.status.Error = nil, "", err.Error()
}

func (r *Runner) ask(ctx context.Context) (*binary, error) {
	path, err := locate(r.cfg.Path)
	if err != nil {
		return nil, fmt.Errorf("k6 at %s: %w", r.cfg.Path, err)
	}
	v, err := r.askVersion(ctx, path)
	if err != nil {
		return nil, fmt.Errorf("k6 at %s: %w", r.cfg.Path, err)
	}
	switch {
	case !v.since(0, 26):
		return nil, fmt.Errorf("k6 at %s: %v is too old; v0.26 is the oldest that exports a summary", r.cfg.Path, v)
	case !v.printsSummary() && r.cfg.TmpDir == "":
		return nil, fmt.Errorf("k6 at %s: %v is older than v0.30 and needs a directory for temporary files", r.cfg.Path, v)
	}
	return &binary{path, v}, nil
}

// locate gives the absolute path of a program that may be run. It is absolute since k6 gets another working directory.
func locate(path string) (string, error) {
	found, err := exec.LookPath(path)
	if info, statErr := os.Stat(path); statErr == nil && info.IsDir() {
		return "", errors.New("is a directory, not a program")
	}
	switch {
	case errors.Is(err, exec.ErrNotFound): // a bare name
		return "", fmt.Errorf("not in PATH: %w", fs.ErrNotExist)
	case errors.Is(err, fs.ErrNotExist):
		return "", fs.ErrNotExist
	case errors.Is(err, fs.ErrPermission):
		return "", errors.New("may not be executed")
	case err != nil:
		return "", err
	}
	return filepath.Abs(found)
}

func (r *Runner) askVersion(ctx context.Context, path string) (version, error) {
	ctx, cancel := context.WithTimeout(ctx, r.limits.probe)
	defer cancel()
	out := &head{most: maxVersionOutput, full: func() {}}
	c, err := start(command{path: path, args: []string{"version"}, env: bareEnvironment(), stdout: out, stderr: out, drain: r.limits.drain, hurry: r.limits.hurry})
	if err != nil {
		return version{}, fmt.Errorf("can't be started: %w", err)
	}
	select {
	case <-c.ended:
	case <-ctx.Done():
		c.kill()
		<-c.ended
		return version{}, fmt.Errorf("did not tell its version within %v", r.limits.probe)
	}
	v, ok := parseVersion(out.bytes)
	switch state := c.state(); {
	case !state.Success():
		return version{}, fmt.Errorf("did not tell its version: %v; it said %s", state, excerpt(out.bytes))
	case !ok:
		return version{}, fmt.Errorf("is no k6: asked for its version, it said %s", excerpt(out.bytes))
	}
	return v, nil
}

// versionPattern does not insist on the word k6: builds of one's own call themselves otherwise.
var versionPattern = regexp.MustCompile(`\bv(\d{1,6})\.(\d{1,6})\.(\d{1,6})\b`)

func parseVersion(text []byte) (version, bool) {
	m := versionPattern.FindSubmatch(text)
	if m == nil {
		return version{}, false
	}
	var v version
	for i := range v {
		v[i], _ = strconv.Atoi(string(m[i+1]))
	}
	return v, true
}

// excerpt quotes the beginning of what a program printed.
func excerpt(text []byte) string {
	text = bytes.TrimSpace(text)
	if len(text) == 0 {
		return "nothing"
	}
	return strconv.Quote(shorten(string(text), 100))
}

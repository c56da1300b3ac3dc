package k6exec

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

func TestProbe(t *testing.T) {
	for _, c := range []struct {
		name, says string
		tmpDir     bool
		want       string // version
	}{
		{"a release", "k6 v2.2.0 (commit/abcdef, go1.26.8, linux/amd64)", false, "v2.2.0"},
		{"a build of one's own", v220, false, "v2.2.0"},
		{"with extensions", "k6 v0.49.0 (go1.21.6, linux/arm64)\nExtensions:\n  github.com/grafana/xk6-sql v1.2.3, k6/x/sql [js]", false, "v0.49.0"},
		{"a release candidate", "k6 v1.0.0-rc1 (commit/abc, go1.24, linux/amd64)", false, "v1.0.0"},
		{"the oldest that prints", "k6 v0.30.0 (2021-01-20T13:14:50+0000/2193de0, go1.15.7, linux/amd64)", false, "v0.30.0"},
		{"the oldest of all", "k6 v0.26.0", true, "v0.26.0"},
	} {
		t.Run(c.name, func(t *testing.T) {
			cfg := Config{Path: fake(t, behaviour{Version: c.says})}
			if c.tmpDir {
				cfg.TmpDir = t.TempDir()
			}
			r := runner(t, cfg)
			if s := r.Status(); s != (Status{Path: cfg.Path}) {
				t.Errorf("before the probe: %+v", s)
			}
			if err := r.Probe(t.Context()); err != nil {
				t.Fatal(err)
			}
			if s := r.Status(); s != (Status{Path: cfg.Path, Version: c.want}) {
				t.Errorf("got %+v; want version %s", s, c.want)
			}
		})
	}
}

func TestProbeFails(t *testing.T) {
	dir := t.TempDir()
	for name, mode := range map[string]os.FileMode{"plain": 0o600, "text": 0o700} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("hello"), mode); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		name, path, want string
	}{
		{"missing", dir + "/none", "file does not exist"},
		{"missing, without a path", "no-such-k6-anywhere", "not in PATH: file does not exist"},
		{"a directory", dir, "is a directory, not a program"},
		{"not executable", dir + "/plain", "may not be executed"},
		{"no program", dir + "/text", "can't be started: fork/exec " + dir + "/text: exec format error"},
		{"silent", fake(t, behaviour{Version: " "}), "is no k6: asked for its version, it said nothing"},
		{"garbage", fake(t, behaviour{Version: strings.Repeat("\x00", 300)}), `is no k6: asked for its version, it said "` + strings.Repeat(`\x00`, 97) + `…"`},
		{"an address is no version", fake(t, behaviour{Version: "dev10.1.2.3"}), `is no k6: asked for its version, it said "dev10.1.2.3"`},
		{"failing", fake(t, behaviour{Version: v220, VersionExit: 3}), `did not tell its version: exit status 3; it said "` + v220 + `"`},
		{"hanging", fake(t, behaviour{Version: v220, VersionHang: true}), "did not tell its version within 1s"},
		{"too old", fake(t, behaviour{Version: "k6 v0.25.1"}), ""},
		{"old, and no directory", fake(t, behaviour{Version: "k6 v0.29.0"}), ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := runner(t, Config{Path: c.path})
			if c.name == "hanging" {
				r.limits.probe = time.Second
			}
			want := "k6 at " + c.path + ": " + c.want
			switch c.name {
			case "too old":
				want += "v0.25.1 is too old; v0.26 is the oldest that exports a summary"
			case "old, and no directory":
				want += "v0.29.0 is older than v0.30 and needs a directory for temporary files"
			}
			err := r.Probe(t.Context())
			if err == nil || err.Error() != want {
				t.Fatalf("got %v\nwant %s", err, want)
			}
			if s := r.Status(); s != (Status{Path: c.path, Error: want}) {
				t.Errorf("status %+v", s)
			}
			if missing := strings.Contains(c.name, "missing"); errors.Is(err, fs.ErrNotExist) != missing {
				t.Errorf("is fs.ErrNotExist: %v; want %v", !missing, missing)
			}
			if _, again := r.Run(t.Context(), aPlan(), nil); again == nil || again.Error() != want {
				t.Errorf("a run then gives %v", again)
			}
		})
	}
}

func TestNewNeedsPath(t *testing.T) {
	if _, err := New(Config{}); err == nil {
		t.Error("no error without a path")
	}
}

// A success is remembered, a failure tried again.
func TestProbeAgain(t *testing.T) {
	path := fake(t, behaviour{Version: "nothing yet"})
	r := runner(t, Config{Path: path})
	if err := r.Probe(t.Context()); err == nil {
		t.Fatal("garbage was taken for a version")
	}
	behave(t, path, behaviour{Version: "k6 v1.2.3"})
	for range 2 {
		if err := r.Probe(t.Context()); err != nil {
			t.Fatal(err)
		}
		if s := r.Status(); s != (Status{Path: path, Version: "v1.2.3"}) {
			t.Errorf("got %+v", s)
		}
		behave(t, path, behaviour{Version: "garbage"})
	}
}

// Heartbeats don't wait for a k6 that hangs, and a probe that was given up says nothing about k6.
func TestStatusDoesNotBlock(t *testing.T) {
	path := fake(t, behaviour{Version: v220, VersionHang: true})
	r := runner(t, Config{Path: path})
	ctx, cancel := context.WithCancel(t.Context())
	probed := make(chan error)
	go func() { probed <- r.Probe(ctx) }()
	if s := r.Status(); s != (Status{Path: path}) {
		t.Errorf("got %+v", s)
	}
	cancel()
	if err := <-probed; err != context.Canceled {
		t.Errorf("got %v", err)
	}
	if s := r.Status(); s != (Status{Path: path}) {
		t.Errorf("got %+v", s)
	}
}

// What is not read of a version that never ends is not kept.
func TestProbeFlood(t *testing.T) {
	path := fake(t, behaviour{Version: "k6 v2.2.0 " + strings.Repeat("x", 8<<20)})
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if err := runner(t, Config{Path: path}).Probe(t.Context()); err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	if grown := after.TotalAlloc - before.TotalAlloc; grown > 1<<20 {
		t.Errorf("%d KiB were allocated", grown>>10)
	}
}

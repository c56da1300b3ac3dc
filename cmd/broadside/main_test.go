package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/nollagluiz/broadside/cmd/internal/clitest"
)

// cleaned removes what the integration tests built.
type cleaned struct{ m *testing.M }

func (c cleaned) Run() int {
	defer os.RemoveAll(binDir())
	return c.m.Run()
}

// binDir is where the integration tests build the programs.
func binDir() string {
	return filepath.Join(os.TempDir(), fmt.Sprintf("broadside-bin-%d", os.Getpid()))
}

func TestMain(m *testing.M) {
	testscript.Main(cleaned{m}, map[string]func(){"broadside": main})
}

// TestScripts holds the command line to testdata/*.txtar: exit code, stdout and stderr of each verb and each bad setting.
func TestScripts(t *testing.T) {
	site := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	t.Cleanup(site.Close) // after the scripts, which run side by side
	clitest.Run(t, func(env *testscript.Env) error {
		env.Setenv("SITE", site.URL)
		return nil
	})
}

func TestKeptSecret(t *testing.T) {
	dir := t.TempDir()
	first, file, err := keptSecret(dir, "password")
	if err != nil || len(first) < 32 {
		t.Fatalf("made %q, %v; want at least 32 characters", first, err)
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("file %v, %v; want mode 0600", info.Mode(), err)
	}
	if again, _, err := keptSecret(dir, "password"); err != nil || again != first {
		t.Errorf("the second time %q, %v; want the same secret", again, err)
	}
	if other, _, err := keptSecret(t.TempDir(), "password"); err != nil || other == first {
		t.Errorf("another directory's secret is the same, %v", err)
	}
	if err := os.WriteFile(file, []byte("\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := keptSecret(dir, "password"); err == nil || !strings.Contains(err.Error(), "is empty") {
		t.Errorf("an empty file: %v; want a refusal", err)
	}
}

func TestLocalURL(t *testing.T) {
	for addr, want := range map[string]string{
		":3000":          "http://127.0.0.1:3000",
		"0.0.0.0:80":     "http://127.0.0.1:80",
		"[::]:3000":      "http://127.0.0.1:3000",
		"[::1]:3000":     "http://[::1]:3000",
		"10.1.2.3:3000":  "http://10.1.2.3:3000",
		"localhost:3000": "http://localhost:3000",
	} {
		if got := localURL(addr); got != want {
			t.Errorf("localURL(%q) = %q; want %q", addr, got, want)
		}
	}
}

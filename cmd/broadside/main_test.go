package main

import (
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
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
	testscript.Main(cleaned{m}, map[string]func(){"broadside": main, "interrupt": interrupt})
}

// TestScripts holds the command line to testdata/*.txtar: exit code, stdout and stderr of each verb and each bad setting.
func TestScripts(t *testing.T) {
	mux := http.NewServeMux()
	mux.HandleFunc("/", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("/missing", http.NotFound)
	mux.HandleFunc("/agent", func(w http.ResponseWriter, r *http.Request) {
		if r.UserAgent() != "k6-user/1" {
			w.WriteHeader(http.StatusTeapot)
		}
	})
	mux.HandleFunc("/moved", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/", http.StatusFound) })
	var seen starts
	mux.HandleFunc("/load/{name}", func(_ http.ResponseWriter, r *http.Request) { seen.begin(r.PathValue("name")) })
	mux.HandleFunc("/began/{name}", func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-seen.began(r.PathValue("name")):
		case <-r.Context().Done():
		}
	})
	site := httptest.NewServer(mux)
	secure := httptest.NewTLSServer(mux)
	secure.Config.ErrorLog = log.New(io.Discard, "", 0) // of the handshakes that the scripts make fail
	well := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/healthz" {
			http.NotFound(w, r)
		}
	}))
	ill := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusServiceUnavailable)
	}))
	for _, s := range []*httptest.Server{site, secure, well, ill} {
		t.Cleanup(s.Close) // after the scripts, which run side by side
	}
	certificate := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: secure.Certificate().Raw})
	clitest.Run(t, func(env *testscript.Env) error {
		env.Setenv("SITE", site.URL)
		env.Setenv("PORT", strings.TrimPrefix(site.URL, "http://127.0.0.1:"))
		env.Setenv("SECURE_SITE", secure.URL)
		env.Setenv("WELL", well.Listener.Addr().String())
		env.Setenv("ILL", ill.Listener.Addr().String())
		return os.WriteFile(filepath.Join(env.WorkDir, "authority.pem"), certificate, 0o600)
	})
}

// starts tells that the load of a name has begun.
type starts struct{ names sync.Map } // *began by name

func (s *starts) of(name string) *began {
	v, _ := s.names.LoadOrStore(name, &began{ch: make(chan struct{})})
	return v.(*began)
}

func (s *starts) begin(name string) { b := s.of(name); b.once.Do(func() { close(b.ch) }) }

func (s *starts) began(name string) <-chan struct{} { return s.of(name).ch }

type began struct {
	once sync.Once
	ch   chan struct{} // closed once it has
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

package main

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/nollagluiz/broadside/cmd/internal/clitest"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"k6agent": main})
}

// TestScripts holds the command line to testdata/*.txtar: exit code, stdout and stderr of each verb and each bad setting.
func TestScripts(t *testing.T) {
	clitest.Run(t, func(env *testscript.Env) error {
		health := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/healthz" {
				http.NotFound(w, r)
			}
		}))
		sick := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, "loops that hang: [poll]", http.StatusServiceUnavailable)
		}))
		site := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
		env.Defer(health.Close)
		env.Defer(site.Close)
		env.Defer(sick.Close)
		env.Setenv("SITE", site.URL)
		env.Setenv("HEALTHY", health.Listener.Addr().String())
		env.Setenv("SICK", sick.Listener.Addr().String())
		return nil
	})
}

package runners

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sirupsen/logrus"

	"github.com/nollagluiz/broadside/engine"
	"github.com/nollagluiz/broadside/plan"
)

// What ENGINE and K6_BINARY choose, what the log says of k6 at once, and what heartbeats say.
func TestNew(t *testing.T) {
	dir := t.TempDir()
	file := func(name, text string, mode os.FileMode) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
		return path
	}
	good := file("k6", "#!/bin/sh\n[ \"$1\" = version ] && echo 'k6 v2.2.0 (commit/abc)'\n", 0o755)
	locked := file("locked", "#!/bin/sh\n", 0o644)
	for _, tc := range []struct {
		name         string
		cfg          Config
		engine       string
		logged       string // a part; "" for nothing
		told         bool   // heartbeats speak of k6
		version      string
		scriptFaults string // a part of the error of a run with a script; "" if k6 would make it
	}{
		{"embedded", Config{Engine: Embedded, K6Binary: good}, "embedded", "", false, "", "ENGINE=embedded"},
		{"auto with a k6", Config{Engine: Auto, K6Binary: good}, "embedded", "k6 can be used", true, "2.2.0", ""},
		{"auto, nowhere", Config{Engine: Auto, K6Binary: dir + "/none"}, "embedded", "k6 can't be used", true, "", dir + "/none"},
		{"auto, not executable", Config{Engine: Auto, K6Binary: locked}, "embedded", "k6 can't be used", true, "", locked},
		{"exec", Config{Engine: Exec, K6Binary: good}, "k6", "k6 can be used", true, "2.2.0", ""},
		{"exec, nowhere", Config{Engine: Exec, K6Binary: dir + "/none"}, "k6", "k6 can't be used", true, "", dir + "/none"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			e, err := engine.New(engine.Config{})
			if err != nil {
				t.Fatal(err)
			}
			defer e.Close()
			r, err := New(tc.cfg, e)
			if err != nil {
				t.Fatal(err)
			}
			var printed bytes.Buffer
			log := logrus.New()
			log.SetOutput(&printed)
			r.Probe(t.Context(), log)
			if got := printed.String(); !strings.Contains(got, tc.logged) || (got == "") != (tc.logged == "") {
				t.Errorf("logged %q; want %q", got, tc.logged)
			}
			k6 := r.K6()
			switch {
			case (k6 != nil) != tc.told:
				t.Errorf("heartbeats tell %+v", k6)
			case k6 != nil && (k6.Version != tc.version || (k6.Error == "") != (tc.version != "")):
				t.Errorf("heartbeats tell %+v; want version %q", *k6, tc.version)
			}
			if r.Engine != tc.engine {
				t.Errorf("engine %q; want %q", r.Engine, tc.engine)
			}
			if tc.scriptFaults == "" {
				return
			}
			_, err = r.Runner(t.Context(), scripted(), nil)
			if err == nil || !strings.Contains(err.Error(), tc.scriptFaults) {
				t.Errorf("a script gives %v; want %q", err, tc.scriptFaults)
			}
		})
	}
}

func scripted() plan.Plan {
	return plan.Plan{Script: "export default function () {}", Scenarios: []plan.Scenario{{
		Duration: time.Second, Request: plan.Request{URL: "http://127.0.0.1:1/"},
	}}}
}

// Most agents have no k6 and need none: that the default one is missing is nothing to complain of.
func TestNoDefaultK6(t *testing.T) {
	if _, err := os.Stat(DefaultK6); err == nil {
		t.Fatalf("%s exists: this test is for machines without", DefaultK6)
	}
	e, err := engine.New(engine.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	r, err := New(Config{Engine: Auto}, e)
	if err != nil {
		t.Fatal(err)
	}
	var printed bytes.Buffer
	log := logrus.New()
	log.SetOutput(&printed)
	r.Probe(context.Background(), log)
	if k6 := r.K6(); k6 != nil || printed.Len() > 0 {
		t.Errorf("heartbeats tell %+v, the log %q; want nothing", k6, printed.String())
	}
	if _, err := r.Runner(t.Context(), scripted(), nil); err == nil || !strings.Contains(err.Error(), DefaultK6) {
		t.Errorf("a script gives %v; want the missing %s", err, DefaultK6)
	}
}

func TestValidate(t *testing.T) {
	for name, ok := range map[string]bool{Auto: true, Embedded: true, Exec: true, "": false, "warp": false, "AUTO": false} {
		if err := (Config{Engine: name}).Validate(); (err == nil) != ok {
			t.Errorf("ENGINE=%q: %v", name, err)
		}
	}
}

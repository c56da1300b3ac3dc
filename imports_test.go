// Tests of the house rules: here which package may import which and why, and what the programs link; in house_test.go
// what the code may do where; in docs_test.go that the documents speak of what exists. They run with `go test .`.
package broadside_test

import (
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/nollagluiz/broadside"

// edges are the allowed imports inside the module: a package pattern (path.Match; the first that fits counts), what it
// may import, and why no more. The standard library is always allowed; third-party modules are listed below.
var edges = []struct {
	pkg     string
	imports []string
	why     string
}{
	{"plan", nil, "what to run is pure data: anything may depend on it, so it depends on nothing"},
	{"summary/hist", nil, "distributions cross every boundary, so they depend on nothing"},
	{"summary", []string{"plan", "summary/hist"}, "what a run measured knows what was asked, not who ran it"},
	{"fleet", []string{"plan", "summary", "summary/hist"}, "the wire speaks of plans, verdicts and histograms; it knows neither side"},
	{"engine/internal/core", []string{"plan", "summary", "summary/hist"}, "the pure heart knows no transport, host or executor"},
	{"engine/internal/loop", []string{"engine/internal/core", "engine/internal/pace", "engine/internal/dial", "engine/internal/http1"}, "a host that does its own I/O, by http1's parser and requests"},
	{"engine/internal/*", []string{"engine/internal/core", "engine/internal/pace", "engine/internal/dial", "plan", "summary", "summary/hist"}, "parts meet in core; never the engine"},
	{"engine", []string{"engine/internal/*", "plan", "summary", "summary/hist"}, "the public library: an importer links only the standard library, x/sys and this"},
	{"agent", []string{"engine", "fleet", "plan", "summary", "summary/hist"}, "a worker: it never knows the dashboard's code, only the wire"},
	{"agent/k6exec", []string{"plan", "summary", "summary/hist"}, "a Runner over an external k6: the agent is given it, and it knows no agent"},
	{"dashboard", []string{"web", "fleet", "plan", "summary", "summary/hist"}, "the control plane declares what it needs and is given it"},
	{"dashboard/store/storetest", []string{"dashboard", "dashboard/reaper", "fleet", "plan", "summary", "summary/hist"}, "the conformance suite holds stores against the interfaces of the dashboard and its reaper"},
	{"dashboard/scaler/*", []string{"dashboard/scaler", "fleet", "plan", "summary", "summary/hist"}, "drivers know the interface that they serve"},
	{"dashboard/*", []string{"fleet", "plan", "summary", "summary/hist"}, "parts of the dashboard are wired in cmd and don't know one another"},
	{"dashboard/*/*", []string{"fleet", "plan", "summary", "summary/hist"}, "as above"},
	{"cmd/k6agent", []string{"agent", "cmd/internal/*", "engine", "fleet", "plan", "summary", "summary/hist"}, "an agent must stay small: no dashboard code"},
	{"cmd/*", []string{"*", "*/*", "*/*/*"}, "wiring may see everything"},
	{"cmd/internal/oneshot", []string{"engine", "plan", "summary", "summary/hist"}, "the verb run of both programs"},
	{"cmd/internal/runners", []string{"agent", "agent/k6exec", "engine", "fleet", "plan", "summary"}, "what makes the runs of both programs' agents"},
	{"cmd/internal/*", nil, "what two commands share needs nothing of ours"},
	{"test/bench", []string{"engine", "plan", "summary"}, "drives the built binaries from outside; but allocations show only in the engine's own process"},
	{"test/*", nil, "programs that drive the built binaries from outside"},
}

// thirdParty lists the modules that a package pattern may import beside the standard library; the first that fits counts.
var thirdParty = []struct {
	pkg     string
	modules []string
}{
	{"plan", nil},
	{"summary", nil},
	{"summary/hist", nil},
	{"fleet", nil},
	{"engine", []string{"golang.org/x/sys"}},
	{"engine/internal/*", []string{"golang.org/x/sys"}},
	{"agent", []string{"github.com/sirupsen/logrus", "github.com/google/uuid", "github.com/oklog/run", "golang.org/x/sys"}},
	{"agent/k6exec", []string{"golang.org/x/sys"}},
	{"cmd/k6agent", []string{"github.com/sirupsen/logrus", "github.com/caarlos0/env/v11"}},
}

func matches(pattern, dir string) bool {
	ok, _ := path.Match(pattern, dir)
	return ok
}

func TestImports(t *testing.T) {
	for _, s := range sources(t) {
		if s.test() {
			continue
		}
		for _, spec := range s.file.Imports {
			imported, _ := strconv.Unquote(spec.Path.Value)
			if inside, ok := strings.CutPrefix(imported, module+"/"); ok {
				checkEdge(t, s, inside)
			} else if strings.Contains(strings.SplitN(imported, "/", 2)[0], ".") {
				checkThirdParty(t, s, imported)
			}
		}
	}
}

func checkEdge(t *testing.T, s source, imported string) {
	t.Helper()
	for _, e := range edges {
		if !matches(e.pkg, s.dir) {
			continue
		}
		if !slices.ContainsFunc(e.imports, func(p string) bool { return matches(p, imported) }) {
			t.Errorf("%s/%s imports %s: %s", s.dir, s.name, imported, e.why)
		}
		return
	}
	t.Errorf("%s/%s: package %s has no row in edges", s.dir, s.name, s.dir)
}

func checkThirdParty(t *testing.T, s source, imported string) {
	t.Helper()
	for _, e := range thirdParty {
		if !matches(e.pkg, s.dir) {
			continue
		}
		if !slices.ContainsFunc(e.modules, func(m string) bool { return imported == m || strings.HasPrefix(imported, m+"/") }) {
			t.Errorf("%s/%s imports %s; allowed: %v", s.dir, s.name, imported, e.modules)
		}
		return
	}
}

// goList runs the go command, which a test of a Go module may count on.
func goList(t *testing.T, args ...string) []string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", append([]string{"list"}, args...)...).Output()
	if err != nil {
		t.Fatalf("go list %v: %v", args, err)
	}
	return strings.Fields(string(out))
}

// agpl are modules under the AGPL: linking one would put every importer of the engine under it (ADR 1).
var agpl = []string{"go.k6.io/k6", "github.com/grafana/grafana", "github.com/grafana/loki", "github.com/grafana/tempo", "github.com/grafana/mimir"}

func TestNoAGPLModule(t *testing.T) {
	modules := goList(t, "-m", "-f", "{{.Path}}", "all")
	if !slices.Contains(modules, module) {
		t.Fatalf("go list -m all does not name %s: %d modules", module, len(modules))
	}
	for _, m := range modules {
		for _, bad := range agpl {
			if m == bad || strings.HasPrefix(m, bad+"/") {
				t.Errorf("module %s is under the AGPL", m)
			}
		}
	}
}

// TestAgentStaysSmall: the agent's binary reaches no database, OpenAPI, Docker or Kubernetes package.
func TestAgentStaysSmall(t *testing.T) {
	deps := goList(t, "-deps", "./cmd/k6agent")
	if !slices.Contains(deps, module+"/engine") {
		t.Fatal("k6agent does not link the engine: the listing is broken")
	}
	for _, dep := range deps {
		for _, bad := range []string{"database/sql", "modernc.org/", "github.com/jackc/", "github.com/danielgtaylor/huma", "k8s.io/", "github.com/moby/", "github.com/docker/", module + "/dashboard"} {
			if strings.HasPrefix(dep, bad) {
				t.Errorf("k6agent links %s", dep)
			}
		}
	}
}

// TestEngineIsLight: who imports the engine links the standard library, x/sys and our own packages, nothing else.
func TestEngineIsLight(t *testing.T) {
	for _, dep := range goList(t, "-deps", "-f", "{{if not .Standard}}{{.ImportPath}}{{end}}", "./engine") {
		if !strings.HasPrefix(dep, module+"/") && !strings.HasPrefix(dep, "golang.org/x/sys/") {
			t.Errorf("the engine links %s", dep)
		}
	}
}

// TestOutsideModule builds a program of another module that imports the engine: it links nothing but the standard
// library, x/sys and our own packages.
func TestOutsideModule(t *testing.T) {
	repo, err := filepath.Abs(".")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for name, text := range map[string]string{
		"go.mod":  "module example.org/outside\n\ngo 1.26\n\nrequire " + module + " v0.0.0\n\nreplace " + module + " => " + repo + "\n",
		"main.go": "package main\n\nimport (\n\t\"context\"\n\t\"fmt\"\n\n\t\"" + module + "/engine\"\n\t\"" + module + "/plan\"\n)\n\nfunc main() {\n\t_, err := engine.Run(context.Background(), plan.Plan{})\n\tfmt.Println(err)\n}\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	build := exec.CommandContext(t.Context(), "go", "build", "-mod=mod", "-o", "outside", ".")
	build.Dir = dir
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	info, err := exec.CommandContext(t.Context(), "go", "version", "-m", filepath.Join(dir, "outside")).Output()
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(info)) {
		fields := strings.Fields(line)
		if len(fields) > 1 && fields[0] == "dep" && fields[1] != module && fields[1] != "golang.org/x/sys" {
			t.Errorf("a program that imports the engine links %s", fields[1])
		}
	}
	if !strings.Contains(string(info), module) {
		t.Errorf("no trace of the engine in:\n%s", info)
	}
}

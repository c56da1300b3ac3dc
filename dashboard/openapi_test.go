package dashboard_test

import (
	"encoding/json"
	"flag"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite ../api/openapi.json")

const committed = "../api/openapi.json"

// The description is generated from the code and committed, so that clients can be generated from it and a change of the
// wire shows in a review. `go test ./dashboard -run OpenAPI -update` rewrites it.
func TestOpenAPIHasNotDrifted(t *testing.T) {
	f := newFixture(t)
	served := f.call("GET", "/api/openapi.json", nil).wants(http.StatusOK).body
	if *update {
		f.must(os.WriteFile(committed, served, 0o644))
	}
	file, err := os.ReadFile(committed)
	f.must(err)
	if diff := cmp.Diff(strings.Split(string(file), "\n"), strings.Split(string(served), "\n")); diff != "" {
		t.Errorf("%s is not what is served (-committed +served):\n%s", committed, diff)
	}
}

// description is what the tests need of an OpenAPI document.
type description struct {
	OpenAPI string
	Paths   map[string]map[string]operation
}

type operation struct {
	OperationID string
	Security    []map[string][]string
	Responses   map[string]json.RawMessage
	RequestBody *struct {
		Content map[string]json.RawMessage
	}
}

func (f *fixture) description() description {
	f.Helper()
	return read[description](f.call("GET", "/api/openapi.json", nil))
}

func TestOpenAPIDescribesEachRoute(t *testing.T) {
	f := newFixture(t)
	d := f.description()
	if d.OpenAPI != "3.1.0" {
		t.Errorf("OpenAPI %s; want 3.1.0", d.OpenAPI)
	}
	seen := map[string]bool{}
	for path, operations := range d.Paths {
		for method, op := range operations {
			seen[strings.ToUpper(method)+" "+path] = true
			if op.OperationID == "" || op.Responses["default"] == nil || len(op.Responses) < 2 {
				t.Errorf("%s %s is described by halves: %+v", method, path, op)
			}
		}
	}
	for _, r := range allRoutes {
		if r.plain {
			continue
		}
		if !seen[r.method+" "+r.path] {
			t.Errorf("%s %s is not described", r.method, r.path)
		}
		delete(seen, r.method+" "+r.path)
	}
	for left := range seen {
		t.Errorf("%s is described, and in no test of access", left)
	}
}

// Nothing of the API needs another host: no docs page from a CDN, no $schema in an answer.
func TestOpenAPIStaysAtHome(t *testing.T) {
	f := newFixture(t)
	for _, path := range []string{"/docs", "/schemas", "/openapi.json", "/openapi.yaml", "/api/docs"} {
		f.call("GET", path, nil).wants(http.StatusNotFound)
	}
	r := f.call("GET", pathList, nil).wants(http.StatusOK)
	if strings.Contains(string(r.body), "$schema") || r.header.Get("Link") != "" {
		t.Errorf("an answer points to its schema: %s %s", r.body, r.header.Get("Link"))
	}
}

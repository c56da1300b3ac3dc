package broadside_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// source is one Go file of the product.
type source struct {
	dir  string // slash-separated, relative to the module; "." for the root
	name string
	file *ast.File
}

func (s source) test() bool { return strings.HasSuffix(s.name, "_test.go") }

func sources(t *testing.T) []source {
	t.Helper()
	var out []source
	err := filepath.WalkDir(".", func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			name := d.Name()
			if p != "." && (strings.HasPrefix(name, ".") || name == "tools" || name == "testdata" || name == "node_modules" || name == "bin") {
				return filepath.SkipDir
			}
			return nil
		}
		if filepath.Ext(p) != ".go" {
			return nil
		}
		f, err := parser.ParseFile(token.NewFileSet(), p, nil, parser.ParseComments)
		if err != nil {
			return err
		}
		out = append(out, source{path.Dir(filepath.ToSlash(p)), d.Name(), f})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(out) < 50 {
		t.Fatalf("only %d Go files found: the walk is broken", len(out))
	}
	return out
}

func TestOnePackageCommentPerPackage(t *testing.T) {
	comments := map[string][]string{}
	for _, s := range sources(t) {
		if s.test() {
			continue
		}
		if _, seen := comments[s.dir]; !seen {
			comments[s.dir] = nil
		}
		if s.file.Doc != nil {
			comments[s.dir] = append(comments[s.dir], s.name)
		}
	}
	for dir, files := range comments {
		if len(files) != 1 {
			t.Errorf("package %s has %d package comments %v; want 1", dir, len(files), files)
		}
	}
}

func TestNoInit(t *testing.T) {
	for _, s := range sources(t) {
		for _, d := range s.file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Recv == nil && f.Name.Name == "init" {
				t.Errorf("%s/%s has an init function; pass values instead", s.dir, s.name)
			}
		}
	}
}

// restricted are functions that only some packages may call.
var restricted = []struct {
	pkg     string // import path
	names   []string
	allowed []string // package patterns
	why     string
}{
	{"os", []string{"Getenv", "LookupEnv", "Environ", "Setenv", "ExpandEnv"}, []string{"cmd/*"}, "the environment is read once, in cmd"},
	{"os", []string{"Exit"}, []string{"cmd/*", "test/*"}, "only main exits"},
	{"log", []string{"Fatal", "Fatalf", "Fatalln", "Panic", "Panicf"}, nil, "only main exits"},
	{"time", []string{"Sleep"}, nil, "every wait selects on its context"},
	{"os/exec", []string{"Command", "CommandContext"}, []string{"agent/k6exec", "dashboard/scaler/process", "test/*"}, "agents run no process"},
	{"os", []string{"Create", "CreateTemp", "MkdirTemp", "WriteFile", "OpenFile"}, []string{"agent/k6exec", "cmd/broadside", "cmd/internal/oneshot", "dashboard/store/*", "test/*"}, "no temp file, but for a k6 that can't do without (ADR 9)"},
}

func TestRestrictedCalls(t *testing.T) {
	for _, s := range sources(t) {
		if s.test() {
			continue
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			sel, ok := n.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			id, ok := sel.X.(*ast.Ident)
			if !ok {
				return true
			}
			for _, r := range restricted {
				if id.Name != path.Base(r.pkg) || !slices.Contains(r.names, sel.Sel.Name) || !importsPath(s.file, r.pkg) {
					continue
				}
				if !slices.ContainsFunc(r.allowed, func(p string) bool { return matches(p, s.dir) }) {
					t.Errorf("%s/%s calls %s.%s: %s", s.dir, s.name, r.pkg, sel.Sel.Name, r.why)
				}
			}
			return true
		})
	}
}

func importsPath(f *ast.File, pkg string) bool {
	return slices.ContainsFunc(f.Imports, func(s *ast.ImportSpec) bool { return s.Path.Value == strconv.Quote(pkg) && s.Name == nil })
}

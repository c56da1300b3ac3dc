package broadside_test

import (
	"go/ast"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// pages are the Markdown files of the repository.
func pages(t *testing.T) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, pattern := range []string{"*.md", "docs/*.md", "docs/ADR/*.md"} {
		names, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			text, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			out[name] = string(text)
		}
	}
	if len(out) < 20 {
		t.Fatalf("only %d pages found: the walk is broken", len(out))
	}
	return out
}

// A decision names the tests that pin it; a renamed test takes its name along.
func TestDecisionsNameTestsThatExist(t *testing.T) {
	tests := map[string]bool{}
	for _, s := range sources(t) {
		for _, d := range s.file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && s.test() {
				tests[f.Name.Name] = true
			}
		}
	}
	name := regexp.MustCompile("`((?:Test|Fuzz)[A-Za-z0-9_]+)`")
	for page, text := range pages(t) {
		pinned := name.FindAllStringSubmatch(text, -1)
		if strings.HasPrefix(filepath.Base(page), "0") && len(pinned) == 0 {
			t.Errorf("%s names no test that pins it", page)
		}
		for _, m := range pinned {
			if !tests[m[1]] {
				t.Errorf("%s names %s, which does not exist", page, m[1])
			}
		}
	}
}

// A link inside the repository, a picture too, leads somewhere.
func TestPagesLinkToWhatExists(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^)#\s]+)(?:#[^)]*)?\)`)
	for page, text := range pages(t) {
		for _, m := range link.FindAllStringSubmatch(text, -1) {
			if strings.Contains(m[1], "://") || strings.HasPrefix(m[1], "mailto:") {
				continue
			}
			if _, err := os.Stat(filepath.Join(filepath.Dir(page), m[1])); err != nil {
				t.Errorf("%s links to %s: %v", page, m[1], err)
			}
		}
	}
}

// Each row of the comparison with k6 says what holds, and by which test or command-line script that is shown. (That the
// tests exist is TestDecisionsNameTestsThatExist's, that the scripts do TestPagesLinkToWhatExists's.)
func TestK6CompatibilityIsShown(t *testing.T) {
	const page = "docs/k6-compatibility.md"
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	shown := regexp.MustCompile("`Test[A-Za-z0-9_]+`|\\]\\([^)]+\\.txtar\\)")
	rows := 0
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		cells := strings.Split(strings.Trim(line, "|"), "|")
		for i, cell := range cells {
			cells[i] = strings.TrimSpace(cell)
		}
		head := len(cells) > 1 && (cells[1] == "" || cells[1] == "---")
		if !strings.HasPrefix(line, "|") || head {
			continue
		}
		rows++
		if len(cells) != 4 {
			t.Errorf("%s: %d cells; want 4, in %s", page, len(cells), line)
			continue
		}
		if !slices.Contains([]string{"same", "differs", "refused", "ours"}, cells[1]) {
			t.Errorf("%s: %s is %q; want same, differs, refused or ours", page, cells[0], cells[1])
		}
		if cells[2] == "" && cells[1] != "same" {
			t.Errorf("%s: %s %s, and it is not said how or why", page, cells[0], cells[1])
		}
		if !shown.MatchString(cells[3]) {
			t.Errorf("%s: %s is shown by no test", page, cells[0])
		}
	}
	if rows < 100 {
		t.Errorf("only %d rows found: the reading is broken", rows)
	}
}

package sqlite_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/nollagluiz/broadside/dashboard/store/sqlite"
	"github.com/nollagluiz/broadside/fleet"
	"github.com/nollagluiz/broadside/summary"
)

// statements are the SQL texts of the package that are put together of constants alone.
func statements(t *testing.T) []string {
	t.Helper()
	names, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	var files []*ast.File
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
	}
	consts := map[string]ast.Expr{}
	var exprs []ast.Expr
	inner := map[ast.Expr]bool{} // parts of a longer text
	for _, file := range files {
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.ValueSpec:
				for i, name := range n.Names {
					if i < len(n.Values) {
						consts[name.Name] = n.Values[i]
					}
				}
			case *ast.BinaryExpr:
				if n.Op == token.ADD {
					inner[n.X], inner[n.Y] = true, true
					exprs = append(exprs, n)
				}
			case *ast.BasicLit:
				exprs = append(exprs, n)
			}
			return true
		})
	}
	var out []string
	for _, e := range exprs {
		if text, ok := textOf(e, consts); ok && !inner[e] && isStatement.MatchString(text) {
			out = append(out, text)
		}
	}
	return out
}

var isStatement = regexp.MustCompile(`^(SELECT|INSERT|UPDATE|DELETE) `)

func textOf(e ast.Expr, consts map[string]ast.Expr) (string, bool) {
	switch e := e.(type) {
	case *ast.BasicLit:
		text, err := strconv.Unquote(e.Value)
		return text, err == nil && e.Kind == token.STRING
	case *ast.Ident:
		if value, ok := consts[e.Name]; ok {
			return textOf(value, consts)
		}
	case *ast.BinaryExpr:
		x, ok1 := textOf(e.X, consts)
		y, ok2 := textOf(e.Y, consts)
		return x + y, ok1 && ok2
	}
	return "", false
}

// TestStatementsFitBothEngines: SQLite numbers $n by first appearance and PostgreSQL by n, so a statement means the
// same to both only if n rises from 1 without a gap. The clock is the caller's, and times are plain numbers.
func TestStatementsFitBothEngines(t *testing.T) {
	all := statements(t)
	if len(all) < 20 {
		t.Fatalf("%d statements found; the search is broken", len(all))
	}
	placeholder := regexp.MustCompile(`\$(\d+)`)
	engineOwn := regexp.MustCompile(`(?i)\b(now|datetime|strftime|unixepoch|julianday|current_timestamp|current_time|current_date|rowid|ifnull|printf)\b|\?|"`)
	for _, text := range all {
		most := 0
		for _, match := range placeholder.FindAllStringSubmatch(text, -1) {
			n, _ := strconv.Atoi(match[1])
			if n > most+1 {
				t.Errorf("$%d comes before $%d in: %s", n, most+1, text)
			}
			most = max(most, n)
		}
		if found := engineOwn.FindString(text); found != "" {
			t.Errorf("%q belongs to one engine only: %s", found, text)
		}
	}
}

// plan tells how SQLite would run a statement, a step a line.
func plan(t *testing.T, s *sqlite.Store, statement string, args ...any) []string {
	t.Helper()
	rows, err := s.Writer().QueryContext(t.Context(), `EXPLAIN QUERY PLAN `+statement, args...)
	if err != nil {
		t.Fatalf("%v in: %s", err, statement)
	}
	defer rows.Close()
	var steps []string
	for rows.Next() {
		var id, parent, unused int
		var step string
		if err := rows.Scan(&id, &parent, &unused, &step); err != nil {
			t.Fatal(err)
		}
		steps = append(steps, step)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return steps
}

// TestNoStatementReadsAllRuns: field report 54, nothing slows down with the number of stored runs.
func TestNoStatementReadsAllRuns(t *testing.T) {
	s := openNew(t)
	scan := regexp.MustCompile(`^SCAN (k6_runs|r|k6_run_data|d)$`)
	for _, text := range statements(t) {
		placeholders := map[string]bool{}
		for _, p := range regexp.MustCompile(`\$\d+`).FindAllString(text, -1) {
			placeholders[p] = true
		}
		for _, step := range plan(t, s, text, make([]any, len(placeholders))...) {
			if scan.MatchString(step) {
				t.Errorf("%s in: %s", step, text)
			}
		}
	}
}

// TestPagesUseIndexes: nor does a page read, or sort, what it won't show, except that it passes by the few runs that a
// filter for done or ok leaves out, and those outside of a span of time.
func TestPagesUseIndexes(t *testing.T) {
	s := openNew(t)
	for _, c := range []struct {
		filter fleet.RunFilter
		want   string
	}{
		{fleet.RunFilter{}, "SCAN r"}, // in the order of its key, until the page is full
		{fleet.RunFilter{Status: fleet.RunDone}, "SCAN r"},
		{fleet.RunFilter{Verdict: summary.OK}, "SCAN r"},
		{fleet.RunFilter{TargetID: "t"}, "SEARCH r USING INDEX k6_runs_by_target (target_id=?)"},
		{fleet.RunFilter{AgentID: "a"}, "SEARCH r USING INDEX k6_runs_by_agent (agent_id=?)"},
		{fleet.RunFilter{Status: fleet.RunError}, "SEARCH r USING INDEX k6_runs_not_done (status=?)"},
		{fleet.RunFilter{Status: fleet.RunRunning}, "SEARCH r USING INDEX k6_runs_not_done (status=?)"},
		{fleet.RunFilter{Verdict: summary.Lost}, "SEARCH r USING INDEX k6_runs_not_ok (verdict=?)"},
		{fleet.RunFilter{TargetID: "t", Status: fleet.RunDone}, "SEARCH r USING INDEX k6_runs_by_target (target_id=?)"},
	} {
		query, args, err := sqlite.RunsQuery(c.filter, "", 51)
		if err != nil {
			t.Fatal(err)
		}
		if got := plan(t, s, query, args...); len(got) != 1 || got[0] != c.want {
			t.Errorf("filter %+v: %q; want %q", c.filter, got, c.want)
		}
	}
}

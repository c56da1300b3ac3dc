package oneshot

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/pflag"
)

// rows gives what a table of docs/k6-compatibility.md, after a heading, says of each name that a pattern finds: same,
// differs, refused or ours.
func rows(t *testing.T, heading, pattern string) map[string][]string {
	t.Helper()
	_, section, ok := strings.Cut(read(t, "../../../docs/k6-compatibility.md"), heading+"\n")
	if !ok {
		t.Fatalf("no heading %q", heading)
	}
	section, _, _ = strings.Cut(section, "\n#")
	out := map[string][]string{}
	for line := range strings.Lines(section) {
		cells := strings.Split(strings.Trim(line, "|"), "|")
		if len(cells) < 2 {
			continue
		}
		for _, name := range regexp.MustCompile(pattern).FindAllStringSubmatch(cells[0], -1) {
			out[name[1]] = append(out[name[1]], strings.TrimSpace(cells[1]))
		}
	}
	return out
}

// The page says of each flag what becomes of it, and of no flag that there isn't.
func TestPageHasEachFlag(t *testing.T) {
	said := rows(t, "### Flags", "`--([a-z0-9-]+)")
	ofK6 := flagsOfK6()
	var ours []string
	o := defaults()
	o.flags().VisitAll(func(f *pflag.Flag) {
		if !slices.Contains(ofK6, f.Name) {
			ours = append(ours, f.Name)
		}
	})
	ours = append(ours, "insecure") // another name for one of k6's
	for _, name := range ofK6 {
		is := said[name]
		if refused := slices.Contains(is, "refused"); len(is) == 0 || refused == takes(name) || slices.Contains(is, "ours") {
			t.Errorf("--%s: %v; taken: %v", name, is, takes(name))
		}
	}
	for _, name := range ours {
		if !slices.Equal(said[name], []string{"ours"}) {
			t.Errorf("--%s: %v; want ours", name, said[name])
		}
	}
	for name := range said {
		if !slices.Contains(ofK6, name) && !slices.Contains(ours, name) {
			t.Errorf("--%s is no flag", name)
		}
	}
}

// So with variables.
func TestPageHasEachVariable(t *testing.T) {
	said := rows(t, "An empty variable is as good as none, as in k6.", "`(K6_[A-Z0-9_]+)`")
	taken := map[string]bool{"K6_NO_USAGE_REPORT": true}
	for _, v := range variables {
		if strings.HasPrefix(v.name, "K6_") {
			taken[v.name] = true
		}
	}
	for name := range taken {
		if !slices.Equal(said[name], []string{"same"}) {
			t.Errorf("%s: %v; want same", name, said[name])
		}
	}
	for name, is := range said {
		if refused := !taken[name] && whyRefused(name) != ""; refused != slices.Contains(is, "refused") {
			t.Errorf("%s: %v; refused: %v", name, is, refused)
		}
	}
	for _, r := range refused {
		for _, name := range r.names {
			variable := func(v string) bool { return fold(v) == fold(name) }
			known := slices.ContainsFunc(sorted(said), variable)
			// No variable of k6 has these.
			if none := []string{"scenarios", "execution-segment", "execution-segment-sequence", "verbose", "tls-version", "no-summary"}; known == slices.Contains(none, name) {
				t.Errorf("%s: a variable of the page: %v", name, known)
			}
		}
	}
}

package pages

import (
	"io/fs"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/nollagluiz/broadside/fleet"
)

func mustLocale(t *testing.T, tag string) *locale {
	t.Helper()
	l, err := newLocale(tag)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

var placeholder = regexp.MustCompile(`\{\w+\}`)

func placeholders(message string) []string {
	found := placeholder.FindAllString(message, -1)
	slices.Sort(found)
	return slices.Compact(found)
}

func TestCataloguesSayTheSame(t *testing.T) {
	en, pt := mustLocale(t, "en"), mustLocale(t, "pt-BR")
	if diff := cmp.Diff(slices.Sorted(maps.Keys(en.words)), slices.Sorted(maps.Keys(pt.words))); diff != "" {
		t.Errorf("keys of en and pt-BR (-en +pt-BR):\n%s", diff)
	}
	for key, message := range en.words {
		if diff := cmp.Diff(placeholders(message), placeholders(pt.words[key])); diff != "" {
			t.Errorf("placeholders of %s (-en +pt-BR):\n%s", key, diff)
		}
		for _, l := range []*locale{en, pt} {
			if strings.TrimSpace(l.words[key]) == "" {
				t.Errorf("%s is empty in %s", key, l.tag)
			}
		}
	}
}

// dynamic are the keys that code puts together: every word that may follow the prefix.
func dynamic() map[string][]string {
	words := map[string][]string{
		"nav.":           {"agents", "sites", "runs"},
		"lang.":          languages[:],
		"theme.":         themes[:],
		"notice.":        notices[:],
		"agent.":         {"online", "offline"},
		"state.":         {string(fleet.AgentIdle), string(fleet.AgentStopping)},
		"http.":          {"auto", "1.1", "2"},
		"error.heading.": {"internal"},
		"format.":        {"decimal", "group", "time"},
		"error.":         {errNoWhole.Error()[6:], errNoNumber.Error()[6:], errNoHeader.Error()[6:], errTwice.Error()[6:], errNoJSON.Error()[6:]},
	}
	for _, s := range runStatuses {
		words["status."] = append(words["status."], string(s))
	}
	for verdict := range verdictPills {
		words["verdict."] = append(words["verdict."], verdict)
		words["sentence."] = append(words["sentence."], verdict)
	}
	for _, code := range fleet.Codes() {
		words["error.heading."] = append(words["error.heading."], string(code))
	}
	for _, c := range errorClasses {
		words["class."] = append(words["class."], c.name)
	}
	for _, p := range percentiles {
		words["legend."] = append(words["legend."], p.name)
	}
	for _, p := range phaseTrends {
		words["phase."] = append(words["phase."], strings.TrimPrefix(p.key, "phase."))
	}
	for _, f := range targetFields {
		words["field."] = append(words["field."], f.name)
	}
	return words
}

// Keys as they stand in templates and Go code. A hint is one that a field may have or not.
var (
	literal      = regexp.MustCompile(`(?:\bt |\.text\()"([^"]+)"[ ,)}]`)
	plural       = regexp.MustCompile(`(?:\btn |\.count\()"([^"]+)"`)
	puttogether  = regexp.MustCompile(`\(printf "([a-z.]+\.)%s"|\.(?:text|known)\("([a-z.]+\.)"[ ,+]|\bknown "([a-z.]+\.)"`)
	withoutUsage = regexp.MustCompile(`^hint\.`)
)

func TestEveryKeyIsUsedAndThere(t *testing.T) {
	used := map[string]bool{}
	words := dynamic()
	for prefix, endings := range words {
		for _, w := range endings {
			used[prefix+w] = true
		}
	}
	err := fs.WalkDir(os.DirFS("."), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || strings.HasSuffix(path, "_test.go") || !strings.HasSuffix(path, ".go") && !strings.HasSuffix(path, ".html") {
			return err
		}
		source, err := os.ReadFile(path)
		for _, m := range literal.FindAllStringSubmatch(string(source), -1) {
			if !strings.HasSuffix(m[1], ".") {
				used[m[1]] = true
			}
		}
		for _, m := range plural.FindAllStringSubmatch(string(source), -1) {
			used[m[1]+".one"], used[m[1]+".other"] = true, true
		}
		for _, m := range puttogether.FindAllStringSubmatch(string(source), -1) {
			if prefix := m[1] + m[2] + m[3]; words[prefix] == nil {
				t.Errorf("%s puts keys of %q together, whose words the test doesn't know", path, prefix)
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(used) < 150 {
		t.Fatalf("only %d keys found in use: the search is broken", len(used))
	}
	catalogue := mustLocale(t, "en").words
	for key := range used {
		if _, ok := catalogue[key]; !ok {
			t.Errorf("%s is used, but is in no catalogue", key)
		}
	}
	for key := range catalogue {
		if !used[key] && !withoutUsage.MatchString(key) {
			t.Errorf("%s is in the catalogues, but nobody uses it", key)
		}
	}
	for key := range catalogue {
		if name, ok := strings.CutPrefix(key, "hint."); ok && !slices.Contains(words["field."], name) {
			t.Errorf("%s is a hint of no field", key)
		}
	}
}

func TestPreferred(t *testing.T) {
	for _, c := range []struct{ name, header, want string }{
		{"no header", "", "en"},
		{"exact", "pt-BR", "pt-BR"},
		{"another region", "pt-PT, en;q=0.5", "pt-BR"},
		{"case does not matter", "PT-br", "pt-BR"},
		{"the first of equals", "en-GB, pt-BR", "en"},
		{"the highest weight", "en;q=0.3, pt-BR;q=0.8", "pt-BR"},
		{"unknown languages are passed over", "fr, de;q=0.9, pt;q=0.1", "pt-BR"},
		{"none known", "fr, de", "en"},
		{"refused", "pt;q=0", "en"},
		{"rubbish", ";;q=,pt;q=x,,=", "en"},
		{"a longer word is another language", "ptx", "en"},
		{"spaces", " pt-BR ; q=0.9 , en ; q=0.8", "pt-BR"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := preferred(c.header); got != c.want {
				t.Errorf("preferred(%q) = %s; want %s", c.header, got, c.want)
			}
		})
	}
}

func TestText(t *testing.T) {
	l := &locale{words: map[string]string{
		"a": "{n} of {of}", "b.one": "{n} run", "b.other": "{n} runs of {who}", "p.x": "known",
		"format.group": ".", "format.decimal": ",",
	}}
	for _, c := range []struct{ name, got, want string }{
		{"values", l.text("a", "n", 1234, "of", int64(5)), "1.234 of 5"},
		{"a value is never expanded again", l.text("a", "n", "{of}", "of", "x"), "{of} of x"},
		{"a key that isn't there", l.text("zz"), "zz"},
		{"one", l.count("b", 1), "1 run"},
		{"none", l.count("b", 0, "who", "you"), "0 runs of you"},
		{"many", l.count("b", int64(2000), "who", "you"), "2.000 runs of you"},
		{"a known word", l.known("p.", "x"), "known"},
		{"an unknown word", l.known("p.", "<b>"), "<b>"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.got != c.want {
				t.Errorf("got %q; want %q", c.got, c.want)
			}
		})
	}
}

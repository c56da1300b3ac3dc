package k6exec

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestParseEntry(t *testing.T) {
	for _, c := range []struct {
		name, line string
		want       entry
	}{
		{"quoted", `time="2026-11-25T05:34:04Z" level=error msg="a \"b\"\n\tc" hint="x" source=stacktrace`, entry{level: "error", message: "a \"b\"\n\tc", source: "stacktrace"}},
		{"bare", `time=now level=info msg=y source=console`, entry{level: "info", message: "y", source: "console"}},
		{"an error", `level=warning msg="Request Failed" error="Get \"http://x/\": refused"`, entry{level: "warning", message: "Request Failed", err: `Get "http://x/": refused`}},
		{"letters beyond ASCII", `level=error msg="é\u2028“"`, entry{level: "error", message: "é\u2028“"}},
		{"an empty message", `level=error msg= source=`, entry{level: "error"}},
		{"cut off in the quote", `level=error msg="a \"b`, entry{level: "error", message: `a \"b`}},
		{"none", "panic: oh no", entry{}},
		{"none, with =", "goroutine 1 gp=0x1", entry{}},
		{"a name with a quote", `"level"=error`, entry{}},
		{"the last counts", "level=info level=error", entry{level: "error"}},
		{"empty", "", entry{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := parseEntry(c.line); got != c.want {
				t.Errorf("got %+v; want %+v", got, c.want)
			}
		})
	}
}

func TestLog(t *testing.T) {
	const boom = `level=error msg="Error: boom\n\tat default (file:///-:1:77(3))\n" source=stacktrace` + "\n"
	for _, c := range []struct{ name, text, words, request string }{
		{"nothing", "", "", ""},
		{"the last error", boom + "level=error msg=last\nlevel=info msg=no\n", "last", ""},
		{"without its lines and file", boom, "Error: boom at default (script:1:77(3))", ""},
		{"not what the script says", boom + "level=error msg=password source=console\n", "Error: boom at default (script:1:77(3))", ""},
		{"a line without an end", "level=fatal msg=end", "end", ""},
		{"a crash", "\npanic: oh no\n\ngoroutine 1 [running]:\n", "panic: oh no", ""},
		{"an error counts more than a crash", "panic: oh no\nlevel=error msg=why\n", "why", ""},
		{"a full stop is ours to set", "level=error msg=\"It failed...\"\n", "It failed", ""},
		{"a request", "level=warning msg=\"Request Failed\" error=\"Get \\\"http://u:p@h/\\\": dial tcp: refused\"\nlevel=warning msg=other error=x\n", "", "dial tcp: refused"},
		{"a request without a URL", "level=warning msg=\"Request Failed\" error=timeout\n", "", "timeout"},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, size := range []int{1, 7, 1 << 20} {
				l := &log{}
				for rest := c.text; rest != ""; {
					n := min(size, len(rest))
					if m, err := l.Write([]byte(rest[:n])); m != n || err != nil {
						t.Fatal(m, err)
					}
					rest = rest[n:]
				}
				if words, request := l.words(), l.lastRequest(); words != c.words || request != c.request {
					t.Errorf("written by %d: got %q, %q; want %q, %q", size, words, request, c.words, c.request)
				}
			}
		})
	}
}

// The debug log of k6 v2.2.0 tells when loading is over; a script's own words don't.
func TestLoading(t *testing.T) {
	l := &log{}
	for _, message := range loadingLog() {
		fmt.Fprintf(l, "level=debug msg=%q\nlevel=info msg=hello source=console\nplain\n", message)
		if !l.loading() {
			t.Errorf("%q is taken for the end of loading", message)
		}
	}
	fmt.Fprintln(l, `level=debug msg="what no version has said so far"`)
	if l.loading() {
		t.Error("an unknown line is taken for one of loading")
	}
}

func TestLogIsBounded(t *testing.T) {
	l := &log{}
	for range 1 << 10 {
		fmt.Fprint(l, "level=error msg=\"", strings.Repeat("y", 1<<10))
	}
	if got := cap(l.line); got > 2*maxLine {
		t.Errorf("%d bytes are kept of a line", got)
	}
	if words := l.words(); !strings.HasPrefix(words, "yyy") || len(words) > maxLine {
		t.Errorf("%d bytes of words", len(words))
	}
}

func FuzzLog(f *testing.F) {
	for _, name := range []string{"rich.machine.json.stderr", "iteration-throws.json.stderr", "refused.machine.json.stderr"} {
		text, err := os.ReadFile("../../testdata/k6-2.2.0/" + name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(text))
	}
	f.Add(`level=error msg="a\`)
	f.Add("level=error msg=\xff= =")
	f.Fuzz(func(t *testing.T, text string) {
		l := &log{}
		if n, err := l.Write([]byte(text)); n != len(text) || err != nil {
			t.Fatal(n, err)
		}
		if strings.ContainsAny(l.words(), "\n\t") {
			t.Errorf("%q has a line break", l.words())
		}
		if short := shorten(l.words(), 20); len(short) > 20 || utf8.ValidString(l.words()) && !utf8.ValidString(short) {
			t.Errorf("%q was shortened to %q", l.words(), short)
		}
	})
}

package plan_test

import (
	"strings"
	"testing"

	"github.com/nollagluiz/broadside/plan"
)

func TestParseStatuses(t *testing.T) {
	for _, c := range []struct {
		name, in, out string
		contains      []int
		lacks         []int
	}{
		{"nothing", "", "", nil, []int{200}},
		{"blank", "  ", "", nil, []int{200}},
		{"k6's", "200-399", "200-399", []int{200, 301, 399}, []int{199, 400, 0}},
		{"one", "204", "204", []int{204}, []int{203, 205}},
		{"a range of one", "204-204", "204", []int{204}, nil},
		{"several, spaced", " 200 - 299 , 418,500-599 ", "200-299,418,500-599", []int{250, 418, 503}, []int{300, 404}},
		{"all", "100-599", "100-599", []int{100, 599}, []int{99, 600, -1}},
		{"overlapping", "200-300,250-260", "200-300,250-260", []int{255}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, err := plan.ParseStatuses(c.in)
			if err != nil {
				t.Fatal(err)
			}
			if got := s.String(); got != c.out {
				t.Errorf("%q; want %q", got, c.out)
			}
			again, err := plan.ParseStatuses(s.String())
			if err != nil || again.String() != c.out {
				t.Errorf("read again: %q, %v", again, err)
			}
			for _, code := range c.contains {
				if !s.Contains(code) {
					t.Errorf("%d is not in it", code)
				}
			}
			for _, code := range c.lacks {
				if s.Contains(code) {
					t.Errorf("%d is in it", code)
				}
			}
		})
	}
}

func TestParseStatusesRefuses(t *testing.T) {
	for _, in := range []string{
		",", "200,", "-", "200-", "-200", "2xx", "200-3xx", "0", "99", "600", "1000", "+200", "0200", "2e2", "200.5",
		"٢٠٠", "399-200", "200;300", "200 300", "200--300", "200-250-300", "999999999999999999999",
		strings.Repeat("200,", 64) + "200",
	} {
		if s, err := plan.ParseStatuses(in); err == nil {
			t.Errorf("%q was taken as %v", in, s)
		} else if len(err.Error()) > 200 {
			t.Errorf("%q: an error of %d bytes", in, len(err.Error()))
		}
	}
}

// FuzzParseStatuses: what is taken can be written out, and is then the same set.
func FuzzParseStatuses(f *testing.F) {
	f.Add("200-399,418")
	f.Add(" 100 - 599 ")
	f.Fuzz(func(t *testing.T, text string) {
		s, err := plan.ParseStatuses(text)
		if err != nil {
			return
		}
		again, err := plan.ParseStatuses(s.String())
		if err != nil {
			t.Fatalf("%q is written as %q, which can't be read: %v", text, s, err)
		}
		for code := range 700 {
			if s.Contains(code) != again.Contains(code) {
				t.Errorf("%q is written as %q, which differs at %d", text, s, code)
			}
			if s.Contains(code) && (code < 100 || code > 599) {
				t.Errorf("%q contains %d", text, code)
			}
		}
	})
}

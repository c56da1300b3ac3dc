package main

import (
	"strings"
	"testing"
)

func TestVerdict(t *testing.T) {
	for _, tc := range []struct {
		name string
		f    figure
		want string
	}{
		{"least, over the aim", figure{value: 1.3, least: true, must: 0.8, aim: 1.2}, "aim"},
		{"least, at the must", figure{value: 0.8, least: true, must: 0.8, aim: 1.2}, "pass"},
		{"least, below the must", figure{value: 0.7, least: true, must: 0.8, aim: 1.2}, "miss"},
		{"most, under the aim", figure{value: 7, must: 14, aim: 12}, "aim"},
		{"most, between", figure{value: 13, must: 14, aim: 12}, "pass"},
		{"most, over the must", figure{value: 15, must: 14, aim: 12}, "miss"},
		{"no must, worse than the aim", figure{value: 15, must: none, aim: 12}, "-"},
		{"no aim", figure{value: 13, must: 14, aim: none}, "pass"},
		{"nothing asked", figure{value: 13, must: none, aim: none}, "-"},
		{"void", figure{value: 1.3, least: true, must: 0.8, aim: 1.2, void: "busy"}, "void"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := tc.f.verdict(); got != tc.want {
				t.Errorf("got %q; want %q", got, tc.want)
			}
		})
	}
}

func TestTable(t *testing.T) {
	got := table([]figure{
		{name: "rate", value: 0.7512, least: true, must: 0.8, aim: none, detail: "5 rounds"},
		{name: "RSS", value: 1234.5, unit: "MB", must: none, aim: 16},
		{name: "busy", value: 1, must: 1, aim: 1, void: "no round counts"},
	})
	for _, want := range []string{
		"| rate | 0.751 | ≥ 0.8 |  | miss | 5 rounds |\n",
		"| RSS | 1234 MB |  | ≤ 16 | - |  |\n",
		"| busy | (1) | ≤ 1 | ≤ 1 | void | no round counts |\n",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
}

func TestMisses(t *testing.T) {
	err := misses([]figure{{name: "good", value: 1, must: 2, aim: none}, {name: "void", value: 3, must: 2, aim: none, void: "busy"}})
	if err != nil {
		t.Errorf("%v; want no miss", err)
	}
	err = misses([]figure{{name: "size", value: 3, must: 2, aim: none}, {name: "rate", value: 1, must: 2, aim: none, least: true}})
	if want := "size is 3; must be ≤ 2\nrate is 1; must be ≥ 2"; err == nil || err.Error() != want {
		t.Errorf("got %v; want %s", err, want)
	}
}

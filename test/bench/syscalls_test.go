package main

import "testing"

func TestParseStrace(t *testing.T) {
	const head = "% time     seconds  usecs/call     calls    errors syscall\n------ ----------- ----------- --------- --------- ----------------\n 99.92    0.004888          34       143        19 read\n"
	for _, tc := range []struct {
		name, text string
		want       float64
		ok         bool
	}{
		{"with errors", head + "100.00    0.004892          33       144        19 total\n", 144, true},
		{"without errors", head + "100.00    0.004892          33       144           total\n", 144, true},
		{"cut", head, 0, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := parseStrace(tc.text)
			if got != tc.want || (err == nil) != tc.ok {
				t.Errorf("got %v, %v; want %v", got, err, tc.want)
			}
		})
	}
}

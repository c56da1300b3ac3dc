package main

import (
	"context"
	"slices"
	"strings"
	"testing"
)

// quietRounds are five in which nothing is wrong; what differs is set by the test.
func quietRounds(value ...float64) []turn {
	out := make([]turn, len(value))
	for i, v := range value {
		out[i] = turn{rate: v, cpu: v, busy: 0.5, others: 0.01}
	}
	return out
}

func TestCompare(t *testing.T) {
	for _, tc := range []struct {
		name      string
		change    func(a, b []turn)
		rate, cpu float64
		rateVoid  string
		cpuVoid   string
	}{
		{"all count", func(_, _ []turn) {}, 2, 2, "", ""},
		{"at the bounds", func(a, b []turn) { a[0].busy, b[0].others = saturated, disturbed }, 2, 2, "", ""},
		{"one round saturated", func(a, _ []turn) { a[5].busy = 0.96 }, 1.9, 2, "", ""},
		{"the other's round saturated", func(_, b []turn) { b[5].busy = 0.96 }, 1.9, 2, "", ""},
		{"one round disturbed", func(a, _ []turn) { a[5].others = 0.2 }, 1.9, 1.9, "", ""},
		{"two rounds saturated", func(a, b []turn) { a[5].busy, b[4].busy = 1, 1 }, 2, 2, "the server was the limit", ""},
		{"two rounds disturbed", func(a, b []turn) { a[5].others, b[4].others = 1, 1 }, 2, 2,
			"other processes took the client's core", "other processes took the client's core"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			a, b := quietRounds(18, 16, 19, 21, 22, 23), quietRounds(10, 10, 10, 10, 10, 10)
			tc.change(a, b)
			var rates, cpus figure
			rates.compareRates(a, b)
			cpus.compareCPU(a, b)
			if rates.value != tc.rate || rates.void != tc.rateVoid {
				t.Errorf("rate: %v, %q; want %v, %q", rates.value, rates.void, tc.rate, tc.rateVoid)
			}
			if cpus.value != tc.cpu || cpus.void != tc.cpuVoid {
				t.Errorf("CPU: %v, %q; want %v, %q", cpus.value, cpus.void, tc.cpu, tc.cpuVoid)
			}
		})
	}
}

// With fewer rounds than a figure needs, all have to count.
func TestFewRounds(t *testing.T) {
	var f figure
	f.compareRates(quietRounds(20), quietRounds(10))
	if f.value != 2 || f.void != "" {
		t.Errorf("%v, %q; want 2 of the one round", f.value, f.void)
	}
}

// Clients take turns, each round begins with another, and the first round does not count.
func TestRoundsAreInterleaved(t *testing.T) {
	var order []string
	fake := func(name string) client {
		return client{
			name: name,
			command: func(string, int, int) []string {
				order = append(order, name)
				return []string{"echo", name}
			},
			parse: func(printed string) (count, error) {
				return count{requests: 1, rate: float64(len(order))}, nil
			},
		}
	}
	turns, err := contest{clients: []client{fake("a"), fake("b")}}.hold(t.Context(), 2)
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(order, ""); got != "abbaab" {
		t.Errorf("order %s; want abbaab", got)
	}
	if a, b := collect(turns[0], rate), collect(turns[1], rate); !slices.Equal(a, []float64{4, 5}) || !slices.Equal(b, []float64{3, 6}) {
		t.Errorf("turns %v and %v; want those of the second and third round", a, b)
	}
}

func TestAContestEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	sleeper := client{command: func(string, int, int) []string { return []string{"sleep", "60"} }}
	if _, err := (contest{clients: []client{sleeper}}).hold(ctx, 1); err == nil {
		t.Error("no error")
	}
}

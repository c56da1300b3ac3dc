package main

import (
	"math"
	"testing"
)

const stat = `cpu  20 0 20 160 0 0 0 0 0 0
cpu0 10 1 5 70 2 3 4 5 99 99
cpu1 10 0 10 80 0 0 0 0 0 0
cpu10 0 0 0 1 0 0 0 0 0 0
intr 12345
`

func TestReadCore(t *testing.T) {
	for _, tc := range []struct {
		name string
		core int
		want coreTime
		ok   bool
	}{
		{"guests are not counted twice", 0, coreTime{idle: 0.72, total: 1}, true},
		{"1 is not 10", 1, coreTime{idle: 0.8, total: 1}, true},
		{"missing", 2, coreTime{}, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := readCore(stat, tc.core)
			if math.Abs(got.idle-tc.want.idle) > 1e-9 || math.Abs(got.total-tc.want.total) > 1e-9 || (err == nil) != tc.ok {
				t.Errorf("got %v, %v; want %v", got, err, tc.want)
			}
		})
	}
}

func TestBusy(t *testing.T) {
	if got := busy(coreTime{100, 200}, coreTime{104, 300}); got != 0.96 {
		t.Errorf("4 of 100 ticks idle: %v busy; want 0.96", got)
	}
	if got := busy(coreTime{100, 200}, coreTime{100, 200}); got != 0 {
		t.Errorf("no time passed: %v busy; want 0", got)
	}
}

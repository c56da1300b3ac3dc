package main

import (
	"math"
	"slices"
	"testing"
	"testing/quick"
)

func TestMedian(t *testing.T) {
	for _, tc := range []struct {
		name   string
		values []float64
		want   float64
	}{
		{"one", []float64{3}, 3},
		{"odd", []float64{9, 1, 5}, 5},
		{"even", []float64{4, 1, 3, 2}, 2.5},
		{"outlier", []float64{1, 1, 1, 1e9, 1}, 1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			given := slices.Clone(tc.values)
			if got := median(tc.values); got != tc.want {
				t.Errorf("got %v; want %v", got, tc.want)
			}
			if !slices.Equal(given, tc.values) {
				t.Error("the values were reordered")
			}
		})
	}
	if got := median(nil); !math.IsNaN(got) {
		t.Errorf("of nothing: %v; want NaN", got)
	}
}

// As many values lie below the median as above it.
func TestMedianIsInTheMiddle(t *testing.T) {
	inTheMiddle := func(whole []int16) bool {
		if len(whole) == 0 {
			return true
		}
		values := make([]float64, len(whole))
		for i, v := range whole {
			values[i] = float64(v)
		}
		m, below, above := median(values), 0, 0
		for _, v := range values {
			if v < m {
				below++
			}
			if v > m {
				above++
			}
		}
		return below <= len(values)/2 && above <= len(values)/2
	}
	if err := quick.Check(inTheMiddle, nil); err != nil {
		t.Error(err)
	}
}

func TestRatios(t *testing.T) {
	// The second pair met a neighbour's load: both are slow, and the ratio is the same.
	if got, want := ratios([]float64{100, 10}, []float64{50, 5}), []float64{2, 2}; !slices.Equal(got, want) {
		t.Errorf("got %v; want %v", got, want)
	}
	if got := ratios([]float64{1, 2, 3}, []float64{1}); len(got) != 1 {
		t.Errorf("%d ratios of 3 values and 1; want 1", len(got))
	}
}

func TestSlope(t *testing.T) {
	// 300 calls at the start, 2 for each request.
	if got := slope(1000, 2300, 4000, 8300); got != 2 {
		t.Errorf("got %v; want 2", got)
	}
}

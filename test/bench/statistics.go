package main

import (
	"math"
	"slices"
)

// median is the middle of the values, of an even number the mean of the two in the middle; NaN of none.
func median(values []float64) float64 {
	v := slices.Sorted(slices.Values(values))
	switch n := len(v); {
	case n == 0:
		return math.NaN()
	case n%2 == 0:
		return (v[n/2-1] + v[n/2]) / 2
	default:
		return v[n/2]
	}
}

// ratios divides pair by pair: what hits both of a pair alike, such as a neighbour's load, falls out.
func ratios(a, b []float64) []float64 {
	out := make([]float64, min(len(a), len(b)))
	for i := range out {
		out[i] = a[i] / b[i]
	}
	return out
}

// slope is the rise of y over the rise of x between two runs: what a run costs once, at its start and end, falls out.
func slope(x1, y1, x2, y2 float64) float64 { return (y2 - y1) / (x2 - x1) }

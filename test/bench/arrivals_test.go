package main

import (
	"testing"
	"time"
)

func TestParseTrend(t *testing.T) {
	const report = `HTTP
  http_req_corrected_duration...: min=30µs    p(50)=70.5µs p(99)=1.2ms
  http_req_duration.............: min=16.89µs p(50)=40µs   p(99)=2s
  http_req_blocked..............: min=0s      p(50)=0s     p(99)=1µs
`
	for name, want := range map[string]trend{
		"http_req_duration":           {16890, 40 * time.Microsecond, 2 * time.Second},
		"http_req_corrected_duration": {30 * time.Microsecond, 70500, 1200 * time.Microsecond},
	} {
		if got, err := parseTrend(report, name); got != want || err != nil {
			t.Errorf("%s: %v, %v; want %v", name, got, err, want)
		}
	}
	if got, err := parseTrend("", "http_req_duration"); err == nil {
		t.Errorf("of nothing: %v; want an error", got)
	}
}

func TestBest(t *testing.T) {
	if f := best(figure{}, []float64{9, 5, 7}, []float64{9, 7}); f.value != 7 || f.void != "" {
		t.Errorf("%v, %q; want the best of the quiet windows", f.value, f.void)
	}
	if f := best(figure{}, []float64{9, 5, 7}, nil); f.value != 5 || f.void == "" {
		t.Errorf("%v, %q; want the best of all, which does not count", f.value, f.void)
	}
}

package summary_test

import (
	"testing"
	"time"

	"github.com/nollagluiz/broadside/summary"
	"github.com/nollagluiz/broadside/summary/hist"
)

// Field report 31: no data is nil, never 0 and never NaN; counts are 0.
func TestFieldsOfNothing(t *testing.T) {
	for name, s := range map[string]*summary.Summary{
		"nothing measured":  summary.New(time.Time{}),
		"the zero Summary":  {},
		"time, no requests": {Duration: 30 * time.Second, Trends: map[string]*hist.Histogram{summary.HTTPReqDuration: hist.New(hist.Fine)}},
	} {
		t.Run(name, func(t *testing.T) {
			if f := s.Fields(); f != (summary.Fields{}) {
				t.Errorf("%+v; want nil and 0 only", f)
			}
		})
	}
}

// A dead target has requests and failures, and no latency (ADR 4; k6 says 0 ms).
func TestFieldsOfADeadTarget(t *testing.T) {
	s := measured(nil, map[int]int64{1212: 40})
	s.Duration = 4 * time.Second
	f := s.Fields()
	if f.P50 != nil || f.P95 != nil || f.P99 != nil || f.Avg != nil {
		t.Errorf("latency %v %v %v %v; want nil", f.P50, f.P95, f.P99, f.Avg)
	}
	if f.ErrorRate == nil || *f.ErrorRate != 1 || f.RPS != 10 || f.Requests != 40 || f.Failures != 40 {
		t.Errorf("%+v; want error rate 1, 10 rps, 40 of 40 failed", f)
	}
}

func TestFields(t *testing.T) {
	s := measured(map[int]int64{200: 90, 503: 10}, nil)
	s.Duration = 12500 * time.Millisecond // measured, not the 10 s that were asked for
	s.Counters[summary.Iterations] = 99
	s.Counters[summary.DataReceived] = 12345
	latency := hist.New(hist.Fine)
	for ms := range 100 {
		latency.Record(int64(ms+1) * int64(time.Millisecond))
	}
	s.Trends[summary.HTTPReqDuration] = latency
	f := s.Fields()
	if f.RPS != 8 {
		t.Errorf("rps %g; want 100 requests / 12.5 s", f.RPS)
	}
	if *f.ErrorRate != 0.1 || f.Failures != 10 || f.Requests != 100 || f.Iterations != 99 || f.DataReceivedBytes != 12345 {
		t.Errorf("%+v", f)
	}
	if *f.Avg != 50.5 {
		t.Errorf("avg %g ms; want 50.5", *f.Avg)
	}
	most := float64(latency.Max()) / 1e6
	if !(*f.P50 <= *f.P95 && *f.P95 <= *f.P99 && *f.P99 <= most) {
		t.Errorf("p50 %g, p95 %g, p99 %g, max %g do not grow", *f.P50, *f.P95, *f.P99, most)
	}
	if want := latency.Quantile(0.95) / 1e6; *f.P95 != want {
		t.Errorf("p95 %g ms; want %g", *f.P95, want)
	}
}

func TestGauge(t *testing.T) {
	var g summary.Gauge
	for _, v := range []float64{-2, 7, 3} {
		g.Set(v)
	}
	if want := (summary.Gauge{Value: 3, Min: -2, Max: 7, N: 3}); g != want {
		t.Errorf("%+v; want %+v", g, want)
	}
}

func TestRate(t *testing.T) {
	if v, ok := (summary.Rate{}).Value(); ok || v != 0 {
		t.Errorf("without a sample: %g, %v", v, ok)
	}
	if v, ok := (summary.Rate{True: 1, Total: 4}).Value(); !ok || v != 0.25 {
		t.Errorf("1 of 4: %g, %v", v, ok)
	}
}

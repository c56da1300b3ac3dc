package summary_test

import (
	"fmt"
	"time"

	"github.com/nollagluiz/broadside/summary"
	"github.com/nollagluiz/broadside/summary/hist"
)

// A run's summary answers with the eight fields and a verdict.
func Example() {
	s := summary.New(time.Now())
	s.Duration = 2 * time.Second
	s.Counters[summary.HTTPReqs] = 4
	s.Counters[summary.Iterations] = 4
	s.Rates[summary.HTTPReqFailed] = summary.Rate{True: 1, Total: 4}
	s.Statuses[200], s.Statuses[503] = 3, 1
	latency := hist.New(hist.Fine)
	for _, ms := range []int64{10, 20, 30, 40} {
		latency.Record(ms * int64(time.Millisecond))
	}
	s.Trends[summary.HTTPReqDuration] = latency

	f := s.Fields()
	fmt.Printf("p50 %.1f ms, p95 %.1f ms, error rate %g, %g rps\n", *f.P50, *f.P95, *f.ErrorRate, f.RPS)
	out := summary.Judge(s, false)
	fmt.Printf("%s: %s\n", out.Verdict, out.Message)
	// Output:
	// p50 25.0 ms, p95 38.5 ms, error rate 0.25, 2 rps
	// threshold_failed: 25 % of 4 requests failed, over the limit of 5 %.
}

package summary_test

import (
	"fmt"
	"os"
	"time"

	"github.com/nollagluiz/broadside/summary"
)

// The eight fields of what `k6 run --summary-export stdout` printed. There is no p(99), since k6 wasn't asked for it,
// and that is told apart from 0.
func ExampleReadK6() {
	k, err := summary.ReadK6([]byte(`{
		"root_group": {"name": "", "path": "", "id": "d41d8cd98f00b204e9800998ecf8427e", "groups": {}, "checks": {}},
		"metrics": {
			"http_reqs": {"count": 200, "rate": 100},
			"http_req_failed": {"passes": 10, "fails": 190, "value": 0.05, "thresholds": {"rate<0.01": true}},
			"http_req_duration": {"avg": 12.5, "min": 1, "med": 11, "max": 80, "p(90)": 20, "p(95)": 30},
			"data_received": {"count": 31200, "rate": 15600}
		}}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	f := k.Fields()
	fmt.Printf("%s: %d of %d failed, p95 %g ms, p99 known: %v, in about %v\n", k.Shape, f.Failures, f.Requests, *f.P95, f.P99 != nil, k.Duration)
	fmt.Println("crossed:", k.Crossed())
	// Output:
	// flat: 10 of 200 failed, p95 30 ms, p99 known: false, in about 2s
	// crossed: [http_req_failed: rate<0.01]
}

// The report at the end of a run that reached nothing.
func ExampleWriteReport() {
	s := summary.New(time.Now())
	s.Duration = 4 * time.Second
	s.Counters[summary.HTTPReqs] = 40
	s.Rates[summary.HTTPReqFailed] = summary.Rate{True: 40, Total: 40}
	s.Errors = []summary.ErrorClass{{Code: 1212, Count: 40, Sample: "connection refused"}}
	if err := summary.WriteReport(os.Stdout, summary.Judge(s, false), summary.ReportOptions{}); err != nil {
		fmt.Println(err)
	}
	// Output:
	// HTTP
	//   http_req_failed...............: 100.00% 40 out of 40
	//   http_reqs.....................: 40      10.00/s
	//
	// EXECUTION
	//   iterations....................: 0 0.00/s
	//
	// NETWORK
	//   data_received.................: 0 B 0 B/s
	//   data_sent.....................: 0 B 0 B/s
	//
	// ERRORS
	//   ✗ 40 (100.00%) code 1212: connection refused
	//
	// ✗ Verdict: target_unreachable. None of 40 requests got a response; most often: connection refused (code 1212).
}

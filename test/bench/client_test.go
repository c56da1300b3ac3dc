package main

import (
	"testing"
	"time"

	"github.com/nollagluiz/broadside/summary"
	"strings"
)

const wrkText = `Running 1s test @ http://127.0.0.1:18080/
  1 threads and 10 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency     0.92ms    2.86ms  29.46ms   96.65%
    Req/Sec    17.55k     5.89k   21.11k    90.00%
  17433 requests in 1.01s, 2.54MB read
`

const heyText = `
Summary:
  Total:	1.0123 secs
  Requests/sec:	1314.8
Status code distribution:
  [200]	1331 responses
`

func report(t *testing.T, failed int64) string {
	t.Helper()
	s := summary.New(time.Now())
	s.Duration = 2 * time.Second
	s.Counters[summary.HTTPReqs] = 5000
	s.Rates[summary.HTTPReqFailed] = summary.Rate{True: failed, Total: 5000}
	var b strings.Builder
	if err := summary.WriteReport(&b, summary.Judge(s, false), summary.ReportOptions{}); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestParse(t *testing.T) {
	for _, tc := range []struct {
		name    string
		parse   func(string) (count, error)
		printed string
		want    count
		ok      bool
	}{
		{"wrk", parseWrk, wrkText + "Requests/sec:  17295.36\n", count{requests: 17433, rate: 17295.36}, true},
		{"wrk, timed out", parseWrk, wrkText + "  Socket errors: connect 0, read 0, write 0, timeout 3\nRequests/sec:  17295.36\n", count{}, false},
		{"wrk, 503", parseWrk, wrkText + "  Non-2xx or 3xx responses: 7\nRequests/sec:  17295.36\n", count{}, false},
		{"wrk, cut", parseWrk, wrkText, count{}, false},
		{"hey", parseHey, heyText, count{requests: 1331, rate: 1314.8}, true},
		{"hey, refused", parseHey, heyText + "\nError distribution:\n  [3]	connection refused\n", count{}, false},
		{"report", parseReport, report(t, 0), count{requests: 5000, rate: 2500}, true},
		{"report, failures", parseReport, report(t, 1), count{}, false},
		{"report, empty", parseReport, "", count{}, false},
		{"exchange", parseExchange, "30000 exchanges in 1.5 s, 7.625 µs of CPU each\n", count{requests: 30000, rate: 20000, cpu: 7.625}, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := tc.parse(tc.printed)
			if got != tc.want || (err == nil) != tc.ok {
				t.Errorf("got %v, %v; want %v", got, err, tc.want)
			}
		})
	}
}

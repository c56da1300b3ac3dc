package plan_test

import (
	"fmt"
	"time"

	"github.com/nollagluiz/broadside/plan"
)

// A plan says what differs from the defaults; Resolved writes them out, and Validate names the field at fault.
func Example() {
	p := plan.Plan{Scenarios: []plan.Scenario{{
		VUs:      10,
		Duration: time.Minute,
		Request:  plan.Request{URL: "localhost:8080/health"},
	}}}
	fmt.Println(p.Validate())

	p.Scenarios[0].Request.URL = "http://localhost:8080/health"
	fmt.Println(p.Validate(), p.End())

	s := p.Resolved().Scenarios[0]
	fmt.Println(s.Executor, s.VUs, s.Duration, s.Request.Method, s.Request.ExpectedStatuses, s.Request.Timeout)
	// Output:
	// scenarios[0].request.url: needs a scheme: http:// or https://
	// <nil> 1m30s
	// constant-vus 10 1m0s GET 200-399 1m0s
}

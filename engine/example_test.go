package engine_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/nollagluiz/broadside/engine"
	"github.com/nollagluiz/broadside/plan"
	"github.com/nollagluiz/broadside/summary"
)

// Three virtual users send a request, pause, and find the duration over.
func Example() {
	target := httptest.NewServer(http.NotFoundHandler())
	defer target.Close()

	e, err := engine.New(engine.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer e.Close()
	s, err := e.Run(context.Background(), plan.Plan{Scenarios: []plan.Scenario{{
		VUs:      3,
		Duration: time.Second,
		Pause:    time.Second,
		Request:  plan.Request{URL: target.URL},
	}}})
	fmt.Println(summary.Judge(s, err != nil).Verdict)
	for _, class := range s.Errors {
		fmt.Println(class.Count, "x", class.Code, class.Sample)
	}
	// Output:
	// threshold_failed
	// 3 x 1404 HTTP status 404 Not Found
}

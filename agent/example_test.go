package agent_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/nollagluiz/broadside/agent"
	"github.com/nollagluiz/broadside/fleet"
	"github.com/nollagluiz/broadside/plan"
	"github.com/nollagluiz/broadside/summary"
	"github.com/nollagluiz/broadside/summary/hist"
)

// oneByOne is a Runner of one's own: a user sends one request after the other by the standard client. Whatever makes the
// load, a summary of it is all that an agent asks for.
func oneByOne(ctx context.Context, p plan.Plan, _ func(summary.Snapshot)) (summary.Outcome, error) {
	scenario := p.Resolved().Scenarios[0]
	s := summary.New(time.Now())
	latency := hist.New(hist.Fine)
	for time.Since(s.Start) < scenario.Duration && ctx.Err() == nil {
		r, err := http.NewRequestWithContext(ctx, scenario.Request.Method, scenario.Request.URL, nil)
		if err != nil {
			return summary.Outcome{}, err
		}
		began := time.Now()
		failed := s.Rates[summary.HTTPReqFailed]
		failed.Total++
		s.Counters[summary.HTTPReqs]++
		if answer, err := http.DefaultClient.Do(r); err != nil {
			failed.True++
		} else {
			_ = answer.Body.Close()
			latency.Record(int64(time.Since(began)))
			s.Statuses[answer.StatusCode]++
		}
		s.Rates[summary.HTTPReqFailed] = failed
		select {
		case <-time.After(100 * time.Millisecond):
		case <-ctx.Done():
		}
	}
	s.Trends[summary.HTTPReqDuration] = latency
	s.Duration = time.Since(s.Start)
	return summary.Judge(s, ctx.Err() != nil), nil
}

// An agent makes the runs of its dashboard by a Runner of one's own. The dashboard here is the least that an agent needs.
func ExampleRunner() {
	site := httptest.NewServer(http.NotFoundHandler())
	defer site.Close()
	target := fleet.NewTarget()
	target.ID, target.URL, target.DurationS, target.ExpectedStatuses = "t1", site.URL, 1, "404"

	results := make(chan fleet.RunEnd, 1)
	mux := http.NewServeMux()
	answer := func(v any) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { _ = json.NewEncoder(w).Encode(v) }
	}
	mux.HandleFunc("POST /api/k6/agents/register", answer(fleet.Registered{ID: "a1", Name: "mine", Epoch: 1}))
	mux.HandleFunc("POST /api/k6/agents/heartbeat", answer(fleet.HeartbeatAnswer{}))
	mux.HandleFunc("GET /api/k6/targets", answer(fleet.Poll{Targets: []fleet.Target{target}, SpreadMs: 1}))
	mux.HandleFunc("POST /api/k6/runs", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusCreated) })
	mux.HandleFunc("PUT /api/k6/runs/{id}", func(w http.ResponseWriter, r *http.Request) {
		var end fleet.RunEnd
		if json.NewDecoder(r.Body).Decode(&end) == nil {
			results <- end
		}
		_ = json.NewEncoder(w).Encode(map[string]string{"id": end.ID})
	})
	dashboard := httptest.NewServer(mux)
	defer dashboard.Close()

	a, err := agent.New(agent.Config{
		DashboardURL: dashboard.URL,
		Secret:       "the fleet's secret",
		Name:         "mine",
		Engine:       "one-by-one", // for people
		Runner:       oneByOne,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error)
	go func() { ended <- a.Run(ctx) }()

	end := <-results
	fmt.Println(end.Verdict, "by", end.Engine, "on", end.Agent)
	fmt.Println(end.Metrics.P95 != nil)
	stop()
	fmt.Println(<-ended)
	// Output:
	// ok by one-by-one on mine
	// true
	// <nil>
}

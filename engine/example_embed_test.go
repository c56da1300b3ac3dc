package engine_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"time"

	"github.com/nollagluiz/broadside/engine"
	"github.com/nollagluiz/broadside/plan"
	"github.com/nollagluiz/broadside/summary"
)

// releaseCheck is another tool, one that asks after a deployment whether each page still holds under load. It keeps one
// Engine for all its runs, which may go on at once.
type releaseCheck struct {
	engine *engine.Engine
	limit  time.Duration // of the 95th percentile
}

// page puts one page under load and says in a word how it went, with a sentence for people.
func (c releaseCheck) page(ctx context.Context, url string) (word, sentence string) {
	var peak int64 // requests of the busiest second
	s, err := c.engine.Run(ctx, plan.Plan{Scenarios: []plan.Scenario{{
		VUs:      2,
		Duration: time.Second,
		Pause:    50 * time.Millisecond,
		Request:  plan.Request{URL: url},
	}}}, func(now summary.Snapshot) { peak = max(peak, now.Interval.Requests) })
	if s == nil {
		return "impossible", err.Error() // the plan can't be run at all
	}
	out := summary.Judge(s, err != nil)
	if p95 := s.Fields().P95; out.Verdict == summary.OK && *p95 > float64(c.limit)/float64(time.Millisecond) {
		return "slow", fmt.Sprintf("p95 is %.3g ms at %d requests/s", *p95, peak)
	}
	return string(out.Verdict), out.Message
}

// A tool of one's own embeds the engine: several runs on one Engine, each with its own limits.
func Example_embed() {
	site := http.NewServeMux()
	site.HandleFunc("/fast", func(http.ResponseWriter, *http.Request) {})
	site.HandleFunc("/gone", http.NotFound)
	server := httptest.NewServer(site)
	defer server.Close()

	e, err := engine.New(engine.Config{Version: "1.0"})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer e.Close()
	check := releaseCheck{engine: e, limit: 5 * time.Second}
	pages := []string{"/fast", "/gone", "no-url"}
	words := make([]string, len(pages))
	var runs sync.WaitGroup
	for i, page := range pages {
		runs.Go(func() {
			if page[0] == '/' {
				page = server.URL + page
			}
			words[i], _ = check.page(context.Background(), page)
		})
	}
	runs.Wait()
	for i, page := range pages {
		fmt.Println(page, words[i])
	}
	// Output:
	// /fast ok
	// /gone threshold_failed
	// no-url impossible
}

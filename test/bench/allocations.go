package main

import (
	"context"
	"fmt"
	"runtime"
	"time"

	"github.com/nollagluiz/broadside/engine"
	"github.com/nollagluiz/broadside/plan"
	"github.com/nollagluiz/broadside/summary"
)

// allocations counts the heap allocations of a request, by two runs of an engine in this process that differ in length.
// The server is another process, so that all that is counted is the engine's.
func allocations(ctx context.Context, l *lab) ([]figure, error) {
	// What is done each second, such as a snapshot, is a hundredth or so of an allocation per request.
	const nothing = 0.05
	var figures []figure
	for _, row := range []struct {
		name, url string
		must, aim float64
	}{
		{"plain", l.server.plain, nothing, none},
		{"TLS 1.3", l.server.tls, 1 + nothing, none},
	} {
		mallocs1, requests1, err := allocate(ctx, row.url, 1*time.Second)
		if err != nil {
			return nil, err
		}
		mallocs2, requests2, err := allocate(ctx, row.url, 3*time.Second)
		if err != nil {
			return nil, err
		}
		figures = append(figures, figure{
			name: "allocations per request, " + row.name, value: slope(requests1, mallocs1, requests2, mallocs2), must: row.must, aim: row.aim,
			detail: fmt.Sprintf("%.0f and %.0f requests", requests1, requests2),
		})
	}
	return figures, nil
}

func allocate(ctx context.Context, url string, d time.Duration) (mallocs, requests float64, err error) {
	p := plan.Plan{Scenarios: []plan.Scenario{{
		VUs: 10, Duration: d, Request: plan.Request{URL: url, InsecureSkipVerify: true, HTTPVersion: plan.HTTP11},
	}}}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	s, err := engine.Run(ctx, p)
	if err != nil {
		return 0, 0, err
	}
	runtime.ReadMemStats(&after)
	if f := s.Rates[summary.HTTPReqFailed]; f.True > 0 {
		return 0, 0, fmt.Errorf("%d of %d requests failed", f.True, f.Total)
	}
	return float64(after.Mallocs - before.Mallocs), float64(s.Counters[summary.HTTPReqs]), nil
}

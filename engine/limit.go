package engine

import (
	"fmt"
	"time"

	"github.com/nollagluiz/broadside/summary"
)

// When the generator itself was a run's limit: what it is late by, or stopped for, is in every latency that it measures.
const (
	limitLag       = 10 * time.Millisecond // on average, for each request: a time slice or two of a neighbour are no limit
	limitLagPart   = 0.25                  // of the latencies; below, it changes no conclusion
	limitThrottled = 0.1                   // of the periods of its CPU quota
	fewPeriods     = 10                    // too few to tell
)

// limits is what a run met of its generator's own.
type limits struct {
	requests int64
	late     time.Duration // the sum over all requests
	latency  time.Duration // likewise, of http_req_duration
	quota    throttling    // during the run
}

// sentence says why the generator was the limit; "" if it was not.
func (l limits) sentence() string {
	if l.requests > 0 && l.latency > 0 {
		mean, part := l.late/time.Duration(l.requests), float64(l.late)/float64(l.latency)
		if mean >= limitLag && part >= limitLagPart {
			return fmt.Sprintf("The agent itself was late by %v on average, %.0f %% of the latency: it needs more CPU, or fewer VUs.",
				mean.Round(10*time.Microsecond), 100*min(part, 1))
		}
	}
	if q := l.quota; q.periods >= fewPeriods && float64(q.throttled) >= limitThrottled*float64(q.periods) {
		return fmt.Sprintf("The agent was stopped by its CPU quota in %.0f %% of its periods: it needs more CPU, or fewer VUs.",
			100*float64(q.throttled)/float64(q.periods))
	}
	return ""
}

// limited says why the generator was the limit of the run, whose hosts have ended; before is the throttling at its start.
func (r *run) limited(s *summary.Summary, before throttling) string {
	l := limits{quota: readThrottling().since(before)}
	for _, sc := range r.scenarios {
		for _, p := range sc.parts {
			l.late += p.late()
		}
	}
	if t := s.Trends[summary.HTTPReqDuration]; t != nil {
		l.requests, l.latency = int64(t.Count()), time.Duration(t.Sum())
	}
	return l.sentence()
}

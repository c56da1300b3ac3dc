package main

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// windows is how many runs arrivals makes; the best counts, since the wall clock knows no neighbours.
const windows = 6

// arrivals measures how late iterations of an open model begin. The engine tells latency from the due time and from the
// sending; what lies between is not told for itself, so the figure is an upper bound of it: latency from the due time
// beyond the shortest of all from the sending.
func arrivals(ctx context.Context, l *lab) ([]figure, error) {
	const rate = 10_000
	c := contest{url: l.server.plain, vus: 100, seconds: 3} // so long that connecting is no percentile of it
	var p50s, p99s, quiet50s, quiet99s []float64
	for range windows {
		var sent, due trend
		client := broadside(l.bin, "k6agent run --rate", "--rate", fmt.Sprint(rate), "--summary-trend-stats", "min,p(50),p(99)")
		parse := client.parse
		client.parse = func(printed string) (n count, err error) {
			if sent, err = parseTrend(printed, "http_req_duration"); err != nil {
				return n, err
			}
			if due, err = parseTrend(printed, "http_req_corrected_duration"); err != nil {
				return n, err
			}
			return parse(printed)
		}
		t, err := c.turn(ctx, client)
		if err != nil {
			return nil, err
		}
		p50, p99 := (due.p50-sent.least).Seconds()*1e6, (due.p99-sent.least).Seconds()*1e6
		p50s, p99s = append(p50s, p50), append(p99s, p99)
		if t.others <= disturbed {
			quiet50s, quiet99s = append(quiet50s, p50), append(quiet99s, p99)
		}
	}
	return []figure{
		best(figure{name: "start error of 10000 arrivals/s, p50, at most", unit: "µs", must: 60, aim: none}, p50s, quiet50s),
		best(figure{name: "start error of 10000 arrivals/s, p99, at most", unit: "µs", must: 300, aim: none}, p99s, quiet99s),
	}, nil
}

// best sets the least of the quiet windows, or that of all if there was none, which is void.
func best(f figure, all, quiet []float64) figure {
	f.detail = fmt.Sprintf("best of %d of %d windows", len(quiet), len(all))
	if len(quiet) == 0 {
		f.value, f.void = slices.Min(all), "other processes took the client's core"
		return f
	}
	f.value = slices.Min(quiet)
	return f
}

// trend is a row of a report.
type trend struct{ least, p50, p99 time.Duration }

// parseTrend reads "name....: min=1ms p(50)=1ms p(99)=1ms".
func parseTrend(printed, name string) (trend, error) {
	m, err := findText(name+`\.*: min=(\S+) +p\(50\)=(\S+) +p\(99\)=(\S+)`, printed)
	if err != nil {
		return trend{}, err
	}
	var d [3]time.Duration
	for i := range d {
		if d[i], err = time.ParseDuration(m[i]); err != nil {
			return trend{}, err
		}
	}
	return trend{d[0], d[1], d[2]}, nil
}

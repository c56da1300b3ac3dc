package main

import (
	"context"
	"fmt"
	"time"
)

// arrivals measures how late iterations of an open model begin. The engine tells latency from the due time and from the
// sending; what lies between is not told for itself, so the figure is an upper bound of it: latency from the due time
// beyond the shortest of all from the sending.
func arrivals(ctx context.Context, l *lab) ([]figure, error) {
	const rate, seconds = 10_000, 3
	c := broadside(l.bin, "k6agent run --rate", "--rate", fmt.Sprint(rate), "--summary-trend-stats", "min,p(50),p(99)")
	cmd, err := pinned(ctx, clientCore, c.command(l.server.plain, 100, seconds)...)
	if err != nil {
		return nil, err
	}
	before, err := timesOfCores()
	if err != nil {
		return nil, err
	}
	printed, err := output(cmd)
	if err != nil {
		return nil, err
	}
	after, err := timesOfCores()
	if err != nil {
		return nil, err
	}
	n, err := c.parse(printed)
	if err != nil {
		return nil, err
	}
	sent, err := parseTrend(printed, "http_req_duration")
	if err != nil {
		return nil, err
	}
	due, err := parseTrend(printed, "http_req_corrected_duration")
	if err != nil {
		return nil, err
	}
	late := func(name string, at, must time.Duration) figure {
		return figure{
			name: fmt.Sprintf("start error of constant-arrival-rate at %d/s, %s, at most", rate, name), unit: "µs",
			value: (at - sent.least).Seconds() * 1e6, must: must.Seconds() * 1e6, aim: none,
			detail: fmt.Sprintf("%.0f requests/s; from the due time %v, from the sending %v to %v", n.rate, at, sent.least, sent.p99),
		}
	}
	figures := []figure{late("p50", due.p50, 60*time.Microsecond), late("p99", due.p99, 300*time.Microsecond)}
	cpu := (cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()).Seconds()
	if others := busy(before[clientCore], after[clientCore]) - cpu/(after[clientCore].total-before[clientCore].total); others > disturbed {
		for i := range figures {
			figures[i].void = fmt.Sprintf("others took %.0f %% of the client's core", 100*others)
		}
	}
	return figures, nil
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

package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
)

// systemCalls counts the system calls of a request, by two runs under strace that differ in length: what a process calls
// at its start and end falls out.
func systemCalls(ctx context.Context, l *lab) ([]figure, error) {
	const short, long, vus = 1, 3, 10
	calls1, requests1, err := l.trace(ctx, vus, short)
	if err != nil {
		return nil, err
	}
	calls2, requests2, err := l.trace(ctx, vus, long)
	if err != nil {
		return nil, err
	}
	return []figure{{
		name: "system calls per request, plain, 10 VUs", value: slope(requests1, calls1, requests2, calls2), must: 2.1, aim: 2.02,
		detail: fmt.Sprintf("strace -c: %.0f and %.0f calls for %.0f and %.0f requests", calls1, calls2, requests1, requests2),
	}}, nil
}

func (l *lab) trace(ctx context.Context, vus, seconds int) (calls, requests float64, err error) {
	c := l.engine()
	file := filepath.Join(l.server.dir, "strace")
	strace := []string{"strace", "-f", "-c", "-o", file, "--"}
	cmd, err := pinned(ctx, clientCore, append(strace, c.command(l.server.plain, vus, seconds)...)...)
	if err != nil {
		return 0, 0, err
	}
	printed, err := output(cmd)
	if err != nil {
		return 0, 0, err
	}
	n, err := c.parse(printed)
	if err != nil {
		return 0, 0, err
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return 0, 0, err
	}
	calls, err = parseStrace(string(text))
	return calls, n.requests, err
}

// parseStrace reads the total of `strace -c`: percent, seconds, microseconds a call, calls, errors if there are any.
func parseStrace(printed string) (float64, error) {
	n, err := find(`(?m)^100\.00\s+[\d.]+\s+\d+\s+(\d+)\s.*total$`, printed)
	if err != nil {
		return 0, err
	}
	return n[0], nil
}

package main

import (
	"cmp"
	"context"
	"fmt"
)

// turn is one run of one client.
type turn struct {
	rate float64 // requests a second
	cpu  float64 // microseconds a request, user and system, of the whole process
	busy float64 // share of time that the server's core was not idle, 0..1
	// others is the share of time that the client's core was at work for another process, 0..1. It also counts what the
	// kernel does there in nobody's name.
	others float64
}

// Bounds of what counts.
const (
	// saturated is how busy the server's core may be: beyond it the server is the limit, and says nothing of the client.
	saturated = 0.95
	// disturbed is how much of the client's core others may take: beyond it caches and batches are not the client's own.
	disturbed = 0.1
	// fewest is how many rounds a figure needs.
	fewest = 5
)

// contest is clients that take turns, so that the noise of the machine hits all alike.
type contest struct {
	url     string
	vus     int
	seconds int
	clients []client
}

// hold holds the contest and returns each client's turns, by round. Each round begins with another client; a first one,
// which warms caches, is not counted.
func (c contest) hold(ctx context.Context, rounds int) ([][]turn, error) {
	turns := make([][]turn, len(c.clients))
	for round := range rounds + 1 {
		for i := range c.clients {
			i = (i + round) % len(c.clients)
			t, err := c.turn(ctx, c.clients[i])
			if err != nil {
				return nil, fmt.Errorf("%s: %w", c.clients[i].name, err)
			}
			if round > 0 {
				turns[i] = append(turns[i], t)
			}
		}
	}
	return turns, nil
}

func (c contest) turn(ctx context.Context, of client) (turn, error) {
	cmd, err := pinned(ctx, clientCore, of.command(c.url, c.vus, c.seconds)...)
	if err != nil {
		return turn{}, err
	}
	before, err := timesOfCores()
	if err != nil {
		return turn{}, err
	}
	printed, err := output(cmd)
	if err != nil {
		return turn{}, err
	}
	after, err := timesOfCores()
	if err != nil {
		return turn{}, err
	}
	n, err := of.parse(printed)
	if err != nil {
		return turn{}, err
	}
	cpu := (cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()).Seconds()
	elapsed := after[clientCore].total - before[clientCore].total
	return turn{
		rate:   n.rate,
		cpu:    cmp.Or(n.cpu, cpu*1e6/n.requests),
		busy:   busy(before[serverCore], after[serverCore]),
		others: busy(before[clientCore], after[clientCore]) - cpu/elapsed,
	}, nil
}

// undisturbed keeps the rounds in which others left the client's core to both.
func undisturbed(a, b []turn) (as, bs []turn) {
	return rounds(a, b, func(t turn) bool { return t.others <= disturbed })
}

// unsaturated keeps the rounds in which the server was the limit of neither.
func unsaturated(a, b []turn) (as, bs []turn) {
	return rounds(a, b, func(t turn) bool { return t.busy <= saturated })
}

// rounds keeps those in which both turns count.
func rounds(a, b []turn, counts func(turn) bool) (as, bs []turn) {
	for i := range a {
		if counts(a[i]) && counts(b[i]) {
			as, bs = append(as, a[i]), append(bs, b[i])
		}
	}
	return as, bs
}

// ratio is the median of the pairs' ratios.
func ratio(a, b []turn, value func(turn) float64) float64 {
	return median(ratios(collect(a, value), collect(b, value)))
}

func collect(turns []turn, value func(turn) float64) []float64 {
	out := make([]float64, len(turns))
	for i, t := range turns {
		out[i] = value(t)
	}
	return out
}

func rate(t turn) float64 { return t.rate }
func cpu(t turn) float64  { return t.cpu }
func load(t turn) float64 { return t.busy }

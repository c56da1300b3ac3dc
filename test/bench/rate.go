package main

import (
	"context"
	"fmt"
)

// versusWrk compares rate and CPU with wrk's, and in clear CPU with one write and one read. The musts are those of the
// path with a goroutine per VU, the aims those of the event loop.
func versusWrk(tls bool, vus int) func(context.Context, *lab) ([]figure, error) {
	return func(ctx context.Context, l *lab) ([]figure, error) {
		c := contest{url: l.server.plain, vus: vus, seconds: l.seconds, clients: []client{l.engine(), wrk()}}
		what := fmt.Sprintf("plain, %d VUs", vus)
		rates := figure{least: true, must: 0.8, aim: 1}
		cpus := figure{must: 1.25, aim: 1}
		if tls {
			c.url, what = l.server.tls, fmt.Sprintf("TLS 1.3, %d VUs", vus)
			rates.must, rates.aim = 1.1, 1.2
			cpus.must, cpus.aim = 1/1.1, 1/1.2
		} else {
			floor, err := exchanger()
			if err != nil {
				return nil, err
			}
			c.clients = append(c.clients, floor)
		}
		turns, err := c.hold(ctx, l.rounds)
		if err != nil {
			return nil, err
		}
		rates.name, cpus.name = "rate / wrk's, "+what, "CPU per request / wrk's, "+what
		rates.compareRates(turns[0], turns[1])
		cpus.compareCPU(turns[0], turns[1])
		figures := []figure{rates, cpus}
		if !tls {
			floor := figure{name: "CPU per request / (one write + one read), " + what, must: none, aim: 1.5}
			floor.compareCPU(turns[0], turns[2])
			figures = append(figures, floor)
		}
		return figures, nil
	}
}

// versusHey compares the transport over net/http with hey, which is one over net/http.
func versusHey(ctx context.Context, l *lab) ([]figure, error) {
	c := contest{url: l.server.plain, vus: 10, seconds: l.seconds, clients: []client{l.std(), hey()}}
	turns, err := c.hold(ctx, l.rounds)
	if err != nil {
		return nil, err
	}
	rates := figure{name: "std: rate / hey's, plain, 10 VUs", least: true, must: 0.8, aim: 1}
	rates.compareRates(turns[0], turns[1])
	cpus := figure{name: "std: CPU per request / hey's, plain, 10 VUs", must: none, aim: none}
	cpus.compareCPU(turns[0], turns[1])
	return []figure{rates, cpus}, nil
}

// compareRates sets the ratio of two clients' rates. Rounds in which the server was the limit, or others took the
// client's core, don't count.
func (f *figure) compareRates(a, b []turn) {
	quietA, quietB := undisturbed(a, b)
	f.value = ratio(a, b, rate)
	as, bs := unsaturated(quietA, quietB)
	f.count(as, bs, len(a), rate)
	f.detail += fmt.Sprintf("; %.1fk and %.1fk requests/s, server's core %.0f and %.0f %% busy",
		median(collect(a, rate))/1000, median(collect(b, rate))/1000, 100*median(collect(a, load)), 100*median(collect(b, load)))
	if f.void != "" && len(quietA) >= min(fewest, len(a)) {
		f.void = "the server was the limit"
	}
}

// compareCPU sets the ratio of two clients' CPU time of a request. A busy server takes nothing from it.
func (f *figure) compareCPU(a, b []turn) {
	f.value = ratio(a, b, cpu)
	as, bs := undisturbed(a, b)
	f.count(as, bs, len(a), cpu)
	f.detail += fmt.Sprintf("; %.1f and %.1f µs", median(collect(a, cpu)), median(collect(b, cpu)))
}

// count sets the value by the rounds that count, or says that these are too few.
func (f *figure) count(a, b []turn, of int, value func(turn) float64) {
	f.detail = fmt.Sprintf("%d of %d rounds", len(a), of)
	if len(a) < min(fewest, of) {
		f.void = "other processes took the client's core"
		return
	}
	f.value = ratio(a, b, value)
}

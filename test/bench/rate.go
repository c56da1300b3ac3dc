package main

import (
	"context"
	"fmt"
)

// promise is what a transport must and should be beside wrk: at least so much of its rate, at most so much of its CPU.
type promise struct{ rate, rateAim, cpu, cpuAim float64 }

// The promises of the event loop and of the path with a goroutine per VU. Where nothing else is asked, CPU must be the
// reciprocal of the rate: it is what to go by when the server is the limit of the rates.
var (
	loopPlain  = promise{rate: 0.95, rateAim: 1.2, cpu: 1, cpuAim: 0.9}
	loopTLS    = promise{rate: 1.2, rateAim: 1.4, cpu: 1 / 1.2, cpuAim: 1 / 1.4}
	http1Plain = promise{rate: 0.8, rateAim: none, cpu: 1 / 0.8, cpuAim: none}
	http1TLS   = promise{rate: 1.1, rateAim: none, cpu: 1 / 1.1, cpuAim: none}
)

// versusWrk compares rate and CPU of both transports of our own with wrk's, and in clear CPU with one write and one read.
func versusWrk(tls bool, vus int) func(context.Context, *lab) ([]figure, error) {
	return func(ctx context.Context, l *lab) ([]figure, error) {
		c := contest{url: l.server.plain, vus: vus, seconds: l.seconds, clients: []client{l.engine(), l.http1(), wrk()}}
		what, loop, http1 := fmt.Sprintf("plain, %d VUs", vus), loopPlain, http1Plain
		if tls {
			c.url, what, loop, http1 = l.server.tls, fmt.Sprintf("TLS 1.3, %d VUs", vus), loopTLS, http1TLS
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
		figures := append(loop.compare("", what, turns[0], turns[2]), http1.compare("http1: ", what, turns[1], turns[2])...)
		if !tls {
			floor := figure{name: "CPU per request / (one write + one read), " + what, must: 1.5, aim: 1.3}
			floor.compareCPU(turns[0], turns[3])
			figures = append(figures, floor)
		}
		return figures, nil
	}
}

func (p promise) compare(who, what string, ours, wrks []turn) []figure {
	rates := figure{name: who + "rate / wrk's, " + what, least: true, must: p.rate, aim: p.rateAim}
	rates.compareRates(ours, wrks)
	cpus := figure{name: who + "CPU per request / wrk's, " + what, must: p.cpu, aim: p.cpuAim}
	cpus.compareCPU(ours, wrks)
	return []figure{rates, cpus}
}

// versusHey compares the transport over net/http with hey, which is one over net/http.
func versusHey(ctx context.Context, l *lab) ([]figure, error) {
	c := contest{url: l.server.plain, vus: 10, seconds: l.seconds, clients: []client{l.std(), hey()}}
	turns, err := c.hold(ctx, l.rounds)
	if err != nil {
		return nil, err
	}
	rates := figure{name: "std: rate / hey's, plain, 10 VUs", least: true, must: 0.8, aim: none}
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

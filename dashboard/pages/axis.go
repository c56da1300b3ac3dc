package pages

import (
	"math"
	"strconv"
	"time"
)

// A plot is plotW x plotH units, stretched over whatever room the page has: strokes and words are not stretched with it.
const (
	plotW = 1000
	plotH = 200
)

// coord writes a coordinate as an SVG attribute has it.
func coord(v float64) string { return strconv.FormatFloat(v, 'f', 1, 64) }

// valueAxis runs from 0 up to a round number, in evenly spaced steps.
type valueAxis struct {
	top   float64
	Ticks []string  // the labels, the top one first
	Grid  []float64 // heights of the lines that go with them
}

// newValueAxis holds values of 0..most, with three to five steps of 1, 2, 2.5 or 5 times a power of ten.
func newValueAxis(most float64, label func(float64) string) valueAxis {
	if most <= 0 || math.IsNaN(most) || math.IsInf(most, 0) {
		most = 1
	}
	power := math.Pow(10, math.Floor(math.Log10(most/5)))
	step := 10 * power
	for _, m := range []float64{1, 2, 2.5, 5} {
		if most <= 5*m*power*(1+1e-9) {
			step = m * power
			break
		}
	}
	n := int(math.Ceil(most/step - 1e-9))
	a := valueAxis{top: step * float64(n)}
	for i := n; i >= 0; i-- {
		a.Ticks = append(a.Ticks, label(step*float64(i)))
		a.Grid = append(a.Grid, plotH*(1-float64(i)/float64(n)))
	}
	return a
}

// y is the height of v in the plot; what lies beyond the axis stays at its end.
func (a valueAxis) y(v float64) float64 { return plotH * (1 - min(max(v/a.top, 0), 1)) }

// tick is a label below the plot. At is in percent of its width. A minor one is left out where there is little room.
type tick struct {
	At, Anchor, Label string
	Minor             bool
}

// newTick anchors the label so that it stays within the plot.
func newTick(share float64, label string) tick {
	anchor := "middle"
	switch {
	case share < 0.04:
		anchor = "start"
	case share > 0.96:
		anchor = "end"
	}
	return tick{At: coord(100*share) + "%", Anchor: anchor, Label: label}
}

// thin makes every second of many ticks minor.
func thin(ticks []tick) []tick {
	for i := range ticks {
		ticks[i].Minor = len(ticks) > 5 && i%2 == 1
	}
	return ticks
}

// timeSteps are the distances of ticks on a time axis that people count in.
var timeSteps = [...]time.Duration{
	time.Second, 2 * time.Second, 5 * time.Second, 10 * time.Second, 15 * time.Second, 30 * time.Second,
	time.Minute, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute, 15 * time.Minute, 30 * time.Minute,
	time.Hour, 2 * time.Hour, 4 * time.Hour, 8 * time.Hour,
}

// timeTicks labels a time axis of 0..total with at most seven ticks.
func timeTicks(total time.Duration, label func(time.Duration) string) []tick {
	step := max(timeSteps[len(timeSteps)-1], total/6)
	for _, s := range timeSteps {
		if total <= 6*s {
			step = s
			break
		}
	}
	ticks := []tick{newTick(0, "0")}
	for t := step; t <= total; t += step {
		ticks = append(ticks, newTick(float64(t)/float64(total), label(t)))
	}
	return thin(ticks)
}

// logAxis runs over latencies in nanoseconds between two numbers of the series 1, 2, 5, 10, ...
type logAxis struct{ low, high float64 }

// logFloor is the start of every log axis: a microsecond, below which no network answers.
const logFloor = 1e3

func newLogAxis(least, most float64) logAxis {
	a := logAxis{low: logFloor, high: logFloor}
	for a.high <= max(most, logFloor) {
		a.high = nextRound(a.high)
	}
	for next := nextRound(a.low); next <= least && next < a.high; next = nextRound(a.low) {
		a.low = next
	}
	return a
}

// nextRound is the successor of v, one of 1, 2 or 5 times a power of ten, in that series.
func nextRound(v float64) float64 {
	power := math.Pow(10, math.Floor(math.Log10(v)+1e-9))
	switch math.Round(v / power) {
	case 1:
		return 2 * power
	case 2:
		return 5 * power
	default:
		return 10 * power
	}
}

// share is where v lies on the axis, 0..1.
func (a logAxis) share(v float64) float64 {
	if v <= a.low {
		return 0
	}
	return min(math.Log(v/a.low)/math.Log(a.high/a.low), 1)
}

// at is the inverse of share.
func (a logAxis) at(share float64) float64 { return a.low * math.Pow(a.high/a.low, share) }

// ticks labels the axis: each round number if they are few, else the powers of ten, and of those no more than seven.
func (a logAxis) ticks(label func(ns float64) string) []tick {
	var round, powers []float64
	for v := a.low; v <= a.high*(1+1e-9); v = nextRound(v) {
		round = append(round, v)
		if lead := math.Log10(v); math.Abs(lead-math.Round(lead)) < 1e-9 {
			powers = append(powers, v)
		}
	}
	chosen, every := round, 1
	if len(round) > 7 {
		chosen, every = powers, (len(powers)+6)/7
	}
	var out []tick
	for i := 0; i < len(chosen); i += every {
		out = append(out, newTick(a.share(chosen[i]), label(chosen[i])))
	}
	return thin(out)
}

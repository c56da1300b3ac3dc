package pages

import (
	"strings"
	"time"

	"github.com/nollagluiz/broadside/fleet"
	"github.com/nollagluiz/broadside/plan"
)

// load is how much the runs of a target ask of one agent.
type load struct {
	VUs    int           // at most at once
	Length time.Duration // until no more iterations begin
	Shape  string        // "ramping-vus 0→50→0"; "" of VUs that are as many throughout
}

// Bounds of what a shape names.
const (
	shownScenarios = 3
	shownStages    = 6
)

func (l *locale) load(t fleet.Target) load {
	out := load{VUs: t.VUs, Length: time.Duration(t.DurationS) * time.Second}
	if !t.HasOptions() {
		return out
	}
	p, ok := t.Load()
	if !ok {
		return out
	}
	out = load{VUs: p.Peak()}
	var shapes []string
	for _, s := range p.Scenarios {
		out.Length = max(out.Length, s.StartTime+s.Length())
		shapes = append(shapes, l.executor(s))
	}
	if len(p.Scenarios) == 1 && p.Scenarios[0].Executor == plan.ConstantVUs {
		return out
	}
	if more := len(shapes) - shownScenarios; more > 0 {
		shapes = append(shapes[:shownScenarios], l.count("load.more", more))
	}
	out.Shape = strings.Join(shapes, " + ")
	return out
}

// executor says what a resolved scenario does: k6's name of its executor, and its numbers.
func (l *locale) executor(s plan.Scenario) string {
	text := s.Executor + gap
	switch s.Executor {
	case plan.ConstantVUs:
		return text + l.number(int64(s.VUs))
	case plan.RampingVUs:
		return text + l.ramp(max(s.StartVUs, 0), s.Stages)
	case plan.SharedIterations:
		return text + l.number(int64(s.Iterations))
	case plan.PerVUIterations:
		return text + l.number(int64(s.VUs)) + gap + "×" + gap + l.number(int64(s.Iterations))
	case plan.ConstantArrivalRate:
		text += l.number(int64(s.Rate))
	case plan.RampingArrivalRate:
		text += l.ramp(s.StartRate, s.Stages)
	}
	return text + gap + "/" + gap + l.timeUnit(s.TimeUnit)
}

// ramp lists where stages lead, those in the middle cut where there are many.
func (l *locale) ramp(from int, stages []plan.Stage) string {
	text := l.number(int64(from))
	for i, stage := range stages {
		switch {
		case i < shownStages-1, i == len(stages)-1:
			text += "→" + l.number(int64(stage.Target))
		case i == shownStages-1:
			text += "→…"
		}
	}
	return text
}

// timeUnit is what a rate counts by: "s", "min", "10 s".
func (l *locale) timeUnit(d time.Duration) string {
	text := l.duration(d)
	if unit, one := strings.CutPrefix(text, "1"+gap); one && !strings.Contains(unit, gap) {
		return unit
	}
	return text
}

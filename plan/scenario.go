package plan

import (
	"cmp"
	"time"
)

// The executors, by k6's names (k6 v2.2, "Executors").
const (
	SharedIterations    = "shared-iterations"
	PerVUIterations     = "per-vu-iterations"
	ConstantVUs         = "constant-vus"
	RampingVUs          = "ramping-vus"
	ConstantArrivalRate = "constant-arrival-rate"
	RampingArrivalRate  = "ramping-arrival-rate"
)

// Defaults of an executor's fields, k6's.
const (
	DefaultMaxDuration      = 10 * time.Minute
	DefaultGracefulRampDown = 30 * time.Second
	DefaultTimeUnit         = time.Second
)

// Scenario is one executor with the request that its VUs send. A field that its executor doesn't have must be zero.
type Scenario struct {
	Name         string            // [0-9a-zA-Z_-]+, unique in the plan; "default" if empty
	Executor     string            // "constant-vus" if empty
	StartTime    time.Duration     // after the start of the run; 0..MaxDuration
	GracefulStop time.Duration     // for iterations under way when no more begin; then they are cut. 30 s if 0, negative: at once
	Pause        time.Duration     // after each request, inside the iteration, as k6's sleep; 0..MaxPause
	Tags         map[string]string // on each of its samples, at most MaxTags
	Request      Request

	// Of constant-vus, shared-iterations and per-vu-iterations.
	VUs int // 1..MaxVUs; 1 if 0

	// Of constant-vus and constant-arrival-rate.
	Duration time.Duration // no iteration begins after it; MinDuration..MaxDuration; 30 s if 0

	// Of shared-iterations and per-vu-iterations.
	Iterations  int           // shared: of all VUs, at least one each; per VU: of each; 1 if 0
	MaxDuration time.Duration // no iteration begins after it; MinDuration..MaxDuration; 10 min if 0

	// Of ramping-vus and ramping-arrival-rate.
	Stages []Stage // 1..MaxStages, MaxDuration in all

	// Of ramping-vus.
	StartVUs         int           // up to MaxVUs; 1 if 0, negative: none
	GracefulRampDown time.Duration // for the iteration of a VU that a stage stops; then it is cut; 30 s if 0, negative: at once

	// Of constant-arrival-rate and ramping-arrival-rate.
	Rate            int           // constant: iterations to begin in each TimeUnit, at least 1; at most MaxRate a second
	StartRate       int           // ramping: as Rate, at the start of the first stage; 0 is none
	TimeUnit        time.Duration // that rates count by; MinTimeUnit..MaxDuration; 1 s if 0
	PreAllocatedVUs int           // that are there from the start, up to MaxVUs; negative: none
	MaxVUs          int           // that there may be, at least PreAllocatedVUs; as many as these if 0

	// What a script's iterations are. Without a script both must be empty.
	Exec string            // the function that an iteration is; the default export if empty
	Env  map[string]string // of __ENV, at most MaxTags
}

// Stage is a linear way to a target: of the VUs of ramping-vus, of the iterations each TimeUnit of ramping-arrival-rate.
type Stage struct {
	Duration time.Duration // 0: a jump
	Target   int
}

func (s Scenario) resolved() Scenario {
	s.Name = cmp.Or(s.Name, DefaultScenario)
	s.Executor = cmp.Or(s.Executor, ConstantVUs)
	s.GracefulStop = cmp.Or(s.GracefulStop, DefaultGracefulStop)
	s.Request = s.Request.resolved()
	switch s.Executor {
	case ConstantVUs:
		s.VUs = cmp.Or(s.VUs, 1)
		s.Duration = cmp.Or(s.Duration, DefaultDuration)
	case SharedIterations, PerVUIterations:
		s.VUs = cmp.Or(s.VUs, 1)
		s.Iterations = cmp.Or(s.Iterations, 1)
		s.MaxDuration = cmp.Or(s.MaxDuration, DefaultMaxDuration)
	case RampingVUs:
		s.StartVUs = cmp.Or(s.StartVUs, 1)
		s.GracefulRampDown = cmp.Or(s.GracefulRampDown, DefaultGracefulRampDown)
	case ConstantArrivalRate:
		s.Duration = cmp.Or(s.Duration, DefaultDuration)
		s.resolveArrivals()
	case RampingArrivalRate:
		s.resolveArrivals()
	}
	return s
}

func (s *Scenario) resolveArrivals() {
	s.TimeUnit = cmp.Or(s.TimeUnit, DefaultTimeUnit)
	s.MaxVUs = cmp.Or(s.MaxVUs, max(s.PreAllocatedVUs, 0))
}

// Open tells whether iterations of a resolved scenario begin when they are due, whatever became of those before: an
// open model. In a closed one a VU begins when its last iteration is over.
func (s Scenario) Open() bool {
	return s.Executor == ConstantArrivalRate || s.Executor == RampingArrivalRate
}

// Length is how long iterations of a resolved scenario may begin, from its StartTime.
func (s Scenario) Length() time.Duration {
	switch s.Executor {
	case SharedIterations, PerVUIterations:
		return s.MaxDuration
	case RampingVUs, RampingArrivalRate:
		var sum time.Duration
		for _, stage := range s.Stages {
			sum += stage.Duration
		}
		return sum
	}
	return s.Duration
}

// End is when the last iteration of a resolved scenario is cut at the latest, counted from the start of the run.
func (s Scenario) End() time.Duration {
	return s.StartTime + s.Length() + max(s.GracefulStop, 0)
}

// Peak is the most VUs that a resolved scenario may have at work.
func (s Scenario) Peak() int {
	switch s.Executor {
	case RampingVUs:
		peak := max(s.StartVUs, 0)
		for _, stage := range s.Stages {
			peak = max(peak, stage.Target)
		}
		return peak
	case ConstantArrivalRate, RampingArrivalRate:
		return s.MaxVUs
	}
	return s.VUs
}

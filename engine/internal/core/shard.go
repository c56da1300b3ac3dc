package core

import (
	"sync"
	"time"
)

// Series says what samples belong together: k6's tags that a person chose.
type Series struct {
	Scenario, Group, Name, Method string
	Tags                          string // "k=v" of the user, sorted, joined by NUL
}

// Shard is where samples are recorded: one for each scenario and loop or, with a goroutine per VU, for each scenario.
// Its methods may be called concurrently, but for Take, which belongs to one goroutine. In steady state, when every
// cell has been seen, nothing here allocates.
type Shard struct {
	open     bool
	overflow Series
	spare    *Delta // what the last Take returned; only Take touches it

	mu     sync.Mutex // guards all that follows
	now    *Delta     // being filled
	last   *Cell      // of now; the last hit
	series map[Series]*Series
}

// NewShard returns an empty shard, of an open model or a closed one: in an open one exchanges are late when they begin
// after they were due, so it holds corrected durations too.
func NewShard(open bool) *Shard {
	return &Shard{
		open:     open,
		overflow: Series{Name: "overflow"},
		now:      newDelta(),
		spare:    newDelta(),
		series:   map[Series]*Series{},
	}
}

// Intern returns the one pointer that stands for the series in this shard's keys.
func (s *Shard) Intern(series Series) *Series {
	s.mu.Lock()
	defer s.mu.Unlock()
	if p := s.series[series]; p != nil {
		return p
	}
	if len(s.series) >= maxCells {
		return &s.overflow
	}
	p := new(Series) // not the parameter's address, which would cost memory for those that are there, too
	*p = series
	s.series[series] = p
	return p
}

// Record adds one exchange. series comes from Intern.
func (s *Shard) Record(series *Series, failed bool, x *Exchange) {
	k := Key{Series: series, Status: uint16(x.Status), Code: x.Code, Proto: x.Proto, TLS: x.TLSVersion, Failed: failed}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now.Retries += int64(x.Retries)
	if x.Anomaly {
		s.now.Anomalies++
	}
	s.now.Sent += x.Sent
	s.now.Rcvd += x.Rcvd
	if s.last == nil || s.last.Key != k {
		s.last = s.now.cell(k, &s.overflow)
	}
	s.last.record(x, s.open)
}

// Iteration adds an iteration that went to its end in d.
func (s *Shard) Iteration(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now.Iterations++
	s.now.IterationDuration.Record(int64(d))
}

// Interrupted adds an iteration that was cut.
func (s *Shard) Interrupted() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now.Interrupted++
}

// Take returns what came since the Take before. The Delta is the shard's memory and holds until the next Take: two of
// them swap places, so that recording waits for no reader.
func (s *Shard) Take() *Delta {
	s.spare.reset()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now, s.spare, s.last = s.spare, s.now, nil
	return s.spare
}

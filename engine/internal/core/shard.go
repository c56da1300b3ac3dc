package core

import (
	"iter"
	"sync"
	"time"

	"github.com/nollagluiz/broadside/summary/hist"
)

// maxCells bounds a shard's cells, and the series that it interns. What comes after it is counted under the series
// "overflow", one cell for each status and code; so no server can make us hold more by inventing statuses or names.
const maxCells = 4096

// Series says what samples belong together: k6's tags that a person chose.
type Series struct {
	Scenario, Group, Name, Method string
	Tags                          string // "k=v" of the user, sorted, joined by NUL
}

// Key tells one cell of a shard from another. It is comparable, and comparing it is cheap: Series is interned.
type Key struct {
	Series *Series
	Status uint16 // 0: no whole response came
	Code   uint16
	Proto  Proto
	TLS    uint16 // tls.VersionTLS13 and its like
	Failed bool
}

// Cell is the samples of one Key.
type Cell struct {
	Key
	Requests int64
	Duration hist.Histogram             // of the exchanges that count for latency, ns
	Phases   [PhaseCount]hist.Histogram // at hist.Coarse, ns
	Err      string                     // one message of them
}

// record adds x. The phases of an exchange that doesn't count for latency are kept where they happened: the connect
// time of a failed handshake is real.
func (c *Cell) record(x *Exchange) {
	c.Requests++
	if c.Err == "" {
		c.Err = x.Err
	}
	if x.Counts {
		c.Duration.Record(int64(x.Duration()))
	}
	for i := range c.Phases {
		if d := x.Phases[i]; x.Counts || d > 0 && i <= TLS {
			c.Phases[i].Record(int64(d))
		}
	}
}

func (c *Cell) reset() {
	c.Requests, c.Err = 0, ""
	c.Duration.Reset()
	for i := range c.Phases {
		c.Phases[i].Reset()
	}
}

func newCell(k Key) *Cell {
	c := &Cell{Key: k}
	for i := range c.Phases {
		c.Phases[i] = *hist.New(hist.Coarse)
	}
	return c
}

// Delta is what a shard took in between two Takes.
type Delta struct {
	Iterations        int64 // that went to their end
	Interrupted       int64 // iterations cut
	IterationDuration hist.Histogram
	Retries           int64 // exchanges sent again
	Sent, Rcvd        int64 // bytes

	cells map[Key]*Cell
	order []*Cell // of cells, so that reading them is deterministic
}

// Cells gives the cells that hold a request.
func (d *Delta) Cells() iter.Seq[*Cell] {
	return func(yield func(*Cell) bool) {
		for _, c := range d.order {
			if c.Requests > 0 && !yield(c) {
				return
			}
		}
	}
}

func (d *Delta) reset() {
	d.Iterations, d.Interrupted, d.Retries, d.Sent, d.Rcvd = 0, 0, 0, 0, 0
	d.IterationDuration.Reset()
	for _, c := range d.order {
		c.reset()
	}
}

// Shard is where samples are recorded: one for each scenario and loop or, with a goroutine per VU, for each scenario.
// Its methods may be called concurrently, but for Take, which belongs to one goroutine. In steady state, when every
// cell has been seen, nothing here allocates.
type Shard struct {
	overflow Series
	spare    *Delta // what the last Take returned; only Take touches it

	mu     sync.Mutex // guards all that follows
	now    *Delta     // being filled
	last   *Cell      // of now; the last hit
	series map[Series]*Series
}

// NewShard returns an empty shard.
func NewShard() *Shard {
	return &Shard{
		overflow: Series{Name: "overflow"},
		now:      &Delta{cells: map[Key]*Cell{}},
		spare:    &Delta{cells: map[Key]*Cell{}},
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
	p := &series
	s.series[series] = p
	return p
}

// Record adds one exchange. series comes from Intern.
func (s *Shard) Record(series *Series, failed bool, x *Exchange) {
	k := Key{Series: series, Status: uint16(x.Status), Code: x.Code, Proto: x.Proto, TLS: x.TLSVersion, Failed: failed}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now.Retries += int64(x.Retries)
	s.now.Sent += x.Sent
	s.now.Rcvd += x.Rcvd
	if s.last == nil || s.last.Key != k {
		s.last = s.cellLocked(k)
	}
	s.last.record(x)
}

func (s *Shard) cellLocked(k Key) *Cell {
	d := s.now
	if c := d.cells[k]; c != nil {
		return c
	}
	if len(d.cells) >= maxCells {
		k = Key{Series: &s.overflow, Status: k.Status, Code: k.Code, Failed: k.Failed}
		if c := d.cells[k]; c != nil {
			return c
		}
	}
	c := newCell(k)
	d.cells[k] = c
	d.order = append(d.order, c)
	return c
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

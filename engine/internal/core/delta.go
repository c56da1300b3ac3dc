package core

import (
	"iter"

	"github.com/nollagluiz/broadside/summary/hist"
)

// Bounds of a Delta, so that no server can make us hold more by inventing statuses or names.
const (
	// maxCells bounds the cells, and the series that a shard interns. What comes after it is counted under the series
	// "overflow", one cell for each status, code and protocol.
	maxCells = 4096
	// maxDetailed bounds the cells of a series that have latencies of their own, some 40 KB each. Those that come after
	// it share one of the series, which has no status and no code; their counts remain exact.
	maxDetailed = 32
)

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
	Err      string // one message of them

	*Latencies            // of the Key; empty where they are shared
	to         *Latencies // where they are recorded
}

// Latencies are distributions over exchanges, in ns.
type Latencies struct {
	Duration  hist.Histogram             // of the exchanges that count for latency
	Corrected hist.Histogram             // of the same, from when they were due to their end; empty in closed models
	Phases    [PhaseCount]hist.Histogram // at hist.Coarse
}

func newLatencies() *Latencies {
	l := &Latencies{}
	for i := range l.Phases {
		l.Phases[i] = *hist.New(hist.Coarse)
	}
	return l
}

// record adds x. The phases of an exchange that doesn't count for latency are kept where they happened: the connect
// time of a failed handshake is real.
func (l *Latencies) record(x *Exchange, open bool) {
	if x.Counts {
		l.Duration.Record(int64(x.Duration()))
		if open {
			l.Corrected.Record(int64(x.End - x.Due))
		}
	}
	for i := range l.Phases {
		if d := x.Phases[i]; x.Counts || d > 0 && i <= TLS {
			l.Phases[i].Record(int64(d))
		}
	}
}

func (l *Latencies) reset() {
	l.Duration.Reset()
	l.Corrected.Reset()
	for i := range l.Phases {
		l.Phases[i].Reset()
	}
}

func (c *Cell) record(x *Exchange, open bool) {
	c.Requests++
	if c.Err == "" {
		c.Err = x.Err
	}
	c.to.record(x, open)
}

// Delta is what a shard took in between two Takes.
type Delta struct {
	Iterations        int64 // that went to their end
	Interrupted       int64 // iterations cut
	IterationDuration hist.Histogram
	Retries           int64 // exchanges sent again
	Anomalies         int64 // exchanges with bytes that no request asked for
	Sent, Rcvd        int64 // bytes

	cells    map[Key]*Cell
	order    []*Cell         // of cells, so that reading them is deterministic
	detailed map[*Series]int // cells with latencies of their own
	none     Latencies       // those of the others
}

func newDelta() *Delta {
	return &Delta{cells: map[Key]*Cell{}, detailed: map[*Series]int{}}
}

// Cells gives the cells that hold a request, and those without one that hold the latencies of others.
func (d *Delta) Cells() iter.Seq[*Cell] {
	return func(yield func(*Cell) bool) {
		for _, c := range d.order {
			if (c.Requests > 0 || c.shared()) && !yield(c) {
				return
			}
		}
	}
}

// shared tells whether other cells record in c. An exchange without status and without code there is none.
func (c *Cell) shared() bool { return c.Status == 0 && c.Code == 0 }

// cell gives the cell of k, which it makes if there is room.
func (d *Delta) cell(k Key, overflow *Series) *Cell {
	if c := d.cells[k]; c != nil {
		return c
	}
	if len(d.cells) >= maxCells {
		k = Key{Series: overflow, Status: k.Status, Code: k.Code, Proto: k.Proto, Failed: k.Failed}
		if c := d.cells[k]; c != nil {
			return c
		}
	}
	c := &Cell{Key: k}
	switch shared := (Key{Series: k.Series, Failed: k.Failed}); {
	case k == shared, d.detailed[k.Series] < maxDetailed:
		d.detailed[k.Series]++
		c.Latencies = newLatencies()
		c.to = c.Latencies
	default:
		c.Latencies, c.to = &d.none, d.cell(shared, overflow).to
	}
	d.cells[k] = c
	d.order = append(d.order, c)
	return c
}

func (d *Delta) reset() {
	d.Iterations, d.Interrupted, d.Retries, d.Anomalies, d.Sent, d.Rcvd = 0, 0, 0, 0, 0, 0
	d.IterationDuration.Reset()
	for _, c := range d.order {
		c.Requests, c.Err = 0, ""
		if c.to == c.Latencies {
			c.to.reset()
		}
	}
}

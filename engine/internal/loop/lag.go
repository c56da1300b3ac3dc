//go:build linux

package loop

import "time"

// Lag is how much later than it could have a loop did what a Host had to do: it handled events after the kernel had told
// of them, and began iterations after they were due. It is the generator's part of the latencies.
type Lag struct {
	Events, Starts int64
	Late           time.Duration // the sum of all
}

func (l *Lag) event(late time.Duration) {
	l.Events++
	l.Late += late
}

func (l *Lag) start(late time.Duration) {
	l.Starts++
	l.Late += late
}

// Lag is that of the whole run, once Run has returned.
func (h *Host) Lag() Lag { return h.lag }

//go:build linux

package loop

import "time"

// lag is how long events wait in a loop until they are handled: the part of a latency that is the generator's own.
type lag struct {
	n   int64
	sum time.Duration
	max time.Duration
}

func (l *lag) add(d time.Duration) {
	l.n++
	l.sum += d
	l.max = max(l.max, d)
}

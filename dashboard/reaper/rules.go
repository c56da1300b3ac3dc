package reaper

import (
	"cmp"
	"errors"
	"fmt"
	"time"
)

// resolved writes the defaults out and checks the rest.
func (c Config) resolved() (Config, error) {
	if c.Store == nil {
		return c, errors.New("a store is needed")
	}
	c.Interval = cmp.Or(c.Interval, DefaultInterval)
	c.Heartbeat = cmp.Or(c.Heartbeat, DefaultHeartbeat)
	c.OfflineAfter = cmp.Or(c.OfflineAfter, DefaultOfflineAfter)
	c.DeleteAfter = cmp.Or(c.DeleteAfter, DefaultDeleteAfter)
	c.Retention = cmp.Or(c.Retention, DefaultRetention)
	if least := min(c.Interval, c.Heartbeat, c.OfflineAfter); least < 0 {
		return c, fmt.Errorf("a time of %v is negative", least)
	}
	if c.DeleteAfter <= c.OfflineAfter {
		return c, fmt.Errorf("agents would be deleted after %v, not later than they are offline, after %v", c.DeleteAfter, c.OfflineAfter)
	}
	return c, nil
}

// limits are the rules of one sweep as points in time.
type limits struct {
	deadline  time.Time // a run that should have ended before this is lost
	offline   time.Time // an agent that was last seen before this is offline
	delete    time.Time // an offline agent that was last seen before this is deleted
	retention time.Time // a run that ended before this is deleted; zero: none is
}

func (c Config) limits(now time.Time) limits {
	l := limits{deadline: now, offline: now.Add(-c.OfflineAfter), delete: now.Add(-c.DeleteAfter)}
	if c.Retention > 0 {
		l.retention = now.Add(-c.Retention)
	}
	return l
}

// hold keeps sweeps back while the store can't know who is alive: after the process's start, and after a gap in which
// it did not run or its clock was set, no agent has been heard of for that long. Sweeping then would bury a fleet that
// is well, so it waits until each agent has had two heartbeats' time to speak.
//
//	what                                            held until
//	the first time                                  now + 2 heartbeats
//	more than 2 intervals since the last time       now + 2 heartbeats
//	the clock went back                             now + 2 heartbeats
//	else                                            as it was
//
// Times are of the wall clock: a monotonic one may stand still while a virtual machine is suspended, and last_seen_at
// is wall time too. The zero hold is that of a process that has just started.
type hold struct {
	last  time.Time // the last time next was asked
	until time.Time
}

// next is the hold at now.
func (h hold) next(now time.Time, c Config) hold {
	now = now.Round(0)
	gap := now.Sub(h.last)
	if h.last.IsZero() || gap < 0 || gap > 2*c.Interval {
		h.until = now.Add(2 * c.Heartbeat)
	}
	h.last = now
	return h
}

// closed tells whether a sweep at now has to wait.
func (h hold) closed(now time.Time) bool { return now.Round(0).Before(h.until) }

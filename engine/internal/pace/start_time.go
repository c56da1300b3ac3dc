package pace

import "time"

// delayed is an executor whose time begins at start.
type delayed struct {
	Executor
	start time.Duration
}

func (d *delayed) Free(now time.Duration, vu int) (Verdict, time.Duration) {
	v, due := d.Executor.Free(now-d.start, vu)
	return v, due + d.start
}

func (d *delayed) Tick(now time.Duration, out *Orders) time.Duration {
	if now < d.start {
		return d.start
	}
	return d.start + d.Executor.Tick(now-d.start, out)
}

package agent

import (
	"sync"
	"time"
)

// clockSlow is the round trip beyond which an answer no longer corrects a clock that is set: half of it is the error.
const clockSlow = time.Second

// clock is the server's clock as the agent knows it. It is set from answers, each taken to be written in the middle of
// its round trip, and runs on the monotonic clock in between, so a step of the machine's own clock moves nothing. The
// zero clock is the machine's. It is safe for concurrent use.
type clock struct {
	mu            sync.Mutex // guards the rest
	server, local time.Time  // one moment on both clocks
}

// sync notes an answer's server time; sent and got are when the question left and the answer came.
func (c *clock) sync(server, sent, got time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	trip := got.Sub(sent)
	if server.IsZero() || trip > clockSlow && !c.local.IsZero() {
		return
	}
	c.server, c.local = server, sent.Add(trip/2)
}

// at is the server's time when the local clock says t.
func (c *clock) at(t time.Time) time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.local.IsZero() {
		return t
	}
	return c.server.Add(t.Sub(c.local))
}

package agent

import (
	"fmt"
	"slices"
	"sync"
	"time"
)

// The loops of an agent.
const (
	loopRegister  = "register"
	loopPoll      = "poll"
	loopHeartbeat = "heartbeat"
	loopSchedule  = "schedule"
	loopSend      = "send"
)

// pulseSlack is how long a loop may be overdue: the time-outs of its calls fit in, twice.
const pulseSlack = 2*callTimeout + 5*time.Second

// pulse knows when each loop will be back, so that a loop that hangs shows. It is safe for concurrent use.
type pulse struct {
	mu  sync.Mutex           // guards due
	due map[string]time.Time // by loop; a loop that waits for an event, however long, is absent
}

// expect notes that a loop will be back in d.
func (p *pulse) expect(loop string, d time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.due == nil {
		p.due = map[string]time.Time{}
	}
	p.due[loop] = time.Now().Add(d)
}

// rest notes that a loop has ended, or waits for an event.
func (p *pulse) rest(loop string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.due, loop)
}

// check names the loops that are overdue at now.
func (p *pulse) check(now time.Time) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	var stuck []string
	for loop, due := range p.due {
		if now.Sub(due) > pulseSlack {
			stuck = append(stuck, loop)
		}
	}
	if len(stuck) == 0 {
		return nil
	}
	slices.Sort(stuck)
	return fmt.Errorf("loops that hang: %v", stuck)
}

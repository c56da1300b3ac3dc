package agent

import (
	"sync"
	"time"
)

// cpuMeter measures the process's use of the processor between two questions. It is safe for concurrent use.
type cpuMeter struct {
	mu   sync.Mutex // guards the rest
	used time.Duration
	at   time.Time
}

func newCPUMeter() *cpuMeter { return &cpuMeter{used: cpuTime(), at: time.Now()} }

// ratio is the share of one core used since the question before; over 1 on several cores.
func (m *cpuMeter) ratio() float64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	used, now := cpuTime(), time.Now()
	spent, passed := used-m.used, now.Sub(m.at)
	m.used, m.at = used, now
	if passed <= 0 || spent <= 0 {
		return 0
	}
	return spent.Seconds() / passed.Seconds()
}

package agent

import (
	"net/http"
	"sync"
	"time"

	"github.com/sirupsen/logrus"
)

// complainEvery is the least time between two lines about failures of one kind.
const complainEvery = time.Minute

// complaints logs the failures of all loops: a kind of failure (an HTTP status, or no answer) once when it is new, and
// then at most once a minute, however many calls fail of it. It is safe for concurrent use.
type complaints struct {
	log  logrus.FieldLogger
	mu   sync.Mutex // guards last
	last map[int]time.Time
}

func newComplaints(log logrus.FieldLogger) *complaints {
	return &complaints{log: log, last: map[int]time.Time{}}
}

// failed notes that a call failed.
func (c *complaints) failed(op string, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	kind, now := statusOf(err), time.Now()
	if last, ok := c.last[kind]; ok && now.Sub(last) < complainEvery {
		return
	}
	c.last[kind] = now
	log := c.log.WithError(err)
	switch {
	case kind == http.StatusUnauthorized:
		log.Error(op + ": the dashboard does not take this agent's DASHBOARD_SECRET; trying again, ever more slowly")
	case isNameInUse(err):
		log.Error(op + ": another live agent has this agent's name; trying again until it is gone. Give each agent an AGENT_NAME of its own")
	default:
		log.Warn(op + ": failed; trying again")
	}
}

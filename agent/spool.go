package agent

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/sirupsen/logrus"

	"github.com/nollagluiz/broadside/fleet"
)

// spoolBytes bounds a spool: some 2,500 results, an hour or two of a busy agent.
const spoolBytes = 8 << 20

// entry is a start or a result on its way to the dashboard.
type entry struct {
	run    string
	result bool // else a start
	body   []byte
	slim   bool // refused once, and cut down since
	faults int  // times that it, not the dashboard as a whole, failed
}

// spool keeps what the dashboard has not acknowledged, in memory, bounded by bytes: when it is full the oldest goes.
// It is safe for concurrent use.
type spool struct {
	max int64
	log logrus.FieldLogger

	mu      sync.Mutex // guards the rest
	entries []*entry   // oldest first
	bytes   int64      // of their bodies
	dropped int64      // results lost because it was full
	refused int64      // results that the dashboard would not take

	more chan struct{} // signals an entry to a sender that waits
}

func newSpool(most int64, log logrus.FieldLogger) *spool {
	return &spool{max: most, log: log, more: make(chan struct{}, 1)}
}

// add queues an entry. A result repeats its run's start, so a start that is still here makes way for it.
func (s *spool) add(e entry) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if e.result {
		s.entries = slices.DeleteFunc(s.entries, func(old *entry) bool {
			started := old.run == e.run && !old.result
			if started {
				s.bytes -= int64(len(old.body))
			}
			return started
		})
	}
	s.entries = append(s.entries, &e)
	s.bytes += int64(len(e.body))
	for s.bytes > s.max && len(s.entries) > 1 {
		oldest := s.entries[0]
		s.removeLocked(oldest)
		if oldest.result {
			s.dropped++
			s.log.WithField("run", oldest.run).Warn("the spool is full: its oldest result is lost")
		}
	}
	select {
	case s.more <- struct{}{}:
	default:
	}
}

func (s *spool) removeLocked(e *entry) {
	if i := slices.Index(s.entries, e); i >= 0 {
		s.entries = slices.Delete(s.entries, i, i+1)
		s.bytes -= int64(len(e.body))
	}
}

func (s *spool) state() fleet.Spool {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := fleet.Spool{Bytes: s.bytes, Dropped: s.dropped, Refused: s.refused}
	for _, e := range s.entries {
		if e.result {
			out.Results++
		}
	}
	return out
}

// next is the oldest of the entries that failed the least by themselves: order is kept through an outage, and one
// entry that always makes the dashboard fail does not hold up the rest.
func (s *spool) next() *entry {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out *entry
	for _, e := range s.entries {
		if out == nil || e.faults < out.faults {
			out = e
		}
	}
	return out
}

// send delivers entries one by one, each until it is acknowledged, until ctx is done, or until none is left once drain is
// closed.
func (s *spool) send(ctx context.Context, drain <-chan struct{}, put func(context.Context, entry) error, p *pulse, c *complaints) {
	defer p.rest(loopSend)
	var b backoff
	draining := false
	wait := func(timer <-chan time.Time, more <-chan struct{}) {
		select {
		case <-timer:
		case <-more:
		case <-drain:
			drain, draining = nil, true
			b.reset()
		case <-ctx.Done():
		}
	}
	for ctx.Err() == nil {
		e := s.next()
		if e == nil {
			if draining {
				return
			}
			p.rest(loopSend)
			wait(nil, s.more)
			continue
		}
		p.expect(loopSend, 0)
		err := put(ctx, *e)
		done, outage := s.settle(e, err)
		if done {
			b.reset()
			continue
		}
		if ctx.Err() != nil {
			return
		}
		c.failed("send a result", err)
		again, more := b.next(err), s.more
		if outage {
			more = nil // an entry more changes nothing
		}
		p.expect(loopSend, again)
		wait(time.After(again), more)
	}
}

// settle notes what became of a try. If it is not done, the entry must be tried again later, and outage tells whether
// any other would have fared the same.
func (s *spool) settle(e *entry, err error) (done, outage bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !slices.Contains(s.entries, e) {
		return true, false // overtaken by its result, or dropped
	}
	if err == nil {
		s.removeLocked(e)
		return true, false
	}
	switch statusOf(err) {
	case http.StatusBadRequest, http.StatusRequestEntityTooLarge, http.StatusUnprocessableEntity:
		s.refuseLocked(e, err)
		return true, false
	case 0, http.StatusUnauthorized, http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return false, true
	default:
		e.faults++
		return false, false
	}
}

// refuseLocked ends the resending of an entry that the dashboard won't take: a result goes once more without its
// series and histograms, so that at least its numbers arrive.
func (s *spool) refuseLocked(e *entry, err error) {
	if !e.result {
		s.removeLocked(e)
		return // its result will tell
	}
	log := s.log.WithField("run", e.run).WithError(err)
	if e.slim {
		s.removeLocked(e)
		log.Warn("the dashboard refused a result for good")
		return
	}
	s.refused++
	body, err := slim(e.body)
	if err != nil {
		s.removeLocked(e)
		log.WithError(err).Error("a refused result can't be cut down")
		return
	}
	s.bytes += int64(len(body) - len(e.body))
	e.body, e.slim = body, true
	log.Warn("the dashboard refused a result; it is sent once more without series and histograms")
}

// slim is an encoded result without its series and histograms.
func slim(body []byte) ([]byte, error) {
	var end fleet.RunEnd
	if err := json.Unmarshal(body, &end); err != nil {
		return nil, err
	}
	end.Trends, end.Series = nil, nil
	return json.Marshal(end)
}

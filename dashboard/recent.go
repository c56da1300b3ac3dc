package dashboard

import "sync"

// recentRuns is how many results are remembered: at 333 a second, those of the last 25 seconds, in which an agent that
// did not get its answer sends again.
const recentRuns = 8192

// recent is a set that forgets its oldest. It is safe for concurrent use.
type recent struct {
	mu   sync.Mutex // guards the rest
	ids  map[string]bool
	ring []string // the ids in the order in which they came; next is the oldest
	next int
}

func newRecent(size int) *recent {
	return &recent{ids: make(map[string]bool), ring: make([]string, size)}
}

func (r *recent) has(id string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.ids[id]
}

// add tells whether the id is new.
func (r *recent) add(id string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ids[id] {
		return false
	}
	delete(r.ids, r.ring[r.next])
	r.ids[id], r.ring[r.next] = true, id
	r.next = (r.next + 1) % len(r.ring)
	return true
}

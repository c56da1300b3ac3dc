package agent

import "sync"

// VULimit bounds the virtual users that run at once. Agents of one process share one. A nil VULimit bounds nothing. It
// is safe for concurrent use.
type VULimit struct {
	max int

	mu   sync.Mutex // guards used
	used int
}

// NewVULimit returns a limit of max virtual users, or nil, which is none, if max is not positive.
func NewVULimit(max int) *VULimit {
	if max <= 0 {
		return nil
	}
	return &VULimit{max: max}
}

// Max is the limit; 0 is none.
func (l *VULimit) Max() int {
	if l == nil {
		return 0
	}
	return l.max
}

// take claims n virtual users, if they fit.
func (l *VULimit) take(n int) bool {
	if l == nil {
		return true
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if n > l.max-l.used {
		return false
	}
	l.used += n
	return true
}

// give returns what take claimed.
func (l *VULimit) give(n int) {
	if l == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.used -= n
}

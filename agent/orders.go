package agent

import (
	"slices"
	"sync"
)

// seenOrders is how many orders are remembered; more than a dashboard has open at once.
const seenOrders = 1000

// orders remembers which orders were carried out, so that each is carried out once, and which of them the dashboard has
// yet to hear of. It is safe for concurrent use.
type orders struct {
	mu     sync.Mutex // guards the rest
	seen   []string   // the oldest first
	acks   []string   // carried out, and not yet told
	stopID string     // of the stop that is in force; "" if none is, or it has no id
	stop   bool       // a stop is in force

	news chan struct{} // signals the heartbeat that there is something to tell
}

func newOrders() *orders { return &orders{news: make(chan struct{}, 1)} }

// first tells whether an order is seen for the first time.
func (o *orders) first(id string) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if slices.Contains(o.seen, id) {
		return false
	}
	o.seen = append(o.seen, id)
	if len(o.seen) > seenOrders {
		o.seen = slices.Delete(o.seen, 0, 1)
	}
	return true
}

// ack notes that an order was carried out, or refused. An order that the dashboard still gives is acknowledged again:
// it may have forgotten.
func (o *orders) ack(id string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !slices.Contains(o.acks, id) && len(o.acks) < seenOrders-1 {
		o.acks = append(o.acks, id)
	}
}

// setStop notes whether a stop is in force, and tells whether that is news.
func (o *orders) setStop(stop bool, id string) (changed bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	changed = stop != o.stop || id != o.stopID
	o.stop, o.stopID = stop, id
	return changed
}

func (o *orders) stopped() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.stop
}

// pending is what the next heartbeat acknowledges: orders, and the stop as long as it is in force and no run is left.
func (o *orders) pending(idle bool) []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	out := slices.Clone(o.acks)
	if idle && o.stop && o.stopID != "" {
		out = append(out, o.stopID)
	}
	return out
}

// told drops what the dashboard has heard.
func (o *orders) told(acks []string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.acks = slices.DeleteFunc(o.acks, func(id string) bool { return slices.Contains(acks, id) })
}

// tell asks for a heartbeat soon.
func (o *orders) tell() {
	select {
	case o.news <- struct{}{}:
	default:
	}
}

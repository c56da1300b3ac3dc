package agent

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"slices"
	"time"

	"github.com/nollagluiz/broadside/fleet"
)

// schedule says which targets are due when. It is pure: it reads no clock, and knows nothing of the runs going on, so
// a start that finds no room is lost, not late.
//
// With h = hash(agent, target), a target that is new, enabled again or edited (its revision differs) is due at
//
//	seen + h mod min(spread, interval/2)        then at each
//	phase + k*interval, phase = h mod interval, by the server's clock, the first at least interval/2 later
//
// so that agents that boot, or see an edit, together neither begin nor go on together, and an agent that restarts falls
// back into its old place. The zero schedule is empty. It is not safe for concurrent use.
type schedule struct {
	slots map[string]*slot // by target id: those of the last poll that are enabled
}

// slot is when a target is due.
type slot struct {
	target   fleet.Target
	next     time.Time     // when it is due
	grid     time.Time     // the first time of phase + k*interval that counts; next <= grid until then
	interval time.Duration // > 0
	once     bool          // invalid: due once, to be reported, and then not until it is edited
	over     bool          // once, and that has been
}

// update takes a poll's targets. server is the server's time at now.
func (s *schedule) update(now, server time.Time, agent string, targets []fleet.Target, spread time.Duration) {
	slots := make(map[string]*slot, len(targets))
	for _, t := range targets {
		if !t.Enabled {
			continue
		}
		if old := s.slots[t.ID]; old != nil && old.target.Revision == t.Revision {
			slots[t.ID] = old
			continue
		}
		slots[t.ID] = newSlot(now, server, hash(agent, t.ID), t, spread)
	}
	s.slots = slots
}

func newSlot(now, server time.Time, h uint64, t fleet.Target, spread time.Duration) *slot {
	interval := max(t.RunInterval(), fleet.MinRunInterval) // an invalid one is never used twice
	first := now
	if spread = min(spread, interval/2); spread > 0 {
		first = now.Add(time.Duration(h % uint64(spread)))
	}
	earliest := server.Add(first.Sub(now) + interval/2)
	phase := time.Duration(h % uint64(interval))
	// The time since the last slot, in [0, interval); Unix milliseconds reach further than a Duration.
	since := time.Duration(earliest.UnixMilli()%interval.Milliseconds())*time.Millisecond - phase.Truncate(time.Millisecond)
	if since < 0 {
		since += interval
	}
	return &slot{
		target:   t,
		next:     first,
		grid:     now.Add(earliest.Sub(server) + interval - since),
		interval: interval,
		once:     t.Validate() != nil,
	}
}

// hash spreads (agent, target) evenly over 64 bits, the same on every machine.
func hash(agent, target string) uint64 {
	sum := sha256.Sum256([]byte(agent + "\x00" + target))
	return binary.BigEndian.Uint64(sum[:])
}

// due returns the targets that are due at now, the longest due first, and moves their slots on. A slot of which nothing
// is seen until more than a quarter of an interval later, since the process stood still, is missed and never made up;
// missed counts them. So two starts are at least a quarter apart.
func (s *schedule) due(now time.Time) (starts []fleet.Target, missed int64) {
	var slots []*slot
	for _, slot := range s.slots {
		if !slot.over && !slot.next.After(now) {
			slots = append(slots, slot)
		}
	}
	slices.SortFunc(slots, func(a, b *slot) int {
		return cmp.Or(a.next.Compare(b.next), cmp.Compare(a.target.ID, b.target.ID))
	})
	for _, slot := range slots {
		at, passed := slot.pass(now)
		missed += passed
		if now.Sub(at) > slot.interval/4 && !slot.once {
			missed++
			continue
		}
		starts = append(starts, slot.target)
	}
	return starts, missed
}

// pass moves the slot to its first time after now. It returns the last one that is not, and how many came before it.
func (s *slot) pass(now time.Time) (at time.Time, passed int64) {
	s.over = s.once
	at, s.next = s.next, s.grid
	if s.grid.After(now) {
		return at, 0
	}
	if at.Before(s.grid) {
		passed = 1
	}
	k := int64(now.Sub(s.grid) / s.interval)
	at = s.grid.Add(time.Duration(k) * s.interval)
	s.grid = at.Add(s.interval)
	s.next = s.grid
	return at, passed + k
}

// next is when a target is due at the earliest; ok is false if none will be.
func (s *schedule) next() (at time.Time, ok bool) {
	for _, slot := range s.slots {
		if !slot.over && (!ok || slot.next.Before(at)) {
			at, ok = slot.next, true
		}
	}
	return at, ok
}

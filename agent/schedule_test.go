package agent

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/nollagluiz/broadside/fleet"
)

// epoch is a moment of the server's clock that is a multiple of every interval used here.
var epoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func every(id string, interval time.Duration, revision int64) fleet.Target {
	t := site(id)
	t.RunIntervalMs, t.Revision = interval.Milliseconds(), revision
	return t
}

// starts drives a schedule from one due time to the next, until end, and gives the starts of each target since epoch.
func starts(s *schedule, end time.Duration) map[string][]time.Duration {
	out := map[string][]time.Duration{}
	for {
		at, ok := s.next()
		if !ok || at.Sub(epoch) > end {
			return out
		}
		due, _ := s.due(at)
		for _, t := range due {
			out[t.ID] = append(out[t.ID], at.Sub(epoch))
		}
	}
}

// The rule of ADR 16 on exact times: h mod min(spread, interval/2) after being seen, then at h mod interval +
// k*interval, the first at least half an interval later.
func TestScheduleTimes(t *testing.T) {
	const minute = time.Minute
	h := hash("agent", "a")
	inSpread := func(spread time.Duration) time.Duration { return time.Duration(h % uint64(spread)) }
	phase := time.Duration(h % uint64(minute)).Truncate(time.Millisecond)
	slots := func(first time.Duration) []time.Duration {
		at := phase
		for at < first+minute/2 {
			at += minute
		}
		return []time.Duration{first, at, at + minute, at + 2*minute}
	}
	for _, tc := range []struct {
		name   string
		seen   time.Duration
		spread time.Duration
		first  time.Duration
	}{
		{"a lone agent", 0, 2 * time.Second, inSpread(2 * time.Second)},
		{"no spread", 0, 0, 0},
		{"seen later", 47 * time.Second, 2 * time.Second, 47*time.Second + inSpread(2*time.Second)},
		{"a spread over half the interval is cut", 0, time.Hour, inSpread(30 * time.Second)},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var s schedule
			now := epoch.Add(tc.seen)
			s.update(now, now, "agent", []fleet.Target{every("a", minute, 1)}, tc.spread)
			got := starts(&s, 10*minute)["a"][:4]
			for i, want := range slots(tc.first) {
				if (got[i] - want).Abs() > time.Millisecond {
					t.Errorf("start %d at %v; want %v", i, got[i], want)
				}
			}
		})
	}
}

// The slots are the server's, whatever the machine's own clock says.
func TestScheduleByTheServersClock(t *testing.T) {
	var local, ahead schedule
	skew := 17*time.Hour + 3*time.Second + 500*time.Millisecond
	targets := []fleet.Target{every("a", time.Minute, 1)}
	local.update(epoch, epoch, "agent", targets, 0)
	ahead.update(epoch.Add(skew), epoch, "agent", targets, 0)
	for i := range 5 {
		a, _ := local.next()
		b, _ := ahead.next()
		if b.Sub(a) != skew {
			t.Errorf("start %d: %v and %v; want them %v apart", i, a, b, skew)
		}
		local.due(a)
		ahead.due(b)
	}
}

func TestScheduleUpdate(t *testing.T) {
	const minute = time.Minute
	off := every("a", minute, 2)
	off.Enabled = false
	later := epoch.Add(10 * minute)
	for _, tc := range []struct {
		name   string
		before []fleet.Target
		after  []fleet.Target
		soon   bool // whether a starts again right after the update
		gone   bool
	}{
		{"unchanged", []fleet.Target{every("a", minute, 1)}, []fleet.Target{every("a", minute, 1)}, false, false},
		{"another target comes", []fleet.Target{every("a", minute, 1)}, []fleet.Target{every("b", minute, 1), every("a", minute, 1)}, false, false},
		{"edited", []fleet.Target{every("a", minute, 1)}, []fleet.Target{every("a", minute, 2)}, true, false},
		{"another interval", []fleet.Target{every("a", time.Hour, 1)}, []fleet.Target{every("a", minute, 2)}, true, false},
		{"enabled again", []fleet.Target{off}, []fleet.Target{every("a", minute, 3)}, true, false},
		{"disabled", []fleet.Target{every("a", minute, 1)}, []fleet.Target{off}, false, true},
		{"deleted", []fleet.Target{every("a", minute, 1)}, nil, false, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var s schedule
			s.update(epoch, epoch, "agent", tc.before, 0)
			starts(&s, 10*minute)
			s.update(later, later, "agent", tc.after, 0)
			due, _ := s.due(later)
			soon := slices.ContainsFunc(due, func(t fleet.Target) bool { return t.ID == "a" })
			if soon != tc.soon {
				t.Errorf("due after the update: %v; want %v", soon, tc.soon)
			}
			if _, ok := s.slots["a"]; ok == tc.gone {
				t.Errorf("scheduled: %v; want %v", ok, !tc.gone)
			}
		})
	}
}

// Slots that pass while the process stands still are counted and never made up.
func TestScheduleMissedSlots(t *testing.T) {
	const minute = time.Minute
	for _, tc := range []struct {
		name   string
		still  time.Duration // since a slot was due
		due    bool
		missed int64
	}{
		{"on time", 0, true, 0},
		{"a little late", 10 * time.Second, true, 0},
		{"more than a quarter of an interval late", 16 * time.Second, false, 1},
		{"just over one interval", minute + time.Second, true, 1},
		{"one interval and a half", minute + 31*time.Second, false, 2},
		{"ten hours", 10*time.Hour + time.Second, true, 600},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var s schedule
			s.update(epoch, epoch, "agent", []fleet.Target{every("a", minute, 1)}, 0)
			s.due(epoch)
			slot, _ := s.next()
			now := slot.Add(tc.still)
			due, missed := s.due(now)
			if (len(due) == 1) != tc.due || missed != tc.missed {
				t.Errorf("%d due, %d missed; want %v, %d", len(due), missed, tc.due, tc.missed)
			}
			next, _ := s.next()
			if gap := next.Sub(slot) % minute; gap != 0 || !next.After(now) || next.Sub(now) > minute {
				t.Errorf("next at %v after %v; want the next of its slots", next.Sub(slot), tc.still)
			}
		})
	}
}

// Whatever is asked when: starts of one target are at least a quarter of an interval apart, next is in the future, and starts
// and missed slots together are all slots.
func TestScheduleProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		interval := time.Duration(rapid.Int64Range(1000, 100_000).Draw(t, "intervalMs")) * time.Millisecond
		spread := time.Duration(rapid.Int64Range(0, 30_000).Draw(t, "spreadMs")) * time.Millisecond
		now := epoch.Add(time.Duration(rapid.Int64Range(0, 1e12).Draw(t, "seen")))
		var s schedule
		s.update(now, now, rapid.String().Draw(t, "agent"), []fleet.Target{every("a", interval, 1)}, spread)
		first, _ := s.next()
		if wait := first.Sub(now); wait < 0 || wait > spread || wait > interval/2 {
			t.Fatalf("first start %v after being seen", wait)
		}
		slots := int64(0)
		var last time.Time
		for range 50 {
			now = now.Add(time.Duration(rapid.Int64Range(0, int64(2*interval)).Draw(t, "step")))
			due, missed := s.due(now)
			if len(due) == 1 {
				if !last.IsZero() && now.Sub(last) < interval/4-time.Millisecond {
					t.Fatalf("two starts %v apart, interval %v", now.Sub(last), interval)
				}
				last = now
			}
			slots += int64(len(due)) + missed
			if next, _ := s.next(); !next.After(now) {
				t.Fatalf("next is %v ago", now.Sub(next))
			}
		}
		// The first slot, the one after it half to one and a half intervals later, and then one each interval.
		if passed := now.Sub(first); passed > 2*interval {
			if least := int64(passed/interval) - 1; slots < least || slots > least+3 {
				t.Fatalf("%d slots in %v of interval %v", slots, passed, interval)
			}
		}
	})
}

// Field report 56: a thousand agents that boot at once don't fire together. In the first minute no second sees more
// than twice its share of the spread that the dashboard asks for, and from then on starts are flat within 2x.
func TestThousandAgentsDontFireTogether(t *testing.T) {
	const agents = 1000
	spread := 2*time.Second + agents*20*time.Millisecond
	var first [60]int
	var later [60]int // the second of the minute, over ten minutes
	for i := range agents {
		var s schedule
		s.update(epoch, epoch, fmt.Sprintf("k6agent-%d", i), []fleet.Target{every("a", time.Minute, 1)}, spread)
		for _, at := range starts(&s, 12*time.Minute)["a"] {
			switch {
			case at < time.Minute:
				first[int(at/time.Second)]++
			case at >= 2*time.Minute:
				later[int(at/time.Second)%60]++
			}
		}
	}
	share := agents / spread.Seconds()
	for second, n := range first {
		if float64(n) > 2*share {
			t.Errorf("second %d of the first minute: %d starts; want at most twice %.0f", second, n, share)
		}
		if second < int(spread.Seconds()) && float64(n) < share/2 {
			t.Errorf("second %d of the first minute: %d starts; want at least half of %.0f", second, n, share)
		}
	}
	for decade := range 6 { // of ten seconds: each has a sixth
		n := 0
		for _, starts := range later[decade*10 : decade*10+10] {
			n += starts
		}
		if want := agents * 10 / 6; n < want/2 || n > want*2 {
			t.Errorf("seconds %d0 to %d9: %d starts in ten minutes; want about %d", decade, decade, n, want)
		}
	}
	for second, n := range later {
		if n > 2*agents*10/60 {
			t.Errorf("second %d: %d starts in ten minutes; want at most twice %d", second, n, agents*10/60)
		}
	}
}

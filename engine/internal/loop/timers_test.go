//go:build linux

package loop

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// TestTimersAsAList holds the heap against a list that is searched.
func TestTimersAsAList(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var q timers
		all := make([]vu, 20)
		due := map[*vu]time.Duration{} // those that are set
		now := time.Duration(0)
		which, when := rapid.IntRange(0, len(all)-1), rapid.IntRange(0, 40)
		t.Repeat(map[string]func(*rapid.T){
			"set": func(t *rapid.T) {
				tm, d := &all[which.Draw(t, "timer")], now+time.Duration(when.Draw(t, "due"))
				q.set(tm, d)
				due[tm] = d
			},
			"unset": func(t *rapid.T) {
				tm := &all[which.Draw(t, "timer")]
				q.set(tm, never)
				delete(due, tm)
			},
			"remove": func(t *rapid.T) {
				tm := &all[which.Draw(t, "timer")]
				q.remove(tm)
				delete(due, tm)
				require.Zero(t, tm.place)
			},
			"expire": func(t *rapid.T) {
				now += time.Duration(when.Draw(t, "passed"))
				got := map[*vu]bool{}
				for tm := q.expired(now); tm != nil; tm = q.expired(now) {
					require.LessOrEqual(t, due[tm], now)
					require.False(t, got[tm])
					got[tm] = true
				}
				for tm, d := range due {
					require.Equal(t, d <= now, got[tm])
				}
				for tm := range got {
					delete(due, tm)
				}
			},
			"": func(t *rapid.T) {
				for tm, d := range due {
					require.LessOrEqual(t, q.first(), d, "%v", tm.place)
				}
				for i, e := range q {
					require.EqualValues(t, i+1, e.place)
					require.LessOrEqual(t, e.at, e.when)
				}
			},
		})
	})
}

// A time-out that moves on with each request leaves the heap alone.
func TestTimeOutsAreLazy(t *testing.T) {
	var q timers
	var tm, other vu
	q.set(&other, 5*time.Second)
	q.set(&tm, 60*time.Second)
	before := slices.Clone(q)
	for i := range 100 {
		q.set(&tm, 60*time.Second+time.Duration(i)*time.Second)
		require.Equal(t, before, q)
	}
	require.Same(t, &other, q.expired(5*time.Second))
	require.Nil(t, q.expired(60*time.Second))
	require.Equal(t, 159*time.Second, q.first())
}

package core

import (
	"math/rand/v2"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A server that invents 500 statuses makes a shard hold a few MB, where a cell for each with all its latencies would
// take 100. Counts stay exact for each status, and no latency is lost.
func TestShardOfManyStatuses(t *testing.T) {
	heap := func() int64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	const statuses, each = 500, 100
	before := heap()
	s := NewShard(true)
	series := s.Intern(Series{Name: "x"})
	random := rand.New(rand.NewPCG(1, 2))
	for take := range 3 {
		for i := range statuses * each {
			status := 100 + i%statuses
			s.Record(series, status >= 400, answered(status, time.Duration(random.ExpFloat64()*float64(20*time.Millisecond))))
		}
		d := s.Take()
		counts := map[uint16]int64{}
		var durations, corrected, waits, failed uint64
		for c := range d.Cells() {
			if c.Requests > 0 {
				counts[c.Status] += c.Requests
			}
			durations += c.Duration.Count()
			corrected += c.Corrected.Count()
			waits += c.Phases[Waiting].Count()
			if c.Failed {
				failed += c.Duration.Count()
			}
		}
		require.Len(t, counts, statuses, "take %d", take)
		for status, n := range counts {
			require.EqualValues(t, each, n, "status %d", status)
		}
		require.EqualValues(t, statuses*each, durations)
		require.EqualValues(t, statuses*each, corrected)
		require.EqualValues(t, statuses*each, waits)
		require.EqualValues(t, 200*each, failed, "and those of failed requests are known")
	}
	require.Less(t, heap()-before, int64(10<<20))
	runtime.KeepAlive(s)
}

// In an open model the corrected duration counts from when the exchange was due; in a closed one there is none.
func TestShardCorrectsOpenModels(t *testing.T) {
	late := answered(200, 10*time.Millisecond)
	late.Due, late.Start, late.End = time.Second, 1500*time.Millisecond, 1510*time.Millisecond
	for _, tc := range []struct {
		name string
		open bool
		want []int64
	}{{"open", true, []int64{int64(510 * time.Millisecond), int64(510 * time.Millisecond)}}, {"closed", false, []int64{0, 0}}} {
		t.Run(tc.name, func(t *testing.T) {
			s := NewShard(tc.open)
			s.Record(s.Intern(Series{}), false, late)
			s.Record(s.Intern(Series{}), true, &Exchange{Code: CodeRefused, End: time.Hour})
			d := s.Take()
			c := d.order[0]
			require.EqualValues(t, 10*time.Millisecond, c.Duration.Max())
			require.Equal(t, tc.want, []int64{c.Corrected.Min(), c.Corrected.Max()})
			require.Zero(t, d.order[1].Corrected.Count(), "what doesn't count for latency doesn't here")
		})
	}
}

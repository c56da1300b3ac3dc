package core

import (
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/nollagluiz/broadside/summary/hist"
)

func answered(status int, d time.Duration) *Exchange {
	x := &Exchange{Status: status, Proto: HTTP11, Counts: true, Sent: 100, Rcvd: 200}
	x.Phases[Sending], x.Phases[Waiting], x.Phases[Receiving] = d/4, d/2, d/4
	return x
}

// sums of a Delta, whatever cells they lie in.
func sums(d *Delta) (requests int64, durations uint64) {
	for c := range d.Cells() {
		requests += c.Requests
		durations += c.Duration.Count()
	}
	return requests, durations
}

func TestShardTakesWhatWasRecorded(t *testing.T) {
	s := NewShard(false)
	series := s.Intern(Series{Scenario: "default", Name: "x", Method: "GET"})
	s.Record(series, false, answered(200, 4*time.Millisecond))
	s.Record(series, false, answered(200, 8*time.Millisecond))
	s.Record(series, true, answered(503, time.Millisecond))
	s.Iteration(time.Second)
	s.Interrupted()

	d := s.Take()
	var keys []Key
	for c := range d.Cells() {
		keys = append(keys, c.Key)
	}
	require.Equal(t, []Key{
		{Series: series, Status: 200, Proto: HTTP11},
		{Series: series, Status: 503, Proto: HTTP11, Failed: true},
	}, keys)
	ok := d.order[0]
	require.EqualValues(t, 2, ok.Requests)
	require.EqualValues(t, 12*time.Millisecond, ok.Duration.Sum())
	require.EqualValues(t, 6*time.Millisecond, ok.Phases[Waiting].Sum())
	require.Equal(t, hist.Fine, ok.Duration.Resolution())
	require.Equal(t, hist.Coarse, ok.Phases[Waiting].Resolution())
	require.EqualValues(t, 2, ok.Phases[Connecting].Count(), "a reused connection's 0 is a sample")
	require.EqualValues(t, 1, d.Iterations)
	require.EqualValues(t, 1, d.Interrupted)
	require.EqualValues(t, 300, d.Sent)
	require.EqualValues(t, 600, d.Rcvd)

	s.Record(series, false, answered(200, time.Millisecond))
	requests, _ := sums(s.Take())
	require.EqualValues(t, 1, requests, "a Take holds only what came since the one before")
	requests, _ = sums(s.Take())
	require.Zero(t, requests, "nor what the one before that held")
}

// Field reports 1 and 7: what got no answer is counted, but is no latency; a failed handshake keeps its connect time.
func TestShardKeepsLatencyOfWhatCounts(t *testing.T) {
	handshake := &Exchange{Code: CodeUnknownAuthority, Err: "unknown authority"}
	handshake.Phases[Connecting] = 20 * time.Millisecond
	timedOut := &Exchange{Code: CodeTimeout, Counts: true}
	timedOut.Phases[Waiting] = time.Second
	half := &Exchange{Code: CodeReset}
	half.Phases[Blocked], half.Phases[Sending] = time.Millisecond, time.Millisecond
	for _, tc := range []struct {
		name               string
		x                  *Exchange
		duration           uint64
		connecting, others uint64
	}{
		{"answered", answered(200, time.Millisecond), 1, 1, 1},
		{"refused", &Exchange{Code: CodeRefused}, 0, 0, 0},
		{"handshake failed", handshake, 0, 1, 0},
		{"timed out after the request was sent", timedOut, 1, 1, 1},
		{"reset while sending", half, 0, 0, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := NewShard(false)
			s.Record(s.Intern(Series{}), tc.x.Code != 0, tc.x)
			c := s.Take().order[0]
			require.EqualValues(t, 1, c.Requests)
			require.Equal(t, tc.duration, c.Duration.Count())
			require.Equal(t, tc.connecting, c.Phases[Connecting].Count())
			require.Equal(t, tc.others, c.Phases[Sending].Count())
		})
	}
}

func TestShardIsBounded(t *testing.T) {
	s := NewShard(false)
	const names = maxCells + 1000
	for i := range names {
		series := s.Intern(Series{Name: string(rune(i + 0x10000))})
		s.Record(series, false, answered(200+i%3, time.Millisecond))
	}
	d := s.Take()
	require.LessOrEqual(t, len(d.order), maxCells+3)
	require.LessOrEqual(t, len(s.series), maxCells)
	requests, _ := sums(d)
	require.EqualValues(t, names, requests, "what overflows is counted")
	statuses := map[uint16]int64{}
	for c := range d.Cells() {
		statuses[c.Status] += c.Requests
	}
	require.Equal(t, map[uint16]int64{200: 1699, 201: 1699, 202: 1698}, statuses, "and keeps its status")
}

func TestShardLosesNothingBetweenTakes(t *testing.T) {
	const writers, each = 8, 5000
	s := NewShard(false)
	series := s.Intern(Series{Name: "x"})
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for i := range each {
				s.Record(series, false, answered(200+(w+i)%2, time.Duration(i)))
				s.Iteration(time.Duration(i))
			}
		})
	}
	done := make(chan struct{})
	go func() { wg.Wait(); close(done) }()
	var requests, iterations int64
	var durations uint64
	take := func() {
		d := s.Take()
		r, n := sums(d)
		requests, durations, iterations = requests+r, durations+n, iterations+d.Iterations
	}
	for running := true; running; {
		select {
		case <-done:
			running = false
		default:
			runtime.Gosched()
		}
		take()
	}
	require.EqualValues(t, writers*each, requests)
	require.EqualValues(t, writers*each, durations)
	require.EqualValues(t, writers*each, iterations)
}

// Field report 37: a run of any length holds the same memory.
func TestShardMemoryIsFlat(t *testing.T) {
	s := NewShard(false)
	series := s.Intern(Series{Name: "x"})
	record := func(n int) {
		for i := range n {
			s.Record(series, false, answered(200, time.Duration(i%1000)*time.Millisecond))
			if i%100 == 0 {
				s.Take()
			}
		}
	}
	record(10_000)
	heap := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := heap()
	record(100_000)
	require.Less(t, int64(heap())-int64(before), int64(64<<10))
}

// In steady state neither a record nor a Take allocates.
func TestShardDoesNotAllocate(t *testing.T) {
	s := NewShard(true)
	series := s.Intern(Series{Name: "x"})
	good, bad := answered(200, time.Millisecond), answered(503, 2*time.Millisecond)
	step := func() {
		s.Record(series, false, good)
		s.Record(series, true, bad)
		s.Iteration(time.Millisecond)
		s.Take()
	}
	step()
	step()
	require.Zero(t, testing.AllocsPerRun(100, step))
}

func BenchmarkShardRecord(b *testing.B) {
	s := NewShard(false)
	series := s.Intern(Series{Name: "x"})
	x := answered(200, time.Millisecond)
	b.ReportAllocs()
	for b.Loop() {
		s.Record(series, false, x)
	}
}

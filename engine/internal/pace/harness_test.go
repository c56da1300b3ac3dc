package pace

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/nollagluiz/broadside/plan"
)

const ms = time.Millisecond

// executorOf resolves and checks the scenario, so that every test is of one that may come.
func executorOf(t require.TestingT, s plan.Scenario, share plan.Share) Executor {
	s.Request.URL = "http://a.test/"
	p := plan.Plan{Scenarios: []plan.Scenario{s}, Share: share}
	require.NoError(t, p.Validate())
	p = p.Resolved()
	e, err := New(p.Scenarios[0], p.Share)
	require.NoError(t, err)
	return e
}

// begin is an iteration that began.
type begin struct {
	at, due time.Duration
	vu      int
}

// outcome is what a run came to.
type outcome struct {
	begun   []begin
	ended   int // iterations
	cut     int
	dropped int
	peak    int           // VUs at work at once
	end     time.Duration // the last iteration's end
	over    time.Duration // the last VU's retirement
}

// counts are an outcome's numbers alone.
type counts struct {
	begun, ended, cut, dropped int
	end                        time.Duration
}

func (o outcome) counts() counts {
	return counts{len(o.begun), o.ended, o.cut, o.dropped, o.end}
}

func (o outcome) dues() []time.Duration {
	var dues []time.Duration
	for _, b := range o.begun {
		dues = append(dues, b.due)
	}
	return dues
}

// world is the host of an executor on a clock that jumps: iterations last took, and what an executor asks for comes
// late. At one instant an iteration ends before the executor is asked what is due.
type world struct {
	e    Executor
	took func(n int) time.Duration
	late time.Duration
	vus  []simulated
	now  time.Duration
	outcome
}

// simulated is a VU.
type simulated struct {
	live, wanted, parked bool
	until                time.Duration // of the iteration under way
}

func always(d time.Duration) func(int) time.Duration { return func(int) time.Duration { return d } }

// drive runs e to its end.
func drive(t require.TestingT, e Executor, took func(n int) time.Duration, late time.Duration) outcome {
	w := &world{e: e, took: took, late: late, vus: make([]simulated, e.MaxVUs())}
	for {
		var o Orders
		next := e.Tick(w.now, &o)
		w.obey(t, &o)
		require.LessOrEqual(t, e.VUs(), e.MaxVUs())
		live, working, earliest := w.look()
		w.peak = max(w.peak, working)
		if o.Over && live == 0 {
			w.over = w.now
			return w.outcome
		}
		if next > w.now {
			next += w.late
		} else {
			require.True(t, o.Over, "asked again at once at %v", w.now)
			require.NotZero(t, working, "nothing is to come at %v", w.now)
			next = earliest
		}
		for working > 0 && earliest < next {
			w.finish(t, earliest)
			if live, working, earliest = w.look(); live == 0 {
				next = w.now // as a host asks when its last VU has retired
			}
		}
		w.now = next
		if working > 0 && earliest == next {
			w.finish(t, earliest)
		}
	}
}

func (w *world) look() (live, working int, earliest time.Duration) {
	for _, v := range w.vus {
		if !v.live {
			continue
		}
		live++
		if v.parked {
			continue
		}
		if working == 0 || v.until < earliest {
			earliest = v.until
		}
		working++
	}
	return live, working, earliest
}

// finish ends the iterations that end at now.
func (w *world) finish(t require.TestingT, now time.Duration) {
	w.now = now
	for n := range w.vus {
		if v := &w.vus[n]; v.live && !v.parked && v.until == now {
			w.ended++
			w.end = now
			w.free(t, n)
		}
	}
}

func (w *world) free(t require.TestingT, n int) {
	v := &w.vus[n]
	v.parked = false
	if !v.wanted {
		v.live = false
		return
	}
	switch verdict, due := w.e.Free(w.now, n); verdict {
	case Go:
		require.LessOrEqual(t, due, w.now)
		v.until = w.now + w.took(len(w.begun))
		w.begun = append(w.begun, begin{w.now, due, n})
	case Park:
		v.parked = true
	case Retire:
		v.live, v.wanted = false, false
	}
}

func (w *world) obey(t require.TestingT, o *Orders) {
	w.dropped += o.Dropped
	for _, n := range o.Start {
		v := &w.vus[n]
		v.wanted = true
		if !v.live || v.parked {
			v.live = true
			w.free(t, n)
		}
	}
	for _, n := range o.Drain {
		v := &w.vus[n]
		v.wanted = false
		if v.parked {
			w.free(t, n)
		}
	}
	for _, n := range o.Kill {
		v := &w.vus[n]
		v.wanted = false
		if v.live && !v.parked {
			w.cut++
			w.end = w.now
		}
		v.live, v.parked = false, false
	}
}

// tick is what an executor is to answer at a time.
type tick struct {
	name string
	now  time.Duration
	want Orders
	next time.Duration
}

func checkTicks(t *testing.T, e Executor, ticks []tick) {
	t.Helper()
	for _, tc := range ticks {
		var o Orders
		next := e.Tick(tc.now, &o)
		require.Equal(t, tc.want, o, tc.name)
		require.Equal(t, tc.next, next, tc.name)
	}
}

package pace

import (
	"math/big"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/nollagluiz/broadside/plan"
)

// duesOf is when the iterations of a share are due.
func duesOf(t require.TestingT, s plan.Scenario, share plan.Share) []time.Duration {
	if s.PreAllocatedVUs == 0 {
		s.PreAllocatedVUs = 1000
	}
	o := drive(t, executorOf(t, s, share), always(ms), 0)
	require.Zero(t, o.dropped)
	return o.dues()
}

func constantRate(rate int, duration time.Duration) plan.Scenario {
	return plan.Scenario{Executor: plan.ConstantArrivalRate, Rate: rate, Duration: duration}
}

func rampingRate(start int, stages []plan.Stage) plan.Scenario {
	return plan.Scenario{Executor: plan.RampingArrivalRate, StartRate: start, Stages: stages}
}

// Iteration n is due at n*timeUnit/rate. k6 v2.2 gave 21 at 10/s in 2 s and 6 at 5/s in 1 s: there the one that is due
// when the duration ends races with the end. Here it belongs to the next second, which the run has not.
func TestConstantArrivalRateTimes(t *testing.T) {
	for _, tc := range []struct {
		name  string
		s     plan.Scenario
		unit  time.Duration
		share plan.Share
		count int
		first []time.Duration
		last  time.Duration
	}{
		{"10/s for 2 s", constantRate(10, 2*time.Second), 0, plan.Share{}, 20, []time.Duration{0, 100 * ms, 200 * ms}, 1900 * ms},
		{"5/s for 1 s", constantRate(5, time.Second), 0, plan.Share{}, 5, []time.Duration{0, 200 * ms}, 800 * ms},
		{"a period that is no whole nanosecond gives no iteration more", constantRate(3, time.Second), 0, plan.Share{}, 3, []time.Duration{0, 333333333, 666666666}, 666666666},
		{"and does not drift", constantRate(3, 100*time.Second), 0, plan.Share{}, 300, []time.Duration{0, 333333333, 666666666, time.Second}, 99666666666},
		{"each 10 s for 15 s", constantRate(1, 15*time.Second), 10 * time.Second, plan.Share{}, 2, []time.Duration{0, 10 * time.Second}, 10 * time.Second},
		{"7 a minute for 1 s", constantRate(7, time.Second), time.Minute, plan.Share{}, 1, []time.Duration{0}, 0},
		{"the second of 3 parts", constantRate(10, 2*time.Second), 0, plan.Share{I: 1, N: 3}, 7, []time.Duration{100 * ms, 400 * ms}, 1900 * ms},
		{"from its start time", func() plan.Scenario {
			s := constantRate(10, time.Second)
			s.StartTime = time.Hour
			return s
		}(), 0, plan.Share{}, 10, []time.Duration{time.Hour, time.Hour + 100*ms}, time.Hour + 900*ms},
	} {
		t.Run(tc.name, func(t *testing.T) {
			tc.s.TimeUnit = tc.unit
			dues := duesOf(t, tc.s, tc.share)
			require.Len(t, dues, tc.count)
			require.Equal(t, tc.first, dues[:len(tc.first)])
			require.Equal(t, tc.last, dues[len(dues)-1])
		})
	}
}

// A day at the highest rate passes what 64 bits count in between.
func TestConstantArrivalRateAtItsBounds(t *testing.T) {
	day := plan.MaxDuration
	s := &steady{step: 1, rate: uint64(plan.MaxRate) * uint64(day/time.Second), unit: uint64(day), length: day}
	s.n = s.rate - 1
	due, ok := s.following()
	require.True(t, ok)
	require.Equal(t, day-time.Microsecond, due)
	_, ok = s.following()
	require.False(t, ok)
	s = &steady{n: 1 << 40, step: 1, rate: 1, unit: uint64(day), length: day}
	_, ok = s.following()
	require.False(t, ok, "a time that 64 bits don't hold is after the end")
}

// Iteration i begins when the integral of the rate reaches i; the measured ones are of k6 v2.2.
func TestRampingArrivalRateTimes(t *testing.T) {
	for _, tc := range []struct {
		name  string
		s     plan.Scenario
		unit  time.Duration
		share plan.Share
		count int
		first []time.Duration
		last  time.Duration
	}{
		{"2 to 6/s in 2 s: the first at 0.414 s (measured), the last at the end", rampingRate(2, stages(t, "2000ms:6")), 0, plan.Share{},
			8, []time.Duration{414213562, 732050808, time.Second}, 2 * time.Second},
		{"0 to 20/s in 2 s, then 20/s for 1 s: 40 (measured)", rampingRate(0, stages(t, "2000ms:20", "1000ms:20")), 0, plan.Share{},
			40, []time.Duration{447213595, 632455532}, 3 * time.Second},
		{"down to nothing", rampingRate(10, stages(t, "2000ms:0")), 0, plan.Share{},
			10, []time.Duration{102633404, 211145618}, 2 * time.Second},
		{"a constant rate: the first is not at 0", rampingRate(10, stages(t, "1000ms:10")), 0, plan.Share{},
			10, []time.Duration{100 * ms, 200 * ms}, time.Second},
		{"a jump", rampingRate(0, stages(t, "1000ms:0", "0ms:10", "1000ms:10", "0ms:0", "5000ms:0")), 0, plan.Share{},
			10, []time.Duration{1100 * ms, 1200 * ms}, 2 * time.Second},
		{"what a stage leaves of an iteration, the next one takes on", rampingRate(1, stages(t, "600ms:1", "600ms:1", "600ms:1", "600ms:1")), 0, plan.Share{},
			2, []time.Duration{time.Second, 2 * time.Second}, 2 * time.Second},
		{"thirds add up to a whole", rampingRate(1, stages(t, "1000ms:1", "1000ms:1", "1000ms:1")), 3 * time.Second, plan.Share{},
			1, []time.Duration{3 * time.Second}, 3 * time.Second},
		{"less than one", rampingRate(0, stages(t, "1000ms:1")), 0, plan.Share{}, 0, nil, 0},
		{"the last of 3 parts", rampingRate(10, stages(t, "1000ms:10")), 0, plan.Share{I: 2, N: 3},
			3, []time.Duration{300 * ms, 600 * ms}, 900 * ms},
	} {
		t.Run(tc.name, func(t *testing.T) {
			tc.s.TimeUnit = tc.unit
			dues := duesOf(t, tc.s, tc.share)
			require.Len(t, dues, tc.count)
			if tc.count > 0 {
				require.Equal(t, tc.first, dues[:len(tc.first)])
				require.Equal(t, tc.last, dues[len(dues)-1])
			}
		})
	}
}

// Rounding puts no iteration after the end of its stage.
func TestRampEndsInTime(t *testing.T) {
	r := ramp{duration: time.Second, from: 10, to: 0}
	area := 10 * float64(time.Second) / 2
	for _, more := range []float64{0, 1, 1e6, area} {
		require.Equal(t, time.Second, r.after(area+more))
	}
}

// drawArrivals gives one of the two executors with odd rates.
func drawArrivals(t *rapid.T) plan.Scenario {
	s := plan.Scenario{
		Executor:        rapid.SampledFrom([]string{plan.ConstantArrivalRate, plan.RampingArrivalRate}).Draw(t, "executor"),
		TimeUnit:        time.Duration(rapid.Int64Range(int64(100*ms), int64(2*time.Second)).Draw(t, "timeUnit")),
		PreAllocatedVUs: rapid.IntRange(1, 10).Draw(t, "preAllocatedVUs"),
		GracefulStop:    time.Duration(rapid.IntRange(1, 500).Draw(t, "gracefulStop")) * ms,
	}
	s.MaxVUs = s.PreAllocatedVUs + rapid.IntRange(0, 10).Draw(t, "more")
	if s.Executor == plan.ConstantArrivalRate {
		s.Rate = rapid.IntRange(1, 60).Draw(t, "rate")
		s.Duration = time.Duration(rapid.Int64Range(int64(time.Second), int64(3*time.Second)).Draw(t, "duration"))
		return s
	}
	s.StartRate = rapid.IntRange(0, 60).Draw(t, "startRate")
	for range rapid.IntRange(1, 4).Draw(t, "stages") {
		s.Stages = append(s.Stages, plan.Stage{
			Duration: time.Duration(rapid.Int64Range(0, int64(2*time.Second)).Draw(t, "duration")),
			Target:   rapid.IntRange(0, 60).Draw(t, "target"),
		})
	}
	return s
}

// reach is the integral of the rate up to a time, in iterations.
func reach(s plan.Scenario, at time.Duration) *big.Rat {
	ratio := func(a, b time.Duration) *big.Rat { return big.NewRat(int64(a), int64(b)) }
	sum := new(big.Rat)
	if s.Executor == plan.ConstantArrivalRate {
		return sum.Mul(big.NewRat(int64(s.Rate), 1), ratio(at, s.TimeUnit))
	}
	from := s.StartRate
	for _, stage := range s.Stages {
		x := min(at, stage.Duration)
		if stage.Duration > 0 {
			// from + half of what it has changed by x, times x
			rate := new(big.Rat).Mul(big.NewRat(int64(stage.Target-from), 2), ratio(x, stage.Duration))
			rate.Add(rate, big.NewRat(int64(from), 1))
			sum.Add(sum, rate.Mul(rate, ratio(x, s.TimeUnit)))
		}
		from, at = stage.Target, at-x
	}
	return sum
}

// The parts have together the iterations of the whole, in time order; each is due when exact arithmetic says, to the
// nanosecond; and there are as many as the integral holds.
func TestArrivalTimesProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := drawArrivals(t)
		s.PreAllocatedVUs, s.MaxVUs = 500, 500
		whole := duesOf(t, s, plan.Share{})
		require.True(t, slices.IsSorted(whole))
		constant := s.Executor == plan.ConstantArrivalRate
		for n, due := range whole {
			i := int64(n)
			if !constant {
				i++
			}
			exact := big.NewRat(i, 1)
			require.LessOrEqual(t, reach(s, max(due-2, 0)).Cmp(exact), 0, "iteration %d at %v is late", i, due)
			require.GreaterOrEqual(t, reach(s, due+2).Cmp(exact), 0, "iteration %d at %v is early", i, due)
		}
		sum := reach(s, s.Length())
		count := new(big.Int).Div(sum.Num(), sum.Denom()).Int64()
		if constant && !sum.IsInt() {
			count++
		}
		require.EqualValues(t, count, len(whole))

		n := rapid.IntRange(1, 5).Draw(t, "shares")
		parts := make([][]time.Duration, n)
		for i := range n {
			parts[i] = duesOf(t, s, plan.Share{I: i, N: n})
		}
		for i, due := range whole {
			require.Equal(t, due, parts[i%n][i/n], "iteration %d", i)
		}
		require.Equal(t, len(whole), len(slices.Concat(parts...)))
	})
}

// Whatever iterations last and however late the host asks: what was due has begun or was dropped, over all parts, even
// where there are fewer VUs than parts.
func TestArrivalsAreConserved(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := drawArrivals(t)
		s.StartTime = time.Duration(rapid.IntRange(0, 1).Draw(t, "startTime")) * time.Minute
		late := time.Duration(rapid.IntRange(0, 300).Draw(t, "late")) * ms
		times := rapid.SliceOfN(rapid.IntRange(1, 900), 1, 9).Draw(t, "times")
		n := rapid.IntRange(1, 8).Draw(t, "shares")
		var begun, dropped int
		for i := range n {
			share := plan.Share{I: i, N: n}
			o := drive(t, executorOf(t, s, share), func(n int) time.Duration { return time.Duration(times[n%len(times)]) * ms }, late)
			begun, dropped = begun+len(o.begun), dropped+o.dropped
			require.Equal(t, len(o.begun), o.ended+o.cut)
			require.LessOrEqual(t, o.peak, share.Of(s.MaxVUs))
			require.LessOrEqual(t, o.end, s.StartTime+s.Length()+s.GracefulStop+late)
		}
		unlimited := s
		unlimited.PreAllocatedVUs, unlimited.MaxVUs = 500, 500
		require.Equal(t, len(duesOf(t, unlimited, plan.Share{})), begun+dropped)
	})
}

func TestArrivalsWithoutVUs(t *testing.T) {
	for _, tc := range []struct {
		name                           string
		rate, preAllocated, max        int
		duration, took, graceful, late time.Duration
		want                           counts
		vus                            int
	}{
		// Measured of k6 v2.2, whose iterations last a little more than the 200 ms of the server.
		{"2 VUs, up to 5, at 50/s: 46 and 54 dropped", 50, 2, 5, 2 * time.Second, 200*ms + 1, 0, 0, counts{46, 46, 0, 54, 2180*ms + 1}, 5},
		{"one VU that is always free", 10, 1, 1, time.Second, 100 * ms, 0, 0, counts{10, 10, 0, 0, time.Second}, 1},
		{"one VU that is free each other time", 10, 1, 1, time.Second, 101 * ms, 0, 0, counts{5, 5, 0, 5, 901 * ms}, 1},
		{"none there: the first is dropped, and makes one", 10, -1, 3, time.Second, 50 * ms, 0, 0, counts{9, 9, 0, 1, 950 * ms}, 1},
		{"more than one in the time of an iteration", 10, -1, 3, time.Second, 150 * ms, 0, 0, counts{8, 8, 0, 2, 1050 * ms}, 2},
		{"a late host begins all that is due at once", 10, 10, 10, time.Second, 10 * ms, 0, 450 * ms, counts{10, 10, 0, 0, 1060 * ms}, 10},
		{"a late host makes VUs as a punctual one", 10, 1, 10, time.Second, 2 * time.Second, 0, 450 * ms, counts{5, 5, 0, 5, 3050 * ms}, 6},
		{"those under way at the end are cut after the grace", 10, 5, 5, time.Second, time.Minute, 500 * ms, 0, counts{5, 0, 5, 5, 1500 * ms}, 5},
		{"or at once", 10, 5, 5, time.Second, time.Minute, -1, 0, counts{5, 0, 5, 5, time.Second}, 5},
	} {
		t.Run(tc.name, func(t *testing.T) {
			e := executorOf(t, plan.Scenario{
				Executor: plan.ConstantArrivalRate, Rate: tc.rate, PreAllocatedVUs: tc.preAllocated, MaxVUs: tc.max, Duration: tc.duration, GracefulStop: tc.graceful,
			}, plan.Share{})
			require.Equal(t, max(tc.preAllocated, 0), e.VUs())
			require.Equal(t, tc.max, e.MaxVUs())
			got := drive(t, e, always(tc.took), tc.late)
			require.Equal(t, tc.want, got.counts())
			require.Equal(t, tc.vus, e.VUs())
		})
	}
}

func TestArrivalsOrders(t *testing.T) {
	e := executorOf(t, plan.Scenario{
		Executor: plan.ConstantArrivalRate, Rate: 10, PreAllocatedVUs: 2, Duration: time.Second, GracefulStop: time.Second,
	}, plan.Share{})
	checkTicks(t, e, []tick{
		{"the first", 0, Orders{Start: []int{0}}, 100 * ms},
		{"asked too soon", 50 * ms, Orders{}, 100 * ms},
		{"late: two at once, for one VU", 250 * ms, Orders{Start: []int{1}, Dropped: 1}, 300 * ms},
	})
	free := func(now time.Duration, vu int, want Verdict, wantDue time.Duration) {
		t.Helper()
		v, due := e.Free(now, vu)
		require.Equal(t, want, v)
		if want == Go {
			require.Equal(t, wantDue, due)
		}
	}
	free(260*ms, 1, Go, 100*ms)
	free(260*ms, 0, Go, 0)
	free(270*ms, 0, Park, 0)
	free(301*ms, 1, Go, 300*ms) // the host is late: the VU takes what is due itself
	checkTicks(t, e, []tick{{"which is then not given twice", 302 * ms, Orders{}, 400 * ms}})
	checkTicks(t, e, []tick{{"the VU that has parked", 400 * ms, Orders{Start: []int{0}}, 500 * ms}})
	free(400*ms, 0, Go, 400*ms)
	checkTicks(t, e, []tick{{"none is free", 950 * ms, Orders{Dropped: 5}, time.Second}})
	free(960*ms, 0, Park, 0)
	checkTicks(t, e, []tick{
		{"the end: who is parked retires", time.Second, Orders{Drain: []int{0}, Over: true}, 2 * time.Second},
	})
	free(1100*ms, 1, Retire, 0)
	checkTicks(t, e, []tick{
		{"the cut", 2 * time.Second, Orders{Kill: []int{0, 1}, Over: true}, 2 * time.Second},
		{"after it", 3 * time.Second, Orders{Over: true}, 3 * time.Second},
	})
}

// What was given to a VU that is cut before it began is dropped: nothing that was due is lost.
func TestArrivalsCutBeforeTheyBegan(t *testing.T) {
	e := executorOf(t, plan.Scenario{
		Executor: plan.ConstantArrivalRate, Rate: 10, PreAllocatedVUs: 2, Duration: time.Second, GracefulStop: -1,
	}, plan.Share{})
	checkTicks(t, e, []tick{{"the first", 0, Orders{Start: []int{0}}, 100 * ms}})
	v, _ := e.Free(5*time.Second, 1)
	require.Equal(t, Retire, v, "it takes nothing that is due when all is cut")
	checkTicks(t, e, []tick{
		{"the cut, late", 5 * time.Second, Orders{Kill: []int{0, 1}, Drain: []int{1}, Dropped: 10, Over: true}, 5 * time.Second},
	})
}

// Each VU gets its turn, so that all have a connection.
func TestFreeVUsTakeTurns(t *testing.T) {
	s := constantRate(10, time.Second)
	s.PreAllocatedVUs = 3
	var vus []int
	for _, b := range drive(t, executorOf(t, s, plan.Share{}), always(10*ms), 0).begun {
		vus = append(vus, b.vu)
	}
	require.Equal(t, []int{0, 1, 2, 0, 1, 2, 0, 1, 2, 0}, vus)
}

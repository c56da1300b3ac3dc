package pace

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/nollagluiz/broadside/plan"
)

const ms = time.Millisecond

func constant(t *testing.T, vus int, duration, graceful time.Duration, share plan.Share) Executor {
	t.Helper()
	e, err := New(plan.Scenario{Executor: plan.ConstantVUs, VUs: vus, Duration: duration, GracefulStop: graceful}, share)
	require.NoError(t, err)
	return e
}

// drive runs an executor against VUs whose iterations all last took, without a clock, and counts.
func drive(e Executor, took time.Duration) (ended, cut int, end time.Duration) {
	const retired = -1
	busyUntil := make([]time.Duration, e.MaxVUs())
	for i := range busyUntil {
		busyUntil[i] = retired
	}
	free := func(now time.Duration, vu int) {
		busyUntil[vu] = retired
		if v, _ := e.Free(now, vu); v == Go {
			busyUntil[vu] = now + took
		}
	}
	now := time.Duration(0)
	for {
		var o Orders
		next := e.Tick(now, &o)
		for _, vu := range o.Start {
			free(now, vu)
		}
		for _, vu := range o.Kill {
			if busyUntil[vu] > now {
				cut++
				end = now
				busyUntil[vu] = retired
			}
		}
		wake := next
		working := false
		for _, until := range busyUntil {
			if until >= 0 {
				working = true
				if until < wake || wake <= now {
					wake = until
				}
			}
		}
		if o.Over && !working {
			return ended, cut, end
		}
		now = wake
		for vu, until := range busyUntil {
			if until == now {
				ended++
				end = now
				free(now, vu)
			}
		}
	}
}

// The rules of k6's constant-vus (v2.2): all VUs begin at 0, no iteration begins at or after the duration, those under
// way may end for gracefulStop and are cut then.
func TestConstantVUs(t *testing.T) {
	whole := plan.Share{N: 1}
	for _, tc := range []struct {
		name               string
		vus                int
		duration, graceful time.Duration
		share              plan.Share
		took               time.Duration
		ended, cut         int
		end                time.Duration
	}{
		{"10 VUs x 210 ms for 1 s", 10, time.Second, 30 * time.Second, whole, 210 * ms, 50, 0, 1050 * ms},
		{"an iteration that ends at the duration is the last", 1, time.Second, time.Second, whole, 250 * ms, 4, 0, time.Second},
		{"one that outlasts the grace is cut", 3, time.Second, 500 * ms, whole, 2 * time.Second, 0, 3, 1500 * ms},
		{"one that ends with the grace is whole", 2, time.Second, 500 * ms, whole, 1500 * ms, 2, 0, 1500 * ms},
		{"no grace cuts at the duration", 4, time.Second, -1, whole, 300 * ms, 12, 4, time.Second},
		{"a third of 10 VUs, the first part", 10, time.Second, -1, plan.Share{I: 0, N: 3}, 500 * ms, 8, 0, time.Second},
		{"a third of 10 VUs, the last part", 10, time.Second, -1, plan.Share{I: 2, N: 3}, 500 * ms, 6, 0, time.Second},
		{"a share without VUs is over at once", 2, time.Hour, -1, plan.Share{I: 2, N: 3}, ms, 0, 0, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			ended, cut, end := drive(constant(t, tc.vus, tc.duration, tc.graceful, tc.share), tc.took)
			require.Equal(t, tc.ended, ended)
			require.Equal(t, tc.cut, cut)
			require.Equal(t, tc.end, end)
		})
	}
}

func TestConstantVUsOrders(t *testing.T) {
	e := constant(t, 2, time.Second, time.Second, plan.Share{})
	tick := func(now time.Duration) (Orders, time.Duration) {
		var o Orders
		next := e.Tick(now, &o)
		return o, next
	}
	for _, tc := range []struct {
		name string
		now  time.Duration
		want Orders
		next time.Duration
	}{
		{"start", 3 * ms, Orders{Start: []int{0, 1}}, time.Second},
		{"asked too soon", 400 * ms, Orders{}, time.Second},
		{"duration", 1001 * ms, Orders{Drain: []int{0, 1}, Over: true}, 2 * time.Second},
		{"asked again", 1500 * ms, Orders{Over: true}, 2 * time.Second},
		{"hard stop", 2 * time.Second, Orders{Kill: []int{0, 1}, Over: true}, 2 * time.Second},
		{"after it", 3 * time.Second, Orders{Over: true}, 3 * time.Second},
	} {
		got, next := tick(tc.now)
		require.Equal(t, tc.want, got, tc.name)
		require.Equal(t, tc.next, next, tc.name)
	}
}

func TestShareLosesNoVU(t *testing.T) {
	for vus := range 40 {
		for n := 1; n <= 7; n++ {
			sum := 0
			for i := range n {
				sum += constant(t, vus, time.Second, 0, plan.Share{I: i, N: n}).MaxVUs()
			}
			require.Equal(t, vus, sum)
		}
	}
}

func TestNewRefusesAnUnknownExecutor(t *testing.T) {
	_, err := New(plan.Scenario{Executor: "externally-controlled"}, plan.Share{})
	require.ErrorContains(t, err, "externally-controlled")
}

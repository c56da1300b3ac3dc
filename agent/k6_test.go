package agent

import (
	"context"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/nollagluiz/broadside/fleet"
	"github.com/nollagluiz/broadside/plan"
	"github.com/nollagluiz/broadside/summary"
)

func k6Summary(t *testing.T, file string) *summary.K6 {
	t.Helper()
	text, err := os.ReadFile("../testdata/k6-2.2.0/" + file)
	if err != nil {
		t.Fatal(err)
	}
	k, err := summary.ReadK6(text)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// k6's numbers go to the wire as they are: no histogram, no series, null where k6 has nothing.
func TestK6Result(t *testing.T) {
	ms := func(v float64) *float64 { return &v }
	target := site("a")
	target.VUs = 7
	for _, tc := range []struct {
		file string
		want fleet.Metrics
	}{
		{"plain.flat-p99.json", fleet.Metrics{
			P50: ms(0.163715), P95: ms(0.49833500000000003), P99: ms(1.260750120000011), Avg: ms(0.22580054352539597), ErrorRate: ms(0),
			RPS: 10837.317350650817, DataReceivedBytes: 3381612, Iterations: 21677, Requests: 21677,
			DataSentBytes: 1539067, Min: ms(0.040265), Max: ms(7.531045), VUsMax: 3, DurationS: 2.000218255}},
		{"refused.flat-p99.json", fleet.Metrics{
			ErrorRate: ms(1), RPS: 1168.6751127596183, Iterations: 5, Requests: 5, Failures: 5, VUsMax: 7, DurationS: 0.004278349}},
		{"empty.flat-default.json", fleet.Metrics{Iterations: 3, VUsMax: 7, DurationS: 0.001180825}},
	} {
		t.Run(tc.file, func(t *testing.T) {
			end := newRunEnd(testRun(target), time.Second, summary.Outcome{K6: k6Summary(t, tc.file), Verdict: summary.OK, Message: "fine"})
			if end.Engine != fleet.EngineK6 || end.Trends != nil || end.Series != nil || end.Statuses != nil {
				t.Errorf("engine %q, trends %v, series %v, statuses %v; want k6 and nothing", end.Engine, end.Trends, end.Series, end.Statuses)
			}
			if diff := cmp.Diff(tc.want, *end.Metrics); diff != "" {
				t.Errorf("metrics (-want +got):\n%s", diff)
			}
		})
	}
}

// A heartbeat tells of the external k6, and of none where none is used.
func TestHeartbeatTellsOfK6(t *testing.T) {
	var state atomic.Pointer[fleet.K6]
	inWorld(t, func(_ *dashboard, c *Config) { c.K6 = state.Load }, func(w *world) {
		last := func() *fleet.K6 {
			w.sleep(time.Minute)
			w.d.mu.Lock()
			defer w.d.mu.Unlock()
			return w.d.heartbeats[len(w.d.heartbeats)-1].K6
		}
		if got := last(); got != nil {
			t.Errorf("got %+v; want none", got)
		}
		hangs := &fleet.K6{Path: "/opt/k6", Error: "it hangs"}
		state.Store(hangs)
		if diff := cmp.Diff(hangs, last()); diff != "" {
			t.Errorf("k6 (-want +got):\n%s", diff)
		}
	})
}

// Plans with a script go to the one Runner, all others to the other.
func TestByScript(t *testing.T) {
	named := func(name string) Runner {
		return func(context.Context, plan.Plan, func(summary.Snapshot)) (summary.Outcome, error) {
			return summary.Outcome{Message: name}, nil
		}
	}
	run := ByScript(named("scripts"), named("others"))
	for script, want := range map[string]string{"": "others", "export default function () {}": "scripts"} {
		if out, _ := run(t.Context(), plan.Plan{Script: script}, nil); out.Message != want {
			t.Errorf("script %q went to the Runner of %s; want %s", script, out.Message, want)
		}
	}
}

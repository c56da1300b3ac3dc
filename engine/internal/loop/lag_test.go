//go:build linux

package loop

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/nollagluiz/broadside/engine/internal/core"
	"github.com/nollagluiz/broadside/plan"
)

// What a loop is late by shows: here each exchange holds it up for a millisecond.
func TestLag(t *testing.T) {
	srv := server(t, false, hello)
	for _, tc := range []struct {
		name     string
		scenario plan.Scenario
		starts   int64
	}{
		{"closed", plan.Scenario{Executor: plan.PerVUIterations, VUs: 20, Iterations: 10}, 200},
		{"open", plan.Scenario{Executor: plan.ConstantArrivalRate, Rate: 400, PreAllocatedVUs: 200, Duration: 500 * ms}, 200},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := tc.scenario
			s.Request.URL = srv.URL
			c := prepare(t, s)
			flow := c.flow
			c.flow = func(vu int) core.Flow {
				return recorder{flow(vu).(recorder).Flow, vu, func(int, core.Exchange) {
					for end := time.Now().Add(3 * ms); time.Now().Before(end); {
					}
				}}
			}
			h := c.host(newLoops(t), newDialer(t), time.Now())
			require.NoError(t, h.Run(t.Context()))
			lag := h.Lag()
			require.Equal(t, tc.starts, lag.Starts)
			require.GreaterOrEqual(t, lag.Events, tc.starts)
			require.Greater(t, lag.Late, time.Duration(tc.starts)*ms)
		})
	}
}

//go:build linux && !race

package loop

import (
	"context"
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/nollagluiz/broadside/engine/internal/core"
	"github.com/nollagluiz/broadside/engine/internal/pace"
	"github.com/nollagluiz/broadside/engine/internal/std"
	"github.com/nollagluiz/broadside/plan"
)

// Requests in steady state allocate nothing in clear, and once over TLS, in crypto/tls. The race detector allocates for
// itself.
func TestAllocations(t *testing.T) {
	both(t, func(t *testing.T, secure bool) {
		s := plan.Plan{Scenarios: []plan.Scenario{{VUs: 10, Duration: time.Hour, Request: plan.Request{URL: process(t, secure), InsecureSkipVerify: true}}}}.Resolved().Scenarios[0]
		executor, err := pace.New(s, plan.Share{})
		require.NoError(t, err)
		template, err := core.NewTemplate(s, "test")
		require.NoError(t, err)
		shard, d, start := core.NewShard(false), newDialer(t), time.Now()
		h := newLoops(t).Host(Config{Start: start, Executor: executor, Flow: func(int) core.Flow { return template.Flow(shard) }, Dialer: d,
			Other: func() Other { return std.New(start, d, 10) }})
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- h.Run(ctx) }()
		windows(t, func() (bool, string) {
			<-time.After(200 * ms)
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			shard.Take()
			<-time.After(300 * ms)
			delta := shard.Take()
			runtime.ReadMemStats(&after)
			requests := int64(0)
			for c := range delta.Cells() {
				requests += c.Requests
			}
			each := float64(after.Mallocs-before.Mallocs) / float64(requests)
			most := 0.02
			if secure {
				most = 1.05
			}
			return requests > 100 && each <= most, fmt.Sprint(each, " allocations for each of ", requests)
		})
		cancel()
		require.ErrorIs(t, <-done, context.Canceled)
	})
}

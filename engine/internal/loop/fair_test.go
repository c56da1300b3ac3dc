//go:build linux

package loop

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/nollagluiz/broadside/engine/internal/dial"
	"github.com/nollagluiz/broadside/plan"
)

// processors runs a test with one P, which loops share with everything else, and with two.
func processors(t *testing.T, f func(t *testing.T)) {
	for _, n := range []int{1, 2} {
		t.Run(fmt.Sprintf("GOMAXPROCS=%d", n), func(t *testing.T) {
			defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(n))
			f(t)
		})
	}
}

// windows calls f up to six times, until it is content: what a busy machine delays now and then is not ours.
func windows(t *testing.T, f func() (ok bool, got string)) {
	t.Helper()
	var all []string
	for range 6 {
		ok, got := f()
		if ok {
			return
		}
		all = append(all, got)
	}
	t.Fatalf("in none of the windows: %q", all)
}

// A saturated loop lets others have its P: a ticker of 1 ms ticks.
func TestTickerBesideSaturatedLoops(t *testing.T) {
	url := process(t, false)
	processors(t, func(t *testing.T) {
		loops := newLoops(t)
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		for range loops.Len() {
			wg.Go(func() {
				onLoops(loops)(ctx, t, plan.Scenario{VUs: 100, Duration: time.Hour, Request: plan.Request{URL: url}})
			})
		}
		defer wg.Wait()
		defer cancel()
		ticker := time.NewTicker(ms)
		defer ticker.Stop()
		windows(t, func() (bool, string) {
			var gaps []time.Duration
			last := time.Now()
			for range 200 {
				<-ticker.C
				now := time.Now()
				gaps = append(gaps, now.Sub(last))
				last = now
			}
			slices.Sort(gaps)
			p90 := gaps[len(gaps)*9/10]
			return p90 < 4*ms, p90.String()
		})
	})
}

// An idle loop, too: what it waits for holds no P.
func TestTickerBesideIdleLoops(t *testing.T) {
	url := process(t, false)
	processors(t, func(t *testing.T) {
		loops := newLoops(t)
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() {
			onLoops(loops)(ctx, t, plan.Scenario{VUs: 1, Duration: time.Hour, Pause: 7 * ms, Request: plan.Request{URL: url}})
		})
		defer wg.Wait()
		defer cancel()
		windows(t, func() (bool, string) {
			var late []time.Duration
			for range 100 {
				due := time.Now().Add(2 * ms)
				<-time.After(2 * ms)
				late = append(late, time.Since(due))
			}
			slices.Sort(late)
			p90 := late[len(late)*9/10]
			return p90 < 3*ms, p90.String()
		})
	})
}

// No VU is forgotten, with one P and with two: an event that got lost would show as an exchange that waits for its
// time-out.
func TestNoVUIsForgotten(t *testing.T) {
	both(t, func(t *testing.T, secure bool) {
		url := process(t, secure)
		processors(t, func(t *testing.T) {
			s := plan.Scenario{Executor: plan.PerVUIterations, VUs: 100, Iterations: 100, Request: plan.Request{URL: url, Timeout: 30 * time.Second}}
			got := overLoop(t.Context(), t, s)
			require.NoError(t, got.err)
			require.EqualValues(t, 100*100, got.Iterations)
			for _, x := range got.exchanges {
				require.Zero(t, x.Code, x.Err)
				require.Less(t, x.End-x.Start, 15*time.Second)
			}
		})
	})
}

// Endless bodies come in turn with small ones: however slow the machine, few of their bytes come for each small response.
func TestLargeBodiesHoldNobodyUp(t *testing.T) {
	const endless, small, most = 8, 100, 20 << 20
	url := process(t, false)
	loops := newLoops(t)
	windows(t, func() (bool, string) {
		ctx, cancel := context.WithCancel(t.Context())
		large := make(chan result, 1)
		go func() {
			large <- onLoops(loops)(ctx, t, plan.Scenario{VUs: endless, Duration: time.Hour, Request: plan.Request{URL: url + "/endless", Timeout: time.Hour}})
		}()
		got := onLoops(loops)(t.Context(), t, plan.Scenario{Executor: plan.PerVUIterations, VUs: 2, Iterations: small / 2, Request: plan.Request{URL: url}})
		cancel()
		require.EqualValues(t, small, got.requests)
		require.Zero(t, got.failed)
		each := (<-large).Rcvd / small
		return each < most && each > 10_000, fmt.Sprint(each, " bytes for each small response")
	})
}

// Runs leave nothing behind: no goroutine, no descriptor.
func TestThousandRuns(t *testing.T) {
	plain, secure := server(t, false, hello), server(t, true, hello)
	closing := listen(t, saying("HTTP/1.0 200 OK\r\n\r\nodd"))
	loops := newLoops(t)
	run := func(url string, timeout time.Duration) {
		s := times(1, url)
		s.Request.Timeout = timeout
		d := dial.New(dial.Config{})
		defer d.Close()
		c, start := prepare(t, s), time.Now()
		require.NoError(t, c.host(loops, d, start).Run(t.Context()))
	}
	urls := []string{plain.URL, secure.URL, "http://127.0.0.1:1/", "https://" + plain.Listener.Addr().String()}
	for _, url := range urls {
		run(url, time.Minute)
	}
	goroutines, fds := runtime.NumGoroutine(), descriptors(t)
	for i := range 1000 {
		if i%50 == 0 {
			run("http://"+closing, 5*ms)
		}
		run(urls[i%len(urls)], time.Minute)
	}
	plain.CloseClientConnections()
	secure.CloseClientConnections()
	settles(t, func() bool { return runtime.NumGoroutine() <= goroutines && descriptors(t) <= fds })
}

// A thousand agents share an Engine's loops.
func TestThousandHosts(t *testing.T) {
	srv := server(t, false, hello)
	loops := newLoops(t)
	before := runtime.NumGoroutine()
	var wg sync.WaitGroup
	errs := make(chan error, 1000)
	for range 1000 {
		wg.Go(func() {
			got := onLoops(loops)(t.Context(), t, plan.Scenario{Executor: plan.PerVUIterations, VUs: 2, Iterations: 3, Request: plan.Request{URL: srv.URL}})
			if got.err != nil || got.requests != 6 || got.failed != 0 {
				errs <- fmt.Errorf("%v: %d requests, %d failed", got.err, got.requests, got.failed)
			}
		})
	}
	wg.Wait()
	require.Empty(t, errs)
	srv.CloseClientConnections()
	settles(t, func() bool { return runtime.NumGoroutine() <= before })
}

// settles waits until a condition holds, without a goroutine that would count.
func settles(t testing.TB, holds func() bool) {
	t.Helper()
	for range 2000 {
		if holds() {
			return
		}
		<-time.After(10 * ms)
	}
	buf := make([]byte, 1<<20)
	t.Fatalf("it never holds; %d descriptors, goroutines: %s", descriptors(t), buf[:runtime.Stack(buf, true)])
}

// Arrivals begin when they are due: half of them within some 50 us where the machine lets us. By the Go runtime's timers
// it would be 500.
func TestArrivalsAreOnTime(t *testing.T) {
	url := process(t, false)
	windows(t, func() (bool, string) {
		got := overLoop(t.Context(), t, plan.Scenario{
			Executor: plan.ConstantArrivalRate, Rate: 2000, PreAllocatedVUs: 100, Duration: 500 * ms, Request: plan.Request{URL: url},
		})
		require.EqualValues(t, 1000, got.requests+int64(got.dropped))
		var late []time.Duration
		for _, x := range got.exchanges {
			require.GreaterOrEqual(t, x.Start, x.Due)
			late = append(late, x.Start-x.Due)
		}
		slices.Sort(late)
		p50 := late[len(late)/2]
		return p50 < 250*time.Microsecond, p50.String()
	})
}

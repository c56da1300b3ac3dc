package engine_test

import (
	"bufio"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/nollagluiz/broadside/engine"
	"github.com/nollagluiz/broadside/plan"
	"github.com/nollagluiz/broadside/summary"
)

// witness is a real server on loopback that counts for itself: requests, and bytes on its sockets.
type witness struct {
	*httptest.Server
	requests, sent, rcvd atomic.Int64
}

func newWitness(t *testing.T, secure, http2 bool, h http.HandlerFunc) *witness {
	t.Helper()
	w := &witness{}
	w.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		w.requests.Add(1)
		h(rw, r)
	}))
	w.Config.ErrorLog = log.New(io.Discard, "", 0)
	w.Listener = countingListener{w.Listener, w}
	w.EnableHTTP2 = http2
	if secure {
		w.StartTLS()
	} else {
		w.Start()
	}
	t.Cleanup(w.Close)
	return w
}

type countingListener struct {
	net.Listener
	w *witness
}

func (l countingListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	return &countingConn{c, l.w}, err
}

type countingConn struct {
	net.Conn
	w *witness
}

func (c *countingConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.w.rcvd.Add(int64(n))
	return n, err
}

func (c *countingConn) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	c.w.sent.Add(int64(n))
	return n, err
}

// The engine's totals are the server's: requests exactly, bytes within 1 % and the ends of four connections, those of TLS
// and HTTP/2, which come after the last exchange.
func TestTotalsAreTheServers(t *testing.T) {
	const ends = 4 * 256
	page := func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(make([]byte, 20<<10)) }
	for _, tc := range []struct {
		name          string
		secure, http2 bool
		handler       http.HandlerFunc
		request       plan.Request
		statuses      []int
	}{
		{"plain", false, false, page, plan.Request{}, []int{200}},
		{"TLS", true, false, page, plan.Request{}, []int{200}},
		{"HTTP/2", true, true, page, plan.Request{}, []int{200}},
		{"POST", false, false, func(w http.ResponseWriter, r *http.Request) { _, _ = io.Copy(w, r.Body) },
			plan.Request{Method: "POST", Body: make([]byte, 50<<10)}, []int{200}},
		{"redirects", false, false, func(w http.ResponseWriter, r *http.Request) {
			if n := len(r.URL.Path); n < 4 {
				http.Redirect(w, r, r.URL.Path+"x", http.StatusFound)
				return
			}
			page(w, r)
		}, plan.Request{}, []int{200, 302}},
		{"failures", false, false, func(w http.ResponseWriter, r *http.Request) { http.Error(w, "no", http.StatusServiceUnavailable) },
			plan.Request{}, []int{503}},
		{"new connections", false, false, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Connection", "close")
			page(w, r)
		}, plan.Request{}, []int{200}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			each := overAll
			if tc.http2 {
				each = overBoth
			}
			each(t, func(t *testing.T, transport engine.Transport) {
				t.Parallel()
				w := newWitness(t, tc.secure, tc.http2, tc.handler)
				request := tc.request
				request.URL, request.InsecureSkipVerify = w.URL+"/", true
				s, err := engineOver(t, transport).Run(t.Context(), one(plan.Scenario{VUs: 4, Duration: time.Second, Pause: 5 * ms, Request: request}))
				require.NoError(t, err)
				w.Close()
				require.Positive(t, s.Counters[summary.HTTPReqs])
				require.Equal(t, w.requests.Load(), s.Counters[summary.HTTPReqs])
				require.Equal(t, w.requests.Load(), s.Rates[summary.HTTPReqFailed].Total)
				require.InDelta(t, w.sent.Load(), s.Counters[summary.DataReceived], ends+0.01*float64(w.sent.Load()))
				require.InDelta(t, w.rcvd.Load(), s.Counters[summary.DataSent], ends+0.01*float64(w.rcvd.Load()))
				var answers int64
				for _, status := range tc.statuses {
					require.Positive(t, s.Statuses[status], status)
					answers += s.Statuses[status]
				}
				require.Equal(t, w.requests.Load(), answers)
				require.EqualValues(t, w.requests.Load(), s.Trends[summary.HTTPReqDuration].Count())
				require.NotContains(t, s.Counters, summary.HTTPReqRetries)
			})
		})
	}
}

// Field report 11: bodies are streamed away; 256 MiB and more leave the heap as it was.
func TestLargeBodies(t *testing.T) { overAll(t, testLargeBodies) }

func testLargeBodies(t *testing.T, transport engine.Transport) {
	const body = 64 << 20
	chunk := make([]byte, 64<<10)
	w := newWitness(t, false, false, func(w http.ResponseWriter, _ *http.Request) {
		for range body / len(chunk) {
			if _, err := w.Write(chunk); err != nil {
				return
			}
		}
	})
	stop, peak := watchHeap(t)
	s, err := engineOver(t, transport).Run(t.Context(), one(plan.Scenario{VUs: 4, Duration: time.Second, Request: plan.Request{URL: w.URL}}))
	require.NoError(t, err)
	stop()
	require.GreaterOrEqual(t, s.Counters[summary.DataReceived], int64(4*body))
	require.Less(t, peak(), int64(8<<20), "bytes of heap above the start")
}

// watchHeap samples how far the heap in use rises above its start.
func watchHeap(t *testing.T) (stop func(), peak func() int64) {
	t.Helper()
	heap := func() int64 {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	runtime.GC()
	start, most := heap(), int64(0)
	ended := make(chan struct{})
	done := make(chan struct{})
	go func() {
		defer close(done)
		ticker := time.NewTicker(10 * ms)
		defer ticker.Stop()
		for {
			select {
			case <-ticker.C:
				most = max(most, heap()-start)
			case <-ended:
				return
			}
		}
	}()
	return sync.OnceFunc(func() { close(ended); <-done }), func() int64 { return most }
}

// Field report 37: the heap after thousands of requests is that after hundreds.
func TestMemoryDoesNotGrowWithRequests(t *testing.T) { overAll(t, testMemoryDoesNotGrow) }

func testMemoryDoesNotGrow(t *testing.T, transport engine.Transport) {
	w := newWitness(t, false, false, after(0))
	var heaps []int64
	_, err := engineOver(t, transport).Run(t.Context(), one(plan.Scenario{VUs: 2, Duration: 2 * time.Second, Request: plan.Request{URL: w.URL}}),
		func(summary.Snapshot) {
			var m runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&m)
			heaps = append(heaps, int64(m.HeapAlloc))
		})
	require.NoError(t, err)
	require.Greater(t, w.requests.Load(), int64(300))
	require.Less(t, heaps[len(heaps)-1]-heaps[0], int64(512<<10))
}

// No goroutine outlives a run, whatever it spoke.
func TestNoGoroutineIsLeft(t *testing.T) { overAll(t, testNoGoroutineIsLeft) }

func testNoGoroutineIsLeft(t *testing.T, transport engine.Transport) {
	secure := newWitness(t, true, true, after(0))
	plain := newWitness(t, false, false, after(0))
	stuck := newWitness(t, true, true, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	before := runtime.NumGoroutine()
	e := engineOver(t, transport)
	var wg sync.WaitGroup
	for _, w := range []*witness{secure, plain, stuck} {
		wg.Go(func() {
			_, err := e.Run(t.Context(), one(plan.Scenario{VUs: 8, Duration: time.Second, GracefulStop: -1, Request: plan.Request{URL: w.URL, InsecureSkipVerify: true}}))
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	e.Close()
	// Those of closed connections end a moment later.
	for deadline := time.Now().Add(5 * time.Second); runtime.NumGoroutine() > before; runtime.Gosched() {
		if time.Now().After(deadline) {
			stacks := make([]byte, 1<<16)
			t.Fatalf("%d goroutines; want %d\n%s", runtime.NumGoroutine(), before, stacks[:runtime.Stack(stacks, true)])
		}
	}
}

// Field report 4: the protocol is the server's choice unless the plan has one.
func TestHTTP2OnlyServer(t *testing.T) { overBoth(t, testHTTP2OnlyServer) }

func testHTTP2OnlyServer(t *testing.T, transport engine.Transport) {
	t.Parallel()
	e := engineOver(t, transport)
	var proto atomic.Value
	w := newWitness(t, true, true, func(_ http.ResponseWriter, r *http.Request) { proto.Store(r.Proto) })
	w.TLS.NextProtos = []string{"h2"}
	s, err := e.Run(t.Context(), once(plan.Request{URL: w.URL, InsecureSkipVerify: true}))
	require.NoError(t, err)
	require.Equal(t, summary.Rate{Total: 1}, s.Rates[summary.HTTPReqFailed], s.Errors)
	require.Equal(t, "HTTP/2.0", proto.Load())
	require.Positive(t, s.Trends[summary.HTTPReqTLS].Max())

	s, err = e.Run(t.Context(), once(plan.Request{URL: w.URL}))
	require.NoError(t, err)
	require.Equal(t, 1310, s.Errors[0].Code, s.Errors[0].Sample)
	require.Positive(t, s.Trends[summary.HTTPReqConnecting].Max(), "field report 1: the connect time is kept")
	require.NotContains(t, s.Trends, summary.HTTPReqDuration)
}

// Field report 6: a server that closes without a word is a class of errors of its own, with status 0 and a sample.
func TestClosedWithoutAWord(t *testing.T) { overAll(t, testClosedWithoutAWord) }

func testClosedWithoutAWord(t *testing.T, transport engine.Transport) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = http.ReadRequest(bufio.NewReader(c))
			c.Close()
		}
	}()
	defer func() { l.Close(); <-done }()
	s, err := engineOver(t, transport).Run(t.Context(), one(plan.Scenario{VUs: 10, Duration: time.Second, Request: plan.Request{URL: "http://" + l.Addr().String()}}))
	require.NoError(t, err)
	require.Len(t, s.Errors, 1)
	require.Equal(t, 1000, s.Errors[0].Code)
	require.Contains(t, s.Errors[0].Sample, "EOF")
	require.Empty(t, s.Statuses)
	require.LessOrEqual(t, s.Counters[summary.HTTPReqs], int64(10*8), "an instant failure is not hot-looped")
	require.EqualValues(t, s.Counters[summary.HTTPReqs], s.Trends[summary.HTTPReqDuration].Count(), "the requests were out: they count")
}

// Runs that follow one another in a process leave nothing behind, however they end: no goroutine, no descriptor.
func TestThousandRuns(t *testing.T) {
	over(t, testThousandRuns, engine.TransportAuto, engine.TransportHTTP1)
}

func testThousandRuns(t *testing.T, transport engine.Transport) {
	plain := newWitness(t, false, false, after(0))
	secure := newWitness(t, true, true, after(0))
	refused := httptest.NewServer(nil)
	refused.Close()
	e := engineOver(t, transport)
	run := func(i int) {
		url := []string{plain.URL, secure.URL}[i%2]
		if i%25 == 0 { // a back-off each
			url = refused.URL
		}
		s, err := e.Run(t.Context(), one(plan.Scenario{
			Executor: plan.PerVUIterations, VUs: 2, Iterations: 2, Request: plan.Request{URL: url, InsecureSkipVerify: true, Timeout: time.Minute},
		}))
		require.NoError(t, err)
		require.EqualValues(t, 4, s.Counters[summary.HTTPReqs])
	}
	for i := range 8 { // what the process makes once
		run(i)
	}
	settled := func() [2]int {
		for range 100 {
			runtime.Gosched()
		}
		plain.CloseClientConnections()
		secure.CloseClientConnections()
		return [2]int{runtime.NumGoroutine(), descriptors(t)}
	}
	before := settled()
	for i := range 1000 {
		run(i)
	}
	for deadline := time.Now().Add(10 * time.Second); ; {
		now := settled()
		if now[0] <= before[0] && now[1] <= before[1] {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("goroutines and descriptors: %v; want %v", now, before)
		}
	}
}

// descriptors counts the open ones of this process.
func descriptors(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	require.NoError(t, err)
	return len(entries)
}

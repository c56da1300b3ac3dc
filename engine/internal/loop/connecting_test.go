//go:build linux

package loop

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/nollagluiz/broadside/engine/internal/core"
	"github.com/nollagluiz/broadside/engine/internal/dial"
	"github.com/nollagluiz/broadside/plan"
	"github.com/nollagluiz/broadside/summary"
)

// full listens and has room for no connection more, so that another waits for ever.
func full(t testing.TB) (address string) {
	t.Helper()
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	require.NoError(t, err)
	t.Cleanup(func() { unix.Close(fd) })
	require.NoError(t, unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}))
	require.NoError(t, unix.Listen(fd, 0))
	name, err := unix.Getsockname(fd)
	require.NoError(t, err)
	at, ok := newDialer(t).Known(fmt.Sprintf("127.0.0.1:%d", name.(*unix.SockaddrInet4).Port))
	require.True(t, ok)
	for range 8 {
		client, _, err := dial.Socket(at)
		require.NoError(t, err)
		t.Cleanup(func() { unix.Close(client) })
	}
	return at.String()
}

// A connect that is never answered ends with the request's time-out, with a kill, or when it has taken too long by itself.
func TestConnectWithoutAnswer(t *testing.T) {
	address := "http://" + full(t)
	srv := server(t, false, hello)
	c := newClient(t)
	for _, tc := range []struct {
		name    string
		code    uint16
		timeout time.Duration
		then    func(cancel func())
	}{
		{"the request's time-out", core.CodeTimeout, 300 * ms, func(func()) {}},
		{"a kill", 0, time.Minute, func(cancel func()) { cancel() }},
		{"too long", core.CodeDialTimeout, time.Hour, func(func()) {
			c.host.loop.post(func() {
				v := &c.host.vus[0]
				v.began -= dial.ConnectTimeout
				c.host.loop.clock()
				v.expire()
			})
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := get(address)
			r.Deadline = tc.timeout
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			time.AfterFunc(200*ms, func() { tc.then(cancel) })
			x := c.do(ctx, r)
			require.Equal(t, tc.code, x.Code, x.Err)
			require.Equal(t, tc.code == 0, x.Interrupted)
			require.False(t, x.Counts)
			require.Zero(t, x.Duration())
			require.GreaterOrEqual(t, x.End-x.Start, 100*ms)
			require.Zero(t, c.host.dials.counted)
			require.Equal(t, 200, c.do(t.Context(), get(srv.URL)).Status)
		})
	}
}

// counting is a Resolver of one address that counts its questions.
type counting struct {
	addr  netip.Addr
	asked atomic.Int64
}

func (c *counting) LookupNetIP(context.Context, string, string) ([]netip.Addr, error) {
	c.asked.Add(1)
	return []netip.Addr{c.addr}, nil
}

// A name is asked for once, on a goroutine; then the loop connects by itself.
func TestNames(t *testing.T) {
	var conns atomic.Int64
	srv := unstarted(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Connection", "close")
		hello(w, r)
	})
	srv.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			conns.Add(1)
		}
	}
	srv.Start()
	t.Cleanup(srv.Close)
	at := srv.Listener.Addr().(*net.TCPAddr).AddrPort()
	names := &counting{addr: at.Addr()}
	d := dial.New(dial.Config{Resolver: names})
	t.Cleanup(d.Close)
	c := newClientOf(t, d)
	_, port, err := net.SplitHostPort(at.String())
	require.NoError(t, err)
	for range 5 {
		x := c.do(t.Context(), get("http://a.test:"+port))
		require.Equal(t, 200, x.Status, x.Err)
		require.Positive(t, x.Phases[core.Connecting])
		require.GreaterOrEqual(t, x.Phases[core.Blocked], x.Phases[core.Connecting])
		require.Positive(t, x.Sent)
	}
	require.EqualValues(t, 1, names.asked.Load())
	require.EqualValues(t, 5, conns.Load())
}

// Out of descriptors, the generator says that it is the limit; what connected goes on.
func TestOutOfDescriptors(t *testing.T) {
	srv := process(t, false)
	loops := newLoops(t)
	var before unix.Rlimit
	require.NoError(t, unix.Getrlimit(unix.RLIMIT_NOFILE, &before))
	require.GreaterOrEqual(t, before.Cur+1, before.Max, "the Go runtime raises the soft limit at start")
	low := before
	low.Cur = uint64(descriptors(t)) + 20
	require.NoError(t, unix.Setrlimit(unix.RLIMIT_NOFILE, &low))
	defer func() { require.NoError(t, unix.Setrlimit(unix.RLIMIT_NOFILE, &before)) }()
	got := onLoops(loops)(t.Context(), t, plan.Scenario{Executor: plan.PerVUIterations, VUs: 100, Iterations: 3, Request: plan.Request{URL: srv}})
	require.NoError(t, got.err)
	codes := map[uint16]int{}
	for _, x := range got.exchanges {
		codes[x.Code]++
	}
	require.Positive(t, codes[0])
	require.Positive(t, codes[summary.CodeGenerator])
	require.Len(t, codes, 2, "%v", codes)
}

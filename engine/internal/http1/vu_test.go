package http1

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/nollagluiz/broadside/engine/internal/core"
	"github.com/nollagluiz/broadside/engine/internal/dial"
	"github.com/nollagluiz/broadside/engine/internal/pipenet"
)

// A connection that was cut while its exchange ended well is not to be used again, and one in use no more is not cut.
func TestSevered(t *testing.T) {
	c, server := net.Pipe()
	defer server.Close()
	go func() { _, _ = io.Copy(server, server) }()
	var (
		v    vu
		cuts sync.WaitGroup
	)
	echo := func() error {
		if _, err := c.Write([]byte("x")); err != nil {
			return err
		}
		_, err := c.Read(make([]byte, 1))
		return err
	}
	ctx, cancel := context.WithCancel(t.Context())
	v.follow(ctx, &cuts)
	v.begin(c, time.Second)
	require.NoError(t, echo())
	require.False(t, v.end())
	require.Zero(t, v.deadline.Load())
	require.EqualValues(t, never, v.expire(time.Hour))
	cancel()
	cuts.Wait()
	require.NoError(t, echo(), "not in use")

	v.begin(c, time.Second)
	require.EqualValues(t, time.Second, v.expire(time.Second-1))
	require.NoError(t, echo())
	require.EqualValues(t, never, v.expire(time.Second))
	require.ErrorIs(t, echo(), os.ErrDeadlineExceeded)
	require.True(t, v.end())
	v.begin(c, time.Second)
	require.False(t, v.end(), "it is told once")
}

// What servers choose is remembered within bounds.
func TestChoicesAreBounded(t *testing.T) {
	var v vu
	for i := range 3 * maxIdle {
		o := Origin{Address: fmt.Sprint(i), Secure: true, Auto: true}
		require.False(t, v.http2(o))
		v.chose2(o)
		require.True(t, v.http2(o))
	}
	require.Len(t, v.choices, maxIdle)
}

// A VU's memory does not keep the size of the largest head.
func TestBufferShrinks(t *testing.T) {
	for head, want := range map[int]int{100: vuBuffer, 7 << 10: 2 * vuBuffer, 60 << 10: 0} {
		var conns atomic.Int64
		answer := "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX: " + strings.Repeat("x", head) + "\r\n\r\n"
		tr := newTransport(t, dial.Config{}, 1)
		var x core.Exchange
		tr.Do(t.Context(), 0, get("http://"+listen(t, answering(answer, false, false, &conns))), &x)
		require.Equal(t, 200, x.Status, x.Err)
		require.Len(t, tr.vus[0].buf, want)
	}
}

// The watchdog sleeps until the earliest deadline: requests that end in time don't wake it.
func TestWatchdogSleeps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := pipenet.New(pipenet.Delays{})
		serve(t, n, false, func(w http.ResponseWriter, r *http.Request) {
			time.Sleep(time.Second)
			hello(w, r)
		})
		tr := newTransport(t, dial.Config{Resolver: n, Connect: n.Connect}, 1)
		for range 10 {
			r := get("http://a.test/")
			r.Deadline = tr.now() + time.Minute
			var x core.Exchange
			done := make(chan bool)
			go func() {
				tr.Do(t.Context(), 0, r, &x)
				done <- true
			}()
			synctest.Wait()
			require.EqualValues(t, time.Minute, tr.watchdog.next.Load())
			<-done
			require.Equal(t, 200, x.Status, x.Err)
		}
	})
}

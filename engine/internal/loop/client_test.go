//go:build linux

package loop

import (
	"context"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/nollagluiz/broadside/engine/internal/core"
	"github.com/nollagluiz/broadside/engine/internal/dial"
	"github.com/nollagluiz/broadside/engine/internal/pace"
	"github.com/nollagluiz/broadside/engine/internal/std"
	"github.com/nollagluiz/broadside/plan"
)

// client is one VU on a loop that makes one request at a time, when it is told. It is the Executor and the Flow of its
// Host; what it has belongs to the loop, but for the channel.
type client struct {
	host    *Host
	start   time.Time
	request *core.Request // to be made
	closed  bool
	due     time.Duration // the deadline of the last request
	done    chan core.Exchange
}

func newClient(t testing.TB) *client { return newClientOf(t, newDialer(t)) }

func newClientOf(t testing.TB, d *dial.Dialer) *client {
	t.Helper()
	c := &client{start: time.Now(), done: make(chan core.Exchange, 1)}
	other := std.New(c.start, d, 1)
	c.host = newLoops(t).Host(Config{
		Start:    c.start,
		Executor: c,
		Flow:     func(int) core.Flow { return c },
		Dialer:   d,
		Other:    func() Other { return other },
	})
	ended := make(chan error)
	go func() { ended <- c.host.Run(context.Background()) }()
	t.Cleanup(func() {
		c.host.loop.post(func() {
			c.closed = true
			c.host.expire()
		})
		require.NoError(t, <-ended)
		other.Close()
	})
	return c
}

// do makes a request whose deadline counts from now. The end of ctx kills the VU.
func (c *client) do(ctx context.Context, r *core.Request) core.Exchange {
	hop := *r
	hop.Deadline += time.Since(c.start)
	c.due = hop.Deadline
	c.host.loop.post(func() {
		c.request = &hop
		c.host.loop.clock()
		c.host.expire()
	})
	select {
	case x := <-c.done:
		return x
	case <-ctx.Done():
	}
	c.host.loop.post(func() {
		c.host.loop.clock()
		c.host.vus[0].kill()
	})
	return <-c.done
}

func (c *client) VUs() int    { return 1 }
func (c *client) MaxVUs() int { return 1 }

func (c *client) Free(now time.Duration, _ int) (pace.Verdict, time.Duration) {
	if c.request == nil {
		return pace.Park, now
	}
	return pace.Go, now
}

func (c *client) Tick(now time.Duration, out *pace.Orders) time.Duration {
	out.Over = c.closed
	switch {
	case c.closed:
		out.Drain = append(out.Drain, 0)
		return now
	case c.request != nil:
		out.Start = append(out.Start, 0)
	}
	return now + time.Hour
}

func (c *client) Begin(time.Duration) core.Step {
	return core.Step{Verb: core.Send, Req: c.request, Until: c.request.Deadline}
}

func (c *client) Done(_ time.Duration, x *core.Exchange) core.Step {
	c.request = nil
	c.done <- *x
	return core.Step{Verb: core.End}
}

func (c *client) Woke(time.Duration) core.Step { panic("it never waits") }
func (c *client) Cut(time.Duration)            {}

// get is a GET, skipping verification, that times out in a minute.
func get(rawURL string) *core.Request {
	u, err := url.Parse(rawURL)
	if err != nil {
		panic(err)
	}
	r := &core.Request{Method: "GET", URL: u, Header: http.Header{"User-Agent": {"Broadside/test"}}, InsecureSkipVerify: true, Deadline: time.Minute, Version: plan.HTTPAuto}
	r.Fixed = r
	return r
}

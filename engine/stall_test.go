package engine_test

import (
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/nollagluiz/broadside/engine"
	"github.com/nollagluiz/broadside/engine/internal/pipenet"
	"github.com/nollagluiz/broadside/plan"
	"github.com/nollagluiz/broadside/summary"
)

// The stall: the server stops from from to to, as a process that is stopped does: it reads nothing and accepts nothing.
const (
	stallFrom = 4 * time.Second
	stallTo   = 5 * time.Second
)

// stalling is a listener of a server that stalls.
type stalling struct {
	*pipenet.Network
	start time.Time
}

func (s stalling) wait() {
	if at := time.Since(s.start); at >= stallFrom && at < stallTo {
		<-time.After(stallTo - at)
	}
}

func (s stalling) Accept() (net.Conn, error) {
	c, err := s.Network.Accept()
	s.wait()
	return stallingConn{c, s}, err
}

type stallingConn struct {
	net.Conn
	s stalling
}

func (c stallingConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.s.wait()
	return n, err
}

// stalled runs a scenario of 10 s against a server that answers within 9 ms, but for the stall.
func stalled(t *testing.T, s plan.Scenario) *summary.Summary {
	var out *summary.Summary
	synctest.Test(t, func(t *testing.T) {
		n := stalling{pipenet.New(pipenet.Delays{}), time.Now()}
		srv := &http.Server{Handler: after(9 * ms), ErrorLog: log.New(io.Discard, "", 0)}
		done := make(chan error)
		go func() { done <- srv.Serve(n) }()
		e, err := engine.New(engine.Config{Connect: n.Connect, Resolver: n})
		require.NoError(t, err)
		out, err = e.Run(t.Context(), one(s))
		require.NoError(t, err)
		e.Close()
		srv.Close()
		require.ErrorIs(t, <-done, http.ErrServerClosed)
	})
	return out
}

// The table of docs/open-models.md is what the engine measures. The truth for a user who comes at a random time: one in
// ten meets the stall, and waits 0.5 s on average; so the 99th percentile is 0.9 s.
func TestStall(t *testing.T) {
	rate := func(preAllocated, most int) plan.Scenario {
		return plan.Scenario{Executor: plan.ConstantArrivalRate, Rate: 200, Duration: 10 * time.Second, PreAllocatedVUs: preAllocated, MaxVUs: most}
	}
	text := "| | requests | dropped | `http_req_duration` p(50) | p(99) | max | `http_req_corrected_duration` p(99) |\n|---|---:|---:|---:|---:|---:|---:|\n"
	for _, row := range []struct {
		name string
		s    plan.Scenario
	}{
		{"closed: 10 VUs", plan.Scenario{VUs: 10, Duration: 10 * time.Second}},
		{"open: 200/s, 300 VUs", rate(300, 300)},
		{"open: 200/s, 5 VUs", rate(5, 5)},
		{"open: 200/s, 5 VUs and up to 300", rate(5, 300)},
	} {
		s := stalled(t, row.s)
		show := func(name string, q float64) string {
			h := s.Trends[name]
			if h == nil {
				return "-"
			}
			return fmt.Sprintf("%.0f ms", h.Quantile(q)/float64(ms))
		}
		text += fmt.Sprintf("| %s | %d | %d | %s | %s | %s | %s |\n", row.name, s.Counters[summary.HTTPReqs], s.Counters[summary.DroppedIterations],
			show(summary.HTTPReqDuration, 0.5), show(summary.HTTPReqDuration, 0.99), show(summary.HTTPReqDuration, 1), show(summary.HTTPReqCorrected, 0.99))
	}
	page, err := os.ReadFile("../docs/open-models.md")
	require.NoError(t, err)
	require.True(t, strings.Contains(string(page), text), "docs/open-models.md should have:\n%s", text)
}

//go:build linux

package loop

import (
	"bufio"
	"crypto/tls"
	"io"
	"log"
	"net"
	"net/http"
	"regexp"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/nollagluiz/broadside/engine/internal/core"
	"github.com/nollagluiz/broadside/engine/internal/corners"
)

// silence keeps net/http's complaints about servers out of the test's output.
func silence(t testing.TB) {
	out := log.Writer()
	log.SetOutput(io.Discard)
	t.Cleanup(func() { log.SetOutput(out) })
}

// alike is what transports must have in common of their exchanges: not the times, nor the addresses in a text.
func alike(xs []core.Exchange) []core.Exchange {
	out := make([]core.Exchange, len(xs))
	for i, x := range xs {
		x.Start, x.End, x.Due, x.Phases = 0, 0, 0, [core.PhaseCount]time.Duration{}
		x.Err = regexp.MustCompile(` 127.0.0.1:\d+(->127.0.0.1:\d+)?`).ReplaceAllString(x.Err, "")
		out[i] = x
	}
	return out
}

// answering gives each request of a connection the bytes of answer, in pieces of a size, and closes after the first if
// closes; with a reset if resets.
func answering(answer string, piece int, closes, resets bool, conns *atomic.Int64) func(net.Conn) {
	return func(c net.Conn) {
		conns.Add(1)
		for in := bufio.NewReader(c); ; {
			if _, err := http.ReadRequest(in); err != nil {
				return
			}
			for rest := answer; len(rest) > 0; {
				n := min(piece, len(rest))
				if _, err := io.WriteString(c, rest[:n]); err != nil {
					return
				}
				rest = rest[n:]
			}
			if resets {
				_ = c.(*net.TCPConn).SetLinger(0)
			}
			if closes {
				return
			}
		}
	}
}

// overTLS lets serve have connections with TLS taken off.
func overTLS(t testing.TB, serve func(net.Conn)) func(net.Conn) {
	config := &tls.Config{Certificates: certificates(t)}
	return func(c net.Conn) {
		secure := tls.Server(c, config)
		serve(secure)
		_ = secure.CloseWrite() // so that the end is one of TLS
	}
}

// What odd answers come to is the same over loop, http1 and std: status, code, text, bytes, where they lead, whatever the
// pieces that they come in.
func TestCorners(t *testing.T) {
	silence(t)
	loops := newLoops(t)
	both(t, func(t *testing.T, secure bool) {
		for _, tc := range append(corners.All(), corners.Corner{Name: "closed without a word"}) {
			t.Run(tc.Name, func(t *testing.T) {
				for _, piece := range []int{1 << 20, max(len(tc.Answer)/5, 1)} {
					for _, method := range []string{"GET", "HEAD"} {
						var conns atomic.Int64
						serve, scheme := answering(tc.Answer, piece, true, false, &conns), "http://"
						if secure {
							serve, scheme = overTLS(t, serve), "https://"
						}
						s := times(1, scheme+listen(t, serve))
						s.Request.Method, s.Request.MaxRedirects = method, -1
						want := overStd(t.Context(), t, s).exchanges
						x := onLoops(loops)(t.Context(), t, s).exchanges
						require.EqualValues(t, 2, conns.Load())
						require.Len(t, x, 1)
						if method == "GET" {
							require.Equal(t, tc.Status, x[0].Status, x[0].Err)
						}
						require.NotContains(t, x[0].Err, "s3cret", "what a server says is not repeated")
						require.True(t, x[0].Counts)
						require.Positive(t, x[0].Phases[core.Connecting])
						x[0].Anomaly = false
						if secure || len(tc.Answer) > min(piece, 4000) { // what is beyond an end, and TLS's own, is read or not, by chance and buffer
							require.InDelta(t, want[0].Sent, x[0].Sent, 100)
							want[0].Rcvd, want[0].Sent, x[0].Rcvd, x[0].Sent = 0, 0, 0, 0
						}
						require.Equal(t, alike(want), alike(x), method)
					}
				}
			})
		}
	})
}

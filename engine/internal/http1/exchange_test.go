package http1

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/nollagluiz/broadside/engine/internal/core"
	"github.com/nollagluiz/broadside/engine/internal/dial"
)

// answering gives each connection's requests the bytes of answer, and closes after the first if closes; with a reset if
// resets. It counts connections.
func answering(answer string, closes, resets bool, conns *atomic.Int64) func(net.Conn) {
	return func(c net.Conn) {
		conns.Add(1)
		for in := bufio.NewReader(c); ; {
			if _, err := http.ReadRequest(in); err != nil {
				return
			}
			_, _ = io.WriteString(c, answer)
			if resets {
				_ = c.(*net.TCPConn).SetLinger(0)
			}
			if closes {
				return
			}
		}
	}
}

// What odd answers come to is the same over both transports: status, code, text, bytes, where they lead.
func TestCornersOverBoth(t *testing.T) {
	silence(t)
	all := append(corners(), corner{"closed without a word", "", 0, false})
	for _, resets := range []bool{false, true} {
		for _, tc := range all {
			name := tc.name
			if resets {
				name += ", reset"
			}
			t.Run(name, func(t *testing.T) {
				for _, method := range methods() {
					var conns atomic.Int64
					r := get("http://" + listen(t, answering(tc.answer, true, resets, &conns)))
					r.Method = method
					want := newStdClient(t, dial.Config{}).request(t.Context(), r)
					got := newClient(t, dial.Config{}).request(t.Context(), r)
					require.EqualValues(t, 2, conns.Load())
					if resets {
						// The reset may overtake what was sent before it.
						require.Contains(t, []int{0, tc.status}, got.Status, got.Err)
						require.Contains(t, []uint16{0, core.CodeGeneric, core.CodeReset}, got.Code, got.Err)
						require.Equal(t, got.Code == 0, got.Status != 0)
						require.NotContains(t, got.Err, "s3cret")
						continue
					}
					if method == "GET" {
						require.Equal(t, tc.status, got.Status, got.Err)
					}
					require.NotContains(t, got.Err, "s3cret", "what a server says is not repeated")
					require.LessOrEqual(t, len(got.Err), 300)
					require.True(t, got.Counts)
					require.Positive(t, got.Phases[core.Connecting])
					got.Anomaly = false
					require.Equal(t, comparable(want), comparable(got), method)
				}
			})
		}
	}
}

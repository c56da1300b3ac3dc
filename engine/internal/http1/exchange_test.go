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
	for _, tc := range append(corners(), corner{"closed without a word", "", 0, false}) {
		t.Run(tc.name, func(t *testing.T) {
			for _, method := range methods() {
				var conns atomic.Int64
				r := get("http://" + listen(t, answering(tc.answer, true, false, &conns)))
				r.Method = method
				want := newStdClient(t, dial.Config{}).request(t.Context(), r)
				got := newClient(t, dial.Config{}).request(t.Context(), r)
				require.EqualValues(t, 2, conns.Load())
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

// A reset instead of the end. It may overtake what was sent before it, and then says so.
func TestCornersReset(t *testing.T) {
	for _, tc := range append(corners(), corner{"reset without a word", "", 0, false}) {
		t.Run(tc.name, func(t *testing.T) {
			var conns atomic.Int64
			x := newClient(t, dial.Config{}).request(t.Context(), get("http://"+listen(t, answering(tc.answer, true, true, &conns))))
			require.EqualValues(t, 1, conns.Load())
			require.Contains(t, []int{0, tc.status}, x.Status, x.Err)
			require.Contains(t, []uint16{0, core.CodeGeneric, core.CodeReset}, x.Code, x.Err)
			require.Equal(t, x.Code == 0, x.Status != 0)
			require.NotContains(t, x.Err, "s3cret")
			if tc.answer == "" {
				require.EqualValues(t, core.CodeReset, x.Code, x.Err)
			}
		})
	}
}

// Which answers leave a connection that the next request uses: those after which net/http uses it again. Bytes that no
// request asked for are an anomaly, whenever they come.
func TestReuse(t *testing.T) {
	silence(t)
	for _, tc := range corners() {
		want := reference("GET", tc.answer)
		if want.Err != "" || want.Extra == 0 && !want.Keep && tc.odd {
			continue // it ends with the connection
		}
		t.Run(tc.name, func(t *testing.T) {
			var conns atomic.Int64
			c := newClient(t, dial.Config{})
			r := get("http://" + listen(t, answering(tc.answer, false, false, &conns)))
			for i := range 3 {
				x := c.request(t.Context(), r)
				require.Equal(t, tc.status, x.Status, x.Err)
				require.Equal(t, want.Extra > 0, x.Anomaly)
				if want.Keep && want.Extra == 0 {
					require.EqualValues(t, 1, conns.Load())
				} else {
					require.EqualValues(t, i+1, conns.Load())
				}
				require.Equal(t, i == 0 || conns.Load() > 1, x.Phases[core.Connecting] > 0)
			}
		})
	}
}

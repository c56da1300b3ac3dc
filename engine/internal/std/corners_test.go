package std

import (
	"bufio"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/nollagluiz/broadside/engine/internal/core"
	"github.com/nollagluiz/broadside/engine/internal/dial"
)

// rawServer answers each connection's first request with the bytes of answer, and closes; with a reset if reset.
func rawServer(t *testing.T, answer string, reset bool) (url string) {
	t.Helper()
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
			if _, err := http.ReadRequest(bufio.NewReader(c)); err == nil {
				_, _ = io.WriteString(c, answer)
			}
			if reset {
				_ = c.(*net.TCPConn).SetLinger(0)
			}
			c.Close()
		}
	}()
	t.Cleanup(func() {
		l.Close()
		<-done
	})
	return "http://" + l.Addr().String() + "/"
}

// What odd answers come to: as k6 v2.2 has it where it was observed (field reports' ground truth). An answer that is
// not whole is status 0 with code 1000; it counts for latency if its request was out.
func TestResponseCorners(t *testing.T) {
	const ok = "HTTP/1.1 200 OK\r\n"
	for _, tc := range []struct {
		name   string
		answer string
		reset  bool
		status int
		code   uint16
		text   string
	}{
		{"content length", ok + "Content-Length: 2\r\n\r\nhi", false, 200, 0, ""},
		{"chunked", ok + "Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n", false, 200, 0, ""},
		{"chunk extension and trailer", ok + "Transfer-Encoding: chunked\r\nTrailer: X\r\n\r\n2;a=b\r\nhi\r\n0\r\nX: 1\r\n\r\n", false, 200, 0, ""},
		{"until the end of the connection", ok + "\r\nhi", false, 200, 0, ""},
		{"HTTP/1.0", "HTTP/1.0 200 OK\r\n\r\nhi", false, 200, 0, ""},
		{"bare line feeds", "HTTP/1.1 200 OK\nContent-Length: 2\n\nhi", false, 200, 0, ""},
		{"no reason", "HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n", false, 200, 0, ""},
		{"204", "HTTP/1.1 204 No Content\r\n\r\n", false, 204, 0, ""},                                      // field report 16
		{"304 with a length", "HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n", false, 304, 0, ""}, // field report 16
		{"100 and 103 before it", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + ok + "Content-Length: 2\r\n\r\nhi", false, 200, 0, ""},
		{"more than it says", ok + "Content-Length: 2\r\n\r\nhi, and more", false, 200, 0, ""},
		{"gzip that is none", ok + "Content-Encoding: gzip\r\nContent-Length: 2\r\n\r\nhi", false, 200, 0, ""}, // k6 inflates: 1701
		{"503", "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n", false, 503, 0, ""},

		{"closed without a word", "", false, 0, core.CodeGeneric, "the server closed the connection (EOF)"},           // field report 6
		{"short body", ok + "Content-Length: 20\r\n\r\nhi", false, 0, core.CodeGeneric, "unexpected EOF"},             // field report 12
		{"cut chunk", ok + "Transfer-Encoding: chunked\r\n\r\n9\r\nhi", false, 0, core.CodeGeneric, "unexpected EOF"}, // field report 12
		{"chunks without end", ok + "Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n", false, 0, core.CodeGeneric, "unexpected EOF"},
		{"bad chunk size", ok + "Transfer-Encoding: chunked\r\n\r\nzz\r\nhi\r\n", false, 0, core.CodeGeneric, "invalid byte in chunk length"},
		{"cut head", ok + "Content-Length: 2\r\n", false, 0, core.CodeGeneric, "unexpected EOF"},
		{"no HTTP", "SSH-2.0-s3cret\r\n", false, 0, core.CodeGeneric, "malformed HTTP response"},
		{"bad status", "HTTP/1.1 2x0 OK s3cret\r\n\r\n", false, 0, core.CodeGeneric, "malformed HTTP status code"},
		{"bad header", ok + "no colon s3cret\r\n\r\n", false, 0, core.CodeGeneric, "malformed MIME header"},
		{"two lengths", ok + "Content-Length: 1\r\nContent-Length: 2\r\n\r\nhi", false, 0, core.CodeGeneric, "Content-Length"},
		{"endless head", ok + strings.Repeat("X: "+strings.Repeat("y", 1000)+"\r\n", 200) + "\r\n", false, 0, core.CodeGeneric, "exceeded 131072 bytes"},
		{"a status below 100", "HTTP/1.1 099 s3cret\r\nContent-Length: 0\r\n\r\n", false, 0, core.CodeGeneric, "no HTTP status"},
		{"a status of zero", "HTTP/1.1 000 s3cret\r\nContent-Length: 0\r\n\r\n", false, 0, core.CodeGeneric, "no HTTP status"},
		{"a protocol not asked for", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n", false, 0, core.CodeGeneric, "not asked for"},
		{"reset", "", true, 0, core.CodeReset, "connection reset by peer"}, // field report 7
		{"reset in the body", ok + "Content-Length: 20\r\n\r\nhi", true, 0, core.CodeReset, "connection reset by peer"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			log.SetOutput(io.Discard) // net/http complains there about bytes after a response
			defer log.SetOutput(os.Stderr)
			url := rawServer(t, tc.answer, tc.reset)
			c := newClient(t, dial.Config{})
			x := c.do(t.Context(), request(url))
			require.Equal(t, tc.status, x.Status, x.Err)
			require.Equal(t, tc.code, x.Code, x.Err)
			require.Contains(t, x.Err, tc.text)
			require.NotContains(t, x.Err, "s3cret", "what a server says is not repeated")
			require.LessOrEqual(t, len(x.Err), 300)
			require.True(t, x.Counts)
			require.Positive(t, x.Phases[core.Connecting])
			if tc.code == 0 {
				require.EqualValues(t, len(tc.answer), x.Rcvd)
			}
		})
	}
}

// What goes over the wire: nothing that was not asked for. Field reports 22 and 26: no userinfo in the URL, and a
// fragment is never sent.
func TestRequestBytes(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	got := make(chan string, 1)
	go func() {
		c, err := l.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		var b strings.Builder
		for buf := make([]byte, 4096); !strings.Contains(b.String(), "body"); {
			n, err := c.Read(buf)
			if err != nil {
				break
			}
			b.Write(buf[:n])
		}
		_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
		got <- b.String()
	}()
	r := request("http://" + l.Addr().String() + "/p%C3%A4th?q=a%20b#fragment")
	r.Method, r.Body = "POST", []byte("body")
	r.Header = http.Header{"User-Agent": {"Broadside/test"}, "X-A": {"1"}}
	x := newClient(t, dial.Config{}).do(t.Context(), r)
	require.Equal(t, 200, x.Status, x.Err)
	want := fmt.Sprintf("POST /p%%C3%%A4th?q=a%%20b HTTP/1.1\r\nHost: %s\r\nUser-Agent: Broadside/test\r\nContent-Length: 4\r\nX-A: 1\r\n\r\nbody", l.Addr())
	require.Equal(t, want, <-got)
	require.EqualValues(t, len(want), x.Sent)
}

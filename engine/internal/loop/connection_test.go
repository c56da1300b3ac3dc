//go:build linux

package loop

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/nollagluiz/broadside/engine/internal/core"
	"github.com/nollagluiz/broadside/plan"
)

const canned = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"

// What holds here holds for package http1; its tests are the same.

// The server decides by ALPN. The connection on which it chose HTTP/2 is handed over.
func TestProtocols(t *testing.T) {
	for _, tc := range []struct {
		name    string
		alpn    []string
		version plan.HTTPVersion
		proto   core.Proto
		conns   int64
	}{
		{"HTTP/1.1 only", []string{"http/1.1"}, plan.HTTPAuto, core.HTTP11, 1},
		{"both", []string{"h2", "http/1.1"}, plan.HTTPAuto, core.HTTP2, 1},
		{"both, HTTP/1.1 wanted", []string{"h2", "http/1.1"}, plan.HTTP11, core.HTTP11, 1},
		{"both, HTTP/2 wanted", []string{"h2", "http/1.1"}, plan.HTTP2, core.HTTP2, 1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var conns atomic.Int64
			srv := unstarted(hello)
			srv.EnableHTTP2 = tc.alpn[0] == "h2"
			srv.TLS = &tls.Config{NextProtos: tc.alpn}
			srv.Config.ConnState = func(_ net.Conn, s http.ConnState) {
				if s == http.StateNew {
					conns.Add(1)
				}
			}
			srv.StartTLS()
			t.Cleanup(srv.Close)
			c := newClient(t)
			for i := range 3 {
				r := get(srv.URL)
				r.Version = tc.version
				x := c.do(t.Context(), r)
				require.Equal(t, 200, x.Status, x.Err)
				require.Equal(t, tc.proto, x.Proto)
				require.EqualValues(t, tls.VersionTLS13, x.TLSVersion)
				require.Equal(t, i == 0, x.Phases[core.TLS] > 0)
				require.Equal(t, i == 0, x.Phases[core.Connecting] > 0)
				require.Positive(t, x.Sent)
				require.Positive(t, x.Rcvd)
			}
			require.Equal(t, tc.conns, conns.Load())
		})
	}
}

// What a loop does not carry goes elsewhere, and comes back.
func TestElsewhere(t *testing.T) {
	srv := server(t, false, func(w http.ResponseWriter, r *http.Request) {
		n, _ := io.Copy(io.Discard, r.Body)
		w.Header().Set("X-Length", fmt.Sprint(n))
		hello(w, r)
	})
	c := newClient(t)
	for _, size := range []int{100, 1 << 20, 100} {
		r := get(srv.URL)
		r.Method, r.Body = "POST", make([]byte, size)
		x := c.do(t.Context(), r)
		require.Equal(t, 200, x.Status, x.Err)
		require.Greater(t, x.Sent, int64(size))
		require.Less(t, x.Sent, int64(size+400))
	}
}

// A self-signed certificate fails with k6's code, and the connect time is kept; what answers, but not in TLS, is told from
// that.
func TestHandshakesThatFail(t *testing.T) {
	secure, clear := server(t, true, hello), server(t, false, hello)
	silent := listen(t, func(c net.Conn) { _, _ = c.Read(make([]byte, 8<<10)) })
	c := newClient(t)
	for _, tc := range []struct {
		url  string
		skip bool
		code uint16
	}{
		{secure.URL, false, core.CodeUnknownAuthority},
		{secure.URL, true, 0},
		{secure.URL, false, core.CodeUnknownAuthority}, // the connection made without a check is not used
		{strings.Replace(clear.URL, "http:", "https:", 1), true, core.CodeTLSHeader},
		{"https://" + silent, true, core.CodeTLS},
	} {
		r := get(tc.url)
		r.InsecureSkipVerify = tc.skip
		x := c.do(t.Context(), r)
		require.Equal(t, tc.code, x.Code, x.Err)
		require.Equal(t, tc.code == 0, x.Counts)
		require.Positive(t, x.Phases[core.Connecting])
		require.Equal(t, tc.code == 0, x.Duration() > 0)
	}
}

// A server that closes an idle connection costs no failure, and no request twice, also where one may not be repeated.
func TestStaleConnection(t *testing.T) {
	both(t, func(t *testing.T, secure bool) {
		for _, method := range []string{"GET", "POST"} {
			var requests atomic.Int64
			srv := server(t, secure, func(w http.ResponseWriter, r *http.Request) { requests.Add(1); hello(w, r) })
			c := newClient(t)
			r := get(srv.URL)
			r.Method = method
			for i := range 20 {
				x := c.do(t.Context(), r)
				require.Equal(t, 200, x.Status, x.Err)
				require.EqualValues(t, i+1, requests.Load())
				require.False(t, x.Anomaly)
				srv.CloseClientConnections()
			}
		}
	})
}

// A request that a server drops on a reused connection is sent again if net/http would: one request, noted as retried.
func TestRetry(t *testing.T) {
	for _, tc := range []struct {
		name   string
		header string
		method string
		second int // the status of the dropped one
	}{
		{"GET", "", "GET", 200},
		{"POST", "", "POST", 0},
		{"POST that says how often it comes", "Idempotency-Key", "POST", 200},
	} {
		t.Run(tc.name, func(t *testing.T) {
			both(t, func(t *testing.T, secure bool) {
				var requests atomic.Int64
				srv := server(t, secure, func(w http.ResponseWriter, r *http.Request) {
					if requests.Add(1) == 2 {
						panic(http.ErrAbortHandler)
					}
					hello(w, r)
				})
				c := newClient(t)
				r := get(srv.URL)
				r.Method = tc.method
				if tc.header != "" {
					r.Header.Set(tc.header, "1")
				}
				for i, status := range []int{200, tc.second, 200} {
					x := c.do(t.Context(), r)
					require.Equal(t, status, x.Status, x.Err)
					require.Equal(t, i == 1 && status == 200, x.Retries == 1)
					require.True(t, x.Counts)
					if status == 0 {
						require.EqualValues(t, core.CodeGeneric, x.Code)
						require.Equal(t, "the server closed the connection (EOF)", x.Err)
					}
					require.LessOrEqual(t, max(x.Phases[core.Blocked], x.Duration()), x.End-x.Start)
				}
			})
		})
	}
}

// Once, not for ever: a server that drops every request is a failure.
func TestNoEndlessRetry(t *testing.T) {
	var conns atomic.Int64
	first := make(chan bool, 1)
	first <- true
	address := listen(t, func(c net.Conn) {
		conns.Add(1)
		in := bufio.NewReader(c)
		select {
		case <-first:
			_, _ = http.ReadRequest(in)
			_, _ = io.WriteString(c, canned)
		default:
		}
		_, _ = http.ReadRequest(in)
	})
	c := newClient(t)
	require.Equal(t, 200, c.do(t.Context(), get("http://"+address)).Status)
	x := c.do(t.Context(), get("http://"+address))
	require.EqualValues(t, core.CodeGeneric, x.Code, x.Err)
	require.Equal(t, 1, x.Retries)
	require.EqualValues(t, 2, conns.Load())
}

// Bytes that come while a connection is idle are never a response: the connection is closed, and it is an anomaly
// unless the server only says that it had no patience.
func TestBytesWhileIdle(t *testing.T) {
	for _, tc := range []struct {
		name, bytes string
		anomaly     bool
	}{
		{"a response", canned, true},
		{"a byte", "x", true},
		{"408", "HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n", false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			both(t, func(t *testing.T, secure bool) {
				for _, method := range []string{"GET", "POST"} {
					var conns atomic.Int64
					more := make(chan bool)
					serve, scheme := func(c net.Conn) {
						conns.Add(1)
						in := bufio.NewReader(c)
						_, _ = http.ReadRequest(in)
						_, _ = io.WriteString(c, canned)
						if <-more {
							_, _ = io.WriteString(c, tc.bytes)
						}
						more <- true
						_, _ = io.Copy(io.Discard, in)
					}, "http://"
					if secure {
						serve, scheme = overTLS(t, serve), "https://"
					}
					c := newClient(t)
					r := get(scheme + listen(t, serve))
					r.Method = method
					x := c.do(t.Context(), r)
					require.Equal(t, 200, x.Status, x.Err)
					require.False(t, x.Anomaly)
					more <- true
					<-more
					for end := time.Now().Add(2 * restless); time.Now().Before(end); {
					}
					x = c.do(t.Context(), r)
					require.Equal(t, 200, x.Status, x.Err)
					require.Equal(t, tc.anomaly, x.Anomaly)
					require.EqualValues(t, 2, conns.Load())
					more <- false
					<-more
				}
			})
		})
	}
}

// Requests that redirects lead to have connections of their own, which are kept, but not more than k6 keeps.
func TestIdleConnectionsAreBounded(t *testing.T) {
	var open, opened atomic.Int64
	var addresses []string
	for range 2 * maxIdle {
		addresses = append(addresses, listen(t, func(c net.Conn) {
			opened.Add(1)
			open.Add(1)
			defer open.Add(-1)
			for in := bufio.NewReader(c); ; {
				if _, err := http.ReadRequest(in); err != nil {
					return
				}
				_, _ = io.WriteString(c, canned)
			}
		}))
	}
	c := newClient(t)
	for i, address := range addresses {
		require.Equal(t, 200, c.do(t.Context(), get("http://"+address)).Status)
		want := int64(min(i+1, maxIdle))
		require.Eventually(t, func() bool { return open.Load() == want }, time.Minute, ms)
	}
	for _, address := range addresses[maxIdle:] {
		require.Equal(t, 200, c.do(t.Context(), get("http://"+address)).Status)
	}
	require.EqualValues(t, 2*maxIdle, opened.Load())
}

// A kill cuts at once, wherever the exchange is, and the VU goes on when it is told to.
func TestKill(t *testing.T) {
	for _, tc := range []struct {
		name   string
		serve  func(net.Conn)
		secure bool
		counts bool
	}{
		{"in the handshake", func(c net.Conn) { _, _ = io.Copy(io.Discard, c) }, true, false},
		{"before the response", func(c net.Conn) { _, _ = io.Copy(io.Discard, c) }, false, true},
		{"in the head", saying("HTTP/1.1 200 OK\r\nX: "), false, true},
		{"in the body", saying("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n123"), false, true},
		{"in a body until the end", saying("HTTP/1.1 200 OK\r\n\r\n123"), false, true},
		{"in an HTTP/1.0 body over TLS", overTLS(t, saying("HTTP/1.0 200 OK\r\n\r\n123")), true, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			scheme := "http://"
			if tc.secure {
				scheme = "https://"
			}
			address := listen(t, tc.serve)
			srv := server(t, false, hello)
			c := newClient(t)
			for range 2 {
				ctx, cancel := context.WithTimeout(t.Context(), 300*ms)
				x := c.do(ctx, get(scheme+address))
				cancel()
				require.True(t, x.Interrupted)
				require.Zero(t, x.Status)
				require.Equal(t, tc.counts, x.Counts)
				require.Less(t, x.End-x.Start, 10*time.Second)
				require.Equal(t, 200, c.do(t.Context(), get(srv.URL)).Status)
			}
		})
	}
}

// saying answers a request and then says nothing more.
func saying(answer string) func(net.Conn) {
	return func(c net.Conn) {
		in := bufio.NewReader(c)
		_, _ = http.ReadRequest(in)
		_, _ = io.WriteString(c, answer)
		_, _ = io.Copy(io.Discard, in)
	}
}

// So does a time-out, with k6's code and the time waited.
func TestTimeout(t *testing.T) {
	for _, tc := range []struct {
		name   string
		url    string
		counts bool
	}{
		{"in the handshake", "https://" + listen(t, func(c net.Conn) { _, _ = io.Copy(io.Discard, c) }), false},
		{"before the response", "http://" + listen(t, func(c net.Conn) { _, _ = io.Copy(io.Discard, c) }), true},
		{"before the response over TLS", "https://" + listen(t, overTLS(t, saying(""))), true},
		{"in the body", "http://" + listen(t, saying("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n123")), true},
		{"in a body until the end", "http://" + listen(t, saying("HTTP/1.1 200 OK\r\n\r\n123")), true},
		{"in an HTTP/1.0 body over TLS", "https://" + listen(t, overTLS(t, saying("HTTP/1.0 200 OK\r\n\r\n123"))), true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			c := newClient(t)
			r := get(tc.url)
			r.Deadline = 500 * ms
			for range 2 {
				x := c.do(t.Context(), r)
				require.EqualValues(t, core.CodeTimeout, x.Code)
				require.Equal(t, "request timeout", x.Err)
				require.Equal(t, tc.counts, x.Counts)
				require.GreaterOrEqual(t, x.End, c.due)
				require.Less(t, x.End, c.due+10*time.Second)
				if tc.counts {
					require.InDelta(t, x.End-x.Start, x.Phases[core.Blocked]+x.Duration(), float64(ms))
				}
			}
		})
	}
}

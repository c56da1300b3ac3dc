package http1

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
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
	"github.com/nollagluiz/broadside/plan"
)

// Field report 4: the server decides, over one connection: that on which it chose HTTP/2 is handed over.
func TestProtocols(t *testing.T) {
	for _, tc := range []struct {
		name    string
		alpn    []string // none: in clear
		version plan.HTTPVersion
		proto   core.Proto
		tls     uint16
		err     string
	}{
		{"clear", nil, plan.HTTPAuto, core.HTTP11, 0, ""},
		{"clear, HTTP/1.1", nil, plan.HTTP11, core.HTTP11, 0, ""},
		{"clear, HTTP/2 by prior knowledge", nil, plan.HTTP2, core.HTTP2, 0, ""},
		{"TLS, both", []string{"h2", "http/1.1"}, plan.HTTPAuto, core.HTTP2, tls.VersionTLS13, ""},
		{"TLS, HTTP/2 only", []string{"h2"}, plan.HTTPAuto, core.HTTP2, tls.VersionTLS13, ""},
		{"TLS, HTTP/1.1 only", []string{"http/1.1"}, plan.HTTPAuto, core.HTTP11, tls.VersionTLS13, ""},
		{"TLS, both, HTTP/1.1 wanted", []string{"h2", "http/1.1"}, plan.HTTP11, core.HTTP11, tls.VersionTLS13, ""},
		{"TLS, both, HTTP/2 wanted", []string{"h2", "http/1.1"}, plan.HTTP2, core.HTTP2, tls.VersionTLS13, ""},
		{"TLS, HTTP/1.1 only, HTTP/2 wanted", []string{"http/1.1"}, plan.HTTP2, 0, 0, "no application protocol"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			both(t, func(t *testing.T, newClient func(testing.TB, dial.Config) *client) {
				var requests, conns atomic.Int64
				srv := counted(t, &conns, func(w http.ResponseWriter, r *http.Request) { requests.Add(1); hello(w, r) }, tc.alpn...)
				c := newClient(t, dial.Config{})
				r := get(srv.URL)
				r.Version = tc.version
				for i := range 3 {
					x := c.request(t.Context(), r)
					if tc.err != "" {
						require.Contains(t, x.Err, tc.err)
						require.EqualValues(t, core.CodeTLS, x.Code)
						require.Zero(t, requests.Load())
						continue
					}
					require.Equal(t, 200, x.Status, x.Err)
					require.Equal(t, tc.proto, x.Proto)
					require.Equal(t, tc.tls, x.TLSVersion)
					require.Equal(t, i == 0, x.Phases[core.Connecting] > 0, "the connection is used again")
					require.Equal(t, i == 0 && tc.tls != 0, x.Phases[core.TLS] > 0)
					require.GreaterOrEqual(t, x.Phases[core.Blocked], x.Phases[core.Connecting]+x.Phases[core.TLS])
					require.LessOrEqual(t, max(x.Phases[core.Blocked], x.Duration()), x.End-x.Start)
					require.EqualValues(t, i+1, requests.Load())
					require.EqualValues(t, 1, conns.Load())
					require.Equal(t, i == 0 && tc.tls != 0, x.Sent > 1000, "the handshake's bytes are the first exchange's: %d", x.Sent)
				}
			})
		})
	}
}

// Where only HTTP/1.1 is to be spoken it alone is offered, also by what is passed on.
func TestHTTP1Only(t *testing.T) {
	srv := server(t, hello, "h2", "http/1.1")
	tr := newTransport(t, dial.Config{}, 1)
	tr.HTTP1Only = true
	for _, expect := range []string{"", "100-continue"} {
		r := get(srv.URL)
		r.Method, r.Body, r.Deadline = "POST", []byte("body"), time.Hour
		if expect != "" {
			r.Header.Set("Expect", expect)
		}
		var x core.Exchange
		tr.Do(t.Context(), 0, r, &x)
		require.Equal(t, 200, x.Status, x.Err)
		require.Equal(t, core.HTTP11, x.Proto)
	}
}

// A server without ALPN speaks HTTP/1.1.
func TestNoALPN(t *testing.T) {
	srv := httptest.NewUnstartedServer(http.HandlerFunc(hello))
	srv.Config.ErrorLog = log.New(io.Discard, "", 0)
	l := tls.NewListener(srv.Listener, &tls.Config{Certificates: certificates()})
	go func() { _ = srv.Config.Serve(l) }()
	defer srv.Config.Close()
	both(t, func(t *testing.T, newClient func(testing.TB, dial.Config) *client) {
		x := newClient(t, dial.Config{}).request(t.Context(), get("https://"+l.Addr().String()))
		require.Equal(t, core.HTTP11, x.Proto, x.Err)
	})
}

// Field report 1: a self-signed certificate fails with k6's code, the connect time is kept; skipping is per request.
// What answers, but not in TLS, is told from that.
func TestHandshakesThatFail(t *testing.T) {
	secure := server(t, hello, "http/1.1")
	clear := server(t, hello)
	silent := listen(t, func(c net.Conn) { _, _ = c.Read(make([]byte, 8<<10)) })
	both(t, func(t *testing.T, newClient func(testing.TB, dial.Config) *client) {
		c := newClient(t, dial.Config{})
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
			x := c.request(t.Context(), r)
			require.Equal(t, tc.code, x.Code, x.Err)
			require.Equal(t, tc.code == 0, x.Counts)
			require.Positive(t, x.Phases[core.Connecting])
			require.Equal(t, tc.code == 0, x.Duration() > 0)
		}
	})
}

// A server that closes an idle connection costs no failure, and no request twice, also where one may not be repeated.
func TestStaleConnection(t *testing.T) {
	for _, alpn := range [][]string{nil, {"http/1.1"}} {
		for _, method := range []string{"GET", "POST"} {
			t.Run(fmt.Sprint(method, alpn), func(t *testing.T) {
				var requests atomic.Int64
				srv := server(t, func(w http.ResponseWriter, r *http.Request) { requests.Add(1); hello(w, r) }, alpn...)
				c := newClient(t, dial.Config{})
				r := get(srv.URL)
				r.Method = method
				for i := range 20 {
					x := c.request(t.Context(), r)
					require.Equal(t, 200, x.Status, x.Err)
					require.EqualValues(t, i+1, requests.Load())
					require.False(t, x.Anomaly)
					srv.CloseClientConnections()
				}
			})
		}
	}
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
			both(t, func(t *testing.T, newClient func(testing.TB, dial.Config) *client) {
				var requests atomic.Int64
				srv := server(t, func(w http.ResponseWriter, r *http.Request) {
					if requests.Add(1) == 2 {
						panic(http.ErrAbortHandler)
					}
					hello(w, r)
				})
				c := newClient(t, dial.Config{})
				r := get(srv.URL)
				r.Method = tc.method
				if tc.header != "" {
					r.Header.Set(tc.header, "1")
				}
				for i, status := range []int{200, tc.second, 200} {
					x := c.request(t.Context(), r)
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
	c := newClient(t, dial.Config{})
	require.Equal(t, 200, c.request(t.Context(), get("http://"+address)).Status)
	x := c.request(t.Context(), get("http://"+address))
	require.EqualValues(t, core.CodeGeneric, x.Code, x.Err)
	require.Equal(t, 1, x.Retries)
	require.EqualValues(t, 2, conns.Load())
}

// A server that is gone: what is sent again finds no one, and is told as net/http does.
func TestRetryRefused(t *testing.T) {
	both(t, func(t *testing.T, newClient func(testing.TB, dial.Config) *client) {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		defer l.Close()
		go func() {
			c, err := l.Accept()
			if err != nil {
				return
			}
			in := bufio.NewReader(c)
			_, _ = http.ReadRequest(in)
			_, _ = io.WriteString(c, canned)
			_, _ = http.ReadRequest(in)
			time.Sleep(200 * ms)
			l.Close()
			c.Close()
		}()
		c := newClient(t, dial.Config{})
		r := get("http://" + l.Addr().String())
		require.Equal(t, 200, c.request(t.Context(), r).Status)
		x := c.request(t.Context(), r)
		require.EqualValues(t, core.CodeRefused, x.Code, x.Err)
		require.Zero(t, x.Retries)
		require.True(t, x.Counts, "it was out, and waited for")
		require.GreaterOrEqual(t, x.Duration(), 200*ms)
		require.Greater(t, x.Phases[core.Waiting], x.Phases[core.Sending])
		require.LessOrEqual(t, max(x.Phases[core.Blocked], x.Duration()), x.End-x.Start)
		require.Zero(t, x.Phases[core.Connecting])
	})
}

// Where no connection is to be used again none is, whatever the server thinks of it.
func TestNoReuse(t *testing.T) {
	rules, err := dial.Compile(plan.Network{NoConnectionReuse: true})
	require.NoError(t, err)
	both(t, func(t *testing.T, newClient func(testing.TB, dial.Config) *client) {
		var conns atomic.Int64
		c := newClient(t, dial.Config{Rules: rules})
		r := get("http://" + listen(t, answering(canned, false, false, &conns)))
		for i := range 3 {
			require.Equal(t, 200, c.request(t.Context(), r).Status)
			require.EqualValues(t, i+1, conns.Load())
		}
	})
}

// Bytes that crypto/tls has read beyond a response are no response to the next request.
func TestTLSBytesBeyondTheResponse(t *testing.T) {
	var conns atomic.Int64
	config := &tls.Config{Certificates: certificates()}
	c := newClient(t, dial.Config{})
	r := get("https://" + listen(t, func(raw net.Conn) {
		conns.Add(1)
		held := &holding{Conn: raw}
		c := tls.Server(held, config)
		in := bufio.NewReader(c)
		if _, err := http.ReadRequest(in); err != nil {
			return
		}
		_, _ = io.WriteString(c, "") // the handshake is over
		held.all = true
		_, _ = io.WriteString(c, canned)
		_, _ = io.WriteString(c, strings.Replace(canned, "200", "500", 1))
		_, _ = raw.Write(held.rest)
		_, _ = io.Copy(io.Discard, in)
	}))
	for i := range 3 {
		x := c.request(t.Context(), r)
		require.Equal(t, 200, x.Status, x.Err)
		require.Equal(t, i > 0, x.Anomaly)
		require.EqualValues(t, i+1, conns.Load())
	}
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
			for _, method := range []string{"GET", "POST"} {
				var conns atomic.Int64
				more := make(chan bool)
				c := newClient(t, dial.Config{})
				r := get("http://" + listen(t, func(c net.Conn) {
					conns.Add(1)
					in := bufio.NewReader(c)
					_, _ = http.ReadRequest(in)
					_, _ = io.WriteString(c, canned)
					if <-more {
						_, _ = io.WriteString(c, tc.bytes)
					}
					more <- true
					_, _ = io.Copy(io.Discard, in)
				}))
				r.Method = method
				x := c.request(t.Context(), r)
				require.Equal(t, 200, x.Status, x.Err)
				require.False(t, x.Anomaly)
				more <- true
				<-more
				time.Sleep(2 * restless) // it is looked at
				x = c.request(t.Context(), r)
				require.Equal(t, 200, x.Status, x.Err)
				require.Equal(t, tc.anomaly, x.Anomaly)
				require.EqualValues(t, 2, conns.Load())
				more <- false
				<-more
			}
		})
	}
}

// Bytes of TLS on an idle connection that give nothing to read are no reason to close it.
func TestTLSBytesWhileIdle(t *testing.T) {
	var conns atomic.Int64
	early := make(chan bool)
	config := &tls.Config{Certificates: certificates()}
	c := newClient(t, dial.Config{})
	r := get("https://" + listen(t, func(raw net.Conn) {
		conns.Add(1)
		held := &holding{Conn: raw}
		c := tls.Server(held, config)
		in := bufio.NewReader(c)
		_, _ = http.ReadRequest(in)
		_, _ = io.WriteString(c, canned)
		for <-early {
			held.hold = true
			_, _ = io.WriteString(c, canned)
			early <- true
			_, _ = http.ReadRequest(in)
			_, _ = raw.Write(held.rest)
			held.hold = false
		}
	}))
	require.Equal(t, 200, c.request(t.Context(), r).Status)
	for range 3 {
		early <- true
		<-early
		time.Sleep(2 * restless) // it is looked at
		x := c.request(t.Context(), r)
		require.Equal(t, 200, x.Status, x.Err)
		require.False(t, x.Anomaly)
	}
	early <- false
	require.EqualValues(t, 1, conns.Load())
}

// holding is a server's connection that lets go of no more than a write's first bytes while hold is set, and of nothing
// while all is.
type holding struct {
	net.Conn
	hold, all bool
	rest      []byte
}

func (h *holding) Write(p []byte) (int, error) {
	if h.all {
		h.rest = append(h.rest, p...)
		return len(p), nil
	}
	if !h.hold {
		return h.Conn.Write(p)
	}
	h.rest = append([]byte(nil), p[3:]...)
	_, err := h.Conn.Write(p[:3])
	return len(p), err
}

// A VU keeps no more idle connections than k6 does.
func TestIdleConnectionsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := pipenet.New(pipenet.Delays{})
		var open atomic.Int64
		srv := &http.Server{Handler: http.HandlerFunc(hello), ConnState: func(_ net.Conn, s http.ConnState) {
			switch s {
			case http.StateNew:
				open.Add(1)
			case http.StateClosed:
				open.Add(-1)
			}
		}}
		go func() { _ = srv.Serve(n) }()
		defer srv.Close()
		tr := newTransport(t, dial.Config{Resolver: n, Connect: n.Connect}, 1)
		for i := range 2 * maxIdle {
			r := get(fmt.Sprintf("http://a%d.test/", i))
			r.Deadline = time.Hour
			var x core.Exchange
			tr.Do(t.Context(), 0, r, &x)
			require.Equal(t, 200, x.Status, x.Err)
			synctest.Wait()
			require.EqualValues(t, min(i+1, maxIdle), open.Load())
		}
		tr.CloseIdle(0)
		synctest.Wait()
		require.Zero(t, open.Load())
	})
}

// However slowly it comes, it comes: heads and bodies byte by byte, with the same phases over both transports.
func TestTrickle(t *testing.T) {
	answers := []string{
		canned,
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x\r\nde\r\n0\r\n\r\n",
		"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX: 1\r\n\r\n",
	}
	both(t, func(t *testing.T, newClient func(testing.TB, dial.Config) *client) {
		for _, answer := range answers {
			synctest.Test(t, func(t *testing.T) {
				n := pipenet.New(pipenet.Delays{})
				go func() {
					c, err := n.Accept()
					if err != nil {
						return
					}
					defer c.Close()
					_, _ = http.ReadRequest(bufio.NewReader(c))
					for i := range len(answer) {
						time.Sleep(ms)
						_, _ = c.Write([]byte{answer[i]})
					}
				}()
				defer n.Close()
				x := newClient(t, dial.Config{Resolver: n, Connect: n.Connect}).request(t.Context(), get("http://a.test/"))
				require.Equal(t, 200, x.Status, x.Err)
				require.EqualValues(t, len(answer), x.Rcvd)
				require.Equal(t, [core.PhaseCount]time.Duration{core.Waiting: ms, core.Receiving: time.Duration(len(answer)-1) * ms}, x.Phases)
			})
		}
	})
}

// VUs share nothing but the request, which nobody writes to.
func TestManyVUs(t *testing.T) {
	var requests, conns atomic.Int64
	srv := counted(t, &conns, func(w http.ResponseWriter, r *http.Request) { requests.Add(1); hello(w, r) })
	const vus, each = 16, 100
	tr := newTransport(t, dial.Config{}, vus)
	r := get(srv.URL)
	var wg sync.WaitGroup
	var rcvd atomic.Int64
	for vu := range vus {
		wg.Go(func() {
			for range each {
				var x core.Exchange
				tr.Do(t.Context(), vu, r, &x)
				if x.Status != 200 {
					t.Errorf("status %d, %s", x.Status, x.Err)
				}
				rcvd.Add(x.Rcvd)
			}
		})
	}
	wg.Wait()
	require.EqualValues(t, vus*each, requests.Load())
	require.EqualValues(t, vus, conns.Load())
	require.EqualValues(t, 0, rcvd.Load()%(vus*each), "the same bytes for each")
}

package std

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/tls"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/nollagluiz/broadside/engine/internal/core"
	"github.com/nollagluiz/broadside/engine/internal/dial"
	"github.com/nollagluiz/broadside/plan"
)

// server is a real one on loopback; secure servers offer the ALPN protocols given.
func server(t testing.TB, h http.HandlerFunc, alpn ...string) *httptest.Server {
	t.Helper()
	srv := httptest.NewUnstartedServer(h)
	srv.Config.ErrorLog = log.New(io.Discard, "", 0)
	if len(alpn) > 0 {
		srv.EnableHTTP2 = alpn[0] == "h2"
		srv.TLS = &tls.Config{NextProtos: alpn}
		srv.StartTLS()
	} else {
		srv.Config.Protocols = new(http.Protocols)
		srv.Config.Protocols.SetHTTP1(true)
		srv.Config.Protocols.SetUnencryptedHTTP2(true)
		srv.Start()
	}
	t.Cleanup(srv.Close)
	return srv
}

func hello(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "hello") }

// Field report 4: HTTP/2 where the server offers it, and only what was asked for.
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
			var requests atomic.Int64
			srv := server(t, func(w http.ResponseWriter, r *http.Request) { requests.Add(1); hello(w, r) }, tc.alpn...)
			c := newClient(t, dial.Config{})
			r := request(srv.URL)
			r.Version = tc.version
			for i := range 3 {
				x := c.do(t.Context(), r)
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
				require.EqualValues(t, i+1, requests.Load())
			}
		})
	}
}

// A server without ALPN speaks HTTP/1.1; where HTTP/2 is wanted nothing is sent to it.
func TestNoALPN(t *testing.T) {
	srv := httptest.NewUnstartedServer(http.HandlerFunc(hello))
	srv.Config.ErrorLog = log.New(io.Discard, "", 0)
	srv.Config.TLSNextProto = map[string]func(*http.Server, *tls.Conn, http.Handler){}
	l := tls.NewListener(srv.Listener, &tls.Config{Certificates: certificates()})
	go func() { _ = srv.Config.Serve(l) }()
	defer srv.Config.Close()
	url := "https://" + l.Addr().String()
	c := newClient(t, dial.Config{})
	require.Equal(t, core.HTTP11, c.do(t.Context(), request(url)).Proto)
	r := request(url)
	r.Version = plan.HTTP2
	x := c.do(t.Context(), r)
	require.Equal(t, "the server does not speak HTTP/2", x.Err)
	require.Zero(t, x.Status)
}

// Field report 1: a self-signed certificate fails with k6's code, the connect time is kept; skipping is per request.
func TestCertificates(t *testing.T) {
	srv := server(t, hello, "h2")
	c := newClient(t, dial.Config{})
	r := request(srv.URL)
	r.InsecureSkipVerify = false
	x := c.do(t.Context(), r)
	require.EqualValues(t, core.CodeUnknownAuthority, x.Code, x.Err)
	require.Zero(t, x.Status)
	require.False(t, x.Counts)
	require.Positive(t, x.Phases[core.Connecting])
	require.Zero(t, x.Duration())
	require.Equal(t, 200, c.do(t.Context(), request(srv.URL)).Status)
	require.EqualValues(t, core.CodeUnknownAuthority, c.do(t.Context(), r).Code, "a connection made without a check is not used where one is wanted")
}

func TestHTTP2StreamReset(t *testing.T) {
	srv := server(t, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, "h2")
	x := newClient(t, dial.Config{}).do(t.Context(), request(srv.URL))
	require.EqualValues(t, core.CodeHTTP2Stream+1+2, x.Code, x.Err) // INTERNAL_ERROR
	require.True(t, x.Counts)
}

// Field report 10: received bytes are those on the wire; a bomb is not inflated, and no encoding is asked for.
func TestGzipStaysGzip(t *testing.T) {
	var bomb bytes.Buffer
	w := gzip.NewWriter(&bomb)
	_, err := io.CopyN(w, zeros{}, 16<<20)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	var asked atomic.Value
	srv := server(t, func(w http.ResponseWriter, r *http.Request) {
		asked.Store(r.Header.Get("Accept-Encoding"))
		w.Header().Set("Content-Encoding", "gzip")
		_, _ = w.Write(bomb.Bytes())
	})
	c := newClient(t, dial.Config{})
	for _, accept := range []string{"", "gzip"} {
		r := request(srv.URL)
		if accept != "" {
			r.Header.Set("Accept-Encoding", accept)
		}
		x := c.do(t.Context(), r)
		require.Equal(t, 200, x.Status, x.Err)
		require.Equal(t, accept, asked.Load())
		require.Greater(t, x.Rcvd, int64(bomb.Len()))
		require.Less(t, x.Rcvd, int64(bomb.Len())+4<<10)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// A server that closes an idle connection costs no failure, and no request twice.
func TestStaleConnection(t *testing.T) {
	var requests atomic.Int64
	srv := server(t, func(w http.ResponseWriter, r *http.Request) { requests.Add(1); hello(w, r) })
	c := newClient(t, dial.Config{})
	for i := range 20 {
		x := c.do(t.Context(), request(srv.URL))
		require.Equal(t, 200, x.Status, x.Err)
		require.EqualValues(t, i+1, requests.Load())
		srv.CloseClientConnections()
	}
}

// A request that a server drops on a reused connection is sent again, as k6 does: one request, noted as retried.
func TestRetry(t *testing.T) {
	var requests atomic.Int64
	srv := server(t, func(w http.ResponseWriter, r *http.Request) {
		if requests.Add(1) == 2 {
			panic(http.ErrAbortHandler)
		}
		hello(w, r)
	})
	c := newClient(t, dial.Config{})
	for i, retries := range []int{0, 1, 0} {
		x := c.do(t.Context(), request(srv.URL))
		require.Equal(t, 200, x.Status, x.Err)
		require.Equal(t, retries, x.Retries, i)
		require.Equal(t, i != 2, x.Phases[core.Connecting] > 0)
	}
	require.EqualValues(t, 4, requests.Load())
}

// The answer comes while the body still goes: hooks fire late, from other goroutines.
func TestAnswerBeforeTheRequestsEnd(t *testing.T) {
	for _, alpn := range [][]string{nil, {"h2"}} {
		srv := server(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusRequestEntityTooLarge) }, alpn...)
		c := newClient(t, dial.Config{})
		r := request(srv.URL)
		r.Method, r.Body = "POST", make([]byte, 1<<20)
		for range 50 {
			x := c.do(t.Context(), r)
			if x.Status == 0 { // the connection was reset under the rest of the body
				require.Contains(t, []uint16{core.CodeReset, core.CodeBrokenPipe, core.CodeGeneric}, x.Code, x.Err)
				continue
			}
			require.Equal(t, http.StatusRequestEntityTooLarge, x.Status)
			require.GreaterOrEqual(t, x.Duration(), time.Duration(0))
			require.LessOrEqual(t, x.Duration(), x.End-x.Start)
		}
	}
}

// VUs share nothing but the header, which nobody writes to.
func TestManyVUs(t *testing.T) {
	var requests atomic.Int64
	srv := server(t, func(w http.ResponseWriter, r *http.Request) { requests.Add(1); hello(w, r) })
	d := dial.New(dial.Config{})
	defer d.Close()
	const vus, each = 16, 50
	c := New(time.Now(), d, vus)
	defer c.Close()
	r := request(srv.URL)
	var wg sync.WaitGroup
	var rcvd atomic.Int64
	for vu := range vus {
		wg.Go(func() {
			for range each {
				var x core.Exchange
				c.Do(t.Context(), vu, r, &x)
				if x.Status != 200 {
					t.Errorf("status %d, %s", x.Status, x.Err)
				}
				rcvd.Add(x.Rcvd)
			}
		})
	}
	wg.Wait()
	require.EqualValues(t, vus*each, requests.Load())
	require.EqualValues(t, 0, rcvd.Load()%(vus*each), "the same bytes for each")
}

// Field report 30: out of descriptors is the generator's trouble.
func TestOutOfDescriptors(t *testing.T) {
	c := newClient(t, dial.Config{Connect: func(context.Context, string, string) (net.Conn, error) {
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("socket", syscall.EMFILE)}
	}})
	x := c.do(t.Context(), request("http://203.0.113.7/"))
	require.EqualValues(t, 1290, x.Code)
	require.False(t, x.Counts)
}

func BenchmarkExchange(b *testing.B) {
	srv := server(b, hello)
	d := dial.New(dial.Config{})
	defer d.Close()
	c := New(time.Now(), d, 1)
	defer c.Close()
	r := request(srv.URL)
	r.Deadline = time.Hour
	b.ReportAllocs()
	for b.Loop() {
		var x core.Exchange
		c.Do(b.Context(), 0, r, &x)
		if x.Status != 200 {
			b.Fatal(x.Err)
		}
	}
}

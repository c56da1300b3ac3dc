package http1

import (
	"context"
	"crypto/tls"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/nollagluiz/broadside/engine/internal/core"
	"github.com/nollagluiz/broadside/engine/internal/dial"
	"github.com/nollagluiz/broadside/engine/internal/pipenet"
	"github.com/nollagluiz/broadside/engine/internal/std"
	"github.com/nollagluiz/broadside/plan"
)

const ms = time.Millisecond

// client is one VU of a transport.
type client struct {
	do    core.Do
	start time.Time
}

// do carries one exchange; the deadline counts from now.
func (c *client) request(ctx context.Context, r *core.Request) core.Exchange {
	hop := *r
	hop.Deadline += time.Since(c.start)
	var x core.Exchange
	c.do(ctx, 0, &hop, &x)
	return x
}

// newClient returns a VU of this package's transport, with net/http's behind it.
func newClient(t testing.TB, cfg dial.Config) *client {
	t.Helper()
	return &client{newTransport(t, cfg, 1).Do, time.Now()}
}

func newTransport(t testing.TB, cfg dial.Config, vus int) *Transport {
	t.Helper()
	d, start := dial.New(cfg), time.Now()
	behind := std.New(start, d, vus)
	tr := New(Config{Start: start, Dialer: d, VUs: vus, Other: behind})
	t.Cleanup(func() {
		tr.Close()
		behind.Close()
		d.Close()
	})
	return tr
}

// newStdClient returns a VU of net/http's transport.
func newStdClient(t testing.TB, cfg dial.Config) *client {
	t.Helper()
	d, start := dial.New(cfg), time.Now()
	tr := std.New(start, d, 1)
	t.Cleanup(func() {
		tr.Close()
		d.Close()
	})
	return &client{tr.Do, start}
}

// both runs a test over this package's transport and over net/http's: what holds for one holds for the other.
func both(t *testing.T, f func(t *testing.T, newClient func(t testing.TB, cfg dial.Config) *client)) {
	t.Helper()
	t.Run("http1", func(t *testing.T) { f(t, newClient) })
	t.Run("std", func(t *testing.T) { f(t, newStdClient) })
}

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

// comparable is what two transports must have in common of an exchange: not the times, nor the ports in a text.
func comparable(x core.Exchange) core.Exchange {
	x.Start, x.End, x.Phases = 0, 0, [core.PhaseCount]time.Duration{}
	x.Err = regexp.MustCompile(`127.0.0.1:\d+`).ReplaceAllString(x.Err, "address")
	return x
}

// silence keeps net/http's complaints about servers out of the test's output.
func silence(t testing.TB) {
	out := log.Writer()
	log.SetOutput(io.Discard)
	t.Cleanup(func() { log.SetOutput(out) })
}

// listen serves each connection in a goroutine until the test ends.
func listen(t testing.TB, serve func(net.Conn)) (address string) {
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
			go func() {
				defer c.Close()
				serve(c)
			}()
		}
	}()
	t.Cleanup(func() {
		l.Close()
		<-done
	})
	return l.Addr().String()
}

// server is a real one on loopback; secure ones offer the ALPN protocols given.
func server(t testing.TB, h http.HandlerFunc, alpn ...string) *httptest.Server {
	t.Helper()
	return counted(t, new(atomic.Int64), h, alpn...)
}

// counted is a server that counts its connections.
func counted(t testing.TB, conns *atomic.Int64, h http.HandlerFunc, alpn ...string) *httptest.Server {
	t.Helper()
	srv := httptest.NewUnstartedServer(h)
	srv.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			conns.Add(1)
		}
	}
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

// serve runs a handler on a network in memory, with TLS if secure.
func serve(t *testing.T, n *pipenet.Network, secure bool, h http.HandlerFunc) {
	t.Helper()
	srv := &http.Server{Handler: h, ErrorLog: log.New(io.Discard, "", 0)}
	done := make(chan error)
	go func() {
		if secure {
			srv.TLSConfig = &tls.Config{Certificates: certificates(), NextProtos: []string{"h2", "http/1.1"}}
			done <- srv.ServeTLS(n, "", "")
			return
		}
		done <- srv.Serve(n)
	}()
	t.Cleanup(func() {
		srv.Close()
		require.ErrorIs(t, <-done, http.ErrServerClosed)
		time.Sleep(2 * time.Hour) // of the bubble: its sleepers end
	})
}

// certificates are httptest's, for example.com and 127.0.0.1.
func certificates() []tls.Certificate {
	srv := httptest.NewUnstartedServer(nil)
	srv.Listener.Close()
	srv.Listener = pipenet.New(pipenet.Delays{})
	srv.StartTLS()
	defer srv.Close()
	return srv.TLS.Certificates
}

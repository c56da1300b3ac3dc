package engine_test

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/nollagluiz/broadside/engine"
	"github.com/nollagluiz/broadside/plan"
	"github.com/nollagluiz/broadside/summary"
)

func TestTransports(t *testing.T) {
	for _, tc := range []struct {
		transport engine.Transport
		version   plan.HTTPVersion
		proto     string // "": refused
	}{
		{"", plan.HTTPAuto, "HTTP/2.0"},
		{engine.TransportAuto, plan.HTTPAuto, "HTTP/2.0"},
		{engine.TransportAuto, plan.HTTP11, "HTTP/1.1"},
		{engine.TransportAuto, plan.HTTP2, "HTTP/2.0"},
		{engine.TransportHTTP1, plan.HTTPAuto, "HTTP/1.1"},
		{engine.TransportHTTP1, plan.HTTP11, "HTTP/1.1"},
		{engine.TransportHTTP1, plan.HTTP2, ""},
		{engine.TransportStd, plan.HTTPAuto, "HTTP/2.0"},
		{engine.TransportStd, plan.HTTP11, "HTTP/1.1"},
		{engine.TransportStd, plan.HTTP2, "HTTP/2.0"},
	} {
		t.Run(string(tc.transport)+" "+string(tc.version), func(t *testing.T) {
			var proto atomic.Value
			w := newWitness(t, true, true, func(_ http.ResponseWriter, r *http.Request) { proto.Store(r.Proto) })
			s, err := engineOver(t, tc.transport).Run(t.Context(), one(plan.Scenario{
				Executor: plan.PerVUIterations, Iterations: 1, Request: plan.Request{URL: w.URL, HTTPVersion: tc.version, InsecureSkipVerify: true},
			}))
			if tc.proto == "" {
				require.Equal(t, plan.FieldErrors{{Field: "scenarios[0].request.httpVersion", Message: "the transport http1 speaks no HTTP/2"}}, err)
				require.Nil(t, s)
				return
			}
			require.NoError(t, err)
			require.Equal(t, summary.Rate{Total: 1}, s.Rates[summary.HTTPReqFailed], s.Errors)
			require.Equal(t, tc.proto, proto.Load())
		})
	}
	_, err := engine.New(engine.Config{Transport: "quic"})
	require.EqualError(t, err, `engine: unknown transport "quic"; there are auto, http1 and std`)
}

// A server that sends more than was asked for is a server that lost track: each such request counts, and fails not.
func TestAnomalies(t *testing.T) {
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
				_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi, and more")
			}
			_ = c.(*net.TCPConn).CloseWrite()
			_, _ = io.Copy(io.Discard, c)
			c.Close()
		}
	}()
	defer func() { l.Close(); <-done }()
	s, err := engine.Run(t.Context(), one(plan.Scenario{
		Executor: plan.PerVUIterations, Iterations: 3, MaxDuration: time.Minute, Request: plan.Request{URL: "http://" + l.Addr().String()},
	}))
	require.NoError(t, err)
	require.Equal(t, summary.Rate{Total: 3}, s.Rates[summary.HTTPReqFailed], s.Errors)
	require.EqualValues(t, 3, s.Counters[summary.HTTPReqAnomalies])
}

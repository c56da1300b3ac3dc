//go:build integration && linux

package servers

import (
	"maps"
	"net/http"
	"slices"
	"testing"

	"github.com/nollagluiz/broadside/engine"
	"github.com/nollagluiz/broadside/summary"
)

// check holds what the engine measured against what the server logged.
func (r run) check(t *testing.T, log []entry) {
	t.Helper()
	s := r.summary
	requests, retries := s.Counters[summary.HTTPReqs], s.Counters[summary.HTTPReqRetries]
	logged := int64(len(log))
	t.Logf("%d requests, %d retries, %d logged, %d B received, %d B sent", requests, retries, logged, s.Counters[summary.DataReceived], s.Counters[summary.DataSent])
	if logged == 0 {
		t.Fatal("the server logged nothing")
	}
	if r.refuses {
		logged -= retries // a server that reads a request and hangs up has seen it each time
	}
	equal(t, "http_reqs", requests, logged)
	equal(t, "requests of http_req_failed", s.Rates[summary.HTTPReqFailed].Total, logged)
	r.checkStatuses(t, log)
	r.checkIterations(t)
	r.checkBytes(t, log)
	r.checkConnections(t, log)
	if retries > 0 && !r.idle && !r.refuses {
		t.Errorf("%d retries, but the server announces each close", retries)
	}
}

func (r run) checkStatuses(t *testing.T, log []entry) {
	t.Helper()
	s := r.summary
	statuses := map[int]int64{}
	var failed int64
	for _, e := range log {
		statuses[e.status]++
		if e.status >= 400 {
			failed++
		}
	}
	if r.refuses {
		failed -= s.Counters[summary.HTTPReqRetries]
		delete(statuses, 444)
	}
	for status := range statuses {
		equal(t, "responses of status "+http.StatusText(status), s.Statuses[status], statuses[status])
	}
	equal(t, "different statuses", int64(len(s.Statuses)), int64(len(statuses)))
	equal(t, "failures", s.Rates[summary.HTTPReqFailed].True, failed)
	if meant := r.fails || r.refuses; meant != (failed > 0) {
		t.Errorf("%d failures; want some: %v", failed, meant)
	}
	for _, e := range s.Errors {
		if !r.fails && !r.refuses {
			t.Errorf("error %d, %d times: %s", e.Code, e.Count, e.Sample)
		}
	}
}

func (r run) checkIterations(t *testing.T) {
	t.Helper()
	s := r.summary
	iterations := s.Counters[summary.Iterations]
	equal(t, "requests of the iterations", iterations*int64(max(r.hops, 1)), s.Counters[summary.HTTPReqs])
	equal(t, "iterations_interrupted", s.Counters[summary.IterationsInterrupted], 0)
	if r.seconds == 0 {
		equal(t, "iterations", iterations, vus*perVU)
	}
	equal(t, "samples of iteration_duration", int64(s.Trends[summary.IterationDuration].Count()), iterations)
	if !r.refuses {
		equal(t, "samples of http_req_duration", int64(s.Trends[summary.HTTPReqDuration].Count()), s.Counters[summary.HTTPReqs])
	}
}

func (r run) checkBytes(t *testing.T, log []entry) {
	t.Helper()
	s := r.summary
	rcvd, sent := s.Counters[summary.DataReceived], s.Counters[summary.DataSent]
	if r.length > 0 {
		equal(t, "data_received", rcvd, r.length*s.Counters[summary.Iterations])
		return
	}
	var logSent, logRcvd int64
	for _, e := range log {
		if e.sent < 0 {
			return
		}
		logSent += e.sent
		logRcvd += max(e.rcvd, 0)
	}
	if !r.exact {
		// TLS and HTTP/2 put handshakes and frames around what the server logs, and HTTP/2 makes heads smaller.
		off := logSent/20 + int64(len(log))*256 + vus*8192
		if rcvd < logSent-off || rcvd > logSent+off {
			t.Errorf("data_received is %d; want %d within %d", rcvd, logSent, off)
		}
		return
	}
	equal(t, "data_received", rcvd, logSent)
	if logRcvd == 0 {
		return
	}
	// A request that met a closing connection was sent, but not read.
	retried := s.Counters[summary.HTTPReqRetries] * (logRcvd / int64(len(log)))
	if sent < logRcvd || sent > logRcvd+retried {
		t.Errorf("data_sent is %d; want %d to %d", sent, logRcvd, logRcvd+retried)
	}
}

// checkConnections wants a connection for each VU, and more only where the server closes them.
func (r run) checkConnections(t *testing.T, log []entry) {
	t.Helper()
	requests := map[string]int{}
	for _, e := range log {
		if e.conn == "" {
			return
		}
		requests[e.conn]++
	}
	connections := func(want int64) {
		t.Helper()
		got := int64(len(requests))
		// net/http puts a connection back after its user has gone on, who may so find none and open another.
		if r.transport == engine.TransportStd && got > want {
			return
		}
		equal(t, "connections", got, want)
	}
	switch {
	case r.limit > 0:
		if most := slices.Max(slices.Collect(maps.Values(requests))); most > r.limit {
			t.Errorf("%d requests on a connection; the server closes it after %d", most, r.limit)
		}
		connections(vus * int64((len(log)/vus+r.limit-1)/r.limit))
	case r.idle, r.refuses:
		if len(requests) <= vus {
			t.Errorf("%d connections; the server was to close some of those of %d VUs", len(requests), vus)
		}
	default:
		connections(vus)
	}
}

func equal(t *testing.T, what string, got, want int64) {
	t.Helper()
	if got != want {
		t.Errorf("%s: %d; want %d", what, got, want)
	}
}

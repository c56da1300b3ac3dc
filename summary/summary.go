// Package summary says what a run measured: counters, rates, gauges and trends under k6's metric names, the time
// series, the verdict, and the eight fields of the original fleet.
//
// It is pure: no clock, no file, no socket. A Trend is a mergeable histogram (package hist) of nanoseconds, so
// summaries of loops, agents and rounds merge exactly; percentiles are computed only when a field is read. Rates of
// failure are 0..1. A Summary is not safe for concurrent use.
package summary

import (
	"time"

	"github.com/nollagluiz/broadside/summary/hist"
)

// The built-in metrics, by k6's names (k6 v2.2; its documentation, "Built-in metrics").
const (
	HTTPReqs          = "http_reqs"                // counter: requests, each redirect hop one
	HTTPReqFailed     = "http_req_failed"          // rate: true is a failed request
	HTTPReqDuration   = "http_req_duration"        // trend: sending + waiting + receiving
	HTTPReqBlocked    = "http_req_blocked"         // trend: waiting for a connection, DNS, connect and TLS of a new one included
	HTTPReqConnecting = "http_req_connecting"      // trend: TCP connect, 0 on a reused connection
	HTTPReqTLS        = "http_req_tls_handshaking" // trend: 0 on a reused connection
	HTTPReqSending    = "http_req_sending"         // trend
	HTTPReqWaiting    = "http_req_waiting"         // trend: request written to first byte of the response
	HTTPReqReceiving  = "http_req_receiving"       // trend: first byte to the end of the body
	Iterations        = "iterations"               // counter: iterations that went to their end
	IterationDuration = "iteration_duration"       // trend
	DroppedIterations = "dropped_iterations"       // counter: iterations that never began: due without a free VU, or left when the time was over
	DataSent          = "data_sent"                // counter: bytes on the socket, TLS included
	DataReceived      = "data_received"            // counter: bytes on the socket, TLS included, as they come: compressed
	VUs               = "vus"                      // gauge: VUs at work, sampled each second
	VUsMax            = "vus_max"                  // gauge: VUs that were made
)

// Metrics of our own, beside k6's.
const (
	// trend, open models only: http_req_duration from when the request was due, the wait for a connection included. It
	// has the same requests. The first of an iteration is due when the iteration is, the others when they are sent.
	HTTPReqCorrected = "http_req_corrected_duration"

	IterationsInterrupted = "iterations_interrupted" // counter: cut by the hard stop or an abort (k6 has no such metric)
	HTTPReqRetries        = "http_req_retries"       // counter: requests sent again because their idle connection was closed under them; not in http_reqs
	HTTPReqAnomalies      = "http_req_anomalies"     // counter: requests with bytes from the server that none asked for; counted over HTTP/1.1 only
)

// ExpectedDuration is the submetric of the requests that didn't fail; k6 always makes it.
const ExpectedDuration = HTTPReqDuration + "{expected_response:true}"

// Rate counts a yes or no. For http_req_failed, True counts the failures.
type Rate struct{ True, Total int64 }

// Value is the share of True, 0..1; ok is false without a single sample.
func (r Rate) Value() (v float64, ok bool) {
	if r.Total == 0 {
		return 0, false
	}
	return float64(r.True) / float64(r.Total), true
}

// Gauge is a value sampled from time to time. The zero Gauge has no sample.
type Gauge struct {
	Value, Min, Max float64
	N               int64 // samples
}

// Set adds a sample.
func (g *Gauge) Set(v float64) {
	if g.N == 0 {
		g.Min, g.Max = v, v
	}
	g.Value, g.Min, g.Max = v, min(g.Min, v), max(g.Max, v)
	g.N++
}

// ErrorClass counts the requests that failed without, or beside, an HTTP answer, by k6's error code.
type ErrorClass struct {
	Code   int    // k6's error_code: 1000 generic, 1050 time-out, 1101 no such host, 1212 refused, 1000 + an unexpected status, ...
	Count  int64  // requests
	Sample string // one message of them, bounded, without credentials
}

// Summary is what one run, or a merge of runs, measured. Maps are keyed by metric name, that of a submetric as its
// threshold wrote it, "http_reqs{status:200}"; a metric without a sample is absent.
type Summary struct {
	Start      time.Time     // wall clock when the run began: for people, never part of a measurement
	Duration   time.Duration // monotonic, from the start of the first VU to the end of the last
	Counters   map[string]int64
	Rates      map[string]Rate
	Gauges     map[string]Gauge
	Trends     map[string]*hist.Histogram // nanoseconds
	Statuses   map[int]int64              // whole answers by HTTP status
	Unexpected map[int]int64              // of Statuses, those that their requests did not expect
	Broken     int64                      // answers whose head came and whose body didn't; not in Statuses
	Errors     []ErrorClass               // by count, the most first
	Thresholds []ThresholdResult          // of the plan's, in its order
	Limited    string                     // why the generator, and not the target, was the limit, in a sentence; "" if it was not
	Series     Series
}

// New returns an empty summary whose maps are made.
func New(start time.Time) *Summary {
	return &Summary{
		Start:      start,
		Counters:   map[string]int64{},
		Rates:      map[string]Rate{},
		Gauges:     map[string]Gauge{},
		Trends:     map[string]*hist.Histogram{},
		Statuses:   map[int]int64{},
		Unexpected: map[int]int64{},
	}
}

// Snapshot is the state of a run under way. Observers get one each second; it shares nothing with the run.
type Snapshot struct {
	Elapsed    time.Duration // since the start of the first VU
	VUs        int           // at work
	Requests   int64         // since the start
	Failures   int64         // since the start
	Iterations int64         // since the start
	Interval   Bucket        // what came since the snapshot before; At is its start
}

// Fields are the original's eight result fields, and what they rest on. Nil is "no data", which is not 0.
type Fields struct {
	P50, P95, P99, Avg *float64 // ms of http_req_duration; nil without an exchange that counts for latency
	Min, Max           *float64 // ms, as the four before
	ErrorRate          *float64 // 0..1; nil without a request
	RPS                float64  // requests / Duration
	DataReceivedBytes  int64
	Iterations         int64
	Requests, Failures int64
}

// Fields computes the eight fields.
func (s *Summary) Fields() Fields {
	f := Fields{
		DataReceivedBytes: s.Counters[DataReceived],
		Iterations:        s.Counters[Iterations],
		Requests:          s.Counters[HTTPReqs],
		Failures:          s.Rates[HTTPReqFailed].True,
		RPS:               perSecond(s.Counters[HTTPReqs], s.Duration),
	}
	if rate, ok := s.Rates[HTTPReqFailed].Value(); ok {
		f.ErrorRate = &rate
	}
	if t := s.Trends[HTTPReqDuration]; t != nil && t.Count() > 0 {
		ms := func(ns float64) *float64 { v := ns / float64(time.Millisecond); return &v }
		f.P50, f.P95, f.P99 = ms(t.Quantile(0.50)), ms(t.Quantile(0.95)), ms(t.Quantile(0.99))
		f.Avg = ms(t.Mean())
		f.Min, f.Max = ms(float64(t.Min())), ms(float64(t.Max()))
	}
	return f
}

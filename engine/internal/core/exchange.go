// Package core is the engine's pure heart: an Exchange is one request with its response, whoever carried it; a Flow is
// one virtual user's iteration as a state machine; a Shard is where samples are recorded.
//
// Nothing here reads a clock, a socket or a file: time comes in as an offset from the run's monotonic start, so any
// interleaving can be replayed in a test (but the cookie jar asks the wall clock whether a cookie has expired). Hosts
// (packages vus and loop) drive a Flow; transports (std, http1 and loop) fill an Exchange; executors (package pace) say
// who runs when. Redirect hops, cookies, the shared time-out, pauses, back-off, what counts as failed, and recording
// happen in the Flow and nowhere else (ADR 2).
package core

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"github.com/nollagluiz/broadside/plan"
)

// The phases of an exchange, indexes of Exchange.Phases, by k6's names (k6 v2.2, "HTTP request timings").
const (
	Blocked    = iota // asking for a connection to having one; DNS, connect and TLS of a new one included
	Connecting        // TCP connect; 0 on a reused connection
	TLS               // TLS handshake; 0 on a reused connection
	Sending           // end of connect or TLS (a reused connection: getting it) to the request's last byte written
	Waiting           // request written to the first byte of the response, or to the failure if none came
	Receiving         // first byte to the end of the body, or to the failure
	PhaseCount
)

// Proto is the protocol that carried an exchange.
type Proto uint8

// The protocols.
const (
	ProtoNone Proto = iota // no response came
	HTTP10
	HTTP11
	HTTP2
)

// Request is one hop as a transport sends it. A Flow's has no Deadline, which is in its Step: so all VUs can share one.
type Request struct {
	Method             string
	URL                *url.URL
	Host               string      // of the Host header, if other than the URL's
	Header             http.Header // not to be written to by a transport
	Body               []byte
	Deadline           time.Duration // of a Do: the offset at which the exchange times out
	InsecureSkipVerify bool
	Version            plan.HTTPVersion
	// Fixed is the Request of which this one is a copy that differs in the deadline alone, if there is one: it is never
	// written to, so a transport may keep it, and what it made of it. Nil for a request made for one hop.
	Fixed *Request
}

// Exchange is one request and its response, whoever carried it. Times are offsets from the run's monotonic start. A
// failure of the network is a result, not a Go error. The VU owns it and uses it again for its next request.
type Exchange struct {
	Status      int                       // 0: no whole response came
	Code        uint16                    // k6's error code; 0 if none
	Err         string                    // what happened, for people: bounded, without credentials; "" if Code is 0 or 1400..1599
	Proto       Proto                     // of the response head
	TLSVersion  uint16                    // tls.VersionTLS13 and its like; 0 in clear
	Start       time.Duration             // when the transport was asked
	Due         time.Duration             // when the pace wanted it (open models); Start in closed models
	End         time.Duration             // when the body was read, or the failure known
	Phases      [PhaseCount]time.Duration // 0 where it did not happen
	Counts      bool                      // for latency: the response head came, or the request was fully written and then timed out, was reset or cut
	Interrupted bool                      // cut by the hard stop or an abort
	Retries     int                       // times it was sent again because a reused connection was closed before a first byte came
	Anomaly     bool                      // the server sent bytes that no request asked for; net/http says nothing of them
	Sent, Rcvd  int64                     // bytes on this VU's sockets since its Exchange before
	Location    string                    // of a 3xx
	SetCookie   []string                  // raw Set-Cookie lines
}

// Duration is k6's http_req_duration: sending + waiting + receiving.
func (x *Exchange) Duration() time.Duration {
	return x.Phases[Sending] + x.Phases[Waiting] + x.Phases[Receiving]
}

// Do carries one exchange for a VU and fills x; it blocks until the response's last byte is read away, the request
// failed, its deadline passed, or ctx was done (then x.Interrupted is set). It is called by one goroutine per VU at a
// time, for different VUs at once. x comes zeroed but for Due. It must not keep r.
type Do func(ctx context.Context, vu int, r *Request, x *Exchange)

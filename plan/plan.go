// Package plan says what to run: a Plan of scenarios, each an executor that makes virtual users send a request.
//
// It is pure data with its validation: nothing here reads a clock, a file or a socket, and a Plan is safe to share
// between goroutines as long as nobody writes to it. Durations are time.Duration; units stand in a name only where
// JSON meets the outside (package fleet).
//
// A zero field means its default and a negative one means "none", as in net.Dialer: so the literal
// plan.Request{URL: "https://example.org"} is complete. Resolved writes the defaults out.
package plan

import (
	"cmp"
	"fmt"
	"net/http"
	"time"
)

// Defaults of a Plan's fields, those of k6 v2.2 where it has one.
const (
	DefaultTimeout      = 60 * time.Second // of one request, redirect hops and body included
	DefaultGracefulStop = 30 * time.Second // for an iteration under way when its scenario's duration is over
	DefaultMaxRedirects = 10
	DefaultDuration     = 30 * time.Second
	DefaultScenario     = "default"
)

// Bounds that Validate holds.
const (
	MaxVUs         = 10_000
	MinDuration    = time.Second
	MaxDuration    = 24 * time.Hour
	MaxTimeout     = 10 * time.Minute
	MaxPause       = time.Hour
	MaxRedirects   = 100
	MaxBody        = 1 << 20  // bytes
	MaxScript      = 1 << 20  // bytes
	MaxHeaderBytes = 16 << 10 // names and values together
	MaxURL         = 4 << 10  // bytes
	MaxScenarios   = 64
	MaxStages      = 1000
	MaxIterations  = 1_000_000_000
	MaxRate        = 1_000_000 // iterations a second
	MinTimeUnit    = time.Millisecond
	MaxTags        = 64
	MaxTag         = 1 << 10 // bytes of a name, and of a value
)

// Plan is one run's work. Its scenarios run side by side, each from its StartTime.
type Plan struct {
	Name      string // for people: a target's label
	Scenarios []Scenario
	Network   Network // how connections are made; the zero value is k6's defaults
	Share     Share   // which part of the whole this engine runs; the zero value is all of it
	// Script is a k6 script, UTF-8 of at most MaxScript bytes, which then says what an iteration does in place of the
	// scenario's Request; "" for none. VUs and Duration are the one scenario's, whatever its own options say. Only a
	// runner of scripts takes such a plan.
	Script string
	// Thresholds are the limits that the run has to hold, at most MaxThresholds. Without one, at most 5 % of its
	// requests may fail (docs/ADR/0010).
	Thresholds []Threshold
}

// Request is what one iteration sends, and what of the answer counts as a success.
type Request struct {
	Method             string        // "GET" if empty; an RFC 9110 token
	URL                string        // absolute, http or https
	Header             http.Header   // "Host" sets the request's host
	SecretHeaders      []string      // of Header, beside Authorization, Cookie and their like: no redirect takes them to another host
	Body               []byte        // sent as it is, at most MaxBody
	Timeout            time.Duration // redirect hops and body included; 60 s if 0; at most MaxTimeout
	ExpectedStatuses   Statuses      // 200-399 if empty; anything else is a failed request
	MaxRedirects       int           // 10 if 0; negative: a redirect is an answer like any other
	InsecureSkipVerify bool          // take any certificate
	HTTPVersion        HTTPVersion   // HTTPAuto if empty
}

// HTTPVersion is the protocol that a request may speak.
type HTTPVersion string

// The HTTP versions.
const (
	HTTPAuto HTTPVersion = "auto" // ALPN offers h2 and http/1.1 over TLS, HTTP/1.1 in clear: k6's way
	HTTP11   HTTPVersion = "1.1"
	HTTP2    HTTPVersion = "2" // over TLS by ALPN, in clear by prior knowledge (RFC 9113 section 3.3); nothing else is taken
)

// Resolved returns the plan with each default written out; what is negative ("none") stays so. It is idempotent and
// shares no scenario slice with p.
func (p Plan) Resolved() Plan {
	scenarios := make([]Scenario, len(p.Scenarios))
	for i, s := range p.Scenarios {
		scenarios[i] = s.resolved()
	}
	p.Scenarios = scenarios
	p.Network = p.Network.resolved()
	if p.Share.N == 0 {
		p.Share = Share{I: 0, N: 1}
	}
	return p
}

func (r Request) resolved() Request {
	r.Method = cmp.Or(r.Method, http.MethodGet)
	r.Timeout = cmp.Or(r.Timeout, DefaultTimeout)
	r.MaxRedirects = cmp.Or(r.MaxRedirects, DefaultMaxRedirects)
	r.HTTPVersion = cmp.Or(r.HTTPVersion, HTTPAuto)
	if len(r.ExpectedStatuses) == 0 {
		r.ExpectedStatuses = Statuses{{200, 399}}
	}
	return r
}

// End is when the last iteration of a valid plan is cut at the latest, counted from its start.
func (p Plan) End() time.Duration {
	var end time.Duration
	for _, s := range p.Resolved().Scenarios {
		end = max(end, s.End())
	}
	return end
}

// Peak is the most VUs that a valid plan may have at work at once in this share of it. Scenarios count from their start to
// their end with what they may ever have.
func (p Plan) Peak() int {
	p = p.Resolved()
	peak := 0
	for _, begins := range p.Scenarios {
		sum := 0
		for _, s := range p.Scenarios {
			if s.StartTime <= begins.StartTime && begins.StartTime < s.End() {
				sum += p.Share.Of(s.Peak())
			}
		}
		peak = max(peak, sum)
	}
	return peak
}

// Share is one of N parts of a plan: part I of 0..N-1. Of any total, numbered from 0, it has those with number mod N
// equal to I, so the parts add up to the whole for every total.
type Share struct{ I, N int }

// Of is how many of total fall to this share. The zero Share has all.
func (s Share) Of(total int) int {
	if s.N <= 1 {
		return total
	}
	return (total - s.I + s.N - 1) / s.N
}

// String gives "I/N".
func (s Share) String() string { return fmt.Sprintf("%d/%d", s.I, s.N) }

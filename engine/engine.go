// Package engine runs load plans in this process: virtual users send HTTP requests, and a Summary says what they
// measured, under k6's metric names.
//
//	e, err := engine.New(engine.Config{})
//	defer e.Close()
//	s, err := e.Run(ctx, plan.Plan{Scenarios: []plan.Scenario{{
//		VUs: 10, Duration: 30 * time.Second, Request: plan.Request{URL: "https://example.org/"},
//	}}})
//	fmt.Println(summary.Judge(s, err != nil).Message)
//
// An Engine has no global state and may carry many runs at once. It keeps no sample, only distributions: memory grows
// neither with the size of bodies nor with the number of requests.
//
// # What is measured
//
// Time is monotonic. A run lasts from the start of its executors to the end of the last VU. A request is one exchange:
// each redirect hop is one. Its duration is k6's, sending + waiting + receiving: from having a connection to the last
// byte of the body, so without DNS, connect and TLS, which http_req_blocked, http_req_connecting and
// http_req_tls_handshaking hold. Bytes are those on the socket, TLS included, bodies as they come: compressed.
//
// An exchange counts for latency once the head of its response came, or when its request was fully written and then
// timed out, was reset or was cut, with the time waited. A refused connection, a failed lookup, connect or handshake
// counts in http_reqs and http_req_failed only; were it mixed in as 0 ms, as k6 does, a dead target would look fast.
// http_req_duration{expected_response:true} holds the exchanges that did not fail. Without any such exchange a trend is
// absent: no data is not 0.
//
// In an open model, an arrival rate, http_req_corrected_duration holds the same exchanges from when each was due to its
// end: the wait for a connection and all lateness included. Iterations that were due and never began are no latency:
// dropped_iterations counts them, and a run that has some is no measurement of an open model (docs/open-models.md).
//
// Failed is a request with a status outside its ExpectedStatuses or without a whole response. Beyond k6: a request in
// flight at the hard stop counts as failed ("interrupted"), so that a black hole is 100 % failed and not an empty run;
// more redirects than allowed are a failure of the last hop; and a VU whose request got no response starts its next one
// no sooner than a back-off of 10 ms, doubling to 1 s, after it, so that a refused target is not hot-looped.
//
// A plan's thresholds are judged at the end, and each 2 s where they may cut the run. Those with a selector have their
// own submetric in the Summary, merged from what was kept anyway: docs/ADR/0022 says where they differ from k6's.
package engine

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"

	"github.com/nollagluiz/broadside/engine/internal/dial"
	"github.com/nollagluiz/broadside/plan"
	"github.com/nollagluiz/broadside/summary"
)

// ErrClosed is the error of a Run on a closed Engine, and the cause of one that Close cut short.
var ErrClosed = errors.New("engine closed")

// ErrScript is the error of a Run of a plan with a k6 script, which this engine does not run.
var ErrScript = errors.New("the engine does not run k6 scripts")

// Config is how an Engine works. The zero value is complete.
type Config struct {
	Version     string    // in the User-Agent "Broadside/<version>"; "dev" if empty
	DenyPrivate bool      // refuse loopback and private addresses too; link-local and cloud-metadata addresses always are
	Transport   Transport // auto if empty
	// Resolver looks names up; net.DefaultResolver if nil. What it says is kept for the plan's TTL, within one run.
	Resolver Resolver
	// Connect connects to an IP address with port that has passed the deny-list; a net.Dialer if nil. It must honour
	// ctx, and its errors should be those of net.Dialer. With one of your own, goroutines carry all VUs, as event loops
	// need sockets.
	Connect func(ctx context.Context, network, address string) (net.Conn, error)
}

// Resolver looks names up; *net.Resolver is one. Its method may be called concurrently.
type Resolver interface {
	LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
}

// Observer gets a Snapshot each second of a run, and one at its end. Calls for one run never overlap. It must not
// block: while it does, no further snapshot is taken, but load and measurement go on.
type Observer func(summary.Snapshot)

// Engine carries runs. Its methods may be called concurrently.
type Engine struct {
	cfg   Config
	loops loops

	mu     sync.Mutex // guards closed and runs
	closed bool
	runs   map[*run]context.CancelCauseFunc
	wg     sync.WaitGroup
}

// New returns an Engine. Close it when no more runs are wanted.
func New(cfg Config) (*Engine, error) {
	if cfg.Version == "" {
		cfg.Version = "dev"
	}
	for _, c := range cfg.Version {
		if c <= ' ' || c > '~' {
			return nil, errors.New("engine: a version is printable ASCII without spaces")
		}
	}
	if !cfg.Transport.Valid() {
		return nil, fmt.Errorf("engine: unknown transport %.20q; there are auto, http1 and std", string(cfg.Transport))
	}
	return &Engine{cfg: cfg, runs: map[*run]context.CancelCauseFunc{}}, nil
}

// Run makes one run of p, and returns when its last VU has ended. The Summary is the caller's, and is there whenever
// the run began, also with an error. The error is a plan.FieldErrors when p is invalid, ErrScript when it has a script; it
// wraps the cause of ctx, or ErrClosed, when the run was cut short: requests under way are then cut at once. So they are
// when a threshold cuts the run, which is no error: the Summary's Thresholds tell.
func (e *Engine) Run(ctx context.Context, p plan.Plan, observers ...Observer) (*summary.Summary, error) {
	if err := p.Validate(); err != nil {
		return nil, err
	}
	if p.Script != "" {
		return nil, ErrScript
	}
	if err := e.cfg.Transport.check(p); err != nil {
		return nil, err
	}
	r := newRun(e.cfg, &e.loops, p.Resolved(), observers)
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	if !e.begin(r, cancel) {
		return nil, ErrClosed
	}
	defer e.end(r)
	return r.run(ctx)
}

// Run makes one run on an Engine of its own.
func Run(ctx context.Context, p plan.Plan, observers ...Observer) (*summary.Summary, error) {
	e, err := New(Config{})
	if err != nil {
		return nil, err
	}
	defer e.Close()
	return e.Run(ctx, p, observers...)
}

// Close cuts the runs under way and waits for their end. Closing again does nothing.
func (e *Engine) Close() {
	e.mu.Lock()
	e.closed = true
	for _, cancel := range e.runs {
		cancel(ErrClosed)
	}
	e.mu.Unlock()
	e.wg.Wait()
	e.loops.close()
}

func (e *Engine) begin(r *run, cancel context.CancelCauseFunc) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return false
	}
	e.runs[r] = cancel
	e.wg.Add(1)
	return true
}

func (e *Engine) end(r *run) {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.runs, r)
	e.wg.Done()
}

// Denied are the addresses that an Engine refuses to connect to, for a tool that must hold another program to the same.
func Denied(denyPrivate bool) []netip.Prefix { return dial.Denied(denyPrivate) }

func (c Config) dialer(rules *dial.Rules) *dial.Dialer {
	cfg := dial.Config{DenyPrivate: c.DenyPrivate, Rules: rules, Connect: c.Connect}
	if c.Resolver != nil {
		cfg.Resolver = c.Resolver
	}
	return dial.New(cfg)
}

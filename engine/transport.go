package engine

import (
	"context"
	"fmt"
	"time"

	"github.com/nollagluiz/broadside/engine/internal/core"
	"github.com/nollagluiz/broadside/engine/internal/dial"
	"github.com/nollagluiz/broadside/engine/internal/http1"
	"github.com/nollagluiz/broadside/engine/internal/std"
	"github.com/nollagluiz/broadside/plan"
)

// Transport is what carries requests. All give the same results; those after the first are there to compare them.
type Transport string

// The transports.
const (
	TransportAuto  Transport = "auto"  // HTTP/1.1 by event loops (on Linux; else by goroutines), HTTP/2 and what is odd by net/http
	TransportHTTP1 Transport = "http1" // HTTP/1.1 by goroutines; HTTP/2 is not offered, and a plan that asks for it is refused
	TransportStd   Transport = "std"   // net/http alone
)

// Valid tells whether t is a transport. The empty one is TransportAuto.
func (t Transport) Valid() bool {
	switch t {
	case "", TransportAuto, TransportHTTP1, TransportStd:
		return true
	}
	return false
}

// overLoops tells whether event loops carry what they can: they need sockets of the system's.
func (c Config) overLoops() bool {
	return haveLoops && (c.Transport == "" || c.Transport == TransportAuto) && c.Connect == nil
}

// check refuses a plan that t can't carry.
func (t Transport) check(p plan.Plan) error {
	if t != TransportHTTP1 {
		return nil
	}
	var faults plan.FieldErrors
	for i, s := range p.Scenarios {
		if s.Request.HTTPVersion == plan.HTTP2 {
			faults = append(faults, plan.FieldError{
				Field: fmt.Sprintf("scenarios[%d].request.httpVersion", i), Message: "the transport http1 speaks no HTTP/2",
			})
		}
	}
	if len(faults) > 0 {
		return faults
	}
	return nil
}

// carrier is a transport at work for the VUs of one scenario.
type carrier interface {
	Do(ctx context.Context, vu int, r *core.Request, x *core.Exchange)
	CloseIdle(vu int)
	Close()
}

// carrier returns a carrier for VUs 0..vus-1 whose offsets count from start.
func (t Transport) carrier(start time.Time, dialer *dial.Dialer, vus int) carrier {
	net := std.New(start, dialer, vus)
	if t == TransportStd {
		return net
	}
	own := http1.New(http1.Config{Start: start, Dialer: dialer, VUs: vus, Other: net, HTTP1Only: t == TransportHTTP1})
	return &routed{own, net}
}

// routed is our own client, which passes on what it does not carry.
type routed struct {
	*http1.Transport
	net *std.Transport
}

func (r *routed) CloseIdle(vu int) {
	r.Transport.CloseIdle(vu)
	r.net.CloseIdle(vu)
}

func (r *routed) Close() {
	r.Transport.Close()
	r.net.Close()
}

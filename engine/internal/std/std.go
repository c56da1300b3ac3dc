// Package std is a transport over net/http: one http.Transport per virtual user, kept between iterations, as in k6. It
// speaks HTTP/1.1 and HTTP/2, follows no redirect, keeps no cookie, uses no proxy and inflates nothing. Bodies are read
// away through one small shared buffer, so memory grows neither with their size nor with the number of requests.
//
// A request whose idle connection the server closes under it is sent again, as net/http does, and noted as a retry.
//
// Phases are taken by httptrace and, for connecting and TLS, from the connection itself (package dial).
package std

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"sync/atomic"
	"time"

	"github.com/nollagluiz/broadside/engine/internal/core"
	"github.com/nollagluiz/broadside/engine/internal/dial"
	"github.com/nollagluiz/broadside/plan"
)

// maxHeader bounds a response's header, in bytes.
const maxHeader = 128 << 10

// Idle connections of one VU, k6's numbers (v2.2, "batch" and "batchPerHost").
const (
	maxIdle        = 20
	maxIdlePerHost = 6
)

// Transport carries exchanges for the VUs of one scenario. Do may be called for different VUs at once.
type Transport struct {
	start  time.Time
	dialer *dial.Dialer
	vus    []client
}

// New returns a Transport for VUs 0..vus-1 whose offsets count from start. The dialer stays the caller's.
func New(start time.Time, dialer *dial.Dialer, vus int) *Transport {
	t := &Transport{start: start, dialer: dialer, vus: make([]client, vus)}
	for i := range t.vus {
		t.vus[i].dialer = dialer
	}
	return t
}

// Close lets go of idle connections, with TLS's goodbye to the server; the dialer closes what is left. No Do may be under
// way, or come after it.
func (t *Transport) Close() {
	for vu := range t.vus {
		t.CloseIdle(vu)
	}
}

// CloseIdle closes the VU's connections, so that its next exchange opens anew. No Do of the VU may be under way.
func (t *Transport) CloseIdle(vu int) {
	for _, p := range t.vus[vu].pools {
		p.rt.CloseIdleConnections()
	}
}

// Do is a core.Do.
func (t *Transport) Do(ctx context.Context, vu int, r *core.Request, x *core.Exchange) {
	c := &t.vus[vu]
	hop, cancel := context.WithDeadline(ctx, t.start.Add(r.Deadline))
	// It also ends a dial that net/http would let go on for a request to come: a connection belongs to one exchange
	// until it has carried it, or black holes would pile them up.
	defer cancel()

	trace := &trace{began: time.Now()}
	if adopted := c.adopted.Load(); adopted != nil {
		trace.began = adopted.began
	}
	err := c.exchange(hop, r, x, trace)
	end := time.Now()
	c.leave()

	trace.fill(x, end)
	x.Start, x.End = trace.began.Sub(t.start), end.Sub(t.start)
	x.Sent, x.Rcvd = c.counter.Take()
	x.Counts = x.Status != 0 || trace.written()
	if err == nil {
		return
	}
	x.Status = 0
	var failed *dial.Error
	switch {
	case ctx.Err() != nil:
		x.Interrupted = true
	case hop.Err() != nil:
		x.Code, x.Err = core.CodeTimeout, "request timeout"
	default:
		x.Code, x.Err = dial.Classify(err)
	}
	if errors.As(err, &failed) {
		x.Phases[core.Connecting] = failed.Connecting
	}
}

// Adopt gives a connection on which the server chose HTTP/2 to the VU's next Do, which comes at once and to the
// connection's server. The exchange began, at that time, with asking for the connection.
func (t *Transport) Adopt(vu int, conn *tls.Conn, began time.Time) {
	t.vus[vu].adopted.Store(&adopted{conn, began})
}

// adopted is a connection that another transport made.
type adopted struct {
	conn  *tls.Conn
	began time.Time
}

// client is what one VU keeps between its exchanges.
type client struct {
	dialer  *dial.Dialer
	counter dial.Counter
	pools   []pool // one in all but odd scripts
	adopted atomic.Pointer[adopted]
}

// leave closes an adopted connection that no dial asked for.
func (c *client) leave() {
	if a := c.adopted.Swap(nil); a != nil {
		_ = a.conn.Close() // it carried nothing
	}
}

// pool is the connections that may be shared: those made by the same rules.
type pool struct {
	version    plan.HTTPVersion
	skipVerify bool
	rt         *http.Transport
}

// exchange sends r and reads the answer away. What came of the answer is in x, also with an error.
func (c *client) exchange(ctx context.Context, r *core.Request, x *core.Exchange, t *trace) error {
	req := &http.Request{
		Method: r.Method,
		URL:    r.URL,
		Host:   r.Host,
		Header: r.Header,
	}
	if len(r.Body) > 0 {
		req.ContentLength = int64(len(r.Body))
		req.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(r.Body)), nil }
		req.Body, _ = req.GetBody()
	}
	ctx = context.WithValue(httptrace.WithClientTrace(ctx, t.hooks()), exchangeContext{}, ctx)
	resp, err := c.pool(r).RoundTrip(req.WithContext(ctx))
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	x.Status = resp.StatusCode
	x.Proto = proto(resp)
	if resp.TLS != nil {
		x.TLSVersion = resp.TLS.Version
	}
	switch {
	case resp.StatusCode < 100: // net/http reads "099" and "+20" as numbers
		return errors.New("the server answered with no HTTP status")
	case resp.StatusCode == http.StatusSwitchingProtocols:
		return errors.New("the server switched to a protocol that was not asked for")
	case r.Version == plan.HTTP2 && resp.ProtoMajor != 2:
		return errNotHTTP2
	case resp.StatusCode/100 == 3:
		x.Location, x.SetCookie = resp.Header.Get("Location"), resp.Header["Set-Cookie"]
	}
	_, err = io.Copy(io.Discard, resp.Body) // through a pooled buffer of 8 KiB
	return err
}

func proto(resp *http.Response) core.Proto {
	switch {
	case resp.ProtoMajor == 2:
		return core.HTTP2
	case resp.ProtoMajor == 1 && resp.ProtoMinor == 0:
		return core.HTTP10
	}
	return core.HTTP11
}

// pool gives the connections that r may use.
func (c *client) pool(r *core.Request) *http.Transport {
	for i := range c.pools {
		if p := &c.pools[i]; p.version == r.Version && p.skipVerify == r.InsecureSkipVerify {
			return p.rt
		}
	}
	p := pool{version: r.Version, skipVerify: r.InsecureSkipVerify}
	p.rt = c.transport(r.Version, r.InsecureSkipVerify)
	c.pools = append(c.pools, p)
	return p.rt
}

func (c *client) transport(version plan.HTTPVersion, skipVerify bool) *http.Transport {
	var offer []string // by ALPN
	protocols := new(http.Protocols)
	if version != plan.HTTP11 {
		protocols.SetHTTP2(true)
		offer = append(offer, "h2")
	}
	if version != plan.HTTP2 {
		protocols.SetHTTP1(true)
		offer = append(offer, "http/1.1")
	}
	protocols.SetUnencryptedHTTP2(version == plan.HTTP2)
	return &http.Transport{
		Protocols:              protocols,
		DisableCompression:     true,
		DisableKeepAlives:      c.dialer.NoReuse(),
		MaxIdleConns:           maxIdle,
		MaxIdleConnsPerHost:    maxIdlePerHost,
		MaxResponseHeaderBytes: maxHeader,
		ExpectContinueTimeout:  time.Second,
		DialContext: func(ctx context.Context, _, address string) (net.Conn, error) {
			conn, err := c.dialer.Dial(dialContext(ctx), address, &c.counter)
			if err != nil {
				return nil, err // not the nil *Conn
			}
			return conn, nil
		},
		DialTLSContext: func(ctx context.Context, _, address string) (net.Conn, error) {
			host, _, err := net.SplitHostPort(address)
			if err != nil {
				return nil, fmt.Errorf("dial: %w", err)
			}
			return c.dialTLS(dialContext(ctx), address, c.dialer.TLSConfig(host, skipVerify, offer...), version)
		},
	}
}

func (c *client) dialTLS(ctx context.Context, address string, config *tls.Config, version plan.HTTPVersion) (net.Conn, error) {
	if a := c.adopted.Swap(nil); a != nil {
		return a.conn, nil
	}
	conn, err := c.dialer.DialTLS(ctx, address, config, &c.counter)
	if err != nil {
		return nil, err
	}
	if version == plan.HTTP2 && conn.ConnectionState().NegotiatedProtocol != "h2" {
		_ = conn.Close() // it carried nothing
		return nil, errNotHTTP2
	}
	return conn, nil
}

var errNotHTTP2 = errors.New("the server does not speak HTTP/2")

// exchangeContext is the key under which a request's context holds itself: net/http hands a dial the values of the
// request's context, but not its end.
type exchangeContext struct{}

func dialContext(ctx context.Context) context.Context {
	if exchange, ok := ctx.Value(exchangeContext{}).(context.Context); ok {
		return exchange
	}
	return ctx
}

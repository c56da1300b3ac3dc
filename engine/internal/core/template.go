package core

import (
	"net/http"
	"time"

	"github.com/nollagluiz/broadside/plan"
)

// The back-off of a VU after an exchange that got no response: its next attempt starts no sooner than this after the
// last one did, doubling until a response comes. So a refused target is not hot-looped, and one that fails slowly is
// not held up. In an open model the schedule sees to that, and nothing may keep it.
const (
	minBackOff = 10 * time.Millisecond
	maxBackOff = time.Second
)

// Template is a scenario's request, prepared once. Its VUs share it and never write to it.
type Template struct {
	scenario plan.Scenario
	name     string          // of its series
	first    Request         // of each iteration
	max      int             // redirects; negative: none is followed
	secrets  map[string]bool // canonical names of headers that a caller calls secret
}

// NewTemplate prepares the request of a valid, resolved scenario. userAgent is sent where the scenario sets none.
func NewTemplate(s plan.Scenario, userAgent string) (*Template, error) {
	r := s.Request
	u, err := plan.ParseURL(r.URL)
	if err != nil {
		return nil, plan.FieldErrors{{Field: "url", Message: err.Error()}}
	}
	t := &Template{
		scenario: s,
		first: Request{
			Method:             r.Method,
			URL:                bare(u),
			Header:             make(http.Header, len(r.Header)+2),
			Body:               r.Body,
			InsecureSkipVerify: r.InsecureSkipVerify,
			Version:            r.HTTPVersion,
		},
		max:     r.MaxRedirects,
		secrets: map[string]bool{},
	}
	for name, values := range r.Header {
		name = http.CanonicalHeaderKey(name)
		t.first.Header[name] = append(t.first.Header[name], values...)
	}
	t.first.Host = t.first.Header.Get("Host")
	t.first.Header.Del("Host")
	if _, ok := t.first.Header["User-Agent"]; !ok {
		t.first.Header.Set("User-Agent", userAgent)
	}
	if u.User != nil && t.first.Header.Get("Authorization") == "" {
		setBasicAuth(t.first.Header, u.User)
	}
	t.first.Fixed = &t.first
	t.name = t.first.URL.String()
	for _, name := range r.SecretHeaders {
		t.secrets[http.CanonicalHeaderKey(name)] = true
	}
	return t, nil
}

// Request is the first of each iteration.
func (t *Template) Request() *Request { return &t.first }

// Flow returns a VU's Flow: an iteration is the request with its redirect hops, then the pause. It records in shard.
func (t *Template) Flow(shard *Shard) Flow {
	f := &requestFlow{chain: chain{Template: t}, shard: shard}
	f.series = f.seriesOf(t.first.Method)
	return f
}

// requestFlow is the Flow of a Template.
type requestFlow struct {
	chain
	shard   *Shard
	series  *Series // of the first hop's method
	began   time.Duration
	backOff time.Duration // 0 after a response
	rest    time.Duration // no iteration before it
}

// seriesOf is the series of a hop. Hops go by the name of the request that led to them: a server chooses where it
// redirects to, and must not choose how many series we hold.
func (f *requestFlow) seriesOf(method string) *Series {
	return f.shard.Intern(Series{Scenario: f.scenario.Name, Name: f.name, Method: method})
}

func (f *requestFlow) Begin(now time.Duration) Step {
	f.began = now
	return f.send(f.start())
}

// send makes a hop. All of an iteration share one time-out.
func (f *requestFlow) send(r *Request) Step {
	return Step{Verb: Send, Req: r, Until: f.began + f.scenario.Request.Timeout}
}

func (f *requestFlow) Done(now time.Duration, x *Exchange) Step {
	method := f.hop.Method
	var next *Request
	if x.Interrupted {
		x.Status, x.Code, x.Err = 0, CodeInterrupted, "interrupted"
	} else if x.Code == 0 {
		next = f.judge(x)
	}
	f.record(method, x)
	switch {
	case x.Interrupted:
		f.shard.Interrupted()
		return Step{Verb: End}
	case next != nil:
		return f.send(next)
	case f.scenario.Pause > 0:
		return Step{Verb: Wait, Until: now + f.scenario.Pause}
	}
	return f.end(now)
}

// judge gives an answer its code, and the hop that it leads to.
func (f *requestFlow) judge(x *Exchange) *Request {
	next, code, err := f.next(x)
	switch {
	case err != nil:
		x.Code, x.Err = code, err.Error()
	case x.Status >= 400 && !f.scenario.Request.ExpectedStatuses.Contains(x.Status):
		x.Code = CodeStatus + uint16(x.Status)
	}
	return next
}

// record adds x to the shard and sets the back-off. Failed is what k6 calls so: an unexpected status or no response.
func (f *requestFlow) record(method string, x *Exchange) {
	series := f.series
	if method != f.first.Method {
		series = f.seriesOf(method)
	}
	f.shard.Record(series, x.Code != 0 || !f.scenario.Request.ExpectedStatuses.Contains(x.Status), x)
	if x.Proto != ProtoNone || f.scenario.Open() {
		f.backOff, f.rest = 0, 0
		return
	}
	f.backOff = min(max(2*f.backOff, minBackOff), maxBackOff)
	f.rest = x.Start + f.backOff
}

func (f *requestFlow) Woke(now time.Duration) Step { return f.end(now) }

func (f *requestFlow) end(now time.Duration) Step {
	f.shard.Iteration(now - f.began)
	return Step{Verb: End, Until: f.rest}
}

func (f *requestFlow) Cut(time.Duration) { f.shard.Interrupted() }

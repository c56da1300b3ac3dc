package core

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/nollagluiz/broadside/plan"
)

func newFlow(t *testing.T, s plan.Scenario) (Flow, *Shard) {
	t.Helper()
	if s.Request.URL == "" {
		s.Request.URL = "http://a.test/x"
	}
	tpl, err := NewTemplate(plan.Plan{Scenarios: []plan.Scenario{s}}.Resolved().Scenarios[0], "Broadside/test")
	require.NoError(t, err)
	shard := NewShard(false)
	return tpl.Flow(shard), shard
}

// only is the one cell of what a shard took in.
func only(t *testing.T, s *Shard) *Cell {
	t.Helper()
	var cells []*Cell
	for c := range s.Take().Cells() {
		cells = append(cells, c)
	}
	require.Len(t, cells, 1)
	return cells[0]
}

// Field report 16: 200 to 399 are no failure, or what the target says; the code of a status is k6's 1000 + status.
func TestWhatCountsAsFailed(t *testing.T) {
	for _, tc := range []struct {
		name     string
		expected plan.Statuses
		x        Exchange
		failed   bool
		code     uint16
	}{
		{"200", nil, Exchange{Status: 200}, false, 0},
		{"204", nil, Exchange{Status: 204}, false, 0},
		{"304", nil, Exchange{Status: 304}, false, 0},
		{"302 without location", nil, Exchange{Status: 302}, false, 0},
		{"404", nil, Exchange{Status: 404}, true, 1404},
		{"503", nil, Exchange{Status: 503}, true, 1503},
		{"418 expected", plan.Statuses{{Min: 418, Max: 418}}, Exchange{Status: 418}, false, 0},
		{"200 not expected", plan.Statuses{{Min: 418, Max: 418}}, Exchange{Status: 200}, true, 0},
		{"999", nil, Exchange{Status: 999}, true, 1999},
		{"refused", nil, Exchange{Code: CodeRefused}, true, CodeRefused},
		{"interrupted", nil, Exchange{Interrupted: true}, true, CodeInterrupted},
		{"interrupted in its body", nil, Exchange{Status: 200, Interrupted: true}, true, CodeInterrupted},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f, shard := newFlow(t, plan.Scenario{Request: plan.Request{ExpectedStatuses: tc.expected}})
			f.Begin(0)
			require.Equal(t, End, f.Done(time.Second, &tc.x).Verb)
			c := only(t, shard)
			require.Equal(t, tc.failed, c.Failed)
			require.Equal(t, tc.code, c.Code)
		})
	}
}

func TestFirstHop(t *testing.T) {
	f, _ := newFlow(t, plan.Scenario{Request: plan.Request{
		URL:    "https://user:p%40ss@a.test/x?q=1#frag",
		Method: "POST",
		Body:   []byte("b"),
		Header: http.Header{"host": {"virtual.test"}, "x-a": {"1", "2"}},
	}})
	step := f.Begin(3 * time.Second)
	require.Equal(t, Send, step.Verb)
	r := step.Req
	require.Equal(t, "https://a.test/x?q=1", r.URL.String())
	require.Equal(t, "virtual.test", r.Host)
	require.Equal(t, "POST", r.Method)
	require.Equal(t, "b", string(r.Body))
	require.Equal(t, 63*time.Second, step.Until)
	require.Equal(t, http.Header{
		"Authorization": {"Basic dXNlcjpwQHNz"},
		"User-Agent":    {"Broadside/test"},
		"X-A":           {"1", "2"},
	}, r.Header)
}

// Field report 14: each hop is a request in every metric; a loop is a failure; hops share one time-out.
func TestHopsAreRequests(t *testing.T) {
	f, shard := newFlow(t, plan.Scenario{Request: plan.Request{MaxRedirects: 2, Timeout: 5 * time.Second, Method: "POST", Body: []byte("b")}})
	step := f.Begin(time.Second)
	for i, at := range []time.Duration{2 * time.Second, 3 * time.Second} {
		step = f.Done(at, &Exchange{Status: 302, Proto: HTTP11, Location: "/again", Counts: true})
		require.Equal(t, Send, step.Verb, i)
		require.Equal(t, 6*time.Second, step.Until, i)
		require.Equal(t, "GET", step.Req.Method)
		require.Empty(t, step.Req.Body)
	}
	x := &Exchange{Status: 302, Proto: HTTP11, Location: "/again", Counts: true}
	require.Equal(t, Step{Verb: End}, f.Done(4*time.Second, x))
	require.Equal(t, "more than 2 redirects: a redirect loop", x.Err)

	d := shard.Take()
	require.EqualValues(t, 1, d.Iterations)
	require.EqualValues(t, 3*time.Second, d.IterationDuration.Sum())
	var got []Key
	for c := range d.Cells() {
		require.EqualValues(t, 1, c.Requests)
		require.Equal(t, "http://a.test/x", c.Series.Name, "a server can't choose names")
		k := c.Key
		k.Series = &Series{Method: c.Series.Method}
		got = append(got, k)
	}
	require.Equal(t, []Key{
		{Series: &Series{Method: "POST"}, Status: 302, Proto: HTTP11},
		{Series: &Series{Method: "GET"}, Status: 302, Proto: HTTP11},
		{Series: &Series{Method: "GET"}, Status: 302, Proto: HTTP11, Code: CodeRedirectLoop, Failed: true},
	}, got)
}

// An open model keeps its schedule, whatever the target does.
func TestNoBackOffInAnOpenModel(t *testing.T) {
	flow, _ := newFlow(t, plan.Scenario{Executor: plan.ConstantArrivalRate, Rate: 1, PreAllocatedVUs: 1})
	for i := range 5 {
		now := time.Duration(i) * time.Millisecond
		flow.Begin(now)
		require.Equal(t, Step{Verb: End}, flow.Done(now, &Exchange{Code: CodeRefused, Start: now, End: now}))
	}
}

// Field reports 19 and 29: what gets no answer is tried again after 10 ms, doubling to 1 s from start to start, until
// an answer comes.
func TestBackOff(t *testing.T) {
	f, _ := newFlow(t, plan.Scenario{})
	refused := func(start, took time.Duration) time.Duration {
		f.Begin(start)
		step := f.Done(start+took, &Exchange{Start: start, Code: CodeRefused})
		require.Equal(t, End, step.Verb)
		return step.Until - start
	}
	var got []time.Duration
	now := time.Minute
	for range 9 {
		wait := refused(now, time.Millisecond)
		got = append(got, wait)
		now += wait
	}
	ms := time.Millisecond
	require.Equal(t, []time.Duration{10 * ms, 20 * ms, 40 * ms, 80 * ms, 160 * ms, 320 * ms, 640 * ms, time.Second, time.Second}, got)

	f.Begin(now)
	require.Equal(t, Step{Verb: End}, f.Done(now, &Exchange{Start: now, Proto: HTTP11, Status: 500}), "an answer, whatever it says, ends it")
	require.Equal(t, 10*ms, refused(now, 0))
	f.Begin(now)
	require.Equal(t, Step{Verb: End}, f.Done(now, &Exchange{Start: now, Proto: HTTP11, Code: CodeGeneric}), "and so does one whose body broke off")
	require.Equal(t, 10*ms, refused(now, 0))
	require.Less(t, refused(now, 30*time.Second), 30*time.Second, "what failed slowly is not held up")
}

func TestPause(t *testing.T) {
	f, shard := newFlow(t, plan.Scenario{Pause: 3 * time.Second})
	f.Begin(time.Second)
	require.Equal(t, Step{Verb: Wait, Until: 5 * time.Second}, f.Done(2*time.Second, &Exchange{Status: 200, Proto: HTTP11}))
	require.Equal(t, Step{Verb: End}, f.Woke(5*time.Second))
	d := shard.Take()
	require.EqualValues(t, 4*time.Second, d.IterationDuration.Sum(), "the pause lies inside the iteration, as k6's sleep")

	f.Begin(5 * time.Second)
	f.Done(6*time.Second, &Exchange{Status: 200})
	f.Cut(7 * time.Second)
	d = shard.Take()
	require.Zero(t, d.Iterations)
	require.EqualValues(t, 1, d.Interrupted)
}

// Field report 13: a request in flight at the hard stop is a failed one, with the time waited and its bytes; its
// iteration is interrupted.
func TestInterruptedRequestCounts(t *testing.T) {
	f, shard := newFlow(t, plan.Scenario{Pause: time.Second})
	f.Begin(0)
	x := &Exchange{Interrupted: true, Counts: true, Sent: 70, Rcvd: 5}
	x.Phases[Waiting] = 4 * time.Second
	require.Equal(t, Step{Verb: End}, f.Done(4*time.Second, x))
	d := shard.Take()
	require.Zero(t, d.Iterations)
	require.EqualValues(t, 1, d.Interrupted)
	require.EqualValues(t, 70, d.Sent)
	require.EqualValues(t, 5, d.Rcvd)
	c := d.order[0]
	require.True(t, c.Failed)
	require.EqualValues(t, CodeInterrupted, c.Code)
	require.EqualValues(t, 4*time.Second, c.Duration.Sum())
}

// VUs share a Template: what one does never shows in another.
func TestTemplateIsShared(t *testing.T) {
	tpl, err := NewTemplate(plan.Plan{Scenarios: []plan.Scenario{{Request: plan.Request{URL: "http://a.test/", Method: "POST", Body: []byte("b")}}}}.Resolved().Scenarios[0], "x")
	require.NoError(t, err)
	a, b := tpl.Flow(NewShard(false)), tpl.Flow(NewShard(false))
	a.Begin(0)
	a.Done(0, &Exchange{Status: 302, Location: "http://b.test/", SetCookie: []string{"s=1"}})
	r := b.Begin(0).Req
	require.Equal(t, "POST", r.Method)
	require.Equal(t, "http://a.test/", r.URL.String())
	require.Equal(t, http.Header{"User-Agent": {"x"}}, r.Header)
}

func TestTemplateRefusesABadURL(t *testing.T) {
	_, err := NewTemplate(plan.Scenario{Request: plan.Request{URL: "user:secret@host"}}, "x")
	require.ErrorAs(t, err, &plan.FieldErrors{})
	require.NotContains(t, err.Error(), "secret")
}

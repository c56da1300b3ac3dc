package agent

import (
	"bytes"
	"context"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sirupsen/logrus"

	"github.com/nollagluiz/broadside/fleet"
	"github.com/nollagluiz/broadside/plan"
	"github.com/nollagluiz/broadside/summary"
	"github.com/nollagluiz/broadside/summary/hist"
)

// world is an agent with its dashboard, in a bubble.
type world struct {
	t         *testing.T
	d         *dashboard
	transport *http.Transport
	agent     *Agent
	log       *logBuffer
	stop      func() time.Duration // ends the agent as a signal does, and says how long it took
	booted    time.Time
}

// logBuffer is a log that a test can read while it is written.
type logBuffer struct {
	mu   sync.Mutex // guards text
	text bytes.Buffer
}

func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *logBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// inWorld runs f in a bubble in which an agent works for a dashboard; prepare may change both beforehand.
func inWorld(t *testing.T, prepare func(*dashboard, *Config), f func(w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		d := newDashboard(t)
		w := &world{t: t, d: d, transport: d.serve(), log: &logBuffer{}}
		log := logrus.New()
		log.SetOutput(w.log)
		log.SetLevel(logrus.DebugLevel)
		cfg := Config{
			DashboardURL: "http://dashboard.test/", Secret: testSecret, Name: "k6agent-0", InstanceID: "first",
			Runner: fakeRun, Transport: w.transport, Log: log,
		}
		if prepare != nil {
			prepare(d, &cfg)
		}
		agent, err := New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		w.agent, w.booted = agent, time.Now()
		w.stop = sync.OnceValue(start(agent))
		defer w.stop()
		f(w)
	})
}

// start runs an agent; the func that it returns stops it and waits.
func start(a *Agent) func() time.Duration {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); a.Run(ctx) }()
	return func() time.Duration {
		began := time.Now()
		cancel()
		<-done
		return time.Since(began)
	}
}

// sleep lets the bubble's time pass and everything settle.
func (w *world) sleep(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// startsOf are the times since the boot, by the agent's clock, at which runs of a target began, in order of receipt.
func (w *world) startsOf(target string) []time.Duration {
	var out []time.Duration
	for _, r := range w.d.results() {
		if r.TargetID == target {
			out = append(out, r.StartedAt.Add(-w.d.skew).Sub(w.booted))
		}
	}
	return out
}

// site is a valid target.
func site(id string) fleet.Target {
	t := fleet.NewTarget()
	t.ID, t.URL, t.Label, t.VUs, t.Revision = id, "http://site.test/", id, 2, 1
	return t
}

// fakeRun is a Runner that takes a plan's duration, or until it is cut, and answers with a request each second.
func fakeRun(ctx context.Context, p plan.Plan, _ func(summary.Snapshot)) (summary.Outcome, error) {
	timer := time.NewTimer(p.Scenarios[0].Duration)
	defer timer.Stop()
	began := time.Now()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
	return summary.Judge(fakeSummary(time.Since(began)), ctx.Err() != nil), nil
}

func fakeSummary(took time.Duration) *summary.Summary {
	s := summary.New(time.Now())
	s.Duration = took
	n := int64(took / time.Second)
	s.Counters[summary.HTTPReqs] = n
	s.Counters[summary.Iterations] = n
	s.Counters[summary.DataReceived] = 100 * n
	s.Rates[summary.HTTPReqFailed] = summary.Rate{Total: n}
	s.Statuses[200] = n
	latency := hist.New(hist.Fine)
	for i := range n {
		latency.Record(int64(10 * time.Millisecond))
		s.Series.Add(summary.Bucket{At: time.Duration(i) * time.Second, Requests: 1, Iterations: 1, VUs: 1, Duration: latency})
	}
	s.Trends[summary.HTTPReqDuration] = latency
	return s
}

package agent

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nollagluiz/broadside/engine"
	"github.com/nollagluiz/broadside/summary"
)

// The Runner over the real engine: the outcome of a run that ends, one that is cut, and one that can't be made.
func TestEmbedded(t *testing.T) {
	var served atomic.Int64
	site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		served.Add(1)
		w.Write([]byte("hello"))
	}))
	defer site.Close()
	e, err := engine.New(engine.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	run := Embedded(e)
	target := brisk("a")
	target.URL, target.DurationS, target.PauseMs = site.URL, 1, 10
	p, err := target.Plan()
	if err != nil {
		t.Fatal(err)
	}

	var seen atomic.Int64
	out, err := run(t.Context(), p, func(s summary.Snapshot) { seen.Store(s.Requests) })
	if err != nil || out.Verdict != summary.OK {
		t.Fatalf("outcome %s %q, %v", out.Verdict, out.Message, err)
	}
	if n := out.Summary.Counters[summary.HTTPReqs]; n == 0 || n != served.Load() || n != seen.Load() {
		t.Errorf("%d requests measured, %d served, %d observed; want them equal", n, served.Load(), seen.Load())
	}

	p.Scenarios[0].Duration = time.Hour
	ctx, cancel := context.WithCancelCause(t.Context())
	out, err = run(ctx, p, func(summary.Snapshot) { cancel(errAborted) })
	if err != nil || out.Verdict != summary.Aborted || out.Summary == nil {
		t.Errorf("cut: %s, %v; want aborted with its summary", out.Verdict, err)
	}

	p.Scenarios[0].VUs = -1
	if out, err = run(t.Context(), p, nil); err == nil || out.Summary != nil {
		t.Errorf("invalid: %+v, %v; want an error alone", out, err)
	}
	e.Close()
	p.Scenarios[0].VUs = 1
	if _, err = run(t.Context(), p, nil); !errors.Is(err, engine.ErrClosed) {
		t.Errorf("closed: %v", err)
	}
}

package k6exec

import (
	"context"
	"fmt"
	"io"
	"os"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/nollagluiz/broadside/plan"
	"github.com/nollagluiz/broadside/summary"
)

// ended is what a run that goes on beside the test gave.
type ended struct {
	out summary.Outcome
	err error
}

func goRun(ctx context.Context, r *Runner, p plan.Plan) <-chan ended {
	c := make(chan ended, 1)
	go func() {
		out, err := r.Run(ctx, p, nil)
		c <- ended{out, err}
	}()
	return c
}

// A run whose context is done is over within 2 s, whatever k6 does.
func TestAbort(t *testing.T) {
	for _, c := range []struct {
		name    string
		b       behaviour
		message string
		k6      bool
		fast    bool // it doesn't wait for the grace
	}{
		{"k6 still tells", behaviour{Hang: true, OnTerm: "summary", Stdout: "sigterm.json", Stderr: "sigterm.json.stderr", Exit: 105}, "The run was aborted after 27905 requests.", true, true},
		{"k6 dies of the signal", behaviour{Hang: true}, "The run was aborted and left no summary.", false, true},
		{"a stubborn k6", behaviour{Hang: true, OnTerm: "ignore"}, "The run was aborted and left no summary.", false, false},
		{"a stubborn k6 with a child that holds its output", behaviour{Hang: true, OnTerm: "ignore", Grandchild: "session"}, "The run was aborted and left no summary.", false, false},
		{"a dying k6 with a child that holds its output", behaviour{Hang: true, Grandchild: "group"}, "The run was aborted and left no summary.", false, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			l := listen(t)
			c.b.Report, c.b.Log = l.address(), startedLog()
			for _, file := range []*string{&c.b.Stdout, &c.b.Stderr} {
				if *file != "" {
					*file = recorded(t, *file)
				}
			}
			r := runner(t, Config{Path: fake(t, c.b)})
			if c.b.Grandchild == "session" {
				r.limits.hurry = defaultLimits().hurry
			}
			r.limits.abortGrace = time.Second // of a machine that is busy, so that the bound of 2 s holds
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			run := goRun(ctx, r, aPlan())
			k6 := []life{l.next()}
			if c.b.Grandchild != "" {
				k6 = append(k6, l.next())
			}
			began := time.Now()
			cancel()
			got := <-run
			took := time.Since(began)
			if got.err != nil || got.out.Verdict != summary.Aborted || got.out.Message != c.message || (got.out.K6 != nil) != c.k6 {
				t.Errorf("got %+v, %v; want aborted: %s", got.out, got.err, c.message)
			}
			if took > 2*time.Second || (took < r.limits.abortGrace) != c.fast {
				t.Errorf("it took %v; the grace is %v", took, r.limits.abortGrace)
			}
			for _, p := range k6 {
				if p.name == "k6" || c.b.Grandchild == "group" {
					p.waitEnd()
				}
			}
		})
	}
}

// TestDeadlines: a k6 that hangs is stopped, first kindly.
func TestDeadlines(t *testing.T) {
	short := limits{probe: time.Minute, init: 100 * time.Millisecond, slack: -1900*time.Millisecond - 30*time.Second, hooks: time.Nanosecond, grace: 300 * time.Millisecond, abortGrace: time.Minute, drain: time.Minute, hurry: time.Minute}
	patient := short
	patient.init, patient.slack = time.Minute, -time.Minute-30*time.Second-1900*time.Millisecond
	listening := patient // long enough for k6 to trap the signal
	listening.slack += 4900 * time.Millisecond
	const loading = "k6 had not loaded the script after 100ms; on some syntax it hangs for ever."
	const overrun = "k6 had not ended after 100ms and was stopped."
	for _, c := range []struct {
		name    string
		limits  limits
		b       behaviour
		message string
		k6      bool
	}{
		{"silent", short, behaviour{Hang: true}, loading, false},
		{"loading", short, behaviour{Hang: true, Log: loadingLog()}, loading, false},
		{"loading, and stubborn", short, behaviour{Hang: true, OnTerm: "ignore", Log: loadingLog()}, loading, false},
		{"running", patient, behaviour{Hang: true, Log: startedLog()}, overrun, false},
		{"running, and stubborn", patient, behaviour{Hang: true, OnTerm: "ignore", Log: startedLog()}, overrun, false},
		{"running, and it tells", listening, behaviour{Hang: true, OnTerm: "summary", Stdout: recorded(t, "sigterm.json"), Stderr: recorded(t, "sigterm.json.stderr"), Exit: 105, Log: startedLog()}, "k6 had not ended after 5s and was stopped.", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := runner(t, Config{Path: fake(t, c.b)})
			r.limits = c.limits
			out, err := r.Run(t.Context(), aPlan(), nil)
			if err != nil || out.Verdict != summary.Error || out.Message != c.message || (out.K6 != nil) != c.k6 {
				t.Errorf("got %+v, %v; want error: %s", out, err, c.message)
			}
		})
	}
}

// A deadline that passes while k6 is being stopped gives it no more time.
func TestNoSecondGrace(t *testing.T) {
	l := listen(t)
	r := runner(t, Config{Path: fake(t, behaviour{Report: l.address(), Hang: true, OnTerm: "ignore"})})
	r.limits.grace, r.limits.abortGrace = time.Minute, 400*time.Millisecond
	r.limits.init, r.limits.slack = 200*time.Millisecond, 0
	p, err := start(command{path: r.cfg.Path, args: []string{"run"}, stdout: io.Discard, stderr: io.Discard, drain: time.Second, hurry: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	l.next()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	began := time.Now()
	r.watch(ctx, p, &log{}, nil, job{})
	if took := time.Since(began); took > 30*time.Second {
		t.Errorf("it took %v", took)
	}
}

// A script has the time that k6 gives it: its graceful stop is k6's own, and it may have a setup and a teardown.
func TestLengthOfScript(t *testing.T) {
	r := runner(t, Config{Path: "k6"})
	for _, c := range []struct {
		name     string
		script   string
		graceful time.Duration
		want     time.Duration
		whole    time.Duration
	}{
		{"a plan", "", time.Second, 3 * time.Second, 93 * time.Second},
		{"a plan without graceful stop", "", -1, 2 * time.Second, 92 * time.Second},
		{"a script", "x", time.Second, 32 * time.Second, 242 * time.Second},
		{"a script with a long graceful stop", "x", time.Minute, 62 * time.Second, 272 * time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := aPlan()
			p.Script, p.Scenarios[0].GracefulStop = c.script, c.graceful
			j, err := r.newJob(p, version{2, 2, 0})
			if err != nil || j.length != c.want || j.hooks != (c.script != "") {
				t.Errorf("got %v, hooks %v, %v; want %v", j.length, j.hooks, err, c.want)
			}
			if got := r.limits.whole(j); got != c.whole {
				t.Errorf("the whole run may take %v; want %v", got, c.whole)
			}
		})
	}
}

// TestFloods: however much k6 prints, little of it is kept, and what is no summary stops it.
func TestFloods(t *testing.T) {
	for _, c := range []struct {
		name    string
		b       behaviour
		verdict summary.Verdict
		message string
	}{
		{"stderr", behaviour{FloodStderr: 256, Stdout: recorded(t, "plain.flat-p99.json")}, summary.OK, "21677 requests, 0 % failed."},
		{"stdout", behaviour{FloodStdout: 1 << 20}, summary.Error, "k6 printed more than the 2097152 bytes that a summary may have, and was stopped."},
		{"garbage", behaviour{FloodStdout: 1}, summary.Error, "k6 ended well: read k6 summary: invalid character 'x' looking for beginning of value."},
	} {
		t.Run(c.name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			out, err := runner(t, Config{Path: fake(t, c.b)}).Run(t.Context(), aPlan(), nil)
			runtime.ReadMemStats(&after)
			if err != nil || out.Verdict != c.verdict || out.Message != c.message {
				t.Errorf("got %+v, %v; want %s: %s", out, err, c.verdict, c.message)
			}
			// Growing to 2 MiB and reading that takes less; the flood is more.
			if grown := after.TotalAlloc - before.TotalAlloc; grown > 64<<20 {
				t.Errorf("%d MiB were allocated", grown>>20)
			}
		})
	}
}

// A process that k6 leaves behind does not hold the run, and one of its group ends with it.
func TestGrandchild(t *testing.T) {
	for _, where := range []string{"group", "session"} {
		t.Run(where, func(t *testing.T) {
			l := listen(t)
			b := behaviour{Report: l.address(), Grandchild: where, Stdout: recorded(t, "plain.flat-p99.json")}
			r := runner(t, Config{Path: fake(t, b)})
			if where == "session" {
				r.limits.drain = defaultLimits().drain
			}
			out, err := r.Run(t.Context(), aPlan(), nil)
			if err != nil || out.Verdict != summary.OK {
				t.Fatalf("got %+v, %v", out, err)
			}
			if where == "group" {
				l.next().waitEnd()
				return
			}
			k6, child := l.next(), life{}
			if child = k6; k6.name == "k6" {
				child = l.next()
			}
			child.conn.Close()
		})
	}
}

// TestCrash: how k6 is said to have ended.
func TestCrash(t *testing.T) {
	crash := t.TempDir() + "/stderr"
	if err := os.WriteFile(crash, []byte("panic: runtime error: index out of range\n\ngoroutine 1 [running]:\nmain.main()\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name    string
		b       behaviour
		message string
	}{
		{"SIGKILL", behaviour{Signal: 9}, "k6 was killed, most likely because memory ran out."},
		{"another signal", behaviour{Signal: 1}, "k6 was ended by a signal (hangup)."},
		{"a panic", behaviour{Exit: 2, Stderr: crash}, "k6 ended with exit code 2, whose meaning is not known: panic: runtime error: index out of range."},
		{"a strange code", behaviour{Exit: 200}, "k6 ended with exit code 200, whose meaning is not known."},
		{"nothing said", behaviour{}, "k6 ended well but printed no summary."},
	} {
		t.Run(c.name, func(t *testing.T) {
			out, err := runner(t, Config{Path: fake(t, c.b)}).Run(t.Context(), aPlan(), nil)
			if err != nil || out.Verdict != summary.Error || out.Message != c.message || out.K6 != nil {
				t.Errorf("got %+v, %v; want error: %s", out, err, c.message)
			}
		})
	}
}

func TestConcurrentRuns(t *testing.T) {
	r := runner(t, Config{Path: fake(t, behaviour{Stdout: recorded(t, "plain.flat-p99.json"), FloodStderr: 1})})
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if out, err := r.Run(t.Context(), aPlan(), nil); err != nil || out.Verdict != summary.OK {
				t.Errorf("got %+v, %v", out, err)
			}
			if s := r.Status(); s.Version != "v2.2.0" || s.Error != "" {
				t.Errorf("status %+v", s)
			}
		})
	}
	wg.Wait()
}

// beAgent is a process that makes a run.
func beAgent(path string) int {
	r, err := New(Config{Path: path, TmpDir: os.Getenv(agentTmpEnv)})
	if err == nil {
		_, err = r.Run(context.Background(), aPlan(), nil)
	}
	fmt.Fprintln(os.Stderr, err)
	return 1
}

// TestDiesWithAgent: on Linux (killAgent waits for its end) k6 does not outlive an agent that is killed.
func TestDiesWithAgent(t *testing.T) {
	if runtime.GOOS != "linux" {
		return
	}
	l := listen(t)
	path := fake(t, behaviour{Report: l.address(), Hang: true, OnTerm: "ignore", Log: startedLog()})
	killAgent(t, l, path, "")
}

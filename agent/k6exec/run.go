package k6exec

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/nollagluiz/broadside/plan"
	"github.com/nollagluiz/broadside/summary"
)

// Run makes one run of p, a plan with a script or without, and says how it ended; it is an agent.Runner. observe is never
// called: k6 tells what it has measured at its end only. When ctx is done k6 is stopped, and Run returns within 2 s, with what
// was measured until then if k6 still tells. An error means that k6 could not be run.
func (r *Runner) Run(ctx context.Context, p plan.Plan, _ func(summary.Snapshot)) (summary.Outcome, error) {
	if err := p.Validate(); err != nil {
		return summary.Outcome{}, err
	}
	k6, err := r.probe(ctx)
	if err != nil {
		return summary.Outcome{}, err
	}
	j, err := r.newJob(p, k6.version)
	var refused refusal
	switch {
	case errors.As(err, &refused):
		return summary.Outcome{Verdict: summary.Error, Message: sentence(string(refused))}, nil
	case err != nil:
		return summary.Outcome{}, err
	case j.script == "":
		return summary.Outcome{Verdict: summary.NoRequests, Message: "No VU of the plan falls to this part of it."}, nil
	}
	e, err := r.execute(ctx, k6, j)
	if err != nil {
		r.failed(err)
		return summary.Outcome{}, err
	}
	secret := secretsOf(p)
	e.words, e.request = secret.hide(e.words, 1), secret.hide(e.request, 1)
	out := e.outcome()
	out.Message = shorten(secret.hide(out.Message, 4), maxMessage) // a shorter secret would riddle our own words
	return out, nil
}

// execute runs k6 to its end.
func (r *Runner) execute(ctx context.Context, k6 *binary, j job) (ending, error) {
	out := &head{most: summary.MaxK6}
	logged := &log{}
	c := command{path: k6.path, args: append(j.args, "--summary-export", "stdout", "-"), env: j.env, stdin: j.script, stdout: out, stderr: logged, drain: r.limits.drain, hurry: r.limits.hurry}
	read := func() ([]byte, error) { return out.bytes, nil }
	if !k6.version.printsSummary() {
		dir, err := newRunDir(r.cfg.TmpDir, j.script)
		if err != nil {
			return ending{}, fmt.Errorf("k6 %v needs temporary files: %w", k6.version, err)
		}
		defer dir.remove()
		c.args, c.stdin, c.stdout, read = append(j.args, "--summary-export", dir.summary(), dir.script()), "", io.Discard, dir.readSummary
	}
	flooded := make(chan struct{})
	out.full = func() { close(flooded) }
	began := time.Now()
	p, err := start(c)
	if err != nil {
		return ending{}, fmt.Errorf("start k6 at %s: %w", r.cfg.Path, err)
	}
	e := r.watch(ctx, p, logged, flooded, j)
	took := time.Since(began)
	e.words, e.request = logged.words(), logged.lastRequest()
	e.code = p.state().ExitCode()
	e.signal, e.killed = killedBy(p.state())
	data, err := read()
	switch {
	case e.cut == cutFlooding:
	case err != nil:
		e.err = err
	case len(data) > 0:
		e.k6, e.err = summary.ReadK6(data)
	}
	if e.k6 != nil && e.k6.Duration == 0 {
		e.k6.Duration, e.k6.Estimated = took, true
	}
	return e, nil
}

// watch waits for the end of k6, and brings it about when it is time: SIGTERM, upon which k6 still tells what it has
// measured, and SIGKILL when that does not help. (A second SIGTERM would make k6 drop its summary.)
func (r *Runner) watch(ctx context.Context, p *child, logged *log, flooded <-chan struct{}, j job) ending {
	var e ending
	limit := r.limits.whole(j)
	loading, over, patience := time.NewTimer(r.limits.init), time.NewTimer(limit), time.NewTimer(0)
	patience.Stop()
	stop := func(why cut, limit, grace time.Duration) {
		if e.cut == notCut {
			e.cut, e.limit = why, limit
			p.terminate()
		}
		patience.Reset(grace)
	}
	done := ctx.Done()
	for {
		select {
		case <-p.ended:
			return e
		case <-done:
			done = nil
			stop(cutAborted, 0, r.limits.abortGrace)
		case <-flooded:
			flooded = nil
			stop(cutFlooding, 0, 0)
		case <-loading.C:
			if e.cut == notCut && logged.loading() {
				stop(cutLoading, r.limits.init, r.limits.grace)
			}
		case <-over.C:
			if e.cut == notCut {
				stop(cutOverrun, limit, r.limits.grace)
			}
		case <-patience.C:
			p.kill()
		}
	}
}

package oneshot

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/nollagluiz/broadside/plan"
	"github.com/nollagluiz/broadside/summary"
)

// lineEvery is the time between two lines of progress where there is no terminal.
const lineEvery = 5 * time.Second

// barWidth is that of the bar, in characters.
const barWidth = 30

// progress tells of a run under way: a bar that redraws itself on a terminal, a line each 5 s elsewhere. It is not safe
// for concurrent use.
type progress struct {
	w        io.Writer
	terminal bool
	duration time.Duration // that iterations may begin in
	total    int64         // iterations that there will be; 0 if nobody knows
	next     time.Duration // of a line
	drawn    bool
}

func newProgress(w io.Writer, p plan.Plan, terminal bool) *progress {
	return &progress{w: w, terminal: terminal, duration: length(p), total: int64(p.Scenarios[0].Iterations), next: lineEvery}
}

// observe is an engine.Observer.
func (p *progress) observe(s summary.Snapshot) {
	if p.terminal {
		done := float64(s.Elapsed) / float64(p.duration)
		if p.total > 0 {
			done = max(done, float64(s.Iterations)/float64(p.total))
		}
		done = min(done, 1)
		filled := int(done * barWidth)
		// \x1b[K clears what a longer line before has left.
		fmt.Fprintf(p.w, "\r[%s%s] %3.0f %%  %s\x1b[K", strings.Repeat("=", filled), strings.Repeat("-", barWidth-filled), 100*done, p.text(s))
		p.drawn = true
		return
	}
	if s.Elapsed < p.next {
		return
	}
	p.next = s.Elapsed.Truncate(lineEvery) + lineEvery
	fmt.Fprintln(p.w, p.text(s))
}

func (p *progress) text(s summary.Snapshot) string {
	text := fmt.Sprintf("%v / %v  %d VUs  %d requests", s.Elapsed.Truncate(time.Second), p.duration, s.VUs, s.Requests)
	if s.Failures > 0 {
		text += fmt.Sprintf("  %d failed", s.Failures)
	}
	if d := s.Interval.Duration; d != nil && d.Count() > 0 {
		text += fmt.Sprintf("  p95 %v", time.Duration(d.Quantile(0.95)).Round(10*time.Microsecond))
	}
	return text
}

// end leaves the cursor on a line of its own.
func (p *progress) end() {
	if p.drawn {
		fmt.Fprintln(p.w)
	}
}

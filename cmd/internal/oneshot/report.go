package oneshot

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/nollagluiz/broadside/summary"
	"github.com/nollagluiz/broadside/summary/hist"
)

// nameWidth is the column of the metrics' names.
const nameWidth = 28

// report writes what a person wants to know at the end of a run: the metrics by k6's names, the classes of errors, and
// the verdict with its sentence.
func report(w io.Writer, out summary.Outcome) error {
	var b strings.Builder
	s := out.Summary
	row := func(name, format string, args ...any) {
		fmt.Fprintf(&b, "  %s %s\n", name+strings.Repeat(".", max(nameWidth-len(name), 0))+":", fmt.Sprintf(format, args...))
	}
	counter := func(name string) {
		row(name, "%d  %.2f/s", s.Counters[name], perSecond(float64(s.Counters[name]), s.Duration))
	}
	trendOf := func(title, name string) {
		if t := s.Trends[name]; t != nil && t.Count() > 0 {
			row(title, "avg=%s min=%s med=%s max=%s p(90)=%s p(95)=%s p(99)=%s", span(t.Mean()), span(float64(t.Min())),
				span(t.Quantile(0.5)), span(float64(t.Max())), span(t.Quantile(0.9)), span(t.Quantile(0.95)), span(t.Quantile(0.99)))
		}
	}
	trend := func(name string) { trendOf(name, name) }
	failed := s.Rates[summary.HTTPReqFailed]
	fmt.Fprintln(&b, "\nHTTP")
	trend(summary.HTTPReqDuration)
	if failed.True > 0 {
		trendOf("{expected_response:true}", summary.ExpectedDuration)
	}
	for _, name := range []string{summary.HTTPReqBlocked, summary.HTTPReqConnecting,
		summary.HTTPReqTLS, summary.HTTPReqSending, summary.HTTPReqWaiting, summary.HTTPReqReceiving} {
		trend(name)
	}
	if rate, ok := failed.Value(); ok {
		row(summary.HTTPReqFailed, "%.2f%%  %d out of %d", 100*rate, failed.True, failed.Total)
	}
	counter(summary.HTTPReqs)
	fmt.Fprintln(&b, "\nExecution")
	trend(summary.IterationDuration)
	counter(summary.Iterations)
	if n := s.Counters[summary.IterationsInterrupted]; n > 0 {
		row(summary.IterationsInterrupted, "%d", n)
	}
	row(summary.VUsMax, "%.0f", s.Gauges[summary.VUsMax].Max)
	fmt.Fprintln(&b, "\nNetwork")
	for _, name := range []string{summary.DataReceived, summary.DataSent} {
		n := float64(s.Counters[name])
		row(name, "%s  %s/s", size(n), size(perSecond(n, s.Duration)))
	}
	if len(s.Errors) > 0 {
		fmt.Fprintln(&b, "\nErrors")
		for _, e := range s.Errors {
			fmt.Fprintf(&b, "  %d x code %d %s\n", e.Count, e.Code, e.Sample)
		}
	}
	fmt.Fprintf(&b, "\nVerdict: %s. %s\n", out.Verdict, out.Message)
	fmt.Fprintf(&b, "Percentiles are off by at most %.1f %% of their value, phases by at most %.1f %%.\n", bound(hist.Fine), bound(hist.Coarse))
	_, err := io.WriteString(w, b.String())
	return err
}

// bound is the relative error of a resolution, in percent (package hist).
func bound(b hist.Bits) float64 { return 100 / float64(int(2)<<b) }

func perSecond(n float64, d time.Duration) float64 {
	if d <= 0 {
		return 0
	}
	return n / d.Seconds()
}

// span writes nanoseconds with three digits or so.
func span(ns float64) string {
	d := time.Duration(ns)
	for _, unit := range []time.Duration{time.Second, time.Millisecond, time.Microsecond} {
		if d >= unit {
			return d.Round(unit / 100).String()
		}
	}
	return d.String()
}

// size writes bytes in powers of 1,000, as k6 does.
func size(n float64) string {
	units := []string{"B", "kB", "MB", "GB", "TB"}
	i := 0
	for ; n >= 1000 && i < len(units)-1; i++ {
		n /= 1000
	}
	if i == 0 {
		return fmt.Sprintf("%.0f B", n)
	}
	return fmt.Sprintf("%.1f %s", n, units[i])
}

package engine

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/nollagluiz/broadside/engine/internal/core"
	"github.com/nollagluiz/broadside/summary"
	"github.com/nollagluiz/broadside/summary/hist"
)

// maxErrors bounds the error classes of a Summary.
const maxErrors = 32

// phaseMetrics are the trends of an exchange's phases.
var phaseMetrics = [core.PhaseCount]string{
	core.Blocked:    summary.HTTPReqBlocked,
	core.Connecting: summary.HTTPReqConnecting,
	core.TLS:        summary.HTTPReqTLS,
	core.Sending:    summary.HTTPReqSending,
	core.Waiting:    summary.HTTPReqWaiting,
	core.Receiving:  summary.HTTPReqReceiving,
}

// collector grows a run's Summary and series from what the shards took in since the tick before: nothing else is kept.
type collector struct {
	summary *summary.Summary
	errors  map[int]summary.ErrorClass

	elapsed  time.Duration  // of the tick being collected
	interval summary.Bucket // from the tick before to this one
	working  int
	made     int
}

func newCollector(start time.Time) *collector {
	return &collector{summary: summary.New(start), errors: map[int]summary.ErrorClass{}}
}

// begin opens the tick at an offset from the run's start. planned is how many VUs there are from that start.
func (c *collector) begin(elapsed time.Duration, planned int) {
	c.interval = summary.Bucket{At: c.elapsed, Duration: hist.New(hist.Coarse)}
	c.elapsed, c.working, c.made = elapsed, 0, planned
}

// vus adds a scenario's VUs: at work now, at work at the most since the tick before, and made beyond the planned ones.
func (c *collector) vus(working, peak, made int) {
	c.working += working
	c.interval.VUs += peak
	c.made += made
}

// add merges what a shard took in.
func (c *collector) add(d *core.Delta) {
	for cell := range d.Cells() {
		c.addCell(cell)
	}
	c.count(summary.Iterations, d.Iterations)
	c.count(summary.IterationsInterrupted, d.Interrupted)
	c.count(summary.HTTPReqRetries, d.Retries)
	c.count(summary.HTTPReqAnomalies, d.Anomalies)
	c.count(summary.DataSent, d.Sent)
	c.count(summary.DataReceived, d.Rcvd)
	c.merge(summary.IterationDuration, &d.IterationDuration)
	c.interval.Iterations += d.Iterations
}

func (c *collector) addCell(cell *core.Cell) {
	n := cell.Requests
	c.count(summary.HTTPReqs, n)
	failed := c.summary.Rates[summary.HTTPReqFailed]
	failed.Total += n
	c.interval.Requests += n
	if cell.Failed {
		failed.True += n
		c.interval.Failures += n
	} else {
		c.merge(summary.ExpectedDuration, &cell.Duration)
	}
	c.summary.Rates[summary.HTTPReqFailed] = failed
	c.merge(summary.HTTPReqDuration, &cell.Duration)
	c.merge(summary.HTTPReqCorrected, &cell.Corrected)
	c.interval.Duration.Merge(&cell.Duration)
	for i, name := range phaseMetrics {
		c.merge(name, &cell.Phases[i])
	}
	if cell.Status != 0 {
		c.summary.Statuses[int(cell.Status)] += n
	}
	if cell.Code != 0 {
		class := c.errors[int(cell.Code)]
		class.Code = int(cell.Code)
		class.Count += n
		class.Sample = cmp.Or(class.Sample, cell.Err, statusText(cell.Status))
		c.errors[class.Code] = class
	}
}

func statusText(status uint16) string {
	return fmt.Sprintf("HTTP status %d %s", status, http.StatusText(int(status)))
}

// count adds to a counter; one without a sample is absent.
func (c *collector) count(name string, n int64) {
	if n != 0 {
		c.summary.Counters[name] += n
	}
}

// merge adds to a trend; one without a sample is absent.
func (c *collector) merge(name string, h *hist.Histogram) {
	if h.Count() == 0 {
		return
	}
	trend := c.summary.Trends[name]
	if trend == nil {
		trend = hist.New(h.Resolution())
		c.summary.Trends[name] = trend
	}
	trend.Merge(h)
}

// snapshot closes the tick: it samples the gauges, adds the interval to the series and gives the state so far.
func (c *collector) snapshot() summary.Snapshot {
	// The last interval, a sliver after the last full second, is no sample of the gauges unless it is the only one.
	if vus := c.summary.Gauges[summary.VUs]; vus.N == 0 || c.elapsed-c.interval.At >= tick/2 {
		vus.Set(float64(c.interval.VUs))
		c.summary.Gauges[summary.VUs] = vus
		made := c.summary.Gauges[summary.VUsMax]
		made.Set(float64(c.made))
		c.summary.Gauges[summary.VUsMax] = made
	}
	if c.interval.Duration.Count() == 0 {
		c.interval.Duration = nil
	}
	c.summary.Series.Add(c.interval)
	failed := c.summary.Rates[summary.HTTPReqFailed]
	return summary.Snapshot{
		Elapsed:    c.elapsed,
		VUs:        c.working,
		Requests:   failed.Total,
		Failures:   failed.True,
		Iterations: c.summary.Counters[summary.Iterations],
		Interval:   c.interval,
	}
}

// finish gives the Summary; the collector is done.
func (c *collector) finish() *summary.Summary {
	c.summary.Duration = c.elapsed
	for _, class := range c.errors {
		c.summary.Errors = append(c.summary.Errors, class)
	}
	slices.SortFunc(c.summary.Errors, func(a, b summary.ErrorClass) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Code, b.Code))
	})
	c.summary.Errors = c.summary.Errors[:min(len(c.summary.Errors), maxErrors)]
	return c.summary
}

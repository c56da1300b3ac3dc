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
	summary    *summary.Summary
	submetrics submetrics
	errors     map[int]summary.ErrorClass

	elapsed  time.Duration      // of the tick being collected
	interval summary.Bucket     // from the tick before to this one
	working  int                // VUs
	gauges   map[string]float64 // of the tick
}

func newCollector(start time.Time, parts submetrics) *collector {
	return &collector{summary: summary.New(start), submetrics: parts, errors: map[int]summary.ErrorClass{}, gauges: map[string]float64{}}
}

// begin opens the tick at an offset from the run's start.
func (c *collector) begin(elapsed time.Duration) {
	c.interval = summary.Bucket{At: c.elapsed, Duration: hist.New(hist.Coarse)}
	c.elapsed, c.working = elapsed, 0
	c.summary.Duration = elapsed
	clear(c.gauges)
}

// vus adds a scenario's VUs: at work now, at work at the most since the tick before, and made so far.
func (c *collector) vus(of samples, working, peak, made int) {
	c.working += working
	c.interval.VUs += peak
	for name := range c.submetrics.names(summary.VUs, of) {
		c.gauges[name] += float64(peak)
	}
	for name := range c.submetrics.names(summary.VUsMax, of) {
		c.gauges[name] += float64(made)
	}
}

// add merges what the shard of a scenario took in.
func (c *collector) add(of samples, d *core.Delta) {
	for cell := range d.Cells() {
		c.addCell(samples{of.scenario, cell})
	}
	c.count(of, summary.Iterations, d.Iterations)
	c.count(of, summary.IterationsInterrupted, d.Interrupted)
	c.count(of, summary.HTTPReqRetries, d.Retries)
	c.count(of, summary.HTTPReqAnomalies, d.Anomalies)
	c.count(of, summary.DataSent, d.Sent)
	c.count(of, summary.DataReceived, d.Rcvd)
	c.merge(of, summary.IterationDuration, &d.IterationDuration)
	c.interval.Iterations += d.Iterations
}

func (c *collector) addCell(of samples) {
	cell := of.cell
	n, failed := cell.Requests, int64(0)
	if cell.Failed {
		failed = n
	}
	c.interval.Requests += n
	c.interval.Failures += failed
	c.interval.Duration.Merge(&cell.Duration)
	c.count(of, summary.HTTPReqs, n)
	c.rate(of, summary.HTTPReqFailed, failed, n)
	c.merge(of, summary.HTTPReqDuration, &cell.Duration)
	c.merge(of, summary.HTTPReqCorrected, &cell.Corrected)
	for i, name := range phaseMetrics {
		c.merge(of, name, &cell.Phases[i])
	}
	status := int(cell.Status)
	switch {
	case status != 0:
		c.summary.Statuses[status] += n
		if cell.Failed && (cell.Code == 0 || int(cell.Code) == core.CodeStatus+status) {
			c.summary.Unexpected[status] += n
		}
	case cell.Proto != core.ProtoNone:
		c.summary.Broken += n
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
func (c *collector) count(of samples, metric string, n int64) {
	if n == 0 {
		return
	}
	for name := range c.submetrics.names(metric, of) {
		c.summary.Counters[name] += n
	}
}

// rate adds to a rate; one without a sample is absent.
func (c *collector) rate(of samples, metric string, yes, n int64) {
	if n == 0 {
		return
	}
	for name := range c.submetrics.names(metric, of) {
		r := c.summary.Rates[name]
		c.summary.Rates[name] = summary.Rate{True: r.True + yes, Total: r.Total + n}
	}
}

// merge adds to a trend; one without a sample is absent.
func (c *collector) merge(of samples, metric string, h *hist.Histogram) {
	if h.Count() == 0 {
		return
	}
	for name := range c.submetrics.names(metric, of) {
		trend := c.summary.Trends[name]
		if trend == nil {
			trend = hist.New(h.Resolution())
			c.summary.Trends[name] = trend
		}
		trend.Merge(h)
	}
}

// snapshot closes the tick: it samples the gauges, adds the interval to the series and gives the state so far.
func (c *collector) snapshot() summary.Snapshot {
	// The last interval, a sliver after the last full second, is no sample of the gauges unless it is the only one.
	if c.summary.Gauges[summary.VUs].N == 0 || c.elapsed-c.interval.At >= tick/2 {
		for name, v := range c.gauges {
			g := c.summary.Gauges[name]
			g.Set(v)
			c.summary.Gauges[name] = g
		}
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
	for _, class := range c.errors {
		c.summary.Errors = append(c.summary.Errors, class)
	}
	slices.SortFunc(c.summary.Errors, func(a, b summary.ErrorClass) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Code, b.Code))
	})
	c.summary.Errors = c.summary.Errors[:min(len(c.summary.Errors), maxErrors)]
	return c.summary
}

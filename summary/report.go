package summary

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/nollagluiz/broadside/summary/hist"
)

// ReportOptions choose how a report looks. The zero value is plain text.
type ReportOptions struct {
	Color      bool     // ANSI colours, for a terminal
	TrendStats []string // what is told of trends, as ParseTrendStats gives it; avg to p(99) if nil
}

// WriteReport writes what a person wants to know at the end of a run: the metrics by k6's names, in the sections that
// k6's own report has, the classes of errors, and the verdict with its sentence. The words and the layout are ours.
// Samples of errors may hold what a target sent; nothing in them can steer a terminal.
func WriteReport(w io.Writer, o Outcome, opts ReportOptions) error {
	r := report{opts: opts}
	if o.Summary != nil {
		r.summary(o.Summary)
	}
	mark, color := "✓", green
	if o.Verdict != OK {
		mark, color = "✗", red
	}
	fmt.Fprintf(&r.text, "%s %s\n", r.paint(color, mark+" Verdict: "+string(o.Verdict)+"."), printable(o.Message))
	_, err := io.WriteString(w, r.text.String())
	return err
}

// The attributes of ECMA-48 that a report uses.
const (
	bold  = "1"
	red   = "31"
	green = "32"
)

type report struct {
	opts ReportOptions
	text strings.Builder
	rows []row // of it
}

// row is one metric: its name, and cells that stand under those of the rows around it.
type row struct {
	name  string
	cells []string
}

// nameWidth is the column at which values begin.
const nameWidth = 30

func (r *report) paint(attribute, s string) string {
	if !r.opts.Color {
		return s
	}
	return "\x1b[" + attribute + "m" + s + "\x1b[0m"
}

func (r *report) add(name string, cells ...string) { r.rows = append(r.rows, row{name, cells}) }

// end writes the section, its columns aligned among rows with as many cells, and begins the next. An empty one is left
// out.
func (r *report) end(title string) {
	rows := r.rows
	r.rows = nil
	if len(rows) == 0 {
		return
	}
	fmt.Fprintln(&r.text, r.paint(bold, title))
	widths := map[[2]int]int{}
	for _, row := range rows {
		for i, cell := range row.cells {
			at := [2]int{len(row.cells), i}
			widths[at] = max(widths[at], utf8.RuneCountInString(cell))
		}
	}
	for _, row := range rows {
		line := "  " + row.name + strings.Repeat(".", max(nameWidth-utf8.RuneCountInString(row.name), 0)) + ":"
		for i, cell := range row.cells {
			line += fmt.Sprintf(" %-*s", widths[[2]int{len(row.cells), i}], cell)
		}
		fmt.Fprintln(&r.text, strings.TrimRight(line, " "))
	}
	fmt.Fprintln(&r.text)
}

func (r *report) summary(s *Summary) {
	http := []string{HTTPReqDuration, HTTPReqCorrected, HTTPReqBlocked, HTTPReqConnecting, HTTPReqTLS, HTTPReqSending,
		HTTPReqWaiting, HTTPReqReceiving, HTTPReqFailed, HTTPReqs, HTTPReqRetries, HTTPReqAnomalies}
	execution := []string{IterationDuration, Iterations, DroppedIterations, IterationsInterrupted, DroppedIterations, VUs, VUsMax}
	network := []string{DataReceived, DataSent}
	builtIn := slices.Concat(http, execution, network)
	custom := map[string]bool{}
	submetrics := map[string][]string{} // sorted, by the name of their parent
	all := slices.Concat(names(s.Counters), names(s.Rates), names(s.Gauges), names(s.Trends))
	slices.Sort(all)
	for _, name := range slices.Compact(all) {
		parent, _, sub := strings.Cut(name, "{")
		switch {
		case sub:
			submetrics[parent] = append(submetrics[parent], name)
		case !slices.Contains(builtIn, name):
			custom[name] = true
		}
	}
	r.thresholds(s.Thresholds)
	for _, section := range []struct {
		title string
		names []string
	}{{"CUSTOM", names(custom)}, {"HTTP", http}, {"EXECUTION", execution}, {"NETWORK", network}} {
		for _, name := range section.names {
			r.metric(s, name, name)
			for _, sub := range submetrics[name] {
				r.metric(s, sub, "  "+sub[len(name):])
			}
		}
		r.end(section.title)
	}
	r.errors(s)
	if t := s.Trends[HTTPReqDuration]; t != nil && t.Count() > 0 {
		fmt.Fprintf(&r.text, "Percentiles are off by at most %.1f %% of their value, those of phases by %.1f %%.\n\n",
			errorBound(t.Resolution()), errorBound(hist.Coarse))
	}
}

// thresholds lists each under its metric.
func (r *report) thresholds(results []ThresholdResult) {
	if len(results) == 0 {
		return
	}
	fmt.Fprintln(&r.text, r.paint(bold, "THRESHOLDS"))
	metric := ""
	for _, t := range slices.SortedStableFunc(slices.Values(results), func(a, b ThresholdResult) int { return cmp.Compare(a.Metric, b.Metric) }) {
		if t.Metric != metric {
			metric = t.Metric
			fmt.Fprintf(&r.text, "  %s\n", printable(metric))
		}
		mark, color, cut := "✓", green, ""
		if !t.OK {
			mark, color = "✗", red
		}
		if t.Cut {
			cut = ", cut the run"
		}
		fmt.Fprintf(&r.text, "    %s %s (%s%s)\n", r.paint(color, mark), printable(t.Expression), t.value(), cut)
	}
	fmt.Fprintln(&r.text)
}

// metric adds a row for what was sampled under a name. The durations of expected responses are a row only where some
// requests failed: elsewhere they repeat those of all.
func (r *report) metric(s *Summary, name, title string) {
	named := func(t ThresholdResult) bool { return t.Metric == name }
	if name == ExpectedDuration && s.Rates[HTTPReqFailed].True == 0 && !slices.ContainsFunc(s.Thresholds, named) {
		return
	}
	title = printable(title)
	if t := s.Trends[name]; t != nil && t.Count() > 0 {
		r.add(title, r.trend(t)...)
	}
	if rate := s.Rates[name]; rate.Total > 0 {
		r.add(title, percent(rate), fmt.Sprintf("%d out of %d", rate.True, rate.Total))
	}
	if g := s.Gauges[name]; g.N > 0 {
		r.add(title, number(g.Value), "min="+number(g.Min), "max="+number(g.Max))
	}
	n := s.Counters[name]
	switch {
	case contains(name) == "data":
		r.add(title, size(float64(n)), size(perSecond(n, s.Duration))+"/s")
	case n > 0 || name == HTTPReqs || name == Iterations:
		r.add(title, fmt.Sprint(n), fmt.Sprintf("%.2f/s", perSecond(n, s.Duration)))
	}
}

func (r *report) trend(t *hist.Histogram) (cells []string) {
	stats := r.opts.TrendStats
	if stats == nil {
		stats = reportedStats()
	}
	for _, stat := range stats {
		v, write := trendStat(t, stat), span
		if stat == "count" {
			write = number
		}
		cells = append(cells, stat+"="+write(v))
	}
	return cells
}

// errors lists the classes with their share of all requests.
func (r *report) errors(s *Summary) {
	if len(s.Errors) == 0 {
		return
	}
	fmt.Fprintln(&r.text, r.paint(bold, "ERRORS"))
	for _, e := range s.Errors {
		share := percent(Rate{True: e.Count, Total: s.Counters[HTTPReqs]})
		fmt.Fprintf(&r.text, "  %s %d (%s) code %d: %s\n", r.paint(red, "✗"), e.Count, share, e.Code, cmp.Or(printable(e.Sample), "no message"))
	}
	fmt.Fprintln(&r.text)
}

func names[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// errorBound is the relative error of a resolution, in percent (package hist).
func errorBound(b hist.Bits) float64 { return 100 / float64(int(2)<<b) }

// printable replaces what a terminal would act on.
func printable(s string) string {
	return strings.Map(func(c rune) rune {
		if unicode.IsPrint(c) {
			return c
		}
		return '?'
	}, s)
}

// percent cuts to two decimals, as k6 does, so that only all is 100 %; and what is less than they show is not 0 %.
func percent(r Rate) string {
	if r.Total <= 0 {
		return "0.00%"
	}
	cut := r.True * 10_000 / r.Total
	if cut == 0 && r.True > 0 {
		return "<0.01%"
	}
	return fmt.Sprintf("%d.%02d%%", cut/100, cut%100)
}

// number writes a gauge, which most often is whole.
func number(v float64) string { return fmt.Sprintf("%.10g", v) }

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
	unit := "B"
	for _, larger := range []string{"kB", "MB", "GB", "TB"} {
		if n < 999.95 { // which would be written as 1000.0
			break
		}
		n, unit = n/1000, larger
	}
	if unit == "B" {
		return fmt.Sprintf("%.0f B", n)
	}
	return fmt.Sprintf("%.1f %s", n, unit)
}

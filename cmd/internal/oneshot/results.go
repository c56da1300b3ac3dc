package oneshot

import (
	"fmt"
	"io"
	"os"

	"github.com/nollagluiz/broadside/summary"
)

// The destinations of a summary that are no file, by k6's names; "-", which k6 takes for a file's name, is stdout too.
const (
	toStdout = "stdout"
	toStderr = "stderr"
)

// destination tells the streams from files.
func destination(name string) string {
	if name == "-" {
		return toStdout
	}
	return name
}

// export is a summary in one of k6's shapes.
type export struct {
	flag   string
	to     string // a file or a stream; nowhere if empty
	encode func(*summary.K6) ([]byte, error)
}

// exports are the summaries that are asked for.
func (o options) exports() []export {
	var out []export
	for _, e := range []export{
		{"--summary-export", destination(o.summaryExport), (*summary.K6).Flat},
		{"--summary-json", destination(o.summaryJSON), (*summary.K6).HandleSummary},
	} {
		if e.to != "" {
			out = append(out, e)
		}
	}
	return out
}

// writers are where the results of a run go, and what is told beside them. A stream that a summary goes to has it alone.
type writers struct {
	stdout, stderr io.Writer // for summaries, and errors
	report         io.Writer
	notes          io.Writer // progress and remarks
}

func (o options) writers(cfg Config) writers {
	w := writers{stdout: cfg.Stdout, stderr: cfg.Stderr, report: cfg.Stdout, notes: cfg.Stderr}
	if o.summaryMode == summaryDisabled {
		w.report = io.Discard
	}
	for _, e := range o.exports() {
		switch e.to {
		case toStdout:
			w.report = io.Discard
		case toStderr:
			w.notes = io.Discard
		}
	}
	return w
}

// write gives the report and the summaries, each whatever became of the others. Without a report, a verdict that is not
// ok is still a remark.
func (o options) write(w writers, out summary.Outcome) (errs []error) {
	report := summary.ReportOptions{TrendStats: o.trendStats, Color: isTerminal(w.report) && !o.noColor}
	if err := summary.WriteReport(w.report, out, report); err != nil {
		errs = append(errs, fmt.Errorf("write the report: %w", err))
	}
	if w.report == io.Discard && out.Verdict != summary.OK {
		_ = summary.WriteReport(w.notes, summary.Outcome{Verdict: out.Verdict, Message: out.Message}, summary.ReportOptions{})
	}
	for _, e := range o.exports() {
		if err := e.write(w, out.Summary.K6(o.trendStats...)); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", e.flag, err))
		}
	}
	return errs
}

func (e export) write(w writers, k *summary.K6) error {
	data, err := e.encode(k)
	if err != nil {
		return err
	}
	switch e.to {
	case toStdout:
		_, err = w.stdout.Write(data)
	case toStderr:
		_, err = w.stderr.Write(data)
	default:
		// In place, as k6 does it: a temporary file beside it would need a directory that can be written to, and
		// /dev/fd/3 has none.
		err = os.WriteFile(e.to, data, 0o666)
	}
	return err
}

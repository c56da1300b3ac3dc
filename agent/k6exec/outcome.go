package k6exec

import (
	"fmt"
	"strings"
	"time"

	"github.com/nollagluiz/broadside/summary"
)

// maxMessage bounds the message of an outcome, in bytes.
const maxMessage = 500

// cut is why a run was stopped from here.
type cut int

const (
	notCut      cut = iota
	cutAborted      // its context was done
	cutLoading      // k6 did not get past loading the script
	cutOverrun      // k6 did not come to an end
	cutFlooding     // k6 printed more than any summary is long
)

// ending is how a k6 came to its end.
type ending struct {
	cut    cut
	limit  time.Duration // that was overrun
	code   int           // the exit code, if no signal ended it
	signal string        // that ended it; "" if none did
	killed bool          // by SIGKILL
	k6     *summary.K6   // nil if there is no summary
	err    error         // why there is none; nil if nothing was printed

	// k6's own words, without secrets; "" if it has said nothing of the kind.
	words   string // why it failed
	request string // why the last request without a response failed
}

// outcome gives the verdict on a run, by the order of docs/ADR/0010, with one sentence. What was measured is kept,
// whatever the verdict.
func (e ending) outcome() summary.Outcome {
	verdict, reason := e.reason()
	if e.cut != notCut {
		e.words = "" // on the signal that it got from here
	}
	out := summary.Outcome{K6: e.k6, Verdict: verdict}
	switch {
	case verdict == summary.Error:
		out.Message = sentence(reason, e.words)
	case e.k6 == nil && verdict == summary.Aborted:
		out.Message = sentence(reason+" and left no summary", e.words)
	case e.k6 == nil && e.err != nil:
		out.Verdict, out.Message = summary.Error, sentence(reason, e.err.Error())
	case e.k6 == nil:
		out.Verdict, out.Message = summary.Error, sentence(reason+" but printed no summary", e.words)
	default:
		out = summary.JudgeK6(e.k6, verdict == summary.Aborted)
		// k6 itself knows best whether the run failed, and its newest summary leaves it out; but a run without a request or
		// a response is called so first.
		if verdict != summary.OK && (out.Verdict == summary.OK || out.Verdict == summary.ThresholdFailed && len(e.k6.Crossed()) == 0) {
			out.Verdict, out.Message = verdict, sentence(reason, e.words)
		}
		if verdict == summary.Aborted && e.cut == notCut {
			out.Message = sentence(reason, e.words)
		}
		if out.Verdict == summary.TargetUnreachable && e.request != "" {
			out.Message = sentence(strings.TrimSuffix(out.Message, ".")+"; the last", e.request)
		}
	}
	return out
}

// sentence joins parts by colons; the empty are left out.
func sentence(parts ...string) string {
	var said []string
	for _, part := range parts {
		if part != "" {
			said = append(said, strings.TrimSuffix(part, "."))
		}
	}
	return strings.Join(said, ": ") + "."
}

// reason says what the end of k6 means. The verdict is OK where the summary decides.
func (e ending) reason() (summary.Verdict, string) {
	switch e.cut {
	case cutAborted:
		return summary.Aborted, "The run was aborted"
	case cutLoading:
		return summary.Error, fmt.Sprintf("k6 had not loaded the script after %v; on some syntax it hangs for ever", e.limit)
	case cutOverrun:
		return summary.Error, fmt.Sprintf("k6 had not ended after %v and was stopped", e.limit)
	case cutFlooding:
		return summary.Error, fmt.Sprintf("k6 printed more than the %d bytes that a summary may have, and was stopped", summary.MaxK6)
	}
	switch {
	case e.killed:
		return e.reasonOf(128 + 9)
	case e.signal != "":
		return summary.Error, "k6 was ended by a signal (" + e.signal + ")"
	}
	return e.reasonOf(e.code)
}

// reasonOf says what an exit code means (k6 v2.2, "Exit codes"; 137 is a shell's word for SIGKILL).
func (e ending) reasonOf(code int) (summary.Verdict, string) {
	switch code {
	case 0:
		return summary.OK, "k6 ended well"
	case 97, 98:
		return summary.Error, fmt.Sprintf("k6 says that a cloud run failed (exit code %d)", code)
	case 99:
		return summary.ThresholdFailed, "k6 says that thresholds were crossed"
	case 100:
		return summary.Error, "The script's setup() took too long"
	case 101:
		return summary.Error, "The script's teardown() took too long"
	case 102:
		return summary.Error, "k6 says that something took too long"
	case 103:
		return summary.Aborted, "The run was stopped through k6's REST API"
	case 104:
		return summary.Error, "k6 refuses the options"
	case 105:
		return summary.Aborted, "k6 was stopped by a signal from elsewhere"
	case 106:
		return summary.Error, "k6 could not serve its REST API"
	case 107:
		return summary.Error, "The script threw an exception"
	case 108:
		return summary.Aborted, "The script aborted the run"
	case 109:
		return summary.Error, "k6 crashed"
	case 110:
		return summary.ThresholdFailed, "The script marked the run as failed"
	case 137:
		return summary.Error, "k6 was killed, most likely because memory ran out"
	case 255:
		return summary.Error, "k6 could not begin the run"
	}
	return summary.Error, fmt.Sprintf("k6 ended with exit code %d, whose meaning is not known", code)
}

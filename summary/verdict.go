package summary

import (
	"fmt"
	"strings"
)

// Verdict is the one word on a run. Each comes with a sentence for people.
type Verdict string

// The verdicts, in the order in which they are tried: the first that holds is given (docs/ADR/0010).
const (
	Error             Verdict = "error"              // the run could not be made
	Lost              Verdict = "lost"               // its agent went away; only the dashboard says so
	Aborted           Verdict = "aborted"            // cut by a person, a signal or a lost dashboard
	NoRequests        Verdict = "no_requests"        // not one request was finished or cut
	TargetUnreachable Verdict = "target_unreachable" // no request got a response
	GeneratorLimited  Verdict = "generator_limited"  // the agent, not the target, was the limit
	ThresholdFailed   Verdict = "threshold_failed"
	OK                Verdict = "ok"
)

// Valid tells whether v is one of the eight.
func (v Verdict) Valid() bool {
	switch v {
	case Error, Lost, Aborted, NoRequests, TargetUnreachable, GeneratorLimited, ThresholdFailed, OK:
		return true
	}
	return false
}

// DefaultMaxFailRate is the threshold of a plan that names none, "http_req_failed: rate<=0.05": so that ok never means
// more than 5 % failed.
const DefaultMaxFailRate = 0.05

// CodeGenerator is the error code of a request that the generator itself could not make: out of descriptors, ports or
// memory. It is ours, in the gap that k6's table leaves below its TLS codes.
const CodeGenerator = 1290

// Outcome is how a run ended: what it measured, and what that means.
type Outcome struct {
	Summary *Summary // nil if nothing was measured, or K6 has it
	K6      *K6      // what an external k6 measured; nil if it was another engine
	Verdict Verdict
	Message string // one sentence, without credentials
}

// Judge gives the verdict on a run that went to its end or was aborted: never Error or Lost, which are for runs that
// measured nothing. When nothing was answered, it tells the agent's fault from the target's by which of them most
// requests met.
func Judge(s *Summary, aborted bool) Outcome {
	verdict, message := s.judge(aborted)
	return Outcome{Summary: s, Verdict: verdict, Message: message}
}

// JudgeK6 gives the verdict on a run that an external k6 made, by what it measured; its exit code may tell more. A run
// whose summary names thresholds is judged by these; the newest of k6's shapes names none.
func JudgeK6(k *K6, aborted bool) Outcome {
	verdict, message := k.judge(aborted)
	return Outcome{K6: k, Verdict: verdict, Message: message}
}

func (k *K6) judge(aborted bool) (Verdict, string) {
	f := k.Fields()
	named := false
	for _, m := range k.Metrics {
		named = named || len(m.Thresholds) > 0
	}
	rate := 0.0
	if f.ErrorRate != nil {
		rate = *f.ErrorRate
	}
	switch crossed := k.Crossed(); {
	case aborted:
		return Aborted, abortedAfter(f.Requests)
	case f.Requests == 0 && f.DataReceivedBytes == 0 && k.Count(DataSent) > 0: // k6 doesn't count what it cuts
		return TargetUnreachable, "Not one request got a response before it was cut."
	case f.Requests == 0:
		return NoRequests, noRequests
	case f.DataReceivedBytes == 0, f.Failures == f.Requests && f.P50 == nil:
		return TargetUnreachable, fmt.Sprintf("None of %d requests got a response.", f.Requests)
	case len(crossed) > 0:
		return ThresholdFailed, wereCrossed(crossed) + "."
	case !named && rate > DefaultMaxFailRate:
		return ThresholdFailed, tooManyFailed(rate, f.Requests) + "."
	}
	return OK, fewFailed(rate, f.Requests)
}

const noRequests = "Not one request was made."

func abortedAfter(requests int64) string {
	return fmt.Sprintf("The run was aborted after %d requests.", requests)
}

func tooManyFailed(rate float64, requests int64) string {
	return fmt.Sprintf("%.4g %% of %d requests failed, over the limit of %g %%", 100*rate, requests, 100*DefaultMaxFailRate)
}

// wereCrossed names some of the thresholds.
func wereCrossed(crossed []string) string {
	const most = 5
	text := "A threshold was crossed: "
	if len(crossed) > 1 {
		text = fmt.Sprintf("%d thresholds were crossed: ", len(crossed))
	}
	text += strings.Join(crossed[:min(len(crossed), most)], "; ")
	if more := len(crossed) - most; more > 0 {
		text += fmt.Sprintf("; and %d more", more)
	}
	return text
}

func fewFailed(rate float64, requests int64) string {
	return fmt.Sprintf("%d requests, %.4g %% failed.", requests, 100*rate)
}

func (s *Summary) judge(aborted bool) (Verdict, string) {
	failed := s.Rates[HTTPReqFailed]
	total := failed.Total
	rate, _ := failed.Value()
	answered := s.Broken
	for _, n := range s.Statuses {
		answered += n
	}
	var generator, most ErrorClass
	for _, e := range s.Errors {
		if e.Code == CodeGenerator {
			generator = e
		}
		if e.Count > most.Count {
			most = e
		}
	}
	switch crossed := s.crossed(); {
	case aborted:
		return Aborted, abortedAfter(total)
	case total == 0:
		return NoRequests, noRequests
	case answered == 0 && 2*generator.Count > total, answered > 0 && 100*generator.Count > total:
		return GeneratorLimited, fmt.Sprintf("%d of %d requests could not be made by the agent itself%s.", generator.Count, total, after(": ", generator))
	case answered == 0:
		return TargetUnreachable, fmt.Sprintf("None of %d requests got a response%s.", total, after("; most often: ", most))
	case s.Limited != "":
		return GeneratorLimited, s.Limited
	case len(crossed) > 0:
		return ThresholdFailed, wereCrossed(crossed) + s.mostFailed("; failures most often: ", most) + "."
	case len(s.Thresholds) == 0 && rate > DefaultMaxFailRate:
		return ThresholdFailed, tooManyFailed(rate, total) + s.mostFailed("; most often: ", most) + "."
	}
	return OK, fewFailed(rate, total) + s.leftOut()
}

// leftOut says that iterations never began, which nothing else in a good verdict tells: of an open model such a run says
// little, since the requests that would have waited are not in it. It is "" if none was dropped.
func (s *Summary) leftOut() string {
	if n := s.Counters[DroppedIterations]; n > 0 {
		return fmt.Sprintf(" But %d iterations were dropped: they found no free VU, or no time.", n)
	}
	return ""
}

// mostFailed names after a link what most failed requests met: an unexpected status, or most of all error classes. It
// is "" where none failed. A status under 400 has no error class.
func (s *Summary) mostFailed(link string, most ErrorClass) string {
	status, n := 0, most.Count
	for code, count := range s.Unexpected {
		if count > n || count == n && status != 0 && code < status {
			status, n = code, count
		}
	}
	if status != 0 {
		return fmt.Sprintf("%sHTTP status %d", link, status)
	}
	return after(link, most)
}

// after names an error class after a link; "" if there is none.
func after(link string, e ErrorClass) string {
	if e.Sample == "" {
		return ""
	}
	return fmt.Sprintf("%s%s (code %d)", link, e.Sample, e.Code)
}

package summary

import (
	"fmt"
)

// Verdict is the one word on a run. Each comes with a sentence for people.
type Verdict string

// The verdicts, in the order in which they are tried: the first that holds is given (DESIGN section 7).
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
	Summary *Summary // nil if nothing was measured
	Verdict Verdict
	Message string // one sentence, without credentials
}

// Judge gives the verdict on a run that went to its end or was aborted.
func Judge(s *Summary, aborted bool) Outcome {
	out := Outcome{Summary: s}
	failed := s.Rates[HTTPReqFailed]
	answered := int64(0)
	for _, n := range s.Statuses {
		answered += n
	}
	var generator ErrorClass
	for _, e := range s.Errors {
		if e.Code == CodeGenerator {
			generator = e
		}
	}
	rate, _ := failed.Value()
	switch {
	case aborted:
		out.Verdict, out.Message = Aborted, fmt.Sprintf("The run was aborted after %d requests.", failed.Total)
	case failed.Total == 0:
		out.Verdict, out.Message = NoRequests, "Not one request was made."
	case generator.Count > 0 && (answered == 0 || generator.Count*100 > failed.Total):
		out.Verdict = GeneratorLimited
		out.Message = fmt.Sprintf("%d of %d requests could not be made by the agent itself: %s.", generator.Count, failed.Total, generator.Sample)
	case answered == 0:
		out.Verdict = TargetUnreachable
		out.Message = fmt.Sprintf("None of %d requests got a response.", failed.Total)
		if len(s.Errors) > 0 {
			out.Message = fmt.Sprintf("None of %d requests got a response; most often: %s (code %d).", failed.Total, s.Errors[0].Sample, s.Errors[0].Code)
		}
	case rate > DefaultMaxFailRate:
		out.Verdict = ThresholdFailed
		out.Message = fmt.Sprintf("%.4g %% of %d requests failed, over the limit of %g %%.", 100*rate, failed.Total, 100*DefaultMaxFailRate)
	default:
		out.Verdict = OK
		out.Message = fmt.Sprintf("%d requests, %.4g %% failed.", failed.Total, 100*rate)
	}
	return out
}

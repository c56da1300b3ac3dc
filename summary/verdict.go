package summary

import "fmt"

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

func (s *Summary) judge(aborted bool) (Verdict, string) {
	failed := s.Rates[HTTPReqFailed]
	total := failed.Total
	rate, _ := failed.Value()
	answered := int64(0)
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
	switch {
	case aborted:
		return Aborted, fmt.Sprintf("The run was aborted after %d requests.", total)
	case total == 0:
		return NoRequests, "Not one request was made."
	case answered == 0 && 2*generator.Count > total, answered > 0 && 100*generator.Count > total:
		return GeneratorLimited, fmt.Sprintf("%d of %d requests could not be made by the agent itself%s.", generator.Count, total, after(": ", generator))
	case answered == 0:
		return TargetUnreachable, fmt.Sprintf("None of %d requests got a response%s.", total, after("; most often: ", most))
	case rate > DefaultMaxFailRate:
		return ThresholdFailed, fmt.Sprintf("%.4g %% of %d requests failed, over the limit of %g %%.", 100*rate, total, 100*DefaultMaxFailRate)
	}
	return OK, fmt.Sprintf("%d requests, %.4g %% failed.", total, 100*rate)
}

// after names an error class after a link; "" if there is none.
func after(link string, e ErrorClass) string {
	if e.Sample == "" {
		return ""
	}
	return fmt.Sprintf("%s%s (code %d)", link, e.Sample, e.Code)
}

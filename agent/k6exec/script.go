package k6exec

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/nollagluiz/broadside/plan"
)

// refusal is why k6 can't run a plan: a sentence without its full stop.
type refusal string

func (r refusal) Error() string { return string(r) }

func refuse(format string, args ...any) error { return refusal(fmt.Sprintf(format, args...)) }

// program is what a made script does with its plan; the functions that its scenarios run follow it. It is all the code
// there is: what comes from a plan is data, in a JSON text that is itself encoded as a string.
const program = `import http from "k6/http";
import encoding from "k6/encoding";
import { sleep } from "k6";

const plan = JSON.parse(%s);
export const options = plan.options;

const requests = plan.requests.map((r) => {
  if (http.expectedStatuses) { // since k6 v0.31
    r.params.responseCallback = http.expectedStatuses.apply(null, r.expected);
  }
  if (r.base64 !== undefined) {
    r.body = encoding.b64decode(r.base64);
  }
  return r;
});

function send(i) {
  const r = requests[i];
  http.request(r.method, r.url, r.body, r.params);
  if (r.pause > 0) {
    sleep(r.pause);
  }
}
`

// request is what the made script sends.
type request struct {
	Method   string           `json:"method"`
	URL      string           `json:"url"`
	Body     *string          `json:"body"`             // null: none
	Base64   string           `json:"base64,omitempty"` // of a body that is no text
	Params   map[string]any   `json:"params"`
	Expected []map[string]int `json:"expected"`
	Pause    float64          `json:"pause"` // seconds
}

// script makes a k6 script, with further options, of a resolved plan that has none. It is "" when no VU of the plan falls
// to its share.
func script(p plan.Plan, v version, options map[string]any) (string, error) {
	if !v.since(0, 27) {
		return "", refuse("k6 %v knows no scenarios; v0.27 does", v)
	}
	scenarios, requests := map[string]any{}, []request{}
	for _, s := range p.Scenarios {
		scenario, ok := scenarioOptions(s, p.Share)
		if !ok {
			continue
		}
		r, err := newRequest(s, v)
		if err != nil {
			return "", err
		}
		scenario["exec"] = fmt.Sprintf("run%d", len(requests))
		scenarios[s.Name] = scenario
		requests = append(requests, r)
	}
	if len(requests) == 0 {
		return "", nil
	}
	options["scenarios"], options["discardResponseBodies"] = scenarios, true
	if len(p.Thresholds) > 0 {
		options["thresholds"] = thresholds(p.Thresholds)
	}
	// Neither can fail: there is nothing in them but text and finite numbers. JSON of Go is JavaScript also where the two
	// differ: it escapes U+2028 and U+2029.
	data, _ := json.Marshal(map[string]any{"options": options, "requests": requests})
	text, _ := json.Marshal(string(data))
	var b strings.Builder
	fmt.Fprintf(&b, program, text)
	for i := range requests {
		fmt.Fprintf(&b, "\nexport function run%d() {\n  send(%d);\n}\n", i, i)
	}
	return b.String(), nil
}

// scenarioOptions are k6's options of the share of a resolved scenario; false if the share has no VU. VUs and iterations
// are divided by the share. So is a rate, exactly: the same iterations come in a time unit N times as long.
func scenarioOptions(s plan.Scenario, share plan.Share) (map[string]any, bool) {
	o := map[string]any{
		"executor":     s.Executor,
		"startTime":    s.StartTime.String(),
		"gracefulStop": max(s.GracefulStop, 0).String(),
	}
	if len(s.Tags) > 0 {
		o["tags"] = s.Tags
	}
	peak := share.Of(s.Peak())
	switch s.Executor {
	case plan.ConstantVUs:
		o["vus"], o["duration"] = peak, s.Duration.String()
	case plan.SharedIterations:
		o["vus"], o["iterations"], o["maxDuration"] = peak, share.Of(s.Iterations), s.MaxDuration.String()
	case plan.PerVUIterations:
		o["vus"], o["iterations"], o["maxDuration"] = peak, s.Iterations, s.MaxDuration.String()
	case plan.RampingVUs:
		o["startVUs"] = share.Of(max(s.StartVUs, 0))
		o["stages"] = stages(s.Stages, share.Of)
		o["gracefulRampDown"] = max(s.GracefulRampDown, 0).String()
	case plan.ConstantArrivalRate:
		o["rate"], o["duration"] = s.Rate, s.Duration.String()
	case plan.RampingArrivalRate:
		o["startRate"] = s.StartRate
		o["stages"] = stages(s.Stages, func(target int) int { return target })
	}
	if s.Open() {
		o["timeUnit"] = (s.TimeUnit * time.Duration(max(share.N, 1))).String()
		o["preAllocatedVUs"], o["maxVUs"] = share.Of(max(s.PreAllocatedVUs, 0)), peak
	}
	return o, peak > 0
}

func stages(stages []plan.Stage, part func(int) int) []map[string]any {
	out := make([]map[string]any, len(stages))
	for i, stage := range stages {
		out[i] = map[string]any{"duration": stage.Duration.String(), "target": part(stage.Target)}
	}
	return out
}

func thresholds(list []plan.Threshold) map[string][]map[string]any {
	out := map[string][]map[string]any{}
	for _, t := range list {
		o := map[string]any{"threshold": t.Expression}
		if t.AbortOnFail {
			o["abortOnFail"], o["delayAbortEval"] = true, t.DelayAbortEval.String()
		}
		out[t.Metric] = append(out[t.Metric], o)
	}
	return out
}

// newRequest makes of a valid, resolved scenario what its VUs send.
func newRequest(s plan.Scenario, v version) (request, error) {
	u, err := plan.ParseURL(s.Request.URL)
	if err != nil {
		return request{}, refuse("The URL %v", err)
	}
	r := request{Method: s.Request.Method, URL: u.String(), Pause: s.Pause.Seconds()}
	switch body := s.Request.Body; {
	case len(body) == 0:
	case utf8.Valid(body):
		text := string(body)
		r.Body = &text
	case !v.since(0, 32):
		return request{}, refuse("k6 %v can't send a body that is no UTF-8; v0.32 can", v)
	default:
		r.Base64 = base64.StdEncoding.EncodeToString(body)
	}
	headers, err := headersOf(s.Request.Header)
	if err != nil {
		return request{}, err
	}
	r.Params = map[string]any{
		"headers":   headers,
		"timeout":   (s.Request.Timeout + time.Millisecond - 1).Milliseconds(),
		"redirects": max(s.Request.MaxRedirects, 0),
	}
	for _, span := range s.Request.ExpectedStatuses {
		r.Expected = append(r.Expected, map[string]int{"min": span.Min, "max": span.Max})
	}
	return r, nil
}

// headersOf joins the values of a header, since k6 takes one of each name (RFC 9110 section 5.3; cookies RFC 6265 section 5.4).
func headersOf(h http.Header) (map[string]string, error) {
	out := make(map[string]string, len(h))
	for _, name := range slices.Sorted(maps.Keys(h)) {
		separator := ", "
		if http.CanonicalHeaderKey(name) == "Cookie" {
			separator = "; "
		}
		if !utf8.ValidString(strings.Join(h[name], "")) {
			return nil, refuse("k6 can't send the header %s: its value is no UTF-8", name)
		}
		if len(h[name]) > 0 {
			out[name] = strings.Join(h[name], separator)
		}
	}
	return out, nil
}

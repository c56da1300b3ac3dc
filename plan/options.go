package plan

import (
	"cmp"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
)

// MaxOptions bounds the text of options, in bytes: certificates may be in it.
const MaxOptions = 1 << 20

// Options is what k6's options (v2.2) say of a run. It has no request: Apply gives it those of a plan.
type Options struct {
	// Scenarios are by name, without requests. Nil if the options say nothing of them: k6 would then run one iteration,
	// but whoever has the request may know better.
	Scenarios  []Scenario
	Thresholds []Threshold // by metric

	tags         map[string]string
	userAgent    string
	maxRedirects *int
	insecure     bool
	network      []member // that Network.SetOption takes
}

// ParseOptions reads k6's options, the JSON of what a script exports under that name, at most MaxOptions bytes. script
// tells whether they go with a script, which alone has functions and an environment. The error is a FieldErrors whose
// fields are paths such as "scenarios.login.stages[1].target".
//
// It is strict: options that it doesn't know, that this engine lacks, or that k6 would refuse are errors. What changes
// nothing here is passed over: how k6 reports, and limits of a script's functions.
func ParseOptions(text []byte, script bool) (Options, error) {
	var r optionsReader
	if len(text) > MaxOptions {
		r.fault("options", "at most %d bytes, not %d", MaxOptions, len(text))
		return Options{}, r.errs.Err()
	}
	if !json.Valid(text) {
		r.fault("options", "is no JSON")
		return Options{}, r.errs.Err()
	}
	var o Options
	var shape []member
	scenarios := false
	all, _ := r.members("", text)
	for _, m := range all {
		scenarios = scenarios || m.name == "scenarios"
		if isShortcut(m.name) {
			shape = append(shape, m)
		} else {
			o.take(&r, m, script)
		}
	}
	switch {
	case scenarios:
		for _, m := range shape {
			r.fault(m.name, "can't stand beside scenarios")
		}
	case len(shape) > 0:
		o.shortcut(&r, shape, script)
	}
	if err := r.errs.Err(); err != nil {
		return Options{}, err
	}
	return o, nil
}

// take reads one option that is no shortcut for a scenario.
func (o *Options) take(r *optionsReader, m member, script bool) {
	switch m.name {
	case "scenarios":
		o.scenarios(r, m.value, script)
	case "thresholds":
		o.thresholds(r, m.value)
	case "tags":
		o.tags = r.words(m.name, m.value)
	case "userAgent":
		if o.userAgent = r.text(m.name, m.value); hasControl(o.userAgent) || len(o.userAgent) > MaxTag {
			r.fault(m.name, "must be at most %d bytes without control characters", MaxTag)
		}
	case "maxRedirects":
		n := r.whole(m.name, m.value)
		o.maxRedirects = &n
		if n > MaxRedirects {
			r.fault(m.name, "at most %d, not %d", MaxRedirects, n)
		}
	case "insecureSkipTLSVerify":
		o.insecure = r.yes(m.name, m.value)
	case "noCookiesReset":
		if r.yes(m.name, m.value) {
			r.fault(m.name, "each iteration begins without cookies in this engine")
		}
	case "rps":
		r.fault(m.name, "this engine has no such limit; constant-arrival-rate sets a rate")
	case "minIterationDuration":
		r.fault(m.name, "this engine has no such option; an arrival rate sets when iterations begin")
	case "localIPs", "httpDebug", "executionSegment", "executionSegmentSequence", "paused":
		r.fault(m.name, "this engine has no such option")
	default:
		if slices.Contains(withoutEffect(), m.name) {
			return
		}
		var scratch Network
		mine, err := scratch.SetOption(m.name, m.value)
		switch {
		case !mine:
			r.fault(pathName(m.name), "k6 has no such option; the nearest is %s", nearest(m.name[:min(len(m.name), 64)], knownOptions()))
		case err != nil:
			r.fault(m.name, "%v", err)
		default:
			o.network = append(o.network, m)
		}
	}
}

// withoutEffect are options that change neither what is sent nor what is measured: how k6 reports, limits of a script's
// functions, and keeping bodies, which this engine never does.
func withoutEffect() []string {
	return []string{"batch", "batchPerHost", "cloud", "discardResponseBodies", "ext", "handleSummaryTimeout", "noSetup", "noTeardown", "noUsageReport",
		"setupTimeout", "summaryTimeUnit", "summaryTrendStats", "systemTags", "teardownTimeout", "throw"}
}

// knownOptions are the names that a mistyped one may have meant.
func knownOptions() []string {
	return append(withoutEffect(), "scenarios", "thresholds", "tags", "userAgent", "maxRedirects", "insecureSkipTLSVerify", "vus", "duration",
		"iterations", "stages", "hosts", "dns", "blacklistIPs", "blockHostnames", "tlsVersion", "tlsCipherSuites", "tlsAuth", "noConnectionReuse",
		"noVUConnectionReuse")
}

// thresholds reads {"metric": ["limit", {"threshold": "limit", "abortOnFail": true, "delayAbortEval": "10s"}]}.
func (o *Options) thresholds(r *optionsReader, value json.RawMessage) {
	metrics, _ := r.members("thresholds", value)
	slices.SortFunc(metrics, func(a, b member) int { return cmp.Compare(a.name, b.name) })
	for _, m := range metrics {
		path := "thresholds." + pathName(m.name)
		for i, one := range r.list(path, m.value) {
			o.Thresholds = append(o.Thresholds, r.threshold(indexed(path, i), m.name, one))
		}
	}
	if len(o.Thresholds) > MaxThresholds {
		r.fault("thresholds", "at most %d, not %d", MaxThresholds, len(o.Thresholds))
	}
}

func (r *optionsReader) threshold(path, metric string, value json.RawMessage) Threshold {
	t := Threshold{Metric: metric}
	if json.Unmarshal(value, &t.Expression) != nil {
		all, ok := r.members(path, value)
		if !ok {
			return t
		}
		for _, m := range all {
			switch field := path + "." + pathName(m.name); m.name {
			case "threshold":
				t.Expression = r.text(field, m.value)
			case "abortOnFail":
				t.AbortOnFail = r.yes(field, m.value)
			case "delayAbortEval":
				t.DelayAbortEval = r.duration(field, m.value)
			default:
				r.fault(field, "a threshold has no such field")
			}
		}
	}
	_, errs := t.parse()
	for _, e := range errs {
		r.fault(path, "%s", e.Message)
	}
	return t
}

// Apply makes the plan p, whose first scenario has the request and its pause, one that follows the options. What they
// name wins; where they say nothing, of scenarios too, p stays as it is. Nothing of p is written to.
func (o Options) Apply(p Plan) Plan {
	base := p.Scenarios[0]
	p.Scenarios = slices.Clone(p.Scenarios)
	if o.Scenarios != nil {
		p.Scenarios = slices.Clone(o.Scenarios)
	}
	for i := range p.Scenarios {
		s := &p.Scenarios[i]
		if o.Scenarios != nil {
			s.Request, s.Pause = base.Request, base.Pause
			s.GracefulStop = cmp.Or(s.GracefulStop, base.GracefulStop)
		}
		o.applyTo(&s.Request)
		s.Tags = merged(o.tags, s.Tags)
	}
	if o.Thresholds != nil {
		p.Thresholds = slices.Clone(o.Thresholds)
	}
	for _, m := range o.network {
		_, _ = p.Network.SetOption(m.name, m.value) // it took them once
	}
	return p
}

func (o Options) applyTo(r *Request) {
	if o.maxRedirects != nil {
		r.MaxRedirects = OrNone(*o.maxRedirects)
	}
	r.InsecureSkipVerify = r.InsecureSkipVerify || o.insecure
	if o.userAgent == "" {
		return
	}
	for name := range r.Header {
		if http.CanonicalHeaderKey(name) == "User-Agent" {
			return // as in k6, a request's own wins
		}
	}
	if r.Header = r.Header.Clone(); r.Header == nil {
		r.Header = http.Header{}
	}
	r.Header.Set("User-Agent", o.userAgent)
}

// merged has what is in either; of both, what wins has.
func merged(other, wins map[string]string) map[string]string {
	if len(other) == 0 {
		return wins
	}
	out := maps.Clone(other)
	maps.Copy(out, wins)
	return out
}

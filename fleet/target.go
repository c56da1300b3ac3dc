package fleet

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/nollagluiz/broadside/plan"
)

// Bounds of a Target that its Plan does not have.
const (
	MinRunInterval = time.Second
	MaxRunInterval = 366 * 24 * time.Hour
	MaxLabel       = 200 // characters

	maxSecretHeaders = 64
)

// Target is one site under load: what each agent requests, with how many VUs, for how long and how often.
//
// As an agent gets it, it holds its secrets; Redacted makes the form that anybody may see.
type Target struct {
	ID                 string            `json:"id" doc:"Made by the dashboard"`
	URL                string            `json:"url" doc:"Absolute, http or https; userinfo is write-only and shown as ***" example:"https://example.org/"`
	Label              string            `json:"label" doc:"A name for people, at most 200 characters"`
	VUs                int               `json:"vus" doc:"Virtual users of each agent, 1 to 10000"`
	DurationS          int               `json:"durationS" doc:"Seconds of one run, 1 to 86400"`
	RunIntervalMs      int64             `json:"runIntervalMs" doc:"From the start of a run to the start of the next, at least 1000"`
	Enabled            bool              `json:"enabled"`
	Method             string            `json:"method"`
	Headers            map[string]string `json:"headers" doc:"Values of secret headers are write-only and shown as ***"`
	SecretHeaders      []string          `json:"secretHeaders" doc:"Names of further headers to hide; Authorization, Cookie and their like always are"`
	Body               string            `json:"body" doc:"Write-only, shown as ***"`
	TimeoutMs          int               `json:"timeoutMs" doc:"Of one request, redirects and body included"`
	ExpectedStatuses   string            `json:"expectedStatuses" doc:"What is no failure" example:"200-399,418"`
	MaxRedirects       int               `json:"maxRedirects" doc:"0: a redirect is an answer like any other"`
	InsecureSkipVerify bool              `json:"insecureSkipVerify" doc:"Take any certificate"`
	HTTPVersion        string            `json:"httpVersion" enum:"auto,1.1,2"`
	PauseMs            int               `json:"pauseMs" doc:"After each request of a VU"`
	GracefulStopS      int               `json:"gracefulStopS" doc:"How long requests under way may still end after the duration; 0 cuts them at once"`
	Options            json.RawMessage   `json:"options" doc:"k6's options, an object of at most 32 KiB: scenarios, stages, thresholds, hosts and the like; what they say of load wins over vus and durationS. tlsAuth is write-only and shown as ***"`
	Script             string            `json:"script" doc:"A k6 script, at most 1 MiB, that each VU runs instead of the request; write-only, shown as ***"`
	Revision           int64             `json:"revision" doc:"Grows with each edit; the ETag is \"<revision>\""`
	CreatedAt          Time              `json:"createdAt" format:"date-time"`
	UpdatedAt          Time              `json:"updatedAt" format:"date-time"`
}

// NewTarget returns a target with every default and no URL.
func NewTarget() Target {
	return Target{
		VUs:              1,
		DurationS:        int(plan.DefaultDuration / time.Second),
		RunIntervalMs:    60_000,
		Enabled:          true,
		Method:           http.MethodGet,
		Headers:          map[string]string{},
		SecretHeaders:    []string{},
		TimeoutMs:        int(plan.DefaultTimeout / time.Millisecond),
		ExpectedStatuses: "200-399",
		MaxRedirects:     plan.DefaultMaxRedirects,
		HTTPVersion:      string(plan.HTTPAuto),
		GracefulStopS:    int(plan.DefaultGracefulStop / time.Second),
		Options:          noOptions(),
	}
}

// RunInterval is the time from one run's start to the next.
func (t Target) RunInterval() time.Duration { return time.Duration(t.RunIntervalMs) * time.Millisecond }

// Name is what people see: the label, or else the URL without credentials.
func (t Target) Name() string {
	if strings.TrimSpace(t.Label) == "" {
		return RedactURL(t.URL)
	}
	return t.Label
}

// Plan is the run that the target asks of one agent. The error is a plan.FieldErrors.
func (t Target) Plan() (plan.Plan, error) {
	statuses, err := plan.ParseStatuses(t.ExpectedStatuses)
	if err != nil {
		return plan.Plan{}, plan.FieldErrors{{Field: "expectedStatuses", Message: err.Error()}}
	}
	return t.plan(statuses)
}

func (t Target) plan(statuses plan.Statuses) (plan.Plan, error) {
	header := make(http.Header, len(t.Headers))
	var secret []string // what is hidden from people stays on its host, too
	for name, value := range t.Headers {
		header.Set(name, value)
		if t.isSecretHeader(name) {
			secret = append(secret, http.CanonicalHeaderKey(name))
		}
	}
	slices.Sort(secret)
	return t.withOptions(plan.Plan{
		Name:   t.Name(),
		Script: t.Script,
		Scenarios: []plan.Scenario{{
			Executor:     plan.ConstantVUs,
			VUs:          t.VUs,
			Duration:     time.Duration(t.DurationS) * time.Second,
			GracefulStop: plan.OrNone(time.Duration(t.GracefulStopS) * time.Second),
			Pause:        time.Duration(t.PauseMs) * time.Millisecond,
			Request: plan.Request{
				Method:             t.Method,
				URL:                t.URL,
				Header:             header,
				SecretHeaders:      secret,
				Body:               []byte(t.Body),
				Timeout:            time.Duration(t.TimeoutMs) * time.Millisecond,
				ExpectedStatuses:   statuses,
				MaxRedirects:       plan.OrNone(t.MaxRedirects),
				InsecureSkipVerify: t.InsecureSkipVerify,
				HTTPVersion:        plan.HTTPVersion(t.HTTPVersion),
			},
		}},
	})
}

// Validate checks every field; it is the only validator of targets, shared by API, page, agent and command line. The
// error is a plan.FieldErrors with the JSON names of the fields.
func (t Target) Validate() error {
	var errs plan.FieldErrors
	switch {
	case utf8.RuneCountInString(t.Label) > MaxLabel:
		errs.Add("label", "at most %d characters, not %d", MaxLabel, utf8.RuneCountInString(t.Label))
	case !utf8.ValidString(t.Label) || strings.ContainsFunc(t.Label, unicode.IsControl):
		errs.Add("label", "holds a control character")
	}
	if n := len(RedactURL(t.URL)); n > plan.MaxURL && len(t.URL) <= plan.MaxURL {
		errs.Add("url", "at most %d bytes as it is shown, with *** for secrets, not %d", plan.MaxURL, n) // results carry that form
	}
	within(&errs, "vus", t.VUs, 1, plan.MaxVUs)
	within(&errs, "durationS", t.DurationS, int(plan.MinDuration/time.Second), int(plan.MaxDuration/time.Second))
	within(&errs, "runIntervalMs", t.RunIntervalMs, MinRunInterval.Milliseconds(), MaxRunInterval.Milliseconds())
	within(&errs, "timeoutMs", t.TimeoutMs, 1, int(plan.MaxTimeout/time.Millisecond))
	within(&errs, "maxRedirects", t.MaxRedirects, 0, plan.MaxRedirects)
	within(&errs, "pauseMs", t.PauseMs, 0, int(plan.MaxPause/time.Millisecond))
	within(&errs, "gracefulStopS", t.GracefulStopS, 0, int(plan.MaxDuration/time.Second))
	if t.Method == "" {
		errs.Add("method", "is needed")
	}
	if t.HTTPVersion == "" {
		errs.Add("httpVersion", "is needed")
	}
	t.validateHeaders(&errs)
	t.validateHidden(&errs)
	t.validatePlan(&errs)
	return errs.Err()
}

func within[T int | int64](errs *plan.FieldErrors, field string, v, least, most T) {
	if v < least || v > most {
		errs.Add(field, "must be %d to %d, not %d", least, most, v)
	}
}

func (t Target) validateHeaders(errs *plan.FieldErrors) {
	seen := map[string]bool{}
	for _, name := range slices.Sorted(maps.Keys(t.Headers)) {
		key := http.CanonicalHeaderKey(name)
		if seen[key] {
			errs.Add("headers", "%.60q stands there twice", key)
		}
		seen[key] = true
	}
	if len(t.SecretHeaders) > maxSecretHeaders {
		errs.Add("secretHeaders", "at most %d names, not %d", maxSecretHeaders, len(t.SecretHeaders))
		return
	}
	for _, name := range t.SecretHeaders {
		if !seen[http.CanonicalHeaderKey(name)] {
			errs.Add("secretHeaders", "%.60q is not among the headers", name)
		}
	}
}

// planField is the target's field behind a path of its plan p.
func planField(path string, p plan.Plan) string {
	if option := optionOf(path, p); option != "" {
		return "options." + option
	}
	if rest, ok := strings.CutPrefix(path, "scenarios["); ok { // each has the target's request
		_, path, _ = strings.Cut(rest, "].")
	}
	path = strings.TrimPrefix(path, "request.")
	switch path {
	case "header":
		return "headers"
	case "duration", "gracefulStop":
		return path + "S"
	case "pause", "timeout":
		return path + "Ms"
	}
	return path
}

// validatePlan leaves what plan and target have in common to the plan. A field that is at fault already is so in its
// own unit.
func (t Target) validatePlan(errs *plan.FieldErrors) {
	known := slices.Clone(*errs)
	add := func(field, message string) {
		if !slices.ContainsFunc(known, func(k plan.FieldError) bool { return k.Field == field }) && !slices.Contains(*errs, plan.FieldError{Field: field, Message: message}) {
			errs.Add(field, "%s", message)
		}
	}
	statuses, err := plan.ParseStatuses(t.ExpectedStatuses)
	if err != nil {
		errs.Add("expectedStatuses", "%v", err)
	}
	p, err := t.plan(statuses)
	if err != nil {
		var faults plan.FieldErrors
		errors.As(err, &faults)
		for _, f := range faults {
			add(f.Field, f.Message)
		}
		t.Options = noOptions() // so that all else is checked, too
		p, _ = t.plan(statuses)
	}
	var faults plan.FieldErrors
	errors.As(p.Validate(), &faults)
	for _, f := range faults {
		add(planField(f.Field, p), f.Message)
	}
}

// String names the target without its secrets.
func (t Target) String() string { return fmt.Sprintf("target %s (%s)", t.ID, t.Name()) }

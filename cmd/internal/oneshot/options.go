package oneshot

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/nollagluiz/broadside/plan"
)

// maxFile bounds a configuration or body file in bytes.
const maxFile = plan.MaxBody + 64<<10

// options is one run as the command line, the environment and the configuration file ask for it.
type options struct {
	url              string
	vus              int
	duration         time.Duration
	gracefulStop     time.Duration
	method           string
	headers          []string // "Name: value"
	body             string
	timeout          time.Duration
	expectedStatuses string
	maxRedirects     int
	insecure         bool
	httpVersion      string
	pause            time.Duration
	userAgent        string
	denyPrivate      bool

	config  string
	quiet   bool
	noColor bool
}

// durationValue is a flag in k6's form: "1h30m", "1d", or a number of milliseconds.
type durationValue struct{ d *time.Duration }

func (v durationValue) String() string {
	if v.d == nil {
		return ""
	}
	return v.d.String()
}
func (durationValue) Type() string { return "duration" }
func (v durationValue) Set(text string) (err error) {
	*v.d, err = parseDuration(text)
	return err
}

// parseDuration reads k6's durations: Go's, with days in front ("1d12h"), or a bare number of milliseconds.
func parseDuration(text string) (time.Duration, error) {
	const most = float64(math.MaxInt64) / float64(time.Millisecond)
	if ms, err := strconv.ParseFloat(text, 64); err == nil {
		if !(0 <= ms && ms < most) { // NaN, too
			return 0, fmt.Errorf("%.40q is no duration of 0 or more", text)
		}
		return time.Duration(ms * float64(time.Millisecond)), nil
	}
	var days time.Duration
	rest := text
	if before, after, ok := strings.Cut(text, "d"); ok {
		n, err := strconv.ParseUint(before, 10, 16)
		if err != nil {
			return 0, fmt.Errorf("%.40q is no duration, as in 90s, 5m or 1h30m", text)
		}
		days, rest = time.Duration(n)*24*time.Hour, cmp.Or(after, "0s")
	}
	d, err := time.ParseDuration(rest)
	if err != nil {
		return 0, fmt.Errorf("%.40q is no duration, as in 90s, 5m or 1h30m", text)
	}
	if d < 0 || days+d < d {
		return 0, fmt.Errorf("%.40q is no duration of 0 or more", text)
	}
	return days + d, nil
}

// defaults are the options that the flags' declarations don't set.
func defaults() options {
	return options{duration: plan.DefaultDuration, gracefulStop: plan.DefaultGracefulStop, timeout: plan.DefaultTimeout}
}

// flags declares the command line. The same names, less the dashes and in k6's spelling, are the keys of a
// configuration file.
func (o *options) flags() *pflag.FlagSet {
	f := pflag.NewFlagSet("run", pflag.ContinueOnError)
	f.SetOutput(io.Discard)
	f.SortFlags = false
	f.SetNormalizeFunc(func(_ *pflag.FlagSet, name string) pflag.NormalizedName {
		if name == "insecure" { // the same flag, or one would not know of the other
			name = "insecure-skip-tls-verify"
		}
		return pflag.NormalizedName(name)
	})
	f.IntVarP(&o.vus, "vus", "u", 1, "virtual users")
	f.VarP(durationValue{&o.duration}, "duration", "d", "how long they start requests")
	f.Var(durationValue{&o.gracefulStop}, "graceful-stop", "how long requests under way may still end")
	f.StringVar(&o.method, "method", http.MethodGet, "HTTP method")
	f.StringArrayVar(&o.headers, "header", nil, `request header "Name: value"; may be given again`)
	f.StringVar(&o.body, "body", "", "request body; @FILE reads a file")
	f.Var(durationValue{&o.timeout}, "timeout", "of one request, redirects and body included")
	f.StringVar(&o.expectedStatuses, "expected-status", "200-399", "what is no failure, as in 200-299,404")
	f.IntVar(&o.maxRedirects, "max-redirects", plan.DefaultMaxRedirects, "0 takes a redirect as the answer")
	f.BoolVar(&o.insecure, "insecure-skip-tls-verify", false, "take any certificate; --insecure is the same")
	f.StringVar(&o.httpVersion, "http-version", string(plan.HTTPAuto), "auto, 1.1 or 2")
	f.Var(durationValue{&o.pause}, "pause", "of a virtual user after each request")
	f.StringVar(&o.userAgent, "user-agent", "", "User-Agent header")
	f.BoolVar(&o.denyPrivate, "deny-private", false, "refuse private addresses")
	f.StringVarP(&o.config, "config", "c", "", "JSON file with these options")
	f.BoolVarP(&o.quiet, "quiet", "q", false, "no progress")
	f.BoolVar(&o.noColor, "no-color", false, "no colours")
	f.Bool("no-usage-report", false, "accepted: nothing is ever reported")
	return f
}

// variables are k6's environment variables for the flags that have one (k6 v2.2, "Options reference").
var variables = []struct{ name, flag string }{
	{"K6_VUS", "vus"},
	{"K6_DURATION", "duration"},
	{"K6_MAX_REDIRECTS", "max-redirects"},
	{"K6_INSECURE_SKIP_TLS_VERIFY", "insecure-skip-tls-verify"},
	{"K6_USER_AGENT", "user-agent"},
	{"K6_CONFIG", "config"},
	{"K6_NO_COLOR", "no-color"},
	{"DENY_PRIVATE_TARGETS", "deny-private"},
}

// keys are a configuration file's names: k6's where it has one.
var keys = map[string]string{
	"vus": "vus", "duration": "duration", "gracefulStop": "graceful-stop", "method": "method", "body": "body",
	"timeout": "timeout", "expectedStatuses": "expected-status", "maxRedirects": "max-redirects",
	"insecureSkipTLSVerify": "insecure-skip-tls-verify", "httpVersion": "http-version", "pause": "pause",
	"userAgent": "user-agent", "quiet": "quiet", "noColor": "no-color",
}

// valueError is a value that can't be used, k6's exit code 104; anything else of the command line is 255.
type valueError struct{ error }

func (e valueError) Unwrap() error { return e.error }

func invalid(format string, args ...any) error { return valueError{fmt.Errorf(format, args...)} }

// parse reads the command line, then what it leaves open from the environment, then from the configuration file: k6's
// precedence.
func parse(args []string, environ map[string]string) (options, error) {
	o := defaults()
	f := o.flags()
	if err := f.Parse(args); err != nil {
		return o, explain(err, f)
	}
	for _, v := range variables {
		value := environ[v.name]
		if value == "" || f.Changed(v.flag) {
			continue
		}
		if err := f.Set(v.flag, value); err != nil {
			return o, invalid("%s: %w", v.name, errors.Unwrap(err))
		}
	}
	o.noColor = o.noColor || environ["NO_COLOR"] != ""
	if o.config != "" {
		if err := o.readConfig(f); err != nil {
			return o, invalid("%s: %w", o.config, err)
		}
	}
	switch rest := f.Args(); {
	case len(rest) > 1:
		return o, fmt.Errorf("one URL at most, not %d", len(rest))
	case len(rest) == 1:
		o.url = rest[0]
	case o.url == "":
		return o, errors.New("a URL is needed")
	}
	return o, nil
}

// readConfig takes from the file what neither command line nor environment has set.
func (o *options) readConfig(f *pflag.FlagSet) error {
	text, err := readFile(o.config)
	if err != nil {
		return err
	}
	var doc map[string]json.RawMessage
	if err := json.Unmarshal(text, &doc); err != nil {
		return fmt.Errorf("no JSON object: %w", err)
	}
	for key, raw := range doc {
		switch key {
		case "url":
			err = json.Unmarshal(raw, &o.url)
		case "headers":
			err = o.configHeaders(f, raw)
		default:
			err = setKey(f, key, raw)
		}
		if err != nil {
			return fmt.Errorf("%q: %w", key, err)
		}
	}
	return nil
}

func (o *options) configHeaders(f *pflag.FlagSet, raw json.RawMessage) error {
	var headers map[string]string
	if err := json.Unmarshal(raw, &headers); err != nil {
		return errors.New("must be an object of texts")
	}
	if f.Changed("header") {
		return nil
	}
	for name, value := range headers {
		o.headers = append(o.headers, name+": "+value)
	}
	return nil
}

func setKey(f *pflag.FlagSet, key string, raw json.RawMessage) error {
	flag, ok := keys[key]
	if !ok {
		return errors.New("is no option of a run" + nearest(key, slices.Collect(maps.Keys(keys))))
	}
	if f.Changed(flag) {
		return nil
	}
	text := string(raw)
	if strings.HasPrefix(text, `"`) {
		if err := json.Unmarshal(raw, &text); err != nil {
			return err
		}
	}
	if err := f.Set(flag, text); err != nil {
		return errors.Unwrap(err)
	}
	return nil
}

func readFile(name string) ([]byte, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, errors.Unwrap(err)
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, maxFile+1))
	if err != nil {
		return nil, err
	}
	if len(text) > maxFile {
		return nil, fmt.Errorf("over %d bytes", maxFile)
	}
	return text, nil
}

// plan is the run that the options ask for. The error is a valueError that names flags.
func (o options) plan() (plan.Plan, error) {
	statuses, err := plan.ParseStatuses(o.expectedStatuses)
	if err != nil {
		return plan.Plan{}, invalid("--expected-status: %w", err)
	}
	header := http.Header{}
	for _, line := range o.headers {
		name, value, ok := strings.Cut(line, ":")
		if !ok {
			return plan.Plan{}, invalid(`--header: must be "Name: value"`)
		}
		header.Add(strings.TrimSpace(name), strings.TrimSpace(value))
	}
	if o.userAgent != "" && header.Get("User-Agent") == "" {
		header.Set("User-Agent", o.userAgent)
	}
	body := []byte(o.body)
	if file, ok := strings.CutPrefix(o.body, "@"); ok {
		if body, err = readFile(file); err != nil {
			return plan.Plan{}, invalid("--body: %s: %w", file, err)
		}
	}
	p := plan.Plan{Scenarios: []plan.Scenario{{
		VUs:          o.vus,
		Duration:     o.duration,
		GracefulStop: plan.OrNone(o.gracefulStop),
		Pause:        o.pause,
		Request: plan.Request{
			Method:             o.method,
			URL:                o.url,
			Header:             header,
			Body:               body,
			Timeout:            o.timeout,
			ExpectedStatuses:   statuses,
			MaxRedirects:       plan.OrNone(o.maxRedirects),
			InsecureSkipVerify: o.insecure,
			HTTPVersion:        plan.HTTPVersion(o.httpVersion),
		},
	}}}
	return p, o.check(p)
}

// check leaves the bounds to the plan, and says the flag where the plan says its own field.
func (o options) check(p plan.Plan) error {
	// In a plan these zeros mean the default; on a command line they are mistakes (k6 v2.2 exits with 104, too).
	switch {
	case o.vus == 0:
		return invalid("--vus: must be 1 to %d, not 0", plan.MaxVUs)
	case o.duration == 0:
		return invalid("--duration: must be %v to %v, not 0", plan.MinDuration, plan.MaxDuration)
	case o.maxRedirects < 0:
		return invalid("--max-redirects: must be 0 to %d, not %d", plan.MaxRedirects, o.maxRedirects)
	case o.timeout == 0:
		return invalid("--timeout: must be over 0, at most %v", plan.MaxTimeout)
	}
	err := p.Validate()
	var faults plan.FieldErrors
	if !errors.As(err, &faults) {
		return err
	}
	fields := strings.NewReplacer("scenarios[0].request.url", "URL", "scenarios[0].request.header", "--header",
		"scenarios[0].request.expectedStatuses", "--expected-status", "scenarios[0].request.maxRedirects", "--max-redirects",
		"scenarios[0].request.httpVersion", "--http-version", "scenarios[0].gracefulStop", "--graceful-stop",
		"scenarios[0].request.", "--", "scenarios[0].", "--")
	for i, f := range faults {
		faults[i].Field = fields.Replace(f.Field)
	}
	return valueError{faults}
}

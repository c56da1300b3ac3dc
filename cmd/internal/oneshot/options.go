package oneshot

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/nollagluiz/broadside/engine"
	"github.com/nollagluiz/broadside/plan"
	"github.com/nollagluiz/broadside/summary"
)

// options is one run as the command line, the environment and the configuration file ask for it.
type options struct {
	url              string
	vus              int
	duration         time.Duration
	limited          bool // duration was asked for: beside iterations it is their limit
	vusGiven         bool
	iterations       int
	rate             rate
	stages           stages
	thresholds       thresholds
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
	network          plan.Network
	transport        string
	further          plan.Options // scenarios, thresholds and tags of the configuration file

	summaryExport string // a file, or one of the streams
	summaryJSON   string // likewise
	summaryMode   string
	trendStats    trendStats

	config  string
	quiet   bool
	noColor bool
}

// The values of --summary-mode. Without groups, and with one scenario, k6's full report is the compact one with the
// phases of requests, which ours always has.
const (
	summaryCompact  = "compact"
	summaryFull     = "full"
	summaryDisabled = "disabled"
)

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

// trendStats is a flag in k6's form; nil is the default.
type trendStats []string

func (v *trendStats) String() string { return strings.Join(*v, ",") }
func (*trendStats) Type() string     { return "list" }
func (v *trendStats) Set(text string) (err error) {
	*v, err = summary.ParseTrendStats(text)
	return err
}

// parseDuration reads a duration of 0 or more in k6's form.
func parseDuration(text string) (time.Duration, error) {
	d, err := plan.ParseDuration(text)
	if err != nil {
		return 0, fmt.Errorf("%.40q %w", text, err)
	}
	if d < 0 {
		return 0, fmt.Errorf("%.40q is no duration of 0 or more", text)
	}
	return d, nil
}

// defaults are the options that the flags' declarations don't set.
func defaults() options {
	return options{rate: rate{n: -1}, duration: plan.DefaultDuration, gracefulStop: plan.DefaultGracefulStop, timeout: plan.DefaultTimeout}
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
	f.IntVarP(&o.iterations, "iterations", "i", 0, "requests in all, in place of a duration, which then limits them")
	f.VarP(&o.stages, "stage", "s", "in place of a duration: ramp from --vus, or --rate, to a number of them; may be given again")
	f.Var(&o.rate, "rate", "requests begun a second, or in a time as in 6000/1m, whatever the answers take; --vus is then the most at once")
	f.Var(&o.thresholds, "threshold", "limit to hold, as in 'http_req_duration:p(95)<500'; may be given again")
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
	addNetwork(f, &o.network)
	f.StringVar(&o.transport, "transport", string(engine.TransportAuto), "auto, http1 or std (net/http), to compare them")
	f.BoolVar(&o.denyPrivate, "deny-private", false, "refuse private addresses")
	f.StringVar(&o.summaryExport, "summary-export", "", "FILE of the summary in k6's flat JSON; stdout, - or stderr for these")
	f.StringVar(&o.summaryJSON, "summary-json", "", "likewise, in the JSON of k6's handleSummary")
	f.StringVar(&o.summaryMode, "summary-mode", summaryCompact, "compact or full, which are the same; disabled: no report")
	f.Var(&o.trendStats, "summary-trend-stats", "what is told of trends, as in avg,p(95),p(99.9),count")
	f.StringVarP(&o.config, "config", "c", "", "JSON file with these options")
	f.BoolVarP(&o.quiet, "quiet", "q", false, "no progress")
	f.BoolVar(&o.noColor, "no-color", false, "no colours")
	f.Bool("no-usage-report", false, "accepted: nothing is ever reported")
	f.Bool("discard-response-bodies", false, "accepted: bodies are read and never kept")
	return f
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
	if err := checkShapes(f); err != nil {
		return o, err
	}
	if err := readEnvironment(f, environ); err != nil {
		return o, err
	}
	o.noColor = o.noColor || environ["NO_COLOR"] != ""
	if o.config != "" {
		if err := o.readConfig(f); err != nil {
			return o, invalid("%s: %w", o.config, err)
		}
	}
	o.vusGiven = f.Changed("vus")
	if o.limited = f.Changed("duration"); f.Changed("iterations") && o.iterations < 1 {
		return o, invalid("--iterations: must be at least 1, not %d", o.iterations)
	}
	switch rest := f.Args(); {
	case len(rest) > 1:
		return o, fmt.Errorf("one URL at most, not %d", len(rest))
	case len(rest) == 1:
		o.url = rest[0]
	case o.url == "":
		return o, errors.New("a URL is needed")
	}
	return o, o.checkResults()
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
	if isScript(o.url) {
		return plan.Plan{}, invalid("URL: %.60q is a k6 script, and run requests one URL", o.url)
	}
	scenario := plan.Scenario{
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
	}
	o.shape(&scenario)
	p := plan.Plan{Scenarios: []plan.Scenario{scenario}, Network: o.network, Thresholds: o.thresholds}
	return o.further.Apply(p), o.check(o.further.Apply(p))
}

// isScript tells of an argument of k6 run: a script, an archive, or "-" for one on standard input.
func isScript(arg string) bool {
	return arg == "-" || !strings.Contains(arg, "://") && slices.Contains([]string{".js", ".mjs", ".ts", ".tar"}, path.Ext(arg))
}

// checkResults holds where results go. A stream has room for one.
func (o options) checkResults() error {
	switch o.summaryMode {
	case summaryCompact, summaryFull, summaryDisabled:
	default:
		return invalid("--summary-mode: must be %s, %s or %s, not %.40q", summaryCompact, summaryFull, summaryDisabled, o.summaryMode)
	}
	if e := o.exports(); len(e) == 2 && e[0].to == e[1].to {
		return invalid("%s and %s: both go to %s; one must go elsewhere", e[0].flag, e[1].flag, e[0].to)
	}
	return nil
}

// check leaves the bounds to the plan, and says the flag where the plan says its own field.
func (o options) check(p plan.Plan) error {
	// In a plan these zeros mean the default; on a command line they are mistakes (k6 v2.2 exits with 104, too).
	switch {
	case o.vus == 0 && (len(o.stages) == 0 || o.rate.n >= 0):
		return invalid("--vus: must be 1 to %d, not 0", plan.MaxVUs)
	case o.rate.n == 0 && len(o.stages) == 0:
		return invalid("--rate: must be at least 1, not 0")
	case !engine.Transport(o.transport).Valid() || o.transport == "":
		return invalid("--transport: must be auto, http1 or std, not %.40q", o.transport)
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
		"scenarios[0].maxDuration", "--duration", "scenarios[0].startVUs", "--vus", "scenarios[0].stages", "--stage",
		"scenarios[0].timeUnit", "--rate", "scenarios[0].preAllocatedVUs", "--vus", "scenarios[0].maxVUs", "--vus", "scenarios[0].startRate", "--rate",
		"network.blacklistIPs", "--blacklist-ip", "network.blockHostnames", "--block-hostnames", "network.dns", "--dns", "network.", "",
		"thresholds", "--threshold",
		"scenarios[0].request.", "--", "scenarios[0].", "--")
	for i, f := range faults {
		faults[i].Field = fields.Replace(f.Field)
	}
	return valueError{faults}
}

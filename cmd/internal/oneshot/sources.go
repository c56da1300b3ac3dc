package oneshot

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/nollagluiz/broadside/plan"
)

// maxFile bounds a configuration or body file in bytes.
const maxFile = plan.MaxBody + 64<<10

// variables are k6's environment variables for the flags that have one (k6 v2.2, "Options reference").
var variables = []struct{ name, flag string }{
	{"K6_VUS", "vus"},
	{"K6_DURATION", "duration"},
	{"K6_ITERATIONS", "iterations"},
	{"K6_STAGES", "stage"},
	{"K6_NO_CONNECTION_REUSE", "no-connection-reuse"},
	{"K6_NO_VU_CONNECTION_REUSE", "no-vu-connection-reuse"},
	{"K6_BLACKLIST_IPS", "blacklist-ip"},
	{"K6_BLOCK_HOSTNAMES", "block-hostnames"},
	{"K6_DNS", "dns"},
	{"K6_MAX_REDIRECTS", "max-redirects"},
	{"K6_INSECURE_SKIP_TLS_VERIFY", "insecure-skip-tls-verify"},
	{"K6_USER_AGENT", "user-agent"},
	{"K6_DISCARD_RESPONSE_BODIES", "discard-response-bodies"},
	{"K6_SUMMARY_EXPORT", "summary-export"},
	{"K6_SUMMARY_MODE", "summary-mode"},
	{"K6_SUMMARY_TREND_STATS", "summary-trend-stats"},
	{"K6_CONFIG", "config"},
	{"K6_NO_COLOR", "no-color"},
	{"DENY_PRIVATE_TARGETS", "deny-private"},
}

// keys are a configuration file's names: k6's where it has one.
var keys = map[string]string{
	"vus": "vus", "duration": "duration", "iterations": "iterations", "gracefulStop": "graceful-stop", "method": "method", "body": "body",
	"timeout": "timeout", "expectedStatuses": "expected-status", "maxRedirects": "max-redirects",
	"insecureSkipTLSVerify": "insecure-skip-tls-verify", "httpVersion": "http-version", "pause": "pause",
	"userAgent": "user-agent", "quiet": "quiet", "noColor": "no-color", "summaryExport": "summary-export", "summaryJSON": "summary-json",
	"rate": "rate", "transport": "transport", "summaryMode": "summary-mode", "discardResponseBodies": "discard-response-bodies", "noUsageReport": "no-usage-report",
}

// readEnvironment takes what the command line has not set, and refuses what of k6's would be missed.
func readEnvironment(f *pflag.FlagSet, environ map[string]string) error {
	flags := map[string]string{}
	for _, v := range variables {
		flags[v.name] = v.flag
	}
	above := shaped(f)
	for _, name := range sorted(environ) {
		value, flag := environ[name], flags[name]
		switch {
		case value == "", flag != "" && f.Changed(flag), above && slices.Contains(shapes(), flag):
		case flag != "":
			if err := f.Set(flag, value); err != nil {
				return invalid("%s: %w", name, errors.Unwrap(err))
			}
		case strings.HasPrefix(name, "K6_"):
			if why := whyRefused(name); why != "" {
				return invalid("%s: %s", name, why)
			}
		}
	}
	return checkShapes(f)
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
	above := shaped(f)
	further := map[string]json.RawMessage{}
	for _, key := range sorted(doc) {
		raw := doc[key]
		networkFlag, network := networkFlags[key]
		switch {
		case above && slices.Contains([]string{"duration", "iterations", "stages", "rate", "scenarios"}, key):
		case key == "thresholds" && f.Changed("threshold"):
		case key == "scenarios", key == "tags", key == "thresholds":
			further[key] = raw
		case network && networkFlag != "" && f.Changed(networkFlag):
		case network:
			_, err = o.network.SetOption(key, raw)
		case key == "url":
			err = json.Unmarshal(raw, &o.url)
		case key == "stages":
			err = configStages(f, raw)
		case key == "headers":
			err = o.configHeaders(f, raw)
		case key == "summaryTrendStats":
			err = configTrendStats(f, raw)
		default:
			err = setKey(f, key, raw)
		}
		if err != nil {
			return fmt.Errorf("%q: %w", key, err)
		}
	}
	if err := o.readFurther(f, further, above); err != nil {
		return err
	}
	return checkShapes(f)
}

// readFurther reads what k6's JSON says in its own way: scenarios, which stand alone, thresholds and tags.
func (o *options) readFurther(f *pflag.FlagSet, doc map[string]json.RawMessage, above bool) error {
	if len(doc) == 0 {
		return nil
	}
	if doc["scenarios"] != nil && !above && (shaped(f) || f.Changed("vus")) {
		return errors.New(`"scenarios": vus, duration, iterations, stages or rate can't stand beside it`)
	}
	text, err := json.Marshal(doc)
	if err != nil {
		return err
	}
	o.further, err = plan.ParseOptions(text, false)
	return err
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

func configTrendStats(f *pflag.FlagSet, raw json.RawMessage) error {
	var stats []string
	if err := json.Unmarshal(raw, &stats); err != nil {
		return errors.New("must be a list of texts")
	}
	if f.Changed("summary-trend-stats") {
		return nil
	}
	if err := f.Set("summary-trend-stats", strings.Join(stats, ",")); err != nil {
		return errors.Unwrap(err)
	}
	return nil
}

func setKey(f *pflag.FlagSet, key string, raw json.RawMessage) error {
	flag, ok := keys[key]
	if !ok {
		if why := whyNotHere(key); why != "" {
			return errors.New(why)
		}
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

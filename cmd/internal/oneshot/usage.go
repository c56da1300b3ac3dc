package oneshot

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/agnivade/levenshtein"
	"github.com/spf13/pflag"
)

// refused is what k6 v2.2 takes for a run and this verb does not: why, and the names, by k6's flags where it has one.
// The same word as a variable, K6_BLACKLIST_IPS, or as a key of a configuration file, blacklistIPs, is refused for the
// same reason.
var refused = []struct {
	why   string
	names []string
}{
	{"use --pause to hold virtual users back", []string{"rps", "min-iteration-duration"}},
	{"a run is not split here: give each machine its own --vus", []string{"execution-segment", "execution-segment-sequence"}},
	{"a run has no REST API", []string{"paused", "linger", "address", "profiling-enabled"}},
	{"without a --threshold, at most 5 % of the requests may fail", []string{"no-thresholds"}},
	{"name them by --threshold, or in a configuration file as k6's JSON", []string{"thresholds"}},
	{"only a configuration file (--config) has it", []string{"hosts", "tls-version", "tls-cipher-suites", "tls-auth"}},
	{"each iteration begins without cookies", []string{"no-cookies-reset"}},
	{"the system chooses the address that connections come from", []string{"local-ips"}},
	{"there is no log: the report has the classes of errors", []string{"http-debug", "verbose", "log-output", "log-format", "console-output"}},
	{"samples are not streamed; --summary-json gives the results as JSON", []string{"out", "web-dashboard", "traces-output", "system-tags", "tag"}},
	{"the report gives each value the unit that suits it, and JSON is in ms", []string{"summary-time-unit"}},
	{"that shape has neither p(99) nor rates: use --summary-json", []string{"new-machine-readable-summary"}},
	{"k6 2.0 has removed it: use --summary-mode disabled", []string{"no-summary"}},
	{"features of k6 are not those of this engine", []string{"features"}},
}

// ofScripts are k6's flags and keys that only a script gives a meaning. Their variables are left alone: without a script
// they change nothing.
var ofScripts = []string{"no-setup", "no-teardown", "setup-timeout", "teardown-timeout", "batch", "batch-per-host", "throw", "env",
	"include-system-env-vars", "compatibility-mode", "type", "secret-source", "handle-summary-timeout"}

// shorthands are those of k6's flags that are refused.
var shorthands = map[string]string{
	"p": "paused", "w": "throw", "t": "type", "e": "env", "o": "out", "l": "linger", "a": "address", "v": "verbose",
}

// fold makes one of the spellings of an option: --blacklist-ip, K6_BLACKLIST_IPS, blacklistIPs.
func fold(name string) string {
	name = strings.NewReplacer("-", "", "_", "").Replace(strings.ToLower(strings.TrimPrefix(name, "K6_")))
	return strings.TrimSuffix(name, "s")
}

// whyRefused is the reason for which an option of k6 in any spelling is not taken; "" if it is none of these.
func whyRefused(name string) string {
	is := func(known string) bool { return fold(known) == fold(name) }
	for _, r := range refused {
		if slices.ContainsFunc(r.names, is) {
			return r.why
		}
	}
	return ""
}

// whyNotHere is whyRefused for where a user has named the option in words: there those of scripts have a reason, too.
func whyNotHere(name string) string {
	if slices.ContainsFunc(ofScripts, func(known string) bool { return fold(known) == fold(name) }) {
		return "is for k6 scripts, and run requests one URL"
	}
	return whyRefused(name)
}

// explain words a flag error: the flag at fault and the nearest right one.
func explain(err error, f *pflag.FlagSet) error {
	var missing *pflag.NotExistError
	if errors.As(err, &missing) {
		name, dashes := missing.GetSpecifiedName(), "--"
		if missing.GetSpecifiedShortnames() != "" {
			dashes = "-"
		}
		if why := whyNotHere(cmp.Or(shorthands[name], name)); why != "" {
			return fmt.Errorf("%s%s: %s", dashes, name, why)
		}
		if dashes == "-" {
			return fmt.Errorf("-%s is no flag of run; see run --help", name)
		}
		var names []string
		f.VisitAll(func(flag *pflag.Flag) { names = append(names, flag.Name) })
		return fmt.Errorf("--%s is no flag of run%s", name, nearest(name, names))
	}
	var bad *pflag.InvalidValueError
	if errors.As(err, &bad) {
		return invalid("--%s: %w", bad.GetFlag().Name, bad.Unwrap())
	}
	return err
}

// nearest suggests the name that a typing error was meant for, or nothing.
func nearest(name string, known []string) string {
	slices.Sort(known)
	best, distance := "", 3+len(name)/4 // a typing error is nearer than that
	for _, k := range known {
		if d := levenshtein.ComputeDistance(strings.ToLower(name), strings.ToLower(k)); d < distance {
			best, distance = k, d
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf("; did you mean %s?", best)
}

// help is the text of run --help.
func help(program string) string {
	o := defaults()
	names := []string{"NO_COLOR"}
	for _, v := range variables {
		names = append(names, v.name)
	}
	return fmt.Sprintf(`One run against one URL, without a dashboard.

usage: %s run [flags] URL

%s
The report goes to stdout, progress to stderr. A summary that goes to stdout is there alone.

Where a flag is not given, these variables count, then the configuration file, then the default:
  %s

exit codes:
  0    ok, or limited by this machine rather than by the target
  1    a result could not be written
  99   a threshold failed, the target was not reached, or no request was made
  104  a bad value or URL
  105  aborted: ctrl-C once still gives the results, twice gives none
  255  a bad flag
`, program, o.flags().FlagUsages(), strings.Join(names, "\n  "))
}

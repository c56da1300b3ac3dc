package oneshot

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/agnivade/levenshtein"
	"github.com/spf13/pflag"
)

// later are flags of `k6 run` that this version refuses, with the reason.
var later = map[string]string{
	"out":            "streams of samples are not built in",
	"summary-export": "summaries in k6's JSON are not built in",
	"iterations":     "the one executor so far is constant-vus: use --duration",
	"stage":          "the one executor so far is constant-vus: use --vus and --duration",
	"rps":            "use --pause to hold virtual users back",
}

// explain words a flag error: the flag at fault and the nearest right one.
func explain(err error, f *pflag.FlagSet) error {
	var missing *pflag.NotExistError
	if errors.As(err, &missing) {
		name := missing.GetSpecifiedName()
		if why, ok := later[name]; ok {
			return fmt.Errorf("--%s: %s", name, why)
		}
		if missing.GetSpecifiedShortnames() != "" {
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
	return fmt.Sprintf(`One run against one URL, without a dashboard.

usage: %s run [flags] URL

%s
Without a flag, K6_VUS, K6_DURATION, K6_MAX_REDIRECTS, K6_INSECURE_SKIP_TLS_VERIFY, K6_USER_AGENT, K6_CONFIG,
K6_NO_COLOR, NO_COLOR and DENY_PRIVATE_TARGETS count; then the configuration file; then the default.

exit codes: 0 ok, 99 a threshold failed or the target was not reached, 104 a bad value or URL, 105 aborted, 255 a bad flag
`, program, o.flags().FlagUsages())
}

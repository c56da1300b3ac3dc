package oneshot

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/pflag"
)

// flagsOfK6 are those of `k6 run --help`, v2.2.0.
func flagsOfK6() []string {
	return strings.Fields(`address batch batch-per-host blacklist-ip block-hostnames compatibility-mode config console-output
		discard-response-bodies dns duration env execution-segment execution-segment-sequence features help http-debug
		include-system-env-vars insecure-skip-tls-verify iterations linger local-ips log-format log-output max-redirects
		min-iteration-duration new-machine-readable-summary no-color no-connection-reuse no-setup no-teardown no-thresholds
		no-usage-report no-vu-connection-reuse out paused profiling-enabled quiet rps secret-source stage summary-export
		summary-mode summary-time-unit summary-trend-stats system-tags tag throw traces-output type user-agent verbose vus`)
}

// takes tells whether the verb has the flag; pflag adds --help by itself.
func takes(name string) bool {
	o := defaults()
	return name == "help" || o.flags().Lookup(name) != nil
}

// None of k6's flags is unknown: it is taken, or refused with the reason.
func TestEveryFlagOfK6IsAnswered(t *testing.T) {
	for _, name := range flagsOfK6() {
		why := whyNotHere(name)
		if takes(name) == (why != "") {
			t.Errorf("--%s: taken %v, and refused since %q", name, takes(name), why)
		}
		if why == "" {
			continue
		}
		if _, err := parse([]string{"--" + name + "=1", "http://h/"}, nil); err == nil || err.Error() != "--"+name+": "+why {
			t.Errorf("--%s: error %v; want the reason", name, err)
		}
	}
	// k6's short flags.
	for short, name := range map[string]string{"p": "paused", "w": "throw", "t": "type", "e": "env", "o": "out", "l": "linger", "a": "address", "v": "verbose"} {
		if _, err := parse([]string{"-" + short, "1", "http://h/"}, nil); err == nil || err.Error() != "-"+short+": "+whyNotHere(name) {
			t.Errorf("-%s: error %v; want the reason for --%s", short, err, name)
		}
	}
	for _, short := range []string{"u", "d", "i", "s", "c", "q"} {
		o := defaults()
		if o.flags().ShorthandLookup(short) == nil {
			t.Errorf("-%s is not taken", short)
		}
	}
}

// Variables that would have changed a run of k6 are refused; those of scripts and of other programs are left alone.
func TestVariablesOfK6(t *testing.T) {
	for _, name := range strings.Fields(`K6_RPS K6_MIN_ITERATION_DURATION K6_PAUSED K6_LINGER K6_ADDRESS K6_PROFILING_ENABLED K6_THRESHOLDS
		K6_NO_THRESHOLDS K6_NO_COOKIES_RESET K6_HOSTS K6_LOCAL_IPS
		K6_TLS_CIPHER_SUITES K6_TLSAUTH K6_HTTP_DEBUG K6_LOG_OUTPUT K6_LOG_FORMAT K6_CONSOLE_OUTPUT K6_OUT K6_WEB_DASHBOARD K6_TRACES_OUTPUT K6_SYSTEM_TAGS K6_TAGS
		K6_SUMMARY_TIME_UNIT K6_NEW_MACHINE_READABLE_SUMMARY K6_FEATURES`) {
		_, err := parse([]string{"http://h/"}, map[string]string{name: "1"})
		if why := whyRefused(name); err == nil || why == "" || err.Error() != name+": "+why {
			t.Errorf("%s: error %v; want the reason, %q", name, err, why)
		}
		if _, err := parse([]string{"http://h/"}, map[string]string{name: ""}); err != nil {
			t.Errorf("%s, empty: %v", name, err)
		}
	}
	for _, name := range strings.Fields(`K6_BATCH K6_THROW K6_NO_SETUP K6_SETUP_TIMEOUT K6_COMPATIBILITY_MODE K6_TYPE K6_INCLUDE_SYSTEM_ENV_VARS K6_NO_USAGE_REPORT
		K6_CLOUD_TOKEN K6_BINARY K6_AUTO_EXTENSION_RESOLUTION K6_ENV OUT`) {
		if _, err := parse([]string{"http://h/"}, map[string]string{name: "1"}); err != nil {
			t.Errorf("%s: %v; want it left alone", name, err)
		}
	}
}

// A configuration file of k6 is refused by the key that is not honoured. (k6 passes over keys that it doesn't know.)
func TestKeysOfK6(t *testing.T) {
	for key, want := range map[string]string{
		"localIPs":     "the system chooses",
		"rps":          "use --pause",
		"setupTimeout": "is for k6 scripts",
		"maxRedirect":  "did you mean maxRedirects?",
	} {
		file := filepath.Join(t.TempDir(), "k6.json")
		if err := os.WriteFile(file, []byte(`{"`+key+`": 1}`), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := parse([]string{"-c", file, "http://h/"}, nil); err == nil || !strings.Contains(err.Error(), `"`+key+`": `) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v; want %q", key, err, want)
		}
	}
}

// What is taken is not refused as well, by whatever spelling.
func TestRefusedAreNoneOfOurs(t *testing.T) {
	o := defaults()
	var names []string
	o.flags().VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
	for _, v := range variables {
		names = append(names, v.name)
	}
	for _, name := range slices.Concat(names, slices.Collect(maps.Keys(keys))) {
		if why := whyNotHere(name); why != "" && name != "threshold" { // a variable of k6 that folds to our flag
			t.Errorf("%s is taken, and refused since %q", name, why)
		}
	}
}

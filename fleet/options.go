package fleet

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"strings"
	"time"

	"github.com/nollagluiz/broadside/plan"
)

// MaxOptions bounds a target's options, in bytes: they go along with every poll and every run.
const MaxOptions = 32 << 10

// noOptions is what a target has that names none.
func noOptions() json.RawMessage { return json.RawMessage("{}") }

// secretOption is the one of k6's options that holds private keys. It is write-only as a whole.
const secretOption = "tlsAuth"

// HasOptions tells whether the target names any option.
func (t Target) HasOptions() bool {
	switch text := bytes.TrimSpace(t.Options); string(text) {
	case "", "null", "{}":
		return false
	}
	return true
}

// Load is the target's plan as far as it says how much is sent and when, with its defaults written out: a target that was
// redacted has the same. ok is false if the target is not valid.
func (t Target) Load() (p plan.Plan, ok bool) {
	t.Options = withMember(t.Options, secretOption, json.RawMessage("null"))
	p, err := t.Plan()
	return p.Resolved(), err == nil && p.Validate() == nil
}

// Peak is how many VUs one agent may have at work for the target at once: what its options say, or else VUs.
func (t Target) Peak() int {
	if t.HasOptions() {
		if p, ok := t.Load(); ok {
			return p.Peak()
		}
	}
	return t.VUs
}

// Length is how long one run of the target may take, graceful stop included. A target that is not valid has its
// durations bounded as if it were.
func (t Target) Length() time.Duration {
	if t.HasOptions() {
		if p, ok := t.Load(); ok {
			return p.End()
		}
	}
	const most = int(plan.MaxDuration / time.Second)
	return time.Duration(min(max(t.DurationS, 0), most)+min(max(t.GracefulStopS, 0), most)) * time.Second
}

// withOptions makes p follow the target's options. The error is a plan.FieldErrors with paths such as
// "options.scenarios.login.vus".
func (t Target) withOptions(p plan.Plan) (plan.Plan, error) {
	if !t.HasOptions() {
		return p, nil
	}
	switch {
	case len(t.Options) > MaxOptions:
		return p, plan.FieldErrors{{Field: "options", Message: "are over 32 KiB"}}
	case t.Script != "":
		return p, plan.FieldErrors{{Field: "options", Message: "can't stand beside a script, which has options of its own"}}
	}
	o, err := plan.ParseOptions(t.Options, false)
	if err != nil {
		return p, atOptions(err)
	}
	return o.Apply(p), nil
}

// atOptions puts the faults of options below that field.
func atOptions(err error) error {
	var faults, out plan.FieldErrors
	if !errors.As(err, &faults) {
		return err
	}
	for _, f := range faults {
		if f.Field == "options" {
			f.Field = ""
		}
		if f.Field != "" {
			f.Field = "." + f.Field
		}
		out.Add("options"+f.Field, "%s", f.Message)
	}
	return out
}

// optionOf is the option behind a path of a plan that follows options; "" if the path is of another field.
func optionOf(path string, p plan.Plan) string {
	switch {
	case path == "thresholds":
		return path
	case strings.HasPrefix(path, "scenarios[") && strings.HasSuffix(path, "].tags"):
		return "tags" // those of a scenario alone were checked with it
	case strings.HasPrefix(path, "network."):
		return strings.NewReplacer("network.tls.minVersion", "tlsVersion", "network.tls.maxVersion", "tlsVersion", "network.tls.cipherSuites", "tlsCipherSuites",
			"network.tls.certificates", "tlsAuth", "certPEM", "cert", "keyPEM", "key", "network.", "").Replace(path)
	}
	var i, n int // the place among all, and among those of its metric
	if _, err := fmt.Sscanf(path, "thresholds[%d]", &i); err != nil {
		return ""
	}
	for _, t := range p.Thresholds[:i] {
		if t.Metric == p.Thresholds[i].Metric {
			n++
		}
	}
	return fmt.Sprintf("thresholds.%.80s[%d]", p.Thresholds[i].Metric, n)
}

// member gives one option's value; nil if the options don't have it or can't be read.
func member(options json.RawMessage, name string) json.RawMessage {
	var all map[string]json.RawMessage
	if json.Unmarshal(options, &all) != nil {
		return nil
	}
	return all[name]
}

// withMember replaces the value of an option that is there.
func withMember(options json.RawMessage, name string, value json.RawMessage) json.RawMessage {
	var all map[string]json.RawMessage
	if json.Unmarshal(options, &all) != nil || all[name] == nil {
		return options
	}
	all[name] = value
	text, err := json.Marshal(all)
	if err != nil {
		return options // not reached: each value was read as JSON
	}
	return text
}

// sameHosts tells whether two options lead names to the same addresses.
func sameHosts(a, b json.RawMessage) bool {
	x, y := member(a, "hosts"), member(b, "hosts")
	var hostsX, hostsY map[string]string
	if x != nil && json.Unmarshal(x, &hostsX) != nil || y != nil && json.Unmarshal(y, &hostsY) != nil {
		return bytes.Equal(x, y)
	}
	return maps.Equal(hostsX, hostsY)
}

func hiddenOption() json.RawMessage { return json.RawMessage(`"` + Hidden + `"`) }

// redactedOptions are the options as anybody may see them. What can't be read is not shown, since nobody can tell what
// it holds.
func redactedOptions(options json.RawMessage) json.RawMessage {
	if len(bytes.TrimSpace(options)) == 0 {
		return noOptions()
	}
	var all map[string]json.RawMessage
	if json.Unmarshal(options, &all) != nil || all == nil {
		return noOptions()
	}
	return withMember(options, secretOption, hiddenOption())
}

// restoredOptions puts stored keys back where an edit still says ***.
func restoredOptions(options, stored json.RawMessage) json.RawMessage {
	if isHidden(member(options, secretOption)) {
		if secret := member(stored, secretOption); secret != nil {
			return withMember(options, secretOption, secret)
		}
	}
	return options
}

func isHidden(value json.RawMessage) bool { return bytes.Equal(bytes.TrimSpace(value), hiddenOption()) }

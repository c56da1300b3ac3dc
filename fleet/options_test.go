package fleet_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nollagluiz/broadside/fleet"
	"github.com/nollagluiz/broadside/plan"
)

func withOptions(options string) fleet.Target {
	t := fleet.NewTarget()
	t.URL, t.VUs, t.DurationS, t.GracefulStopS = "http://site.test/", 7, 20, 5
	t.Options = json.RawMessage(options)
	return t
}

// Lists, limits and deadlines go by what the options say of load, and by the target's own fields where they say nothing.
func TestOptionsShapeTheLoad(t *testing.T) {
	for _, tc := range []struct {
		name, options string
		executors     []string
		peak          int
		length        time.Duration
	}{
		{"none", `{}`, []string{plan.ConstantVUs}, 7, 25 * time.Second},
		{"never written", ``, []string{plan.ConstantVUs}, 7, 25 * time.Second},
		{"null", `null`, []string{plan.ConstantVUs}, 7, 25 * time.Second},
		{"nothing of load", `{"thresholds":{"http_reqs":["count>1"]}}`, []string{plan.ConstantVUs}, 7, 25 * time.Second},
		{"stages", `{"stages":[{"duration":"1m","target":50},{"duration":"30s","target":0}]}`, []string{plan.RampingVUs}, 50, 90*time.Second + 5*time.Second},
		{"a rate", `{"scenarios":{"a":{"executor":"constant-arrival-rate","rate":100,"duration":"1m","preAllocatedVUs":10,"maxVUs":30,"gracefulStop":"0s"}}}`,
			[]string{plan.ConstantArrivalRate}, 30, time.Minute},
		{"two that overlap", `{"scenarios":{"a":{"executor":"constant-vus","vus":3,"duration":"1m","gracefulStop":"0s"},
			"b":{"executor":"constant-vus","vus":4,"duration":"10s","startTime":"30s","gracefulStop":"0s"}}}`,
			[]string{plan.ConstantVUs, plan.ConstantVUs}, 7, time.Minute},
	} {
		t.Run(tc.name, func(t *testing.T) {
			target := withOptions(tc.options)
			if err := target.Validate(); err != nil {
				t.Fatal(err)
			}
			p, err := target.Plan()
			if err != nil {
				t.Fatal(err)
			}
			var executors []string
			for _, s := range p.Scenarios {
				executors = append(executors, s.Executor)
				if s.Request.URL != target.URL {
					t.Errorf("scenario %s requests %q", s.Name, s.Request.URL)
				}
			}
			shown := target.Redacted()
			if shown.Peak() != tc.peak || shown.Length() != tc.length {
				t.Errorf("as it is shown: at most %d VUs, %v; want %d, %v", shown.Peak(), shown.Length(), tc.peak, tc.length)
			}
			if !slices.Equal(executors, tc.executors) || target.Peak() != tc.peak || target.Length() != tc.length {
				t.Errorf("%v, at most %d VUs, %v; want %v, %d, %v", executors, target.Peak(), target.Length(), tc.executors, tc.peak, tc.length)
			}
		})
	}
}

// manyTags are as many as one list may have.
func manyTags(prefix string) string {
	var b strings.Builder
	for i := range plan.MaxTags {
		fmt.Fprintf(&b, `"%s%d":"x",`, prefix, i)
	}
	return strings.TrimSuffix(b.String(), ",")
}

// Bad options are refused by their paths, whatever else is wrong.
func TestOptionsAreChecked(t *testing.T) {
	for _, tc := range []struct {
		name, options string
		fields        string
	}{
		{"a list", `[1]`, "options"},
		{"a text", `"vus"`, "options"},
		{"unknown", `{"vuss":3}`, "options.vuss"},
		{"not of this engine", `{"rps":3}`, "options.rps"},
		{"another executor", `{"scenarios":{"a":{"executor":"externally-controlled"}}}`, "options.scenarios.a.executor"},
		{"a function of a script", `{"scenarios":{"a":{"executor":"constant-vus","duration":"1s","exec":"login"}}}`, "options.scenarios.a.exec"},
		{"too many users", `{"vus":10001,"duration":"1s"}`, "options.vus"},
		{"an unknown metric", `{"thresholds":{"http_request":["count>1"]}}`, "options.thresholds.http_request[0]"},
		{"a tag that none has", `{"thresholds":{"http_req_failed":["rate<1"],"http_reqs{team:x}":["count>1"]}}`, "options.thresholds.http_reqs{team:x}[0]"},
		{"a delay beyond a day", `{"thresholds":{"http_reqs":["count>1",{"threshold":"count>2","delayAbortEval":"25h"}]}}`, "options.thresholds.http_reqs[1]"},
		{"too many tags in all", `{"tags":{` + manyTags("a") + `},"scenarios":{"x":{"executor":"constant-vus","duration":"1s","tags":{` + manyTags("b") + `}}}}`, "options.tags"},
		{"a host that leads nowhere", `{"hosts":{"site.test":"nowhere"}}`, "options.hosts"},
		{"a policy of names", `{"dns":{"policy":"IPv5"}}`, "options.dns.policy"},
		{"a version of TLS", `{"tlsVersion":{"min":"tls1.3","max":"tls1.2"}}`, "options.tlsVersion"},
		{"a cipher suite", `{"tlsCipherSuites":["TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256","ROT13"]}`, "options.tlsCipherSuites[1]"},
		{"no certificate", `{"tlsAuth":[{"cert":"SECRET1","key":"SECRET2"}]}`, "options.tlsAuth[0].cert"},
		{"the request, with two scenarios", `{"scenarios":{"a":{"executor":"constant-vus","duration":"1s"},"b":{"executor":"constant-vus","duration":"1s"}}}`, ""},
		{"too long", `{"tags":{"a":"` + strings.Repeat("x", fleet.MaxOptions) + `"}}`, "options"},
		{"hidden keys", `{"tlsAuth":"***"}`, "options.tlsAuth"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			target := withOptions(tc.options)
			target.TimeoutMs = 0
			var faults plan.FieldErrors
			errors.As(target.Validate(), &faults)
			var fields []string
			for _, f := range faults {
				if strings.HasPrefix(f.Field, "options") && !slices.Contains(fields, f.Field) {
					fields = append(fields, f.Field)
				}
			}
			if got := strings.Join(fields, " "); got != tc.fields {
				t.Errorf("faults %v; want of %s", faults, tc.fields)
			}
			if strings.Count(faults.Error(), "timeoutMs: ") != 1 {
				t.Errorf("faults %v; want that of timeoutMs, too, once", faults)
			}
			if strings.Contains(faults.Error(), "SECRET") {
				t.Errorf("a fault shows a secret: %v", faults)
			}
		})
	}
	t.Run("beside a script", func(t *testing.T) {
		target := withOptions(`{"vus":2}`)
		target.Script = "export default function () {}"
		if err := target.Validate(); err == nil || !strings.HasPrefix(err.Error(), "options: can't stand beside a script") {
			t.Errorf("got %v", err)
		}
	})
}

// The dashboard sees the spec of a run without its keys, and counts its deadline by it.
func TestLoadOfWhatIsShown(t *testing.T) {
	shown := withOptions(`{"tlsAuth":"***","scenarios":{"a":{"executor":"constant-vus","vus":40,"duration":"2h","gracefulStop":"0s"}}}`)
	shown.URL = "https://***@site.test/?token=***"
	received := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	if got := fleet.Deadline(received, shown).Sub(received); shown.Peak() != 40 || shown.Length() != 2*time.Hour || got != 2*time.Hour+time.Minute {
		t.Errorf("at most %d VUs, %v, the deadline after %v", shown.Peak(), shown.Length(), got)
	}
	// What can't be run has the bounds of the fields beside its options.
	for _, options := range []string{`{"scenarios":{"a":{"executor":"constant-vus","vus":40}}}`, `{"vus":-1}`, `7`} {
		if broken := withOptions(options); broken.Peak() != 7 || broken.Length() != 25*time.Second {
			t.Errorf("%s: at most %d VUs, %v; want 7, 25s", options, broken.Peak(), broken.Length())
		}
	}
}

// Keys of client certificates are shown to nobody, and stay when what was shown is sent back.
func TestKeysOfOptionsAreHidden(t *testing.T) {
	const key = `{"tlsAuth":[{"cert":"CERT","key":"PRIVATE"}],"vus":2,"duration":"3s"}`
	stored := withOptions(key)
	shown := stored.Redacted()
	if text, _ := json.Marshal(shown); strings.Contains(string(text), "PRIVATE") || !strings.Contains(string(text), `"tlsAuth":"***"`) || !strings.Contains(string(text), `"vus":2`) {
		t.Errorf("shown: %s", text)
	}
	edited := shown
	edited.Options = json.RawMessage(strings.Replace(string(shown.Options), `"vus":2`, `"vus":9`, 1))
	if got := string(edited.Restore(stored).Options); !strings.Contains(got, "PRIVATE") || !strings.Contains(got, `"vus":9`) {
		t.Errorf("restored: %s", got)
	}
	edited.URL = "http://elsewhere.test/"
	if got := string(edited.Restore(stored).Options); strings.Contains(got, "PRIVATE") {
		t.Errorf("a key went to another origin: %s", got)
	}
	for _, unreadable := range []string{`{"tlsAuth":`, `7`, ``} {
		if got := string(withOptions(unreadable).Redacted().Options); got != "{}" {
			t.Errorf("of %q, %s is shown", unreadable, got)
		}
	}
}

// Hosts of the options say where requests go, as the URL does: whoever changes them learns no secret by it.
func TestSecretsStayWithTheirHosts(t *testing.T) {
	const here, there = `{"hosts":{"site.test":"10.0.0.1"}}`, `{"hosts":{"site.test":"10.0.0.2"}}`
	for _, tc := range []struct {
		name, stored, edited string
		kept                 bool
	}{
		{"none", `{}`, `{"vus":2,"duration":"1s"}`, true},
		{"the same", here, `{"hosts": {"site.test": "10.0.0.1"}, "vus": 2, "duration": "1s"}`, true},
		{"none, and an empty one", `{}`, `{"hosts":{}}`, true},
		{"added", `{}`, there, false},
		{"changed", here, there, false},
		{"one more", here, `{"hosts":{"site.test":"10.0.0.1","*.test":"10.0.0.2"}}`, false},
		{"taken away", here, `{}`, false},
		{"unreadable", here, `{"hosts":7}`, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			stored := withOptions(tc.stored)
			stored.URL, stored.Body, stored.Headers = "http://site.test/?token=abcdef", "body", map[string]string{"Authorization": "Bearer x"}
			edited := stored.Redacted()
			edited.Options = json.RawMessage(tc.edited)
			restored := edited.Restore(stored)
			kept := restored.URL == stored.URL && restored.Body == stored.Body && restored.Headers["Authorization"] == stored.Headers["Authorization"]
			if hidden := restored.URL == edited.URL && restored.Body == fleet.Hidden && restored.Headers["Authorization"] == fleet.Hidden; kept == hidden || kept != tc.kept {
				t.Errorf("restored %+v; want secrets kept: %v", restored, tc.kept)
			}
		})
	}
}

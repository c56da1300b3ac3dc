package pages

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/nollagluiz/broadside/fleet"
)

func TestLoad(t *testing.T) {
	scenario := func(text string) string { return `{"scenarios":{"a":{` + text + `}}}` }
	var many []string
	for i := range 40 {
		many = append(many, `{"duration":"1s","target":`+string(rune('1'+i%9))+`}`)
	}
	for _, tc := range []struct {
		name, options string
		vus           int
		length        time.Duration
		shape         string
	}{
		{"none", `{}`, 10, 30 * time.Second, ""},
		{"nothing of load", `{"thresholds":{"http_reqs":["count>1"]}}`, 10, 30 * time.Second, ""},
		{"as many throughout", `{"vus":1500,"duration":"2m"}`, 1500, 2 * time.Minute, ""},
		{"a ramp", scenario(`"executor":"ramping-vus","startVUs":0,"stages":[{"duration":"30s","target":1500},{"duration":"1m30s","target":0}]`), 1500, 2 * time.Minute, "ramping-vus 0→1,500→0"},
		{"a ramp from the default", `{"stages":[{"duration":"30s","target":50}]}`, 50, 30 * time.Second, "ramping-vus 1→50"},
		{"a long ramp", `{"stages":[` + strings.Join(many, ",") + `]}`, 9, 40 * time.Second, "ramping-vus 1→1→2→3→4→5→…→4"},
		{"six stages", `{"stages":[` + strings.Join(many[:6], ",") + `]}`, 6, 6 * time.Second, "ramping-vus 1→1→2→3→4→5→6"},
		{"shared iterations", `{"vus":5,"iterations":2000}`, 5, 10 * time.Minute, "shared-iterations 2,000"},
		{"iterations of each", scenario(`"executor":"per-vu-iterations","vus":5,"iterations":20,"maxDuration":"1h"`), 5, time.Hour, "per-vu-iterations 5 × 20"},
		{"a rate", scenario(`"executor":"constant-arrival-rate","rate":100,"duration":"1m","preAllocatedVUs":5,"maxVUs":60`), 60, time.Minute, "constant-arrival-rate 100 / s"},
		{"a rate a minute", scenario(`"executor":"constant-arrival-rate","rate":100,"timeUnit":"1m","duration":"1m","preAllocatedVUs":5`), 5, time.Minute, "constant-arrival-rate 100 / min"},
		{"a rate of an odd time", scenario(`"executor":"constant-arrival-rate","rate":100,"timeUnit":"90s","duration":"1m","preAllocatedVUs":5`), 5, time.Minute, "constant-arrival-rate 100 / 1 min 30 s"},
		{"a rate that ramps", scenario(`"executor":"ramping-arrival-rate","startRate":10,"timeUnit":"500ms","preAllocatedVUs":5,"stages":[{"duration":"1m","target":200},{"duration":"0s","target":0}]`),
			5, time.Minute, "ramping-arrival-rate 10→200→0 / 500 ms"},
		{"two", `{"scenarios":{"b":{"executor":"constant-vus","vus":3,"duration":"1m","startTime":"30s"},"a":{"executor":"shared-iterations","maxDuration":"40s"}}}`,
			4, 90 * time.Second, "shared-iterations 1 + constant-vus 3"},
		{"five", `{"scenarios":{"a":{"executor":"constant-vus","duration":"1s"},"b":{"executor":"constant-vus","duration":"1s"},"c":{"executor":"constant-vus","duration":"1s"},` +
			`"d":{"executor":"constant-vus","duration":"1s"},"e":{"executor":"constant-vus","duration":"1s"}}}`, 5, time.Second, "constant-vus 1 + constant-vus 1 + constant-vus 1 + 2 more scenarios"},
		{"with keys", `{"vus":20,"duration":"2s","tlsAuth":"***"}`, 20, 2 * time.Second, ""},
		{"what no version of ours made", `{"warp":9}`, 10, 30 * time.Second, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			target := fleet.NewTarget()
			target.URL, target.VUs, target.Options = "https://example.org/", 10, json.RawMessage(tc.options)
			got := mustLocale(t, "en").load(target)
			got.Shape = strings.ReplaceAll(got.Shape, gap, " ")
			if want := (load{tc.vus, tc.length, tc.shape}); got != want {
				t.Errorf("%+v; want %+v", got, want)
			}
		})
	}
}

// Only what encoding/json has escaped for HTML is written as it is; what looks like it stays.
func TestReadable(t *testing.T) {
	for in, want := range map[string]string{
		`"p(95)\u003c500"`: `"p(95)<500"`, `"a\u0026\u0026b\u003e"`: `"a&&b>"`, `"\\u003c"`: `"\\u003c"`, `"\\\u003c"`: `"\\<"`, `"\u003C"`: `"\u003C"`, `"\n\u00e9\""`: `"\n\u00e9\""`,
		`"\u2028"`: `"\u2028"`, `"\u003`: `"\u003`, `\`: `\`, ``: ``,
	} {
		if got := readable([]byte(in)); got != want {
			t.Errorf("%s is shown as %s; want %s", in, got, want)
		}
	}
}

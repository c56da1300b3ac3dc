package summary_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/nollagluiz/broadside/summary"
)

// fixture is an output that k6 v2.2.0 gave (testdata/k6-2.2.0/README.md).
func fixture(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("..", "testdata", "k6-2.2.0", name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func read(t testing.TB, name string) *summary.K6 {
	t.Helper()
	k, err := summary.ReadK6(fixture(t, name))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// Each recorded output gives the eight fields that are in it, and nil for those that aren't.
func TestReadK6Fields(t *testing.T) {
	ms := func(v float64) *float64 { return &v }
	for _, c := range []struct {
		file  string
		shape summary.K6Shape
		want  summary.Fields
	}{
		{"plain.flat-p99.json", summary.K6Flat, summary.Fields{
			P50: ms(0.163715), P95: ms(0.49833500000000003), P99: ms(1.260750120000011), Avg: ms(0.22580054352539597), Min: ms(0.040265), Max: ms(7.531045), ErrorRate: ms(0),
			RPS: 10837.317350650817, DataReceivedBytes: 3381612, Iterations: 21677, Requests: 21677}},
		{"plain.flat-default.json", summary.K6Flat, summary.Fields{ // without p(99), it is neither p(95) nor max
			P50: ms(0.185673), P95: ms(0.5233739000000002), Avg: ms(0.2396173948098259), Min: ms(0.041437), Max: ms(4.633016), ErrorRate: ms(0),
			RPS: 10093.123434588333, DataReceivedBytes: 3149952, Iterations: 20192, Requests: 20192}},
		{"plain.handle-summary.json", summary.K6HandleSummary, summary.Fields{
			P50: ms(0.161812), P95: ms(0.47779900000000003), P99: ms(1.1665896799999986), Avg: ms(0.22220132151160257), Min: ms(0.040433), Max: ms(5.327661), ErrorRate: ms(0),
			RPS: 10966.697025658845, DataReceivedBytes: 3422172, Iterations: 21937, Requests: 21937}},
		{"plain.machine.json", summary.K6Machine, summary.Fields{
			P50: ms(0.174561), P95: ms(0.5364324500000006), Avg: ms(0.25586502200722916), Min: ms(0.042519), Max: ms(10.335454), ErrorRate: ms(0),
			RPS: 18812 / time.Duration(2002298223).Seconds(), DataReceivedBytes: 2934672, Iterations: 18812, Requests: 18812}},
		{"rich.flat-p99.json", summary.K6Flat, summary.Fields{
			P50: ms(0.4767805), P95: ms(0.8812791000000001), P99: ms(0.9634062199999999), Avg: ms(0.3869247499999999), Min: ms(0.07511), Max: ms(0.983938), ErrorRate: ms(0),
			RPS: 1664.2348035599648, DataReceivedBytes: 3120, Iterations: 20, Requests: 20}},
		{"rich.handle-summary.json", summary.K6HandleSummary, summary.Fields{
			P50: ms(0.5828234999999999), P95: ms(1.7270501999999999), P99: ms(1.74038364), Avg: ms(0.7402569000000001), Min: ms(0.068629), Max: ms(1.743717), ErrorRate: ms(0),
			RPS: 1829.2419136760618, DataReceivedBytes: 3120, Iterations: 20, Requests: 20}},
		{"rich.machine.json", summary.K6Machine, summary.Fields{
			P50: ms(0.3339535), P95: ms(0.5772355000000001), Avg: ms(0.289912), Min: ms(0.056686), Max: ms(0.638292), ErrorRate: ms(0),
			RPS: 20 / time.Duration(5517936).Seconds(), DataReceivedBytes: 3120, Iterations: 20, Requests: 20}},
		{"sigterm.json", summary.K6Flat, summary.Fields{
			P50: ms(0.143017), P95: ms(0.314211), P99: ms(0.6762699999999959), Avg: ms(0.16731361723705432), Min: ms(0.04289), Max: ms(6.039509), ErrorRate: ms(0),
			RPS: 9318.077783287577, DataReceivedBytes: 4353180, Iterations: 27905, Requests: 27905}},

		// Refused: five requests, all failed, at 0 ms; passes are failures.
		{"refused.flat-p99.json", summary.K6Flat, summary.Fields{ErrorRate: ms(1), RPS: 1168.6751127596183, Iterations: 5, Requests: 5, Failures: 5}},
		{"refused.handle-summary.json", summary.K6HandleSummary, summary.Fields{ErrorRate: ms(1), RPS: 1614.5886480209663, Iterations: 5, Requests: 5, Failures: 5}},
		{"refused.machine.json", summary.K6Machine, summary.Fields{ErrorRate: ms(1), RPS: 5 / time.Duration(4915821).Seconds(), Iterations: 5, Requests: 5, Failures: 5}},

		// No request: no latency, no error rate.
		{"empty.flat-default.json", summary.K6Flat, summary.Fields{Iterations: 3}},
		{"empty.flat-p99.json", summary.K6Flat, summary.Fields{Iterations: 3}},
		{"empty.handle-summary.json", summary.K6HandleSummary, summary.Fields{Iterations: 3}},
		{"empty.machine.json", summary.K6Machine, summary.Fields{Iterations: 3}},
		{"abort.json", summary.K6Flat, summary.Fields{Iterations: 1}},
		{"iteration-throws.json", summary.K6Flat, summary.Fields{Iterations: 2}},
		{"setup-throws.json", summary.K6Flat, summary.Fields{}},
	} {
		t.Run(c.file, func(t *testing.T) {
			k := read(t, c.file)
			if k.Shape != c.shape {
				t.Errorf("shape %q; want %q", k.Shape, c.shape)
			}
			if diff := cmp.Diff(c.want, k.Fields()); diff != "" {
				t.Errorf("fields (-want +got):\n%s", diff)
			}
		})
	}
}

// Two shapes tell how long the run took; of the flat one it is estimated by a count and its rate.
func TestReadK6Duration(t *testing.T) {
	for _, c := range []struct {
		file      string
		want      time.Duration
		estimated bool
	}{
		{"plain.handle-summary.json", 2000328809, false},
		{"plain.machine.json", 2002298223, false},
		{"plain.flat-p99.json", 2000218255, true},  // 21677 requests at 10837.317.../s
		{"sigterm.json", 2994716362, true},         // SIGTERM after 3 s, of which k6 needed some to start
		{"empty.flat-default.json", 1180825, true}, // by 3 iterations at 2540.596.../s: there were no requests
		{"setup-throws.json", 0, false},            // nothing was counted
	} {
		t.Run(c.file, func(t *testing.T) {
			k := read(t, c.file)
			if k.Duration != c.want || k.Estimated != c.estimated {
				t.Errorf("%d ns, estimated %v; want %d, %v", k.Duration, k.Estimated, c.want, c.estimated)
			}
		})
	}
	if v := read(t, "plain.machine.json").Version; v != "2.2.0" {
		t.Errorf("version %q; want 2.2.0", v)
	}
}

// Of rich, two of five thresholds were crossed. The flat shape writes true for crossed, handleSummary for held.
func TestReadK6Thresholds(t *testing.T) {
	for file, want := range map[string][]string{
		"rich.flat-default.json":   {"checks: rate>0.5", "http_req_duration: avg<0.00001"},
		"rich.flat-p99.json":       {"checks: rate>0.5", "http_req_duration: avg<0.00001"},
		"rich.handle-summary.json": {"checks: rate>0.5", "http_req_duration: avg<0.00001"},
		"rich.machine.json":        nil, // it has no thresholds
		"plain.flat-p99.json":      nil,
	} {
		t.Run(file, func(t *testing.T) {
			k := read(t, file)
			if diff := cmp.Diff(want, k.Crossed()); diff != "" {
				t.Errorf("crossed (-want +got):\n%s", diff)
			}
			if want == nil {
				return
			}
			held := k.Metrics[summary.HTTPReqDuration].Thresholds
			if diff := cmp.Diff(map[string]bool{"p(99)<5000": true, "avg<0.00001": false}, held); diff != "" {
				t.Errorf("of http_req_duration (-want +got):\n%s", diff)
			}
			if !k.Metrics[summary.HTTPReqFailed].Thresholds["rate<0.01"] || !k.Metrics["http_req_duration{status:404}"].Thresholds["p(95)<1"] {
				t.Error("a threshold that was held is crossed")
			}
		})
	}
}

// Custom metrics and submetrics come with their types and values under one set of names, whatever the shape.
func TestReadK6Metrics(t *testing.T) {
	for _, file := range []string{"rich.flat-p99.json", "rich.handle-summary.json", "rich.machine.json"} {
		t.Run(file, func(t *testing.T) {
			k := read(t, file)
			for name, want := range map[string]map[string]float64{
				"my_gauge":            {"value": 5, "min": 5, "max": 5},
				"my_rate":             {"rate": 1, "passes": 20, "fails": 0},
				"checks":              {"rate": 0.5, "passes": 20, "fails": 20},
				summary.HTTPReqFailed: {"rate": 0, "passes": 0, "fails": 20},
			} {
				if diff := cmp.Diff(want, k.Metrics[name].Values); diff != "" {
					t.Errorf("%s (-want +got):\n%s", name, diff)
				}
			}
			for name, kind := range map[string]string{"my_counter": summary.K6Counter, "my_gauge": summary.K6Gauge, "my_rate": summary.K6Rate, "my_trend": summary.K6Trend} {
				if k.Metrics[name].Type != kind {
					t.Errorf("%s is a %q; want a %s", name, k.Metrics[name].Type, kind)
				}
			}
			if n := k.Count("my_counter"); n != 20 {
				t.Errorf("my_counter %d; want 20", n)
			}
			all, expected := k.Metrics[summary.HTTPReqDuration].Values, k.Metrics[summary.ExpectedDuration].Values
			if len(all) == 0 || !cmp.Equal(all, expected) {
				t.Errorf("%v of all, %v of the expected ones; want the same: none failed", all, expected)
			}
			none := k.Metrics["http_req_duration{status:404}"].Values
			if v, ok := none["p(95)"]; !ok || v != 0 {
				t.Errorf("%v of a submetric without a sample; want k6's zeros", none)
			}
		})
	}
}

// The tree of groups is the same in both shapes that have it; the third has the checks alone.
func TestReadK6Groups(t *testing.T) {
	is200 := summary.K6Check{Name: "is 200", Path: "::outer::inner::is 200", ID: "6725000f84f8fcff6a87227bb109b94d", Passes: 20}
	is404 := summary.K6Check{Name: "is 404", Path: "::outer::inner::is 404", ID: "0a4ca1192ad947a39a23863d1d3abd69", Fails: 20}
	root := summary.K6Group{ID: "d41d8cd98f00b204e9800998ecf8427e", Checks: []summary.K6Check{}, Groups: []summary.K6Group{{
		Name: "outer", Path: "::outer", ID: "c34b428ee7255085dfe7fef53d3394d5", Checks: []summary.K6Check{}, Groups: []summary.K6Group{{
			Name: "inner", Path: "::outer::inner", ID: "b6c425bc7b9e3d21a2d56ce7a6de3614", Groups: []summary.K6Group{},
			Checks: []summary.K6Check{is200, is404},
		}},
	}}}
	checks := summary.K6Group{ID: root.ID, Groups: []summary.K6Group{}, Checks: []summary.K6Check{{Name: "is 200", Passes: 20}, {Name: "is 404", Fails: 20}}}
	for file, want := range map[string]summary.K6Group{"rich.flat-p99.json": root, "rich.handle-summary.json": root, "rich.machine.json": checks} {
		t.Run(file, func(t *testing.T) {
			if diff := cmp.Diff(want, read(t, file).Root); diff != "" {
				t.Errorf("root group (-want +got):\n%s", diff)
			}
		})
	}
}

const root = `"root_group":{"name":"","path":"","id":"d41d","groups":{},"checks":{}}`

// A threshold that names a metric makes k6 write zeros for it without a single request (v2.2): they are no data.
func TestReadK6ZerosOfAThreshold(t *testing.T) {
	k, err := summary.ReadK6([]byte(`{"metrics":{
		"http_reqs":{"count":0,"rate":0,"thresholds":{"count>0":true}},
		"http_req_failed":{"passes":0,"fails":0,"value":0,"thresholds":{"rate<0.01":false}},
		"http_req_duration":{"avg":0,"min":0,"med":0,"max":0,"p(90)":0,"p(95)":0,"thresholds":{"avg>1":true}},
		"data_received":{"count":0,"rate":0}},"setup_data":{"a":1},` + root + `}`))
	if err != nil {
		t.Fatal(err)
	}
	if f := k.Fields(); f != (summary.Fields{}) {
		t.Errorf("%+v; want nothing", f)
	}
	if diff := cmp.Diff([]string{"http_req_duration: avg>1", "http_reqs: count>0"}, k.Crossed()); diff != "" {
		t.Errorf("crossed (-want +got):\n%s", diff)
	}
}

// Where all failed, but not at once, k6's latency is one; and where some didn't fail, a zero is a value.
func TestReadK6LatencyOfFailures(t *testing.T) {
	for _, c := range []struct {
		name, failed, duration string
		med                    float64
		none                   bool
	}{
		{"all failed with 503", `{"passes":4,"fails":0,"value":1}`, `{"med":2.5,"max":4}`, 2.5, false},
		{"all timed out but most were refused", `{"passes":4,"fails":0,"value":1}`, `{"med":0,"max":60000}`, 0, false},
		{"all refused, by statistics without max", `{"passes":4,"fails":0,"value":1}`, `{"med":0,"count":4}`, 0, true},
		{"none failed, too fast for the clock", `{"passes":0,"fails":4,"value":0}`, `{"med":0,"max":0}`, 0, false},
		{"a script that judges none", `{"passes":0,"fails":0,"value":0}`, `{"med":0,"max":0}`, 0, false},
		{"the clock was set back", `{"passes":0,"fails":4,"value":0}`, `{"med":-3,"max":5}`, 0, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			k, err := summary.ReadK6([]byte(`{"metrics":{"http_reqs":{"count":4,"rate":2},"http_req_failed":` + c.failed + `,"http_req_duration":` + c.duration + `},` + root + `}`))
			if err != nil {
				t.Fatal(err)
			}
			switch p50 := k.Fields().P50; {
			case c.none && p50 != nil:
				t.Errorf("p50 %g; want none", *p50)
			case !c.none && (p50 == nil || *p50 != c.med):
				t.Errorf("p50 %v; want %g", p50, c.med)
			}
		})
	}
}

// What is none of the shapes, or lacks what its shape has, is a clear error and never zeros.
func TestReadK6Refuses(t *testing.T) {
	flat := func(metrics string) string { return `{"metrics":{` + metrics + `},` + root + `}` }
	handle := func(state, metrics string) string {
		return `{"root_group":{"name":"","path":"","id":"","groups":[],"checks":[]},"options":{},"state":` + state + `,"metrics":{` + metrics + `}}`
	}
	machine := func(version, config, metrics string) string {
		return `{"version":` + version + `,"config":` + config + `,"metadata":{},"results":{"checks":{"metrics":[],"results":[]},"metrics":[` + metrics + `]}}`
	}
	deep := strings.Repeat(`{"name":"g","path":"","id":"","checks":[],"groups":[`, 70) + strings.Repeat(`]}`, 70)
	for name, c := range map[string]struct{ data, want string }{
		"nothing":                             {``, "unexpected end of JSON"},
		"a text report":                       {`running (0m02.0s)`, "invalid character"},
		"a list":                              {`[]`, "cannot unmarshal array"},
		"null":                                {`null`, "none of k6's shapes"},
		"an object":                           {`{}`, "none of k6's shapes"},
		"another tool's":                      {`{"latencies":{"50th":1},"requests":7}`, "none of k6's shapes"},
		"metrics alone":                       {`{"metrics":{"http_reqs":{"count":1,"rate":1}}}`, "none of k6's shapes"},
		"two documents":                       {flat(`"a":{"count":1,"rate":1}`) + `{}`, "after top-level value"},
		"cut short":                           {`{"metrics":{"http_reqs":{"count":1`, "unexpected end of JSON"},
		"too large":                           {strings.Repeat(" ", summary.MaxK6+1), "over 2097152 bytes"},
		"flat, no metric":                     {flat(``), "flat shape: no metric"},
		"flat, metrics null":                  {`{"metrics":null,` + root + `}`, "flat shape: no metric"},
		"flat, values within values":          {flat(`"http_reqs":{"values":{"count":1,"rate":1}}`), `"http_reqs": "values" is no number`},
		"flat, an unknown value":              {flat(`"http_req_duration":{"avg":1,"p99":2}`), `"http_req_duration" has the values of no type`},
		"flat, no percentile":                 {flat(`"t":{"avg":1,"p(101)":2}`), `"t" has the values of no type`},
		"flat, no number in it":               {flat(`"t":{"avg":1,"p(a)":2}`), `"t" has the values of no type`},
		"flat, a check that went back":        {strings.Replace(flat(`"a":{"count":1,"rate":1}`), `"checks":{}`, `"checks":{"c":{"name":"c","passes":-1,"fails":1}}`, 1), "lacks its name, passes or fails"},
		"flat, a nameless check":              {strings.Replace(flat(`"a":{"count":1,"rate":1}`), `"checks":{}`, `"checks":{"c":{"passes":1,"fails":1}}`, 1), "lacks its name, passes or fails"},
		"flat, a nameless root":               {strings.Replace(flat(`"a":{"count":1,"rate":1}`), `"name":""`, `"name":null`, 1), "the name of a group is no text"},
		"handleSummary without options":       {strings.Replace(handle(`{"testRunDurationMs":1}`, `"a":{"type":"counter","values":{"count":1,"rate":1}}`), `"options":{},`, ``, 1), "flat shape"},
		"flat, no value":                      {flat(`"http_req_duration":{}`), "values of no type"},
		"flat, null":                          {flat(`"http_reqs":{"count":null,"rate":1}`), `"count" is no number`},
		"flat, a text":                        {flat(`"http_reqs":{"count":"7","rate":1}`), `"count" is no number`},
		"flat, not finite":                    {flat(`"http_reqs":{"count":1e999,"rate":1}`), "1e999"},
		"flat, a number without end":          {flat(`"http_reqs":{"count":` + strings.Repeat("1", 10_000) + `,"rate":1}`), "cannot unmarshal number 111"},
		"flat, thresholds of the other shape": {flat(`"http_reqs":{"count":1,"rate":1,"thresholds":{"count>0":{"ok":true}}}`), "is no boolean"},
		"flat, a negative count":              {flat(`"http_reqs":{"count":-1,"rate":1}`), "count is negative"},
		"flat, half a request":                {flat(`"http_reqs":{"count":1.5,"rate":1}`), "count is no count"},
		"flat, more than float64 counts":      {flat(`"http_reqs":{"count":1e17,"rate":1}`), "count is no count"},
		"flat, a negative rate":               {flat(`"http_reqs":{"count":1,"rate":-1}`), "rate is negative"},
		"flat, half a failure":                {flat(`"http_req_failed":{"passes":0.5,"fails":1,"value":0}`), "passes is no count"},
		"flat, rate in percent":               {flat(`"http_req_failed":{"passes":1,"fails":1,"value":50}`), "not in 0..1"},
		"flat, another type":                  {flat(`"http_reqs":{"value":1,"min":1,"max":1}`), "a gauge, not the counter"},
		"flat, a root that is a list":         {`{"metrics":{"a":{"count":1,"rate":1}},"root_group":[]}`, "root_group"},
		"flat, a check without counts":        {strings.Replace(flat(`"a":{"count":1,"rate":1}`), `"checks":{}`, `"checks":{"c":{"name":"c","passes":null,"fails":1}}`, 1), "lacks its name, passes or fails"},
		"flat, a root without checks":         {strings.Replace(flat(`"a":{"count":1,"rate":1}`), `,"checks":{}`, ``, 1), "lacks its groups or checks"},
		"handleSummary, no duration":          {handle(`{}`, `"a":{"type":"trend","values":{}}`), "testRunDurationMs: missing"},
		"handleSummary, a long time":          {handle(`{"testRunDurationMs":1e300}`, ``), "not in 0..104 days"},
		"handleSummary, negative time":        {handle(`{"testRunDurationMs":-1}`, ``), "not in 0..104 days"},
		"handleSummary, flat metrics":         {handle(`{"testRunDurationMs":1}`, `"http_reqs":{"count":1,"rate":1}`), `is of type "", which is not known`},
		"handleSummary, unknown type":         {handle(`{"testRunDurationMs":1}`, `"http_reqs":{"type":"set","values":{}}`), `of type "set"`},
		"handleSummary, no count":             {handle(`{"testRunDurationMs":1}`, `"http_reqs":{"type":"counter","values":{"rate":1}}`), "lacks the count of a counter"},
		"handleSummary, count null":           {handle(`{"testRunDurationMs":1}`, `"http_reqs":{"type":"counter","values":{"count":null,"rate":1}}`), "lacks the count of a counter"},
		"handleSummary, no rate":              {handle(`{"testRunDurationMs":1}`, `"http_reqs":{"type":"counter","values":{"count":1}}`), "lacks the rate of a counter"},
		"handleSummary, ok null":              {handle(`{"testRunDurationMs":1}`, `"a":{"type":"trend","values":{},"thresholds":{"avg<1":{}}}`), `threshold "avg<1" lacks ok`},
		"handleSummary, no metric":            {handle(`{"testRunDurationMs":1}`, ``), "no metric"},
		"handleSummary, deep groups":          {`{"options":{},"state":{"testRunDurationMs":1},"metrics":{},"root_group":` + deep + `}`, "nested deeper than 64"},
		"machine, a new version":              {machine(`"2.0.0"`, `{"duration":1}`, ``), `version "2.0.0" is not known`},
		"machine, version a number":           {machine(`1`, `{"duration":1}`, ``), "version"},
		"machine, no duration":                {machine(`"1.0.0"`, `{}`, ``), "config.duration: missing"},
		"machine, no config":                  {`{"version":"1.0.0","results":{},"metadata":{}}`, "config is missing"},
		"machine, no results":                 {`{"version":"1.0.0","config":{"duration":1},"metadata":{},"results":{}}`, "machine-readable shape"},
		"machine, no metric":                  {machine(`"1.0.0"`, `{"duration":1}`, ``), "no metric"},
		"machine, a metric that is a number":  {machine(`"1.0.0"`, `{"duration":1}`, `7`), "results: a metric: "},
		"machine, no name":                    {machine(`"1.0.0"`, `{"duration":1}`, `{"type":"counter","values":{"count":1}}`), "name is empty"},
		"machine, a name twice":               {machine(`"1.0.0"`, `{"duration":1}`, `{"name":"a","type":"trend"},{"name":"a","type":"trend"}`), "comes twice"},
		"machine, no matches":                 {machine(`"1.0.0"`, `{"duration":1}`, `{"name":"http_req_failed","type":"rate","values":{"rate":0,"total":1}}`), "lacks the fails"},
		"machine, matches over total":         {machine(`"1.0.0"`, `{"duration":1}`, `{"name":"http_req_failed","type":"rate","values":{"rate":0,"total":1,"matches":2}}`), "fails is no count"},
	} {
		t.Run(name, func(t *testing.T) {
			k, err := summary.ReadK6([]byte(c.data))
			if err == nil || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), "read k6 summary: ") {
				t.Errorf("%+v, %v; want an error with %q", k, err, c.want)
			}
			if err != nil && len(err.Error()) > 400 {
				t.Errorf("an error of %d bytes", len(err.Error()))
			}
		})
	}
}

// In the flat shape groups and checks have no order: they come by name.
func TestReadK6SortsWhatHasNoOrder(t *testing.T) {
	var checks, groups []string
	for _, name := range strings.Split("hgfedcba", "") {
		checks = append(checks, `"`+name+`":{"name":"`+name+`","path":"","id":"","passes":1,"fails":0}`)
		groups = append(groups, `"`+name+`":{"name":"`+name+`","path":"","id":"","groups":{},"checks":{}}`)
	}
	k, err := summary.ReadK6([]byte(`{"metrics":{"a":{"count":1,"rate":1}},"root_group":{"name":"","path":"","id":"",
		"checks":{` + strings.Join(checks, ",") + `},"groups":{` + strings.Join(groups, ",") + `}}}`))
	if err != nil {
		t.Fatal(err)
	}
	var got [2]string
	for i := range k.Root.Checks {
		got[0] += k.Root.Checks[i].Name
		got[1] += k.Root.Groups[i].Name
	}
	if got != [2]string{"abcdefgh", "abcdefgh"} {
		t.Errorf("checks and groups %q; want them sorted", got)
	}
}

// The duration of the flat shape is estimated by the first counter that has a rate.
func TestReadK6EstimatesByWhatWasCounted(t *testing.T) {
	k, err := summary.ReadK6([]byte(`{"metrics":{"http_reqs":{"count":5,"rate":0},"iterations":{"count":0,"rate":7},"data_received":{"count":8,"rate":2}},` + root + `}`))
	if err != nil {
		t.Fatal(err)
	}
	if k.Duration != 4*time.Second || !k.Estimated {
		t.Errorf("%v, estimated %v; want 4s, true", k.Duration, k.Estimated)
	}
}

// A value that summaryTrendStats left out is null in the machine-readable shape: not measured, not 0.
func TestReadK6Null(t *testing.T) {
	data := strings.Replace(string(fixture(t, "plain.machine.json")), `"med": 0.174561`, `"med": null`, 2)
	k, err := summary.ReadK6([]byte(data))
	if err != nil {
		t.Fatal(err)
	}
	if f := k.Fields(); f.P50 != nil || f.P95 == nil {
		t.Errorf("p50 %v, p95 %v; want none and some", f.P50, f.P95)
	}
}

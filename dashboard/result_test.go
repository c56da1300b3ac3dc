package dashboard_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/nollagluiz/broadside/fleet"
	"github.com/nollagluiz/broadside/summary"
	"github.com/nollagluiz/broadside/summary/hist"
)

// set changes a value deep in a JSON object; path is such as "metrics.p50_ms". A value that is unset is taken away.
type unset struct{}

func set(doc map[string]any, path string, value any) {
	head, rest, deeper := strings.Cut(path, ".")
	switch {
	case deeper:
		if doc[head] == nil {
			doc[head] = map[string]any{}
		}
		set(doc[head].(map[string]any), rest, value)
	case value == unset{}:
		delete(doc, head)
	default:
		doc[head] = value
	}
}

// document is v as decoded JSON.
func document(t testing.TB, v any) map[string]any {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	doc := map[string]any{}
	if err := json.Unmarshal(text, &doc); err != nil {
		t.Fatal(err)
	}
	return doc
}

func samples(n uint64) []byte {
	h := hist.New(hist.Coarse)
	h.RecordN(1000, n)
	data, _ := h.MarshalBinary()
	return data
}

// Field report 31, and 58's refusal with a reason: numbers that no run can have measured are refused with their field.
func TestResultsAreChecked(t *testing.T) {
	f := newFixture(t)
	tooMany := func(n int, v any) any {
		m := map[string]any{}
		for i := range n {
			m[fmt.Sprintf("%03d", i+100)] = v
		}
		return m
	}
	for _, c := range []struct {
		path  string
		value any
		field string // that is named; path if empty
	}{
		{"id", runID(2), ""},
		{"id", strings.ToUpper("01950000-0000-7000-8000-00000000000a"), ""},
		{"id", "not-a-uuid", ""},
		{"id", unset{}, ""},
		{"targetId", "", ""},
		{"targetId", strings.Repeat("x", 65), ""},
		{"agent", "", ""},
		{"agent", strings.Repeat("é", 201), ""},
		{"startedAt", unset{}, ""},
		{"startedAt", "soon", ""},
		{"startedAt", 5, ""},
		{"endedAt", "2020-01-01T00:00:00Z", ""},
		{"endedAt", unset{}, ""},
		{"status", "running", ""},
		{"status", "error", ""},
		{"status", "aborted", ""},
		{"status", unset{}, ""},
		{"verdict", "lost", ""},
		{"verdict", "great", ""},
		{"verdict", unset{}, ""},
		{"verdict", "aborted", "status"},
		{"message", strings.Repeat("x", 1001), ""},
		{"metrics", nil, "verdict"},
		{"metrics.requests", -1, ""},
		{"metrics.requests", 3, "metrics.failures"},
		{"metrics.requests", 1.5, ""},
		{"metrics.requests", 1e30, ""},
		{"metrics.failures", 101, ""},
		{"metrics.error_rate", nil, ""},
		{"metrics.error_rate", 0.05, ""},
		{"metrics.error_rate", 4, ""},
		{"metrics", fleet.Metrics{ErrorRate: new(float64)}, "metrics.error_rate"},
		{"metrics", fleet.Metrics{P95: new(float64)}, "metrics.p95_ms"},
		{"trends", map[string][]byte{"": samples(1)}, ""},
		{"metrics.rps", -1, ""},
		{"metrics.rps", "NaN", ""},
		{"metrics.duration_s", -0.1, ""},
		{"metrics.p50_ms", -1, ""},
		{"metrics.p50_ms", 5.1, "metrics.p95_ms"},
		{"metrics.p95_ms", 4.9, ""},
		{"metrics.p99_ms", 4.9, ""},
		{"metrics.max_ms", 4.9, ""},
		{"metrics.min_ms", 5.1, "metrics.p50_ms"},
		{"metrics.avg_ms", 4.9, ""},
		{"metrics.avg_ms", 5.1, "metrics.max_ms"},
		{"metrics.data_received_bytes", -1, ""},
		{"metrics.data_sent_bytes", -1, ""},
		{"metrics.iterations", -1, ""},
		{"metrics.iterations_interrupted", -1, ""},
		{"metrics.vus_max", -1, ""},
		{"trends.http_req_duration", "AAAA", ""},
		{"trends.http_req_duration", "!", "trends.http_req_duration"},
		{"trends.http_req_duration", samples(101), ""},
		{"trends.http_req_waiting", samples(5)[:6], ""},
		{"trends", tooMany(65, samples(1)), ""},
		{"series.widthMs", 0, ""},
		{"series.widthMs", 1e12, ""},
		{"series.buckets", make([]fleet.Bucket, 301), ""},
		{"series.buckets", []fleet.Bucket{{}, {Requests: -1}}, "series.buckets[1].requests"},
		{"series.buckets", []fleet.Bucket{{Failures: 1}}, "series.buckets[0].failures"},
		{"series.buckets", []fleet.Bucket{{Iterations: -1}}, "series.buckets[0].iterations"},
		{"series.buckets", []fleet.Bucket{{VUs: -1}}, "series.buckets[0].vus"},
		{"series.buckets", []fleet.Bucket{{Duration: []byte("x")}}, "series.buckets[0].duration"},
		{"statuses.20", 1, ""},
		{"statuses.1000", 1, ""},
		{"statuses.099", 1, ""},
		{"statuses.+20", 1, ""},
		{"statuses.200", -1, ""},
		{"statuses", tooMany(501, 1), ""},
		{"errors", make([]fleet.ErrorCount, 33), ""},
		{"errors", []fleet.ErrorCount{{Count: -1}}, "errors[0].count"},
		{"errors", []fleet.ErrorCount{{Sample: strings.Repeat("x", 301)}}, "errors[0].sample"},
		{"thresholds", make([]fleet.ThresholdResult, 101), ""},
		{"thresholds", []fleet.ThresholdResult{{Expression: "count>0", OK: true}}, "thresholds[0].metric"},
		{"thresholds", []fleet.ThresholdResult{{Metric: "http_reqs", OK: true}}, "thresholds[0].expression"},
		{"thresholds", []fleet.ThresholdResult{{Metric: strings.Repeat("é", 301), Expression: "count>0", OK: true}}, "thresholds[0].metric"},
		{"thresholds", []fleet.ThresholdResult{{Metric: "http_reqs", Expression: strings.Repeat("9", 101), OK: true}}, "thresholds[0].expression"},
		{"thresholds", []map[string]any{{"metric": "http_reqs", "expression": "count>0", "ok": true, "value": "NaN"}}, "thresholds.value"},
		{"thresholds", []fleet.ThresholdResult{{Metric: "http_reqs", Expression: "count>0", OK: true}, {Metric: "http_reqs", Expression: "count>999"}}, ""},
		{"metrics.dropped_iterations", -1, ""},
		{"spec.url", strings.Repeat("x", 4097), ""},
		{"spec.label", strings.Repeat("x", 201), ""},
		{"spec.vus", "ten", ""},
	} {
		t.Run(fmt.Sprintf("%s=%.20v", c.path, c.value), func(t *testing.T) {
			doc := document(t, endOf(startOf(f, 1, "t", "a")))
			set(doc, c.path, c.value)
			p := f.call("PUT", pathResults+"/"+runID(1), doc, asAgent).wantsProblem(http.StatusUnprocessableEntity, fleet.ValidationFailed)
			field := c.field
			if field == "" {
				field = c.path
			}
			if !p.at("body."+field) && !(p.at("body") && len(p.Errors) == 1) { // a time or base64 names no field
				t.Errorf("%+v; want body.%s", p, field)
			}
		})
	}
	f.call("GET", pathRuns+"/"+runID(1), nil).wants(http.StatusNotFound)
	for name, body := range bodies {
		if r := f.call("PUT", pathResults+"/"+runID(1), body, asAgent); r.status < 400 || r.status > 499 {
			t.Errorf("%s: %d %.200s; want 4xx", name, r.status, r.body)
		}
	}
	f.call("GET", pathRuns+"/"+runID(1), nil).wants(http.StatusNotFound)
}

// What is odd and true is taken: a run of nothing, of failures only, of one whose target could not be run, and fields
// that this dashboard does not know.
func TestOddResultsAreTaken(t *testing.T) {
	f := newFixture(t)
	zero := fleet.Metrics{DurationS: 30}
	one := 1.0
	failed := fleet.Metrics{Requests: 3, Failures: 3, ErrorRate: &one, DurationS: 30, RPS: 0.1}
	for i, c := range []struct {
		name   string
		change func(map[string]any)
	}{
		{"no requests (27, 31)", func(d map[string]any) {
			set(d, "metrics", zero)
			set(d, "verdict", summary.NoRequests)
			set(d, "trends", unset{})
		}},
		{"all refused", func(d map[string]any) {
			set(d, "metrics", failed)
			set(d, "verdict", summary.TargetUnreachable)
			set(d, "trends", map[string]any{})
		}},
		{"never made (38)", func(d map[string]any) {
			set(d, "metrics", nil)
			set(d, "status", fleet.RunError)
			set(d, "verdict", summary.Error)
			set(d, "spec.vus", 0)
			set(d, "trends", unset{})
		}},
		{"without series and histograms, sent again (58)", func(d map[string]any) {
			set(d, "trends", unset{})
			set(d, "series", unset{})
		}},
		{"from the future", func(d map[string]any) {
			set(d, "metrics.p42_ms", 1)
			set(d, "spec.warp", "9")
			set(d, "color", []int{1})
		}},
		{"a status of no RFC", func(d map[string]any) { set(d, "statuses.999", 1) }},
		{"an empty histogram", func(d map[string]any) { set(d, "trends.http_req_sending", samples(0)) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			doc := document(t, endOf(startOf(f, i+1, "t", "a")))
			c.change(doc)
			f.call("PUT", pathResults+"/"+runID(i+1), doc, asAgent).wants(http.StatusOK)
			f.show(i + 1)
		})
	}
}

// Field report 59: every verdict but ok comes with a sentence, and each is taken with its status.
func TestEveryVerdictSaysWhy(t *testing.T) {
	f := newFixture(t)
	n := 0
	for _, v := range []summary.Verdict{summary.Error, summary.Aborted, summary.NoRequests, summary.TargetUnreachable, summary.GeneratorLimited, summary.ThresholdFailed, summary.OK} {
		n++
		end := endOf(startOf(f, n, "t", "a"))
		end.Verdict = v
		switch v {
		case summary.Error:
			end.Status = fleet.RunError
		case summary.Aborted:
			end.Status = fleet.RunAborted
		}
		if v != summary.OK {
			silent := end
			silent.Message = ""
			if p := f.call("PUT", pathResults+"/"+end.ID, silent, asAgent).wantsProblem(http.StatusUnprocessableEntity, fleet.ValidationFailed); !p.at("body.message") {
				t.Errorf("%s without a message: %+v", v, p)
			}
		}
		f.call("PUT", pathResults+"/"+end.ID, end, asAgent).wants(http.StatusOK)
		if run := f.show(n); run.Verdict != v || run.Message == "" {
			t.Errorf("%+v; want verdict %s with a message", run.Run, v)
		}
	}
}

// Who failed by its thresholds crossed one of them, or had none of its own; a script of k6 may call itself failed.
func TestThresholdsGoWithTheVerdict(t *testing.T) {
	f := newFixture(t)
	value := 12.5
	held, crossed := fleet.ThresholdResult{Metric: "http_req_duration", Expression: "p(95)<500", OK: true, Value: &value}, fleet.ThresholdResult{Metric: "http_reqs{scenario:a}", Expression: "count>9"}
	for i, c := range []struct {
		verdict    summary.Verdict
		engine     string
		thresholds []fleet.ThresholdResult
		taken      bool
	}{
		{summary.ThresholdFailed, "embedded", []fleet.ThresholdResult{held, crossed}, true},
		{summary.ThresholdFailed, "embedded", []fleet.ThresholdResult{held}, false},
		{summary.ThresholdFailed, "embedded", nil, true}, // that of too many failures
		{summary.ThresholdFailed, "", []fleet.ThresholdResult{held}, false},
		{summary.ThresholdFailed, fleet.EngineK6, []fleet.ThresholdResult{held}, true},
		{summary.OK, "embedded", []fleet.ThresholdResult{held}, true},
		{summary.OK, "embedded", []fleet.ThresholdResult{held, crossed}, false},
		{summary.OK, fleet.EngineK6, []fleet.ThresholdResult{crossed}, false},
		{summary.GeneratorLimited, "embedded", []fleet.ThresholdResult{crossed}, true}, // it comes before them
		{summary.Aborted, "embedded", []fleet.ThresholdResult{crossed}, true},
	} {
		end := endOf(startOf(f, i+1, "t", "a"))
		end.Verdict, end.Engine, end.Thresholds = c.verdict, c.engine, c.thresholds
		if c.verdict == summary.Aborted {
			end.Status = fleet.RunAborted
		}
		if c.engine == fleet.EngineK6 {
			end.Trends, end.Series = nil, nil
		}
		r := f.call("PUT", pathResults+"/"+end.ID, end, asAgent)
		if !c.taken {
			if p := r.wantsProblem(http.StatusUnprocessableEntity, fleet.ValidationFailed); !p.at("body.thresholds") {
				t.Errorf("%s by %q with %d thresholds: %+v", c.verdict, c.engine, len(c.thresholds), p)
			}
			continue
		}
		r.wants(http.StatusOK)
		if diff := cmp.Diff(append([]fleet.ThresholdResult{}, c.thresholds...), f.show(i+1).Thresholds); diff != "" {
			t.Errorf("%s by %q (-sent +shown):\n%s", c.verdict, c.engine, diff)
		}
	}
}

func zipped(t testing.TB, body []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	if _, err := w.Write(body); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// padded is a result of n bytes.
func padded(t testing.TB, f *fixture, n int) []byte {
	t.Helper()
	doc := document(t, endOf(startOf(f, 1, "t", "a")))
	doc["padding"] = ""
	short, err := json.Marshal(doc)
	f.must(err)
	doc["padding"] = strings.Repeat("p", n-len(short))
	out, err := json.Marshal(doc)
	f.must(err)
	return out
}

// Field report 58: a hard budget of 256 KiB a result, inflated; over it 413 with the reason, and the run still can be
// closed.
func TestResultsAreBounded(t *testing.T) {
	f := newFixture(t)
	const limit = 256 << 10
	path := pathResults + "/" + runID(1)
	gzipped := header("Content-Encoding", "gzip")
	for _, body := range [][]byte{padded(t, f, limit+1), padded(t, f, 3*limit)} {
		for _, r := range []reply{f.call("PUT", path, body, asAgent), f.call("PUT", path, zipped(t, body), asAgent, gzipped)} {
			p := r.wantsProblem(http.StatusRequestEntityTooLarge, fleet.TooLarge)
			f.contains(p.Detail, "262144 bytes")
		}
	}
	f.call("PUT", path, zipped(t, padded(t, f, limit)), asAgent, gzipped).wants(http.StatusOK)
	f.call("PUT", path, padded(t, f, limit), asAgent).wants(http.StatusOK)
	f.show(1)

	for name, c := range map[string]struct {
		body     []byte
		encoding string
		status   int
	}{
		"not gzip":             {[]byte("{}"), "gzip", 400},
		"cut gzip":             {zipped(t, padded(t, f, 4000))[:60], "gzip", 400},
		"gzip with a bad sum":  {append(zipped(t, padded(t, f, 4000))[:60], make([]byte, 30)...), "gzip", 400},
		"an unknown encoding":  {[]byte("{}"), "br", 415},
		"two encodings":        {zipped(t, zipped(t, []byte("{}"))), "gzip, gzip", 415},
		"deflate":              {[]byte("{}"), "deflate", 415},
		"identity is none":     {padded(t, f, 4000), "identity", 200},
		"gzip, and then blank": {zipped(t, []byte("   ")), "gzip", 400},
	} {
		t.Run(name, func(t *testing.T) {
			f.call("PUT", path, c.body, asAgent, header("Content-Encoding", c.encoding)).wants(c.status)
		})
	}
}

// A bomb costs no more than a body of the limit: 64 KiB that would inflate to 64 MiB (field report 10).
func TestGzipBomb(t *testing.T) {
	f := newFixture(t)
	bomb := bytes.Repeat(zipped(t, make([]byte, 1<<20)), 64) // a gzip file may have many members (RFC 1952 section 2.2)
	if len(bomb) > 100<<10 {
		t.Fatalf("the bomb has %d bytes", len(bomb))
	}
	for _, c := range []struct {
		method, path string
		most         uint64 // bytes that may be allocated, by both sides
		with         option
	}{
		{"PUT", pathResults + "/" + runID(1), 8 << 20, asAgent}, {"POST", pathResults, 8 << 20, asAgent}, {"POST", pathHeartbeat, 8 << 20, asAgent},
		{"POST", pathRegister, 8 << 20, asAgent}, {"POST", pathTargets, 64 << 20, asAdmin}, {"PUT", pathConfig, 64 << 20, asAdmin}, {"GET", pathList, 8 << 20, asAdmin},
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		f.call(c.method, c.path, bomb, c.with, header("Content-Encoding", "gzip")).wantsProblem(http.StatusRequestEntityTooLarge, fleet.TooLarge)
		runtime.ReadMemStats(&after)
		if got := after.TotalAlloc - before.TotalAlloc; got > c.most {
			t.Errorf("%s %s allocated %d bytes; want at most %d", c.method, c.path, got, c.most)
		}
	}
}

package summary_test

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/nollagluiz/broadside/plan"
	"github.com/nollagluiz/broadside/summary"
	"github.com/nollagluiz/broadside/summary/hist"
)

// writers are the two shapes that are written.
func writers(k *summary.K6) map[summary.K6Shape]func() ([]byte, error) {
	return map[summary.K6Shape]func() ([]byte, error){summary.K6Flat: k.Flat, summary.K6HandleSummary: k.HandleSummary}
}

func decoded(t rapid.TB, data []byte) map[string]any {
	t.Helper()
	var out map[string]any
	if err := json.Unmarshal(data, &out); err != nil {
		t.Fatalf("%v in\n%s", err, data)
	}
	return out
}

// What k6 wrote, read and written again, is the same document but for the order of keys.
func TestK6FixturesComeOutAsTheyWentIn(t *testing.T) {
	for _, file := range []string{
		"plain.flat-default.json", "plain.flat-p99.json", "plain.handle-summary.json",
		"rich.flat-default.json", "rich.flat-p99.json", "rich.handle-summary.json",
		"empty.flat-default.json", "empty.flat-p99.json", "empty.handle-summary.json",
		"refused.flat-default.json", "refused.flat-p99.json", "refused.handle-summary.json",
		"abort.json", "sigterm.json", "iteration-throws.json", "setup-throws.json",
	} {
		t.Run(file, func(t *testing.T) {
			k := read(t, file)
			data, err := writers(k)[k.Shape]()
			if err != nil {
				t.Fatal(err)
			}
			if strings.Contains(string(data), `\u00`) {
				t.Error("thresholds are not written with < and >")
			}
			if diff := cmp.Diff(decoded(t, fixture(t, file)), decoded(t, data)); diff != "" {
				t.Errorf("(-k6 +ours):\n%s", diff)
			}
		})
	}
}

// A summary in one shape can be written in another: the fields stay.
func TestK6OfOneShapeWrittenInAnother(t *testing.T) {
	for _, file := range []string{"plain.flat-default.json", "rich.handle-summary.json", "rich.machine.json", "refused.machine.json", "empty.machine.json"} {
		k := read(t, file)
		for shape, write := range writers(k) {
			t.Run(file+" as "+string(shape), func(t *testing.T) {
				data, err := write()
				if err != nil {
					t.Fatal(err)
				}
				again, err := summary.ReadK6(data)
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(k.Fields(), again.Fields()); again.Shape != shape || diff != "" {
					t.Errorf("shape %s (-read +read again):\n%s", again.Shape, diff)
				}
				if got := again.Metrics[summary.Iterations].Contains; shape == summary.K6HandleSummary && got != "default" {
					t.Errorf("iterations contain %q; want default", got)
				}
				if diff := cmp.Diff(k.Root, again.Root); diff != "" {
					t.Errorf("root group (-read +read again):\n%s", diff)
				}
			})
		}
	}
}

// Whatever a run measured, both shapes give the fields back that its summary has, and the same bytes twice.
func TestK6RoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := summary.New(time.Time{})
		s.Duration = time.Duration(rapid.Int64Range(0, int64(time.Hour)).Draw(t, "duration"))
		if requests := rapid.Int64Range(0, 1e6).Draw(t, "requests"); requests > 0 {
			s.Counters[summary.HTTPReqs] = requests
			s.Rates[summary.HTTPReqFailed] = summary.Rate{True: rapid.Int64Range(0, requests).Draw(t, "failures"), Total: requests}
			latency := hist.New(hist.Fine)
			for range rapid.IntRange(0, 20).Draw(t, "answers") {
				latency.Record(rapid.Int64Range(1, int64(time.Minute)).Draw(t, "latency"))
			}
			s.Trends[summary.HTTPReqDuration] = latency
		}
		s.Counters[summary.Iterations] = rapid.Int64Range(0, 1e6).Draw(t, "iterations")
		s.Counters[summary.DataReceived] = rapid.Int64Range(0, 1<<53).Draw(t, "received")
		for shape, write := range writers(s.K6()) {
			data, err := write()
			if err != nil {
				t.Fatal(err)
			}
			again, _ := writers(s.K6())[shape]()
			if string(again) != string(data) {
				t.Fatal("written twice, it differs")
			}
			k, err := summary.ReadK6(data)
			if err != nil {
				t.Fatalf("%v in\n%s", err, data)
			}
			if k.Shape != shape {
				t.Fatalf("shape %s; want %s", k.Shape, shape)
			}
			if diff := cmp.Diff(s.Fields(), k.Fields()); diff != "" {
				t.Fatalf("%s (-summary +read):\n%s", shape, diff)
			}
			if shape == summary.K6HandleSummary && k.Duration != s.Duration {
				t.Fatalf("duration %v; want %v", k.Duration, s.Duration)
			}
		}
	})
}

// ran is a run of 2 s with four requests, of which one failed.
func ran() *summary.Summary {
	s := summary.New(time.Time{})
	s.Duration = 2 * time.Second
	s.Counters = map[string]int64{summary.HTTPReqs: 4, summary.Iterations: 3, summary.IterationsInterrupted: 1, summary.DataReceived: 3_000_000, summary.DataSent: 400}
	s.Rates[summary.HTTPReqFailed] = summary.Rate{True: 1, Total: 4}
	s.Statuses[200] = 3
	s.Errors = []summary.ErrorClass{{Code: 1220, Count: 1, Sample: "connection reset by peer"}}
	for name, bits := range map[string]hist.Bits{summary.HTTPReqDuration: hist.Fine, summary.ExpectedDuration: hist.Fine, summary.HTTPReqWaiting: hist.Coarse, summary.IterationDuration: hist.Coarse} {
		s.Trends[name] = hist.New(bits)
		for _, ms := range []int64{10, 20, 30} {
			s.Trends[name].Record(ms * int64(time.Millisecond))
		}
	}
	s.Trends[summary.HTTPReqDuration].Record(int64(1500 * time.Millisecond))
	s.Trends[summary.HTTPReqTLS] = hist.New(hist.Coarse) // no sample
	vus := s.Gauges[summary.VUs]
	vus.Set(1)
	vus.Set(2)
	s.Gauges[summary.VUs] = vus
	return s
}

// The metrics, names and units of both shapes are k6's (v2.2).
func TestK6Written(t *testing.T) {
	k := ran().K6()
	flat, err := k.Flat()
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "k6-flat.golden.json", flat)
	handle, err := k.HandleSummary()
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "k6-handle-summary.golden.json", handle)
}

// Key for key, a run of ours has what k6's has: the same metrics with the same values' names, types and contents.
func TestK6WrittenHasTheKeysOfK6(t *testing.T) {
	s := summary.New(time.Time{})
	s.Duration = time.Second
	want := read(t, "plain.handle-summary.json")
	for name, m := range want.Metrics {
		switch m.Type {
		case summary.K6Counter:
			s.Counters[name] = 1
		case summary.K6Rate:
			s.Rates[name] = summary.Rate{Total: 1}
		case summary.K6Gauge:
			s.Gauges[name] = summary.Gauge{N: 1}
		case summary.K6Trend:
			s.Trends[name] = hist.New(hist.Fine)
			s.Trends[name].Record(1)
		}
	}
	keys := func(k *summary.K6) map[string]string {
		out := map[string]string{}
		for name, m := range k.Metrics {
			for stat := range m.Values {
				out[name+"/"+stat] = m.Type + " of " + m.Contains
			}
		}
		return out
	}
	if diff := cmp.Diff(keys(want), keys(s.K6())); diff != "" {
		t.Errorf("(-k6 +ours):\n%s", diff)
	}
}

// A run without requests has no http_* metric, one shorter than a second no vus, and both have their bytes.
func TestK6OfNothing(t *testing.T) {
	for name, s := range map[string]*summary.Summary{
		"a new one":      summary.New(time.Time{}),
		"the zero one":   {},
		"not a number":   {Gauges: map[string]summary.Gauge{"g": {Value: math.NaN(), Max: math.Inf(1), N: 1}}},
		"infinite":       {Gauges: map[string]summary.Gauge{"g": {Max: math.Inf(1), N: 1}}},
		"negative time":  {Duration: -1},
		"an empty trend": {Trends: map[string]*hist.Histogram{summary.HTTPReqDuration: hist.New(hist.Fine), "nil": nil}},
		"an unset gauge": {Gauges: map[string]summary.Gauge{summary.VUs: {}}},
		"a rate of none": {Rates: map[string]summary.Rate{summary.HTTPReqFailed: {}}},
		"a counter at 0": {Counters: map[string]int64{summary.HTTPReqs: 0, summary.Iterations: 0}},
	} {
		t.Run(name, func(t *testing.T) {
			for shape, write := range writers(s.K6()) {
				data, err := write()
				if err != nil {
					t.Fatal(err)
				}
				k, err := summary.ReadK6(data)
				if err != nil {
					t.Fatal(err)
				}
				if len(k.Metrics) != 2 || k.Metrics[summary.DataSent].Type == "" || k.Metrics[summary.DataReceived].Type == "" {
					t.Errorf("%s has %v; want data_sent and data_received", shape, k.Metrics)
				}
			}
		})
	}
}

// Values that JSON can't hold are refused, not written as something else.
func TestK6WriteRefusesNaN(t *testing.T) {
	k := &summary.K6{Metrics: map[string]summary.K6Metric{"t": {Type: summary.K6Trend, Values: map[string]float64{"avg": math.NaN()}}}}
	for shape, write := range writers(k) {
		if data, err := write(); err == nil || !strings.Contains(err.Error(), "NaN") {
			t.Errorf("%s: %s, %v; want an error", shape, data, err)
		}
	}
}

// Whatever is read has finite fields within their bounds, and can be written and read again.
func FuzzReadK6(f *testing.F) {
	for _, file := range []string{
		"plain.flat-p99.json", "plain.handle-summary.json", "plain.machine.json", "rich.flat-p99.json", "rich.handle-summary.json",
		"rich.machine.json", "refused.flat-p99.json", "empty.machine.json", "setup-throws.json",
	} {
		f.Add(fixture(f, file))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		k, err := summary.ReadK6(data)
		if err != nil {
			return
		}
		fields := k.Fields()
		for _, v := range []*float64{fields.P50, fields.P95, fields.P99, fields.Avg, fields.ErrorRate, &fields.RPS} {
			if v != nil && !(*v >= 0 && *v <= math.MaxFloat64) {
				t.Errorf("%g in %+v", *v, fields)
			}
		}
		if fields.ErrorRate != nil && *fields.ErrorRate > 1 || fields.Requests < 0 || fields.Failures < 0 || fields.Iterations < 0 || fields.DataReceivedBytes < 0 {
			t.Errorf("%+v", fields)
		}
		for shape, write := range writers(k) {
			if shape != k.Shape { // what one shape lacks, the other needs
				continue
			}
			written, err := write()
			if err != nil {
				t.Fatal(err)
			}
			if len(written) > summary.MaxK6 {
				continue // indented, it can be longer
			}
			again, err := summary.ReadK6(written)
			if err != nil {
				t.Fatalf("%v in\n%s", err, written)
			}
			if diff := cmp.Diff(fields, again.Fields()); diff != "" {
				t.Errorf("(-read +read again):\n%s", diff)
			}
		}
	})
}

// A metric that a threshold names is there with its parent, as 0 if it wasn't sampled; flat says true of what was crossed
// (k6 v2.2.0, seen in both shapes).
func TestK6Thresholds(t *testing.T) {
	s := ran()
	s.Counters["data_sent{scenario:a}"] = 7
	s.Thresholds = s.Evaluate(conditions(t, threshold("http_reqs: count>0"), threshold("http_reqs: count > 1000"), threshold("http_req_sending{status:200}: p(99.9)<1"),
		threshold("http_req_failed{status:500}: rate>1"), threshold("dropped_iterations: count>0"), threshold("data_sent{scenario:a}: count>6"), threshold("vus{scenario:a}: value>=0")))
	s.Thresholds = append(s.Thresholds, summary.ThresholdResult{Threshold: s.Thresholds[0].Threshold}, // the same once more, but crossed
		summary.ThresholdResult{Threshold: plan.Threshold{Metric: "of_a_script", Expression: "count>0"}})
	k := s.K6()
	for _, c := range []struct {
		name       string
		kind       string
		contains   string
		first      string
		value      float64
		thresholds map[string]bool
	}{
		{"http_reqs", "counter", "default", "count", 4, map[string]bool{"count>0": false, "count > 1000": false}},
		{"http_req_sending{status:200}", "trend", "time", "p(95)", 0, map[string]bool{"p(99.9)<1": true}},
		{"http_req_failed{status:500}", "rate", "default", "passes", 0, map[string]bool{"rate>1": true}},
		{"dropped_iterations", "counter", "default", "rate", 0, map[string]bool{"count>0": false}},
		{"data_sent{scenario:a}", "counter", "data", "count", 7, map[string]bool{"count>6": true}},
		{"data_sent", "counter", "data", "count", float64(s.Counters[summary.DataSent]), nil},
		{"vus{scenario:a}", "gauge", "default", "value", 0, map[string]bool{"value>=0": true}},
		{"vus", "gauge", "default", "value", s.Gauges[summary.VUs].Value, nil},
	} {
		m, ok := k.Metrics[c.name]
		if !ok || m.Type != c.kind || m.Contains != c.contains || m.Values[c.first] != c.value {
			t.Errorf("%s: %v %+v", c.name, ok, m)
		}
		if diff := cmp.Diff(c.thresholds, m.Thresholds); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}
	if _, ok := k.Metrics["of_a_script"]; ok {
		t.Error("a metric of no known type is there")
	}
	for _, write := range []func() ([]byte, error){k.Flat, k.HandleSummary} {
		data, err := write()
		if err != nil {
			t.Fatal(err)
		}
		again, err := summary.ReadK6(data)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(k.Crossed(), again.Crossed()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", again.Shape, diff)
		}
	}
}

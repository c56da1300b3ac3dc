package summary_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/nollagluiz/broadside/summary"
)

// What k6 v2.2.0 took and refused of these, but for p(NaN), which it took.
func TestParseTrendStats(t *testing.T) {
	for text, want := range map[string][]string{
		"avg":                              {"avg"},
		"avg,min,med,max,p(90),p(95)":      {"avg", "min", "med", "max", "p(90)", "p(95)"},
		"p(99.9),count,p(0),p(100),p(1e1)": {"p(99.9)", "count", "p(0)", "p(100)", "p(1e1)"},
		"avg,avg":                          {"avg", "avg"},
	} {
		if got, err := summary.ParseTrendStats(text); err != nil || !slices.Equal(got, want) {
			t.Errorf("%q: %q, %v; want %q", text, got, err, want)
		}
	}
	for _, text := range []string{"", "sum", "p95", "P(90)", "p(101)", "p(-1)", "p()", "p( 95)", "p(0x10)", "p(NaN)", "p(9", "9)", " avg , med ", "avg,,med", "avg,", strings.Repeat("avg,", 32) + "avg"} {
		if got, err := summary.ParseTrendStats(text); err == nil {
			t.Errorf("%.20q: %q; want an error", text, got)
		}
	}
}

// Both shapes and the report tell what is asked for of trends, and no more.
func TestTrendStats(t *testing.T) {
	stats := []string{"max", "p(0)", "count"}
	k := ran().K6(stats...)
	want := map[string]float64{"max": 1500, "p(0)": 10, "count": 4}
	for shape, write := range writers(k) {
		data, err := write()
		if err != nil {
			t.Fatal(err)
		}
		again, err := summary.ReadK6(data)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, again.Metrics[summary.HTTPReqDuration].Values); diff != "" {
			t.Errorf("%s (-want +got):\n%s", shape, diff)
		}
		if shape == summary.K6HandleSummary {
			options := decoded(t, data)["options"].(map[string]any)["summaryTrendStats"]
			if diff := cmp.Diff([]any{"max", "p(0)", "count"}, options); diff != "" {
				t.Errorf("summaryTrendStats (-want +got):\n%s", diff)
			}
		}
	}
	var report strings.Builder
	if err := summary.WriteReport(&report, summary.Judge(ran(), false), summary.ReportOptions{TrendStats: stats}); err != nil {
		t.Fatal(err)
	}
	if want := "http_req_duration.............: max=1.5s p(0)=10ms count=4\n"; !strings.Contains(report.String(), want) {
		t.Errorf("report without %q:\n%s", want, report.String())
	}
}

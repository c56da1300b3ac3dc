package pages

import (
	"strings"
	"testing"

	"github.com/nollagluiz/broadside/fleet"
)

// A value has the unit of its metric, and digits enough to be told from its limit.
func TestThresholdValue(t *testing.T) {
	for _, c := range []struct {
		metric, expression string
		value              float64
		en, pt             string
	}{
		{"http_req_duration", "p(95)<500", 500.4, "500.4 ms", "500,4 ms"},
		{"http_req_duration{status:200}", "max<2000", 12_345.6, "12,346 ms", "12.346 ms"},
		{"http_req_failed", "rate<0.01", 0.010004, "0.01", "0,01"},
		{"http_req_failed", "rate<0.001", 0.00123456, "0.001235", "0,001235"},
		{"http_req_failed", "rate<1", 0, "0", "0"},
		{"http_reqs", "count>1000", 1_234_567, "1,234,567", "1.234.567"},
		{"http_reqs", " rate > 10", 12.3456, "12.35 / s", "12,35 / s"},
		{"vus", "value>1", 50, "50", "50"},
		{"of_a_script", "value>-1", -2.5, "−2.5", "−2,5"},
		{"of_a_script", "value<1", 1e300, "1e+300", "1e+300"},
		{"of_a_script", "value<1", 1e-9, "0.000000001", "0,000000001"},
	} {
		for lang, want := range map[string]string{"en": c.en, "pt-BR": c.pt} {
			rows := mustLocale(t, lang).thresholds([]fleet.ThresholdResult{{Metric: c.metric, Expression: c.expression, Value: &c.value}})
			if got := strings.ReplaceAll(rows[0].Value, gap, " "); got != want {
				t.Errorf("%s: %s, %v: %q; want %q", lang, c.metric, c.value, got, want)
			}
		}
	}
}

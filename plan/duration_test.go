package plan_test

import (
	"testing"
	"time"

	"github.com/nollagluiz/broadside/plan"
)

// What k6 v2.2.0 takes, seen by its dns.ttl, and what it refuses.
func TestParseDuration(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"30s": 30 * time.Second, "1m30s": 90 * time.Second, "5": 5 * time.Millisecond, "5.5": 5500 * time.Microsecond,
		"1e3": time.Second, "0": 0, "-0": 0, "+5s": 5 * time.Second, "5us": 5 * time.Microsecond, "1.5h": 90 * time.Minute,
		"1d": 24 * time.Hour, "1d1h": 25 * time.Hour, "1d0": 24 * time.Hour, "-5s": -5 * time.Second,
		"106751d": 106751 * 24 * time.Hour, "106751d23h47m16.854775807s": 1<<63 - 1,
	} {
		if got, err := plan.ParseDuration(text); err != nil || got != want {
			t.Errorf("%q: %v, %v; want %v", text, got, err, want)
		}
	}
	for _, text := range []string{
		"", "d", "x", "1.5d", "1h1d", "1d5", "d5s", "0x10", " 5s", "5s ", "1d-1h", "-1d", "200000d", "106752d",
		"106751d23h47m16.854775808s", "9999999999999", "-9999999999999", "NaN", "infinity", "1e300", "99999999999d",
	} {
		if got, err := plan.ParseDuration(text); err == nil {
			t.Errorf("%q is taken as %v", text, got)
		}
	}
}

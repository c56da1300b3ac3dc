package pages

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/nollagluiz/broadside/fleet"
)

// Each format in both languages; a gap is written as a space here.
func TestFormats(t *testing.T) {
	en, pt := mustLocale(t, "en"), mustLocale(t, "pt-BR")
	of := func(v float64) *float64 { return &v }
	for _, c := range []struct {
		name   string
		format func(*locale) string
		en, pt string
	}{
		{"zero", func(l *locale) string { return l.number(0) }, "0", "0"},
		{"three digits", func(l *locale) string { return l.number(999) }, "999", "999"},
		{"groups", func(l *locale) string { return l.number(2_912_447) }, "2,912,447", "2.912.447"},
		{"the largest", func(l *locale) string { return l.number(math.MaxInt64) }, "9,223,372,036,854,775,807", "9.223.372.036.854.775.807"},
		{"negative", func(l *locale) string { return l.number(-1234) }, "−1,234", "−1.234"},
		{"no number", func(l *locale) string { return l.decimal(math.NaN(), 2) }, "–", "–"},
		{"no latency", func(l *locale) string { return l.latency(nil) }, "–", "–"},
		{"no time at all", func(l *locale) string { return l.latency(of(0)) }, "0 ms", "0 ms"},
		{"microseconds", func(l *locale) string { return l.latency(of(0.0421)) }, "42.1 µs", "42,1 µs"},
		{"below a millisecond", func(l *locale) string { return l.latency(of(0.42)) }, "0.42 ms", "0,42 ms"},
		{"milliseconds", func(l *locale) string { return l.latency(of(90)) }, "90.0 ms", "90,0 ms"},
		{"hundreds of milliseconds", func(l *locale) string { return l.latency(of(142.4)) }, "142 ms", "142 ms"},
		{"nearly a second", func(l *locale) string { return l.latency(of(999.6)) }, "1.00 s", "1,00 s"},
		{"a minute", func(l *locale) string { return l.latency(of(60_000)) }, "60.0 s", "60,0 s"},
		{"on an axis", func(l *locale) string { return l.axisLatency(2500) }, "2.5 s", "2,5 s"},
		{"no rate", func(l *locale) string { return l.percent(nil) }, "–", "–"},
		{"nothing failed", func(l *locale) string { return l.percent(of(0)) }, "0 %", "0 %"},
		{"hardly anything failed", func(l *locale) string { return l.percent(of(1e-6)) }, "< 0.01 %", "< 0,01 %"},
		{"some failed", func(l *locale) string { return l.percent(of(0.0021)) }, "0.21 %", "0,21 %"},
		{"nearly all failed", func(l *locale) string { return l.percent(of(0.99999)) }, "> 99.9 %", "> 99,9 %"},
		{"all failed", func(l *locale) string { return l.percent(of(1)) }, "100 %", "100 %"},
		{"bytes", func(l *locale) string { return l.bytes(999) }, "999 B", "999 B"},
		{"kilobytes", func(l *locale) string { return l.bytes(1643) }, "1.6 kB", "1,6 kB"},
		{"megabytes", func(l *locale) string { return l.bytes(999_960) }, "1.0 MB", "1,0 MB"},
		{"terabytes", func(l *locale) string { return l.bytes(5_123_000_000_000_000) }, "5,123 TB", "5.123 TB"},
		{"per second", func(l *locale) string { return l.rate(1449.2) }, "1,449 / s", "1.449 / s"},
		{"half a second", func(l *locale) string { return l.duration(500 * time.Millisecond) }, "500 ms", "500 ms"},
		{"a second and a half", func(l *locale) string { return l.duration(1500 * time.Millisecond) }, "1.5 s", "1,5 s"},
		{"a minute and a half", func(l *locale) string { return l.duration(90 * time.Second) }, "1 min 30 s", "1 min 30 s"},
		{"an hour", func(l *locale) string { return l.duration(time.Hour) }, "1 h", "1 h"},
		{"days", func(l *locale) string { return l.duration(366 * 24 * time.Hour) }, "366 d", "366 d"},
		{"now", func(l *locale) string { return l.ago(0) }, "now", "agora"},
		{"a clock that runs ahead", func(l *locale) string { return l.ago(-time.Hour) }, "now", "agora"},
		{"seconds ago", func(l *locale) string { return l.ago(2*time.Second + 900*time.Millisecond) }, "2 s ago", "há 2 s"},
		{"minutes ago", func(l *locale) string { return l.ago(6*time.Minute + 59*time.Second) }, "6 min ago", "há 6 min"},
		{"days ago", func(l *locale) string { return l.ago(75 * time.Hour) }, "3 d ago", "há 3 d"},
	} {
		t.Run(c.name, func(t *testing.T) {
			for l, want := range map[*locale]string{en: c.en, pt: c.pt} {
				if got := strings.ReplaceAll(c.format(l), gap, " "); got != want {
					t.Errorf("%s: got %q; want %q", l.tag, got, want)
				}
			}
		})
	}
}

func TestMoment(t *testing.T) {
	now := time.Date(2026, 11, 25, 14, 15, 0, 0, time.UTC)
	l := mustLocale(t, "pt-BR")
	got := l.moment(fleet.Millis(now.Add(-90*time.Second)), now)
	if want := (moment{"2026-11-25T14:13:30.000Z", "25/11/2026 14:13:30 UTC", "há 1" + gap + "min"}); got != want {
		t.Errorf("got %q; want %q", got, want)
	}
	if got, want := l.moment(fleet.Time{}, now), (moment{Ago: "nunca"}); got != want {
		t.Errorf("of no time: got %q; want %q", got, want)
	}
}

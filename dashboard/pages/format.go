package pages

import (
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/nollagluiz/broadside/fleet"
)

// none stands for a value that there is not: null is never shown as 0.
const none = "–"

// gap joins a number and its unit, so that no line breaks between them.
const gap = "\u00a0"

// number writes an integer with the language's group separator.
func (l *locale) number(v int64) string { return l.digits(strconv.FormatInt(v, 10)) }

// decimal writes v with a fixed number of digits after the decimal mark.
func (l *locale) decimal(v float64, digits int) string {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return none
	}
	return l.digits(strconv.FormatFloat(v, 'f', digits, 64))
}

// digits puts the language's marks into a plain decimal number.
func (l *locale) digits(plain string) string {
	whole, fraction, hasFraction := strings.Cut(plain, ".")
	whole, negative := strings.CutPrefix(whole, "-")
	var b strings.Builder
	if negative {
		b.WriteString("−")
	}
	for i, digit := range whole {
		if i > 0 && (len(whole)-i)%3 == 0 {
			b.WriteString(l.words["format.group"])
		}
		b.WriteRune(digit)
	}
	if hasFraction {
		b.WriteString(l.words["format.decimal"] + fraction)
	}
	return b.String()
}

// figure writes v >= 0 with as many digits as tell something, so that a column of them lines up.
func (l *locale) figure(v float64) string {
	switch {
	case v == 0:
		return "0"
	case v >= 100:
		return l.decimal(v, 0)
	case v >= 10:
		return l.decimal(v, 1)
	default:
		return l.decimal(v, 2)
	}
}

// short is figure without zeros at the end of a fraction: for words and axes.
func (l *locale) short(v float64) string {
	digits := 2
	if v >= 10 {
		digits = 1
	}
	if v >= 100 {
		digits = 0
	}
	plain := strconv.FormatFloat(v, 'f', digits, 64)
	if digits > 0 {
		plain = strings.TrimRight(strings.TrimRight(plain, "0"), ".")
	}
	return l.digits(plain)
}

// latency writes milliseconds in the unit that suits them; nil is no data.
func (l *locale) latency(ms *float64) string {
	if ms == nil {
		return none
	}
	v, unit := latencyUnit(*ms)
	return l.figure(v) + gap + unit
}

// shortLatency is latency as short is to figure.
func (l *locale) shortLatency(ms float64) string {
	v, unit := latencyUnit(ms)
	return l.short(v) + gap + unit
}

func latencyUnit(ms float64) (v float64, unit string) {
	switch {
	case ms >= 999.5:
		return ms / 1000, "s"
	case ms >= 0.1 || ms == 0:
		return ms, "ms"
	default:
		return ms * 1000, "µs"
	}
}

// percent writes a ratio of 0..1; nil is no data. What is not nothing never reads as 0, nor what is not all as 100.
func (l *locale) percent(ratio *float64) string {
	if ratio == nil {
		return none
	}
	v := 100 * *ratio
	switch {
	case v > 0 && v < 0.01:
		return "<" + gap + l.decimal(0.01, 2) + gap + "%"
	case v > 99.9 && v < 100:
		return ">" + gap + l.decimal(99.9, 1) + gap + "%"
	}
	return l.figure(v) + gap + "%"
}

// bytes writes a size in decimal units.
func (l *locale) bytes(n int64) string {
	v := float64(n)
	if v < 1000 {
		return l.number(n) + gap + "B"
	}
	units := []string{"kB", "MB", "GB", "TB"}
	v /= 1000
	for v >= 999.95 && len(units) > 1 {
		v, units = v/1000, units[1:]
	}
	digits := 1
	if v >= 100 {
		digits = 0
	}
	return l.decimal(v, digits) + gap + units[0]
}

// rate writes how many a second.
func (l *locale) rate(v float64) string { return l.figure(v) + gap + "/" + gap + "s" }

// duration writes d in at most two units.
func (l *locale) duration(d time.Duration) string {
	switch {
	case d > 0 && d < time.Second:
		return l.short(float64(d)/float64(time.Millisecond)) + gap + "ms"
	case d < time.Minute:
		return l.short(d.Seconds()) + gap + "s"
	case d < time.Hour:
		return twoUnits(l, d, time.Minute, "min", time.Second, "s")
	case d < 48*time.Hour:
		return twoUnits(l, d, time.Hour, "h", time.Minute, "min")
	default:
		return twoUnits(l, d, 24*time.Hour, "d", time.Hour, "h")
	}
}

func twoUnits(l *locale, d, large time.Duration, largeName string, small time.Duration, smallName string) string {
	d = d.Round(small)
	text := l.number(int64(d/large)) + gap + largeName
	if rest := d % large / small; rest > 0 {
		text += gap + l.number(int64(rest)) + gap + smallName
	}
	return text
}

// moment is a point in time, three times over: for machines, in full, and seen from now.
type moment struct{ ISO, Full, Ago string }

func (l *locale) moment(t fleet.Time, now time.Time) moment {
	if t.IsZero() {
		return moment{Ago: l.text("time.never")}
	}
	iso, _ := t.MarshalText()
	return moment{ISO: string(iso), Full: t.UTC().Format(l.words["format.time"]), Ago: l.ago(now.Sub(t.Time))}
}

// ago cuts, so that "5 min ago" is at least five minutes.
func (l *locale) ago(d time.Duration) string {
	switch {
	case d < time.Second:
		return l.text("time.now")
	case d < time.Minute:
		d = d.Truncate(time.Second)
	case d < time.Hour:
		d = d.Truncate(time.Minute)
	case d < 48*time.Hour:
		d = d.Truncate(time.Hour)
	default:
		d = d.Truncate(24 * time.Hour)
	}
	return l.text("time.ago", "d", l.duration(d))
}

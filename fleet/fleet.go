// Package fleet holds the nouns that dashboard and agents share, and their JSON: Target, Run, Metrics, Agent,
// Heartbeat, Poll, Config, and errors with stable codes (docs/wire.md).
//
// A unit stands in a name here and only here: durationS, runIntervalMs, p95_ms. Every value is plain data, safe to
// share while nobody writes to it.
package fleet

import (
	"fmt"
	"time"
)

// Time is a point in time as the wire has it: RFC 3339, UTC, milliseconds.
type Time struct{ time.Time }

const timeFormat = "2006-01-02T15:04:05.000Z"

// Millis returns t in UTC, cut to the milliseconds that the wire and the store keep.
func Millis(t time.Time) Time { return Time{t.UTC().Truncate(time.Millisecond)} }

// FromMillis returns the Time of a Unix time in milliseconds.
func FromMillis(ms int64) Time { return Time{time.UnixMilli(ms).UTC()} }

// MarshalText implements encoding.TextMarshaler.
func (t Time) MarshalText() ([]byte, error) { return []byte(t.UTC().Format(timeFormat)), nil }

// MarshalJSON shadows that of time.Time, which would keep nanoseconds and drop trailing zeros.
func (t Time) MarshalJSON() ([]byte, error) {
	return []byte(`"` + t.UTC().Format(timeFormat) + `"`), nil
}

// UnmarshalText reads any RFC 3339 time of the years 1 to 9999 in UTC and keeps its milliseconds.
func (t *Time) UnmarshalText(text []byte) error {
	v, err := time.Parse(time.RFC3339, string(text))
	if err != nil || v.UTC().Year() < 1 || v.UTC().Year() > 9999 {
		return fmt.Errorf("%.40q is no RFC 3339 time", text)
	}
	*t = Millis(v)
	return nil
}

// UnmarshalJSON shadows that of time.Time.
func (t *Time) UnmarshalJSON(data []byte) error {
	if string(data) == "null" {
		return nil
	}
	if len(data) < 2 || data[0] != '"' || data[len(data)-1] != '"' {
		return fmt.Errorf("%.40q is no RFC 3339 time", data)
	}
	return t.UnmarshalText(data[1 : len(data)-1])
}

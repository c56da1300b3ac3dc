package plan

import (
	"errors"
	"math"
	"strconv"
	"strings"
	"time"
)

// ParseDuration reads a duration as k6 writes them (v2.2): as Go does, with whole days before it or alone, "1d12h", or
// a plain number, which is milliseconds.
func ParseDuration(text string) (time.Duration, error) {
	errFormat := errors.New(`is no duration such as "30s", "1m30s" or "1d"`)
	if ms, err := strconv.ParseFloat(text, 64); err == nil {
		// float64(math.MaxInt64) is 2^63, which no Duration holds.
		if ns := ms * float64(time.Millisecond); math.Abs(ns) < math.MaxInt64 {
			return time.Duration(ns), nil
		}
		return 0, errFormat
	}
	days, rest, ok := strings.Cut(text, "d")
	if !ok {
		days, rest = "0", text
	}
	n, err := strconv.ParseUint(days, 10, 31)
	if err != nil {
		return 0, errFormat
	}
	var d time.Duration
	if rest != "" || !ok {
		if d, err = time.ParseDuration(rest); err != nil {
			return 0, errFormat
		}
	}
	const day = 24 * time.Hour
	if ok && d < 0 || time.Duration(n) > (math.MaxInt64-max(d, 0))/day {
		return 0, errFormat
	}
	return time.Duration(n)*day + d, nil
}

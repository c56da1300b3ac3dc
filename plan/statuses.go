package plan

import (
	"fmt"
	"strconv"
	"strings"
)

// StatusRange is a span of HTTP status codes, both ends included.
type StatusRange struct{ Min, Max int }

// Statuses is a set of HTTP status codes, as ranges in the order written.
type Statuses []StatusRange

// maxStatusRanges bounds a list that comes from outside.
const maxStatusRanges = 64

// ParseStatuses reads a list such as "200-399,418". An empty text is an empty set. Codes lie in 100..599.
func ParseStatuses(text string) (Statuses, error) {
	if strings.TrimSpace(text) == "" {
		return nil, nil
	}
	parts := strings.Split(text, ",")
	if len(parts) > maxStatusRanges {
		return nil, fmt.Errorf("more than %d ranges", maxStatusRanges)
	}
	out := make(Statuses, 0, len(parts))
	for _, part := range parts {
		lo, hi, isRange := strings.Cut(strings.TrimSpace(part), "-")
		if !isRange {
			hi = lo
		}
		first, err := parseStatus(lo)
		if err != nil {
			return nil, err
		}
		last, err := parseStatus(hi)
		if err != nil {
			return nil, err
		}
		if first > last {
			return nil, fmt.Errorf("range %d-%d runs backwards", first, last)
		}
		out = append(out, StatusRange{first, last})
	}
	return out, nil
}

func parseStatus(text string) (int, error) {
	text = strings.TrimSpace(text)
	n, err := strconv.ParseUint(text, 10, 16) // no sign
	if err != nil || len(text) != 3 || n < 100 || n > 599 {
		return 0, fmt.Errorf("%.20q is no HTTP status code (100 to 599)", text)
	}
	return int(n), nil
}

// Contains tells whether the set holds code.
func (s Statuses) Contains(code int) bool {
	for _, r := range s {
		if r.Min <= code && code <= r.Max {
			return true
		}
	}
	return false
}

// String gives the form that ParseStatuses reads.
func (s Statuses) String() string {
	var b strings.Builder
	for i, r := range s {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(strconv.Itoa(r.Min))
		if r.Max != r.Min {
			b.WriteByte('-')
			b.WriteString(strconv.Itoa(r.Max))
		}
	}
	return b.String()
}

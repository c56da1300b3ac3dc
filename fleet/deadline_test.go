package fleet_test

import (
	"math"
	"testing"
	"time"

	"github.com/nollagluiz/broadside/fleet"
)

// Field report 52, and ADR 7: the limit follows from the run, so a legal long run is never killed.
func TestDeadline(t *testing.T) {
	received := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		name           string
		durationS, gsS int
		want           time.Duration // after received
	}{
		{"a short run gets five minutes", 30, 30, 5 * time.Minute},
		{"five minutes are just enough", 210, 30, 5 * time.Minute},
		{"then the run decides", 211, 30, 5*time.Minute + time.Second},
		{"a run of an hour", 3600, 30, time.Hour + 90*time.Second},
		{"no graceful stop", 3600, 0, time.Hour + time.Minute},
		{"the longest run", 86_400, 86_400, 48*time.Hour + time.Minute},
		{"an agent's nonsense is bounded", math.MaxInt, math.MaxInt, 48*time.Hour + time.Minute},
		{"nor does it go back", math.MinInt, -1, 5 * time.Minute},
	} {
		t.Run(c.name, func(t *testing.T) {
			spec := fleet.NewTarget()
			spec.DurationS, spec.GracefulStopS = c.durationS, c.gsS
			if got := fleet.Deadline(received, spec).Sub(received); got != c.want {
				t.Errorf("deadline after %v; want %v", got, c.want)
			}
		})
	}
}

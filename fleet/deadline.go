package fleet

import "time"

// What a run has to end within, counted from the server's receipt of its start (docs/ADR/0007).
const (
	minDeadline   = 5 * time.Minute  // a shorter run gets this long all the same
	deadlineSlack = 60 * time.Second // to abort what is left, and to send the result
)

// Why the dashboard, and not the agent, ended a run with verdict lost.
const (
	LostDeadline = "No result came before the run's deadline: its agent was killed, cut off or hung."
	LostRestart  = "A new instance of the agent started while the run was going on."
)

// Deadline is when a run of spec, whose start came in at received, is given up as lost:
//
//	received + max(5 min, duration + graceful stop + 60 s)
//
// The spec comes from an agent, so its times count as no more than the most that Validate allows.
func Deadline(received time.Time, spec Target) time.Time {
	return received.Add(max(minDeadline, spec.Length()+deadlineSlack))
}

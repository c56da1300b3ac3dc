package core

import "time"

// Verb is what a Step asks of the host.
type Verb uint8

// The verbs.
const (
	Send Verb = iota // carry Step.Req, then call Done
	Wait             // do nothing until Step.Until, inside the iteration, then call Woke
	End              // the iteration is over; the VU may not begin its next one before Step.Until
)

// Step is what a Flow wants next.
type Step struct {
	Verb  Verb
	Req   *Request      // of Send: the Flow's until Done, not to be written to
	Until time.Duration // an offset from the run's start; of Send: when the exchange times out
}

// Flow is one VU's iteration as a state machine: the only place of hops, cookies, pause, back-off, failed-or-not and
// recording. A host calls one method at a time.
//
//	state    | Begin      | Done                                                      | Woke    | Cut
//	---------+------------+-----------------------------------------------------------+---------+---------------------
//	idle     | -> sending |                                                           |         |
//	sending  |            | -> sending (another hop), waiting (the pause), idle (End) |         | -> idle, interrupted
//	waiting  |            |                                                           | -> idle | -> idle, interrupted
type Flow interface {
	// Begin starts an iteration.
	Begin(now time.Duration) Step
	// Done takes the exchange that the last Send asked for.
	Done(now time.Duration, x *Exchange) Step
	// Woke goes on after a Wait.
	Woke(now time.Duration) Step
	// Cut ends an iteration at the hard stop while it waits, or when its Send was not begun. A request under way ends
	// by Done with x.Interrupted.
	Cut(now time.Duration)
}

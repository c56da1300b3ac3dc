package agent

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"
)

// Bounds of a wait between two tries.
const (
	backoffFirst   = 250 * time.Millisecond
	backoffMost    = 30 * time.Second
	retryAfterMost = 10 * time.Minute // what a dashboard may ask for; more is cut
)

// backoff spaces the tries of one loop with full jitter: after n failures in a row the wait is uniform in
// [0, min(30 s, 0.25 s * 2^n)), on top of what a Retry-After asked for, so that a fleet that fails together does not
// come back together.
type backoff struct{ failures int }

func (b *backoff) next(err error) time.Duration {
	ceiling := min(backoffMost, backoffFirst<<min(b.failures, 10))
	b.failures++
	wait := rand.N(ceiling)
	var status *statusError
	if errors.As(err, &status) {
		wait += min(status.retryAfter, retryAfterMost)
	}
	return wait
}

func (b *backoff) reset() { b.failures = 0 }

// jitter stretches d by up to a tenth: an interval is a lower bound, and loops that began together drift apart.
func jitter(d time.Duration) time.Duration { return d + rand.N(d/10+1) }

// scatter shortens the first of many waits of d, so that loops that begin together go on apart.
func scatter(d time.Duration) time.Duration { return d/4 + rand.N(d*3/4) }

// pause waits for d, for a wake (nil: none) or for ctx, whose error it returns.
func pause(ctx context.Context, d time.Duration, wake <-chan struct{}) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-wake:
	case <-ctx.Done():
	}
	return ctx.Err()
}

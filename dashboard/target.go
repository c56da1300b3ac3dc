package dashboard

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/json"
	"slices"

	"github.com/nollagluiz/broadside/fleet"
)

// targetSet is every target at one time, and what polls say of them. It is never changed.
type targetSet struct {
	all     []fleet.Target    // newest first, with their secrets
	enabled json.RawMessage   // the list of those that are, as a poll has it
	digest  [sha256.Size]byte // of enabled
}

// newTargetSet keeps all, which it sorts by id: that of creation, and of the lists' cursors. Targets that are made at
// once may come in another order.
func newTargetSet(all []fleet.Target) *targetSet {
	slices.SortFunc(all, func(a, b fleet.Target) int { return cmp.Compare(b.ID, a.ID) })
	enabled := make([]fleet.Target, 0, len(all))
	for _, t := range all {
		if t.Enabled {
			enabled = append(enabled, t)
		}
	}
	text, err := json.Marshal(enabled)
	if err != nil {
		panic(err) // plain data can always be encoded
	}
	return &targetSet{all: all, enabled: text, digest: sha256.Sum256(text)}
}

func (s *targetSet) index(id string) int {
	return slices.IndexFunc(s.all, func(t fleet.Target) bool { return t.ID == id })
}

// count is how many targets are enabled, or aren't.
func (s *targetSet) count(enabled bool) (n int) {
	for _, t := range s.all {
		if t.Enabled == enabled {
			n++
		}
	}
	return n
}

// maxPollTargets bounds the enabled targets as a poll has them, in bytes. Agents refuse a poll over 16 MiB, and the kill
// switch travels in it, so there must always be room for it and for orders (maxOrderBytes).
const maxPollTargets = 8 << 20

// alone waits for the turn to change a target: of two at once, each could find the last room, and the set would change in
// another order than the store.
func (s *Service) alone(ctx context.Context) (done func(), err error) {
	select {
	case s.edits <- struct{}{}:
		return func() { <-s.edits }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// roomFor refuses a target with which polls would grow too long.
func (s *Service) roomFor(t fleet.Target) error {
	if !t.Enabled {
		return nil
	}
	set := s.targets.Load()
	size := len(set.enabled) + encodedSize(t)
	if i := set.index(t.ID); i >= 0 && set.all[i].Enabled {
		size -= encodedSize(set.all[i])
	}
	if size > maxPollTargets {
		return fleet.Errorf(fleet.TooLarge, "all enabled targets together may have %d MiB as JSON; shorten bodies and scripts, or disable targets", maxPollTargets>>20)
	}
	return nil
}

// encodedSize is a target's part of a poll, in bytes.
func encodedSize(t fleet.Target) int {
	text, err := json.Marshal(t)
	if err != nil {
		panic(err) // plain data can always be encoded
	}
	return len(text)
}

// replaceTarget puts a target of the store into the set in the place of others of its id; nil takes it away. Its caller
// has the turn.
func (s *Service) replaceTarget(id string, t *fleet.Target) {
	all := slices.DeleteFunc(slices.Clone(s.targets.Load().all), func(t fleet.Target) bool { return t.ID == id })
	if t != nil {
		all = append(all, *t)
	}
	s.targets.Store(newTargetSet(all))
}

// Targets implements Operations.
func (s *Service) Targets(context.Context) ([]fleet.Target, error) {
	set := s.targets.Load()
	out := make([]fleet.Target, len(set.all))
	for i, t := range set.all {
		out[i] = t.Redacted()
	}
	return out, nil
}

// Target implements Operations.
func (s *Service) Target(_ context.Context, id string) (fleet.Target, error) {
	t, err := s.target(id)
	return t.Redacted(), err
}

// target is one with its secrets.
func (s *Service) target(id string) (fleet.Target, error) {
	set := s.targets.Load()
	if i := set.index(id); i >= 0 {
		return set.all[i], nil
	}
	return fleet.Target{}, fleet.Errorf(fleet.NotFound, "there is no target %.64q", id)
}

// CreateTarget implements Operations.
func (s *Service) CreateTarget(ctx context.Context, t fleet.Target) (fleet.Target, error) {
	if err := t.Validate(); err != nil {
		return fleet.Target{}, fleet.Invalid(err)
	}
	done, err := s.alone(ctx)
	if err != nil {
		return fleet.Target{}, err
	}
	defer done()
	if err := s.roomFor(t); err != nil {
		return fleet.Target{}, err
	}
	t, err = s.store.CreateTarget(ctx, t, s.cfg.Now())
	if err != nil {
		return fleet.Target{}, err
	}
	s.replaceTarget(t.ID, &t)
	return t.Redacted(), nil
}

// UpdateTarget implements Operations.
func (s *Service) UpdateTarget(ctx context.Context, id string, revision int64, edit func(fleet.Target) (fleet.Target, error)) (fleet.Target, error) {
	done, err := s.alone(ctx)
	if err != nil {
		return fleet.Target{}, err
	}
	defer done()
	t, err := s.store.UpdateTarget(ctx, id, revision, s.cfg.Now(), func(stored fleet.Target) (fleet.Target, error) {
		edited, err := stored.Edit(edit)
		if err != nil {
			return fleet.Target{}, err
		}
		if err := edited.Validate(); err != nil {
			return fleet.Target{}, fleet.Invalid(err)
		}
		return edited, s.roomFor(edited)
	})
	if err != nil {
		return fleet.Target{}, err
	}
	s.replaceTarget(id, &t)
	return t.Redacted(), nil
}

// DeleteTarget implements Operations.
func (s *Service) DeleteTarget(ctx context.Context, id string, revision int64) error {
	done, err := s.alone(ctx)
	if err != nil {
		return err
	}
	defer done()
	if err := s.store.DeleteTarget(ctx, id, revision, s.cfg.Now()); err != nil {
		return err
	}
	s.replaceTarget(id, nil)
	s.orders.dropTarget(id)
	return nil
}

// RunNow implements Operations. Each agent that polls within two minutes runs the target once, also one that is disabled.
func (s *Service) RunNow(_ context.Context, targetID string) (string, error) {
	t, err := s.target(targetID)
	if err != nil {
		return "", err
	}
	if s.settings.Load().Stopped {
		return "", fleet.Errorf(fleet.Conflict, "the fleet is stopped: no agent starts a run until the stop is lifted")
	}
	return s.orders.run(t, s.cfg.Now())
}

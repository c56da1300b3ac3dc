package dashboard

import (
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

func newTargetSet(all []fleet.Target) *targetSet {
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

// changeTargets replaces the set after the store was changed. Two changes may come in another order than that of their
// commits, so whoever changes looks at revisions.
func (s *Service) changeTargets(change func(set *targetSet, all []fleet.Target) []fleet.Target) {
	s.changing.Lock()
	defer s.changing.Unlock()
	set := s.targets.Load()
	s.targets.Store(newTargetSet(change(set, slices.Clone(set.all))))
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
	t, err := s.store.CreateTarget(ctx, t, s.cfg.Now())
	if err != nil {
		return fleet.Target{}, err
	}
	s.changeTargets(func(_ *targetSet, all []fleet.Target) []fleet.Target { return slices.Insert(all, 0, t) })
	return t.Redacted(), nil
}

// UpdateTarget implements Operations.
func (s *Service) UpdateTarget(ctx context.Context, id string, revision int64, edit func(fleet.Target) (fleet.Target, error)) (fleet.Target, error) {
	t, err := s.store.UpdateTarget(ctx, id, revision, s.cfg.Now(), func(stored fleet.Target) (fleet.Target, error) {
		edited, err := stored.Edit(edit)
		if err != nil {
			return fleet.Target{}, err
		}
		if err := edited.Validate(); err != nil {
			return fleet.Target{}, fleet.Invalid(err)
		}
		return edited, nil
	})
	if err != nil {
		return fleet.Target{}, err
	}
	s.changeTargets(func(set *targetSet, all []fleet.Target) []fleet.Target {
		// One that is not there any more was deleted after this edit.
		if i := set.index(id); i >= 0 && all[i].Revision < t.Revision {
			all[i] = t
		}
		return all
	})
	return t.Redacted(), nil
}

// DeleteTarget implements Operations.
func (s *Service) DeleteTarget(ctx context.Context, id string, revision int64) error {
	if err := s.store.DeleteTarget(ctx, id, revision, s.cfg.Now()); err != nil {
		return err
	}
	s.changeTargets(func(_ *targetSet, all []fleet.Target) []fleet.Target {
		return slices.DeleteFunc(all, func(t fleet.Target) bool { return t.ID == id })
	})
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

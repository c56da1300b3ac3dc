package dashboard

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"github.com/nollagluiz/broadside/fleet"
	"github.com/nollagluiz/broadside/plan"
)

// Config implements Operations.
func (s *Service) Config(context.Context) (fleet.Config, error) { return *s.settings.Load(), nil }

// UpdateConfig implements Operations. The scaler is told.
func (s *Service) UpdateConfig(ctx context.Context, revision int64, edit func(fleet.Config) (fleet.Config, error)) (fleet.Config, error) {
	c, err := s.store.UpdateConfig(ctx, revision, s.cfg.Now(), func(stored fleet.Config) (fleet.Config, error) {
		edited, err := edit(stored)
		if err != nil {
			return fleet.Config{}, err
		}
		if n := edited.DesiredAgents; n < 0 || n > fleet.MaxAgents {
			return fleet.Config{}, fleet.Invalid(plan.FieldErrors{{Field: "k6DesiredAgentCount", Message: fmt.Sprintf("must be 0 to %d, not %d", fleet.MaxAgents, n)}})
		}
		edited.StopID = stored.StopID
		switch {
		case !edited.Stopped:
			edited.StopID = ""
		case !stored.Stopped:
			edited.StopID = uuid.NewString()
		}
		return edited, nil
	})
	if err != nil {
		return fleet.Config{}, err
	}
	s.changing.Lock()
	if s.settings.Load().Revision < c.Revision {
		s.settings.Store(&c)
	}
	s.changing.Unlock()
	if c.Stopped {
		s.orders.dropRuns() // what was ordered before the stop does not start after it
	}
	if s.cfg.Scaler != nil {
		s.cfg.Scaler.Wake()
	}
	return c, nil
}

// StopAll implements Operations. A stop that is set already keeps its acknowledgements.
func (s *Service) StopAll(ctx context.Context) error {
	_, err := s.UpdateConfig(ctx, 0, func(c fleet.Config) (fleet.Config, error) {
		c.Stopped = true
		return c, nil
	})
	return err
}

// Reconcile implements Operations.
func (s *Service) Reconcile(ctx context.Context) error {
	if s.cfg.Scaler == nil {
		return fleet.Errorf(fleet.Conflict, "there is nothing to scale: agents are started elsewhere")
	}
	if err := s.cfg.Scaler.Reconcile(ctx); err != nil {
		return fmt.Errorf("reconcile: %w", err)
	}
	return nil
}

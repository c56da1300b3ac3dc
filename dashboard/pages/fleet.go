package pages

import (
	"net/http"
	"strconv"

	"github.com/nollagluiz/broadside/fleet"
)

// presets are the guide's quick choices of the desired count.
var presets = [...]int{0, 1, 5, 10, 50, 100, 500, 1000}

// fleetView is the fleet's page.
type fleetView struct {
	Now    fleet.Overview
	RPS    float64
	Scale  scaleForm
	Agents agentList
}

// scaleForm sets the desired count.
type scaleForm struct {
	Value     string // as it was typed
	Error     string
	Max       int
	Presets   []preset
	Converged bool
}

type preset struct {
	Count   int
	Current bool
}

func (h *handler) showFleet(v *visit) error {
	v.offerRefresh(false)
	return h.renderFleet(v, http.StatusOK, nil, "")
}

// renderFleet shows the fleet's page. typed is what stood in the scale form when it was refused, with the reason.
func (h *handler) renderFleet(v *visit, status int, typed *string, reason string) error {
	ctx := v.r.Context()
	overview, err := h.Fleet.Summary(ctx)
	if err != nil {
		return err
	}
	view := fleetView{Now: overview, Scale: scaleForm{
		Value: strconv.Itoa(overview.DesiredAgents), Error: reason, Max: fleet.MaxAgents,
		Converged: overview.DesiredAgents == overview.ActualAgents,
	}}
	if typed != nil {
		view.Scale.Value = *typed
	}
	if s := overview.Window.Seconds; s > 0 {
		view.RPS = float64(overview.Window.Requests) / float64(s)
	}
	for _, n := range presets {
		view.Scale.Presets = append(view.Scale.Presets, preset{n, n == overview.DesiredAgents})
	}
	v.here = pathFleet
	if view.Agents, err = h.agentList(v); err != nil {
		return err
	}
	return v.render(status, pageFleet, v.loc.text("title.fleet"), view)
}

func (h *handler) scale(v *visit) error {
	typed := v.form("desired")
	n, err := strconv.Atoi(typed)
	if err != nil {
		return h.renderFleet(v, http.StatusUnprocessableEntity, &typed, v.loc.text("error.whole"))
	}
	if n < 0 || n > fleet.MaxAgents {
		return h.renderFleet(v, http.StatusUnprocessableEntity, &typed, v.loc.text("error.range", "min", 0, "max", fleet.MaxAgents))
	}
	_, err = h.Fleet.UpdateConfig(v.r.Context(), 0, func(c fleet.Config) (fleet.Config, error) {
		c.DesiredAgents = n
		return c, nil
	})
	if err != nil {
		return err
	}
	return v.done(pathFleet, "scaled")
}

// reconcile waits for the scaler. Why it failed stands on the fleet's page, from where the scaler keeps it.
func (h *handler) reconcile(v *visit) error {
	err := h.Fleet.Reconcile(v.r.Context())
	switch {
	case err == nil:
		return v.done(pathFleet, "reconciled")
	case fleet.CodeOf(err) != "" || v.r.Context().Err() != nil:
		return err
	}
	h.OnError(v.r, err)
	v.redirect(pathFleet + "#scale")
	return nil
}

// confirmStop names what the kill switch costs.
func (h *handler) confirmStop(v *visit) error {
	overview, err := h.Fleet.Summary(v.r.Context())
	if err != nil {
		return err
	}
	return v.render(http.StatusOK, pageStop, v.loc.text("title.stop"), overview)
}

func (h *handler) stop(v *visit) error {
	if err := h.Fleet.StopAll(v.r.Context()); err != nil {
		return err
	}
	return v.done(pathFleet, "stopped")
}

func (h *handler) resume(v *visit) error {
	_, err := h.Fleet.UpdateConfig(v.r.Context(), 0, func(c fleet.Config) (fleet.Config, error) {
		c.Stopped = false
		return c, nil
	})
	if err != nil {
		return err
	}
	return v.done(pathFleet, "resumed")
}

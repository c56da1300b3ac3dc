package dashboard

import (
	"context"
	"net/http"
	"net/url"

	"github.com/danielgtaylor/huma/v2"

	"github.com/nollagluiz/broadside/fleet"
	"github.com/nollagluiz/broadside/plan"
)

// Inputs and outputs of the administrator's operations.
type (
	noInput  struct{}
	noOutput struct{}

	idIn struct {
		ID string `path:"id" doc:"Of the target or run"`
	}
	createIn struct{ RawBody []byte }
	deleteIn struct {
		ID      string `path:"id"`
		IfMatch string `header:"If-Match" doc:"The ETag of the revision that is meant"`
	}
	updateIn struct {
		ID      string `path:"id"`
		IfMatch string `header:"If-Match" doc:"The ETag of the revision that the edit is based on"`
		RawBody []byte
	}
	configIn struct {
		IfMatch string `header:"If-Match" doc:"The ETag of the revision that the edit is based on"`
		RawBody []byte
	}

	targetOut struct {
		ETag     string `header:"ETag" doc:"Of its revision"`
		Location string `header:"Location"`
		Body     fleet.Target
	}
	configOut struct {
		ETag string `header:"ETag" doc:"Of its revision"`
		Body fleet.Config
	}
	acceptedOut struct{ Body accepted }
	accepted    struct {
		OrderID string `json:"orderId,omitempty" doc:"Of the order to run"`
	}
)

const pathTarget = "/api/admin/k6/targets/"

func (a *api) adminOperations() {
	s := a.server.cfg.Service
	const mergePatch = "application/merge-patch+json"
	edit := editOf(a, fleet.NewTarget(), "id", "revision", "createdAt", "updatedAt")
	configEdit := editOf(a, fleet.Config{}, "revision", "updatedAt")

	register(a, huma.Operation{OperationID: "createTarget", Method: http.MethodPost, Path: "/api/admin/k6/targets", Tags: []string{"targets"},
		Summary: "Add a target", Description: "Each agent runs it from then on. Only url is needed; null is the default.",
		DefaultStatus: http.StatusCreated, RequestBody: jsonBody(edit),
	}, func(ctx context.Context, in *createIn) (*targetOut, error) {
		t, err := editTarget(in.RawBody)(fleet.NewTarget())
		if err != nil {
			return nil, err
		}
		t, err = s.CreateTarget(ctx, t)
		return &targetOut{ETag: etagOf(t.Revision), Location: pathTarget + url.PathEscape(t.ID), Body: t}, err
	})
	register(a, huma.Operation{OperationID: "getTargetAsAdmin", Method: http.MethodGet, Path: pathTarget + "{id}", Tags: []string{"targets"},
		Summary: "A target, secrets shown as ***",
	}, a.target)
	register(a, huma.Operation{OperationID: "updateTarget", Method: http.MethodPatch, Path: pathTarget + "{id}", Tags: []string{"targets"},
		Summary: "Change a target", Description: "A JSON merge patch (RFC 7396); null is the default. A secret sent back as *** stays.",
		RequestBody: jsonBody(edit, mergePatch),
	}, func(ctx context.Context, in *updateIn) (*targetOut, error) {
		revision, err := revisionOf(in.IfMatch)
		if err != nil {
			return nil, err
		}
		t, err := s.UpdateTarget(ctx, in.ID, revision, editTarget(in.RawBody))
		return &targetOut{ETag: etagOf(t.Revision), Body: t}, err
	})
	register(a, huma.Operation{OperationID: "deleteTarget", Method: http.MethodDelete, Path: pathTarget + "{id}", Tags: []string{"targets"},
		Summary: "Delete a target", Description: "Its runs are kept. A run that is going on ends by itself.",
	}, func(ctx context.Context, in *deleteIn) (*noOutput, error) {
		revision, err := revisionOf(in.IfMatch)
		if err != nil {
			return nil, err
		}
		return nil, s.DeleteTarget(ctx, in.ID, revision)
	})
	register(a, huma.Operation{OperationID: "runTarget", Method: http.MethodPost, Path: pathTarget + "{id}/run", Tags: []string{"orders"},
		Summary: "Run a target now", Description: "Each agent that polls within two minutes runs it once, also when it is disabled.",
		DefaultStatus: http.StatusAccepted,
	}, func(ctx context.Context, in *idIn) (*acceptedOut, error) {
		id, err := s.RunNow(ctx, in.ID)
		return &acceptedOut{accepted{id}}, err
	})
	register(a, huma.Operation{OperationID: "abortRun", Method: http.MethodPost, Path: "/api/admin/k6/runs/{id}/abort", Tags: []string{"orders"},
		Summary: "Abort a run", DefaultStatus: http.StatusAccepted,
	}, func(ctx context.Context, in *idIn) (*acceptedOut, error) {
		return &acceptedOut{}, s.AbortRun(ctx, in.ID)
	})
	register(a, huma.Operation{OperationID: "stop", Method: http.MethodPost, Path: "/api/admin/k6/stop", Tags: []string{"orders"},
		Summary: "The kill switch", Description: `Every run is aborted and none started until {"stopped":false} is put to the configuration, also after a restart.`,
		DefaultStatus: http.StatusAccepted,
	}, func(ctx context.Context, _ *noInput) (*acceptedOut, error) { return &acceptedOut{}, s.StopAll(ctx) })
	register(a, huma.Operation{OperationID: "reconcile", Method: http.MethodPost, Path: "/api/admin/k6/reconcile", Tags: []string{"orders"},
		Summary: "Scale the fleet to its desired count now", DefaultStatus: http.StatusAccepted,
	}, func(ctx context.Context, _ *noInput) (*acceptedOut, error) { return &acceptedOut{}, s.Reconcile(ctx) })
	register(a, huma.Operation{OperationID: "getConfig", Method: http.MethodGet, Path: "/api/admin/config", Tags: []string{"config"},
		Summary: "The fleet's settings",
	}, func(ctx context.Context, _ *noInput) (*configOut, error) {
		c, err := s.Config(ctx)
		return &configOut{etagOf(c.Revision), c}, err
	})
	register(a, huma.Operation{OperationID: "putConfig", Method: http.MethodPut, Path: "/api/admin/config", Tags: []string{"config"},
		Summary: "Change the fleet's settings", Description: "Fields left out keep their value.", RequestBody: jsonBody(configEdit),
	}, func(ctx context.Context, in *configIn) (*configOut, error) {
		revision, err := revisionOf(in.IfMatch)
		if err != nil {
			return nil, err
		}
		c, err := s.UpdateConfig(ctx, revision, editConfig(in.RawBody))
		return &configOut{etagOf(c.Revision), c}, err
	})
}

// made are the fields of a target that the dashboard makes. They may be sent back as they are.
const made = "is made by the dashboard"

// editTarget applies a merge patch.
func editTarget(body []byte) func(fleet.Target) (fleet.Target, error) {
	return func(shown fleet.Target) (fleet.Target, error) {
		edited, defaults := shown, fleet.NewTarget()
		if err := patch(&edited, body, &defaults); err != nil {
			return fleet.Target{}, err
		}
		var faults plan.FieldErrors
		for _, f := range []struct {
			field string
			same  bool
		}{
			{"id", edited.ID == shown.ID},
			{"revision", edited.Revision == shown.Revision},
			{"createdAt", edited.CreatedAt.Equal(shown.CreatedAt.Time)},
			{"updatedAt", edited.UpdatedAt.Equal(shown.UpdatedAt.Time)},
		} {
			if !f.same {
				faults.Add(f.field, made)
			}
		}
		if len(faults) > 0 {
			return fleet.Target{}, fleet.Invalid(faults)
		}
		return edited, nil
	}
}

// editConfig applies a partial configuration, in which null means nothing.
func editConfig(body []byte) func(fleet.Config) (fleet.Config, error) {
	return func(stored fleet.Config) (fleet.Config, error) {
		edited := stored
		if err := patch(&edited, body, nil); err != nil {
			return fleet.Config{}, err
		}
		var faults plan.FieldErrors
		if edited.Revision != stored.Revision {
			faults.Add("revision", made)
		}
		if !edited.UpdatedAt.Equal(stored.UpdatedAt.Time) {
			faults.Add("updatedAt", made)
		}
		if len(faults) > 0 {
			return fleet.Config{}, fleet.Invalid(faults)
		}
		return edited, nil
	}
}

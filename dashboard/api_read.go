package dashboard

import (
	"context"
	"encoding/base64"
	"net/http"
	"slices"

	"github.com/danielgtaylor/huma/v2"

	"github.com/nollagluiz/broadside/fleet"
	"github.com/nollagluiz/broadside/summary"
)

// Inputs and outputs of the operations that everybody may ask for.
type (
	// PageIn picks a part of a list.
	PageIn struct {
		Limit  int    `query:"limit" default:"50" minimum:"1" maximum:"500"`
		Cursor string `query:"cursor" maxLength:"500" doc:"nextCursor of the page before"`
	}
	listIn struct{ PageIn }
	runsIn struct {
		PageIn
		Target  string `query:"target" maxLength:"64" doc:"A target's id"`
		Agent   string `query:"agent" maxLength:"64" doc:"An agent's id"`
		Status  string `query:"status" enum:"running,done,error,aborted"`
		Verdict string `query:"verdict" enum:"ok,threshold_failed,no_requests,target_unreachable,generator_limited,aborted,lost,error"`
		From    string `query:"from" doc:"Started then or later, RFC 3339" format:"date-time"`
		To      string `query:"to" doc:"Started before, RFC 3339" format:"date-time"`
	}

	page[T any] struct {
		Items      []T     `json:"items"`
		NextCursor *string `json:"nextCursor" doc:"Null at the end"`
	}
	pageOut[T any] struct{ Body page[T] }
	runDetailOut   struct{ Body fleet.RunDetail }
	overviewOut    struct{ Body fleet.Overview }
)

func (a *api) readOperations() {
	s := a.server.cfg.Service
	tags := []string{"dashboard"}
	register(a, huma.Operation{OperationID: "listTargets", Method: http.MethodGet, Path: "/api/dashboard/k6/targets", Tags: tags,
		Summary: "Targets, newest first, secrets shown as ***",
	}, func(ctx context.Context, in *listIn) (*pageOut[fleet.Target], error) {
		targets, err := s.Targets(ctx)
		if err != nil {
			return nil, err
		}
		// Ids are UUIDv7, so they are in the order of creation.
		return paginate(targets, in.PageIn, func(t fleet.Target) string { return t.ID }, func(id, cursor string) bool { return id < cursor })
	})
	register(a, huma.Operation{OperationID: "getTarget", Method: http.MethodGet, Path: "/api/dashboard/k6/targets/{id}", Tags: tags,
		Summary: "A target, secrets shown as ***",
	}, a.target)
	register(a, huma.Operation{OperationID: "listAgents", Method: http.MethodGet, Path: "/api/dashboard/k6/agents", Tags: tags,
		Summary: "Agents, by name: k6agent-2 before k6agent-10",
	}, func(ctx context.Context, in *listIn) (*pageOut[fleet.Agent], error) {
		agents, err := s.Agents(ctx)
		if err != nil {
			return nil, err
		}
		return paginate(agents, in.PageIn, func(a fleet.Agent) string { return a.Name }, func(name, cursor string) bool { return compareNatural(name, cursor) > 0 })
	})
	register(a, huma.Operation{OperationID: "listRuns", Method: http.MethodGet, Path: "/api/dashboard/k6/runs", Tags: tags,
		Summary: "Runs, by receipt, newest first",
	}, func(ctx context.Context, in *runsIn) (*pageOut[fleet.Run], error) {
		filter, err := in.filter()
		if err != nil {
			return nil, err
		}
		runs, next, err := s.Runs(ctx, filter, in.Cursor, in.Limit)
		if err != nil {
			return nil, err
		}
		return newPage(runs, next), nil
	})
	register(a, huma.Operation{OperationID: "getRun", Method: http.MethodGet, Path: "/api/dashboard/k6/runs/{id}", Tags: tags,
		Summary: "A run with its distributions",
	}, func(ctx context.Context, in *idIn) (*runDetailOut, error) {
		d, err := s.Run(ctx, in.ID)
		return &runDetailOut{d}, err
	})
	register(a, huma.Operation{OperationID: "getSummary", Method: http.MethodGet, Path: "/api/dashboard/k6/summary", Tags: tags,
		Summary: "The fleet in a few numbers",
	}, func(ctx context.Context, _ *noInput) (*overviewOut, error) {
		o, err := s.Summary(ctx)
		return &overviewOut{o}, err
	})
}

func (a *api) target(ctx context.Context, in *idIn) (*targetOut, error) {
	t, err := a.server.cfg.Service.Target(ctx, in.ID)
	return &targetOut{ETag: etagOf(t.Revision), Body: t}, err
}

func (in *runsIn) filter() (f fleet.RunFilter, err error) {
	f = fleet.RunFilter{TargetID: in.Target, AgentID: in.Agent, Status: fleet.RunStatus(in.Status), Verdict: summary.Verdict(in.Verdict)}
	for _, p := range []struct {
		name, text string
		into       *fleet.Time
	}{{"from", in.From, &f.From}, {"to", in.To, &f.To}} {
		if p.text == "" {
			continue
		}
		if err := p.into.UnmarshalText([]byte(p.text)); err != nil {
			fault := newProblem(http.StatusUnprocessableEntity, fleet.ValidationFailed, "a parameter is at fault")
			fault.Errors = []fieldFault{{Location: "query." + p.name, Message: err.Error()}}
			return f, fault
		}
	}
	return f, nil
}

func newPage[T any](items []T, next string) *pageOut[T] {
	out := page[T]{Items: items}
	if items == nil {
		out.Items = []T{}
	}
	if next != "" {
		out.NextCursor = &next
	}
	return &pageOut[T]{out}
}

// paginate is a page of a sorted list in memory. The cursor is the key of the last item before the page, which may be
// gone by now; after tells whether a key comes after it.
func paginate[T any](all []T, in PageIn, key func(T) string, after func(key, cursor string) bool) (*pageOut[T], error) {
	if in.Cursor != "" {
		last, err := base64.RawURLEncoding.DecodeString(in.Cursor)
		if err != nil {
			return nil, fleet.Errorf(fleet.Malformed, "the cursor is none of this list")
		}
		first := slices.IndexFunc(all, func(v T) bool { return after(key(v), string(last)) })
		if first < 0 {
			first = len(all)
		}
		all = all[first:]
	}
	if len(all) <= in.Limit {
		return newPage(all, ""), nil
	}
	all = all[:in.Limit]
	return newPage(all, base64.RawURLEncoding.EncodeToString([]byte(key(all[len(all)-1])))), nil
}

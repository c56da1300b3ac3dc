package dashboard

import (
	"context"
	"net/http"
	"strconv"

	"github.com/danielgtaylor/huma/v2"

	"github.com/nollagluiz/broadside/fleet"
)

// Inputs and outputs of the agents' operations.
type (
	agentIn struct {
		Epoch   string `header:"X-Agent-Epoch" doc:"As register answered"`
		RawBody []byte
	}
	runEndIn struct {
		ID      string `path:"id" doc:"UUIDv7, made by the agent"`
		Epoch   string `header:"X-Agent-Epoch" doc:"As register answered"`
		RawBody []byte
	}
	pollIn struct {
		Agent       string `header:"X-Agent" doc:"The agent's name; without it the answer holds no orders"`
		IfNoneMatch string `header:"If-None-Match"`
	}

	registeredOut struct{ Body fleet.Registered }
	heartbeatOut  struct{ Body fleet.HeartbeatAnswer }
	pollOut       struct{ Body func(huma.Context) }
	runOut        struct {
		Status int
		Body   runRef
	}
	runRef struct {
		ID string `json:"id"`
	}
)

// maxEpoch is more than any agent is ever given, and still a number in JavaScript.
const maxEpoch = 1 << 53

// epochOf reads an epoch; 0 if there is none.
func epochOf(header string) int64 {
	epoch, err := strconv.ParseInt(header, 10, 64)
	if err != nil || epoch < 0 || epoch > maxEpoch {
		return 0
	}
	return epoch
}

func (a *api) agentOperations() {
	s := a.server.cfg.Service
	tags := []string{"agents"}
	register(a, huma.Operation{OperationID: "registerAgent", Method: http.MethodPost, Path: "/api/k6/agents/register", Tags: tags,
		Summary:     "An agent starts",
		Description: "By name. While another instance of the name is live the answer is 409 agent_name_in_use, with Retry-After.",
		RequestBody: jsonBody(schema[fleet.Registration](a)),
	}, func(ctx context.Context, in *agentIn) (*registeredOut, error) {
		var r fleet.Registration
		if err := decode(in.RawBody, &r); err != nil {
			return nil, err
		}
		if err := checkRegistration(r); err != nil {
			return nil, err
		}
		out, err := s.Register(ctx, r)
		return &registeredOut{out}, err
	})
	register(a, huma.Operation{OperationID: "heartbeat", Method: http.MethodPost, Path: "/api/k6/agents/heartbeat", Tags: tags,
		Summary: "An agent's sign of life", Description: "An unknown agent is added. 409 agent_name_in_use: the name is another instance's.",
		RequestBody: jsonBody(schema[fleet.Heartbeat](a)),
	}, func(_ context.Context, in *agentIn) (*heartbeatOut, error) {
		var h fleet.Heartbeat
		if err := decode(in.RawBody, &h); err != nil {
			return nil, err
		}
		if err := checkHeartbeat(h); err != nil {
			return nil, err
		}
		out, err := s.Heartbeat(h, epochOf(in.Epoch))
		return &heartbeatOut{out}, err
	})
	register(a, huma.Operation{OperationID: "deregisterAgent", Method: http.MethodPost, Path: "/api/k6/agents/deregister", Tags: tags,
		Summary: "An agent ends: it is offline at once", RequestBody: jsonBody(schema[fleet.Deregistration](a)),
	}, func(ctx context.Context, in *agentIn) (*noOutput, error) {
		var d fleet.Deregistration
		if err := decode(in.RawBody, &d); err != nil {
			return nil, err
		}
		if err := checkDeregistration(d); err != nil {
			return nil, err
		}
		return nil, s.Deregister(ctx, d)
	})
	register(a, huma.Operation{OperationID: "poll", Method: http.MethodGet, Path: "/api/k6/targets", Tags: tags,
		Summary: "What to run, and orders", Description: "Targets hold their secrets. The strong ETag covers all of the answer for that agent.",
		Responses: map[string]*huma.Response{
			"200": {Description: "OK", Content: map[string]*huma.MediaType{jsonType: {Schema: schema[fleet.Poll](a)}}},
			"304": {Description: "Nothing has changed since the answer with that ETag"},
		},
	}, a.poll)
	register(a, huma.Operation{OperationID: "startRun", Method: http.MethodPost, Path: "/api/k6/runs", Tags: tags,
		Summary: "A run began: 201, and 200 when it is known", RequestBody: jsonBody(schema[fleet.RunStart](a)),
		Responses: map[string]*huma.Response{"201": {Description: "Created", Content: map[string]*huma.MediaType{jsonType: {Schema: schema[runRef](a)}}}},
	}, func(ctx context.Context, in *agentIn) (*runOut, error) {
		var r fleet.RunStart
		if err := decode(in.RawBody, &r); err != nil {
			return nil, err
		}
		if err := checkRunStart(r); err != nil {
			return nil, err
		}
		created, err := s.StartRun(ctx, r)
		out := &runOut{http.StatusOK, runRef{r.ID}}
		if created {
			out.Status = http.StatusCreated
		}
		return out, err
	})
	register(a, huma.Operation{OperationID: "endRun", Method: http.MethodPut, Path: "/api/k6/runs/{id}", Tags: tags,
		Summary: "A run ended: 200, however often it is sent", Description: "At most 256 KiB, inflated. Makes the run when its start was lost. The first result is final; it replaces the verdict lost.",
		RequestBody: jsonBody(schema[fleet.RunEnd](a)),
	}, func(ctx context.Context, in *runEndIn) (*runOut, error) {
		var r fleet.RunEnd
		if err := decode(in.RawBody, &r); err != nil {
			return nil, err
		}
		if err := checkRunEnd(in.ID, r); err != nil {
			return nil, err
		}
		return &runOut{http.StatusOK, runRef{r.ID}}, s.EndRun(ctx, r, epochOf(in.Epoch))
	})
}

// poll answers from memory. It writes the answer itself, which is encoded already.
func (a *api) poll(_ context.Context, in *pollIn) (*pollOut, error) {
	p := a.server.cfg.Service.poll(in.Agent)
	etag := p.etag()
	if matches(in.IfNoneMatch, etag) {
		return &pollOut{func(ctx huma.Context) {
			ctx.SetHeader("ETag", etag)
			ctx.SetStatus(http.StatusNotModified)
		}}, nil
	}
	body, err := p.body()
	return &pollOut{func(ctx huma.Context) {
		ctx.SetHeader("ETag", etag)
		ctx.SetHeader("Content-Type", jsonType)
		ctx.SetStatus(http.StatusOK)
		_, _ = ctx.BodyWriter().Write(body)
	}}, err
}

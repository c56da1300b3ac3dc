package pages

import (
	"context"

	"github.com/nollagluiz/broadside/fleet"
)

// agentList is one page of the agents.
type agentList struct {
	Rows    []agentRow
	All     int // agents, whatever the filter
	Pages   pager
	Filters []choice // by status
}

type agentRow struct {
	fleet.Agent
	Pill  pill
	Runs  []currentRun
	Doing string   // without runs
	VUs   int      // of the runs that it is known to make
	CPU   *float64 // of one core, 0..1 and more
	Seen  moment
}

// SkippedTotal is the starts that did not happen, for whatever reason.
func (a agentRow) SkippedTotal() int64 {
	return a.Skipped.Overlap + a.Skipped.NoSlot + a.Skipped.VULimit
}

// Lost is the results that never reached the dashboard.
func (a agentRow) Lost() int64 { return a.Spool.Dropped + a.Spool.Refused }

// currentRun is a run that an agent says it is making. Name is empty where the dashboard doesn't know the run (yet).
type currentRun struct{ ID, Name string }

func (h *handler) agentList(v *visit) (agentList, error) {
	agents, err := h.Fleet.Agents(v.r.Context())
	if err != nil {
		return agentList{}, err
	}
	list := agentList{All: len(agents)}
	status := fleet.AgentStatus(v.query.Get("status"))
	if status != fleet.AgentOnline && status != fleet.AgentOffline {
		status = ""
	}
	var shown []fleet.Agent
	for _, a := range agents {
		if status == "" || a.Status == status {
			shown = append(shown, a)
		}
	}
	for _, s := range []fleet.AgentStatus{"", fleet.AgentOnline, fleet.AgentOffline} {
		list.Filters = append(list.Filters, choice{string(s), v.with("status", string(s), "page", "") + "#agents", s == status})
	}
	list.Pages = v.pager(len(shown), "#agents")
	shown = shown[list.Pages.From-1 : list.Pages.To]
	runs, err := h.currentRuns(v.r.Context(), shown)
	if err != nil {
		return agentList{}, err
	}
	for _, a := range shown {
		row := agentRow{Agent: a, Pill: v.loc.agentPill(a, h.Now()), CPU: &a.CPURatio, Seen: v.loc.moment(a.LastSeenAt, h.Now())}
		if a.Status == fleet.AgentOnline {
			row.Doing = v.loc.doing(a.State)
			for _, id := range a.CurrentRunIDs {
				current := currentRun{ID: id}
				if r, ok := runs[id]; ok {
					current.Name = runName(r)
					row.VUs += r.Spec.Peak()
				}
				row.Runs = append(row.Runs, current)
			}
		}
		list.Rows = append(list.Rows, row)
	}
	return list, nil
}

// doing words the state of an agent without runs. The dashboard hears of a run's end before the next heartbeat, so one
// that said "running" then is idle now.
func (l *locale) doing(s fleet.AgentState) string {
	if s == fleet.AgentRunning {
		s = fleet.AgentIdle
	}
	return l.known("state.", string(s))
}

// currentRuns looks up what the agents say they are running. The whole fleet's runs are listed together, so a few
// calls find those of all agents shown; what is not among them stays without a name.
func (h *handler) currentRuns(ctx context.Context, agents []fleet.Agent) (map[string]fleet.Run, error) {
	const perCall, calls = 500, 4
	wanted, found, cursor := map[string]bool{}, map[string]fleet.Run{}, ""
	for _, a := range agents {
		if a.Status == fleet.AgentOnline {
			for _, id := range a.CurrentRunIDs {
				wanted[id] = true
			}
		}
	}
	for range calls {
		if len(found) == len(wanted) {
			break
		}
		runs, next, err := h.Fleet.Runs(ctx, fleet.RunFilter{Status: fleet.RunRunning}, cursor, perCall)
		if err != nil {
			return nil, err
		}
		for _, r := range runs {
			if wanted[r.ID] {
				found[r.ID] = r
			}
		}
		if cursor = next; next == "" {
			break
		}
	}
	return found, nil
}

package sqlite

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"time"

	"github.com/google/uuid"

	"github.com/nollagluiz/broadside/fleet"
)

const agentColumns = `id, name, status, last_seen_at, current_run_id, current_run_ids, registered_at, epoch, instance_id, deregistered, report`

func scanAgent(r row) (fleet.Agent, error) {
	var a, columns fleet.Agent
	var seen, registered int64
	var runIDs, report string
	if err := r.Scan(&columns.ID, &columns.Name, &columns.Status, &seen, &columns.CurrentRunID, &runIDs, &registered,
		&columns.Epoch, &columns.InstanceID, &columns.Deregistered, &report); err != nil {
		return a, err
	}
	if err := json.Unmarshal([]byte(report), &a); err != nil {
		return a, err
	}
	if err := json.Unmarshal([]byte(runIDs), &columns.CurrentRunIDs); err != nil {
		return a, err
	}
	a.ID, a.Name, a.Status = columns.ID, columns.Name, columns.Status
	a.CurrentRunID, a.CurrentRunIDs = columns.CurrentRunID, columns.CurrentRunIDs
	a.Epoch, a.InstanceID, a.Deregistered = columns.Epoch, columns.InstanceID, columns.Deregistered
	a.RegisteredAt, a.LastSeenAt = fleet.FromMillis(registered), fleet.FromMillis(seen)
	return a, nil
}

// Agents lists all agents, the latest seen first.
func (s *Store) Agents(ctx context.Context) ([]fleet.Agent, error) {
	agents, err := list(ctx, s.r, scanAgent, `SELECT `+agentColumns+` FROM k6_agents ORDER BY last_seen_at DESC, name`)
	return agents, s.explain("list agents", err)
}

// upsertAgent keeps the id of a name that is known, and never takes last_seen_at back.
const upsertAgent = `INSERT INTO k6_agents (` + agentColumns + `)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
ON CONFLICT (name) DO UPDATE SET status = excluded.status,
	last_seen_at = CASE WHEN k6_agents.last_seen_at > excluded.last_seen_at THEN k6_agents.last_seen_at ELSE excluded.last_seen_at END,
	current_run_id = excluded.current_run_id, current_run_ids = excluded.current_run_ids, epoch = excluded.epoch,
	instance_id = excluded.instance_id, deregistered = excluded.deregistered, report = excluded.report`

// registerAgent begins a new epoch, whatever the stored one is; saveAgent leaves a row of a newer epoch alone, and the
// time of its registration.
const (
	registerAgent = upsertAgent + `, registered_at = excluded.registered_at RETURNING ` + agentColumns
	saveAgent     = upsertAgent + ` WHERE k6_agents.epoch <= excluded.epoch`
)

func agentArgs(a fleet.Agent) ([]any, error) {
	if a.ID == "" {
		id, err := uuid.NewV7()
		if err != nil {
			return nil, err
		}
		a.ID = id.String()
	}
	if a.CurrentRunID == nil && len(a.CurrentRunIDs) > 0 {
		a.CurrentRunID = &a.CurrentRunIDs[0]
	}
	if a.CurrentRunIDs == nil {
		a.CurrentRunIDs = []string{}
	}
	runIDs, err := asJSON(a.CurrentRunIDs)
	if err != nil {
		return nil, err
	}
	report, err := asJSON(a)
	if err != nil {
		return nil, err
	}
	return []any{a.ID, a.Name, cmp.Or(a.Status, fleet.AgentOnline), a.LastSeenAt.UnixMilli(), a.CurrentRunID, runIDs,
		a.RegisteredAt.UnixMilli(), a.Epoch, a.InstanceID, a.Deregistered, report}, nil
}

// RegisterAgent upserts by name an agent that registered at now: it is online. When lost says so, the runs of the name
// that are still running end as error, verdict lost.
func (s *Store) RegisterAgent(ctx context.Context, a fleet.Agent, lost bool, now time.Time) (fleet.Agent, error) {
	a.Status, a.Deregistered = fleet.AgentOnline, false
	a.RegisteredAt, a.LastSeenAt = fleet.Millis(now), fleet.Millis(now)
	args, err := agentArgs(a)
	if err != nil {
		return fleet.Agent{}, err
	}
	err = s.write(ctx, "register agent", func(tx *sql.Tx) error {
		if a, err = scanAgent(tx.QueryRowContext(ctx, registerAgent, args...)); err != nil || !lost {
			return err
		}
		_, err := tx.ExecContext(ctx, `UPDATE k6_runs SET status = 'error', verdict = 'lost', error_message = $1, ended_at = $2, result_at = $2
WHERE status = 'running' AND agent_name = $3`, fleet.LostRestart, now.UnixMilli(), a.Name)
		return err
	})
	if err != nil {
		return fleet.Agent{}, err
	}
	return a, nil
}

// SaveAgents upserts by name what heartbeats said, in one transaction.
func (s *Store) SaveAgents(ctx context.Context, agents []fleet.Agent) error {
	if len(agents) == 0 {
		return nil
	}
	return s.write(ctx, "save agents", func(tx *sql.Tx) error {
		save, err := tx.PrepareContext(ctx, saveAgent)
		if err != nil {
			return err
		}
		defer save.Close()
		for _, a := range agents {
			args, err := agentArgs(a)
			if err != nil {
				return err
			}
			if _, err := save.ExecContext(ctx, args...); err != nil {
				return err
			}
		}
		return nil
	})
}

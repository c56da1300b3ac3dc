package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"slices"
	"time"

	"github.com/nollagluiz/broadside/fleet"
)

// chunk is the most runs that one transaction deletes or releases, so that no result waits for long.
const chunk = 1000

// TimeOutRuns ends the runs whose deadline is over at now: error, verdict lost.
func (s *Store) TimeOutRuns(ctx context.Context, now time.Time) (n int, err error) {
	err = s.write(ctx, "time out runs", func(tx *sql.Tx) error {
		n, err = affected(tx.ExecContext(ctx, `UPDATE k6_runs
SET status = 'error', verdict = 'lost', error_message = $1, ended_at = $2, result_at = $2
WHERE status = 'running' AND deadline_at < $2`, fleet.LostDeadline, now.UnixMilli()))
		return err
	})
	return n, err
}

func affected(result sql.Result, err error) (int, error) {
	if err != nil {
		return 0, err
	}
	n, err := result.RowsAffected()
	return int(n), err
}

// ClearRunRefs takes from each agent the current runs that aren't running. It returns the names of the agents that had
// such.
func (s *Store) ClearRunRefs(ctx context.Context) (names []string, err error) {
	err = s.write(ctx, "clear current runs", func(tx *sql.Tx) error {
		running, err := list(ctx, tx, scanText, `SELECT id FROM k6_runs WHERE status = 'running'`)
		if err != nil {
			return err
		}
		refs, err := list(ctx, tx, scanRunRefs, `SELECT name, current_run_ids FROM k6_agents WHERE current_run_id IS NOT NULL`)
		if err != nil {
			return err
		}
		names, err = keepRunning(ctx, tx, refs, running)
		return err
	})
	return names, err
}

// runRefs are an agent's current runs.
type runRefs struct {
	name string
	ids  []string
}

func scanRunRefs(r row) (refs runRefs, err error) {
	var ids string
	if err := r.Scan(&refs.name, &ids); err != nil {
		return refs, err
	}
	return refs, json.Unmarshal([]byte(ids), &refs.ids)
}

func keepRunning(ctx context.Context, tx *sql.Tx, refs []runRefs, running []string) (changed []string, err error) {
	slices.Sort(running)
	for _, agent := range refs {
		kept := slices.DeleteFunc(slices.Clone(agent.ids), func(id string) bool {
			_, found := slices.BinarySearch(running, id)
			return !found
		})
		if len(kept) == len(agent.ids) {
			continue
		}
		var first *string
		if len(kept) > 0 {
			first = &kept[0]
		}
		ids, err := asJSON(kept)
		if err != nil {
			return nil, err
		}
		if _, err := tx.ExecContext(ctx, `UPDATE k6_agents SET current_run_id = $1, current_run_ids = $2 WHERE name = $3`, first, ids, agent.name); err != nil {
			return nil, err
		}
		changed = append(changed, agent.name)
	}
	return changed, nil
}

// MarkOffline makes the online agents that were last seen before unseenSince offline, and returns their names.
func (s *Store) MarkOffline(ctx context.Context, unseenSince time.Time) (names []string, err error) {
	err = s.write(ctx, "mark agents offline", func(tx *sql.Tx) error {
		names, err = list(ctx, tx, scanText,
			`UPDATE k6_agents SET status = 'offline' WHERE status = 'online' AND last_seen_at < $1 RETURNING name`, unseenSince.UnixMilli())
		return err
	})
	return names, err
}

// goneAgent is the condition under which an agent is deleted. Each statement repeats it: the agent may come back.
const goneAgent = `status = 'offline' AND last_seen_at < $1`

// runsOfGone picks the next chunk of runs of a gone agent.
const runsOfGone = `(SELECT r.seq FROM k6_agents a JOIN k6_runs r ON r.agent_id = a.id
WHERE a.status = 'offline' AND a.last_seen_at < $1 AND a.id = $2 ORDER BY r.seq LIMIT $3)`

// DeleteAgents deletes the offline agents that were last seen before unseenSince, and returns the names of those that
// it deleted, also beside an error. Their runs stay, without agent_id, unless withRuns says that they go too.
func (s *Store) DeleteAgents(ctx context.Context, unseenSince time.Time, withRuns bool) ([]string, error) {
	release := `UPDATE k6_runs SET agent_id = NULL WHERE seq IN ` + runsOfGone
	if withRuns {
		release = `DELETE FROM k6_runs WHERE seq IN ` + runsOfGone
	}
	since := unseenSince.UnixMilli()
	gone, err := list(ctx, s.r, scanText, `SELECT id FROM k6_agents WHERE `+goneAgent+` ORDER BY id`, since)
	if err != nil {
		return nil, s.explain("list gone agents", err)
	}
	var names []string
	for _, id := range gone {
		// The foreign key would release all runs at once, in one long transaction.
		for n := chunk; n == chunk; {
			if n, err = s.writeChunk(ctx, "release runs", release, since, id, chunk); err != nil {
				return names, err
			}
		}
		var deleted []string
		if err := s.write(ctx, "delete agent", func(tx *sql.Tx) error {
			deleted, err = list(ctx, tx, scanText, `DELETE FROM k6_agents WHERE `+goneAgent+` AND id = $2 RETURNING name`, since, id)
			return err
		}); err != nil {
			return names, err
		}
		names = append(names, deleted...)
	}
	return names, nil
}

// DeleteRuns deletes up to limit runs whose end was received before endedBefore, the oldest first, in one transaction.
// A run that is running is never deleted.
func (s *Store) DeleteRuns(ctx context.Context, endedBefore time.Time, limit int) (int, error) {
	return s.writeChunk(ctx, "delete runs",
		`DELETE FROM k6_runs WHERE seq IN (SELECT seq FROM k6_runs WHERE result_at < $1 ORDER BY result_at LIMIT $2)`,
		endedBefore.UnixMilli(), limit)
}

func (s *Store) writeChunk(ctx context.Context, op, statement string, args ...any) (n int, err error) {
	err = s.write(ctx, op, func(tx *sql.Tx) error {
		n, err = affected(tx.ExecContext(ctx, statement, args...))
		return err
	})
	return n, err
}

package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/nollagluiz/broadside/fleet"
)

const selectConfig = `SELECT k6_desired_agent_count, stopped, stop_id, revision, updated_at FROM k6_config WHERE id = 1`

// scanConfig reads the one row. Before the first update there is none: then it is the zero Config.
func scanConfig(r row) (fleet.Config, error) {
	var c fleet.Config
	var updated int64
	err := r.Scan(&c.DesiredAgents, &c.Stopped, &c.StopID, &c.Revision, &updated)
	if errors.Is(err, sql.ErrNoRows) {
		return fleet.Config{}, nil
	}
	c.UpdatedAt = fleet.FromMillis(updated)
	return c, err
}

// Config returns the settings: the zero Config, whose revision is 0, until the first UpdateConfig.
func (s *Store) Config(ctx context.Context) (fleet.Config, error) {
	c, err := scanConfig(s.r.QueryRowContext(ctx, selectConfig))
	return c, s.explain("read config", err)
}

// UpdateConfig applies edit to the stored settings. edit runs inside the transaction, so it must not call the store.
func (s *Store) UpdateConfig(ctx context.Context, revision int64, now time.Time, edit func(fleet.Config) (fleet.Config, error)) (fleet.Config, error) {
	const upsert = `INSERT INTO k6_config (id, k6_desired_agent_count, stopped, stop_id, revision, updated_at)
VALUES (1, $1, $2, $3, $4, $5)
ON CONFLICT (id) DO UPDATE SET k6_desired_agent_count = excluded.k6_desired_agent_count, stopped = excluded.stopped,
	stop_id = excluded.stop_id, revision = excluded.revision, updated_at = excluded.updated_at`
	var c fleet.Config
	var refused error // edit's own, returned as it is
	err := s.write(ctx, "update config", func(tx *sql.Tx) error {
		stored, err := scanConfig(tx.QueryRowContext(ctx, selectConfig))
		if err != nil {
			return err
		}
		if err := checkRevision(revision, stored.Revision); err != nil {
			return err
		}
		if c, refused = edit(stored); refused != nil {
			return refused
		}
		c.Revision, c.UpdatedAt = stored.Revision+1, fleet.Millis(now)
		_, err = tx.ExecContext(ctx, upsert, c.DesiredAgents, c.Stopped, c.StopID, c.Revision, c.UpdatedAt.UnixMilli())
		return err
	})
	if refused != nil {
		err = refused
	}
	if err != nil {
		return fleet.Config{}, err
	}
	return c, nil
}

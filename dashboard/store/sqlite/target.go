package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"time"

	"github.com/google/uuid"

	"github.com/nollagluiz/broadside/fleet"
)

const targetColumns = `id, spec, revision, created_at, updated_at`

func scanTarget(r row) (fleet.Target, error) {
	var id, spec string
	var revision, created, updated int64
	if err := r.Scan(&id, &spec, &revision, &created, &updated); err != nil {
		return fleet.Target{}, err
	}
	t := fleet.NewTarget() // a field younger than the row has its default
	if err := json.Unmarshal([]byte(spec), &t); err != nil {
		return fleet.Target{}, err
	}
	t.ID, t.Revision = id, revision
	t.CreatedAt, t.UpdatedAt = fleet.FromMillis(created), fleet.FromMillis(updated)
	return t, nil
}

// Targets lists the targets that are not deleted, newest first.
func (s *Store) Targets(ctx context.Context) ([]fleet.Target, error) {
	targets, err := list(ctx, s.r, scanTarget,
		`SELECT `+targetColumns+` FROM k6_targets WHERE deleted_at IS NULL ORDER BY id DESC`)
	return targets, s.explain("list targets", err)
}

const selectTarget = `SELECT ` + targetColumns + ` FROM k6_targets WHERE id = $1 AND deleted_at IS NULL`

// Target returns a target with its secrets.
func (s *Store) Target(ctx context.Context, id string) (fleet.Target, error) {
	t, err := scanTarget(s.r.QueryRowContext(ctx, selectTarget, id))
	return t, s.explain("read target", notFound(err, "target", id))
}

// CreateTarget gives the target an id, revision 1 and its times.
func (s *Store) CreateTarget(ctx context.Context, t fleet.Target, now time.Time) (fleet.Target, error) {
	id, err := uuid.NewV7()
	if err != nil {
		return fleet.Target{}, err
	}
	t.ID, t.Revision = id.String(), 1
	t.CreatedAt, t.UpdatedAt = fleet.Millis(now), fleet.Millis(now)
	spec, err := asJSON(t)
	if err != nil {
		return fleet.Target{}, err
	}
	err = s.write(ctx, "create target", func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx,
			`INSERT INTO k6_targets (id, spec, revision, created_at, updated_at) VALUES ($1, $2, $3, $4, $5)`,
			t.ID, spec, t.Revision, t.CreatedAt.UnixMilli(), t.UpdatedAt.UnixMilli())
		return err
	})
	return t, err
}

// UpdateTarget applies edit to the stored target. edit runs inside the transaction, so it must not call the store.
func (s *Store) UpdateTarget(ctx context.Context, id string, revision int64, now time.Time, edit func(fleet.Target) (fleet.Target, error)) (fleet.Target, error) {
	var t fleet.Target
	var refused error // edit's own, returned as it is
	err := s.write(ctx, "update target", func(tx *sql.Tx) error {
		stored, err := targetAt(ctx, tx, id, revision)
		if err != nil {
			return err
		}
		if t, refused = edit(stored); refused != nil {
			return refused
		}
		t.ID, t.Revision = id, stored.Revision+1
		t.CreatedAt, t.UpdatedAt = stored.CreatedAt, fleet.Millis(now)
		spec, err := asJSON(t)
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `UPDATE k6_targets SET spec = $1, revision = $2, updated_at = $3 WHERE id = $4`,
			spec, t.Revision, t.UpdatedAt.UnixMilli(), id)
		return err
	})
	if refused != nil {
		err = refused
	}
	if err != nil {
		return fleet.Target{}, err
	}
	return t, nil
}

// DeleteTarget hides the target and forgets its secrets; its runs stay.
func (s *Store) DeleteTarget(ctx context.Context, id string, revision int64, now time.Time) error {
	return s.write(ctx, "delete target", func(tx *sql.Tx) error {
		t, err := targetAt(ctx, tx, id, revision)
		if err != nil {
			return err
		}
		spec, err := asJSON(t.Redacted())
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `UPDATE k6_targets SET spec = $1, deleted_at = $2 WHERE id = $3`, spec, now.UnixMilli(), id)
		return err
	})
}

// targetAt reads a target that an edit based on revision may change.
func targetAt(ctx context.Context, tx *sql.Tx, id string, revision int64) (fleet.Target, error) {
	t, err := scanTarget(tx.QueryRowContext(ctx, selectTarget, id))
	if err != nil {
		return t, notFound(err, "target", id)
	}
	return t, checkRevision(revision, t.Revision)
}

// checkRevision compares the revision that an edit was based on, 0 for any, with the stored one.
func checkRevision(want, have int64) error {
	if want != 0 && want != have {
		return fleet.Errorf(fleet.PreconditionFailed, "it was changed in the meantime: revision %d, not %d", have, want)
	}
	return nil
}

package sqlite

import (
	"context"
	"database/sql"

	"github.com/nollagluiz/broadside/fleet"
)

// Writer and Reader let tests look at the connections themselves.
func (s *Store) Writer() *sql.DB { return s.w }
func (s *Store) Reader() *sql.DB { return s.r }

// What the package keeps for itself.
const Chunk = chunk

func RunsQuery(f fleet.RunFilter, cursor string, limit int) (string, []any, error) {
	return runsQuery(f, cursor, limit)
}

// MigrateTo makes the tables of an earlier version.
func MigrateTo(ctx context.Context, db *sql.DB, version int64) error {
	p, err := newProvider(db)
	if err != nil {
		return err
	}
	_, err = p.UpTo(ctx, version)
	return err
}

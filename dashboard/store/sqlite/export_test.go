package sqlite

import (
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

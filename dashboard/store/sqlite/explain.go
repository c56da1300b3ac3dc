package sqlite

import (
	"database/sql"
	"errors"
	"fmt"

	"modernc.org/sqlite"
	sqlitelib "modernc.org/sqlite/lib"

	"github.com/nollagluiz/broadside/fleet"
)

// explain says which operation on which file failed, and what the operator can do. An error for the caller, a
// *fleet.Error, stays as it is.
func (s *Store) explain(op string, err error) error {
	if err == nil || fleet.CodeOf(err) != "" {
		return err
	}
	if hint := hint(err); hint != "" {
		return fmt.Errorf("%s: database %s: %s: %w", op, s.path, hint, err)
	}
	return fmt.Errorf("%s: database %s: %w", op, s.path, err)
}

func hint(err error) string {
	var fault *sqlite.Error
	if !errors.As(err, &fault) {
		return ""
	}
	switch fault.Code() & 0xff { // the primary code
	case sqlitelib.SQLITE_FULL:
		return "the disk is full"
	case sqlitelib.SQLITE_BUSY, sqlitelib.SQLITE_LOCKED:
		return "another process holds its lock"
	case sqlitelib.SQLITE_READONLY, sqlitelib.SQLITE_CANTOPEN, sqlitelib.SQLITE_PERM:
		return "it can't be written; see to the owner and mode of the file and of its directory"
	case sqlitelib.SQLITE_NOTADB:
		return "the file is no SQLite database"
	case sqlitelib.SQLITE_CORRUPT:
		return "the file is damaged; restore a backup"
	case sqlitelib.SQLITE_IOERR:
		return "the disk fails"
	}
	return ""
}

// notFound gives an absent row the words for who asked for it.
func notFound(err error, noun, id string) error {
	if errors.Is(err, sql.ErrNoRows) {
		return fleet.Errorf(fleet.NotFound, "there is no %s %.64q", noun, id)
	}
	return err
}

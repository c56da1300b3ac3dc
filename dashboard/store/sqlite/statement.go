package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
)

// write runs f in a transaction of the only writing connection. f must not call a method of the Store: it would wait
// for itself.
func (s *Store) write(ctx context.Context, op string, f func(*sql.Tx) error) error {
	return s.explain(op, s.transact(ctx, f))
}

func (s *Store) transact(ctx context.Context, f func(*sql.Tx) error) error {
	select {
	case s.turn <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-s.turn }()
	tx, err := s.w.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() // does nothing after Commit; without it a panic in f would keep the connection for ever
	if err := f(tx); err != nil {
		return err
	}
	return tx.Commit()
}

// queryer is a *sql.DB or a *sql.Tx.
type queryer interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// row is a *sql.Row or a *sql.Rows.
type row interface{ Scan(dest ...any) error }

// list reads all rows of a query.
func list[T any](ctx context.Context, q queryer, scan func(row) (T, error), query string, args ...any) ([]T, error) {
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	out := []T{}
	for rows.Next() {
		v, err := scan(rows)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, rows.Err()
}

func scanText(r row) (text string, err error) { return text, r.Scan(&text) }

// asJSON is v as a column keeps it.
func asJSON(v any) (string, error) {
	data, err := json.Marshal(v)
	return string(data), err
}

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

// each visits all rows of a query.
func each(ctx context.Context, q queryer, visit func(row) error, query string, args ...any) error {
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := visit(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// list collects all rows of a query.
func list[T any](ctx context.Context, q queryer, scan func(row) (T, error), query string, args ...any) ([]T, error) {
	out := []T{}
	err := each(ctx, q, func(r row) error {
		v, err := scan(r)
		out = append(out, v)
		return err
	}, query, args...)
	return out, err
}

func scanText(r row) (text string, err error) { return text, r.Scan(&text) }

// asJSON is v as a column keeps it.
func asJSON(v any) (string, error) {
	data, err := json.Marshal(v)
	return string(data), err
}

// Package sqlite keeps the dashboard's targets, agents, runs and settings in one SQLite file: the default engine of
// dashboard.Store and of the reaper's statements.
//
// A write is one transaction on the only writing connection, in the order of arrival, and returns after COMMIT. In
// WAL mode with synchronous=FULL what was acknowledged survives a power loss. A few read-only connections never wait
// for the writer. A *Store is safe for concurrent use, by one process at a time.
//
// The SQL is written for PostgreSQL as well: $n in ascending order of first appearance, times as Unix milliseconds,
// ON CONFLICT and RETURNING, no function of the engine's own clock.
package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"modernc.org/sqlite"
)

// Sync is how far a commit goes before it is acknowledged.
type Sync string

// The two that keep the file sound. A killed process loses nothing under either.
const (
	Full   Sync = "full"   // on the disk: a power loss loses nothing either
	Normal Sync = "normal" // with the operating system: a power loss may take the last commits
)

// Memory that each connection may use as page cache, in KiB, and the number of reading connections.
const (
	writerCache = 4096
	readerCache = 1024
	readers     = 4
)

// maxWAL is the size in bytes to which the write-ahead log is cut back after a burst.
const maxWAL = 16 << 20

// Config is what Open needs.
type Config struct {
	Path     string        // of the database file; made with mode 0600, and its directory with 0700
	Sync     Sync          // Full if empty
	LockWait time.Duration // how long to wait for another process's lock; 5 s if 0
}

// Store is an open database.
type Store struct {
	path string
	w, r *sql.DB
	turn chan struct{} // held by the write under way; database/sql alone would serve waiters in no fair order
}

// Open opens the database file, makes it if there is none, and brings its tables up to date.
func Open(ctx context.Context, cfg Config) (*Store, error) {
	cfg, err := cfg.resolved()
	if err != nil {
		return nil, fmt.Errorf("open the database: %w", err)
	}
	s := &Store{path: cfg.Path, turn: make(chan struct{}, 1)}
	if err := s.open(ctx, cfg); err != nil {
		return nil, s.explain("open", errors.Join(err, s.Close()))
	}
	return s, nil
}

func (c Config) resolved() (Config, error) {
	if c.Path == "" {
		return c, errors.New("a path is needed")
	}
	path, err := filepath.Abs(c.Path)
	if err != nil {
		return c, err
	}
	c.Path = path
	if c.Sync == "" {
		c.Sync = Full
	}
	if c.Sync != Full && c.Sync != Normal {
		return c, fmt.Errorf("sync must be %s or %s, not %.20q", Full, Normal, string(c.Sync))
	}
	if c.LockWait == 0 {
		c.LockWait = 5 * time.Second
	}
	return c, nil
}

func (s *Store) open(ctx context.Context, cfg Config) error {
	if err := createPrivate(cfg.Path); err != nil {
		return err
	}
	var err error
	if s.w, err = openPool(cfg, 1, url.Values{
		"_txlock":       {"immediate"}, // a transaction that reads first could else fail when it comes to write
		"_journal_mode": {"wal"},
		"_synchronous":  {string(cfg.Sync)},
		"_foreign_keys": {"1"},
		"_pragma":       {"cache_size(-" + strconv.Itoa(writerCache) + ")", "journal_size_limit(" + strconv.Itoa(maxWAL) + ")"},
	}); err != nil {
		return err
	}
	if err := migrate(ctx, s.w); err != nil {
		return err
	}
	if s.r, err = openPool(cfg, readers, url.Values{
		"_query_only": {"1"},
		"_pragma":     {"cache_size(-" + strconv.Itoa(readerCache) + ")"},
	}); err != nil {
		return err
	}
	return s.r.PingContext(ctx)
}

// createPrivate makes the file before SQLite would, which gives the files beside it (-wal, -shm) the same mode.
func createPrivate(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	if info, err := file.Stat(); err == nil && info.Mode().Perm()&0o077 != 0 {
		file.Chmod(0o600) // an error is no reason to stop: some file systems know no modes
	}
	return file.Close()
}

func openPool(cfg Config, conns int, options url.Values) (*sql.DB, error) {
	options.Set("_busy_timeout", strconv.FormatInt(cfg.LockWait.Milliseconds(), 10))
	options.Set("_dqs", "0")      // "text" is never taken for 'text'
	options.Set("_error_rc", "1") // messages that fit their code
	file := url.URL{Scheme: "file", OmitHost: true, Path: cfg.Path, RawQuery: options.Encode()}
	connector, err := sqlite.NewConnector(file.String())
	if err != nil {
		return nil, err
	}
	db := sql.OpenDB(connector)
	db.SetMaxOpenConns(conns)
	db.SetMaxIdleConns(conns)
	return db, nil
}

// Close ends all connections. SQLite then folds the write-ahead log into the file. No method may run or be called.
func (s *Store) Close() error {
	var errs []error
	for _, db := range []*sql.DB{s.r, s.w} {
		if db != nil {
			errs = append(errs, db.Close())
		}
	}
	return errors.Join(errs...)
}

// Ping tells whether the store can be read and written: it commits a write.
func (s *Store) Ping(ctx context.Context) error {
	const bump = `INSERT INTO k6_health (id, writes) VALUES (1, 1) ON CONFLICT (id) DO UPDATE SET writes = k6_health.writes + 1`
	if err := s.write(ctx, "write", func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, bump)
		return err
	}); err != nil {
		return err
	}
	var writes int64
	err := s.r.QueryRowContext(ctx, `SELECT writes FROM k6_health WHERE id = 1`).Scan(&writes)
	return s.explain("read", err)
}

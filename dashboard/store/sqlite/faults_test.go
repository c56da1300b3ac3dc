package sqlite_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nollagluiz/broadside/dashboard/store/sqlite"
	"github.com/nollagluiz/broadside/fleet"
)

// wantFault checks that err names the operation, the file and what to do about it.
func wantFault(t *testing.T, err error, op, path, hint string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error; want one about %q", hint)
	}
	if text := err.Error(); !strings.HasPrefix(text, op+": database "+path+": ") || !strings.Contains(text, hint) {
		t.Errorf("error %q; want %q, %s, and %q", text, op, path, hint)
	}
	if fleet.CodeOf(err) != "" {
		t.Errorf("error %v has a code for the caller, who is not at fault", err)
	}
}

func TestOpenRefuses(t *testing.T) {
	dir := t.TempDir()
	file := func(name, content string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	newer := filepath.Join(dir, "newer.db")
	s := open(t, sqlite.Config{Path: newer})
	if _, err := s.Writer().Exec(`INSERT INTO goose_db_version (version_id, is_applied) VALUES (900, 1)`); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ name, path, want string }{
		{"what is no database", file("text.db", strings.Repeat("this is a text\n", 1000)), "no SQLite database"},
		{"a directory that is a file", filepath.Join(file("file", ""), "x.db"), "not a directory"},
		{"a file that is a directory", dir, "is a directory"},
		{"the tables of a newer program", newer, "version 900, and this program knows up to 3"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := sqlite.Open(t.Context(), sqlite.Config{Path: c.path})
			wantFault(t, err, "open", c.path, c.want)
		})
	}
	if text, err := os.ReadFile(filepath.Join(dir, "text.db")); err != nil || !strings.HasPrefix(string(text), "this is a text\n") {
		t.Errorf("the file that was refused reads %.20q, %v; want it untouched", text, err)
	}
	for _, cfg := range []sqlite.Config{{}, {Path: filepath.Join(dir, "x.db"), Sync: "off"}} {
		if _, err := sqlite.Open(t.Context(), cfg); err == nil {
			t.Errorf("config %+v was taken", cfg)
		}
	}
}

// A damaged page is an error of the operation that meets it, and says what helps.
func TestDamagedFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "broadside.db")
	s, err := sqlite.Open(t.Context(), sqlite.Config{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	seed(t, s, 1000, "t%d", "")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for i := len(data) / 2; i < len(data); i++ {
		data[i] = 0xaa
	}
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	s = open(t, sqlite.Config{Path: path})
	_, _, err = s.Runs(t.Context(), fleet.RunFilter{}, "", 500)
	wantFault(t, err, "list runs", path, "damaged")
}

// Fleet lesson "disk full": the write says so, nothing is half there, and with room it works again.
func TestDiskFull(t *testing.T) {
	path := filepath.Join(t.TempDir(), "broadside.db")
	s := open(t, sqlite.Config{Path: path})
	limit := func(pragma string) {
		if _, err := s.Writer().Exec(`PRAGMA max_page_count = ` + pragma); err != nil {
			t.Fatal(err)
		}
	}
	limit("1") // SQLite takes the present size instead
	r := run(1)
	r.Trends = map[string][]byte{"http_req_duration": make([]byte, 100_000)}
	wantFault(t, s.EndRun(t.Context(), r, r.EndedAt.Time), "end run", path, "disk is full")
	if _, err := s.Run(t.Context(), r.ID); fleet.CodeOf(err) != fleet.NotFound {
		t.Errorf("the run that did not fit: %v; want none", err)
	}
	limit("1000000")
	if err := s.EndRun(t.Context(), r, r.EndedAt.Time); err != nil {
		t.Errorf("with room again: %v", err)
	}
	if got, err := s.Run(t.Context(), r.ID); err != nil || len(got.Trends["http_req_duration"]) != 100_000 {
		t.Errorf("%d bytes, %v; want the histogram whole", len(got.Trends["http_req_duration"]), err)
	}
}

// Fleet lesson "database is locked": readers go on, a writer waits for as long as it was told, and says who is to blame.
func TestLockedByAnother(t *testing.T) {
	path := filepath.Join(t.TempDir(), "broadside.db")
	other := open(t, sqlite.Config{Path: path})
	s := open(t, sqlite.Config{Path: path, LockWait: 20 * time.Millisecond})
	tx, err := other.Writer().BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	wantFault(t, s.Ping(t.Context()), "write", path, "another process holds its lock")
	if _, err := s.Targets(t.Context()); err != nil {
		t.Errorf("a reader beside the lock: %v", err)
	}
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	if err := s.Ping(t.Context()); err != nil {
		t.Errorf("after the lock: %v", err)
	}
}

func TestWaitForALockEndsWithTheContext(t *testing.T) {
	path := filepath.Join(t.TempDir(), "broadside.db")
	other := open(t, sqlite.Config{Path: path})
	s := open(t, sqlite.Config{Path: path, LockWait: time.Hour})
	tx, err := other.Writer().BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	errs := make(chan error)
	for range 3 { // one waits for the lock, the others for their turn
		go func() { errs <- s.Ping(ctx) }()
	}
	for range 3 {
		if err := <-errs; !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error %v; want the context's", err)
		}
	}
}

func TestOpenOfALockedFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "broadside.db")
	first, err := sqlite.Open(t.Context(), sqlite.Config{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close()
	for _, statement := range []string{`PRAGMA journal_mode = delete`, `BEGIN EXCLUSIVE`} {
		if err := first.Reader().Close(); err != nil { // WAL can't be left while others have it open
			t.Fatal(err)
		}
		if _, err := first.Writer().Exec(statement); err != nil {
			t.Fatal(err)
		}
	}
	_, err = sqlite.Open(t.Context(), sqlite.Config{Path: path, LockWait: 20 * time.Millisecond})
	wantFault(t, err, "open", path, "another process holds its lock")
}

package sqlite_test

import (
	"context"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/nollagluiz/broadside/dashboard/store/sqlite"
)

// asNobody runs f without root's right to write everywhere. Linux keeps that right per thread, so the thread is thrown
// away afterwards.
func asNobody(t *testing.T, f func()) {
	t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread()
		if os.Geteuid() == 0 {
			if err := unix.Setfsuid(65534); err != nil {
				t.Errorf("become nobody: %v", err)
			}
		}
		f()
	}()
	<-done
}

// publicDir is a directory that anybody may enter.
func publicDir(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.Chmod(filepath.Dir(dir), 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestReadOnly(t *testing.T) {
	const noDatabase = os.FileMode(0)
	for _, c := range []struct {
		name     string
		database os.FileMode // of the file that is there already
		hint     string
	}{
		{"an empty directory", noDatabase, "permission denied"},
		{"a database that may be read", 0o444, "permission denied"},
		{"a database that may be written, but nothing beside it", 0o666, "it can't be written; see to the owner and mode"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := publicDir(t)
			path := filepath.Join(dir, "broadside.db")
			if c.database != noDatabase {
				if err := os.WriteFile(path, nil, 0o600); err != nil {
					t.Fatal(err)
				}
				if err := os.Chmod(path, c.database); err != nil {
					t.Fatal(err)
				}
			}
			if err := os.Chmod(dir, 0o555); err != nil {
				t.Fatal(err)
			}
			defer os.Chmod(dir, 0o755) // or else it can't be removed
			asNobody(t, func() {
				_, err := sqlite.Open(context.Background(), sqlite.Config{Path: path})
				wantFault(t, err, "open", path, c.hint)
			})
		})
	}
}

package sqlite_test

import (
	"path/filepath"
	"testing"

	"github.com/nollagluiz/broadside/dashboard/store/sqlite"
	"github.com/nollagluiz/broadside/dashboard/store/storetest"
)

func TestConformance(t *testing.T) {
	storetest.Run(t, func(t *testing.T) storetest.Store {
		return open(t, sqlite.Config{Path: filepath.Join(t.TempDir(), "broadside.db")})
	})
}

// open opens a store that ends with the test.
func open(t *testing.T, cfg sqlite.Config) *sqlite.Store {
	t.Helper()
	s, err := sqlite.Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

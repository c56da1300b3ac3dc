package sqlite_test

import (
	"path/filepath"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nollagluiz/broadside/dashboard/store/sqlite"
	"github.com/nollagluiz/broadside/fleet"
)

// Writes are served in the order of arrival: under a herd of registers no result waits for ever.
func TestWritesKeepTheirOrder(t *testing.T) {
	path := filepath.Join(t.TempDir(), "broadside.db")
	synctest.Test(t, func(t *testing.T) {
		s, err := sqlite.Open(t.Context(), sqlite.Config{Path: path})
		if err != nil {
			t.Fatal(err)
		}
		release := make(chan struct{})
		done := make(chan error)
		go func() {
			_, err := s.UpdateConfig(t.Context(), 0, time.Now(), func(c fleet.Config) (fleet.Config, error) { <-release; return c, nil })
			done <- err
		}()
		synctest.Wait()
		const writers = 10
		var want, got []string
		for i := range writers {
			r := run(i)
			want = append(want, r.ID)
			go func() { done <- s.EndRun(t.Context(), r, r.EndedAt.Time) }()
			synctest.Wait() // it has joined the queue
		}
		close(release)
		for range writers + 1 {
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
		runs, _, err := s.Runs(t.Context(), fleet.RunFilter{}, "", 100)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range slices.Backward(runs) { // the oldest receipt first
			got = append(got, r.ID)
		}
		if !slices.Equal(got, want) {
			t.Errorf("order %v; want %v", got, want)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
}

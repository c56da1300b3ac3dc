package sqlite_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nollagluiz/broadside/dashboard/store/sqlite"
	"github.com/nollagluiz/broadside/fleet"
)

// What a test binary that is started as a writer reads: the database, and the first run to write.
const (
	crashPath = "BROADSIDE_TEST_CRASH_PATH"
	crashFrom = "BROADSIDE_TEST_CRASH_FROM"
)

func TestMain(m *testing.M) {
	if path := os.Getenv(crashPath); path != "" {
		writeUntilKilled(path, os.Getenv(crashFrom))
		return
	}
	m.Run()
}

// writeUntilKilled starts and ends runs from a number on, four at a time, and prints each number once its result is
// acknowledged. It returns only on an error, or after far more runs than the test waits for.
func writeUntilKilled(path, from string) {
	first, err := strconv.Atoi(from)
	if err != nil {
		fmt.Println("error:", err)
		return
	}
	ctx := context.Background()
	s, err := sqlite.Open(ctx, sqlite.Config{Path: path})
	if err != nil {
		fmt.Println("error:", err)
		return
	}
	var next atomic.Int64
	next.Store(int64(first))
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for {
				n := int(next.Add(1)) - 1
				r := run(n)
				_, err := s.StartRun(ctx, r.RunStart, r.StartedAt.Time, r.StartedAt.Add(time.Hour))
				if err == nil {
					err = s.EndRun(ctx, r, r.EndedAt.Time)
				}
				if err != nil || n > first+100_000 {
					fmt.Println("error:", err)
					return
				}
				fmt.Println(n)
			}
		})
	}
	wg.Wait()
}

// TestKill9: the writer is killed with -9 three times while it writes, each time to be followed by one that sends some
// of the acknowledged results again. Each acknowledged result must be there once.
func TestKill9(t *testing.T) {
	path := filepath.Join(t.TempDir(), "broadside.db")
	acked := map[int]bool{}
	last := 0
	for kill, after := range []int{60, 131, 97} {
		from := max(last-10, 1)
		for _, n := range ackedUntilKilled(t, path, from, after) {
			acked[n] = true
			last = max(last, n)
		}
		t.Logf("kill %d: %d results acknowledged, the last is %d", kill+1, len(acked), last)
	}
	s := open(t, sqlite.Config{Path: path})
	for n := range acked {
		want := run(n)
		got, err := s.Run(t.Context(), want.ID)
		if err != nil || got.Status != fleet.RunDone || got.Metrics == nil || got.Metrics.RPS != float64(n) {
			t.Errorf("acknowledged run %d: %+v, %v", n, got.Run, err)
		}
	}
	stored := map[string]int{}
	for cursor, more := "", true; more; more = cursor != "" {
		runs, next, err := s.Runs(t.Context(), fleet.RunFilter{}, cursor, 500)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range runs {
			stored[r.ID]++
		}
		cursor = next
	}
	for id, n := range stored {
		if n != 1 {
			t.Errorf("run %s is there %d times", id, n)
		}
	}
	// Each of the four writers of each killed process may have had one more run under way.
	if len(stored) < len(acked) || len(stored) > len(acked)+12 {
		t.Errorf("%d runs stored, %d acknowledged", len(stored), len(acked))
	}
	for _, pragma := range []string{"integrity_check", "foreign_key_check"} {
		var answer string
		if err := s.Writer().QueryRow(`PRAGMA ` + pragma).Scan(&answer); pragma == "integrity_check" && answer != "ok" {
			t.Errorf("%s: %q, %v", pragma, answer, err)
		} else if pragma == "foreign_key_check" && err == nil {
			t.Errorf("%s: %q", pragma, answer)
		}
	}
}

// ackedUntilKilled starts a writer, kills it once it has acknowledged a number of results, and returns them all.
func ackedUntilKilled(t *testing.T, path string, from, after int) []int {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), crashPath+"="+path, crashFrom+"="+strconv.Itoa(from))
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var acked []int
	in := bufio.NewReader(out)
	for {
		line, err := in.ReadString('\n')
		if err != nil { // the end; a line that was cut is no acknowledgement
			break
		}
		n, err := strconv.Atoi(strings.TrimSpace(line))
		if err != nil {
			t.Errorf("the writer says %q", line)
			break
		}
		acked = append(acked, n)
		if len(acked) == after {
			cmd.Process.Kill() // SIGKILL; what it wrote before that is still in the pipe
		}
	}
	cmd.Wait() // says "killed", as it should
	if cmd.ProcessState.Success() || len(acked) < after {
		t.Fatalf("the writer ended by itself: %v, %d results", cmd.ProcessState, len(acked))
	}
	return acked
}

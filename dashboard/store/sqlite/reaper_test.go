package sqlite_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/nollagluiz/broadside/dashboard/store/sqlite"
	"github.com/nollagluiz/broadside/fleet"
)

// TestReleaseGoesInChunks: an agent's runs are released, or deleted, by several transactions, none of which is long.
func TestReleaseGoesInChunks(t *testing.T) {
	const n = 2*sqlite.Chunk + 1
	for _, withRuns := range []bool{false, true} {
		t.Run(fmt.Sprintf("with runs %v", withRuns), func(t *testing.T) {
			s := openNew(t)
			agent, err := s.RegisterAgent(t.Context(), fleet.Agent{Name: "a"}, false, time.UnixMilli(1))
			if err != nil {
				t.Fatal(err)
			}
			seed(t, s, n, "t%d", agent.ID)
			if _, err := s.MarkOffline(t.Context(), time.UnixMilli(2)); err != nil {
				t.Fatal(err)
			}
			// The trigger stands for a crash in the last chunk: what was released before it is committed.
			if _, err := s.Writer().Exec(`CREATE TEMP TRIGGER crash BEFORE UPDATE OF agent_id ON k6_runs WHEN old.seq = 2001
BEGIN SELECT raise(ABORT, 'crash'); END; CREATE TEMP TRIGGER crash2 BEFORE DELETE ON k6_runs WHEN old.seq = 2001
BEGIN SELECT raise(ABORT, 'crash'); END`); err != nil {
				t.Fatal(err)
			}
			if names, err := s.DeleteAgents(t.Context(), time.UnixMilli(2), withRuns); err == nil || len(names) != 0 {
				t.Fatalf("deleted %v, %v; want the crash", names, err)
			}
			var left int
			if err := s.Reader().QueryRow(`SELECT count(*) FROM k6_runs WHERE agent_id = $1`, agent.ID).Scan(&left); err != nil || left != 1 {
				t.Errorf("%d runs are still the agent's, %v; want 1", left, err)
			}
			if _, err := s.Writer().Exec(`DROP TRIGGER crash; DROP TRIGGER crash2`); err != nil {
				t.Fatal(err)
			}
			if names, err := s.DeleteAgents(t.Context(), time.UnixMilli(2), withRuns); err != nil || len(names) != 1 {
				t.Errorf("deleted %v, %v; want a", names, err)
			}
			want := n
			if withRuns {
				want = 0
			}
			if err := s.Reader().QueryRow(`SELECT count(*) FROM k6_runs`).Scan(&left); err != nil || left != want {
				t.Errorf("%d runs, %v; want %d", left, err, want)
			}
		})
	}
}

// An agent that comes back while its runs are being released is not deleted, and keeps what was not yet released.
func TestDeleteStopsWhenTheAgentIsBack(t *testing.T) {
	s := openNew(t)
	agent, err := s.RegisterAgent(t.Context(), fleet.Agent{Name: "a"}, false, time.UnixMilli(1))
	if err != nil {
		t.Fatal(err)
	}
	const n = 2 * sqlite.Chunk
	seed(t, s, n, "t%d", agent.ID)
	if _, err := s.MarkOffline(t.Context(), time.UnixMilli(2)); err != nil {
		t.Fatal(err)
	}
	// The trigger stands for a heartbeat between two chunks.
	if _, err := s.Writer().Exec(fmt.Sprintf(`CREATE TEMP TRIGGER back AFTER UPDATE OF agent_id ON k6_runs WHEN old.seq = %d
BEGIN UPDATE k6_agents SET status = 'online', last_seen_at = 99; END`, sqlite.Chunk)); err != nil {
		t.Fatal(err)
	}
	names, err := s.DeleteAgents(t.Context(), time.UnixMilli(2), false)
	if err != nil || len(names) != 0 {
		t.Errorf("deleted %v, %v; want none", names, err)
	}
	var left int
	if err := s.Reader().QueryRow(`SELECT count(*) FROM k6_runs WHERE agent_id = $1`, agent.ID).Scan(&left); err != nil || left != n-sqlite.Chunk {
		t.Errorf("%d runs are the agent's, %v; want %d", left, err, n-sqlite.Chunk)
	}
}

// A run that starts between the release of an agent's runs and its end stays as well.
func TestDeleteKeepsARunThatStartsMeanwhile(t *testing.T) {
	s := openNew(t)
	agent, err := s.RegisterAgent(t.Context(), fleet.Agent{Name: "a"}, false, time.UnixMilli(1))
	if err != nil {
		t.Fatal(err)
	}
	seed(t, s, 2, "t%d", agent.ID)
	if _, err := s.MarkOffline(t.Context(), time.UnixMilli(2)); err != nil {
		t.Fatal(err)
	}
	// The trigger takes one run back after the release.
	if _, err := s.Writer().Exec(`CREATE TEMP TRIGGER start BEFORE DELETE ON k6_agents
BEGIN UPDATE k6_runs SET agent_id = old.id WHERE seq = 2; END`); err != nil {
		t.Fatal(err)
	}
	if names, err := s.DeleteAgents(t.Context(), time.UnixMilli(2), false); err != nil || len(names) != 1 {
		t.Errorf("deleted %v, %v; want a", names, err)
	}
	var runs, owned int
	if err := s.Reader().QueryRow(`SELECT count(*), count(agent_id) FROM k6_runs`).Scan(&runs, &owned); err != nil || runs != 2 || owned != 0 {
		t.Errorf("%d runs, %d of them the agent's, %v; want 2, 0", runs, owned, err)
	}
}

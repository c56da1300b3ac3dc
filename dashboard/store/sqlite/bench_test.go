package sqlite_test

import (
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nollagluiz/broadside/dashboard/store/sqlite"
	"github.com/nollagluiz/broadside/fleet"
	"github.com/nollagluiz/broadside/summary"
	"github.com/nollagluiz/broadside/summary/hist"
)

// measured is a run of 3,000 requests with the nine histograms that an agent sends.
func measured(n int) fleet.RunEnd {
	r := run(n)
	ms := 10.0
	r.Metrics = &fleet.Metrics{P50: &ms, P95: &ms, P99: &ms, Avg: &ms, ErrorRate: new(float64), RPS: 100, Requests: 3000, Iterations: 3000}
	random := rand.New(rand.NewPCG(1, uint64(n)))
	r.Trends = map[string][]byte{}
	for i, name := range []string{summary.HTTPReqDuration, summary.ExpectedDuration, summary.HTTPReqBlocked, summary.HTTPReqConnecting,
		summary.HTTPReqTLS, summary.HTTPReqSending, summary.HTTPReqWaiting, summary.HTTPReqReceiving, summary.IterationDuration} {
		h := hist.New(hist.Coarse)
		if i == 0 {
			h = hist.New(hist.Fine)
		}
		for range 3000 {
			h.Record(int64(10e6 * (1 + random.ExpFloat64())))
		}
		r.Trends[name], _ = h.MarshalBinary() // it never fails
	}
	r.Statuses = map[string]int64{"200": 3000}
	return r
}

func BenchmarkEndRun(b *testing.B) {
	for _, c := range []struct {
		sync    sqlite.Sync
		writers int // for each of GOMAXPROCS
	}{{sqlite.Full, 1}, {sqlite.Full, 32}, {sqlite.Normal, 1}} {
		b.Run(fmt.Sprintf("sync=%s/writers=%d", c.sync, c.writers), func(b *testing.B) {
			s := open(b, sqlite.Config{Path: b.TempDir() + "/broadside.db", Sync: c.sync})
			template := measured(1)
			var n atomic.Int64
			b.SetParallelism(c.writers)
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					r := template
					r.ID = run(int(n.Add(1))).ID
					if err := s.EndRun(b.Context(), r, r.EndedAt.Time); err != nil {
						b.Error(err)
					}
				}
			})
		})
	}
}

func BenchmarkSaveAgents1000(b *testing.B) {
	s := openNew(b)
	agents := make([]fleet.Agent, 1000)
	for b.Loop() {
		for i := range agents {
			agents[i] = fleet.Agent{Name: fmt.Sprintf("k6agent-%d", i), Status: fleet.AgentOnline, LastSeenAt: fleet.Millis(time.Now())}
		}
		if err := s.SaveAgents(b.Context(), agents); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkRuns reads pages of 50 of 100,000 runs of 20 targets.
func BenchmarkRuns(b *testing.B) {
	s := openNew(b)
	seed(b, s, 100_000, "t%d", "")
	pages := []struct {
		name   string
		filter fleet.RunFilter
	}{
		{"newest", fleet.RunFilter{}},
		{"target", fleet.RunFilter{TargetID: "t7"}},
		{"failed", fleet.RunFilter{Verdict: summary.ThresholdFailed}},
		{"none", fleet.RunFilter{Status: fleet.RunAborted}},
	}
	for _, p := range pages {
		b.Run(p.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, _, err := s.Runs(b.Context(), p.filter, "", 50); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	b.Run("somewhere", func(b *testing.B) {
		var cursors []string
		for cursor := ""; len(cursors) < 190; {
			_, next, err := s.Runs(b.Context(), fleet.RunFilter{}, cursor, 500)
			if err != nil {
				b.Fatal(err)
			}
			cursor = next
			cursors = append(cursors, next)
		}
		for b.Loop() {
			if _, _, err := s.Runs(b.Context(), fleet.RunFilter{}, cursors[rand.IntN(len(cursors))], 50); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkRecentRuns(b *testing.B) {
	for _, targets := range []int{20, 2000} {
		b.Run(fmt.Sprintf("targets=%d", targets), func(b *testing.B) {
			s := openNew(b)
			seed(b, s, 100_000, "t%d", "")
			// The seed's runs belong to no target; give each of as many targets as wanted its part.
			if _, err := s.Writer().Exec(`WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < $1 - 1)
INSERT INTO k6_targets (id, spec, revision, created_at, updated_at) SELECT printf('t%d', i), '{}', 1, i, i FROM n`, targets); err != nil {
				b.Fatal(err)
			}
			if _, err := s.Writer().Exec(`UPDATE k6_runs SET target_id = printf('t%d', seq % $1)`, targets); err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				recent, err := s.RecentRuns(b.Context(), 20)
				if err != nil || len(recent) != targets {
					b.Fatal(len(recent), err)
				}
			}
		})
	}
}

// BenchmarkWindowTotals merges a window of 1,000 runs.
func BenchmarkWindowTotals(b *testing.B) {
	s := open(b, sqlite.Config{Path: b.TempDir() + "/broadside.db", Sync: sqlite.Normal})
	for n := range 1000 {
		r := measured(n)
		if err := s.EndRun(b.Context(), r, r.EndedAt.Time); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportAllocs()
	for b.Loop() {
		if t, err := s.WindowTotals(b.Context(), time.UnixMilli(0)); err != nil || t.Runs != 1000 {
			b.Fatal(t, err)
		}
	}
}

// BenchmarkDeleteRuns deletes a chunk of 1,000.
func BenchmarkDeleteRuns(b *testing.B) {
	s := openNew(b)
	seed(b, s, 1000*b.N, "t%d", "")
	b.ResetTimer()
	for range b.N {
		if n, err := s.DeleteRuns(b.Context(), time.UnixMilli(1<<40), 1000); err != nil || n != 1000 {
			b.Fatal(n, err)
		}
	}
}

package sqlite

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"strconv"
	"strings"
	"time"

	"github.com/nollagluiz/broadside/fleet"
	"github.com/nollagluiz/broadside/summary"
	"github.com/nollagluiz/broadside/summary/hist"
)

// Runs returns a page: up to limit runs that follow the cursor, newest first, and the cursor of the next page.
func (s *Store) Runs(ctx context.Context, f fleet.RunFilter, cursor string, limit int) ([]fleet.Run, string, error) {
	limit = max(limit, 1)
	query, args, err := runsQuery(f, cursor, limit+1) // one more tells whether there is a next page
	if err != nil {
		return nil, "", err
	}
	rows, err := list(ctx, s.r, func(r row) (storedRun, error) { return scanRunSpec(r) }, query, args...)
	if err != nil {
		return nil, "", s.explain("list runs", err)
	}
	next := ""
	if len(rows) > limit {
		rows = rows[:limit]
		next = encodeCursor(rows[limit-1].seq)
	}
	runs := make([]fleet.Run, len(rows))
	for i, r := range rows {
		runs[i] = r.Run
	}
	return runs, next, nil
}

func runsQuery(f fleet.RunFilter, cursor string, limit int) (query string, args []any, err error) {
	var w where
	if cursor != "" {
		seq, ok := decodeCursor(cursor)
		if !ok {
			return "", nil, fleet.Errorf(fleet.Malformed, "the cursor is none of this store")
		}
		w.add("r.seq <", seq)
	}
	w.filter(f)
	query = `SELECT ` + runColumns + `, r.spec FROM k6_runs r` + w.clause() + ` ORDER BY r.seq DESC LIMIT ` + w.arg(limit)
	return query, w.args, nil
}

// where collects conditions and their arguments.
type where struct {
	terms []string
	args  []any
}

// arg adds an argument and returns its placeholder.
func (w *where) arg(v any) string {
	w.args = append(w.args, v)
	return "$" + strconv.Itoa(len(w.args))
}

// add adds "term $n".
func (w *where) add(term string, v any) { w.terms = append(w.terms, term+" "+w.arg(v)) }

func (w *where) clause() string {
	if len(w.terms) == 0 {
		return ""
	}
	return " WHERE " + strings.Join(w.terms, " AND ")
}

func (w *where) filter(f fleet.RunFilter) {
	if f.TargetID != "" {
		w.add("r.target_id =", f.TargetID)
	}
	if f.AgentID != "" {
		w.add("r.agent_id =", f.AgentID)
	}
	// The constant conditions are those of the partial indexes, which apply only where the query repeats them.
	if f.Status != "" {
		w.add("r.status =", f.Status)
		if f.Status != fleet.RunDone {
			w.terms = append(w.terms, "r.status <> 'done'")
		}
	}
	if f.Verdict != "" {
		w.add("r.verdict =", f.Verdict)
		if f.Verdict != summary.OK {
			w.terms = append(w.terms, "r.verdict <> 'ok'")
		}
	}
	if !f.From.IsZero() {
		w.add("r.started_at >=", f.From.UnixMilli())
	}
	if !f.To.IsZero() {
		w.add("r.started_at <", f.To.UnixMilli())
	}
}

// A cursor is the seq of a page's last run as a varint in base64url, after a byte that tells what it is.
const cursorKind = 'r'

func encodeCursor(seq int64) string {
	return base64.RawURLEncoding.EncodeToString(binary.AppendUvarint([]byte{cursorKind}, uint64(seq)))
}

// decodeCursor takes only what encodeCursor makes, to the letter.
func decodeCursor(cursor string) (seq int64, ok bool) {
	data, err := base64.RawURLEncoding.DecodeString(cursor)
	if err != nil || len(data) < 2 || data[0] != cursorKind {
		return 0, false
	}
	v, _ := binary.Uvarint(data[1:])
	return int64(v), int64(v) > 0 && encodeCursor(int64(v)) == cursor
}

// RecentRuns returns up to n latest finished runs of each target that is not deleted, by target id, without specs.
func (s *Store) RecentRuns(ctx context.Context, n int) (map[string][]fleet.Run, error) {
	out := map[string][]fleet.Run{}
	err := each(ctx, s.r, func(from row) error {
		r, err := scanRun(from)
		out[r.TargetID] = append(out[r.TargetID], r.Run)
		return err
	}, `SELECT `+runColumns+`
FROM k6_targets t JOIN k6_runs r ON r.seq IN (
	SELECT seq FROM k6_runs WHERE target_id = t.id AND status <> 'running' ORDER BY seq DESC LIMIT $1)
WHERE t.deleted_at IS NULL ORDER BY r.target_id, r.seq DESC`, n)
	return out, s.explain("list recent runs", err)
}

// CountRunning is how many runs are running.
func (s *Store) CountRunning(ctx context.Context) (n int, err error) {
	err = s.r.QueryRowContext(ctx, `SELECT count(*) FROM k6_runs WHERE status = 'running'`).Scan(&n)
	return n, s.explain("count runs", err)
}

// WindowTotals merges the runs whose end was received since from. Seconds is left to the caller, who knows the time.
// A run without a histogram counts, but has no say in the percentile.
func (s *Store) WindowTotals(ctx context.Context, from time.Time) (fleet.WindowTotals, error) {
	var t fleet.WindowTotals
	var merged, one hist.Histogram
	counted := false // some run says which of its requests failed; a script of k6 may leave all of them out
	err := each(ctx, s.r, func(r row) error {
		var requests, failures int64
		var rate *float64
		var duration []byte
		if err := r.Scan(&requests, &failures, &rate, &duration); err != nil {
			return err
		}
		counted = counted || rate != nil
		t.Runs++
		t.Requests += requests
		t.Failures += failures
		if duration == nil {
			return nil
		}
		if err := one.UnmarshalBinary(duration); err != nil {
			return err
		}
		merged.Merge(&one)
		t.RunsMerged++
		return nil
	}, `SELECT coalesce(r.requests, 0), coalesce(r.failures, 0), r.error_rate, d.duration
FROM k6_runs r LEFT JOIN k6_run_data d ON d.run_seq = r.seq WHERE r.result_at >= $1`, from.UnixMilli())
	if counted {
		rate := float64(t.Failures) / float64(t.Requests)
		t.ErrorRate = &rate
	}
	if merged.Count() > 0 {
		p95 := merged.Quantile(0.95) / float64(time.Millisecond)
		t.P95 = &p95
	}
	return t, s.explain("total runs", err)
}

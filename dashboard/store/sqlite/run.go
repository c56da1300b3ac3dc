package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"time"

	"github.com/nollagluiz/broadside/fleet"
	"github.com/nollagluiz/broadside/summary"
)

// StartRun adds a running run. A known id, whatever its state, changes nothing.
func (s *Store) StartRun(ctx context.Context, r fleet.RunStart, now, deadline time.Time) (created bool, err error) {
	spec, err := asJSON(r.Spec.Redacted())
	if err != nil {
		return false, err
	}
	err = s.write(ctx, "start run", func(tx *sql.Tx) error {
		result, err := tx.ExecContext(ctx, `INSERT INTO k6_runs (id, target_id, target_label, agent_id, agent_name, status, verdict,
	error_message, started_at, received_at, deadline_at, spec)
VALUES ($1, $2, $3, (SELECT id FROM k6_agents WHERE name = $4), $4, 'running', '', '', $5, $6, $7, $8)
ON CONFLICT (id) DO NOTHING`,
			r.ID, r.TargetID, r.Spec.Label, r.Agent, r.StartedAt.UnixMilli(), now.UnixMilli(), deadline.UnixMilli(), spec)
		if err != nil {
			return err
		}
		n, err := result.RowsAffected()
		created = n == 1
		return err
	})
	return created && err == nil, err
}

// metricColumns are the eight fields of the original, then ours, in the order of metricArgs and scanRun.
const metricColumns = `p50_ms, p95_ms, p99_ms, avg_ms, error_rate, rps, data_received_bytes, iterations,
	requests, failures, data_sent_bytes, iterations_interrupted, dropped_iterations, min_ms, max_ms, vus_max, duration_s`

func metricArgs(m *fleet.Metrics) []any {
	if m == nil {
		return make([]any, 17)
	}
	return []any{m.P50, m.P95, m.P99, m.Avg, m.ErrorRate, m.RPS, m.DataReceivedBytes, m.Iterations,
		m.Requests, m.Failures, m.DataSentBytes, m.IterationsInterrupted, m.DroppedIterations, m.Min, m.Max, m.VUsMax, m.DurationS}
}

// endRun makes the run, or ends one that is running or that was given up as lost. It returns no row for a run that has
// ended: PUT is final. What the start said stays.
const endRun = `INSERT INTO k6_runs (id, target_id, target_label, agent_id, agent_name, status, verdict, error_message,
	started_at, ended_at, received_at, result_at, deadline_at, spec, engine, ` + metricColumns + `)
VALUES ($1, $2, $3, (SELECT id FROM k6_agents WHERE name = $4), $4, $5, $6, $7, $8, $9, $10, $10, 0, $11, $12,
	$13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29)
ON CONFLICT (id) DO UPDATE SET status = excluded.status, verdict = excluded.verdict, error_message = excluded.error_message,
	ended_at = excluded.ended_at, result_at = excluded.result_at, engine = excluded.engine,
	p50_ms = excluded.p50_ms, p95_ms = excluded.p95_ms, p99_ms = excluded.p99_ms, avg_ms = excluded.avg_ms,
	error_rate = excluded.error_rate, rps = excluded.rps, data_received_bytes = excluded.data_received_bytes,
	iterations = excluded.iterations, requests = excluded.requests, failures = excluded.failures,
	data_sent_bytes = excluded.data_sent_bytes, iterations_interrupted = excluded.iterations_interrupted,
	dropped_iterations = excluded.dropped_iterations,
	min_ms = excluded.min_ms, max_ms = excluded.max_ms, vus_max = excluded.vus_max, duration_s = excluded.duration_s
WHERE k6_runs.status = 'running' OR k6_runs.verdict = 'lost'
RETURNING seq`

const putRunData = `INSERT INTO k6_run_data (run_seq, duration, trends, series, statuses, errors, thresholds) VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT (run_seq) DO UPDATE SET duration = excluded.duration, trends = excluded.trends, series = excluded.series,
	statuses = excluded.statuses, errors = excluded.errors, thresholds = excluded.thresholds`

// EndRun stores a result, and makes the run when its start was lost. A run that has ended stays as it is, except that
// a result replaces the verdict lost.
func (s *Store) EndRun(ctx context.Context, r fleet.RunEnd, now time.Time) error {
	spec, err := asJSON(r.Spec.Redacted())
	if err != nil {
		return err
	}
	args := append([]any{r.ID, r.TargetID, r.Spec.Label, r.Agent, r.Status, r.Verdict, r.Message, r.StartedAt.UnixMilli(),
		r.EndedAt.UnixMilli(), now.UnixMilli(), spec, r.Engine}, metricArgs(r.Metrics)...)
	data, err := dataArgs(r)
	if err != nil {
		return err
	}
	return s.write(ctx, "end run", func(tx *sql.Tx) error {
		var seq int64
		err := tx.QueryRowContext(ctx, endRun, args...).Scan(&seq)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, putRunData, append([]any{seq}, data...)...)
		return err
	})
}

// dataArgs splits off the one histogram that more than the run's own page reads. What is empty becomes NULL.
func dataArgs(r fleet.RunEnd) ([]any, error) {
	trends := make(map[string][]byte, len(r.Trends))
	for name, histogram := range r.Trends {
		if name != summary.HTTPReqDuration {
			trends[name] = histogram
		}
	}
	args := []any{r.Trends[summary.HTTPReqDuration]}
	for _, column := range []struct {
		value any
		empty bool
	}{
		{trends, len(trends) == 0},
		{r.Series, r.Series == nil},
		{r.Statuses, len(r.Statuses) == 0},
		{r.Errors, len(r.Errors) == 0},
		{r.Thresholds, len(r.Thresholds) == 0},
	} {
		if column.empty {
			args = append(args, nil)
			continue
		}
		text, err := asJSON(column.value)
		if err != nil {
			return nil, err
		}
		args = append(args, text)
	}
	return args, nil
}

const runColumns = `r.seq, r.id, r.target_id, r.target_label, r.agent_name, r.status, r.verdict, r.error_message, r.engine, r.started_at, r.ended_at,
	r.p50_ms, r.p95_ms, r.p99_ms, r.avg_ms, r.error_rate, r.rps, r.data_received_bytes, r.iterations, r.requests, r.failures,
	r.data_sent_bytes, r.iterations_interrupted, r.dropped_iterations, r.min_ms, r.max_ms, r.vus_max, r.duration_s`

// storedRun is a run with its place in the order of receipt.
type storedRun struct {
	seq int64
	fleet.Run
}

// scanRun reads runColumns, and what follows them into more. The spec is not among them.
func scanRun(from row, more ...any) (storedRun, error) {
	var r storedRun
	var started int64
	var ended *int64
	var m fleet.Metrics
	var rps, duration sql.Null[float64]
	var received, iterations, requests, failures, sent, interrupted, dropped, vus sql.Null[int64]
	if err := from.Scan(append([]any{&r.seq, &r.ID, &r.TargetID, &r.TargetLabel, &r.Agent, &r.Status, &r.Verdict, &r.Message, &r.Engine,
		&started, &ended, &m.P50, &m.P95, &m.P99, &m.Avg, &m.ErrorRate, &rps, &received, &iterations,
		&requests, &failures, &sent, &interrupted, &dropped, &m.Min, &m.Max, &vus, &duration}, more...)...); err != nil {
		return r, err
	}
	r.StartedAt = fleet.FromMillis(started)
	if ended != nil {
		at := fleet.FromMillis(*ended)
		r.EndedAt = &at
	}
	if rps.Valid {
		m.RPS, m.DataReceivedBytes, m.Iterations, m.Requests, m.Failures = rps.V, received.V, iterations.V, requests.V, failures.V
		m.DataSentBytes, m.IterationsInterrupted, m.DroppedIterations, m.VUsMax, m.DurationS = sent.V, interrupted.V, dropped.V, int(vus.V), duration.V
		r.Metrics = &m
	}
	return r, nil
}

// scanRunSpec reads runColumns and the spec, and what follows them into more.
func scanRunSpec(from row, more ...any) (storedRun, error) {
	var spec string
	r, err := scanRun(from, append([]any{&spec}, more...)...)
	if err != nil {
		return r, err
	}
	return r, json.Unmarshal([]byte(spec), &r.Spec)
}

// Run returns a run with its distributions.
func (s *Store) Run(ctx context.Context, id string) (fleet.RunDetail, error) {
	d, err := scanDetail(s.r.QueryRowContext(ctx, `SELECT `+runColumns+`, r.spec, d.duration, d.trends, d.series, d.statuses, d.errors, d.thresholds
FROM k6_runs r LEFT JOIN k6_run_data d ON d.run_seq = r.seq WHERE r.id = $1`, id))
	return d, s.explain("read run", notFound(err, "run", id))
}

func scanDetail(from row) (fleet.RunDetail, error) {
	d := fleet.RunDetail{Trends: map[string][]byte{}, Statuses: map[string]int64{}, Errors: []fleet.ErrorCount{}, Thresholds: []fleet.ThresholdResult{}}
	var duration []byte
	var trends, series, statuses, failures, thresholds sql.Null[string]
	r, err := scanRunSpec(from, &duration, &trends, &series, &statuses, &failures, &thresholds)
	if err != nil {
		return d, err
	}
	d.Run = r.Run
	for _, column := range []struct {
		text sql.Null[string]
		into any
	}{{trends, &d.Trends}, {series, &d.Series}, {statuses, &d.Statuses}, {failures, &d.Errors}, {thresholds, &d.Thresholds}} {
		if !column.text.Valid {
			continue
		}
		if err := json.Unmarshal([]byte(column.text.V), column.into); err != nil {
			return d, err
		}
	}
	if duration != nil {
		d.Trends[summary.HTTPReqDuration] = duration
	}
	return d, nil
}

-- +goose Up
ALTER TABLE k6_runs ADD COLUMN dropped_iterations INTEGER; -- null, as the other numbers: nothing was measured; and before there was this column
ALTER TABLE k6_run_data ADD COLUMN thresholds TEXT;        -- JSON

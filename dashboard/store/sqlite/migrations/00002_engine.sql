-- +goose Up
ALTER TABLE k6_runs ADD COLUMN engine TEXT NOT NULL DEFAULT ''; -- what measured it: k6 is an external one; '' if nothing did, or nobody said

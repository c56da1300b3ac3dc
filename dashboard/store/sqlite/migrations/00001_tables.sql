-- Times are Unix milliseconds of the server's clock. Numbers of 64 bits are INTEGER here and BIGINT in PostgreSQL.

-- +goose Up
CREATE TABLE k6_targets (
    id         TEXT NOT NULL PRIMARY KEY, -- UUIDv7, never given twice: a spooled result may come years later
    spec       TEXT NOT NULL,             -- JSON of the target, secrets included; the columns here win over it
    revision   INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    deleted_at INTEGER                    -- hidden since then; its secrets are gone from spec
) STRICT;

CREATE TABLE k6_agents (
    id              TEXT NOT NULL PRIMARY KEY, -- UUIDv7
    name            TEXT NOT NULL UNIQUE,
    status          TEXT NOT NULL,             -- online, offline
    last_seen_at    INTEGER NOT NULL,
    current_run_id  TEXT,                      -- the first of current_run_ids
    current_run_ids TEXT NOT NULL,             -- JSON list
    registered_at   INTEGER NOT NULL,
    epoch           INTEGER NOT NULL,
    instance_id     TEXT NOT NULL,
    deregistered    INTEGER NOT NULL,          -- 0, 1
    report          TEXT NOT NULL              -- JSON of what it last said of itself; the columns here win over it
) STRICT;

CREATE TABLE k6_runs (
    seq            INTEGER PRIMARY KEY AUTOINCREMENT, -- order of receipt, by which lists go
    id             TEXT NOT NULL UNIQUE,              -- UUIDv7, the agent's
    target_id      TEXT NOT NULL,                     -- may be of a target that is deleted, or was never here
    target_label   TEXT NOT NULL,
    agent_id       TEXT REFERENCES k6_agents (id) ON DELETE SET NULL, -- runs outlive agents
    agent_name     TEXT NOT NULL,
    status         TEXT NOT NULL,                     -- running, done, error, aborted
    verdict        TEXT NOT NULL,                     -- '' while it runs
    error_message  TEXT NOT NULL,
    started_at     INTEGER NOT NULL,                  -- as the agent says
    ended_at       INTEGER,                           -- as the agent says
    received_at    INTEGER NOT NULL,                  -- when the run was first heard of
    result_at      INTEGER,                           -- when its end was received, or decided here
    deadline_at    INTEGER NOT NULL,                  -- 0 if its start was never received
    p50_ms         REAL,
    p95_ms         REAL,
    p99_ms         REAL,
    avg_ms         REAL,
    error_rate     REAL,
    rps            REAL,                              -- null, as all that follow: nothing was measured
    data_received_bytes    INTEGER,
    iterations             INTEGER,
    requests               INTEGER,
    failures               INTEGER,
    data_sent_bytes        INTEGER,
    iterations_interrupted INTEGER,
    min_ms         REAL,
    max_ms         REAL,
    vus_max        INTEGER,
    duration_s     REAL,
    spec           TEXT NOT NULL                      -- JSON of the target as it was, without secrets
) STRICT;

-- Pages, by target and by agent.
CREATE INDEX k6_runs_by_target ON k6_runs (target_id, seq);
CREATE INDEX k6_runs_by_agent ON k6_runs (agent_id, seq);
-- Pages of what stands out. Nearly all runs are done and ok, so these stay small; a filter by those two needs no index.
CREATE INDEX k6_runs_not_done ON k6_runs (status, seq) WHERE status <> 'done';
CREATE INDEX k6_runs_not_ok ON k6_runs (verdict, seq) WHERE verdict <> 'ok';
-- The reaper, and a new instance of an agent, look for runs under way.
CREATE INDEX k6_runs_running ON k6_runs (agent_name, deadline_at) WHERE status = 'running';
-- Retention and the totals of a window.
CREATE INDEX k6_runs_by_result ON k6_runs (result_at);

-- What only one run's own page reads stays out of the rows that lists read.
CREATE TABLE k6_run_data (
    run_seq  INTEGER NOT NULL PRIMARY KEY REFERENCES k6_runs (seq) ON DELETE CASCADE,
    duration BLOB, -- the histogram of http_req_duration, which window totals merge
    trends   TEXT, -- JSON: the other histograms by metric, base64
    series   TEXT, -- JSON
    statuses TEXT, -- JSON: answers by HTTP status
    errors   TEXT  -- JSON
) STRICT;

CREATE TABLE k6_config (
    id                     INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    k6_desired_agent_count INTEGER NOT NULL,
    stopped                INTEGER NOT NULL, -- 0, 1
    stop_id                TEXT NOT NULL,
    revision               INTEGER NOT NULL,
    updated_at             INTEGER NOT NULL
) STRICT;

-- Readiness writes here, since nothing less shows that the store can be written.
CREATE TABLE k6_health (
    id     INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    writes INTEGER NOT NULL
) STRICT;

-- A ledger as the first version wrote it, with rows. Never changed: it stands for files that people have.
CREATE TABLE attempts (
    id INTEGER PRIMARY KEY,
    job TEXT NOT NULL,
    action TEXT NOT NULL,
    language TEXT NOT NULL,
    project TEXT,
    model TEXT NOT NULL,
    request_id TEXT,
    input INTEGER NOT NULL,
    cache_read INTEGER NOT NULL,
    cache_write_5m INTEGER NOT NULL,
    cache_write_1h INTEGER NOT NULL,
    output INTEGER NOT NULL,
    thinking INTEGER NOT NULL,
    -- Dollars per million tokens at the time; all five or none.
    price_input REAL,
    price_output REAL,
    price_cache_write_5m REAL,
    price_cache_write_1h REAL,
    price_cache_read REAL,
    cost_usd REAL,
    saved_usd REAL,
    -- Milliseconds since 1970, UTC.
    started INTEGER NOT NULL,
    duration_ms INTEGER NOT NULL,
    time_to_first_token_ms INTEGER,
    outcome TEXT NOT NULL,
    miss_reason TEXT,
    partial INTEGER NOT NULL,
    simulated INTEGER NOT NULL,
    batch INTEGER NOT NULL
) STRICT;
CREATE INDEX attempts_by_start ON attempts (started);

CREATE TABLE explanations (
    id TEXT PRIMARY KEY,
    job TEXT NOT NULL,
    action TEXT NOT NULL,
    uri TEXT NOT NULL,
    path TEXT,
    language TEXT NOT NULL,
    title TEXT NOT NULL,
    -- The exact text that was explained, its SHA-256, and where it stood then (lines from 0).
    code TEXT NOT NULL,
    code_hash TEXT NOT NULL,
    code_start_line INTEGER NOT NULL,
    code_end_line INTEGER NOT NULL,
    markdown TEXT NOT NULL,
    -- The conversation as JSON, for going on with it.
    messages TEXT NOT NULL,
    model TEXT NOT NULL,
    input INTEGER NOT NULL,
    cache_read INTEGER NOT NULL,
    cache_write_5m INTEGER NOT NULL,
    cache_write_1h INTEGER NOT NULL,
    output INTEGER NOT NULL,
    thinking INTEGER NOT NULL,
    cost_usd REAL,
    created INTEGER NOT NULL,
    simulated INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX explanations_by_code ON explanations (uri, code_hash, created);

INSERT INTO attempts VALUES (1, 'job-1', 'explain', 'python', '/home/me/shop', 'claude-sonnet-5-5', 'req_1', 1000, 2000, 300,
    40, 500, 60, 2.0, 10.0, 2.5, 4.0, 0.1, 0.0123, 0.004, 1795420800000, 1200, 300, 'ok', NULL, 0, 0, 0);
INSERT INTO attempts VALUES (2, 'job-2', 'document', 'rust', NULL, 'local', NULL, 1, 0, 0, 0, 1, 0, NULL, NULL, NULL, NULL,
    NULL, NULL, NULL, 1795420801000, 5, NULL, 'cancelled', 'expired', 1, 1, 1);
INSERT INTO explanations VALUES ('e1', 'job-1', 'explain', 'file:///a.py', 'a.py', 'python', 'load', 'def load(): ...', 'abc', 3,
    9, 'It loads.', '[]', 'claude-sonnet-5-5', 5, 6, 7, 8, 9, 1, 0.01, 1795420800000, 0);

PRAGMA user_version = 1;

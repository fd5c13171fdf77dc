//! The tables, and how older files become today's.

use rusqlite::{Connection, TransactionBehavior};

/// Each entry takes a file from the version that is its index to the next. Entries are never changed, only added.
const MIGRATIONS: &[&str] = &[
    "
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
",
    "
    -- What recent requests began with, so that every process knows what the cache may still hold.
    CREATE TABLE prefixes (
        id INTEGER PRIMARY KEY,
        -- Whose cache: a hash of address and key.
        account TEXT NOT NULL,
        started INTEGER NOT NULL,
        footprint TEXT NOT NULL
    ) STRICT;
    CREATE INDEX prefixes_by_start ON prefixes (account, started);

    -- Money that running requests may take: it counts as spent until they end, or until it expires with a process that
    -- was killed.
    CREATE TABLE reservations (
        id INTEGER PRIMARY KEY,
        job TEXT NOT NULL,
        usd REAL NOT NULL,
        simulated INTEGER NOT NULL,
        expires INTEGER NOT NULL
    ) STRICT;
",
    "
    -- What was asked and answered after an explanation; all that was said is in its messages.
    CREATE TABLE turns (
        explanation TEXT NOT NULL,
        number INTEGER NOT NULL,
        job TEXT NOT NULL,
        question TEXT NOT NULL,
        answer TEXT NOT NULL,
        model TEXT NOT NULL,
        input INTEGER NOT NULL,
        cache_read INTEGER NOT NULL,
        cache_write_5m INTEGER NOT NULL,
        cache_write_1h INTEGER NOT NULL,
        output INTEGER NOT NULL,
        thinking INTEGER NOT NULL,
        cost_usd REAL,
        created INTEGER NOT NULL,
        simulated INTEGER NOT NULL,
        PRIMARY KEY (explanation, number)
    ) STRICT, WITHOUT ROWID;
",
    "
    -- What the model let be seen of its thinking, where that was to be shown.
    ALTER TABLE explanations ADD COLUMN thoughts TEXT NOT NULL DEFAULT '';
",
];

/// The version this program writes.
#[expect(clippy::cast_possible_truncation, reason = "a handful")]
pub(super) const VERSION: u32 = MIGRATIONS.len() as u32;

/// The file's version.
pub(super) fn version(connection: &Connection) -> rusqlite::Result<u32> {
    let version: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    // The field is a signed number in the file; no Aside wrote a negative one.
    Ok(u32::try_from(version).unwrap_or(0))
}

/// Brings an older or new file to [`VERSION`].
pub(super) fn migrate(connection: &mut Connection) -> rusqlite::Result<()> {
    if version(connection)? >= VERSION {
        return Ok(());
    }
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    // Read again: another process may have been faster while this one waited for the lock.
    let from = version(&transaction)?;
    for migration in MIGRATIONS.iter().skip(from as usize) {
        transaction.execute_batch(migration)?;
    }
    if from < VERSION {
        transaction.pragma_update(None, "user_version", VERSION)?;
    }
    transaction.commit()
}

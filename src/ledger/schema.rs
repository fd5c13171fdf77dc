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
    "
    -- Batches, so that any process can go on with one that another began.
    CREATE TABLE batches (
        id TEXT PRIMARY KEY,
        action TEXT NOT NULL,
        -- What an item is: files, functions, classes, all.
        items TEXT NOT NULL,
        model TEXT NOT NULL,
        -- The folder that the files are in.
        root TEXT NOT NULL,
        prompt TEXT,
        -- Whose it is: a hash of address and key; and the address for people.
        account TEXT NOT NULL,
        host TEXT NOT NULL,
        created INTEGER NOT NULL,
        estimated_usd REAL,
        simulated INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;

    -- A batch of the API; several of them when one does not hold all items, or when items are asked for again.
    CREATE TABLE batch_parts (
        batch TEXT NOT NULL,
        number INTEGER NOT NULL,
        requests INTEGER NOT NULL,
        state TEXT NOT NULL,
        api_id TEXT,
        -- Whether the API itself said that this id is ours.
        confirmed INTEGER NOT NULL,
        -- When it was begun to be sent, and until when that may go on.
        sent INTEGER,
        sending_until INTEGER,
        expires INTEGER,
        reason TEXT,
        PRIMARY KEY (batch, number)
    ) STRICT, WITHOUT ROWID;

    -- A file as it was when it was asked about, and while it is written the hashes of what is being written.
    CREATE TABLE batch_files (
        id INTEGER PRIMARY KEY,
        batch TEXT NOT NULL,
        path TEXT NOT NULL,
        language TEXT NOT NULL,
        text TEXT NOT NULL,
        landing TEXT
    ) STRICT;
    CREATE INDEX batch_files_by_batch ON batch_files (batch, path);

    CREATE TABLE batch_items (
        batch TEXT NOT NULL,
        number INTEGER NOT NULL,
        -- How often it was asked for, and in which part the last time.
        turn INTEGER NOT NULL,
        part INTEGER NOT NULL,
        file INTEGER NOT NULL,
        -- The selection, in bytes of the file's text.
        first INTEGER NOT NULL,
        last INTEGER NOT NULL,
        subject TEXT,
        estimated_input INTEGER NOT NULL,
        state TEXT NOT NULL,
        reason TEXT,
        answer TEXT,
        PRIMARY KEY (batch, number)
    ) STRICT;
    CREATE INDEX batch_items_by_file ON batch_items (file);
",
    "
    -- What is wrong with an answer that was checked and cannot be used; and, once the item is asked for again with that said,
    -- the answer itself.
    ALTER TABLE batch_items ADD COLUMN complaint TEXT;
    ALTER TABLE batch_items ADD COLUMN earlier TEXT;
",
    "
    -- What output is taken to have cost that was made, and not reported, until a request was cut. Only budgets count it.
    ALTER TABLE attempts ADD COLUMN unreported_usd REAL;
",
    "
    -- As for explanations.
    ALTER TABLE turns ADD COLUMN thoughts TEXT NOT NULL DEFAULT '';
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

//! The connection behind a ledger: opened late, opened again when its file was damaged, moved to memory when there is no
//! file.

use std::collections::VecDeque;
use std::fmt;
use std::fs::OpenOptions;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::{make_folder, schema};

/// How long a call waits for other processes. Writes take well under a millisecond, so only a stuck process reaches it.
pub(super) const BUSY: Duration = Duration::from_secs(5);

/// Something about the ledger's file that the user should know; said once, and work goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// What happened and what became of it, in one or two sentences.
    pub message: String,
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// Where the rows go.
pub(super) struct Store {
    /// None once memory is all there is.
    path: Option<PathBuf>,
    connection: Option<Connection>,
    warnings: VecDeque<Warning>,
}

/// What an SQLite error means for the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// Its content is broken.
    Damaged,
    /// Nothing can be written there.
    Unwritable,
    /// Someone else holds it.
    Busy,
    /// The statement is wrong, not the file.
    Defect,
}

/// What `error` means for the file.
pub(super) fn fate(error: &rusqlite::Error) -> Fate {
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Fate::Damaged,
        Some(
            ErrorCode::ReadOnly
            | ErrorCode::CannotOpen
            | ErrorCode::SystemIoFailure
            | ErrorCode::DiskFull
            | ErrorCode::PermissionDenied
            | ErrorCode::FileLockingProtocolFailed
            | ErrorCode::NoLargeFileSupport,
        ) => Fate::Unwritable,
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Fate::Busy,
        _ => Fate::Defect,
    }
}

impl Store {
    /// Rows go to `path`, which is not touched yet.
    pub(super) fn at(path: PathBuf) -> Self {
        Self { path: Some(path), connection: None, warnings: VecDeque::new() }
    }

    /// Rows end with the process.
    pub(super) fn in_memory() -> Self {
        Self { path: None, connection: None, warnings: VecDeque::new() }
    }

    /// Whether there is a file, and not only memory.
    pub(super) fn is_file(&self) -> bool {
        self.path.is_some()
    }

    pub(super) fn take_warning(&mut self) -> Option<Warning> {
        self.warnings.pop_front()
    }

    /// The connection, made on the first call, and anew when somebody removed the file: what is written to one without a name
    /// is lost.
    pub(super) fn open(&mut self) -> &mut Connection {
        if self.connection.is_some()
            && let Some(path) = self.path.as_ref().filter(|path| !path.exists())
        {
            self.warnings.push_back(Warning {
                message: format!("The ledger {} was removed while Aside ran. A new one is begun.", path.display()),
            });
            self.connection = None;
        }
        if self.connection.is_none() {
            self.connection = self.open_file();
        }
        self.connection.get_or_insert_with(memory)
    }

    /// None when memory has to do; then a warning was left, unless memory was asked for.
    fn open_file(&mut self) -> Option<Connection> {
        let path = self.path.clone()?;
        let failure = match connect(&path) {
            Ok(connection) => return Some(connection),
            Err(Unusable::Sqlite(error)) if fate(&error) == Fate::Damaged => {
                self.set_aside(&path, &error);
                match connect(&path) {
                    Ok(connection) => return Some(connection),
                    Err(failure) => failure,
                }
            }
            Err(failure) => failure,
        };
        self.use_memory(&path, &failure.to_string());
        None
    }

    /// After `error` said that the open file is damaged: puts a fresh one in its place. False if there is no file to blame.
    pub(super) fn replace_damaged(&mut self, error: &rusqlite::Error) -> bool {
        let Some(path) = self.path.clone() else { return false };
        self.connection = None;
        if !self.set_aside(&path, error) {
            self.use_memory(&path, &error.to_string());
        }
        true
    }

    /// After `error` said that nothing can be written: goes on in memory. False if that is where the rows are already.
    pub(super) fn fall_back(&mut self, error: &rusqlite::Error) -> bool {
        let Some(path) = self.path.clone() else { return false };
        self.connection = None;
        self.use_memory(&path, &error.to_string());
        true
    }

    fn use_memory(&mut self, path: &Path, reason: &str) {
        self.path = None;
        self.warnings.push_back(Warning {
            message: format!(
                "The ledger {} cannot be used ({reason}). Usage and explanations are kept only until Aside ends; \
                 check the folder, or set ASIDE_DATA_DIR to another one.",
                path.display()
            ),
        });
    }

    /// Keeps a copy of a damaged file and empties it. False if either did not work; then the file is as it was.
    ///
    /// The file is emptied in place, by SQLite and under its locks, and not renamed: other processes have it open with a
    /// log and an index of that log beside it. Renamed one by one these would for a moment belong to the wrong file, and
    /// a new connection of a process that still maps the old index would cut it short under the mapping.
    fn set_aside(&mut self, path: &Path, error: &rusqlite::Error) -> bool {
        // Several processes may find the damage at the same moment; the second must not empty what the first began anew.
        let lock = OpenOptions::new().create(true).truncate(false).write(true).open(with_suffix(path, ".lock"));
        let _held = lock.and_then(|file| file.lock().map(|()| file));
        if !is_damaged(path) {
            return true;
        }
        let target = free_name(path);
        if let Err(reason) = keep_copy(path, &target).map_err(|error| error.to_string()).and_then(|()| {
            // What follows cannot be taken back, so the copy comes first.
            empty(path).map_err(|error| error.to_string())
        }) {
            tracing::warn!("the damaged ledger could not be set aside: {reason}");
            return false;
        }
        self.warnings.push_back(Warning {
            message: format!(
                "The ledger was damaged ({error}). It was set aside as {} and a new one begun.",
                target.display()
            ),
        });
        true
    }

    /// After a statement failed: whether that was because another process had just emptied the damaged file, so that it
    /// works now.
    pub(super) fn was_emptied(&mut self) -> bool {
        let Some(connection) = &mut self.connection else { return false };
        schema::version(connection).is_ok_and(|version| version < schema::VERSION)
            && schema::migrate(connection).is_ok()
    }

    /// Whether there is no file yet, so that there is nothing to read.
    pub(super) fn is_new(&self) -> bool {
        self.connection.is_none() && self.path.as_ref().is_some_and(|path| !path.exists())
    }
}

/// Why there is no connection.
enum Unusable {
    Folder(std::io::Error),
    Sqlite(rusqlite::Error),
    Newer(u32),
}

impl From<rusqlite::Error> for Unusable {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

impl fmt::Display for Unusable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder(error) => error.fmt(f),
            Self::Sqlite(error) => error.fmt(f),
            Self::Newer(version) => {
                write!(f, "a newer Aside wrote it: version {version}, known is {}", schema::VERSION)
            }
        }
    }
}

fn connect(path: &Path) -> Result<Connection, Unusable> {
    make_folder(path).map_err(Unusable::Folder)?;
    own(path);
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY)?;
    let version = schema::version(&connection)?;
    if version > schema::VERSION {
        return Err(Unusable::Newer(version));
    }
    write_ahead(&connection)?;
    // With a write-ahead log this survives `kill -9` whole; only a power cut can take the last rows.
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    schema::migrate(&mut connection)?;
    // A file that cannot be written to says so now and not when the first row is to be kept.
    connection.execute_batch("BEGIN IMMEDIATE; ROLLBACK")?;
    Ok(connection)
}

/// Switches to a write-ahead log. The switch needs the file alone and does not wait for it, whatever the busy timeout says.
fn write_ahead(connection: &Connection) -> rusqlite::Result<()> {
    let deadline = Instant::now() + BUSY;
    loop {
        // File systems without shared memory answer with another mode, which is slower but as safe.
        let switched = connection.query_row("PRAGMA journal_mode = WAL", [], |row| row.get::<_, String>(0));
        match switched {
            Err(error) if fate(&error) == Fate::Busy && Instant::now() < deadline => {
                std::thread::sleep(Duration::from_millis(10));
            }
            other => return other.map(drop),
        }
    }
}

fn memory() -> Connection {
    #[expect(clippy::expect_used, reason = "a database in memory needs nothing but memory")]
    {
        let mut connection = Connection::open_in_memory().expect("SQLite opens in memory");
        schema::migrate(&mut connection).expect("the schema is valid");
        connection
    }
}

/// Creates the file for its owner only, before SQLite would create it for everyone; SQLite's side files follow its mode.
fn own(path: &Path) {
    let mut options = OpenOptions::new();
    options.create_new(true).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    // It usually exists; anything else that is wrong, SQLite will say better.
    let _ = options.open(path);
}

/// Whether the content of the file is broken, as opposed to busy or out of reach.
fn is_damaged(path: &Path) -> bool {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let verdict = Connection::open_with_flags(path, flags).and_then(|connection| {
        connection.busy_timeout(BUSY)?;
        connection.query_row("PRAGMA integrity_check(1)", [], |row| row.get::<_, String>(0))
    });
    match verdict {
        Ok(verdict) => verdict != "ok",
        Err(error) => fate(&error) == Fate::Damaged,
    }
}

/// Copies the file and its log, for its owner only.
fn keep_copy(path: &Path, target: &Path) -> std::io::Result<()> {
    std::fs::copy(path, target)?;
    let log = with_suffix(path, "-wal");
    if log.exists() {
        std::fs::copy(log, with_suffix(target, "-wal"))?;
    }
    Ok(())
}

/// Makes a damaged file an empty database, whatever is in it.
fn empty(path: &Path) -> rusqlite::Result<()> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY)?;
    // Having looked at the schema, or having failed to, SQLite keeps the file in the mode it is in.
    let _ = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get::<_, i64>(0));
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_RESET_DATABASE, true)?;
    let emptied = connection.execute_batch("VACUUM");
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_RESET_DATABASE, false)?;
    emptied
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// A name beside `path` that says what happened and when, and that nothing has yet.
fn free_name(path: &Path) -> PathBuf {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let extension = path.extension().map(|it| format!(".{}", it.to_string_lossy())).unwrap_or_default();
    let time = jiff::Timestamp::now().strftime("%Y%m%dT%H%M%SZ");
    let name = |count: u32| match count {
        1 => format!("{stem}.damaged-{time}{extension}"),
        _ => format!("{stem}.damaged-{time}-{count}{extension}"),
    };
    let mut count = 1;
    while path.with_file_name(name(count)).exists() {
        count += 1;
    }
    path.with_file_name(name(count))
}

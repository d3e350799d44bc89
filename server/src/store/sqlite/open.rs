//! Opening the database: one server a file, schema brought up to date, the audit head checked.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::migrate::Migrator;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions as _, Row as _, SqliteConnection, SqlitePool};

use super::error::from_migration;
use super::writer::read_head;
use crate::audit::{Head, HeadError, HeadFile, Kept};
use crate::store::StoreError;

static MIGRATOR: Migrator = sqlx::migrate!("migrations/sqlite");

/// How long a write waits for another program that holds the database, within the time that a callback has.
const BUSY: Duration = Duration::from_secs(2);

/// WAL pages (4 KiB) before a commit also moves them to the database.
const CHECKPOINT_PAGES: &str = "16000";

/// Prepared statements kept by the writer: the shapes of batches.
const WRITER_STATEMENTS: usize = 256;

/// The newest schema this program knows.
pub(super) fn known_schema() -> i64 {
    MIGRATOR
        .iter()
        .map(|migration| migration.version)
        .max()
        .unwrap_or(0)
}

/// The exclusive right to write a database, as long as it lives. The operating system ends it with the process.
pub(super) struct ServerLock {
    file: File,
}

impl ServerLock {
    pub fn take(data: &Path) -> Result<Self, StoreError> {
        let path = beside(data, ".lock");
        let refused =
            |error: std::io::Error| StoreError::ReadOnly(format!("{}: {error}", path.display()));
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(refused)?;
        }
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(refused)?;
        match file.try_lock() {
            Ok(()) => Ok(Self { file }),
            Err(TryLockError::WouldBlock) => Err(StoreError::Locked),
            Err(TryLockError::Error(error)) => Err(refused(error)),
        }
    }
}

impl Drop for ServerLock {
    fn drop(&mut self) {
        // Closing alone is not enough while a process that was just started still shares the file.
        self.file.unlock().ok();
    }
}

fn beside(data: &Path, suffix: &str) -> PathBuf {
    let mut name = data.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

pub(super) fn writer_options(data: &Path) -> SqliteConnectOptions {
    options(data)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .statement_cache_capacity(WRITER_STATEMENTS)
        .pragma("cache_size", "-65536")
        .pragma("wal_autocheckpoint", CHECKPOINT_PAGES)
        .pragma("journal_size_limit", "67108864")
        // Erasing switches it on.
        .pragma("secure_delete", "FAST")
        .thread_name(|_| "store-writer".to_owned())
}

fn options(data: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(data)
        .busy_timeout(BUSY)
        .disable_statement_logging()
}

/// A connection that writes, to a database whose schema is up to date.
pub(super) async fn connect_writer(
    data: &Path,
    options: &SqliteConnectOptions,
) -> Result<SqliteConnection, StoreError> {
    let named = |error| name(data, error);
    let mut connection = options
        .connect()
        .await
        .map_err(StoreError::from)
        .map_err(named)?;
    let foreign = schema(&mut connection).await.map_err(named)?;
    if matches!(foreign, Schema::Foreign) {
        return Err(StoreError::NotADatabase(data.display().to_string()));
    }
    MIGRATOR
        .run(&mut connection)
        .await
        .map_err(|error| named(from_migration(error, known_schema())))?;
    Ok(connection)
}

pub(super) async fn connect_readers(data: &Path, count: u32) -> Result<SqlitePool, StoreError> {
    SqlitePoolOptions::new()
        .max_connections(count)
        .min_connections(1)
        .test_before_acquire(false)
        .idle_timeout(None)
        .max_lifetime(None)
        .connect_with(options(data).read_only(true))
        .await
        .map_err(|error| name(data, error.into()))
}

/// Refuse what this program cannot read.
pub(super) async fn check_schema(data: &Path, pool: &SqlitePool) -> Result<(), StoreError> {
    let named = |error| name(data, error);
    let mut connection = pool
        .acquire()
        .await
        .map_err(StoreError::from)
        .map_err(named)?;
    let known = known_schema();
    match schema(&mut connection).await.map_err(named)? {
        Schema::Version(found) if found == known => Ok(()),
        Schema::Version(found) if found > known => Err(StoreError::NewerSchema { found, known }),
        Schema::Version(found) => Err(StoreError::OlderSchema { found, known }),
        Schema::Empty => Err(StoreError::OlderSchema { found: 0, known }),
        Schema::Foreign => Err(StoreError::NotADatabase(data.display().to_string())),
    }
}

enum Schema {
    Empty,
    Version(i64),
    /// Somebody else's tables.
    Foreign,
}

async fn schema(connection: &mut SqliteConnection) -> Result<Schema, StoreError> {
    let row = sqlx::query(
        "SELECT count(*) AS tables, coalesce(sum(name = '_sqlx_migrations'), 0) AS ours \
         FROM sqlite_schema WHERE type = 'table'",
    )
    .fetch_one(&mut *connection)
    .await?;
    let (tables, ours): (i64, i64) = (row.try_get("tables")?, row.try_get("ours")?);
    match (tables, ours) {
        (0, _) => Ok(Schema::Empty),
        (_, 0) => Ok(Schema::Foreign),
        _ => {
            let row = sqlx::query("SELECT coalesce(max(version), 0) FROM _sqlx_migrations")
                .fetch_one(connection)
                .await?;
            Ok(Schema::Version(row.try_get(0)?))
        }
    }
}

/// Compare the head kept apart with the database, and keep the database's head from now on.
///
/// The server starts whatever it finds, since customers wait; but the next head must not cover up what was found: it
/// comes back to be written into the log, and heads that the database lost stay in the file for `audit verify`.
pub(super) async fn check_head(
    connection: &mut SqliteConnection,
    file: &HeadFile,
) -> Result<(Kept, Option<String>), StoreError> {
    let head = read_head(connection).await?;
    let mut lost = Vec::new();
    let mut problem = None;
    match file.read() {
        Ok(kept) => {
            lost = kept.lost;
            if !has(connection, kept.head).await? {
                let (seq, hash) = (kept.head.seq, hex::encode(kept.head.hash));
                problem = Some(format!(
                    "row {seq} with hash {hash} was the last and is gone"
                ));
                lost.push(kept.head);
            }
        }
        Err(HeadError::Missing(_)) if head.seq == 0 => {}
        Err(error) => {
            problem = Some(error.to_string());
            file.set_aside();
        }
    }
    let kept = Kept { head, lost };
    file.write(&kept)
        .map_err(|error| StoreError::ReadOnly(error.to_string()))?;
    Ok((kept, problem))
}

/// Whether the database has this row with this hash.
async fn has(connection: &mut SqliteConnection, head: Head) -> Result<bool, StoreError> {
    if head.seq == 0 {
        return Ok(true);
    }
    let row = sqlx::query("SELECT 1 FROM audit WHERE seq = ? AND hash = ?")
        .bind(head.seq)
        .bind(head.hash.as_slice())
        .fetch_optional(connection)
        .await?;
    Ok(row.is_some())
}

fn name(data: &Path, error: StoreError) -> StoreError {
    let path = data.display();
    match error {
        StoreError::NotADatabase(_) => StoreError::NotADatabase(path.to_string()),
        StoreError::ReadOnly(_) if !data.exists() => StoreError::Missing(path.to_string()),
        StoreError::ReadOnly(cause) => StoreError::ReadOnly(format!("{path}: {cause}")),
        other => other,
    }
}

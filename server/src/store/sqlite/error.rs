//! SQLite's errors by cause.

use sqlx::migrate::MigrateError;

use crate::store::StoreError;

/// SQLite's primary result codes, <https://www.sqlite.org/rescode.html>.
mod code {
    pub const BUSY: i32 = 5;
    pub const LOCKED: i32 = 6;
    pub const READONLY: i32 = 8;
    pub const CORRUPT: i32 = 11;
    pub const FULL: i32 = 13;
    pub const CANTOPEN: i32 = 14;
    pub const CONSTRAINT: i32 = 19;
    pub const NOTADB: i32 = 26;
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        match primary_code(&error) {
            Some(code::BUSY | code::LOCKED) => Self::Locked,
            Some(code::FULL) => Self::DiskFull,
            Some(code::READONLY | code::CANTOPEN) => Self::ReadOnly(error.to_string()),
            Some(code::CORRUPT) => Self::Corrupt(error.to_string()),
            Some(code::NOTADB) => Self::NotADatabase("the file".to_owned()),
            _ => match error {
                sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) => {
                    Self::Corrupt(error.to_string())
                }
                sqlx::Error::PoolClosed => Self::Closed,
                error => Self::Database(error.to_string()),
            },
        }
    }
}

/// The cause behind a migration that did not run; `known` is the newest schema of this program.
pub(super) fn from_migration(error: MigrateError, known: i64) -> StoreError {
    match error {
        MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => error.into(),
        MigrateError::VersionMissing(found) if found > known => {
            StoreError::NewerSchema { found, known }
        }
        error => StoreError::Database(error.to_string()),
    }
}

/// Whether a row broke a UNIQUE, NOT NULL, CHECK or FOREIGN KEY rule or a trigger refused it.
pub(super) fn is_constraint(error: &sqlx::Error) -> bool {
    primary_code(error) == Some(code::CONSTRAINT)
}

/// Whether the connection may be worth keeping: the cause lies in the data or passes by itself.
pub(super) fn keeps_connection(error: &sqlx::Error) -> bool {
    matches!(
        primary_code(error),
        Some(code::CONSTRAINT | code::FULL | code::BUSY | code::LOCKED)
    )
}

fn primary_code(error: &sqlx::Error) -> Option<i32> {
    let extended: i32 = error.as_database_error()?.code()?.parse().ok()?;
    Some(extended & 0xff)
}

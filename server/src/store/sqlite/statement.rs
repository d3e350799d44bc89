//! The SQL of a batch: one text for everything a batch writes, so that it costs one trip to SQLite's thread.
//!
//! Each table's rows go in one multi-row statement (of at most 64 rows). Row counts are rounded up and the rows too many are
//! NULL and filtered out, so few texts exist and SQLite keeps them prepared.

use std::fmt::Write as _;
use std::sync::Arc;

use rustc_hash::FxHashMap;
use sqlx::sqlite::SqliteArguments;
use sqlx::{Arguments as _, AssertSqlSafe, SqlSafeStr as _, SqlStr};

/// Rows of one statement at most; 64 rows of 13 columns are far below SQLite's 32,766 parameters.
const CHUNK: usize = 64;

/// Texts kept before starting over; more shapes than that do not happen in practice.
const MAX_TEXTS: usize = 512;

/// A table's statement around its rows.
struct Table {
    columns: usize,
    before: &'static str,
    after: &'static str,
}

const INBOX: Table = Table {
    columns: 10,
    before: "INSERT INTO inbox (account, dedupe_key, customer, conversation, received_at, platform_at, \
             event, envelope, done, reply) SELECT * FROM (",
    after: ") WHERE column1 IS NOT NULL;",
};

const FINISH: Table = Table {
    columns: 3,
    before: "UPDATE inbox SET done = 1, reply = column3 FROM (",
    after: ") WHERE account = column1 AND dedupe_key = column2 AND done = 0;",
};

const RETIRE: Table = Table {
    columns: 1,
    before: "UPDATE conversation SET current = 0, wake_at = NULL WHERE id IN (",
    after: ");",
};

const CONVERSATION: Table = Table {
    columns: 12,
    before: "INSERT INTO conversation (id, account, customer, revision, owner, epoch, turns, updated_at, \
             wake_at, queue_group, queued_since, state) SELECT * FROM (",
    after: ") WHERE column1 IS NOT NULL \
            ON CONFLICT (id) DO UPDATE SET current = 1, revision = excluded.revision, \
            owner = excluded.owner, epoch = excluded.epoch, turns = excluded.turns, \
            updated_at = excluded.updated_at, wake_at = excluded.wake_at, \
            queue_group = excluded.queue_group, queued_since = excluded.queued_since, \
            state = excluded.state;",
};

const OUTBOX: Table = Table {
    columns: 13,
    before: "INSERT INTO outbox (id, account, customer, conversation, epoch, created_at, position, \
             message, speaker, state, attempts, due_at, last_error) SELECT * FROM (",
    after: ") WHERE column1 IS NOT NULL;",
};

const OUTBOX_UPDATE: Table = Table {
    columns: 5,
    before: "UPDATE outbox SET state = column2, attempts = column3, due_at = column4, \
             last_error = column5 FROM (",
    after: ") WHERE id = column1;",
};

const AUDIT: Table = Table {
    columns: 11,
    before: "INSERT INTO audit (seq, at, account, conversation, kind, body, body_digest, sealed, \
             sealed_digest, prev, hash) SELECT * FROM (",
    after: ") WHERE column1 IS NOT NULL;",
};

const PUBLICATION: Table = Table {
    columns: 5,
    before: "INSERT INTO publication (account, version, at, by, source) SELECT * FROM (",
    after: ") WHERE column1 IS NOT NULL;",
};

/// Rows of a batch by table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(super) struct Shape {
    pub inbox: usize,
    pub finish: usize,
    pub retire: usize,
    pub conversation: usize,
    pub outbox: usize,
    pub outbox_update: usize,
    pub audit: usize,
    pub publication: usize,
}

impl Shape {
    fn rounded(self) -> Self {
        Self {
            inbox: rounded(self.inbox),
            finish: rounded(self.finish),
            retire: rounded(self.retire),
            conversation: rounded(self.conversation),
            outbox: rounded(self.outbox),
            outbox_update: rounded(self.outbox_update),
            audit: rounded(self.audit),
            publication: rounded(self.publication),
        }
    }

    /// In the order in which rows are bound.
    fn tables(self) -> [(&'static Table, usize); 8] {
        [
            (&INBOX, self.inbox),
            (&FINISH, self.finish),
            (&RETIRE, self.retire),
            (&CONVERSATION, self.conversation),
            (&OUTBOX, self.outbox),
            (&OUTBOX_UPDATE, self.outbox_update),
            (&AUDIT, self.audit),
            (&PUBLICATION, self.publication),
        ]
    }

    fn text(self) -> String {
        let mut sql = String::new();
        for (table, rows) in self.tables() {
            let mut left = rows;
            while left > 0 {
                let rows = left.min(CHUNK);
                left -= rows;
                sql.push_str(table.before);
                sql.push_str("VALUES ");
                for row in 0..rows {
                    sql.push_str(if row == 0 { "(?" } else { ", (?" });
                    sql.push_str(&", ?".repeat(table.columns - 1));
                    sql.push(')');
                }
                // `writeln!` to a string cannot fail.
                let _ = writeln!(sql, "{}", table.after);
            }
        }
        sql.push_str("COMMIT");
        sql
    }
}

/// Values in the order of a shape's placeholders.
pub(super) struct Values {
    pub arguments: SqliteArguments,
}

impl Values {
    pub fn new(shape: Shape) -> Self {
        let count = shape
            .rounded()
            .tables()
            .iter()
            .map(|(table, rows)| table.columns * rows)
            .sum();
        let mut arguments = SqliteArguments::default();
        arguments.reserve(count, 0);
        Self { arguments }
    }

    /// The NULL rows that round `rows` up, after the table's last row.
    pub fn pad(&mut self, columns: usize, rows: usize) -> Result<(), sqlx::Error> {
        for _ in 0..columns * (rounded(rows) - rows) {
            self.push(None::<i64>)?;
        }
        Ok(())
    }

    pub fn push<'t, T>(&mut self, value: T) -> Result<(), sqlx::Error>
    where
        T: sqlx::Encode<'t, sqlx::Sqlite> + sqlx::Type<sqlx::Sqlite>,
    {
        self.arguments.add(value).map_err(sqlx::Error::Encode)
    }
}

/// Texts by shape.
#[derive(Default)]
pub(super) struct Texts {
    texts: FxHashMap<Shape, SqlStr>,
}

impl Texts {
    pub fn of(&mut self, shape: Shape) -> SqlStr {
        let shape = shape.rounded();
        if self.texts.len() >= MAX_TEXTS {
            self.texts.clear();
        }
        self.texts
            .entry(shape)
            // Made of constants and numbers alone.
            .or_insert_with(|| {
                let text = format!("BEGIN IMMEDIATE;\n{}", shape.text());
                AssertSqlSafe(Arc::<str>::from(text)).into_sql_str()
            })
            .clone()
    }

    /// The same for a transaction that has begun. Not kept: for rare occasions.
    pub fn continuing(&self, shape: Shape) -> SqlStr {
        AssertSqlSafe(shape.rounded().text()).into_sql_str()
    }
}

/// Up to a power of two, beyond a chunk to whole chunks.
fn rounded(rows: usize) -> usize {
    match rows {
        0 => 0,
        1..CHUNK => rows.next_power_of_two(),
        _ => rows.next_multiple_of(CHUNK),
    }
}

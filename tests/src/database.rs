//! The server's database, read from outside with plain SQL: what is durable, whatever the server says.

use std::path::Path;

use sqlx::sqlite::{SqliteConnectOptions, SqlitePool, SqlitePoolOptions};
use sqlx::{AssertSqlSafe, Row as _};

/// A connection beside the server's.
pub struct Database {
    pool: SqlitePool,
}

#[allow(clippy::expect_used)]
impl Database {
    pub async fn open(file: &Path) -> Self {
        let options = SqliteConnectOptions::new()
            .filename(file)
            .busy_timeout(std::time::Duration::from_secs(10))
            .pragma("query_only", "1");
        let pool = SqlitePoolOptions::new()
            .max_connections(1)
            .connect_with(options)
            .await
            .expect("the server's database");
        Self { pool }
    }

    /// The first column of the first row.
    pub async fn number(&self, sql: &str) -> i64 {
        sqlx::query(AssertSqlSafe(sql))
            .fetch_one(&self.pool)
            .await
            .expect("a query of a test")
            .get(0)
    }

    /// The first column of every row, as text.
    pub async fn texts(&self, sql: &str) -> Vec<String> {
        sqlx::query(AssertSqlSafe(sql))
            .fetch_all(&self.pool)
            .await
            .expect("a query of a test")
            .iter()
            .map(|row| row.get(0))
            .collect()
    }

    /// Callbacks kept.
    pub async fn inbox(&self) -> i64 {
        self.number("SELECT count(*) FROM inbox").await
    }

    /// Turns in the audit log.
    pub async fn turns(&self) -> i64 {
        self.number("SELECT count(*) FROM audit WHERE kind = 'turn'")
            .await
    }

    /// For each customer, what the audit log says they wrote, in its order.
    pub async fn written_by(&self, customer: &str) -> Vec<String> {
        self.texts(&format!(
            "SELECT json_extract(audit.body, '$.event.text') FROM audit \
             JOIN conversation ON conversation.id = audit.conversation \
             WHERE audit.kind = 'turn' AND conversation.customer = '{customer}' \
             AND json_extract(audit.body, '$.event.type') = 'message' ORDER BY audit.seq"
        ))
        .await
    }

    pub async fn close(self) {
        self.pool.close().await;
    }
}

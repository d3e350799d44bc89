//! Reading, through a small pool of connections that cannot write.

use jiff::Timestamp;
use sqlx::sqlite::SqliteRow;
use sqlx::{AssertSqlSafe, Row as _, SqlitePool};

use super::rows;
use crate::store::{
    AuditRow, ConversationFilter, ConversationSummary, Inbound, OutboxRow, PackageRow, Publication,
    QueueLength, StoreError, StoredConversation, StoredInbound, TranscriptLine,
};

#[derive(Clone)]
pub(super) struct Reader {
    pub pool: SqlitePool,
}

type Result<T> = std::result::Result<T, StoreError>;

impl Reader {
    /// The current conversation of a customer, and the length of its stored state in bytes.
    pub async fn conversation(
        &self,
        account: &str,
        customer: &str,
    ) -> Result<Option<(StoredConversation, usize)>> {
        sqlx::query(
            "SELECT state, revision FROM conversation \
             WHERE account = ? AND customer = ? AND current = 1",
        )
        .bind(account)
        .bind(customer)
        .fetch_optional(&self.pool)
        .await?
        .map(|row| rows::conversation(&row))
        .transpose()
    }

    pub async fn conversation_by_id(&self, id: &str) -> Result<Option<StoredConversation>> {
        sqlx::query("SELECT state, revision FROM conversation WHERE id = ?")
            .bind(id)
            .fetch_optional(&self.pool)
            .await?
            .map(|row| Ok(rows::conversation(&row)?.0))
            .transpose()
    }

    pub async fn inbound(&self, account: &str, dedupe_key: &str) -> Result<Option<StoredInbound>> {
        sqlx::query(AssertSqlSafe(format!(
            "SELECT {} FROM inbox WHERE account = ? AND dedupe_key = ?",
            rows::INBOUND
        )))
        .bind(account)
        .bind(dedupe_key)
        .fetch_optional(&self.pool)
        .await?
        .map(|row| rows::inbound(&row))
        .transpose()
    }

    pub async fn pending_inbound(&self) -> Result<Vec<Inbound>> {
        let query = sqlx::query(AssertSqlSafe(format!(
            "SELECT {} FROM inbox WHERE done = 0 ORDER BY received_at, id",
            rows::INBOUND
        )));
        collect(&query.fetch_all(&self.pool).await?, |row| {
            Ok(rows::inbound(row)?.inbound)
        })
    }

    pub async fn due_conversations(
        &self,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<StoredConversation>> {
        let query = sqlx::query(
            "SELECT state, revision FROM conversation WHERE wake_at <= ? ORDER BY wake_at LIMIT ?",
        )
        .bind(now.as_microsecond())
        .bind(limit);
        collect(&query.fetch_all(&self.pool).await?, |row| {
            Ok(rows::conversation(row)?.0)
        })
    }

    pub async fn due_outbox(&self, now: Timestamp, limit: u32) -> Result<Vec<OutboxRow>> {
        let query = sqlx::query(
            // Behind a message that rests before its next attempt, the customer's later ones rest as well.
            "SELECT * FROM outbox WHERE state = 'queued' AND due_at <= ?1 AND NOT EXISTS \
             (SELECT 1 FROM outbox AS earlier WHERE earlier.state = 'queued' AND earlier.due_at > ?1 \
             AND earlier.seq < outbox.seq AND earlier.account = outbox.account \
             AND earlier.customer = outbox.customer) ORDER BY due_at, seq LIMIT ?2",
        )
        .bind(now.as_microsecond())
        .bind(limit);
        collect(&query.fetch_all(&self.pool).await?, rows::outbox)
    }

    pub async fn sending_outbox(&self) -> Result<Vec<OutboxRow>> {
        let query = sqlx::query("SELECT * FROM outbox WHERE state = 'sending' ORDER BY seq");
        collect(&query.fetch_all(&self.pool).await?, rows::outbox)
    }

    pub async fn held_outbox(&self, account: &str, customer: &str) -> Result<Vec<OutboxRow>> {
        let query = sqlx::query(
            "SELECT * FROM outbox WHERE state = 'held' AND account = ? AND customer = ? \
             ORDER BY seq",
        )
        .bind(account)
        .bind(customer);
        collect(&query.fetch_all(&self.pool).await?, rows::outbox)
    }

    pub async fn conversations(
        &self,
        filter: &ConversationFilter,
    ) -> Result<Vec<ConversationSummary>> {
        let accounts = match &filter.account {
            Some(account) => vec![account.clone()],
            None => self.accounts().await?,
        };
        // Each account's newest by index, then merged: accounts are few, conversations many.
        let wanted = filter.limit.saturating_add(filter.offset);
        let mut found = Vec::new();
        for account in accounts {
            found.extend(
                self.conversations_of(&account, filter.owner.as_deref(), wanted)
                    .await?,
            );
        }
        found.sort_by_key(|summary| std::cmp::Reverse(summary.updated_at));
        Ok(found
            .into_iter()
            .skip(filter.offset as usize)
            .take(filter.limit as usize)
            .collect())
    }

    async fn conversations_of(
        &self,
        account: &str,
        owner: Option<&str>,
        limit: u32,
    ) -> Result<Vec<ConversationSummary>> {
        let condition = match owner {
            None => "",
            Some("bot") => "AND owner = 'bot'",
            Some("queue") => "AND owner = 'queue' AND owner <> 'bot'",
            Some("agent") => "AND owner >= 'agent:' AND owner < 'agent;' AND owner <> 'bot'",
            Some(_) => return Ok(Vec::new()),
        };
        let query = sqlx::query(AssertSqlSafe(format!(
            "SELECT id, account, customer, owner, epoch, turns, updated_at, queue_group, \
             queued_since FROM conversation WHERE account = ? {condition} \
             ORDER BY updated_at DESC LIMIT ?"
        )))
        .bind(account)
        .bind(limit);
        collect(&query.fetch_all(&self.pool).await?, rows::summary)
    }

    /// Accounts that have conversations, jumping from one to the next in the index.
    async fn accounts(&self) -> Result<Vec<String>> {
        let query = sqlx::query(
            "WITH RECURSIVE found (account) AS ( \
                 SELECT min(account) FROM conversation \
                 UNION ALL \
                 SELECT (SELECT min(account) FROM conversation WHERE account > found.account) \
                 FROM found WHERE found.account IS NOT NULL) \
             SELECT account FROM found WHERE account IS NOT NULL",
        );
        collect(&query.fetch_all(&self.pool).await?, |row| {
            Ok(row.try_get(0)?)
        })
    }

    pub async fn transcript(&self, conversation: &str) -> Result<Vec<TranscriptLine>> {
        let query = sqlx::query(
            "SELECT received_at AS at, 'customer' AS speaker, event AS body, NULL AS state, \
                    0 AS source, 0 AS position, id AS seq \
             FROM inbox WHERE conversation = ?1 \
             UNION ALL \
             SELECT created_at, speaker, message, state, 1, position, seq \
             FROM outbox WHERE conversation = ?1 \
             ORDER BY at, source, position, seq",
        )
        .bind(conversation);
        collect(&query.fetch_all(&self.pool).await?, rows::transcript_line)
    }

    pub async fn queue_lengths(&self) -> Result<Vec<QueueLength>> {
        let query = sqlx::query(
            "SELECT account, queue_group, count(*) AS waiting FROM conversation \
             WHERE owner = 'queue' AND owner <> 'bot' AND current = 1 \
             GROUP BY account, queue_group ORDER BY account, queue_group",
        );
        collect(&query.fetch_all(&self.pool).await?, |row| {
            Ok(QueueLength {
                account: row.try_get("account")?,
                group: row.try_get("queue_group")?,
                waiting: row.try_get("waiting")?,
            })
        })
    }

    pub async fn audit(
        &self,
        conversation: Option<&str>,
        after: i64,
        limit: u32,
    ) -> Result<Vec<AuditRow>> {
        let query = match conversation {
            Some(id) => sqlx::query(
                "SELECT * FROM audit WHERE conversation = ? AND conversation <> '' AND seq > ? \
                 ORDER BY seq LIMIT ?",
            )
            .bind(id),
            None => sqlx::query("SELECT * FROM audit WHERE seq > ? ORDER BY seq LIMIT ?"),
        };
        let found = query.bind(after).bind(limit).fetch_all(&self.pool).await?;
        collect(&found, rows::audit)
    }

    pub async fn package(&self, version: &str) -> Result<Option<PackageRow>> {
        sqlx::query("SELECT version, files, kept_at FROM package WHERE version = ?")
            .bind(version)
            .fetch_optional(&self.pool)
            .await?
            .map(|row| rows::package(&row))
            .transpose()
    }

    pub async fn publications(&self, account: &str, limit: u32) -> Result<Vec<Publication>> {
        let query = sqlx::query(
            "SELECT account, version, at, by, source FROM publication WHERE account = ? \
             ORDER BY id DESC LIMIT ?",
        )
        .bind(account)
        .bind(limit);
        collect(&query.fetch_all(&self.pool).await?, rows::publication)
    }
}

fn collect<T>(rows: &[SqliteRow], value: impl Fn(&SqliteRow) -> Result<T>) -> Result<Vec<T>> {
    rows.iter().map(value).collect()
}

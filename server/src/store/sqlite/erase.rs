//! Erasing a customer's data.

use jiff::Timestamp;
use rustc_hash::FxHashMap;
use sqlx::Row as _;

use super::batch::{Pending, Plan, Stored};
use super::cache::Key;
use super::writer::Writer;
use crate::audit::ERASE;
use crate::store::{AuditEntry, StoreError};

pub(super) struct Erasure {
    pub account: String,
    pub customer: String,
    pub at: Timestamp,
    /// Body of the audit rows that record it.
    pub body: String,
}

/// What stays of a callback's event and of a message. Parameters: account and customer, four times.
const TOMBSTONES: &str = r#"
BEGIN IMMEDIATE;
UPDATE inbox SET event = '{"erased":true}', envelope = '{}', reply = NULL, done = 1
WHERE conversation IN (SELECT id FROM conversation WHERE account = ? AND customer = ?);
UPDATE outbox SET message = '{"erased":true}', last_error = NULL,
    state = CASE WHEN state IN ('queued', 'held') THEN 'stale' ELSE state END
WHERE conversation IN (SELECT id FROM conversation WHERE account = ? AND customer = ?);
UPDATE audit SET body = NULL, sealed = NULL
WHERE kind <> 'erase' AND conversation <> '' AND conversation IN
    (SELECT id FROM conversation WHERE account = ? AND customer = ?);
UPDATE conversation SET revision = revision + 1, owner = 'bot', turns = 0, wake_at = NULL,
    queue_group = NULL, queued_since = NULL,
    state = json_object('id', id, 'account', account, 'customer', customer, 'epoch', epoch + 1,
        'seen_before', json('true'), 'closed', json('true')),
    epoch = epoch + 1
WHERE account = ? AND customer = ?"#;

impl Writer {
    pub async fn erase(&mut self, erasure: &Erasure) -> Result<u64, StoreError> {
        self.secure_delete("ON").await?;
        let result = self.try_erase(erasure).await;
        self.cache
            .forget(&Key::new(&erasure.account, &erasure.customer));
        let count = result.as_ref().copied().unwrap_or_default();
        self.settle(result.map(drop)).await?;
        self.secure_delete("FAST").await?;
        Ok(count)
    }

    /// Whether pages that become free are overwritten; it costs writes, so only an erasure pays for it.
    async fn secure_delete(&mut self, mode: &'static str) -> Result<(), StoreError> {
        let pragma = match mode {
            "ON" => "PRAGMA secure_delete = ON",
            _ => "PRAGMA secure_delete = FAST",
        };
        sqlx::query(pragma)
            .execute(self.connection().await?)
            .await?;
        Ok(())
    }

    async fn try_erase(&mut self, erasure: &Erasure) -> Result<u64, sqlx::Error> {
        let ids = sqlx::query("SELECT id FROM conversation WHERE account = ? AND customer = ?")
            .bind(&erasure.account)
            .bind(&erasure.customer)
            .fetch_all(self.connection().await?)
            .await?;
        let records = ids
            .iter()
            .map(|row| {
                Ok(Pending::of_audit(AuditEntry {
                    at: erasure.at,
                    account: erasure.account.clone(),
                    conversation: row.try_get("id")?,
                    kind: ERASE.to_owned(),
                    body: erasure.body.clone(),
                    sealed: None,
                }))
            })
            .collect::<Result<Vec<_>, sqlx::Error>>()?;
        if records.is_empty() {
            return Ok(0);
        }
        let mut tombstones = sqlx::query(TOMBSTONES);
        for _ in 0..4 {
            tombstones = tombstones.bind(&erasure.account).bind(&erasure.customer);
        }
        tombstones.execute(self.connection().await?).await?;
        // The transaction is still open: the records go in, then it is committed.
        let (current, head) = (FxHashMap::default(), self.head().await?);
        let plan = Plan::new(&records, &current, &Stored::default(), head);
        let text = self.texts.continuing(plan.shape);
        sqlx::query_with(text, plan.values()?)
            .execute(self.connection().await?)
            .await?;
        self.head = Some(plan.head);
        Ok(records.len() as u64)
    }
}

//! Values to store.

use jiff::{SignedDuration, Timestamp};
use tempfile::TempDir;
use yingda_engine::conversation::Conversation;

use crate::store::*;

pub const ACCOUNT: &str = "main";

pub struct TempStore {
    pub store: SqliteStore,
    pub folder: TempDir,
}

impl TempStore {
    pub async fn new() -> Self {
        Self::with(SqliteOptions::default()).await
    }

    pub async fn with(options: SqliteOptions) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(&folder.path().join("yingda.db"), options)
            .await
            .unwrap();
        Self { store, folder }
    }

    pub fn path(&self) -> std::path::PathBuf {
        self.folder.path().join("yingda.db")
    }

    /// The same file after a stop and a start.
    pub async fn restarted(self) -> Self {
        self.store.close().await;
        let store = SqliteStore::open(&self.path(), SqliteOptions::default())
            .await
            .unwrap();
        Self { store, ..self }
    }
}

/// Seconds after a fixed moment.
pub fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_790_000_000).unwrap() + SignedDuration::from_secs(seconds)
}

pub fn conversation(customer: &str, turns: u32) -> Conversation {
    Conversation {
        id: format!("c-{customer}"),
        account: ACCOUNT.to_owned(),
        customer: customer.to_owned(),
        turns,
        ..Conversation::default()
    }
}

pub fn write(customer: &str, read_revision: i64) -> ConversationWrite {
    ConversationWrite {
        conversation: conversation(customer, u32::try_from(read_revision).unwrap() + 1),
        read_revision,
        wake_at: None,
    }
}

pub fn inbound(customer: &str, key: &str) -> NewInbound {
    NewInbound {
        inbound: Inbound {
            account: ACCOUNT.to_owned(),
            dedupe_key: key.to_owned(),
            customer: customer.to_owned(),
            conversation: format!("c-{customer}"),
            received_at: at(0),
            platform_at: Some(at(-1)),
            event: r#"{"type":"subscribe","scene":null}"#.to_owned(),
            envelope: "{}".to_owned(),
        },
        done: true,
        reply: Some("您好".to_owned()),
    }
}

pub fn entry(conversation: &str, body: &str) -> AuditEntry {
    AuditEntry {
        at: at(0),
        account: ACCOUNT.to_owned(),
        conversation: conversation.to_owned(),
        kind: "turn".to_owned(),
        body: body.to_owned(),
        sealed: Some(format!("sealed {body}")),
    }
}

pub fn outbox(id: &str, customer: &str, state: OutboxState) -> OutboxRow {
    OutboxRow {
        id: id.to_owned(),
        account: ACCOUNT.to_owned(),
        customer: customer.to_owned(),
        conversation: format!("c-{customer}"),
        epoch: 1,
        created_at: at(1),
        position: 0,
        message: r#"{"kind":"text","text":"您好"}"#.to_owned(),
        speaker: "bot".to_owned(),
        state,
        attempts: 0,
        due_at: at(10),
        last_error: None,
    }
}

/// A customer's turn with a row in every table.
pub fn turn(customer: &str, key: &str, read_revision: i64) -> Commit {
    Commit {
        inbound: Some(inbound(customer, key)),
        conversation: Some(write(customer, read_revision)),
        outbox: vec![outbox(&format!("o-{key}"), customer, OutboxState::Queued)],
        audit: vec![entry(&format!("c-{customer}"), key)],
        ..Commit::default()
    }
}

pub async fn audit_bodies(store: &SqliteStore) -> Vec<String> {
    let rows = store.audit(None, 0, 10_000).await.unwrap();
    rows.into_iter().map(|row| row.body.unwrap()).collect()
}

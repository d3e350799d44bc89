//! Storage behind one interface. Only this module knows SQL; a PostgreSQL implementation takes up [`Store`] as it is.

mod sqlite;

pub use sqlite::{SqliteOptions, SqliteStore};

use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use yingda_engine::conversation::Conversation;

/// What the server needs kept. Every write is durable when its future is ready.
#[async_trait]
pub trait Store: Send + Sync + 'static {
    /// The conversation of a customer on an account, with its revision.
    async fn conversation(
        &self,
        account: &str,
        customer: &str,
    ) -> Result<Option<StoredConversation>, StoreError>;

    /// A conversation by its id.
    async fn conversation_by_id(&self, id: &str) -> Result<Option<StoredConversation>, StoreError>;

    /// What is known of a callback that may have come before.
    async fn inbound(
        &self,
        account: &str,
        dedupe_key: &str,
    ) -> Result<Option<StoredInbound>, StoreError>;

    /// Everything a turn writes, in one transaction; calls in flight share a commit. Once called it is carried out
    /// even if the caller stops waiting.
    async fn commit(&self, commit: Commit) -> Result<Committed, StoreError>;

    /// Callbacks that were acknowledged (or stored) but have no turn yet, oldest first: after a crash.
    async fn pending_inbound(&self) -> Result<Vec<Inbound>, StoreError>;

    /// Conversations whose `wake_at` has come, soonest first.
    async fn due_conversations(
        &self,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<StoredConversation>, StoreError>;

    /// Messages to send that are due, oldest first.
    async fn due_outbox(&self, now: Timestamp, limit: u32) -> Result<Vec<OutboxRow>, StoreError>;

    /// Messages that were in the hands of the send API when the server stopped: reported, not sent again.
    async fn sending_outbox(&self) -> Result<Vec<OutboxRow>, StoreError>;

    /// The messages held back for a customer until the next callback can carry them, oldest first.
    async fn held_outbox(
        &self,
        account: &str,
        customer: &str,
    ) -> Result<Vec<OutboxRow>, StoreError>;

    /// Conversations for lists, newest change first.
    async fn conversations(
        &self,
        filter: ConversationFilter,
    ) -> Result<Vec<ConversationSummary>, StoreError>;

    /// In- and outbound messages of a conversation in order of time.
    async fn transcript(&self, conversation: &str) -> Result<Vec<TranscriptLine>, StoreError>;

    /// Waiting conversations by account and skill group.
    async fn queue_lengths(&self) -> Result<Vec<QueueLength>, StoreError>;

    /// Audit rows with `seq > after`, of one conversation or of all, in order.
    async fn audit(
        &self,
        conversation: Option<&str>,
        after: i64,
        limit: u32,
    ) -> Result<Vec<AuditRow>, StoreError>;

    /// Keep a package; publishing it is [`Store::publish`]. Keeping it twice is no error.
    async fn keep_package(&self, package: PackageRow) -> Result<(), StoreError>;

    async fn package(&self, version: &str) -> Result<Option<PackageRow>, StoreError>;

    /// Make a kept version the current one of an account, with its audit row, in one transaction.
    async fn publish(&self, publication: Publication, audit: AuditEntry) -> Result<(), StoreError>;

    /// Publications of an account, newest first.
    async fn publications(&self, account: &str, limit: u32)
    -> Result<Vec<Publication>, StoreError>;

    /// Erase what a customer said and was told on an account, in one transaction: callbacks, messages and states become
    /// tombstones, audit rows lose body and sealed part and keep their place in the chain, and each conversation gets an
    /// audit row of kind `erase` with this time and body. Returns how many conversations there were.
    async fn erase_customer(
        &self,
        account: &str,
        customer: &str,
        at: Timestamp,
        body: String,
    ) -> Result<u64, StoreError>;

    /// Cheap question whether the database can be written, for readiness.
    async fn ready(&self) -> Result<(), StoreError>;

    /// Write what is queued, then close.
    async fn close(&self);
}

#[derive(Debug, Clone, PartialEq)]
pub struct StoredConversation {
    pub conversation: Conversation,
    /// Counts the commits of this customer on this account, over all of the customer's conversations (a new `id` in a
    /// [`ConversationWrite`] begins the next one and leaves the former as it was); a commit names the revision it read.
    pub revision: i64,
}

/// A callback's message or event as it is kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Inbound {
    pub account: String,
    pub dedupe_key: String,
    pub customer: String,
    /// Id of the conversation it belongs to.
    pub conversation: String,
    pub received_at: Timestamp,
    /// The platform's own time, as data.
    pub platform_at: Option<Timestamp>,
    /// The parsed event (`yingda_engine::event::Event`, or a channel-only event), JSON.
    pub event: String,
    /// Whether the account's format is JSON (else XML), and the receiving id: what a reply needs.
    pub envelope: String,
}

#[derive(Debug, Clone, PartialEq)]
pub struct StoredInbound {
    pub inbound: Inbound,
    /// False while its turn is not decided.
    pub done: bool,
    /// The reply in the callback's response before encryption; empty means `success`.
    pub reply: Option<String>,
}

/// One transaction's worth.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Commit {
    /// A new callback; its key must not be known yet, else nothing is written and [`Committed::Duplicate`] comes back.
    pub inbound: Option<NewInbound>,
    /// Callbacks kept earlier without a turn (fragments) that this turn answers: (account, dedupe key, reply).
    pub finish_inbound: Vec<FinishInbound>,
    pub conversation: Option<ConversationWrite>,
    pub outbox: Vec<OutboxRow>,
    /// New state of messages queued earlier.
    pub outbox_updates: Vec<OutboxUpdate>,
    pub audit: Vec<AuditEntry>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct NewInbound {
    pub inbound: Inbound,
    /// False: kept now, decided by a later commit.
    pub done: bool,
    pub reply: Option<String>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct FinishInbound {
    pub account: String,
    pub dedupe_key: String,
    pub reply: Option<String>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct ConversationWrite {
    pub conversation: Conversation,
    /// The revision that was read; 0 for a new one. Another value in the table makes the commit a [`Committed::Conflict`].
    pub read_revision: i64,
    /// When the conversation wants a [`yingda_engine::event::Event::Timer`] (or its call's recovery), soonest.
    pub wake_at: Option<Timestamp>,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Committed {
    /// Written; the conversation's new revision (0 without one).
    Done { revision: i64 },
    /// The callback was known.
    Duplicate(Box<StoredInbound>),
    /// Somebody else changed the conversation since it was read; nothing was written.
    Conflict,
}

/// A message to a customer. Every one that ever goes out is a row here first.
#[derive(Debug, Clone, PartialEq)]
pub struct OutboxRow {
    /// Random, given by the server; lower-case hex.
    pub id: String,
    pub account: String,
    pub customer: String,
    pub conversation: String,
    /// Owner epoch it was decided under.
    pub epoch: u64,
    pub created_at: Timestamp,
    /// Order within a turn.
    pub position: u32,
    /// `yingda_engine::turn::Outgoing`, JSON.
    pub message: String,
    /// `bot`, `system` or `agent:<account>`.
    pub speaker: String,
    pub state: OutboxState,
    pub attempts: u32,
    /// Not before this time.
    pub due_at: Timestamp,
    /// Platform's error code and text of the last attempt, without secrets.
    pub last_error: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OutboxState {
    /// Went out in a callback's response.
    Passive,
    /// To be sent through the send API.
    Queued,
    /// In the hands of the send API; after a crash it is not sent a second time but reported.
    Sending,
    Sent,
    /// Waits for the customer's next callback (no permission, budget or window used up).
    Held,
    /// Older epoch, dropped.
    Stale,
    /// The platform refused it for good.
    Failed,
}

#[derive(Debug, Clone, PartialEq)]
pub struct OutboxUpdate {
    pub id: String,
    pub state: OutboxState,
    pub attempts: u32,
    pub due_at: Timestamp,
    pub last_error: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Default)]
pub struct ConversationFilter {
    pub account: Option<String>,
    /// `bot`, `queue` or `agent`.
    pub owner: Option<String>,
    pub limit: u32,
    pub offset: u32,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ConversationSummary {
    pub id: String,
    pub account: String,
    /// Masked by the caller where it leaves the server.
    pub customer: String,
    /// `bot`, `queue` or `agent:<account>`.
    pub owner: String,
    pub epoch: u64,
    pub turns: u32,
    pub updated_at: Timestamp,
    pub queue_group: Option<String>,
    pub queued_since: Option<Timestamp>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct TranscriptLine {
    pub at: Timestamp,
    /// `customer`, `bot`, `system` or `agent:<account>`.
    pub speaker: String,
    /// Event or message, JSON.
    pub body: String,
    /// For outgoing ones.
    pub state: Option<OutboxState>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct QueueLength {
    pub account: String,
    pub group: Option<String>,
    pub waiting: u32,
}

/// An audit row before it has a place in the chain.
#[derive(Debug, Clone, PartialEq)]
pub struct AuditEntry {
    pub at: Timestamp,
    pub account: String,
    /// Empty for what belongs to no conversation (publication, log-in, setting).
    pub conversation: String,
    /// `turn`, `handoff`, `send`, `publish`, `erase`, …
    pub kind: String,
    /// What happened and why, masked; JSON.
    pub body: String,
    /// What a replay needs, in clear (event, state before, surroundings); JSON. Erasure removes it and leaves its digest.
    pub sealed: Option<String>,
}

/// An audit row in the chain. `hash = SHA-256(prev ‖ seq ‖ at ‖ account ‖ conversation ‖ kind ‖ SHA-256(body) ‖ SHA-256(sealed))`,
/// each field length-prefixed; digests stay when bodies are erased.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AuditRow {
    pub seq: i64,
    pub at: Timestamp,
    pub account: String,
    pub conversation: String,
    pub kind: String,
    /// `None` once erased.
    pub body: Option<String>,
    pub body_digest: String,
    #[serde(skip)]
    pub sealed: Option<String>,
    pub sealed_digest: String,
    pub prev: String,
    pub hash: String,
}

/// A package as kept: its files in one blob.
#[derive(Debug, Clone, PartialEq)]
pub struct PackageRow {
    /// Content hash.
    pub version: String,
    /// `yingda_dsl::source::PackageFiles`, postcard.
    pub files: Vec<u8>,
    pub kept_at: Timestamp,
}

/// One swing of the pointer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Publication {
    pub account: String,
    pub version: String,
    pub at: Timestamp,
    /// Who: a token's name, or `startup`.
    pub by: String,
    /// Where it came from: `folder`, `api`, `rollback`.
    pub source: String,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    #[error("the database is locked by another process")]
    Locked,
    #[error("the disk is full")]
    DiskFull,
    #[error("the database cannot be written: {0}")]
    ReadOnly(String),
    #[error("a stored value cannot be read: {0}")]
    Corrupt(String),
    #[error("{0} is not a database of Yingda")]
    NotADatabase(String),
    #[error("there is no database {0}")]
    Missing(String),
    #[error("the database has schema {found}, older than this program reads ({known})")]
    OlderSchema { found: i64, known: i64 },
    #[error("the database has schema {found}, newer than this program knows ({known})")]
    NewerSchema { found: i64, known: i64 },
    #[error("package {0} is not kept here")]
    UnknownPackage(String),
    #[error("the store is closed")]
    Closed,
    #[error("database error: {0}")]
    Database(String),
}

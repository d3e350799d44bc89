//! From rows of tables to the values of the interface and back.

use jiff::Timestamp;
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;
use yingda_engine::conversation::{Conversation, Owner};

use crate::store::{
    AuditRow, ConversationSummary, Inbound, OutboxRow, OutboxState, PackageRow, Publication,
    StoreError, StoredConversation, StoredInbound, TranscriptLine,
};

pub(super) const INBOUND: &str = "account, dedupe_key, customer, conversation, received_at, \
     platform_at, event, envelope, done, reply";

pub(super) fn inbound(row: &SqliteRow) -> Result<StoredInbound, StoreError> {
    Ok(StoredInbound {
        inbound: Inbound {
            account: row.try_get("account")?,
            dedupe_key: row.try_get("dedupe_key")?,
            customer: row.try_get("customer")?,
            conversation: row.try_get("conversation")?,
            received_at: time(row, "received_at")?,
            platform_at: optional_time(row, "platform_at")?,
            event: row.try_get("event")?,
            envelope: row.try_get("envelope")?,
        },
        done: row.try_get("done")?,
        reply: row.try_get("reply")?,
    })
}

/// The conversation and the length of its stored state in bytes.
pub(super) fn conversation(row: &SqliteRow) -> Result<(StoredConversation, usize), StoreError> {
    let state: &str = row.try_get("state")?;
    let conversation: Conversation = serde_json::from_str(state)
        .map_err(|error| StoreError::Corrupt(format!("conversation: {error}")))?;
    let stored = StoredConversation {
        conversation,
        revision: row.try_get("revision")?,
    };
    Ok((stored, state.len()))
}

pub(super) fn summary(row: &SqliteRow) -> Result<ConversationSummary, StoreError> {
    Ok(ConversationSummary {
        id: row.try_get("id")?,
        account: row.try_get("account")?,
        customer: row.try_get("customer")?,
        owner: row.try_get("owner")?,
        epoch: row.try_get::<i64, _>("epoch")?.cast_unsigned(),
        turns: row.try_get("turns")?,
        updated_at: time(row, "updated_at")?,
        queue_group: row.try_get("queue_group")?,
        queued_since: optional_time(row, "queued_since")?,
    })
}

pub(super) fn outbox(row: &SqliteRow) -> Result<OutboxRow, StoreError> {
    Ok(OutboxRow {
        id: row.try_get("id")?,
        account: row.try_get("account")?,
        customer: row.try_get("customer")?,
        conversation: row.try_get("conversation")?,
        epoch: row.try_get::<i64, _>("epoch")?.cast_unsigned(),
        created_at: time(row, "created_at")?,
        position: row.try_get("position")?,
        message: row.try_get("message")?,
        speaker: row.try_get("speaker")?,
        state: parse_outbox_state(row.try_get("state")?)?,
        attempts: row.try_get("attempts")?,
        due_at: time(row, "due_at")?,
        last_error: row.try_get("last_error")?,
    })
}

pub(super) fn transcript_line(row: &SqliteRow) -> Result<TranscriptLine, StoreError> {
    Ok(TranscriptLine {
        at: time(row, "at")?,
        speaker: row.try_get("speaker")?,
        body: row.try_get("body")?,
        state: row
            .try_get::<Option<&str>, _>("state")?
            .map(parse_outbox_state)
            .transpose()?,
    })
}

pub(super) fn audit(row: &SqliteRow) -> Result<AuditRow, StoreError> {
    let digest = |column: &str| -> Result<String, StoreError> {
        Ok(hex::encode(row.try_get::<&[u8], _>(column)?))
    };
    Ok(AuditRow {
        seq: row.try_get("seq")?,
        at: time(row, "at")?,
        account: row.try_get("account")?,
        conversation: row.try_get("conversation")?,
        kind: row.try_get("kind")?,
        body: row.try_get("body")?,
        body_digest: digest("body_digest")?,
        sealed: row.try_get("sealed")?,
        sealed_digest: digest("sealed_digest")?,
        prev: digest("prev")?,
        hash: digest("hash")?,
    })
}

pub(super) fn package(row: &SqliteRow) -> Result<PackageRow, StoreError> {
    Ok(PackageRow {
        version: row.try_get("version")?,
        files: row.try_get("files")?,
        kept_at: time(row, "kept_at")?,
    })
}

pub(super) fn publication(row: &SqliteRow) -> Result<Publication, StoreError> {
    Ok(Publication {
        account: row.try_get("account")?,
        version: row.try_get("version")?,
        at: time(row, "at")?,
        by: row.try_get("by")?,
        source: row.try_get("source")?,
    })
}

/// `bot`, `queue` or `agent:<account>`.
pub(super) fn owner(owner: &Owner) -> String {
    match owner {
        Owner::Bot => "bot".to_owned(),
        Owner::Queue { .. } => "queue".to_owned(),
        Owner::Agent { agent } => format!("agent:{agent}"),
    }
}

pub(super) fn outbox_state(state: OutboxState) -> &'static str {
    match state {
        OutboxState::Passive => "passive",
        OutboxState::Queued => "queued",
        OutboxState::Sending => "sending",
        OutboxState::Sent => "sent",
        OutboxState::Held => "held",
        OutboxState::Stale => "stale",
        OutboxState::Failed => "failed",
    }
}

fn parse_outbox_state(text: &str) -> Result<OutboxState, StoreError> {
    Ok(match text {
        "passive" => OutboxState::Passive,
        "queued" => OutboxState::Queued,
        "sending" => OutboxState::Sending,
        "sent" => OutboxState::Sent,
        "held" => OutboxState::Held,
        "stale" => OutboxState::Stale,
        "failed" => OutboxState::Failed,
        other => return Err(StoreError::Corrupt(format!("outbox state {other:?}"))),
    })
}

fn time(row: &SqliteRow, column: &str) -> Result<Timestamp, StoreError> {
    timestamp(row.try_get(column)?)
}

fn optional_time(row: &SqliteRow, column: &str) -> Result<Option<Timestamp>, StoreError> {
    row.try_get::<Option<i64>, _>(column)?
        .map(timestamp)
        .transpose()
}

fn timestamp(microseconds: i64) -> Result<Timestamp, StoreError> {
    Timestamp::from_microsecond(microseconds)
        .map_err(|error| StoreError::Corrupt(format!("time {microseconds}: {error}")))
}

//! A batch of commits: which of them are written, and their rows.

use jiff::Timestamp;
use rustc_hash::FxHashMap;
use sqlx::sqlite::SqliteArguments;
use tokio::sync::oneshot;

use super::cache::Key;
use super::rows;
use super::statement::{Shape, Values};
use crate::audit::Head;
use crate::audit::chain::{self, Digest, Link};
use crate::store::{
    AuditEntry, Commit, Committed, ConversationWrite, FinishInbound, NewInbound, OutboxRow,
    OutboxUpdate, StoreError, StoredInbound,
};

/// A commit on its way, with all that can be worked out before its turn comes.
pub(super) struct Pending {
    pub commit: Commit,
    pub key: Option<Key>,
    /// The conversation's state, JSON.
    pub state: String,
    pub updated_at: Timestamp,
    pub digests: Vec<Digests>,
    pub reply: oneshot::Sender<Result<Committed, StoreError>>,
}

/// Digests of an audit entry's body and sealed part.
pub(super) struct Digests {
    body: Digest,
    sealed: Digest,
}

impl Digests {
    pub fn of(entry: &AuditEntry) -> Self {
        Self {
            body: chain::body_digest(&entry.body),
            sealed: chain::sealed_digest(entry.sealed.as_deref()),
        }
    }
}

impl Pending {
    pub fn new(
        commit: Commit,
        reply: oneshot::Sender<Result<Committed, StoreError>>,
    ) -> Result<Self, StoreError> {
        let conversation = commit
            .conversation
            .as_ref()
            .map(|write| &write.conversation);
        let state = match conversation {
            Some(conversation) => serde_json::to_string(conversation)
                .map_err(|error| StoreError::Database(format!("conversation: {error}")))?,
            None => String::new(),
        };
        let happened_at = commit
            .audit
            .first()
            .map(|entry| entry.at)
            .or_else(|| Some(commit.inbound.as_ref()?.inbound.received_at));
        Ok(Self {
            key: conversation.map(|it| Key::new(&it.account, &it.customer)),
            state,
            updated_at: happened_at.unwrap_or_else(Timestamp::now),
            digests: commit.audit.iter().map(Digests::of).collect(),
            commit,
            reply,
        })
    }

    /// Audit rows alone, whose answer nobody waits for.
    pub fn of_audit(entry: AuditEntry) -> Self {
        let (reply, _) = oneshot::channel();
        Self {
            key: None,
            state: String::new(),
            updated_at: entry.at,
            digests: vec![Digests::of(&entry)],
            commit: Commit {
                audit: vec![entry],
                ..Commit::default()
            },
            reply,
        }
    }
}

/// The conversation that a customer is in, as far as the writer cares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Current {
    /// Empty when there is none.
    pub id: String,
    pub revision: i64,
}

/// Callbacks of a batch that were stored before, by account and key.
pub(super) type Stored = FxHashMap<(String, String), StoredInbound>;

#[derive(Debug)]
pub(super) enum Verdict {
    Write { revision: i64 },
    Duplicate(Box<StoredInbound>),
    Conflict,
}

/// What a batch will do. Holds one verdict for each of the first commits; the rest belong to the next batch.
pub(super) struct Plan<'a> {
    pub verdicts: Vec<Verdict>,
    pub shape: Shape,
    /// Head of the chain after the batch.
    pub head: Head,
    inbox: Vec<&'a NewInbound>,
    finish: Vec<&'a FinishInbound>,
    retire: Vec<&'a str>,
    conversations: Vec<ConversationRow<'a>>,
    outbox: Vec<&'a OutboxRow>,
    outbox_updates: Vec<&'a OutboxUpdate>,
    audit: Vec<AuditLine<'a>>,
}

struct ConversationRow<'a> {
    write: &'a ConversationWrite,
    revision: i64,
    state: &'a str,
    updated_at: Timestamp,
}

struct AuditLine<'a> {
    entry: &'a AuditEntry,
    digests: &'a Digests,
    seq: i64,
    prev: Digest,
    hash: Digest,
}

impl<'a> Plan<'a> {
    /// Judge the commits in order, each as if those before it were written already.
    ///
    /// `current` has an entry for every key of the batch.
    pub fn new(
        batch: &'a [Pending],
        current: &'a FxHashMap<Key, Current>,
        stored: &Stored,
        head: Head,
    ) -> Self {
        let mut plan = Self {
            verdicts: Vec::with_capacity(batch.len()),
            shape: Shape::default(),
            head,
            inbox: Vec::with_capacity(batch.len()),
            finish: Vec::new(),
            retire: Vec::new(),
            conversations: Vec::with_capacity(batch.len()),
            outbox: Vec::with_capacity(batch.len()),
            outbox_updates: Vec::new(),
            audit: Vec::with_capacity(batch.len()),
        };
        // Index into `conversations` by key; index into `outbox_updates` by message.
        let mut written: FxHashMap<&Key, usize> = FxHashMap::default();
        let mut updated: FxHashMap<&str, usize> = FxHashMap::default();
        let mut inbound: FxHashMap<(&str, &str), &NewInbound> = FxHashMap::default();
        for pending in batch {
            let commit = &pending.commit;
            if let Some(new) = &commit.inbound {
                let key = (
                    new.inbound.account.as_str(),
                    new.inbound.dedupe_key.as_str(),
                );
                let known = match inbound.get(&key) {
                    Some(earlier) => Some(StoredInbound {
                        inbound: earlier.inbound.clone(),
                        done: earlier.done,
                        reply: earlier.reply.clone(),
                    }),
                    None if stored.is_empty() => None,
                    None => stored.get(&(key.0.to_owned(), key.1.to_owned())).cloned(),
                };
                if let Some(mut known) = known {
                    plan.finish_stored(&mut known);
                    plan.verdicts.push(Verdict::Duplicate(Box::new(known)));
                    continue;
                }
            }
            let mut revision = 0;
            if let (Some(write), Some(key)) = (&commit.conversation, &pending.key) {
                let earlier = written.get(key).copied();
                let now = match earlier.and_then(|index| plan.conversations.get(index)) {
                    Some(row) => (row.write.conversation.id.as_str(), row.revision),
                    None => current
                        .get(key)
                        .map_or(("", 0), |current| (current.id.as_str(), current.revision)),
                };
                if write.read_revision != now.1 {
                    plan.verdicts.push(Verdict::Conflict);
                    continue;
                }
                let next = now.0 != write.conversation.id;
                if next && earlier.is_some() {
                    // One row a conversation and statement: the next conversation of this customer starts the next batch.
                    break;
                }
                if next && !now.0.is_empty() {
                    plan.retire.push(now.0);
                }
                revision = now.1 + 1;
                let row = ConversationRow {
                    write,
                    revision,
                    state: &pending.state,
                    updated_at: pending.updated_at,
                };
                match earlier.and_then(|index| plan.conversations.get_mut(index)) {
                    Some(place) => *place = row,
                    None => {
                        written.insert(key, plan.conversations.len());
                        plan.conversations.push(row);
                    }
                }
            }
            if let Some(new) = &commit.inbound {
                inbound.insert(
                    (
                        new.inbound.account.as_str(),
                        new.inbound.dedupe_key.as_str(),
                    ),
                    new,
                );
                plan.inbox.push(new);
            }
            plan.finish.extend(&commit.finish_inbound);
            plan.outbox.extend(&commit.outbox);
            for update in &commit.outbox_updates {
                match updated.get(update.id.as_str()).copied() {
                    Some(index) => plan.outbox_updates[index] = update,
                    None => {
                        updated.insert(&update.id, plan.outbox_updates.len());
                        plan.outbox_updates.push(update);
                    }
                }
            }
            for (entry, digests) in commit.audit.iter().zip(&pending.digests) {
                plan.append(entry, digests);
            }
            plan.verdicts.push(Verdict::Write { revision });
        }
        plan.first_finish_wins();
        plan.shape = Shape {
            inbox: plan.inbox.len(),
            finish: plan.finish.len(),
            retire: plan.retire.len(),
            conversation: plan.conversations.len(),
            outbox: plan.outbox.len(),
            outbox_update: plan.outbox_updates.len(),
            audit: plan.audit.len(),
            publication: 0,
        };
        plan
    }

    fn append(&mut self, entry: &'a AuditEntry, digests: &'a Digests) {
        let seq = self.head.seq + 1;
        let prev = self.head.hash;
        let hash = Link {
            prev: &prev,
            seq,
            at: entry.at.as_microsecond(),
            account: &entry.account,
            conversation: &entry.conversation,
            kind: &entry.kind,
            body: &digests.body,
            sealed: &digests.sealed,
        }
        .hash();
        self.head = Head { seq, hash };
        self.audit.push(AuditLine {
            entry,
            digests,
            seq,
            prev,
            hash,
        });
    }

    /// What commits earlier in the batch decided for a callback.
    fn finish_stored(&self, known: &mut StoredInbound) {
        let decided = self.finish.iter().find(|finish| {
            finish.account == known.inbound.account && finish.dedupe_key == known.inbound.dedupe_key
        });
        if let (false, Some(finish)) = (known.done, decided) {
            known.done = true;
            known.reply.clone_from(&finish.reply);
        }
    }

    /// A callback is decided once; SQLite would take any of several rows.
    fn first_finish_wins(&mut self) {
        if self.finish.len() > 1 {
            let mut seen = rustc_hash::FxHashSet::default();
            self.finish
                .retain(|finish| seen.insert((&finish.account, &finish.dedupe_key)));
        }
    }

    /// Whether there is anything to write.
    pub fn is_empty(&self) -> bool {
        self.shape == Shape::default()
    }

    /// Values in the order of the shape's placeholders.
    pub fn values(&self) -> Result<SqliteArguments, sqlx::Error> {
        let mut values = Values::new(self.shape);
        for new in &self.inbox {
            let inbound = &new.inbound;
            values.push(inbound.account.as_str())?;
            values.push(inbound.dedupe_key.as_str())?;
            values.push(inbound.customer.as_str())?;
            values.push(inbound.conversation.as_str())?;
            values.push(inbound.received_at.as_microsecond())?;
            values.push(inbound.platform_at.map(Timestamp::as_microsecond))?;
            values.push(inbound.event.as_str())?;
            values.push(inbound.envelope.as_str())?;
            values.push(new.done)?;
            values.push(new.reply.as_deref())?;
        }
        values.pad(10, self.inbox.len())?;
        for finish in &self.finish {
            values.push(finish.account.as_str())?;
            values.push(finish.dedupe_key.as_str())?;
            values.push(finish.reply.as_deref())?;
        }
        values.pad(3, self.finish.len())?;
        for id in &self.retire {
            values.push(*id)?;
        }
        values.pad(1, self.retire.len())?;
        for row in &self.conversations {
            let conversation = &row.write.conversation;
            let queue = conversation.queue.as_ref();
            values.push(conversation.id.as_str())?;
            values.push(conversation.account.as_str())?;
            values.push(conversation.customer.as_str())?;
            values.push(row.revision)?;
            values.push(rows::owner(&conversation.owner))?;
            values.push(conversation.epoch.cast_signed())?;
            values.push(conversation.turns)?;
            values.push(row.updated_at.as_microsecond())?;
            values.push(row.write.wake_at.map(Timestamp::as_microsecond))?;
            values.push(queue.and_then(|queue| queue.group.as_deref()))?;
            values.push(queue.map(|queue| queue.since.as_microsecond()))?;
            values.push(row.state)?;
        }
        values.pad(12, self.conversations.len())?;
        for row in &self.outbox {
            values.push(row.id.as_str())?;
            values.push(row.account.as_str())?;
            values.push(row.customer.as_str())?;
            values.push(row.conversation.as_str())?;
            values.push(row.epoch.cast_signed())?;
            values.push(row.created_at.as_microsecond())?;
            values.push(row.position)?;
            values.push(row.message.as_str())?;
            values.push(row.speaker.as_str())?;
            values.push(rows::outbox_state(row.state))?;
            values.push(row.attempts)?;
            values.push(row.due_at.as_microsecond())?;
            values.push(row.last_error.as_deref())?;
        }
        values.pad(13, self.outbox.len())?;
        for update in &self.outbox_updates {
            values.push(update.id.as_str())?;
            values.push(rows::outbox_state(update.state))?;
            values.push(update.attempts)?;
            values.push(update.due_at.as_microsecond())?;
            values.push(update.last_error.as_deref())?;
        }
        values.pad(5, self.outbox_updates.len())?;
        for line in &self.audit {
            values.push(line.seq)?;
            values.push(line.entry.at.as_microsecond())?;
            values.push(line.entry.account.as_str())?;
            values.push(line.entry.conversation.as_str())?;
            values.push(line.entry.kind.as_str())?;
            values.push(line.entry.body.as_str())?;
            values.push(line.digests.body.as_slice())?;
            values.push(line.entry.sealed.as_deref())?;
            values.push(line.digests.sealed.as_slice())?;
            values.push(line.prev.as_slice())?;
            values.push(line.hash.as_slice())?;
        }
        values.pad(11, self.audit.len())?;
        Ok(values.arguments)
    }
}

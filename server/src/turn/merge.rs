//! Fragments: messages of one customer within a set pause are one turn, the last carries the reply.

use std::sync::Arc;
use std::time::Duration;

use super::dispatch::Dispatcher;
use super::lane::LaneKey;
use super::slot::Reply;
use super::task::{Done, Fragment, Memory, Open, RunError, Task, new_id, text_event};
use crate::account::Account;
use crate::store::{Commit, Committed, NewInbound};

/// Fragments of one turn; the pause of a steady typist must not last for ever.
const MAX_FRAGMENTS: usize = 10;

impl Dispatcher {
    /// Keep a message durably and wait for the next one.
    pub(super) async fn fragment(
        self: &Arc<Self>,
        account: &Arc<Account>,
        key: &LaneKey,
        mut fragment: Fragment,
        pause_ms: u64,
        memory: &mut Memory,
    ) -> Result<Done, RunError> {
        fragment.inbound.conversation = match memory.fragments.first() {
            Some(first) => first.inbound.conversation.clone(),
            None => match self.parts.store.conversation(&key.0, &key.1).await? {
                Some(stored) if !stored.conversation.closed => stored.conversation.id,
                // The turn will open a conversation under this id.
                _ => new_id(self.parts.clock.now()),
            },
        };
        let commit = Commit {
            inbound: Some(NewInbound {
                inbound: fragment.inbound.clone(),
                done: false,
                reply: None,
            }),
            ..Commit::default()
        };
        match self.parts.store.commit(commit).await? {
            Committed::Done { .. } => {}
            Committed::Duplicate(stored) => return Ok(Done::Duplicate(stored)),
            Committed::Conflict => return Err(RunError::Conflict),
        }
        fragment.slot.mark_stored();
        if let Some(earlier) = memory.fragments.last() {
            earlier.slot.finish(Reply::Ack);
            self.claims
                .release(&account.id, &earlier.inbound.dedupe_key);
        }
        memory.fragments.push(fragment);
        memory.pause += 1;
        if memory.fragments.len() >= MAX_FRAGMENTS {
            self.flush(account, key, memory).await;
        } else {
            self.start_pause(key.clone(), memory.pause, Duration::from_millis(pause_ms));
        }
        Ok(Done::Nothing)
    }

    /// The pause is over: all fragments are one turn, the last carries the reply.
    pub(super) async fn flush(
        self: &Arc<Self>,
        account: &Arc<Account>,
        key: &LaneKey,
        memory: &mut Memory,
    ) {
        let mut fragments = std::mem::take(&mut memory.fragments);
        let Some(last) = fragments.pop() else { return };
        memory.pause += 1;
        let mut texts: Vec<&str> = fragments
            .iter()
            .map(|fragment| fragment.text.as_str())
            .collect();
        texts.push(&last.text);
        let event = text_event(&texts.join("\n"));
        let dedupe_key = last.inbound.dedupe_key.clone();
        let slot = last.slot.clone();
        let task = Task {
            grant: last.grant,
            carrier: Some(Open {
                slot: last.slot,
                inbound: last.inbound,
            }),
            merged: fragments
                .into_iter()
                .map(|fragment| fragment.inbound)
                .collect(),
            ..Task::of(event)
        };
        if let Err(error) = self.decide(account, key, task, memory).await {
            tracing::error!(account = account.id, %error, "merged messages could not be decided");
            self.give_up(&account.id, &dedupe_key, &slot);
        }
    }
}

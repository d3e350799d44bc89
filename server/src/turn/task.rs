//! A decision to be made: the event, and the callback that can carry its reply.

use std::sync::Arc;

use jiff::Timestamp;
use yingda_engine::event::{Event, Message};

use super::slot::ReplySlot;
use crate::package::PackageError;
use crate::store::{Inbound, OutboxRow, StoreError, StoredInbound};
use crate::wechat::budget::BudgetGrant;

/// What a lane remembers between jobs.
#[derive(Default)]
pub struct Memory {
    /// The callback that waits for a connector.
    pub(super) open: Option<Open>,
    /// Messages that wait for the pause, oldest first.
    pub(super) fragments: Vec<Fragment>,
    /// Counts fragments, so that an old pause ends nothing.
    pub(super) pause: u64,
}

impl Memory {
    pub fn is_empty(&self) -> bool {
        self.open.is_none() && self.fragments.is_empty()
    }
}

pub(super) struct Open {
    pub(super) slot: Arc<ReplySlot>,
    pub(super) inbound: Inbound,
}

pub(super) struct Fragment {
    pub(super) slot: Arc<ReplySlot>,
    pub(super) inbound: Inbound,
    pub(super) text: String,
    pub(super) grant: Option<BudgetGrant>,
}

/// One decision to be made and what belongs to it.
pub(super) struct Task {
    pub(super) event: Event,
    pub(super) grant: Option<BudgetGrant>,
    /// The callback that can carry the reply.
    pub(super) carrier: Option<Open>,
    /// The carrier's callback is new to the store.
    pub(super) new: bool,
    /// Kept callbacks that this turn answers without content.
    pub(super) merged: Vec<Inbound>,
    /// Text of a person, sent beside (or instead of) what the engine decides.
    pub(super) says: Option<(String, String)>,
    /// Kept for the next contact by the send API's answer.
    pub(super) kept: Option<(Box<OutboxRow>, String, bool)>,
    /// Kind of the audit row.
    pub(super) kind: &'static str,
}

impl Task {
    pub(super) fn of(event: Event) -> Self {
        Self {
            event,
            grant: None,
            carrier: None,
            new: false,
            merged: Vec::new(),
            says: None,
            kept: None,
            kind: "turn",
        }
    }
}

/// What became of a task.
pub(super) enum Done {
    Committed,
    /// The callback had been decided before.
    Duplicate(Box<StoredInbound>),
    /// The event no longer fits the conversation (a connector's answer nobody waits for).
    Nothing,
}

#[derive(Debug, thiserror::Error)]
pub(super) enum RunError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Package(#[from] PackageError),
    #[error("the conversation kept changing while it was decided")]
    Conflict,
    #[error("the account has no package")]
    NoPackage,
}

pub(super) fn message_text(event: &Event) -> Option<String> {
    match event {
        Event::Message(message) => Some(message.text.clone()),
        _ => None,
    }
}

pub(super) fn text_event(text: &str) -> Event {
    Event::Message(Message {
        kind: yingda_dsl::program::MessageKind::Text,
        text: text.to_string(),
        menu_id: None,
        attachment: Default::default(),
    })
}

/// 48 bits of time (milliseconds) and 48 of chance, lower-case hex: ids made together lie together in an index.
pub(super) fn new_id(now: Timestamp) -> String {
    let time = now.as_millisecond().to_be_bytes();
    let chance: [u8; 6] = rand::random();
    let mut id = hex::encode(&time[2..]);
    id.push_str(&hex::encode(chance));
    id
}

//! What a conversation's queue holds.

use std::sync::Arc;

use tokio::sync::oneshot;
use yingda_engine::event::{Event, Outcome};

use super::slot::ReplySlot;
use crate::store::Inbound;
use crate::wechat::budget::BudgetGrant;

/// Something to do for one conversation.
#[derive(Debug)]
pub enum Job {
    /// A callback came.
    Callback(Box<CallbackJob>),
    /// A connector answered.
    CallDone { call: u64, outcome: Outcome },
    /// The pause after the last fragment is over; `last` tells whether another came meanwhile.
    PauseOver { last: u64 },
    /// `wake_at` has come.
    Wake,
    /// Callbacks that were kept without a turn before a restart.
    Recover(Vec<Inbound>),
    /// A person (or the send API's answer) does something.
    Desk {
        action: DeskAction,
        done: oneshot::Sender<Result<(), DeskError>>,
    },
}

#[derive(Debug)]
pub struct CallbackJob {
    pub inbound: Inbound,
    pub event: Event,
    pub grant: Option<BudgetGrant>,
    pub slot: Arc<ReplySlot>,
}

/// What people do with a conversation through the API.
#[derive(Debug, Clone, PartialEq)]
pub enum DeskAction {
    /// Take it over.
    Take {
        agent: String,
    },
    /// Say something as the owner.
    Say {
        agent: String,
        text: String,
    },
    /// Give it back to the bot.
    Return {
        agent: String,
    },
    Close {
        agent: String,
    },
    /// Erase what this customer said and was told; the reason goes into the audit row.
    Erase {
        reason: String,
    },
    /// The send API could not carry a message: keep it for the next contact.
    Keep {
        row: Box<crate::store::OutboxRow>,
        error: String,
        window_closed: bool,
    },
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DeskError {
    #[error("no such conversation")]
    Unknown,
    #[error("the conversation belongs to {0}")]
    NotYours(String),
    #[error("the store did not take it: {0}")]
    Store(String),
}

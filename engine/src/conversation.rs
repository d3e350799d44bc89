//! A conversation between turns: everything the next decision depends on.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use yingda_dsl::program::Value;

use crate::event::Message;
use crate::turn::Outgoing;

/// The state of one customer's conversation on one account. Serialised into one column; unknown fields of an
/// older version take their defaults.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Conversation {
    /// Given by the server; named in audit rows and commands.
    pub id: String,
    pub account: String,
    /// The channel's id of the customer (openid).
    pub customer: String,
    pub owner: Owner,
    /// Grows at every change of owner; a send decided under an older epoch is dropped.
    pub epoch: u64,
    /// Package version (content hash) the open flow runs under; `None` when no flow is open.
    pub version: Option<String>,
    /// Waiting routines, innermost last; at most 3, none twice.
    pub stack: Vec<Frame>,
    /// Slots and variables.
    pub variables: BTreeMap<String, Value>,
    /// Connector results by name, then by field.
    pub results: BTreeMap<String, BTreeMap<String, Value>>,
    /// Attributes of the customer; they outlive the conversation.
    pub attributes: BTreeMap<String, Value>,
    pub tags: BTreeSet<String>,
    /// Customer turns so far.
    pub turns: u32,
    /// Unrecognised customer turns in a row.
    pub unrecognized: u32,
    /// Id of the FAQ entry answered last.
    pub last_answer: Option<String>,
    /// Numbered choices offered outside a menu (related questions, did you mean): FAQ ids by number from 1.
    pub offered: Vec<String>,
    /// The queue it stands in, while [`Owner::Queue`].
    pub queue: Option<Queued>,
    /// Connector call in flight.
    pub pending_call: Option<PendingCall>,
    /// Calls made so far: the source of [`PendingCall::id`].
    pub calls: u64,
    /// Calls since the customer last did anything; too many are a package gone astray.
    pub calls_in_a_row: u32,
    /// What the customer said while a call was in flight, decided after its result.
    pub held: Vec<Message>,
    /// A message that belongs elsewhere while a flow that asks first (可打断 询问) was waiting: decided once the
    /// customer has said which.
    pub choosing: Option<Message>,
    /// Experiment arms fixed for this customer (tests and guards), by experiment name.
    pub arms: BTreeMap<String, String>,
    /// Send budget the channel grants.
    pub budget: Budget,
    /// Messages the channel could not carry yet, oldest first; they go out with the next message that can.
    pub unsent: Vec<Unsent>,
    /// What it waits for was asked by a timer and is still among [`Conversation::unsent`]: the next message cannot be the answer.
    pub unasked: bool,
    /// Seen before this conversation (false: first contact ever).
    pub seen_before: bool,
    /// Scene of the code that brought the customer.
    pub scene: Option<String>,
    pub opened_at: Option<Timestamp>,
    pub last_customer_at: Option<Timestamp>,
    pub closed: bool,
}

/// A message that waits for a way to the customer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Unsent {
    pub message: Outgoing,
    /// `bot`, `system` or `agent:<account>`.
    pub speaker: String,
}

/// Who speaks to the customer.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Owner {
    #[default]
    Bot,
    /// Waiting for a person of this skill group (`None`: any).
    Queue { group: Option<String> },
    /// A person: the agent's account.
    Agent { agent: String },
}

/// A routine that waits for the customer (or for a connector).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Frame {
    /// [`yingda_dsl::program::Routine::key`].
    pub routine: String,
    pub pc: usize,
    /// Hash of the step it waits at: tells whether it is unchanged in another version.
    pub step_hash: u64,
    /// Wrong answers so far at this step.
    pub misses: u8,
    /// The value that waits for 确认.
    pub confirming: Option<String>,
    /// Menus passed on the way here, for `0`: routine key and step.
    pub trail: Vec<(String, usize)>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Queued {
    pub group: Option<String>,
    pub since: Timestamp,
    pub urgent: bool,
    pub reason: String,
    /// When the wait is over, and where to go on: routine key and step.
    pub over: Option<QueueOver>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueueOver {
    pub at: Timestamp,
    pub routine: String,
    pub pc: usize,
    /// Hash of that step: in a version where it is another, the skill group's own limit takes its place.
    #[serde(default)]
    pub step_hash: u64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PendingCall {
    /// Unique within the conversation; the result must name it.
    pub id: u64,
    pub connector: String,
    pub arguments: BTreeMap<String, Value>,
    pub deadline: Timestamp,
    /// The customer has been told to wait.
    #[serde(default)]
    pub told: bool,
}

/// Messages that may still be sent outside a callback's response, and until when.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Budget {
    pub left: u8,
    pub until: Option<Timestamp>,
}

//! What can happen to a conversation.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use yingda_dsl::program::{MessageKind, Value};

/// One thing that happened, as the engine sees it: no channel's wire format, no ids of a platform.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Event {
    /// A message of the customer.
    Message(Message),
    /// 关注
    Subscribe {
        scene: Option<String>,
    },
    Unsubscribe,
    /// 扫码
    Scan {
        scene: String,
    },
    /// 点击菜单
    MenuClick {
        key: String,
    },
    /// 进入会话
    Enter {
        scene: Option<String>,
    },
    /// A rating of the service, 1–5.
    Rating {
        score: u8,
        text: Option<String>,
    },
    /// The result of the call that the conversation waits for.
    ConnectorResult {
        call: u64,
        outcome: Outcome,
    },
    /// Time has passed: queue limits, idle close. Carries no time of its own: `now` is an argument.
    Timer,
    /// A person took the conversation.
    AgentJoined {
        agent: String,
    },
    /// The conversation went from one person to another.
    AgentChanged {
        agent: String,
    },
    /// The person closed it or gave it back.
    AgentLeft,
    /// Closed (by a person, by silence).
    Closed,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Message {
    pub kind: MessageKind,
    /// Text, or a voice message's transcript; empty for other kinds.
    pub text: String,
    /// Id of a tapped menu item.
    pub menu_id: Option<String>,
    /// Media id, link, label, … of other kinds, for tickets and agents.
    pub attachment: BTreeMap<String, String>,
}

impl Message {
    /// Words, written or spoken.
    pub fn is_text(&self) -> bool {
        !self.text.trim().is_empty()
    }

    /// The text, or the name of the kind in brackets.
    pub fn shown(&self) -> String {
        match self.is_text() {
            true => self.text.clone(),
            false => format!("[{}]", crate::evaluate::kind_name(self.kind)),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "result", rename_all = "snake_case")]
pub enum Outcome {
    Success { fields: BTreeMap<String, Value> },
    Failure { reason: String },
    Timeout,
}

/// What the service looks like at this moment: figures that conditions may ask for.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct ServiceState {
    /// By skill group name.
    pub groups: BTreeMap<String, GroupState>,
}

#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct GroupState {
    /// Waiting now.
    pub waiting: u32,
    pub agents_online: u32,
    /// Share of capacity in use, 0–1.
    pub load: f64,
    /// Mean handling time, seconds.
    pub mean_handling_s: u32,
}

/// What a channel can do; differences between channels reach the engine as this, never as names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Capabilities {
    /// As rules may ask for it with 渠道.
    pub channel: String,
    /// UTF-8 bytes of one text.
    pub max_text_bytes: usize,
    pub kinds: Vec<MessageKind>,
}

/// The surroundings of a turn, all given.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Surroundings {
    pub now: Timestamp,
    pub service: ServiceState,
    pub capabilities: Capabilities,
}

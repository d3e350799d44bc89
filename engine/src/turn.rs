//! What the engine proposes: effects, their explanation and the next state. The server performs it.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use yingda_dsl::program::{MessageKind, Urgency, Value};

use crate::conversation::Conversation;
use crate::explanation::Explanation;
use yingda_models::understanding::Understanding;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Turn {
    pub effects: Vec<Effect>,
    pub explanation: Explanation,
    pub next: Conversation,
    /// What the message was read as; `None` for events that are no message.
    pub understanding: Option<Understanding>,
    /// FAQ candidates, best first; empty where the route never came to ask.
    pub faq: Vec<FaqScore>,
}

/// An FAQ candidate with its calibrated score, 0–1.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FaqScore {
    pub id: String,
    pub score: f64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "effect", rename_all = "snake_case")]
pub enum Effect {
    Send {
        message: Outgoing,
    },
    /// The turn is suspended until the result comes back as an event.
    Call {
        id: u64,
        connector: String,
        arguments: BTreeMap<String, Value>,
        timeout_ms: u64,
    },
    /// A person is wanted; `next.owner` is the queue already. `group` is `None` for 专属客服.
    Handoff {
        group: Option<String>,
        urgency: Urgency,
        reason: String,
        note: Option<String>,
    },
    /// The bot takes the conversation back.
    ReturnToBot,
    Tag {
        tag: String,
    },
    Untag {
        tag: String,
    },
    Note {
        text: String,
    },
    Ticket {
        title: String,
        body: String,
    },
    Notify {
        webhook: String,
        text: String,
    },
    /// Something a person should look at (拦截, a flow that hit the step cap).
    Alert {
        reason: String,
    },
    Close,
}

/// A message to the customer, before the gate and before any channel's format.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Outgoing {
    Text {
        text: String,
    },
    Media {
        media_kind: MessageKind,
        media: String,
    },
    News {
        title: String,
        description: String,
        url: String,
        picture: Option<String>,
    },
    MiniProgram {
        title: String,
        app_id: String,
        path: String,
        thumb: String,
    },
    /// Numbered choices; ids are decimal numbers as WeChat wants them.
    Menu {
        head: String,
        items: Vec<(String, String)>,
        tail: String,
    },
}

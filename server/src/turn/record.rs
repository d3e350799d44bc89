//! The audit row of a turn: what happened and why, masked; and, sealed, what a replay needs.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use yingda_dsl::program::Value;
use yingda_engine::conversation::{Conversation, Owner};
use yingda_engine::event::{Event, Message, Outcome, Surroundings};
use yingda_engine::explanation::Explanation;
use yingda_engine::turn::{Effect, Outgoing, Turn};
use yingda_models::mask;

use crate::outbox::Carried;

/// What [`yingda_engine::Bot::decide`] was given, in clear: with the package it makes the turn again, bit for bit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sealed<'a> {
    /// Package version.
    pub version: Cow<'a, str>,
    /// Fingerprint of the models.
    pub models: Cow<'a, str>,
    pub event: Cow<'a, Event>,
    pub before: Cow<'a, Conversation>,
    pub around: Cow<'a, Surroundings>,
}

/// The masked body.
pub fn body(
    event: &Event,
    turn: &Turn,
    carried: Option<&Carried>,
    unsent: usize,
    alerts: &[String],
) -> String {
    let explanation = &turn.explanation;
    let body = Body {
        event: masked_event(event),
        version: &explanation.version,
        stage: explanation.stage.as_deref(),
        rule: explanation.rule.as_deref(),
        explanation,
        effects: turn.effects.iter().map(masked_effect).collect(),
        reply: carried.map(carried_text),
        owner: &turn.next.owner,
        epoch: turn.next.epoch,
        intent: turn.understanding.as_ref().map(|understanding| ReadIntent {
            label: understanding.intent.label.as_deref().unwrap_or("unknown"),
            confidence: understanding.intent.confidence,
        }),
        unsent,
        alerts,
    };
    serde_json::to_string(&body).unwrap_or_default()
}

/// The body of a `turn` row.
#[derive(Serialize)]
struct Body<'a> {
    event: Event,
    version: &'a str,
    stage: Option<&'a str>,
    rule: Option<&'a str>,
    explanation: &'a Explanation,
    effects: Vec<Effect>,
    /// What the callback's response carried, as the customer sees it.
    reply: Option<String>,
    owner: &'a Owner,
    epoch: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    intent: Option<ReadIntent<'a>>,
    /// Messages that nothing could carry.
    #[serde(skip_serializing_if = "is_zero")]
    unsent: usize,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    alerts: &'a [String],
}

#[derive(Serialize)]
struct ReadIntent<'a> {
    label: &'a str,
    confidence: f64,
}

fn is_zero(count: &usize) -> bool {
    *count == 0
}

/// The event without personal data, in the same shape.
pub fn masked_event(event: &Event) -> Event {
    match event {
        Event::Message(message) => Event::Message(Message {
            text: mask(&message.text),
            attachment: BTreeMap::new(),
            ..message.clone()
        }),
        Event::ConnectorResult { call, outcome } => {
            let outcome = match outcome {
                Outcome::Success { fields } => Outcome::Success {
                    fields: masked_values(fields),
                },
                Outcome::Failure { reason } => Outcome::Failure {
                    reason: mask(reason),
                },
                Outcome::Timeout => Outcome::Timeout,
            };
            Event::ConnectorResult {
                call: *call,
                outcome,
            }
        }
        Event::Rating { score, text } => Event::Rating {
            score: *score,
            text: text.as_deref().map(mask),
        },
        other => other.clone(),
    }
}

/// The effect without personal data, in the same shape.
fn masked_effect(effect: &Effect) -> Effect {
    match effect {
        Effect::Send { message } => Effect::Send {
            message: masked_message(message),
        },
        Effect::Call {
            id,
            connector,
            arguments,
            timeout_ms,
        } => Effect::Call {
            id: *id,
            connector: connector.clone(),
            arguments: masked_values(arguments),
            timeout_ms: *timeout_ms,
        },
        Effect::Handoff {
            group,
            urgency,
            reason,
            note,
        } => Effect::Handoff {
            group: group.clone(),
            urgency: *urgency,
            reason: mask(reason),
            note: note.as_deref().map(mask),
        },
        Effect::Note { text } => Effect::Note { text: mask(text) },
        Effect::Ticket { title, body } => Effect::Ticket {
            title: mask(title),
            body: mask(body),
        },
        Effect::Notify { webhook, text } => Effect::Notify {
            webhook: webhook.clone(),
            text: mask(text),
        },
        Effect::Alert { reason } => Effect::Alert {
            reason: mask(reason),
        },
        other => other.clone(),
    }
}

fn masked_values(values: &BTreeMap<String, Value>) -> BTreeMap<String, Value> {
    let masked = |value: &Value| match value {
        Value::Text(text) => Value::Text(mask(text)),
        other => other.clone(),
    };
    values
        .iter()
        .map(|(name, value)| (name.clone(), masked(value)))
        .collect()
}

fn masked_message(message: &Outgoing) -> Outgoing {
    match message {
        Outgoing::Text { text } => Outgoing::Text { text: mask(text) },
        Outgoing::Menu { head, items, tail } => Outgoing::Menu {
            head: mask(head),
            items: items.clone(),
            tail: mask(tail),
        },
        other => other.clone(),
    }
}

fn carried_text(carried: &Carried) -> String {
    match carried {
        Carried::Message(message) => mask(&yingda_engine::render::reply_text(message)),
        Carried::Transfer => "transfer_customer_service".into(),
    }
}

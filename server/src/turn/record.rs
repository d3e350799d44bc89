//! The audit row of a turn: what happened and why, masked; and, sealed, what a replay needs.

use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use yingda_engine::conversation::Conversation;
use yingda_engine::event::{Event, Surroundings};
use yingda_engine::turn::{Effect, Outgoing, Turn};

use crate::outbox::Carried;

/// What [`yingda_engine::Bot::decide`] was given, in clear: with the package it makes the turn again, bit for bit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sealed {
    /// Package version.
    pub version: String,
    /// Fingerprint of the models.
    pub models: String,
    pub event: Event,
    pub before: Conversation,
    pub around: Surroundings,
}

/// The masked body.
pub fn body(
    event: &Event,
    turn: &Turn,
    carried: Option<&Carried>,
    unsent: usize,
    alerts: &[String],
) -> String {
    let effects: Vec<Json> = turn.effects.iter().map(effect).collect();
    let mut body = json!({
        "event": masked_event(event),
        "version": turn.explanation.version,
        "stage": turn.explanation.stage,
        "rule": turn.explanation.rule,
        "explanation": turn.explanation,
        "effects": effects,
        "reply": carried.map(carried_text),
        "owner": turn.next.owner,
        "epoch": turn.next.epoch,
    });
    if let Some(understanding) = &turn.understanding {
        body["intent"] = json!({
            "label": understanding.intent.label.as_deref().unwrap_or("unknown"),
            "confidence": understanding.intent.confidence,
        });
    }
    if unsent > 0 {
        body["unsent"] = json!(unsent);
    }
    if !alerts.is_empty() {
        body["alerts"] = json!(alerts);
    }
    body.to_string()
}

/// The event without personal data.
pub fn masked_event(event: &Event) -> Json {
    match event {
        Event::Message(message) => json!({
            "type": "message",
            "kind": message.kind,
            "text": yingda_models::mask(&message.text),
        }),
        Event::ConnectorResult { call, outcome } => {
            let result = match outcome {
                yingda_engine::event::Outcome::Success { .. } => json!("success"),
                yingda_engine::event::Outcome::Failure { reason } => {
                    json!({ "failure": yingda_models::mask(reason) })
                }
                yingda_engine::event::Outcome::Timeout => json!("timeout"),
            };
            json!({ "type": "connector_result", "call": call, "result": result })
        }
        Event::Rating { score, text } => {
            json!({ "type": "rating", "score": score, "text": text.as_deref().map(yingda_models::mask) })
        }
        other => serde_json::to_value(other).unwrap_or(Json::Null),
    }
}

fn effect(effect: &Effect) -> Json {
    match effect {
        Effect::Send { message } => json!({ "effect": "send", "text": masked_text(message) }),
        Effect::Call { id, connector, .. } => {
            json!({ "effect": "call", "id": id, "connector": connector })
        }
        Effect::Handoff {
            group,
            urgency,
            reason,
            note,
        } => json!({
            "effect": "handoff", "group": group, "urgency": urgency,
            "reason": yingda_models::mask(reason), "note": note.as_deref().map(yingda_models::mask),
        }),
        Effect::Note { text } => json!({ "effect": "note", "text": yingda_models::mask(text) }),
        Effect::Ticket { title, body } => json!({
            "effect": "ticket", "title": yingda_models::mask(title), "body": yingda_models::mask(body),
        }),
        Effect::Notify { webhook, text } => {
            json!({ "effect": "notify", "webhook": webhook, "text": yingda_models::mask(text) })
        }
        other => serde_json::to_value(other).unwrap_or(Json::Null),
    }
}

fn carried_text(carried: &Carried) -> String {
    match carried {
        Carried::Message(message) => masked_text(message),
        Carried::Transfer => "transfer_customer_service".into(),
    }
}

fn masked_text(message: &Outgoing) -> String {
    yingda_models::mask(&yingda_engine::render::reply_text(message))
}

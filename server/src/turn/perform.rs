//! What the engine proposed besides messages, performed once it is durable.

use std::sync::Arc;
use std::time::Duration;

use yingda_engine::conversation::Conversation;
use yingda_engine::turn::{Effect, Turn};

use super::decide::result_fields;
use super::dispatch::Dispatcher;
use super::lane::LaneKey;
use crate::account::Account;
use crate::connector::CallRequest;
use crate::package::Loaded;

impl Dispatcher {
    /// What the engine proposed besides messages, after it is durable.
    pub(super) fn perform(
        self: &Arc<Self>,
        account: &Account,
        key: &LaneKey,
        turn: &Turn,
        loaded: &Loaded,
        next: &Conversation,
    ) {
        for effect in &turn.effects {
            match effect {
                Effect::Call {
                    id,
                    connector,
                    arguments,
                    timeout_ms,
                } => {
                    let request = CallRequest {
                        account: key.0.clone(),
                        conversation: next.id.clone(),
                        connector: connector.clone(),
                        arguments: arguments.clone(),
                        timeout: Duration::from_millis(*timeout_ms),
                        result: result_fields(loaded, connector),
                    };
                    self.start_call(key.clone(), *id, request);
                }
                Effect::Notify { webhook, text } => {
                    self.parts
                        .webhooks
                        .send(webhook, &account.id, &next.id, text);
                }
                Effect::Handoff { .. } => {
                    metrics::counter!("yingda_handoffs_total", "account" => account.id.clone())
                        .increment(1);
                }
                Effect::Alert { reason } => {
                    metrics::counter!("yingda_alerts_total", "account" => account.id.clone())
                        .increment(1);
                    tracing::warn!(
                        account = account.id,
                        conversation = next.id,
                        reason,
                        "alert"
                    );
                }
                _ => {}
            }
        }
        let stage = turn.explanation.stage.clone().unwrap_or_default();
        metrics::counter!("yingda_turns_total", "account" => account.id.clone(), "stage" => stage)
            .increment(1);
    }
}

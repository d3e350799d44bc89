//! Callbacks that were kept without a turn, taken up after a restart.

use std::sync::Arc;
use std::time::Duration;

use yingda_engine::conversation::{Conversation, PendingCall};
use yingda_engine::event::Event;

use super::decide::result_fields;
use super::dispatch::Dispatcher;
use super::lane::LaneKey;
use super::slot::{Late, ReplySlot};
use super::task::{Memory, Open, Task, message_text, text_event};
use crate::account::Account;
use crate::connector::CallRequest;
use crate::store::Inbound;
use crate::wechat::inbound;

impl Dispatcher {
    pub(super) async fn recover_lane(
        self: &Arc<Self>,
        account: &Arc<Account>,
        key: &LaneKey,
        inbounds: Vec<Inbound>,
        memory: &mut Memory,
    ) {
        let with_slots = inbounds
            .into_iter()
            .map(|inbound| (inbound, None))
            .collect();
        self.resume(account, key, with_slots, memory).await;
    }

    /// Take up callbacks that are kept without a turn.
    pub(super) async fn resume(
        self: &Arc<Self>,
        account: &Arc<Account>,
        key: &LaneKey,
        inbounds: Vec<(Inbound, Option<Arc<ReplySlot>>)>,
        memory: &mut Memory,
    ) {
        let now = self.parts.clock.now();
        let age = |inbound: &Inbound| now.duration_since(inbound.received_at).unsigned_abs();
        let slot_for = |inbound: &Inbound, slot: Option<Arc<ReplySlot>>| {
            slot.unwrap_or_else(|| {
                let opened = tokio::time::Instant::now()
                    .checked_sub(age(inbound))
                    .unwrap_or_else(tokio::time::Instant::now);
                let slot = ReplySlot::opened_at(account.late(), opened);
                slot.mark_stored();
                if account.late() == Late::SendApi {
                    // The platform got no answer from the process that died; what comes now is sent.
                    slot.close();
                }
                Arc::new(slot)
            })
        };
        let stored = match self.parts.store.conversation(&key.0, &key.1).await {
            Ok(stored) => stored,
            Err(error) => {
                tracing::error!(%error, "kept callbacks cannot be taken up");
                return;
            }
        };
        let pending = stored
            .as_ref()
            .and_then(|stored| stored.conversation.pending_call.clone());
        if let (Some(pending), Some(stored)) = (pending, stored) {
            let mut all = inbounds.into_iter();
            if let Some((inbound, slot)) = all.next_back() {
                let slot = slot_for(&inbound, slot);
                let running = memory.open.is_some();
                memory.open = Some(Open { slot, inbound });
                if !running {
                    self.call_again(account, key, &stored.conversation, pending)
                        .await;
                }
            }
            return;
        }
        let mut events: Vec<(Event, Inbound, Option<Arc<ReplySlot>>)> = Vec::new();
        for (inbound, slot) in inbounds {
            match serde_json::from_str::<Event>(&inbound.event) {
                Ok(event) => events.push((event, inbound, slot)),
                Err(error) => tracing::error!(%error, "a kept callback cannot be read"),
            }
        }
        let texts: Vec<String> = events
            .iter()
            .filter_map(|(event, ..)| message_text(event))
            .collect();
        let Some((event, inbound, slot)) = events.pop() else {
            return;
        };
        let merged = events.into_iter().map(|(_, inbound, _)| inbound).collect();
        let slot = slot_for(&inbound, slot);
        let event = if texts.is_empty() {
            event
        } else {
            text_event(&texts.join("\n"))
        };
        let failed = inbound.dedupe_key.clone();
        let task = Task {
            grant: inbound::granted_by(&event),
            carrier: Some(Open {
                slot: slot.clone(),
                inbound,
            }),
            merged,
            ..Task::of(event)
        };
        if let Err(error) = self.decide(account, key, task, memory).await {
            tracing::error!(%error, "a kept callback cannot be decided");
            self.give_up(&account.id, &failed, &slot);
        }
    }

    pub(super) async fn call_again(
        self: &Arc<Self>,
        account: &Account,
        key: &LaneKey,
        conversation: &Conversation,
        pending: PendingCall,
    ) {
        let Ok(loaded) = self.loaded(account, conversation).await else {
            return;
        };
        let request = CallRequest {
            account: key.0.clone(),
            conversation: conversation.id.clone(),
            connector: pending.connector.clone(),
            arguments: pending.arguments,
            timeout: Duration::from_secs(3),
            result: result_fields(&loaded, &pending.connector),
        };
        self.start_call(key.clone(), pending.id, request);
    }
}

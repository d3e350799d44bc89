//! One job of one conversation: what it asks to be decided.

use std::sync::Arc;

use yingda_engine::conversation::Owner;
use yingda_engine::event::{Event, Outcome};

use super::dispatch::Dispatcher;
use super::job::{CallbackJob, DeskAction, DeskError, Job};
use super::lane::LaneKey;
use super::slot::{Reply, ReplySlot};
use super::task::{Done, Fragment, Memory, Open, Task};
use crate::account::Account;
use crate::store::StoredInbound;

impl Dispatcher {
    /// Do one job. Nothing it meets ends the lane.
    pub(super) async fn run(self: &Arc<Self>, key: &LaneKey, job: Job, memory: &mut Memory) {
        let Some(account) = self.account(&key.0).cloned() else {
            return;
        };
        match job {
            Job::Callback(job) => self.callback_job(&account, key, *job, memory).await,
            Job::CallDone { call, outcome } => {
                self.call_done(&account, key, call, outcome, memory).await
            }
            Job::PauseOver { last } => {
                if memory.pause == last {
                    self.flush(&account, key, memory).await;
                }
            }
            Job::Wake => self.wake(&account, key, memory).await,
            Job::Recover(inbounds) => self.recover_lane(&account, key, inbounds, memory).await,
            Job::Desk { action, done } => {
                let result = self.desk_job(&account, key, action, memory).await;
                // Nobody may be listening any more.
                let _ = done.send(result);
            }
        }
    }

    async fn callback_job(
        self: &Arc<Self>,
        account: &Arc<Account>,
        key: &LaneKey,
        job: CallbackJob,
        memory: &mut Memory,
    ) {
        let CallbackJob {
            mut inbound,
            event,
            grant,
            slot,
        } = job;
        inbound.event = serde_json::to_string(&event).unwrap_or_default();
        let dedupe_key = inbound.dedupe_key.clone();
        let pause = self
            .parts
            .registry
            .current(&account.id)
            .and_then(|loaded| loaded.merge_pause_ms);
        let text = match &event {
            Event::Message(message) if !message.text.is_empty() && message.menu_id.is_none() => {
                Some(message.text.clone())
            }
            _ => None,
        };
        let result = match (pause, text) {
            (Some(pause), Some(text)) if memory.open.is_none() => {
                self.fragment(
                    account,
                    key,
                    Fragment {
                        slot: slot.clone(),
                        inbound,
                        text,
                        grant,
                    },
                    pause,
                    memory,
                )
                .await
            }
            _ => {
                self.flush(account, key, memory).await;
                let carrier = Some(Open {
                    slot: slot.clone(),
                    inbound,
                });
                let task = Task {
                    grant,
                    carrier,
                    new: true,
                    ..Task::of(event)
                };
                self.decide(account, key, task, memory).await
            }
        };
        match result {
            Ok(Done::Committed | Done::Nothing) => {}
            Ok(Done::Duplicate(stored)) => {
                self.duplicate(account, key, *stored, slot, memory).await
            }
            Err(error) => {
                tracing::error!(account = account.id, %error, "a callback could not be decided");
                self.give_up(&account.id, &dedupe_key, &slot);
            }
        }
    }

    /// A repeat of a callback whose first run the store knows.
    async fn duplicate(
        self: &Arc<Self>,
        account: &Arc<Account>,
        key: &LaneKey,
        stored: StoredInbound,
        slot: Arc<ReplySlot>,
        memory: &mut Memory,
    ) {
        metrics::counter!("yingda_callbacks_repeated_total", "account" => account.id.clone())
            .increment(1);
        if stored.done {
            slot.finish(stored.reply.map_or(Reply::Ack, Reply::Body));
            self.claims.release(&account.id, &stored.inbound.dedupe_key);
            return;
        }
        let waits = |fragment: &Fragment| fragment.inbound.dedupe_key == stored.inbound.dedupe_key;
        if memory.fragments.iter().any(waits) {
            // An earlier part, acknowledged already; the turn comes with the last one.
            slot.finish(Reply::Ack);
            self.claims.release(&account.id, &stored.inbound.dedupe_key);
            return;
        }
        // Kept before a restart and not decided yet: decide it now, for this attempt.
        slot.mark_stored();
        self.resume(account, key, vec![(stored.inbound, Some(slot))], memory)
            .await;
    }

    async fn call_done(
        self: &Arc<Self>,
        account: &Arc<Account>,
        key: &LaneKey,
        call: u64,
        outcome: Outcome,
        memory: &mut Memory,
    ) {
        let carrier = memory.open.take();
        let waiting = carrier
            .as_ref()
            .map(|open| (open.slot.clone(), open.inbound.dedupe_key.clone()));
        let task = Task {
            carrier,
            ..Task::of(Event::ConnectorResult { call, outcome })
        };
        if let Err(error) = self.decide(account, key, task, memory).await {
            tracing::error!(account = account.id, %error, "a connector's answer could not be used");
            if let Some((slot, dedupe_key)) = waiting {
                self.give_up(&account.id, &dedupe_key, &slot);
            }
        }
    }

    async fn wake(self: &Arc<Self>, account: &Arc<Account>, key: &LaneKey, memory: &mut Memory) {
        let stored = match self.parts.store.conversation(&key.0, &key.1).await {
            Ok(Some(stored)) => stored,
            Ok(None) => return,
            Err(error) => return tracing::error!(%error, "a timer could not be run"),
        };
        // A call whose process died has nobody who would bring its result.
        if let Some(pending) = &stored.conversation.pending_call {
            if memory.open.is_none() && pending.deadline <= self.parts.clock.now() {
                self.call_done(account, key, pending.id, Outcome::Timeout, memory)
                    .await;
            }
            return;
        }
        if let Err(error) = self
            .decide(
                account,
                key,
                Task {
                    kind: "timer",
                    ..Task::of(Event::Timer)
                },
                memory,
            )
            .await
        {
            tracing::error!(account = account.id, %error, "a timer could not be run");
        }
    }

    async fn desk_job(
        self: &Arc<Self>,
        account: &Arc<Account>,
        key: &LaneKey,
        action: DeskAction,
        memory: &mut Memory,
    ) -> Result<(), DeskError> {
        if let DeskAction::Erase { reason } = &action {
            let body = serde_json::json!({ "reason": reason }).to_string();
            let at = self.parts.clock.now();
            let erased = self
                .parts
                .store
                .erase_customer(&key.0, &key.1, at, body)
                .await;
            return erased
                .map(drop)
                .map_err(|error| DeskError::Store(error.to_string()));
        }
        let stored = self.parts.store.conversation(&key.0, &key.1).await;
        let stored = stored
            .map_err(|error| DeskError::Store(error.to_string()))?
            .ok_or(DeskError::Unknown)?;
        let owner = stored.conversation.owner.clone();
        let yours = |agent: &str| match &owner {
            Owner::Agent { agent: other } if other != agent => {
                Err(DeskError::NotYours(other.clone()))
            }
            _ => Ok(()),
        };
        let task = match action {
            DeskAction::Take { agent } => {
                yours(&agent)?;
                Task {
                    kind: "take",
                    ..Task::of(Event::AgentJoined { agent })
                }
            }
            DeskAction::Return { agent } => {
                yours(&agent)?;
                Task {
                    kind: "return",
                    ..Task::of(Event::AgentLeft)
                }
            }
            DeskAction::Close { agent } => {
                yours(&agent)?;
                Task {
                    kind: "close",
                    ..Task::of(Event::Closed)
                }
            }
            // Done above, before there need be a conversation.
            DeskAction::Erase { .. } => return Ok(()),
            DeskAction::Say { agent, text } => {
                match &owner {
                    Owner::Agent { agent: other } if *other == agent => {}
                    Owner::Agent { agent: other } => {
                        return Err(DeskError::NotYours(other.clone()));
                    }
                    Owner::Bot => return Err(DeskError::NotYours("机器人".into())),
                    Owner::Queue { .. } => return Err(DeskError::NotYours("排队".into())),
                }
                Task {
                    kind: "say",
                    says: Some((format!("agent:{agent}"), text)),
                    ..Task::of(Event::Timer)
                }
            }
            DeskAction::Keep {
                row,
                error,
                window_closed,
            } => Task {
                kind: "keep",
                kept: Some((row, error, window_closed)),
                ..Task::of(Event::Timer)
            },
        };
        self.decide(account, key, task, memory)
            .await
            .map_err(|error| DeskError::Store(error.to_string()))?;
        Ok(())
    }
}

//! The decision itself: load, decide, pass the gate, commit, then perform.

use std::borrow::Cow;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use yingda_engine::conversation::{Conversation, Owner, Unsent};
use yingda_engine::event::{Event, Surroundings};
use yingda_engine::turn::{Effect, Outgoing, Turn};

use super::dispatch::Dispatcher;
use super::lane::LaneKey;
use super::record;
use super::slot::Reply;
use super::task::{Done, Memory, Open, RunError, Task, new_id};
use crate::account::Account;
use crate::config::HandoffMode;
use crate::outbox::{Carried, Gate, Gated, Proposal};
use crate::package::Loaded;
use crate::store::{
    AuditEntry, Commit, Committed, ConversationWrite, FinishInbound, Inbound, NewInbound,
    OutboxState, OutboxUpdate,
};
use crate::wechat::budget;
use crate::wechat::reply::{Addressing, PassiveReply, render};

/// How often a commit is tried again after somebody else changed the conversation.
const CONFLICT_RETRIES: u32 = 5;

impl Dispatcher {
    /// The turn itself.
    pub(super) async fn decide(
        self: &Arc<Self>,
        account: &Arc<Account>,
        key: &LaneKey,
        task: Task,
        memory: &mut Memory,
    ) -> Result<Done, RunError> {
        for _ in 0..CONFLICT_RETRIES {
            if let Some(done) = self.try_decide(account, key, &task, memory).await? {
                return Ok(done);
            }
            metrics::counter!("yingda_commit_conflicts_total").increment(1);
        }
        Err(RunError::Conflict)
    }

    /// `None`: somebody else changed the conversation, try again.
    pub(super) async fn try_decide(
        self: &Arc<Self>,
        account: &Arc<Account>,
        key: &LaneKey,
        task: &Task,
        memory: &mut Memory,
    ) -> Result<Option<Done>, RunError> {
        let now = self.parts.clock.now();
        let (before, read_revision) = self.open_conversation(account, key, task, now).await?;
        if let Event::ConnectorResult { call, .. } = &task.event
            && before
                .pending_call
                .as_ref()
                .is_none_or(|pending| pending.id != *call)
        {
            self.finish_carrier(account, task, None);
            return Ok(Some(Done::Nothing));
        }
        let loaded = self.loaded(account, &before).await?;
        let around = Surroundings {
            now,
            service: self.service(&account.id),
            capabilities: account.capabilities.clone(),
        };
        // The customer has not seen the question yet: it goes out now, and the next message answers it.
        let asks_first =
            before.unasked && before.owner == Owner::Bot && matches!(task.event, Event::Message(_));
        let started = std::time::Instant::now();
        let turn = match &task.says {
            Some(_) => untouched(&before, &loaded),
            None if task.kept.is_some() => untouched(&before, &loaded),
            None if asks_first => asked_first(&before, &loaded, &task.event, now),
            None => loaded.bot.decide(&before, &task.event, &around),
        };
        metrics::histogram!("yingda_decision_seconds").record(started.elapsed().as_secs_f64());

        let mut next = turn.next.clone();
        let waits = next.pending_call.is_some();
        next.version = (waits || !next.stack.is_empty()).then(|| loaded.version().to_string());
        if let Some((row, _, window_closed)) = &task.kept {
            if let Ok(message) = serde_json::from_str::<Outgoing>(&row.message) {
                let speaker = row.speaker.clone();
                next.unsent.insert(0, Unsent { message, speaker });
            }
            if *window_closed {
                next.budget = budget::exhaust(next.budget);
            }
        }
        let carrier = task.carrier.as_ref().filter(|_| !waits);
        let taken = carrier.is_some_and(|open| open.slot.take());
        let transfer = account.handoff == HandoffMode::WechatClient
            && matches!(next.owner, Owner::Queue { .. })
            && matches!(task.event, Event::Message(_));
        let gated = if task.kept.is_some() {
            Gated {
                budget: next.budget,
                unsent: std::mem::take(&mut next.unsent),
                ..Gated::default()
            }
        } else {
            let proposals = proposals(task, &turn, &mut next, account);
            let gate = Gate {
                conversation: &next,
                capabilities: &account.capabilities,
                now,
                carrier: taken,
                transfer,
                may_send: account.may_send(),
                wait: waits,
                licence: loaded.licence.as_deref(),
                forbidden: &loaded.forbidden,
            };
            gate.pass(proposals, || new_id(now))
        };
        next.budget = gated.budget;
        next.unsent = gated.unsent.clone();
        let asked_by_timer = matches!(task.event, Event::Timer) && task.says.is_none();
        next.unasked =
            (asked_by_timer || before.unasked) && !next.unsent.is_empty() && !next.stack.is_empty();

        let reply = gated
            .carried
            .as_ref()
            .and_then(|carried| self.render(task, carried, now));
        let commit = self.commit(
            account,
            task,
            &before,
            read_revision,
            &turn,
            &next,
            &gated,
            &reply,
            &loaded,
            &around,
        );
        let commit_started = std::time::Instant::now();
        let committed = match self.parts.store.commit(commit).await {
            Ok(committed) => committed,
            Err(error) => {
                if taken && let Some(open) = carrier {
                    open.slot.release();
                }
                return Err(error.into());
            }
        };
        metrics::histogram!("yingda_commit_seconds").record(commit_started.elapsed().as_secs_f64());
        match committed {
            Committed::Done { .. } => {}
            Committed::Duplicate(stored) => {
                if taken && let Some(open) = carrier {
                    open.slot.release();
                }
                return Ok(Some(Done::Duplicate(stored)));
            }
            Committed::Conflict => {
                if taken && let Some(open) = carrier {
                    open.slot.release();
                }
                return Ok(None);
            }
        }
        if waits {
            if let Some(open) = &task.carrier {
                open.slot.mark_stored();
                if let Some(earlier) = memory.open.take() {
                    self.finish_open(account, &earlier, None);
                }
                memory.open = Some(Open {
                    slot: open.slot.clone(),
                    inbound: open.inbound.clone(),
                });
            }
        } else {
            self.finish_carrier(account, task, reply);
        }
        for inbound in &task.merged {
            self.claims.release(&account.id, &inbound.dedupe_key);
        }
        self.perform(account, key, &turn, &loaded, &next);
        if gated
            .rows
            .iter()
            .any(|row| row.state == OutboxState::Queued)
        {
            self.outbox_bell.notify_one();
        }
        Ok(Some(Done::Committed))
    }

    /// The conversation as it stands, or a new one, with the budget that the event grants.
    pub(super) async fn open_conversation(
        &self,
        account: &Account,
        key: &LaneKey,
        task: &Task,
        now: Timestamp,
    ) -> Result<(Conversation, i64), RunError> {
        let stored = self.parts.store.conversation(&key.0, &key.1).await?;
        // Kept fragments name the conversation they open.
        let new_id = || {
            let kept = task
                .carrier
                .as_ref()
                .map(|open| open.inbound.conversation.clone());
            kept.filter(|id| !id.is_empty())
                .unwrap_or_else(|| new_id(now))
        };
        let (mut conversation, revision) = match stored {
            Some(stored) if !(stored.conversation.closed && task.carrier.is_some()) => {
                (stored.conversation, stored.revision)
            }
            Some(stored) => {
                // A closed conversation stays as it is; what belongs to the customer goes on.
                let old = stored.conversation;
                let conversation = Conversation {
                    id: new_id(),
                    account: old.account,
                    customer: old.customer,
                    epoch: old.epoch,
                    attributes: old.attributes,
                    tags: old.tags,
                    arms: old.arms,
                    budget: old.budget,
                    unsent: old.unsent,
                    scene: old.scene,
                    seen_before: true,
                    opened_at: Some(now),
                    ..Conversation::default()
                };
                (conversation, stored.revision)
            }
            None => {
                let conversation = Conversation {
                    id: new_id(),
                    account: account.id.clone(),
                    customer: key.1.clone(),
                    opened_at: Some(now),
                    ..Conversation::default()
                };
                (conversation, 0)
            }
        };
        if let Some(grant) = task.grant {
            conversation.budget = budget::renew(conversation.budget, grant, now);
        }
        Ok((conversation, revision))
    }

    /// The version a conversation runs under: its own while a flow is open that the current one would change.
    pub(super) async fn loaded(
        &self,
        account: &Account,
        conversation: &Conversation,
    ) -> Result<Arc<Loaded>, RunError> {
        let current = self
            .parts
            .registry
            .current(&account.id)
            .ok_or(RunError::NoPackage)?;
        let Some(version) = &conversation.version else {
            return Ok(current);
        };
        if version == current.version() || current.bot.can_take_over(conversation) {
            return Ok(current);
        }
        match self.parts.registry.version(version).await {
            Ok(own) => Ok(own),
            Err(error) => {
                // The step restarts under the current version; the conversation goes on.
                tracing::warn!(%error, version, "the version of an open conversation is gone");
                Ok(current)
            }
        }
    }

    #[allow(clippy::too_many_arguments)]
    pub(super) fn commit(
        &self,
        account: &Account,
        task: &Task,
        before: &Conversation,
        read_revision: i64,
        turn: &Turn,
        next: &Conversation,
        gated: &Gated,
        reply: &Option<String>,
        loaded: &Loaded,
        around: &Surroundings,
    ) -> Commit {
        let waits = next.pending_call.is_some();
        let idle = task.kind == "timer" && turn.effects.is_empty() && turn.next == *before;
        let mut commit = Commit::default();
        let finish = |inbound: &Inbound, reply: Option<String>| FinishInbound {
            account: inbound.account.clone(),
            dedupe_key: inbound.dedupe_key.clone(),
            reply,
        };
        if let Some(open) = &task.carrier {
            if task.new {
                let inbound = Inbound {
                    conversation: next.id.clone(),
                    ..open.inbound.clone()
                };
                commit.inbound = Some(NewInbound {
                    inbound,
                    done: !waits,
                    reply: reply.clone(),
                });
            } else if !waits {
                commit
                    .finish_inbound
                    .push(finish(&open.inbound, reply.clone()));
            }
        }
        if !waits {
            commit
                .finish_inbound
                .extend(task.merged.iter().map(|inbound| finish(inbound, None)));
        }
        let body = match (&task.says, &task.kept) {
            (Some((speaker, text)), _) => serde_json::json!({
                "speaker": speaker, "text": yingda_models::mask(text), "owner": next.owner, "epoch": next.epoch,
            })
            .to_string(),
            (None, Some((row, error, _))) => serde_json::json!({
                "outbox": row.id, "state": "held", "error": error,
            })
            .to_string(),
            (None, None) => {
                record::body(&task.event, turn, gated.carried.as_ref(), gated.unsent.len(), &gated.alerts)
            }
        };
        let decided = task.says.is_none() && task.kept.is_none() && turn.explanation.at.is_some();
        let sealed = decided.then(|| {
            let sealed = record::Sealed {
                version: Cow::Borrowed(loaded.version()),
                models: Cow::Borrowed(&self.parts.models),
                event: Cow::Borrowed(&task.event),
                before: Cow::Borrowed(before),
                around: Cow::Borrowed(around),
            };
            serde_json::to_string(&sealed).unwrap_or_default()
        });
        let entry = AuditEntry {
            at: around.now,
            account: account.id.clone(),
            conversation: next.id.clone(),
            kind: task.kind.to_string(),
            body,
            sealed,
        };
        if !idle {
            commit.audit.push(entry);
        }
        commit.outbox = gated.rows.clone();
        if let Some((row, error, _)) = &task.kept {
            commit.outbox_updates.push(OutboxUpdate {
                id: row.id.clone(),
                state: OutboxState::Held,
                attempts: row.attempts + 1,
                due_at: around.now,
                last_error: Some(error.clone()),
            });
        }
        let wake_at = match &next.pending_call {
            Some(pending) => Some(pending.deadline + SignedDuration::from_secs(5)),
            // A timer that changed nothing is not tried again until something else happens.
            None => next
                .wake_at(&loaded.bot)
                .filter(|at| !idle || *at > around.now),
        };
        commit.conversation = Some(ConversationWrite {
            conversation: next.clone(),
            read_revision,
            wake_at,
        });
        commit
    }

    pub(super) fn render(&self, task: &Task, carried: &Carried, now: Timestamp) -> Option<String> {
        let open = task.carrier.as_ref()?;
        let mut addressing: Addressing = serde_json::from_str(&open.inbound.envelope).ok()?;
        addressing.create_time = now.as_second();
        let reply = match carried {
            Carried::Message(message) => PassiveReply::from_outgoing(message)?,
            Carried::Transfer => PassiveReply::TransferCustomerService { kf_account: None },
        };
        Some(render(&reply, &addressing))
    }

    pub(super) fn finish_carrier(&self, account: &Account, task: &Task, reply: Option<String>) {
        if let Some(open) = &task.carrier {
            self.finish_open(account, open, reply);
        }
    }

    pub(super) fn finish_open(&self, account: &Account, open: &Open, reply: Option<String>) {
        open.slot.finish(reply.map_or(Reply::Ack, Reply::Body));
        self.claims.release(&account.id, &open.inbound.dedupe_key);
    }
}

/// The turn that only brings the customer a question that a timer asked and nothing could carry.
fn asked_first(before: &Conversation, loaded: &Loaded, event: &Event, now: Timestamp) -> Turn {
    let mut turn = untouched(before, loaded);
    turn.next.last_customer_at = Some(now);
    turn.next.turns += 1;
    if let Event::Message(message) = event {
        turn.explanation.message = yingda_models::mask(&message.text);
    }
    turn.explanation
        .done
        .push("客户还没看到上一个问题：先把它送出".to_string());
    turn
}

/// A turn that changes nothing: a person speaks, or a message comes back.
fn untouched(before: &Conversation, loaded: &Loaded) -> Turn {
    let explanation = yingda_engine::explanation::Explanation {
        version: loaded.version().to_string(),
        ..yingda_engine::explanation::Explanation::default()
    };
    Turn {
        effects: Vec::new(),
        explanation,
        next: before.clone(),
        understanding: None,
        faq: Vec::new(),
    }
}

fn proposals(
    task: &Task,
    turn: &Turn,
    next: &mut Conversation,
    account: &Account,
) -> Vec<Proposal> {
    let handoff = turn
        .effects
        .iter()
        .any(|effect| matches!(effect, Effect::Handoff { .. }));
    let epoch = next.epoch;
    let mut proposals: Vec<Proposal> = std::mem::take(&mut next.unsent)
        .into_iter()
        .map(|unsent| Proposal {
            message: unsent.message,
            speaker: unsent.speaker,
            epoch,
            handoff_notice: false,
            held: true,
        })
        .collect();
    for effect in &turn.effects {
        if let Effect::Send { message } = effect {
            let message = account.named_media(message.clone());
            proposals.push(Proposal {
                message,
                speaker: "bot".into(),
                epoch,
                handoff_notice: handoff,
                held: false,
            });
        }
    }
    if let Some((speaker, text)) = &task.says {
        let message = Outgoing::Text { text: text.clone() };
        proposals.push(Proposal {
            message,
            speaker: speaker.clone(),
            epoch,
            handoff_notice: false,
            held: false,
        });
    }
    proposals
}

pub(super) fn result_fields(
    loaded: &Loaded,
    connector: &str,
) -> Vec<(String, yingda_dsl::program::Type)> {
    let declared = loaded
        .bot
        .program()
        .connectors
        .iter()
        .find(|declared| declared.name == connector);
    declared
        .map(|declared| declared.result.clone())
        .unwrap_or_default()
}

//! Where everything that happens to a conversation comes in and is put in order.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use rustc_hash::FxHashMap;
use tokio::sync::{Notify, oneshot};
use yingda_engine::event::{Event, Outcome, ServiceState};

use super::claim::{Claim, Claims};
use super::job::{CallbackJob, DeskAction, DeskError, Job};
use super::lane::{Lane, LaneKey, Lanes};
use super::slot::{Reply, ReplySlot};
use super::task::Memory;
use crate::account::Account;
use crate::clock::Clock;
use crate::connector::{CallRequest, Connectors};
use crate::package::Registry;
use crate::store::{Inbound, Store, StoreError};
use crate::webhook::Webhooks;
use crate::wechat::budget::BudgetGrant;

/// What the dispatcher is made of.
pub struct DispatcherParts {
    pub store: Arc<dyn Store>,
    pub clock: Arc<dyn Clock>,
    pub registry: Arc<Registry>,
    pub connectors: Arc<Connectors>,
    pub webhooks: Arc<Webhooks>,
    pub accounts: FxHashMap<String, Arc<Account>>,
    /// Fingerprint of the models, for audit rows.
    pub models: String,
}

/// A callback that is to be decided.
#[derive(Debug)]
pub struct CallbackInput {
    pub dedupe_key: String,
    pub customer: String,
    pub platform_at: Option<Timestamp>,
    pub event: Event,
    pub grant: Option<BudgetGrant>,
    /// What a reply needs, see `wechat::reply::Addressing`.
    pub envelope: String,
}

/// The queues of all conversations and what drains them.
pub struct Dispatcher {
    pub(super) parts: DispatcherParts,
    pub(super) claims: Claims,
    pub(super) lanes: Lanes<Job, Memory>,
    /// Rung when messages were queued for the send API.
    pub outbox_bell: Notify,
    service: arc_swap::ArcSwap<FxHashMap<String, ServiceState>>,
    /// Lane tasks at work.
    at_work: AtomicUsize,
    idle: Notify,
}

impl Dispatcher {
    pub fn new(parts: DispatcherParts) -> Arc<Self> {
        Arc::new(Self {
            parts,
            claims: Claims::default(),
            lanes: Lanes::default(),
            outbox_bell: Notify::new(),
            service: arc_swap::ArcSwap::default(),
            at_work: AtomicUsize::new(0),
            idle: Notify::new(),
        })
    }

    pub fn store(&self) -> &Arc<dyn Store> {
        &self.parts.store
    }

    pub fn account(&self, id: &str) -> Option<&Arc<Account>> {
        self.parts.accounts.get(id)
    }

    pub fn accounts(&self) -> impl Iterator<Item = &Arc<Account>> {
        self.parts.accounts.values()
    }

    pub fn registry(&self) -> &Arc<Registry> {
        &self.parts.registry
    }

    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.parts.clock
    }

    /// Put a callback in its conversation's queue, once; every attempt gets the slot its answer comes out of.
    pub fn callback(self: &Arc<Self>, account: &Account, input: CallbackInput) -> Arc<ReplySlot> {
        let received = self.parts.clock.now();
        match self
            .claims
            .claim(&account.id, &input.dedupe_key, account.late())
        {
            Claim::Repeat(slot) => slot,
            Claim::First(slot) => {
                let key = (account.id.clone(), input.customer.clone());
                let inbound = Inbound {
                    account: account.id.clone(),
                    dedupe_key: input.dedupe_key,
                    customer: input.customer,
                    conversation: String::new(),
                    received_at: received,
                    platform_at: input.platform_at,
                    event: String::new(),
                    envelope: input.envelope,
                };
                let job = CallbackJob {
                    inbound,
                    event: input.event,
                    grant: input.grant,
                    slot: slot.clone(),
                };
                self.push(key, Job::Callback(Box::new(job)));
                slot
            }
        }
    }

    /// Do something to a conversation on behalf of a person.
    pub async fn desk(
        self: &Arc<Self>,
        account: &str,
        customer: &str,
        action: DeskAction,
    ) -> Result<(), DeskError> {
        let (done, answer) = oneshot::channel();
        self.push(
            (account.to_string(), customer.to_string()),
            Job::Desk { action, done },
        );
        answer
            .await
            .unwrap_or_else(|_| Err(DeskError::Store("the server is stopping".into())))
    }

    /// Wake the conversations whose time has come. How many there were.
    pub async fn wake_due(self: &Arc<Self>, limit: u32) -> Result<usize, StoreError> {
        let due = self
            .parts
            .store
            .due_conversations(self.parts.clock.now(), limit)
            .await?;
        for stored in &due {
            let conversation = &stored.conversation;
            self.push(
                (conversation.account.clone(), conversation.customer.clone()),
                Job::Wake,
            );
        }
        Ok(due.len())
    }

    /// After a restart: decide what was kept without a turn.
    pub async fn recover(self: &Arc<Self>) -> Result<usize, StoreError> {
        let pending = self.parts.store.pending_inbound().await?;
        let count = pending.len();
        let mut by_lane: Vec<(LaneKey, Vec<Inbound>)> = Vec::new();
        for inbound in pending {
            let key = (inbound.account.clone(), inbound.customer.clone());
            match by_lane.iter_mut().find(|(other, _)| *other == key) {
                Some((_, all)) => all.push(inbound),
                None => by_lane.push((key, vec![inbound])),
            }
        }
        for (key, inbounds) in by_lane {
            if self.parts.accounts.contains_key(&key.0) {
                self.push(key, Job::Recover(inbounds));
            }
        }
        Ok(count)
    }

    /// Figures of the queues, which conditions may ask for.
    pub fn service(&self, account: &str) -> ServiceState {
        self.service
            .load()
            .get(account)
            .cloned()
            .unwrap_or_default()
    }

    /// Count the queues anew.
    pub async fn refresh_service(&self) -> Result<(), StoreError> {
        let mut all: FxHashMap<String, ServiceState> = FxHashMap::default();
        for length in self.parts.store.queue_lengths().await? {
            let group = length.group.unwrap_or_default();
            metrics::gauge!("yingda_queue_length", "account" => length.account.clone(), "group" => group.clone())
                .set(f64::from(length.waiting));
            all.entry(length.account)
                .or_default()
                .groups
                .entry(group)
                .or_default()
                .waiting = length.waiting;
        }
        self.service.store(Arc::new(all));
        Ok(())
    }

    /// When nothing is being decided any more. Ready at once when nothing is.
    pub async fn idle(&self) {
        loop {
            let idle = self.idle.notified();
            tokio::pin!(idle);
            idle.as_mut().enable();
            if self.at_work.load(Ordering::SeqCst) == 0 {
                return;
            }
            idle.await;
        }
    }

    /// Callbacks at work, for metrics.
    pub fn in_flight(&self) -> usize {
        self.claims.count()
    }

    /// Conversations with something to do, for metrics.
    pub fn active(&self) -> usize {
        self.lanes.count()
    }

    pub(super) fn push(self: &Arc<Self>, key: LaneKey, job: Job) {
        let (lane, start) = self.lanes.push(&key, job);
        if start {
            self.at_work.fetch_add(1, Ordering::SeqCst);
            let dispatcher = self.clone();
            tokio::spawn(async move {
                dispatcher.drain(&key, &lane).await;
                if dispatcher.at_work.fetch_sub(1, Ordering::SeqCst) == 1 {
                    dispatcher.idle.notify_waiters();
                }
            });
        }
    }

    async fn drain(self: &Arc<Self>, key: &LaneKey, lane: &Lane<Job, Memory>) {
        let mut memory = lane.memory.lock().await;
        while let Some(job) = self.lanes.next(key, lane, !memory.is_empty()) {
            self.run(key, job, &mut memory).await;
        }
    }

    /// Ask a connector; its answer comes back as a job.
    pub(super) fn start_call(self: &Arc<Self>, key: LaneKey, call: u64, request: CallRequest) {
        let dispatcher = self.clone();
        tokio::spawn(async move {
            let outcome: Outcome = dispatcher.parts.connectors.call(&request).await;
            dispatcher.push(key, Job::CallDone { call, outcome });
        });
    }

    /// Ring after the pause in which another fragment may come.
    pub(super) fn start_pause(self: &Arc<Self>, key: LaneKey, last: u64, pause: Duration) {
        let dispatcher = self.clone();
        tokio::spawn(async move {
            tokio::time::sleep(pause).await;
            dispatcher.push(key, Job::PauseOver { last });
        });
    }

    /// The callback could not be stored: its attempts get no acknowledgement and a later one starts anew.
    pub(super) fn give_up(&self, account: &str, dedupe_key: &str, slot: &ReplySlot) {
        self.claims.release(account, dedupe_key);
        slot.release();
        slot.finish(Reply::Unavailable);
        metrics::counter!("yingda_callbacks_unstored_total").increment(1);
    }
}

//! Sends what the gate queued: each customer's messages in order, different customers side by side, nothing twice.

use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;
use rustc_hash::FxHashMap;
use tokio::sync::Semaphore;
use yingda_engine::turn::Outgoing;

use crate::account::Account;
use crate::store::{AuditEntry, Commit, OutboxRow, OutboxState, OutboxUpdate, StoreError};
use crate::turn::{DeskAction, Dispatcher};
use crate::wechat::api::{Action, SendError, SendOptions};

/// Customers served at once.
const SIDE_BY_SIDE: usize = 32;
/// Messages looked up at a time.
const BATCH: u32 = 256;
/// Attempts at one message before it is given up.
const MAX_ATTEMPTS: u32 = 4;
/// How often the queue is looked at when nobody rings.
const TICK: Duration = Duration::from_millis(250);

/// The task that empties the outbox.
pub struct Sender {
    dispatcher: Arc<Dispatcher>,
}

/// What becomes of a message after an attempt.
enum Fate {
    Sent,
    /// Again, not before this pause.
    Again(Duration),
    /// Kept for the customer's next contact; true when the window is closed or used up.
    Keep(bool),
    Stale,
    Failed,
}

impl Sender {
    pub fn new(dispatcher: Arc<Dispatcher>) -> Self {
        Self { dispatcher }
    }

    /// Messages that were in the send API's hands when the process died: nobody knows whether they arrived, so they are
    /// never sent again, and a person can see them.
    pub async fn report_uncertain(&self) -> Result<usize, StoreError> {
        let rows = self.dispatcher.store().sending_outbox().await?;
        for row in &rows {
            tracing::warn!(
                outbox = row.id,
                "the process stopped while a message was being sent; it may have arrived"
            );
            let error = Some("the process stopped while it was being sent; it may have arrived");
            self.update(
                row,
                OutboxState::Failed,
                row.attempts,
                Duration::ZERO,
                error,
                true,
            )
            .await?;
        }
        Ok(rows.len())
    }

    /// Run until the task is aborted.
    pub async fn run(self) {
        if let Err(error) = self.report_uncertain().await {
            tracing::error!(%error, "uncertain messages could not be reported");
        }
        let this = Arc::new(self);
        loop {
            match this.round().await {
                // A full batch: there is more.
                Ok(sent) if sent == BATCH as usize => continue,
                Ok(_) => {}
                Err(error) => tracing::error!(%error, "the outbox could not be read"),
            }
            let bell = this.dispatcher.outbox_bell.notified();
            // A tick without a bell is the ordinary case.
            let _ = tokio::time::timeout(TICK, bell).await;
        }
    }

    /// Send what is due now. How many messages were taken up.
    pub async fn round(self: &Arc<Self>) -> Result<usize, StoreError> {
        let now = self.dispatcher.clock().now();
        let due = self.dispatcher.store().due_outbox(now, BATCH).await?;
        let count = due.len();
        let mut by_customer: FxHashMap<(String, String), Vec<OutboxRow>> = FxHashMap::default();
        for row in due {
            by_customer
                .entry((row.account.clone(), row.customer.clone()))
                .or_default()
                .push(row);
        }
        let permits = Arc::new(Semaphore::new(SIDE_BY_SIDE));
        let mut sending = tokio::task::JoinSet::new();
        for mut rows in by_customer.into_values() {
            // A message that is tried again has a later due time than those behind it.
            rows.sort_by_key(|row| (row.created_at, row.position));
            let this = self.clone();
            let permits = permits.clone();
            sending.spawn(async move {
                let Ok(_permit) = permits.acquire().await else {
                    return;
                };
                let mut rest = rows.as_slice();
                while let Some((row, later)) = rest.split_first() {
                    if !this.send(row, later).await {
                        // What comes after a message that waits must not overtake it.
                        break;
                    }
                    rest = later;
                }
            });
        }
        while sending.join_next().await.is_some() {}
        Ok(count)
    }

    /// Send one message. False when the customer's later ones must wait.
    async fn send(&self, row: &OutboxRow, later: &[OutboxRow]) -> bool {
        let Some(account) = self.dispatcher.account(&row.account).cloned() else {
            return true;
        };
        match self.attempt(&account, row, later).await {
            Ok(go_on) => go_on,
            Err(error) => {
                tracing::error!(%error, outbox = row.id, "the state of a message could not be written");
                false
            }
        }
    }

    async fn attempt(
        &self,
        account: &Arc<Account>,
        row: &OutboxRow,
        later: &[OutboxRow],
    ) -> Result<bool, StoreError> {
        let store = self.dispatcher.store();
        let stored = store.conversation(&row.account, &row.customer).await?;
        let epoch = stored.map_or(row.epoch, |stored| stored.conversation.epoch);
        if row.epoch < epoch && row.speaker == "bot" {
            self.settle(row, later, Fate::Stale, None).await?;
            return Ok(true);
        }
        let Some(api) = account.api.as_ref().filter(|_| account.may_send()) else {
            return self
                .settle(row, later, Fate::Keep(false), Some("no permission to send"))
                .await;
        };
        let Ok(message) = serde_json::from_str::<Outgoing>(&row.message) else {
            return self
                .settle(
                    row,
                    later,
                    Fate::Failed,
                    Some("the stored message cannot be read"),
                )
                .await;
        };
        // From here on a crash leaves the row in `sending`: it is reported then, and never sent a second time.
        self.update(
            row,
            OutboxState::Sending,
            row.attempts + 1,
            Duration::ZERO,
            None,
            false,
        )
        .await?;
        let sent = api
            .custom_send(&row.customer, &message, &SendOptions::default())
            .await;
        let (fate, error) = match sent {
            Ok(()) => (Fate::Sent, None),
            Err(error) => (self.judge(account, row, &error), Some(error)),
        };
        let code = error
            .as_ref()
            .and_then(SendError::code)
            .map_or_else(|| "none".to_string(), |code| code.to_string());
        if let Some(error) = &error {
            metrics::counter!("yingda_send_errors_total", "account" => account.id.clone(), "code" => code).increment(1);
            tracing::warn!(account = account.id, outbox = row.id, %error, "a message was not sent");
        } else {
            metrics::counter!("yingda_sent_total", "account" => account.id.clone()).increment(1);
        }
        self.settle(
            row,
            later,
            fate,
            error.map(|error| error.to_string()).as_deref(),
        )
        .await
    }

    fn judge(&self, account: &Account, row: &OutboxRow, error: &SendError) -> Fate {
        match error.action() {
            Action::Retry { .. } if row.attempts + 1 >= MAX_ATTEMPTS => Fate::Failed,
            Action::Retry { after } => {
                Fate::Again(after * 2u32.saturating_pow(row.attempts) + jitter())
            }
            Action::WindowClosed | Action::BudgetUsed => Fate::Keep(true),
            Action::NotPermitted => {
                account.forbid_sending();
                tracing::warn!(
                    account = account.id,
                    "no permission for the send API: answers go out in responses only"
                );
                Fate::Keep(false)
            }
            // The gate cuts to the limit already; what is still too long can only be shown to a person.
            Action::TooLong
            | Action::RefreshToken
            | Action::Drop
            | Action::Reconcile
            | Action::Alert
            | Action::Report => Fate::Failed,
            Action::ConfigError(sentence) => {
                tracing::error!(
                    account = account.id,
                    sentence,
                    "the account's settings do not let it send"
                );
                Fate::Failed
            }
        }
    }

    async fn settle(
        &self,
        row: &OutboxRow,
        later: &[OutboxRow],
        fate: Fate,
        error: Option<&str>,
    ) -> Result<bool, StoreError> {
        let attempts = row.attempts + 1;
        match fate {
            Fate::Sent => {
                self.update(row, OutboxState::Sent, attempts, Duration::ZERO, None, true)
                    .await?
            }
            Fate::Stale => {
                self.update(
                    row,
                    OutboxState::Stale,
                    row.attempts,
                    Duration::ZERO,
                    None,
                    true,
                )
                .await?
            }
            Fate::Failed => {
                self.update(
                    row,
                    OutboxState::Failed,
                    attempts,
                    Duration::ZERO,
                    error,
                    true,
                )
                .await?
            }
            Fate::Again(pause) => {
                self.update(row, OutboxState::Queued, attempts, pause, error, false)
                    .await?;
                return Ok(false);
            }
            Fate::Keep(window_closed) => {
                // What waits behind it is kept with it, the last first: each goes in front of those kept before.
                for row in later.iter().rev() {
                    self.keep(row, error, window_closed).await;
                }
                self.keep(row, error, window_closed).await;
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Give a message back to its conversation, for the customer's next contact.
    async fn keep(&self, row: &OutboxRow, error: Option<&str>, window_closed: bool) {
        let action = DeskAction::Keep {
            row: Box::new(row.clone()),
            error: error.map(yingda_models::mask).unwrap_or_default(),
            window_closed,
        };
        let kept = self.dispatcher.desk(&row.account, &row.customer, action);
        if let Err(error) = kept.await {
            tracing::error!(%error, outbox = row.id, "a message could not be kept for the next contact");
        }
    }

    async fn update(
        &self,
        row: &OutboxRow,
        state: OutboxState,
        attempts: u32,
        pause: Duration,
        error: Option<&str>,
        audited: bool,
    ) -> Result<(), StoreError> {
        let now = self.dispatcher.clock().now();
        let due_at = now + SignedDuration::try_from(pause).unwrap_or(SignedDuration::ZERO);
        let update = OutboxUpdate {
            id: row.id.clone(),
            state,
            attempts,
            due_at,
            last_error: error.map(yingda_models::mask),
        };
        let mut commit = Commit {
            outbox_updates: vec![update],
            ..Commit::default()
        };
        if audited {
            let body = serde_json::json!({ "outbox": row.id, "state": state, "error": error.map(yingda_models::mask) });
            commit.audit.push(AuditEntry {
                at: now,
                account: row.account.clone(),
                conversation: row.conversation.clone(),
                kind: "send".into(),
                body: body.to_string(),
                sealed: None,
            });
        }
        self.dispatcher.store().commit(commit).await.map(drop)
    }
}

/// Up to a quarter of a second, so that many retries do not come at once.
fn jitter() -> Duration {
    Duration::from_millis(u64::from(rand::random::<u8>()))
}

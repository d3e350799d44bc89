//! WeChat's callbacks: checked, queued, answered within the deadline whatever happens.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{Path, RawQuery, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use tokio::time::{Instant, timeout_at};

use super::HttpState;
use crate::account::Account;
use crate::turn::{ATTEMPTS, CallbackInput, DeskAction, Late, Reply};
use crate::wechat::callback::{self, Callback, CallbackQuery, Refusal};
use crate::wechat::inbound::{self, Inbound};
use crate::wechat::reply::{ACKNOWLEDGED, Addressing, seal};

/// How long the response of a turn that is just being committed is awaited beyond the deadline.
const COMMITTING: Duration = Duration::from_millis(350);
/// After this the platform has cut the connection.
const CUT: Duration = Duration::from_millis(5500);

/// GET: the console's URL check.
pub async fn verify(
    State(state): State<HttpState>,
    Path(account): Path<String>,
    RawQuery(query): RawQuery,
) -> Response {
    let Some(account) = state.dispatcher.account(&account) else {
        return unknown();
    };
    let query = CallbackQuery::parse(&query.unwrap_or_default());
    match callback::verify_url(&account.callback, &query, state.dispatcher.clock().now()) {
        Ok(echostr) => {
            count(account, "verified");
            ([("content-type", "text/plain; charset=utf-8")], echostr).into_response()
        }
        Err(refusal) => refused(account, refusal),
    }
}

/// POST: a message or an event.
pub async fn receive(
    State(state): State<HttpState>,
    Path(account): Path<String>,
    RawQuery(query): RawQuery,
    body: Bytes,
) -> Response {
    let arrived = Instant::now();
    let Some(account) = state.dispatcher.account(&account).cloned() else {
        return unknown();
    };
    let now = state.dispatcher.clock().now();
    let query = CallbackQuery::parse(&query.unwrap_or_default());
    let callback = match callback::receive(&account.callback, &query, &body, now) {
        Ok(callback) => callback,
        Err(refusal) => return refused(&account, refusal),
    };
    let event = match inbound::to_event(&callback.received) {
        Inbound::Engine(event) => event,
        Inbound::Ignored { kind } => {
            metrics::counter!("yingda_events_ignored_total", "account" => account.id.clone(), "kind" => kind)
                .increment(1);
            count(&account, "ignored");
            return acknowledged();
        }
        Inbound::Revoked { open_id } => {
            let customer = if open_id.is_empty() {
                callback.from_user
            } else {
                open_id
            };
            let erase = DeskAction::Erase {
                reason: "user_authorization_revoke".into(),
            };
            return match state.dispatcher.desk(&account.id, &customer, erase).await {
                Ok(()) => {
                    count(&account, "erased");
                    acknowledged()
                }
                Err(error) => {
                    tracing::error!(account = account.id, %error, "a customer's data could not be erased");
                    StatusCode::SERVICE_UNAVAILABLE.into_response()
                }
            };
        }
    };
    let envelope = serde_json::to_string(&Addressing::back(&callback, 0)).unwrap_or_default();
    let slot = state.dispatcher.callback(
        &account,
        CallbackInput {
            dedupe_key: callback.dedupe_key.clone(),
            customer: callback.from_user.clone(),
            platform_at: Timestamp::from_second(callback.create_time).ok(),
            event,
            grant: inbound::grant(&callback.received),
            envelope,
        },
    );
    let attempt = slot.attach();
    let deadline = arrived + state.deadline;
    let reply = match timeout_at(deadline, slot.wait()).await {
        Ok(reply) => reply,
        Err(_) if slot.late() == Late::Retry && attempt < ATTEMPTS => {
            // Only a retry can carry the answer: leave this attempt without one.
            match timeout_at(arrived + CUT.max(state.deadline), slot.wait()).await {
                Ok(reply) => reply,
                Err(_) => Reply::Unavailable,
            }
        }
        Err(_) => match slot.close() {
            Some(reply) => reply,
            None => match tokio::time::timeout(COMMITTING, slot.wait()).await {
                Ok(reply) => reply,
                Err(_) => slot.close().unwrap_or(Reply::Unavailable),
            },
        },
    };
    metrics::histogram!("yingda_callback_seconds").record(arrived.elapsed().as_secs_f64());
    respond(&account, &callback, reply, now)
}

fn respond(account: &Arc<Account>, callback: &Callback, reply: Reply, now: Timestamp) -> Response {
    match reply {
        Reply::Ack => {
            count(account, "acknowledged");
            acknowledged()
        }
        Reply::Unavailable => {
            count(account, "unavailable");
            StatusCode::SERVICE_UNAVAILABLE.into_response()
        }
        Reply::Body(body) => {
            count(account, "replied");
            let kind = match callback.format {
                crate::wechat::document::Format::Xml => "application/xml; charset=utf-8",
                crate::wechat::document::Format::Json => "application/json; charset=utf-8",
            };
            let body = if callback.encrypted {
                let random: [u8; 16] = rand::random();
                seal(
                    &body,
                    &account.callback,
                    &callback.nonce,
                    now.as_second(),
                    random,
                    callback.format,
                )
            } else {
                Some(body)
            };
            match body {
                Some(body) => ([("content-type", kind)], body).into_response(),
                None => acknowledged(),
            }
        }
    }
}

fn acknowledged() -> Response {
    (
        [("content-type", "text/plain; charset=utf-8")],
        ACKNOWLEDGED,
    )
        .into_response()
}

fn unknown() -> Response {
    StatusCode::NOT_FOUND.into_response()
}

/// One answer for every refusal; the log says which check failed.
fn refused(account: &Account, refusal: Refusal) -> Response {
    metrics::counter!("yingda_callbacks_refused_total", "account" => account.id.clone(), "reason" => refusal.reason())
        .increment(1);
    tracing::warn!(account = account.id, reason = refusal.reason(), detail = %refusal, "callback refused");
    count(account, "refused");
    StatusCode::from_u16(Refusal::STATUS)
        .unwrap_or(StatusCode::FORBIDDEN)
        .into_response()
}

fn count(account: &Account, outcome: &'static str) {
    metrics::counter!("yingda_callbacks_total", "account" => account.id.clone(), "outcome" => outcome).increment(1);
}

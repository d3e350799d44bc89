//! The platform's HTTP API: tokens, sending, typing, media.

use std::collections::HashMap;
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde_json::{Value, json};

use super::account::{AccountState, Fault, Seen};
use super::ledger::Refused;
use super::{Shared, desk};

/// The longest text, in bytes.
const MAX_TEXT_BYTES: usize = 2048;

/// An errcode with its text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ApiError(pub i64, pub &'static str);

pub(super) type Answer = Result<Value, ApiError>;
type Parameters = Query<HashMap<String, String>>;

pub(super) fn router(shared: Arc<Shared>) -> Router {
    Router::new()
        .route("/cgi-bin/stable_token", post(stable_token))
        .route("/cgi-bin/message/custom/send", post(custom_send))
        .route("/cgi-bin/message/custom/typing", post(typing))
        .route("/cgi-bin/media/get", get(media))
        .merge(desk::router())
        .with_state(shared)
}

async fn stable_token(State(shared): State<Arc<Shared>>, body: Bytes) -> Response {
    let body: Value = serde_json::from_slice(&body).unwrap_or_default();
    let text = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
    let now = shared.clock.now();
    let mut accounts = shared.accounts.lock();
    let Some(account) = accounts.get_mut(&text("appid")) else {
        return respond(Err(ApiError(40013, "invalid appid")));
    };
    if let Some(fault) = account.token_faults.pop_front() {
        account.token_fetches += 1;
        return fail(fault);
    }
    if text("secret") != account.settings.app_secret {
        account.token_fetches += 1;
        return respond(Err(ApiError(40125, "invalid appsecret")));
    }
    if text("grant_type") != "client_credential" {
        return respond(Err(ApiError(40002, "invalid grant_type")));
    }
    let force = body["force_refresh"].as_bool().unwrap_or_default();
    respond(
        account
            .stable_token(force, now)
            .map(|(token, expires_in)| json!({"access_token": token, "expires_in": expires_in})),
    )
}

async fn custom_send(
    State(shared): State<Arc<Shared>>,
    Query(query): Parameters,
    body: Bytes,
) -> Response {
    shared.call(&query, |account| {
        let now = shared.clock.now();
        if !account.settings.can_send {
            return Err(ApiError(48001, "api unauthorized"));
        }
        let message = read_message(&body, account)?;
        let openid = message["touser"].as_str().unwrap_or_default();
        let customer = account
            .customers
            .get_mut(openid)
            .ok_or(ApiError(40003, "invalid openid"))?;
        customer
            .ledger
            .spend(now)
            .map_err(|refused| match refused {
                Refused::WindowClosed => ApiError(
                    45015,
                    "response out of time limit or subscription is canceled",
                ),
                Refused::UsedUp => ApiError(45047, "out of response count limit"),
            })?;
        customer.seen.push((now, Seen::Sent(message)));
        Ok(json!({"errcode": 0, "errmsg": "ok"}))
    })
}

/// Checks a message as far as the platform does before it looks at the customer.
fn read_message(body: &[u8], account: &AccountState) -> Result<Value, ApiError> {
    let format = ApiError(47001, "data format error");
    let raw = std::str::from_utf8(body).map_err(|_| format)?;
    // Escaped Chinese reaches the customer as the escapes.
    if raw.split("\\u").skip(1).any(|code| !code.starts_with("00")) {
        return Err(format);
    }
    let message: Value = serde_json::from_str(raw).map_err(|_| format)?;
    let kind = message["msgtype"].as_str().ok_or(format)?;
    let content = message.get(kind).ok_or(format)?;
    let text = |name: &str| content[name].as_str().unwrap_or_default();
    let sized = |text: &str| match text.len() {
        0 => Err(ApiError(44004, "empty content")),
        1..=MAX_TEXT_BYTES => Ok(()),
        _ => Err(ApiError(45002, "content size out of limit")),
    };
    match kind {
        "text" => sized(text("content"))?,
        "image" | "voice" | "video" | "mpnews" => {
            let media = text("media_id");
            if media.is_empty() || account.expired_media.contains(media) {
                return Err(ApiError(40007, "invalid media_id"));
            }
        }
        "news" => {
            if content["articles"].as_array().map(Vec::len) != Some(1) {
                return Err(ApiError(45008, "article size out of limit"));
            }
        }
        "msgmenu" => {
            let list = content["list"].as_array().ok_or(format)?;
            let numbered = |item: &Value| {
                let id = item["id"].as_str().unwrap_or_default();
                id.parse::<i64>().is_ok()
                    && item["content"].as_str().is_some_and(|it| !it.is_empty())
            };
            if list.is_empty() || !list.iter().all(numbered) {
                return Err(format);
            }
        }
        "miniprogrampage" | "music" | "link" | "wxcard" | "mpnewsarticle" => {}
        _ => return Err(ApiError(40008, "invalid message type")),
    }
    if let Some(agent) = message
        .pointer("/customservice/kf_account")
        .and_then(Value::as_str)
        && !account.settings.agents.iter().any(|known| known == agent)
    {
        return Err(ApiError(65401, "invalid custom service account"));
    }
    Ok(message)
}

async fn typing(
    State(shared): State<Arc<Shared>>,
    Query(query): Parameters,
    body: Bytes,
) -> Response {
    shared.call(&query, |account| {
        let body: Value = serde_json::from_slice(&body).unwrap_or_default();
        let command = body["command"].as_str().unwrap_or_default();
        if !matches!(command, "Typing" | "CancelTyping") {
            return Err(ApiError(
                45072,
                "command field must be Typing or CancelTyping",
            ));
        }
        let customer = account
            .customers
            .get_mut(body["touser"].as_str().unwrap_or_default());
        let customer = customer.ok_or(ApiError(45080, "customer has no recent message"))?;
        if command == "Typing" && customer.typing.last().is_some_and(|last| last == "Typing") {
            return Err(ApiError(45081, "already typing"));
        }
        customer.typing.push(command.to_owned());
        Ok(json!({"errcode": 0, "errmsg": "ok"}))
    })
}

async fn media(State(shared): State<Arc<Shared>>, Query(query): Parameters) -> Response {
    let mut found = None;
    let answer = shared.call(&query, |account| {
        let id = query
            .get("media_id")
            .map(String::as_str)
            .unwrap_or_default();
        let media = account
            .media
            .get(id)
            .ok_or(ApiError(40007, "invalid media_id"))?;
        found = Some(media.clone());
        Ok(Value::Null)
    });
    match found {
        Some((content_type, bytes)) => {
            ([(header::CONTENT_TYPE, content_type)], bytes).into_response()
        }
        None => answer,
    }
}

impl Shared {
    /// Finds the account of the token, plays the fault that is due, and does the call.
    pub(super) fn call(
        &self,
        query: &HashMap<String, String>,
        work: impl FnOnce(&mut AccountState) -> Answer,
    ) -> Response {
        let Some(token) = query.get("access_token") else {
            return respond(Err(ApiError(41001, "access_token missing")));
        };
        let now = self.clock.now();
        let mut accounts = self.accounts.lock();
        let found = accounts
            .values_mut()
            .find_map(|account| account.check_token(token, now).map(|good| (account, good)));
        let Some((account, good)) = found else {
            return respond(Err(ApiError(40014, "invalid access_token")));
        };
        account.calls += 1;
        if let Err(error) = good {
            return respond(Err(error));
        }
        let response = match account.faults.pop_front() {
            None => respond(work(account)),
            Some(Fault::AnswerLost) => {
                let _ = work(account);
                fail(Fault::AnswerLost)
            }
            Some(fault) => fail(fault),
        };
        drop(accounts);
        self.changed.notify_waiters();
        response
    }
}

fn fail(fault: Fault) -> Response {
    match fault {
        Fault::Code(code) => respond(Err(ApiError(code, "injected"))),
        Fault::Status(status) => StatusCode::from_u16(status)
            .unwrap_or(StatusCode::BAD_GATEWAY)
            .into_response(),
        Fault::AnswerLost => StatusCode::BAD_GATEWAY.into_response(),
    }
}

/// WeChat answers 200 whatever happens.
fn respond(answer: Answer) -> Response {
    let body = answer.unwrap_or_else(|ApiError(code, text)| {
        let rid = rand::random::<u32>();
        json!({"errcode": code, "errmsg": format!("{text} rid: {rid:08x}")})
    });
    axum::Json(body).into_response()
}

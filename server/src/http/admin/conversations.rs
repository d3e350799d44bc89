//! Conversations: who has them, what was said, and the few things a person can do without a desk.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, Query};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use yingda_engine::turn::Outgoing;

use super::{Administrator, Shared};
use crate::http::HttpState;
use crate::http::problem::Problem;
use crate::store::{ConversationFilter, ConversationSummary, TranscriptLine};
use crate::turn::DeskAction;

#[derive(Debug, Deserialize, IntoParams)]
pub struct ListQuery {
    pub account: Option<String>,
    /// `bot`, `queue` or `agent`.
    pub owner: Option<String>,
    /// At most so many, 1 to 200.
    pub limit: Option<u32>,
    pub offset: Option<u32>,
}

/// A conversation in a list.
#[derive(Debug, Serialize, ToSchema)]
pub struct ConversationView {
    pub id: String,
    pub account: String,
    /// Shortened: the whole id is the channel's.
    pub customer: String,
    pub owner: String,
    pub epoch: u64,
    pub turns: u32,
    pub updated_at: String,
    pub queue_group: Option<String>,
    pub queued_since: Option<String>,
}

/// A conversation with what was said, personal data masked.
#[derive(Debug, Serialize, ToSchema)]
pub struct ConversationDetail {
    pub conversation: ConversationView,
    pub lines: Vec<LineView>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct LineView {
    pub at: String,
    /// `customer`, `bot`, `system` or `agent:<account>`.
    pub speaker: String,
    pub text: String,
    /// How an outgoing message fared.
    pub state: Option<String>,
}

/// Who acts.
#[derive(Debug, Deserialize, ToSchema)]
pub struct AgentRequest {
    pub agent: String,
}

/// What a person says.
#[derive(Debug, Deserialize, ToSchema)]
pub struct SayRequest {
    pub agent: String,
    pub text: String,
}

/// Conversations, newest change first.
#[utoipa::path(get, path = "/api/v1/conversations", params(ListQuery),
    responses((status = 200, body = Vec<ConversationView>), (status = 401, body = Problem), (status = 503, body = Problem)))]
pub async fn list(
    state: Shared,
    _admin: Administrator,
    Query(query): Query<ListQuery>,
) -> Result<Json<Vec<ConversationView>>, Problem> {
    let filter = ConversationFilter {
        account: query.account,
        owner: query.owner,
        limit: query.limit.unwrap_or(50).clamp(1, 200),
        offset: query.offset.unwrap_or(0),
    };
    let all = state.dispatcher.store().conversations(filter).await?;
    Ok(Json(all.into_iter().map(view).collect()))
}

/// One conversation and its transcript.
#[utoipa::path(get, path = "/api/v1/conversations/{id}", params(("id" = String, Path)),
    responses((status = 200, body = ConversationDetail), (status = 401, body = Problem), (status = 404, body = Problem), (status = 503, body = Problem)))]
pub async fn show(
    state: Shared,
    _admin: Administrator,
    Path(id): Path<String>,
) -> Result<Json<ConversationDetail>, Problem> {
    let store = state.dispatcher.store();
    let stored = store
        .conversation_by_id(&id)
        .await?
        .ok_or_else(|| Problem::not_found("没有这个会话"))?;
    let lines = store.transcript(&id).await?.into_iter().map(line).collect();
    let conversation = stored.conversation;
    let summary = ConversationSummary {
        id: conversation.id.clone(),
        account: conversation.account.clone(),
        customer: conversation.customer.clone(),
        owner: owner_name(&conversation.owner),
        epoch: conversation.epoch,
        turns: conversation.turns,
        updated_at: conversation
            .last_customer_at
            .or(conversation.opened_at)
            .unwrap_or_default(),
        queue_group: conversation
            .queue
            .as_ref()
            .and_then(|queue| queue.group.clone()),
        queued_since: conversation.queue.as_ref().map(|queue| queue.since),
    };
    Ok(Json(ConversationDetail {
        conversation: view(summary),
        lines,
    }))
}

/// A person takes the conversation over; the bot is silent from then on.
#[utoipa::path(post, path = "/api/v1/conversations/{id}/take", params(("id" = String, Path)), request_body = AgentRequest,
    responses((status = 204), (status = 400, body = Problem), (status = 401, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem), (status = 503, body = Problem)))]
pub async fn take(
    state: Shared,
    _admin: Administrator,
    Path(id): Path<String>,
    body: Bytes,
) -> Result<axum::http::StatusCode, Problem> {
    let request: AgentRequest = read(&body)?;
    act(
        &state,
        &id,
        DeskAction::Take {
            agent: agent(request.agent)?,
        },
    )
    .await
}

/// The owner says something to the customer.
#[utoipa::path(post, path = "/api/v1/conversations/{id}/say", params(("id" = String, Path)), request_body = SayRequest,
    responses((status = 204), (status = 400, body = Problem), (status = 401, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem), (status = 503, body = Problem)))]
pub async fn say(
    state: Shared,
    _admin: Administrator,
    Path(id): Path<String>,
    body: Bytes,
) -> Result<axum::http::StatusCode, Problem> {
    let request: SayRequest = read(&body)?;
    if request.text.trim().is_empty() {
        return Err(Problem::bad_request("要说的话是空的"));
    }
    act(
        &state,
        &id,
        DeskAction::Say {
            agent: agent(request.agent)?,
            text: request.text,
        },
    )
    .await
}

/// Back to the bot.
#[utoipa::path(post, path = "/api/v1/conversations/{id}/return", params(("id" = String, Path)), request_body = AgentRequest,
    responses((status = 204), (status = 400, body = Problem), (status = 401, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem), (status = 503, body = Problem)))]
pub async fn give_back(
    state: Shared,
    _admin: Administrator,
    Path(id): Path<String>,
    body: Bytes,
) -> Result<axum::http::StatusCode, Problem> {
    let request: AgentRequest = read(&body)?;
    act(
        &state,
        &id,
        DeskAction::Return {
            agent: agent(request.agent)?,
        },
    )
    .await
}

/// The conversation is over; the customer's next message opens a new one.
#[utoipa::path(post, path = "/api/v1/conversations/{id}/close", params(("id" = String, Path)), request_body = AgentRequest,
    responses((status = 204), (status = 400, body = Problem), (status = 401, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem), (status = 503, body = Problem)))]
pub async fn close(
    state: Shared,
    _admin: Administrator,
    Path(id): Path<String>,
    body: Bytes,
) -> Result<axum::http::StatusCode, Problem> {
    let request: AgentRequest = read(&body)?;
    act(
        &state,
        &id,
        DeskAction::Close {
            agent: agent(request.agent)?,
        },
    )
    .await
}

async fn act(
    state: &HttpState,
    id: &str,
    action: DeskAction,
) -> Result<axum::http::StatusCode, Problem> {
    let stored = state.dispatcher.store().conversation_by_id(id).await?;
    let conversation = stored
        .ok_or_else(|| Problem::not_found("没有这个会话"))?
        .conversation;
    state
        .dispatcher
        .desk(&conversation.account, &conversation.customer, action)
        .await?;
    Ok(axum::http::StatusCode::NO_CONTENT)
}

fn read<T: serde::de::DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    serde_json::from_slice(body)
        .map_err(|error| Problem::bad_request(format!("请求体读不懂：{error}")))
}

fn agent(agent: String) -> Result<String, Problem> {
    let ok = !agent.trim().is_empty() && agent.chars().count() <= 64;
    ok.then(|| agent.trim().to_string())
        .ok_or_else(|| Problem::bad_request("agent 要是 1 到 64 个字符的客服账号"))
}

fn owner_name(owner: &yingda_engine::conversation::Owner) -> String {
    use yingda_engine::conversation::Owner;
    match owner {
        Owner::Bot => "bot".into(),
        Owner::Queue { .. } => "queue".into(),
        Owner::Agent { agent } => format!("agent:{agent}"),
    }
}

fn view(summary: ConversationSummary) -> ConversationView {
    let shown: String = summary.customer.chars().take(6).collect();
    ConversationView {
        id: summary.id,
        account: summary.account,
        customer: format!("{shown}…"),
        owner: summary.owner,
        epoch: summary.epoch,
        turns: summary.turns,
        updated_at: summary.updated_at.to_string(),
        queue_group: summary.queue_group,
        queued_since: summary.queued_since.map(|at| at.to_string()),
    }
}

fn line(line: TranscriptLine) -> LineView {
    let text = match serde_json::from_str::<Outgoing>(&line.body) {
        Ok(message) => yingda_engine::render::reply_text(&message),
        Err(_) => match serde_json::from_str::<yingda_engine::event::Event>(&line.body) {
            Ok(yingda_engine::event::Event::Message(message)) if !message.text.is_empty() => {
                message.text
            }
            Ok(event) => {
                serde_json::to_string(&crate::turn::masked_event(&event)).unwrap_or_default()
            }
            Err(_) => String::new(),
        },
    };
    LineView {
        at: line.at.to_string(),
        speaker: line.speaker,
        text: yingda_models::mask(&text),
        state: line.state.and_then(|state| {
            serde_json::to_value(state)
                .ok()?
                .as_str()
                .map(str::to_string)
        }),
    }
}

//! The audit log over the API: as stored, masked.

use axum::Json;
use axum::extract::Query;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{Administrator, Shared};
use crate::http::problem::Problem;

#[derive(Debug, Deserialize, IntoParams)]
pub struct AuditQuery {
    /// Only this conversation.
    pub conversation: Option<String>,
    /// Rows with a greater number.
    pub after: Option<i64>,
    /// At most so many, 1 to 1000.
    pub limit: Option<u32>,
}

/// A row of the chain.
#[derive(Debug, Serialize, ToSchema)]
pub struct AuditView {
    pub seq: i64,
    pub at: String,
    pub account: String,
    pub conversation: String,
    pub kind: String,
    /// What happened and why; null once erased.
    #[schema(value_type = Option<Object>)]
    pub body: Option<serde_json::Value>,
    pub prev: String,
    pub hash: String,
}

/// Audit rows in order.
#[utoipa::path(get, path = "/api/v1/audit", params(AuditQuery),
    responses((status = 200, body = Vec<AuditView>), (status = 401, body = Problem), (status = 503, body = Problem)))]
pub async fn rows(
    state: Shared,
    _admin: Administrator,
    Query(query): Query<AuditQuery>,
) -> Result<Json<Vec<AuditView>>, Problem> {
    let limit = query.limit.unwrap_or(100).clamp(1, 1000);
    let store = state.dispatcher.store();
    let rows = store
        .audit(
            query.conversation.as_deref(),
            query.after.unwrap_or(0),
            limit,
        )
        .await?;
    let views = rows
        .into_iter()
        .map(|row| AuditView {
            seq: row.seq,
            at: row.at.to_string(),
            account: row.account,
            conversation: row.conversation,
            kind: row.kind,
            body: row
                .body
                .as_deref()
                .and_then(|body| serde_json::from_str(body).ok()),
            prev: row.prev,
            hash: row.hash,
        })
        .collect();
    Ok(Json(views))
}

//! Publishing and rolling back.

use std::collections::BTreeMap;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, Query};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use yingda_dsl::source::PackageFiles;

use super::{Administrator, Shared};
use crate::http::problem::Problem;
use crate::store::Publication;

/// An account and the version it runs.
#[derive(Debug, Serialize, ToSchema)]
pub struct AccountView {
    pub id: String,
    /// Content hash of the package; null before anything was published.
    pub version: Option<String>,
    /// Whether the send API may be used now.
    pub custom_send: bool,
}

/// A publication, newest first in lists.
#[derive(Debug, Serialize, ToSchema)]
pub struct PublicationView {
    pub version: String,
    /// RFC 3339.
    pub at: String,
    pub by: String,
    /// `folder`, `api` or `rollback`.
    pub source: String,
    pub current: bool,
}

/// A package: file contents by path, as text.
#[derive(Debug, Deserialize, ToSchema)]
pub struct PackageUpload {
    /// `{"机器人.yd": "…", "faq/常见问题.csv": "…"}`
    pub files: BTreeMap<String, String>,
}

/// What a publication did.
#[derive(Debug, Serialize, ToSchema)]
pub struct Published {
    pub version: String,
    /// Warnings of the check, as `yingda check --format json` gives them.
    #[schema(value_type = Vec<Object>)]
    pub warnings: serde_json::Value,
}

#[derive(Debug, Deserialize, ToSchema)]
pub struct RollbackRequest {
    /// The version to go back to; without it, the one before the current.
    pub version: Option<String>,
}

#[derive(Debug, Deserialize, IntoParams)]
pub struct Limit {
    /// At most so many, 1 to 200.
    pub limit: Option<u32>,
}

/// The accounts of this server.
#[utoipa::path(get, path = "/api/v1/accounts", responses((status = 200, body = Vec<AccountView>), (status = 401, body = Problem)))]
pub async fn accounts(state: Shared, _admin: Administrator) -> Json<Vec<AccountView>> {
    let mut views: Vec<AccountView> = state
        .dispatcher
        .accounts()
        .map(|account| AccountView {
            id: account.id.clone(),
            version: state
                .dispatcher
                .registry()
                .current(&account.id)
                .map(|loaded| loaded.version().to_string()),
            custom_send: account.may_send(),
        })
        .collect();
    views.sort_by(|a, b| a.id.cmp(&b.id));
    Json(views)
}

/// What was published to an account.
#[utoipa::path(get, path = "/api/v1/accounts/{account}/packages", params(("account" = String, Path), Limit),
    responses((status = 200, body = Vec<PublicationView>), (status = 401, body = Problem), (status = 404, body = Problem), (status = 503, body = Problem)))]
pub async fn publications(
    state: Shared,
    _admin: Administrator,
    Path(account): Path<String>,
    Query(limit): Query<Limit>,
) -> Result<Json<Vec<PublicationView>>, Problem> {
    if state.dispatcher.account(&account).is_none() {
        return Err(Problem::not_found(format!("没有公众号「{account}」")));
    }
    let limit = limit.limit.unwrap_or(50).clamp(1, 200);
    let all = state
        .dispatcher
        .store()
        .publications(&account, limit)
        .await?;
    let views = all
        .into_iter()
        .enumerate()
        .map(|(index, publication)| view(publication, index == 0))
        .collect();
    Ok(Json(views))
}

/// Check a package and make it the account's current version. A package with an error is refused with its
/// diagnostics and the running version stays.
#[utoipa::path(post, path = "/api/v1/accounts/{account}/packages", params(("account" = String, Path)), request_body = PackageUpload,
    responses((status = 200, body = Published), (status = 400, body = Problem), (status = 401, body = Problem), (status = 404, body = Problem), (status = 422, body = Problem), (status = 503, body = Problem)))]
pub async fn publish(
    state: Shared,
    admin: Administrator,
    Path(account): Path<String>,
    body: Bytes,
) -> Result<Json<Published>, Problem> {
    let upload: PackageUpload = serde_json::from_slice(&body).map_err(|error| {
        Problem::bad_request(format!("请求体不是 {{\"files\": {{路径: 内容}}}}：{error}"))
    })?;
    let files = PackageFiles {
        files: upload
            .files
            .into_iter()
            .map(|(path, text)| (path, text.into_bytes()))
            .collect(),
    };
    let now = state.dispatcher.clock().now();
    let (loaded, warnings) = state
        .dispatcher
        .registry()
        .publish(&account, files.clone(), &admin.name, "api", now)
        .await?;
    let warnings = yingda_dsl::render::json(&warnings, &files, yingda_dsl::diagnostic::Lang::Zh);
    Ok(Json(Published {
        version: loaded.version().to_string(),
        warnings,
    }))
}

/// Back to an earlier version, at once.
#[utoipa::path(post, path = "/api/v1/accounts/{account}/rollback", params(("account" = String, Path)), request_body = RollbackRequest,
    responses((status = 200, body = Published), (status = 400, body = Problem), (status = 401, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem), (status = 503, body = Problem)))]
pub async fn rollback(
    state: Shared,
    admin: Administrator,
    Path(account): Path<String>,
    body: Bytes,
) -> Result<Json<Published>, Problem> {
    let request: RollbackRequest = match body.is_empty() {
        true => RollbackRequest { version: None },
        false => serde_json::from_slice(&body).map_err(|error| {
            Problem::bad_request(format!("请求体不是 {{\"version\": …}}：{error}"))
        })?,
    };
    let now = state.dispatcher.clock().now();
    let registry = state.dispatcher.registry();
    let loaded = registry
        .rollback(&account, request.version.as_deref(), &admin.name, now)
        .await?;
    Ok(Json(Published {
        version: loaded.version().to_string(),
        warnings: serde_json::json!([]),
    }))
}

fn view(publication: Publication, current: bool) -> PublicationView {
    PublicationView {
        version: publication.version,
        at: publication.at.to_string(),
        by: publication.by,
        source: publication.source,
        current,
    }
}

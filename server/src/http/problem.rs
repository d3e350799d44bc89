//! Errors of the admin API: a status and a sentence, as JSON.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use crate::package::PackageError;
use crate::store::StoreError;
use crate::turn::DeskError;

/// What went wrong with a request.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Problem {
    /// A stable word for programs: `not_found`, `bad_request`, `unauthorized`, `refused`, `conflict`, `unavailable`.
    pub code: &'static str,
    /// The sentence for people.
    pub message: String,
    /// Diagnostics of a refused package, as `yingda check --format json` gives them.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Vec<Object>>)]
    pub diagnostics: Option<serde_json::Value>,
    #[serde(skip)]
    status: u16,
}

impl Problem {
    fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            diagnostics: None,
            status: status.as_u16(),
        }
    }

    pub fn not_found(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", message)
    }

    pub fn bad_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "bad_request", message)
    }

    pub fn unauthorized() -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            "unauthorized",
            "需要管理令牌：请求头 Authorization: Bearer …",
        )
    }

    pub fn conflict(message: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, "conflict", message)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        (status, Json(self)).into_response()
    }
}

impl From<StoreError> for Problem {
    /// The store could not be read or written; the cause is in the log, not in the answer.
    fn from(error: StoreError) -> Self {
        tracing::error!(%error, "the store failed an API request");
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "unavailable",
            "数据库暂时不能用，请稍后再试",
        )
    }
}

impl From<PackageError> for Problem {
    fn from(error: PackageError) -> Self {
        match error {
            PackageError::Refused { diagnostics, files } => Self {
                diagnostics: Some(yingda_dsl::render::json(
                    &diagnostics,
                    &files,
                    yingda_dsl::diagnostic::Lang::Zh,
                )),
                ..Self::new(
                    StatusCode::UNPROCESSABLE_ENTITY,
                    "refused",
                    "规则包没有通过检查，线上仍是原来的版本",
                )
            },
            PackageError::TestsFail(names) => Self::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "refused",
                format!(
                    "规则包自己的测试有 {} 个没有通过，没有发布：{}。yingda test 能看到经过",
                    names.len(),
                    names.join("、")
                ),
            ),
            PackageError::UnknownAccount(account) => {
                Self::not_found(format!("没有公众号「{account}」"))
            }
            PackageError::UnknownVersion(version) => {
                Self::not_found(format!("没有保存过版本 {version}"))
            }
            PackageError::NothingEarlier => Self::conflict("没有更早的版本可以退回"),
            PackageError::Build(cause) => Self::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "refused",
                format!("规则包建不起来：{cause}"),
            ),
            PackageError::Corrupt(cause) => {
                tracing::error!(cause, "a kept package cannot be read");
                Self::new(
                    StatusCode::INTERNAL_SERVER_ERROR,
                    "corrupt",
                    "保存的规则包读不出来",
                )
            }
            PackageError::Store(error) => error.into(),
        }
    }
}

impl From<DeskError> for Problem {
    fn from(error: DeskError) -> Self {
        match error {
            DeskError::Unknown => Self::not_found("没有这个会话"),
            DeskError::NotYours(owner) => {
                Self::conflict(format!("会话现在归「{owner}」，不能由您操作"))
            }
            DeskError::Store(cause) => {
                tracing::error!(cause, "a desk action failed");
                Self::new(
                    StatusCode::SERVICE_UNAVAILABLE,
                    "unavailable",
                    "数据库暂时不能用，请稍后再试",
                )
            }
        }
    }
}

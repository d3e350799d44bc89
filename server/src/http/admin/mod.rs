//! The admin API under `/api/v1`, for bearers of a token; described by `/api/openapi.json`.

mod audit;
mod conversations;
mod packages;

use axum::Json;
use axum::Router;
use axum::extract::{FromRequestParts, Request, State};
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use axum::routing::{get, post};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{Modify, OpenApi};

use super::HttpState;
use super::problem::Problem;

/// Who asks; a handler that takes it is closed to everybody without a token.
pub struct Administrator {
    /// Name of the token, for audit rows.
    pub name: String,
}

impl FromRequestParts<HttpState> for Administrator {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &HttpState) -> Result<Self, Problem> {
        let header = parts
            .headers
            .get(AUTHORIZATION)
            .and_then(|value| value.to_str().ok());
        let name = header
            .and_then(|header| state.tokens.name(header))
            .ok_or_else(Problem::unauthorized)?;
        Ok(Self {
            name: name.to_string(),
        })
    }
}

#[derive(OpenApi)]
#[openapi(
    info(title = "Yingda admin API", description = "Packages, conversations and audit of a Yingda server."),
    paths(
        packages::accounts,
        packages::publications,
        packages::publish,
        packages::rollback,
        conversations::list,
        conversations::show,
        conversations::take,
        conversations::say,
        conversations::give_back,
        conversations::close,
        audit::rows,
    ),
    modifiers(&Bearer),
    security(("bearer" = [])),
)]
struct Document;

struct Bearer;

impl Modify for Bearer {
    fn modify(&self, openapi: &mut utoipa::openapi::OpenApi) {
        let scheme =
            SecurityScheme::Http(HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build());
        openapi
            .components
            .get_or_insert_default()
            .add_security_scheme("bearer", scheme);
    }
}

/// The OpenAPI document.
pub fn openapi() -> utoipa::openapi::OpenApi {
    Document::openapi()
}

/// GET `/api/openapi.json`.
pub async fn document() -> Json<utoipa::openapi::OpenApi> {
    Json(openapi())
}

/// Routes under `/api/v1`.
pub fn routes() -> Router<HttpState> {
    Router::new()
        .route("/api/v1/accounts", get(packages::accounts))
        .route(
            "/api/v1/accounts/{account}/packages",
            get(packages::publications).post(packages::publish),
        )
        .route(
            "/api/v1/accounts/{account}/rollback",
            post(packages::rollback),
        )
        .route("/api/v1/conversations", get(conversations::list))
        .route("/api/v1/conversations/{id}", get(conversations::show))
        .route("/api/v1/conversations/{id}/take", post(conversations::take))
        .route("/api/v1/conversations/{id}/say", post(conversations::say))
        .route(
            "/api/v1/conversations/{id}/return",
            post(conversations::give_back),
        )
        .route(
            "/api/v1/conversations/{id}/close",
            post(conversations::close),
        )
        .route("/api/v1/audit", get(audit::rows))
        .layer(from_fn(no_store))
}

/// Answers hold customers' words: nobody on the way keeps them.
async fn no_store(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    response.headers_mut().insert(
        axum::http::header::CACHE_CONTROL,
        axum::http::HeaderValue::from_static("no-store"),
    );
    response
}

/// The state as handlers take it.
type Shared = State<HttpState>;

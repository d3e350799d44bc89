//! The HTTP face: callbacks, health, metrics and the admin API.

mod admin;
mod callback;
mod health;
mod listen;
mod problem;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::error_handling::HandleErrorLayer;
use axum::extract::DefaultBodyLimit;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use axum::routing::get;
use metrics_exporter_prometheus::PrometheusHandle;
use tower::ServiceBuilder;
use tower::limit::GlobalConcurrencyLimitLayer;
use tower::load_shed::LoadShedLayer;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::limit::RequestBodyLimitLayer;
use tower_http::timeout::TimeoutLayer;

pub use admin::openapi;
pub use listen::listen;

use crate::admin_token::AdminTokens;
use crate::turn::Dispatcher;

/// Bytes of a callback's body; longer ones get 413.
pub const MAX_CALLBACK_BYTES: usize = 64 * 1024;
/// Bytes of a package sent to the admin API.
const MAX_PACKAGE_BYTES: usize = 64 * 1024 * 1024;

/// A callback, a slowly sent body included, takes no longer than this.
const CALLBACK_TIMEOUT: Duration = Duration::from_secs(20);

/// What handlers share.
#[derive(Clone)]
pub struct HttpState {
    pub dispatcher: Arc<Dispatcher>,
    pub tokens: Arc<AdminTokens>,
    pub metrics: PrometheusHandle,
    /// Within this time a callback is answered, whatever happens.
    pub deadline: Duration,
    /// Set once the server stops: not ready any more.
    pub stopping: Arc<std::sync::atomic::AtomicBool>,
}

/// All routes. At most `concurrent` callbacks and API calls are at work; more are shed with 503 at once, health
/// and metrics never are.
pub fn router(state: HttpState, concurrent: usize) -> Router {
    let shed = ServiceBuilder::new()
        .layer(HandleErrorLayer::new(|_| async {
            metrics::counter!("yingda_requests_shed_total").increment(1);
            StatusCode::SERVICE_UNAVAILABLE
        }))
        .layer(LoadShedLayer::new())
        .layer(GlobalConcurrencyLimitLayer::new(concurrent));
    let limited = Router::new()
        .route(
            "/wechat/{account}",
            get(callback::verify).post(callback::receive),
        )
        // Refuses by Content-Length already, before anything is read.
        .layer(DefaultBodyLimit::disable())
        .layer(RequestBodyLimitLayer::new(MAX_CALLBACK_BYTES))
        .layer(TimeoutLayer::with_status_code(
            StatusCode::REQUEST_TIMEOUT,
            CALLBACK_TIMEOUT,
        ))
        .merge(admin::routes().layer(DefaultBodyLimit::max(MAX_PACKAGE_BYTES)))
        .layer(shed);
    let open = Router::new()
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .route("/metrics", get(health::metrics))
        .route("/api/openapi.json", get(admin::document));
    Router::new()
        .merge(limited)
        .merge(open)
        .fallback(|| async { problem::Problem::not_found("没有这个网址").into_response() })
        .layer(CatchPanicLayer::new())
        .with_state(state)
}

//! Liveness, readiness, metrics.

use std::sync::atomic::Ordering;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;

use super::HttpState;

/// The process runs.
pub async fn alive() -> &'static str {
    "ok"
}

/// Callbacks can be answered: the database can be written, every account has a package, no shutdown is under way.
pub async fn ready(State(state): State<HttpState>) -> impl IntoResponse {
    if state.stopping.load(Ordering::Relaxed) {
        return (StatusCode::SERVICE_UNAVAILABLE, "stopping".to_string());
    }
    match state.dispatcher.store().ready().await {
        Ok(()) => (StatusCode::OK, "ok".to_string()),
        Err(error) => (StatusCode::SERVICE_UNAVAILABLE, error.to_string()),
    }
}

/// Prometheus text.
pub async fn metrics(State(state): State<HttpState>) -> impl IntoResponse {
    metrics::gauge!("yingda_callbacks_in_flight").set(state.dispatcher.in_flight() as f64);
    metrics::gauge!("yingda_conversations_active").set(state.dispatcher.active() as f64);
    (
        [("content-type", "text/plain; version=0.0.4")],
        state.metrics.render(),
    )
}

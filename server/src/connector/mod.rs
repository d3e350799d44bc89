//! Connectors: what rules declare (接口), bound to addresses in the configuration. Rules never name an address.

mod address;
mod breaker;
mod demo;
mod field;
mod http;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use rustc_hash::FxHashMap;
use yingda_dsl::program::{Type, Value};
use yingda_engine::event::Outcome;

pub use address::{PublicOnly, inside_host, is_public};
pub use http::HttpConnector;

use crate::clock::Clock;
use crate::config::ConnectorConfig;

/// A call as the engine wants it made.
#[derive(Debug, Clone)]
pub struct CallRequest {
    pub account: String,
    pub conversation: String,
    pub connector: String,
    pub arguments: BTreeMap<String, Value>,
    /// What the rule allows; the configuration's ceiling holds as well.
    pub timeout: Duration,
    /// Fields the rule declared, with their types.
    pub result: Vec<(String, Type)>,
}

enum Binding {
    Orders,
    Coupons,
    Http(HttpConnector),
}

struct Bound {
    accounts: Vec<String>,
    ceiling: Duration,
    binding: Binding,
    breaker: breaker::Breaker,
}

/// All bound connectors.
pub struct Connectors {
    by_name: FxHashMap<String, Vec<Bound>>,
    clock: Arc<dyn Clock>,
}

impl Connectors {
    /// Secrets are looked up with `variable` (the environment) once, here.
    pub fn new(
        configs: &[ConnectorConfig],
        clock: Arc<dyn Clock>,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, http::ConnectorError> {
        let mut by_name: FxHashMap<String, Vec<Bound>> = FxHashMap::default();
        for config in configs {
            let binding = match config.url.as_str() {
                "builtin:orders" => Binding::Orders,
                "builtin:coupons" => Binding::Coupons,
                _ => Binding::Http(HttpConnector::new(config, &variable)?),
            };
            by_name.entry(config.name.clone()).or_default().push(Bound {
                accounts: config.accounts.clone(),
                ceiling: Duration::from_millis(config.timeout_ms),
                binding,
                breaker: breaker::Breaker::default(),
            });
        }
        Ok(Self { by_name, clock })
    }

    /// Make the call; never longer than its timeout, never an error: what goes wrong is an outcome that rules handle.
    pub async fn call(&self, request: &CallRequest) -> Outcome {
        let bound = self.by_name.get(&request.connector).and_then(|all| {
            all.iter().find(|bound| {
                bound.accounts.is_empty() || bound.accounts.contains(&request.account)
            })
        });
        let Some(bound) = bound else {
            tracing::warn!(
                connector = request.connector,
                "the connector is not bound in the configuration"
            );
            return Outcome::Failure {
                reason: "没有配置这个接口".into(),
            };
        };
        let now = self.clock.now();
        if !bound.breaker.allows(now) {
            metrics::counter!("yingda_connector_calls_total", "connector" => request.connector.clone(), "outcome" => "breaker")
                .increment(1);
            return Outcome::Failure {
                reason: "接口连续出错，暂停调用".into(),
            };
        }
        let limit = request.timeout.min(bound.ceiling);
        let made = async {
            match &bound.binding {
                Binding::Orders => answered(demo::orders(&request.arguments, now)).await,
                Binding::Coupons => answered(demo::coupons(&request.arguments, now)).await,
                Binding::Http(http) => http.call(request).await,
            }
        };
        let outcome = match tokio::time::timeout(limit, made).await {
            Ok(outcome) => outcome,
            Err(_) => Outcome::Timeout,
        };
        let label = match &outcome {
            Outcome::Success { .. } => "success",
            Outcome::Failure { .. } => "failure",
            Outcome::Timeout => "timeout",
        };
        bound
            .breaker
            .record(!matches!(outcome, Outcome::Timeout), self.clock.now());
        metrics::counter!("yingda_connector_calls_total", "connector" => request.connector.clone(), "outcome" => label)
            .increment(1);
        outcome
    }
}

/// What the demo connectors answer without a server (`yingda chat`); `None` for connectors they do not know.
pub fn rehearse(
    name: &str,
    arguments: &BTreeMap<String, Value>,
    now: jiff::Timestamp,
) -> Option<Outcome> {
    match name {
        "查询订单" => Some(demo::orders(arguments, now).unwrap_or(Outcome::Timeout)),
        "查询优惠券" => Some(demo::coupons(arguments, now).unwrap_or(Outcome::Timeout)),
        _ => None,
    }
}

async fn answered(outcome: Option<Outcome>) -> Outcome {
    match outcome {
        Some(outcome) => outcome,
        None => std::future::pending().await,
    }
}

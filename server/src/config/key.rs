//! Keys of connectors and webhooks: the only addresses that rules can reach.

use std::collections::BTreeMap;

use serde::Deserialize;

/// Binds a connector that rules declare (接口) to an address.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConnectorConfig {
    /// As in the rules.
    pub name: String,
    /// `https://…` (`http://` only for loopback), or `builtin:orders`, `builtin:coupons`.
    pub url: String,
    /// Only for these accounts; empty means all.
    #[serde(default)]
    pub accounts: Vec<String>,
    /// Ceiling for the time a rule may allow, milliseconds.
    #[serde(default = "default_timeout")]
    pub timeout_ms: u64,
    /// Name of the environment variable that holds the bearer token.
    #[serde(default)]
    pub token_env: Option<String>,
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// Allow private, loopback and link-local addresses.
    #[serde(default)]
    pub allow_private: bool,
    /// Answers longer than this are refused, bytes.
    #[serde(default = "default_max_bytes")]
    pub max_bytes: usize,
}

impl std::fmt::Debug for ConnectorConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ConnectorConfig")
            .field("name", &self.name)
            .field("url", &self.url)
            .finish_non_exhaustive()
    }
}

/// Binds a webhook that rules name (通知) to an address.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WebhookConfig {
    pub name: String,
    pub url: String,
    /// Name of the environment variable with the key that signs the body (HMAC-SHA-256).
    #[serde(default)]
    pub secret_env: Option<String>,
    #[serde(default = "default_timeout")]
    pub timeout_ms: u64,
    #[serde(default)]
    pub allow_private: bool,
}

fn default_timeout() -> u64 {
    3000
}

fn default_max_bytes() -> usize {
    64 * 1024
}

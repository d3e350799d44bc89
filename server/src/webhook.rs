//! Outgoing webhooks (通知): a signed JSON body to an address that only the configuration knows.

use std::sync::Arc;
use std::time::Duration;

use reqwest::{Client, Url};
use rustc_hash::FxHashMap;

use crate::config::WebhookConfig;
use crate::connector::{PublicOnly, inside_host};

struct Bound {
    client: Client,
    url: Url,
    secret: Option<String>,
}

/// All configured webhooks.
#[derive(Default)]
pub struct Webhooks {
    by_name: FxHashMap<String, Arc<Bound>>,
}

#[derive(Debug, thiserror::Error)]
#[error("webhook「{name}」不能使用：{cause}")]
pub struct WebhookError {
    name: String,
    cause: String,
}

impl Webhooks {
    pub fn new(
        configs: &[WebhookConfig],
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, WebhookError> {
        let mut by_name = FxHashMap::default();
        for config in configs {
            let fault = |cause: String| WebhookError {
                name: config.name.clone(),
                cause,
            };
            let url = Url::parse(&config.url).map_err(|error| fault(error.to_string()))?;
            if !config.allow_private
                && let Some(host) = inside_host(&url)
            {
                return Err(fault(format!(
                    "指向内网地址 {host}；确实需要的话，请写 allow_private = true"
                )));
            }
            let secret = match &config.secret_env {
                Some(name) => {
                    Some(variable(name).ok_or_else(|| fault(format!("环境变量 {name} 没有设置")))?)
                }
                None => None,
            };
            let mut builder = Client::builder()
                .redirect(reqwest::redirect::Policy::none())
                .timeout(Duration::from_millis(config.timeout_ms))
                .no_proxy();
            if !config.allow_private {
                builder = builder.dns_resolver(PublicOnly);
            }
            let client = builder.build().map_err(|error| fault(error.to_string()))?;
            by_name.insert(
                config.name.clone(),
                Arc::new(Bound {
                    client,
                    url,
                    secret,
                }),
            );
        }
        Ok(Self { by_name })
    }

    /// Send in the background; a failure is logged and counted, never felt by the customer.
    pub fn send(&self, name: &str, account: &str, conversation: &str, text: &str) {
        let Some(bound) = self.by_name.get(name).cloned() else {
            tracing::warn!(
                webhook = name,
                "the webhook is not bound in the configuration"
            );
            return;
        };
        let body = serde_json::json!({
            "webhook": name, "account": account, "conversation": conversation, "text": text,
        })
        .to_string();
        let name = name.to_string();
        tokio::spawn(async move {
            let mut request = bound
                .client
                .post(bound.url.clone())
                .header("content-type", "application/json");
            if let Some(secret) = &bound.secret {
                request = request.header(
                    "x-yingda-signature",
                    hmac_sha256_hex(secret.as_bytes(), body.as_bytes()),
                );
            }
            let outcome = match request.body(body).send().await {
                Ok(response) if response.status().is_success() => "sent",
                Ok(response) => {
                    tracing::warn!(
                        webhook = name,
                        status = response.status().as_u16(),
                        "webhook refused"
                    );
                    "refused"
                }
                Err(error) => {
                    tracing::warn!(webhook = name, error = %error.without_url(), "webhook failed");
                    "failed"
                }
            };
            metrics::counter!("yingda_webhooks_total", "webhook" => name, "outcome" => outcome)
                .increment(1);
        });
    }
}

/// HMAC-SHA-256 in lower-case hex.
pub fn hmac_sha256_hex(key: &[u8], message: &[u8]) -> String {
    use hmac::{Hmac, KeyInit, Mac};
    // HMAC takes keys of any length; the error type is that of other MACs.
    match Hmac::<sha2::Sha256>::new_from_slice(key) {
        Ok(mac) => hex::encode(mac.chain_update(message).finalize().into_bytes()),
        Err(_) => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_is_hmac_sha256() {
        // RFC 4231, test case 2.
        assert_eq!(
            hmac_sha256_hex(b"Jefe", b"what do ya want for nothing?"),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
    }
}

//! A connector over HTTPS: POST of a JSON object, answer a JSON object. No redirects, bounded size, public addresses.

use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Client, Url};
use serde_json::Value as Json;
use yingda_engine::event::Outcome;

use super::address::{PublicOnly, inside_host};
use super::{CallRequest, field};
use crate::config::ConnectorConfig;

#[derive(Debug, thiserror::Error)]
pub enum ConnectorError {
    #[error("接口「{name}」的地址不对：{cause}")]
    BadUrl { name: String, cause: String },
    #[error(
        "接口「{name}」指向内网地址 {host}；确实需要的话，请在这个接口下写 allow_private = true"
    )]
    PrivateAddress { name: String, host: String },
    #[error("接口「{name}」要的环境变量 {variable} 没有设置")]
    MissingSecret { name: String, variable: String },
    #[error("接口「{name}」的请求头「{header}」写法不对")]
    BadHeader { name: String, header: String },
    #[error("接口「{name}」不能使用：{cause}")]
    Client { name: String, cause: String },
}

/// One bound address.
pub struct HttpConnector {
    client: Client,
    url: Url,
    max_bytes: usize,
}

impl HttpConnector {
    pub fn new(
        config: &ConnectorConfig,
        variable: &impl Fn(&str) -> Option<String>,
    ) -> Result<Self, ConnectorError> {
        let name = config.name.clone();
        let url = Url::parse(&config.url).map_err(|error| ConnectorError::BadUrl {
            name: name.clone(),
            cause: error.to_string(),
        })?;
        if !config.allow_private
            && let Some(host) = inside_host(&url)
        {
            return Err(ConnectorError::PrivateAddress { name, host });
        }
        let mut headers = HeaderMap::new();
        for (header, value) in &config.headers {
            let bad = || ConnectorError::BadHeader {
                name: name.clone(),
                header: header.clone(),
            };
            let key = HeaderName::try_from(header.as_str()).map_err(|_| bad())?;
            headers.insert(
                key,
                HeaderValue::try_from(value.as_str()).map_err(|_| bad())?,
            );
        }
        if let Some(env) = &config.token_env {
            let token = variable(env).ok_or_else(|| ConnectorError::MissingSecret {
                name: name.clone(),
                variable: env.clone(),
            })?;
            let mut value = HeaderValue::try_from(format!("Bearer {token}")).map_err(|_| {
                ConnectorError::BadHeader {
                    name: name.clone(),
                    header: "Authorization".into(),
                }
            })?;
            value.set_sensitive(true);
            headers.insert(AUTHORIZATION, value);
        }
        let mut builder = Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .default_headers(headers)
            .no_proxy();
        if !config.allow_private {
            builder = builder.dns_resolver(PublicOnly);
        }
        let client = builder.build().map_err(|error| ConnectorError::Client {
            name,
            cause: error.to_string(),
        })?;
        Ok(Self {
            client,
            url,
            max_bytes: config.max_bytes,
        })
    }

    /// Make the call; the caller bounds the time.
    pub async fn call(&self, request: &CallRequest) -> Outcome {
        let arguments: serde_json::Map<String, Json> = request
            .arguments
            .iter()
            .map(|(name, value)| (name.clone(), field::to_json(value)))
            .collect();
        let body = serde_json::json!({
            "connector": request.connector,
            "account": request.account,
            "conversation": request.conversation,
            "arguments": arguments,
        });
        let sent = self.client.post(self.url.clone()).json(&body).send().await;
        let mut response = match sent {
            Ok(response) => response,
            Err(error) if error.is_timeout() => return Outcome::Timeout,
            Err(error) => {
                tracing::warn!(connector = request.connector, error = %error.without_url(), "connector call failed");
                return Outcome::Failure {
                    reason: "连不上接口".into(),
                };
            }
        };
        let status = response.status();
        if !status.is_success() {
            let reason = match status.as_u16() {
                300..=399 => "接口要求跳转，按规定不跟随".to_string(),
                404 => "没有查到".to_string(),
                code => format!("接口返回 {code}"),
            };
            return Outcome::Failure { reason };
        }
        let mut bytes = Vec::new();
        loop {
            match response.chunk().await {
                Ok(Some(chunk)) if bytes.len() + chunk.len() > self.max_bytes => {
                    return Outcome::Failure {
                        reason: "接口的回答太长".into(),
                    };
                }
                Ok(Some(chunk)) => bytes.extend_from_slice(&chunk),
                Ok(None) => break,
                Err(_) => {
                    return Outcome::Failure {
                        reason: "接口的回答中断了".into(),
                    };
                }
            }
        }
        let Ok(answer) = serde_json::from_slice::<Json>(&bytes) else {
            return Outcome::Failure {
                reason: "接口的回答不是 JSON".into(),
            };
        };
        if let Some(error) = answer.get("error").and_then(Json::as_str) {
            return Outcome::Failure {
                reason: error.chars().take(100).collect(),
            };
        }
        match field::read_fields(&answer, &request.result) {
            Ok(fields) => Outcome::Success { fields },
            Err(reason) => Outcome::Failure { reason },
        }
    }
}

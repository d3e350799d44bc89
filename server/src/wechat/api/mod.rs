//! The client of WeChat's own API: sending outside a response, agents' sessions, media.

mod error;
mod kf;
mod media;
mod outgoing;
mod token;

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use reqwest::{Client, RequestBuilder, Response, StatusCode, Url};
use serde_json::{Value, json};
use yingda_engine::turn::Outgoing;

pub use error::{Action, SendError, classify};
pub use kf::{
    KfSession, MessageRecord, MessageRecords, OnlineAgent, WaitingCustomer, WaitingCustomers,
};
pub use media::Media;
pub use outgoing::{SendOptions, custom_message};
use token::{Issued, Renewal, TokenKeeper};

/// Where the real platform is.
pub const DEFAULT_BASE: &str = "https://api.weixin.qq.com";
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// Answers of the API are small; anything larger is none.
const MAX_ANSWER_BYTES: usize = 1 << 20;

/// How an account reaches the API. Its `Debug` shows no secret.
#[derive(Clone)]
pub struct ApiSettings {
    /// Scheme, host and perhaps a path; http only to this machine.
    pub base: String,
    pub app_id: String,
    pub app_secret: String,
    /// Of a whole call.
    pub timeout: Duration,
}

impl fmt::Debug for ApiSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiSettings")
            .field("base", &self.base)
            .field("app_id", &self.app_id)
            .finish_non_exhaustive()
    }
}

/// Why no client can be made of the settings.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ApiSettingsError {
    #[error("api_base “{0}”不是网址；应形如 {DEFAULT_BASE}")]
    Url(String),
    #[error("api_base “{0}”必须用 https；http 只能用于本机地址（127.0.0.1、::1、localhost）")]
    Insecure(String),
    #[error("无法建立 TLS 客户端：{0}；请检查系统的根证书")]
    Tls(String),
}

/// A typing notice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Typing {
    Start,
    Cancel,
}

/// One account's client; cheap to share behind an `Arc`.
pub struct ApiClient {
    http: Client,
    base: String,
    app_id: String,
    app_secret: String,
    tokens: TokenKeeper,
}

impl fmt::Debug for ApiClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiClient")
            .field("base", &self.base)
            .field("app_id", &self.app_id)
            .finish_non_exhaustive()
    }
}

impl ApiClient {
    pub fn new(settings: &ApiSettings) -> Result<Self, ApiSettingsError> {
        let local = is_local(&settings.base)?;
        install_crypto();
        let mut builder = Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(settings.timeout);
        if local {
            // Neither a proxy nor the system's certificates have a part in talking to oneself.
            builder = builder.no_proxy().tls_certs_only(std::iter::empty());
        }
        Ok(Self {
            http: builder
                .build()
                .map_err(|error| ApiSettingsError::Tls(causes(&error)))?,
            base: settings.base.trim_end_matches('/').to_owned(),
            app_id: settings.app_id.clone(),
            app_secret: settings.app_secret.clone(),
            tokens: TokenKeeper::default(),
        })
    }

    /// Fetches a token where there is none yet: whether the credentials are good. The token itself stays inside.
    pub async fn check_credentials(&self) -> Result<(), SendError> {
        self.token().await.map(|_| ())
    }

    /// Sends one message to a customer outside a response. Once, whatever happens: what may have arrived is reported,
    /// never repeated.
    pub async fn custom_send(
        &self,
        openid: &str,
        message: &Outgoing,
        options: &SendOptions,
    ) -> Result<(), SendError> {
        let body = custom_message(openid, message, options)?;
        self.post("/cgi-bin/message/custom/send", &body)
            .await
            .map(|_| ())
    }

    /// Shows or takes back "typing". Its errors mean nothing for what comes next.
    pub async fn typing(&self, openid: &str, typing: Typing) -> Result<(), SendError> {
        let command = match typing {
            Typing::Start => "Typing",
            Typing::Cancel => "CancelTyping",
        };
        let body = json!({"touser": openid, "command": command});
        self.post("/cgi-bin/message/custom/typing", &body)
            .await
            .map(|_| ())
    }

    async fn post(&self, path: &str, body: &Value) -> Result<Value, SendError> {
        let url = format!("{}{path}", self.base);
        self.call(|| self.http.post(&url).json(body)).await
    }

    async fn get(&self, path: &str, query: &[(&str, &str)]) -> Result<Value, SendError> {
        let url = format!("{}{path}", self.base);
        self.call(|| self.http.get(&url).query(query)).await
    }

    /// Calls with a token, and once more with another one where the first is refused.
    async fn call(&self, request: impl Fn() -> RequestBuilder) -> Result<Value, SendError> {
        let token = self.token().await?;
        let first = self.attempt(request(), &token).await;
        match first {
            Err(error) if error.action() == Action::RefreshToken => {
                let token = self.renewed_token(&token).await?;
                self.attempt(request(), &token).await.map_err(after_renewal)
            }
            other => other,
        }
    }

    async fn attempt(&self, request: RequestBuilder, token: &str) -> Result<Value, SendError> {
        let request = request.query(&[("access_token", token)]);
        let response = request.send().await.map_err(of_transport)?;
        let answer = read_json(response).await?;
        self.judge(answer, token, classify)
    }

    async fn token(&self) -> Result<Arc<str>, SendError> {
        self.tokens
            .current(|renewal| self.fetch_token(renewal))
            .await
    }

    async fn renewed_token(&self, refused: &str) -> Result<Arc<str>, SendError> {
        self.tokens
            .renewed(refused, |renewal| self.fetch_token(renewal))
            .await
    }

    async fn fetch_token(&self, renewal: Renewal) -> Result<Issued, SendError> {
        let body = json!({
            "grant_type": "client_credential",
            "appid": self.app_id,
            "secret": self.app_secret,
            "force_refresh": renewal == Renewal::Forced,
        });
        let url = format!("{}/cgi-bin/stable_token", self.base);
        let response = self.http.post(url).json(&body).send().await;
        // Without a token nothing has been sent to a customer, so nothing is uncertain.
        let answer = match response {
            Ok(response) => read_json(response).await,
            Err(error) => Err(of_transport(error)),
        }
        .map_err(|error| match error {
            SendError::Uncertain(cause) => SendError::Unreachable(cause),
            other => other,
        })?;
        let answer = self.judge(answer, "", error::classify_token)?;
        let token = answer.get("access_token").and_then(Value::as_str);
        let expires_in = answer.get("expires_in").and_then(Value::as_u64);
        match (token, expires_in) {
            (Some(token), Some(expires_in)) if !token.is_empty() => Ok(Issued {
                token: token.to_owned(),
                expires_in,
            }),
            _ => Err(SendError::Unreachable(
                "stable_token 的答复里没有 access_token".into(),
            )),
        }
    }

    /// The answer where it has no errcode other than 0.
    fn judge(
        &self,
        answer: Value,
        token: &str,
        classify: fn(i64, &str) -> Action,
    ) -> Result<Value, SendError> {
        let code = answer.get("errcode").and_then(Value::as_i64).unwrap_or(0);
        if code == 0 {
            return Ok(answer);
        }
        let mut message = answer
            .get("errmsg")
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned();
        // The platform has no reason to repeat a secret; a proxy before it might.
        for secret in [token, &self.app_secret] {
            if !secret.is_empty() {
                message = message.replace(secret, "***");
            }
        }
        let action = classify(code, &message);
        Err(SendError::refused(code, message, action))
    }
}

/// A token that is refused right after it was fetched: trying again would not help.
fn after_renewal(error: SendError) -> SendError {
    match error {
        SendError::Refused {
            code,
            message,
            action: Action::RefreshToken,
        } => SendError::refused(code, message, Action::Alert),
        other => other,
    }
}

/// Whether `base` is this machine; an error where it is neither that nor https.
fn is_local(base: &str) -> Result<bool, ApiSettingsError> {
    let url = Url::parse(base).map_err(|_| ApiSettingsError::Url(base.to_owned()))?;
    let host = url.host_str().unwrap_or_default();
    let address = host.trim_matches(['[', ']']).parse::<IpAddr>();
    let local = host == "localhost" || address.is_ok_and(|address| address.is_loopback());
    match url.scheme() {
        "https" => Ok(false),
        "http" if local => Ok(true),
        "http" => Err(ApiSettingsError::Insecure(base.to_owned())),
        _ => Err(ApiSettingsError::Url(base.to_owned())),
    }
}

/// Makes ring the process's TLS provider where there is none yet.
pub fn install_crypto() {
    // Fails only where one is installed already, which is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
}

async fn read_json(response: Response) -> Result<Value, SendError> {
    let status = response.status();
    let body = read_body(response, MAX_ANSWER_BYTES).await?;
    match serde_json::from_slice(&body) {
        Ok(answer) if status.is_success() => Ok(answer),
        _ => Err(of_status(status)),
    }
}

async fn read_body(mut response: Response, max_bytes: usize) -> Result<Vec<u8>, SendError> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(of_transport)? {
        if body.len() + chunk.len() > max_bytes {
            return Err(SendError::Uncertain(format!("答复超过 {max_bytes} 字节")));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// WeChat answers 200 whatever happens, so another status comes from something in between.
fn of_status(status: StatusCode) -> SendError {
    SendError::Uncertain(format!("HTTP 状态 {}，答复不是微信的格式", status.as_u16()))
}

fn of_transport(error: reqwest::Error) -> SendError {
    // The URL has the token in it.
    let error = error.without_url();
    match error.is_connect() || error.is_builder() {
        true => SendError::Unreachable(causes(&error)),
        false => SendError::Uncertain(causes(&error)),
    }
}

/// An error with what caused it.
fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(base: &str) -> ApiSettings {
        ApiSettings {
            base: base.into(),
            app_id: "wx1234567890abcdef".into(),
            app_secret: "not-to-be-seen".into(),
            timeout: Duration::from_secs(2),
        }
    }

    #[test]
    fn http_goes_only_to_this_machine() {
        let cases = [
            ("https://api.weixin.qq.com", Ok(false)),
            ("https://127.0.0.1:8443", Ok(false)),
            ("http://127.0.0.1:9000", Ok(true)),
            ("http://127.9.9.9", Ok(true)),
            ("http://[::1]:9000/", Ok(true)),
            ("http://localhost:9000", Ok(true)),
            ("http://api.weixin.qq.com", Err("https")),
            ("http://10.0.0.1", Err("https")),
            ("http://localhost.example", Err("https")),
            ("http://127.0.0.1.example", Err("https")),
            ("http://127.0.0.1@example.com", Err("https")),
            ("ftp://127.0.0.1", Err("网址")),
            ("api.weixin.qq.com", Err("网址")),
            ("", Err("网址")),
        ];
        for (base, expected) in cases {
            match (is_local(base), expected) {
                (Ok(local), Ok(expected)) => assert_eq!(local, expected, "{base}"),
                (Err(error), Err(word)) => assert!(error.to_string().contains(word), "{base}"),
                (result, _) => panic!("{base}: {result:?}"),
            }
        }
    }

    #[test]
    fn secrets_do_not_show_in_debug_output() {
        let settings = settings("http://127.0.0.1:1");
        let client = ApiClient::new(&settings).unwrap();
        for shown in [format!("{settings:?}"), format!("{client:?}")] {
            assert!(!shown.contains("not-to-be-seen"), "{shown}");
        }
    }

    #[test]
    fn error_texts_keep_the_rid_and_lose_the_secrets() {
        let client = ApiClient::new(&settings("http://127.0.0.1:1")).unwrap();
        let answer = json!({
            "errcode": 40001,
            "errmsg": "invalid credential TOKEN-1 not-to-be-seen rid: 6530-1",
        });
        let error = client.judge(answer, "TOKEN-1", classify).unwrap_err();
        assert_eq!(
            error.to_string(),
            "微信接口返回错误 40001：invalid credential *** *** rid: 6530-1"
        );
    }

    #[tokio::test]
    async fn nobody_there_is_unreachable_and_safe_to_repeat() {
        let client = ApiClient::new(&settings("http://127.0.0.1:1")).unwrap();
        let error = client.check_credentials().await.unwrap_err();
        assert!(matches!(error, SendError::Unreachable(_)), "{error:?}");
        assert!(matches!(error.action(), Action::Retry { .. }));
    }
}

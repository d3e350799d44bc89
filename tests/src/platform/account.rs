//! An account as the platform knows it: its settings, tokens, customers and agents.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use yingda_server::wechat::callback::{CallbackSettings, Mode};
use yingda_server::wechat::crypt::CryptKey;
use yingda_server::wechat::document::Format;
use yingda_server::wechat::reply::{PassiveReply, menu_text};

use super::api::ApiError;
use super::ledger::Ledger;

/// An account's settings, as its owner would see them in the console.
#[derive(Debug, Clone)]
pub struct Account {
    pub app_id: String,
    pub app_secret: String,
    pub token: String,
    pub encoding_aes_key: String,
    pub mode: Mode,
    pub format: Format,
    /// `gh_…`
    pub original_id: String,
    /// Whether it may send outside a response (a verified account may).
    pub can_send: bool,
    /// Agents' accounts that exist, bound to a WeChat id.
    pub agents: Vec<String>,
    /// Where callbacks are posted.
    pub callback_url: String,
}

impl Account {
    /// A verified account in safe mode, with two agents. `name` goes into its ids.
    pub fn verified(name: &str) -> Self {
        Self {
            app_id: format!("wx{name:0>16}"),
            app_secret: format!("secret-of-{name}"),
            token: format!("token-of-{name}"),
            encoding_aes_key: "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C".into(),
            mode: Mode::Safe,
            format: Format::Xml,
            original_id: format!("gh_{name}"),
            can_send: true,
            agents: vec![format!("amy@gh_{name}"), format!("bob@gh_{name}")],
            callback_url: String::new(),
        }
    }

    /// What both ends check callbacks against.
    pub fn callback_settings(&self) -> CallbackSettings {
        CallbackSettings {
            app_id: self.app_id.clone(),
            token: self.token.clone(),
            key: CryptKey::parse(&self.encoding_aes_key).ok(),
            mode: self.mode,
            max_skew: None,
        }
    }
}

/// What a customer saw, in order.
#[derive(Debug, Clone, PartialEq)]
pub enum Seen {
    /// The answer in a callback's response.
    Reply(PassiveReply),
    /// A message sent through `message/custom/send`: the request's body.
    Sent(Value),
    /// An agent's message from WeChat's own client.
    Agent { agent: String, text: String },
    /// 该公众号提供的服务出现故障
    ServiceFailed,
}

impl Seen {
    /// As text: what stands on the customer's screen, for kinds that are text; else the kind in brackets.
    pub fn text(&self) -> String {
        match self {
            Self::Reply(PassiveReply::Text { content }) => content.clone(),
            Self::Reply(PassiveReply::News { title, .. }) => format!("[news] {title}"),
            Self::Reply(PassiveReply::Image { .. }) => "[image]".into(),
            Self::Reply(PassiveReply::Voice { .. }) => "[voice]".into(),
            Self::Reply(PassiveReply::Video { .. }) => "[video]".into(),
            Self::Reply(PassiveReply::Music { .. }) => "[music]".into(),
            Self::Reply(PassiveReply::TransferCustomerService { .. }) => "[transfer]".into(),
            Self::Sent(message) => sent_text(message),
            Self::Agent { text, .. } => text.clone(),
            Self::ServiceFailed => "该公众号提供的服务出现故障，请稍后再试".into(),
        }
    }
}

fn sent_text(message: &Value) -> String {
    let text = |pointer: &str| {
        let value = message.pointer(pointer).and_then(Value::as_str);
        value.unwrap_or_default().to_owned()
    };
    match message["msgtype"].as_str().unwrap_or_default() {
        "text" => text("/text/content"),
        "msgmenu" => {
            let list = message.pointer("/msgmenu/list").and_then(Value::as_array);
            let item = |item: &Value, key: &str| item[key].as_str().unwrap_or_default().to_owned();
            let items: Vec<(String, String)> = list
                .map(|list| {
                    list.iter()
                        .map(|it| (item(it, "id"), item(it, "content")))
                        .collect()
                })
                .unwrap_or_default();
            menu_text(
                &text("/msgmenu/head_content"),
                &items,
                &text("/msgmenu/tail_content"),
            )
        }
        "news" => format!("[news] {}", text("/news/articles/0/title")),
        other => format!("[{other}]"),
    }
}

/// A customer of an account.
#[derive(Debug, Default)]
pub(super) struct Customer {
    pub(super) ledger: Ledger,
    pub(super) seen: Vec<(Timestamp, Seen)>,
    pub(super) desk: Desk,
    pub(super) typing: Vec<String>,
}

/// Where a customer stands with the agents.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) enum Desk {
    #[default]
    Nobody,
    Waiting {
        since: i64,
        agent: Option<String>,
    },
    With {
        agent: String,
        since: i64,
    },
}

/// What goes wrong on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The call is not done and answered with this error code.
    Code(i64),
    /// The call is not done and answered with this HTTP status.
    Status(u16),
    /// The call is done, and its answer lost on the way.
    AnswerLost,
}

#[derive(Debug)]
struct Token {
    text: String,
    expires_at: Timestamp,
    revoked: bool,
}

/// A line of `msgrecord/getmsglist`.
#[derive(Debug, Clone)]
pub(super) struct Record {
    pub(super) openid: String,
    pub(super) opercode: u32,
    pub(super) text: String,
    pub(super) time: i64,
    pub(super) worker: String,
}

pub(super) struct AccountState {
    pub(super) settings: Account,
    tokens: Vec<Token>,
    forced_at: Vec<Timestamp>,
    pub(super) token_fetches: u32,
    pub(super) calls: u32,
    pub(super) posts: u32,
    pub(super) customers: BTreeMap<String, Customer>,
    pub(super) online: BTreeSet<String>,
    pub(super) records: Vec<Record>,
    pub(super) faults: VecDeque<Fault>,
    pub(super) token_faults: VecDeque<Fault>,
    pub(super) expired_media: BTreeSet<String>,
    pub(super) media: BTreeMap<String, (String, Vec<u8>)>,
}

/// How long a token lives.
const TOKEN_LIFE: SignedDuration = SignedDuration::from_secs(7200);
/// A token this near its end is replaced at the next request.
const TOKEN_OVERLAP: SignedDuration = SignedDuration::from_secs(300);

impl AccountState {
    pub(super) fn new(settings: Account) -> Self {
        Self {
            settings,
            tokens: Vec::new(),
            forced_at: Vec::new(),
            token_fetches: 0,
            calls: 0,
            posts: 0,
            customers: BTreeMap::new(),
            online: BTreeSet::new(),
            records: Vec::new(),
            faults: VecDeque::new(),
            token_faults: VecDeque::new(),
            expired_media: BTreeSet::new(),
            media: BTreeMap::new(),
        }
    }

    /// `stable_token`: the token, and the seconds it has left.
    pub(super) fn stable_token(
        &mut self,
        force: bool,
        now: Timestamp,
    ) -> Result<(String, i64), ApiError> {
        self.token_fetches += 1;
        if force {
            let day_ago = now - SignedDuration::from_hours(24);
            self.forced_at.retain(|at| *at > day_ago);
            if self.forced_at.len() >= 20 {
                return Err(ApiError(45009, "reach max api daily quota limit"));
            }
            let soon = now - SignedDuration::from_secs(30);
            if self.forced_at.last().is_some_and(|at| *at > soon) {
                return Err(ApiError(45011, "api minute-quota reach limit"));
            }
            self.forced_at.push(now);
            self.revoke_token();
        }
        let good = self
            .tokens
            .last()
            .filter(|token| !token.revoked && token.expires_at.duration_since(now) > TOKEN_OVERLAP);
        if let Some(token) = good {
            let left = token.expires_at.duration_since(now).as_secs();
            return Ok((token.text.clone(), left));
        }
        let text = format!(
            "{}_{}_{:032x}",
            self.tokens.len(),
            self.settings.app_id,
            rand::random::<u128>()
        );
        self.tokens.push(Token {
            text: text.clone(),
            expires_at: now + TOKEN_LIFE,
            revoked: false,
        });
        Ok((text, TOKEN_LIFE.as_secs()))
    }

    /// As if somebody else had forced a new token.
    pub(super) fn revoke_token(&mut self) {
        self.tokens
            .iter_mut()
            .for_each(|token| token.revoked = true);
    }

    /// Whether a token is one of this account's, and good.
    pub(super) fn check_token(&self, text: &str, now: Timestamp) -> Option<Result<(), ApiError>> {
        let token = self.tokens.iter().find(|token| token.text == text)?;
        Some(match token {
            token if token.revoked => Err(ApiError(
                40001,
                "invalid credential, access_token is invalid or not latest",
            )),
            token if token.expires_at <= now => Err(ApiError(42001, "access_token expired")),
            _ => Ok(()),
        })
    }
}

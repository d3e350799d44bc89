//! A callback's way in: check, decrypt, read. Nothing of a request is used before it has passed here.

use std::borrow::Cow;
use std::fmt;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use sha1::{Digest, Sha1};

use super::crypt::{self, CryptError, CryptKey};
use super::document::{Document, DocumentError, Format};
use super::message::Received;
use super::signature;

/// How the console is set: 明文模式, 兼容模式, 安全模式.
///
/// Only the safe mode proves who wrote a body: the plain signature covers token, timestamp and nonce alone, so whoever
/// has seen one request can send another body with it. The other two modes take plain bodies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    #[default]
    Plain,
    Compat,
    Safe,
}

/// What an account's callbacks are checked against. Its `Debug` shows no secret.
#[derive(Clone)]
pub struct CallbackSettings {
    pub app_id: String,
    pub token: String,
    /// Needed for encrypted bodies, whatever the mode.
    pub key: Option<CryptKey>,
    pub mode: Mode,
    /// Refuse timestamps further than this from now; `None` (the default) checks none.
    pub max_skew: Option<SignedDuration>,
}

impl fmt::Debug for CallbackSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallbackSettings")
            .field("app_id", &self.app_id)
            .field("mode", &self.mode)
            .finish_non_exhaustive()
    }
}

/// The query parameters of a callback, decoded once. All come from outside.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CallbackQuery {
    pub signature: Option<String>,
    pub timestamp: Option<String>,
    pub nonce: Option<String>,
    pub echostr: Option<String>,
    pub encrypt_type: Option<String>,
    pub msg_signature: Option<String>,
}

impl CallbackQuery {
    /// Reads the part of a URL after `?`. Of a parameter given twice the first counts.
    pub fn parse(query: &str) -> Self {
        let mut read = Self::default();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            let field = match name.as_ref() {
                "signature" => &mut read.signature,
                "timestamp" => &mut read.timestamp,
                "nonce" => &mut read.nonce,
                "echostr" => &mut read.echostr,
                "encrypt_type" => &mut read.encrypt_type,
                "msg_signature" => &mut read.msg_signature,
                _ => continue,
            };
            field.get_or_insert_with(|| value.into_owned());
        }
        read
    }

    fn required<'q>(field: &'q Option<String>, name: &'static str) -> Result<&'q str, Refusal> {
        field.as_deref().ok_or(Refusal::Missing(name))
    }
}

/// A callback that passed every check.
#[derive(Debug, Clone, PartialEq)]
pub struct Callback {
    pub received: Received,
    pub format: Format,
    /// Whether it came encrypted; the reply is then to be sealed.
    pub encrypted: bool,
    /// Of the query; a sealed reply may carry it back.
    pub nonce: String,
    /// The account's own id (`gh_…`): the sender of a reply.
    pub to_user: String,
    /// The customer's openid.
    pub from_user: String,
    /// The platform's time, seconds.
    pub create_time: i64,
    /// Same for every attempt at one message, different for any two; unique within an account.
    pub dedupe_key: String,
}

/// Why a request was refused. For the log: the sender gets [`Refusal::STATUS`] and no body, whatever the cause.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("query parameter {0} is missing")]
    Missing(&'static str),
    #[error("signature does not match: another token?")]
    Signature,
    #[error("msg_signature does not match: another token, or the body was changed")]
    MsgSignature,
    #[error("timestamp is too far from now")]
    Skew,
    #[error("the account is in safe mode and the body is not encrypted")]
    Downgrade,
    #[error("the body is encrypted and the account has no encoding_aes_key")]
    NoKey,
    #[error("the body cannot be decrypted: {0}")]
    Crypt(CryptError),
    #[error("{0}")]
    Document(DocumentError),
    #[error("the body has no {0}")]
    Field(&'static str),
}

impl Refusal {
    /// The one HTTP status of every refusal, so that the answer tells nothing.
    pub const STATUS: u16 = 403;

    /// A short name for counters.
    pub fn reason(self) -> &'static str {
        match self {
            Self::Missing(_) => "missing_parameter",
            Self::Signature => "signature",
            Self::MsgSignature => "msg_signature",
            Self::Skew => "timestamp",
            Self::Downgrade => "downgrade",
            Self::NoKey => "no_key",
            Self::Crypt(CryptError::ReceiveId) => "app_id",
            Self::Crypt(_) => "decrypt",
            Self::Document(DocumentError::Doctype) => "doctype",
            Self::Document(DocumentError::Entity) => "entity",
            Self::Document(DocumentError::TooDeep) => "too_deep",
            Self::Document(_) | Self::Field(_) => "malformed",
        }
    }
}

/// Answers the console's URL check: the text to send back as it is, without quotes or newline.
/// `echostr` is plain text in every mode.
pub fn verify_url(
    settings: &CallbackSettings,
    query: &CallbackQuery,
    now: Timestamp,
) -> Result<String, Refusal> {
    check_signature(settings, query)?;
    check_skew(settings, query, now)?;
    CallbackQuery::required(&query.echostr, "echostr").map(str::to_owned)
}

/// Checks and reads a POST. The caller caps the body's size.
pub fn receive(
    settings: &CallbackSettings,
    query: &CallbackQuery,
    body: &[u8],
    now: Timestamp,
) -> Result<Callback, Refusal> {
    // Encrypted bodies have a signature of their own, which covers the body; the other one is then not looked at.
    let sealed = query.msg_signature.is_some();
    if !sealed {
        check_signature(settings, query)?;
    }
    let (outer, outer_format) = Document::parse(body).map_err(Refusal::Document)?;
    let Some(encrypt) = outer.text("Encrypt") else {
        let claims_encryption = query
            .encrypt_type
            .as_deref()
            .is_some_and(|kind| kind != "raw");
        if settings.mode == Mode::Safe || claims_encryption {
            return Err(Refusal::Downgrade);
        }
        if sealed {
            check_signature(settings, query)?;
        }
        check_skew(settings, query, now)?;
        return read(&outer, outer_format, query, body, false);
    };
    check_msg_signature(settings, query, encrypt)?;
    check_skew(settings, query, now)?;
    let key = settings.key.as_ref().ok_or(Refusal::NoKey)?;
    let plain = crypt::decrypt(key, encrypt, &settings.app_id).map_err(Refusal::Crypt)?;
    // The plain twins of compatible mode are covered by no signature: only what was encrypted counts.
    let (inner, _) = Document::parse(&plain).map_err(Refusal::Document)?;
    read(&inner, outer_format, query, &plain, true)
}

fn check_signature(settings: &CallbackSettings, query: &CallbackQuery) -> Result<(), Refusal> {
    let signature = CallbackQuery::required(&query.signature, "signature")?;
    let timestamp = CallbackQuery::required(&query.timestamp, "timestamp")?;
    let nonce = CallbackQuery::required(&query.nonce, "nonce")?;
    let parts = [settings.token.as_str(), timestamp, nonce];
    signature::verify(parts, signature)
        .then_some(())
        .ok_or(Refusal::Signature)
}

fn check_msg_signature(
    settings: &CallbackSettings,
    query: &CallbackQuery,
    encrypt: &str,
) -> Result<(), Refusal> {
    let signature = CallbackQuery::required(&query.msg_signature, "msg_signature")?;
    let timestamp = CallbackQuery::required(&query.timestamp, "timestamp")?;
    let nonce = CallbackQuery::required(&query.nonce, "nonce")?;
    let parts = [settings.token.as_str(), timestamp, nonce, encrypt];
    signature::verify(parts, signature)
        .then_some(())
        .ok_or(Refusal::MsgSignature)
}

fn check_skew(
    settings: &CallbackSettings,
    query: &CallbackQuery,
    now: Timestamp,
) -> Result<(), Refusal> {
    let Some(max) = settings.max_skew else {
        return Ok(());
    };
    let seconds = query
        .timestamp
        .as_deref()
        .and_then(|text| text.parse().ok());
    let at = seconds.and_then(|seconds| Timestamp::from_second(seconds).ok());
    let near = at.is_some_and(|at| now.duration_since(at).abs() <= max);
    near.then_some(()).ok_or(Refusal::Skew)
}

fn read(
    fields: &Document<'_>,
    format: Format,
    query: &CallbackQuery,
    body: &[u8],
    encrypted: bool,
) -> Result<Callback, Refusal> {
    let received = Received::read(fields).ok_or(Refusal::Field("MsgType or Event"))?;
    let from_user = fields
        .filled("FromUserName")
        .ok_or(Refusal::Field("FromUserName"))?;
    let create_time = fields
        .number("CreateTime")
        .ok_or(Refusal::Field("CreateTime"))?;
    Ok(Callback {
        dedupe_key: dedupe_key(&received, fields, from_user, create_time, body),
        received,
        format,
        encrypted,
        nonce: query.nonce.clone().unwrap_or_default(),
        to_user: fields.owned("ToUserName"),
        from_user: from_user.to_owned(),
        create_time,
    })
}

/// Messages: openid, CreateTime and MsgId (MsgId alone has collided between customers). Events have no MsgId, so
/// what tells two of one second apart is taken in: Event, EventKey, and the ids some kinds carry.
fn dedupe_key(
    received: &Received,
    fields: &Document<'_>,
    from_user: &str,
    create_time: i64,
    body: &[u8],
) -> String {
    let identity = match received {
        Received::Event { .. } => {
            let name = fields.owned("Event").to_ascii_lowercase();
            [
                "EventKey",
                "MsgID",
                "KfAccount",
                "FromKfAccount",
                "ToKfAccount",
            ]
            .iter()
            .filter_map(|field| fields.filled(field))
            .fold(name, |key, field| key + ":" + field)
        }
        _ => match fields.filled("MsgId") {
            Some(id) => id.to_owned(),
            None => hex::encode(Sha1::digest(body)),
        },
    };
    // The time leads, so that what comes together lies together in the index.
    format!("{create_time}:{}:{}", short(from_user), short(&identity))
}

/// Keys stay short, whatever was sent.
fn short(text: &str) -> Cow<'_, str> {
    match text.len() {
        0..=128 => Cow::Borrowed(text),
        _ => Cow::Owned(hex::encode(Sha1::digest(text.as_bytes()))),
    }
}

#[cfg(test)]
mod tests;

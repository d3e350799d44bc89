//! WeChat's own side of the callback protocol: builds the requests it sends and reads the replies it gets, as the
//! customer sees them. For `yingda send`, for tests, and for trying out a server without an account.

use std::fmt::Write as _;

use serde_json::{Map, Value};

use super::callback::{CallbackSettings, Mode};
use super::crypt;
use super::document::{Document, Format};
use super::reply::{ACKNOWLEDGED, PassiveReply, element};
use super::signature;
use super::split_text::MAX_TEXT_BYTES;

/// A message or event to send, by its own fields; the common head is added.
#[derive(Debug, Clone, PartialEq)]
pub struct Push {
    /// The customer's openid.
    pub from_user: String,
    /// The account's own id (`gh_…`).
    pub to_user: String,
    /// Seconds.
    pub create_time: i64,
    pub msg_type: String,
    /// Messages have one, events have none.
    pub msg_id: Option<u64>,
    /// Further fields in order; objects and arrays nest.
    pub fields: Map<String, Value>,
}

impl Push {
    pub fn text(
        from_user: &str,
        to_user: &str,
        create_time: i64,
        msg_id: u64,
        content: &str,
    ) -> Self {
        let fields = [("Content".to_owned(), Value::from(content))];
        Self {
            from_user: from_user.to_owned(),
            to_user: to_user.to_owned(),
            create_time,
            msg_type: "text".to_owned(),
            msg_id: Some(msg_id),
            fields: fields.into_iter().collect(),
        }
    }

    /// An event with its own fields, say `EventKey`.
    pub fn event(
        from_user: &str,
        to_user: &str,
        create_time: i64,
        event: &str,
        fields: &[(&str, &str)],
    ) -> Self {
        let own = fields.iter().map(|(name, value)| (*name, *value));
        Self {
            from_user: from_user.to_owned(),
            to_user: to_user.to_owned(),
            create_time,
            msg_type: "event".to_owned(),
            msg_id: None,
            fields: std::iter::once(("Event", event))
                .chain(own)
                .map(|(name, value)| (name.to_owned(), Value::from(value)))
                .collect(),
        }
    }

    /// The body before encryption.
    pub fn body(&self, format: Format) -> String {
        self.body_with(format, None)
    }

    fn body_with(&self, format: Format, encrypt: Option<&str>) -> String {
        let head = [
            ("ToUserName", Value::from(self.to_user.as_str())),
            ("FromUserName", Value::from(self.from_user.as_str())),
            ("CreateTime", Value::from(self.create_time)),
            ("MsgType", Value::from(self.msg_type.as_str())),
        ];
        let mut fields: Map<String, Value> = head
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect();
        fields.extend(self.fields.clone());
        fields.extend(self.msg_id.map(|id| ("MsgId".to_owned(), Value::from(id))));
        fields.extend(encrypt.map(|text| ("Encrypt".to_owned(), Value::from(text))));
        write_body(fields, format)
    }
}

/// A request ready to be posted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PushRequest {
    /// After the `?`, URL-encoded.
    pub query: String,
    pub body: String,
    pub content_type: &'static str,
}

/// What is drawn by chance and read from the clock for a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Freshness {
    /// Seconds.
    pub timestamp: i64,
    pub nonce: String,
    pub random: [u8; 16],
}

/// The query of the console's URL check.
pub fn url_check(settings: &CallbackSettings, fresh: &Freshness, echostr: &str) -> String {
    let time = fresh.timestamp.to_string();
    let signature = signature::sign([&settings.token, &time, &fresh.nonce]);
    form_urlencoded::Serializer::new(String::new())
        .append_pair("signature", &signature)
        .append_pair("timestamp", &time)
        .append_pair("nonce", &fresh.nonce)
        .append_pair("echostr", echostr)
        .finish()
}

/// The request WeChat posts for `push`, in the account's mode. Without a key every mode is plain.
pub fn push_request(
    settings: &CallbackSettings,
    push: &Push,
    format: Format,
    fresh: &Freshness,
) -> PushRequest {
    let time = fresh.timestamp.to_string();
    let signature = signature::sign([&settings.token, &time, &fresh.nonce]);
    let mut query = form_urlencoded::Serializer::new(String::new());
    query
        .append_pair("signature", &signature)
        .append_pair("timestamp", &time)
        .append_pair("nonce", &fresh.nonce)
        .append_pair("openid", &push.from_user);
    let plain = push.body(format);
    let key = settings
        .key
        .as_ref()
        .filter(|_| settings.mode != Mode::Plain);
    let body = match key {
        None => plain,
        Some(key) => {
            let encrypt = crypt::encrypt(key, fresh.random, plain.as_bytes(), &settings.app_id);
            let sealed = signature::sign([&settings.token, &time, &fresh.nonce, &encrypt]);
            query
                .append_pair("encrypt_type", "aes")
                .append_pair("msg_signature", &sealed);
            match settings.mode {
                Mode::Compat => push.body_with(format, Some(&encrypt)),
                Mode::Plain | Mode::Safe => {
                    let fields = [
                        ("ToUserName", push.to_user.as_str()),
                        ("Encrypt", encrypt.as_str()),
                    ];
                    let fields = fields.map(|(name, text)| (name.to_owned(), Value::from(text)));
                    write_body(fields.into_iter().collect(), format)
                }
            }
        }
    };
    PushRequest {
        query: query.finish(),
        body,
        content_type: match format {
            Format::Xml => "text/xml",
            Format::Json => "application/json",
        },
    }
}

/// What comes of a response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// `success` or nothing: the customer sees nothing.
    Acknowledged,
    Reply(PassiveReply),
}

/// Why WeChat would show the customer that the service has failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadAnswer {
    #[error("回复无法读取：{0}")]
    Unreadable(String),
    #[error("回复的 MsgSignature 不正确，请检查 token")]
    Signature,
    #[error("回复无法解密：{0}")]
    Crypt(crypt::CryptError),
    #[error("回复缺少 {0}")]
    Field(&'static str),
    #[error("回复的收件人是 {0}，不是发消息的客户")]
    Addressee(String),
    #[error("回复类型 {0} 不存在")]
    MsgType(String),
    #[error("回复的内容为空")]
    Empty,
    #[error("回复的内容有 {0} 字节，超过 {MAX_TEXT_BYTES} 字节")]
    TooLong(usize),
}

/// Reads a response's body as WeChat does: sealed or plain, checked field by field.
pub fn read_answer(
    settings: &CallbackSettings,
    customer: &str,
    body: &str,
) -> Result<Answer, BadAnswer> {
    if body.is_empty() || body == ACKNOWLEDGED {
        return Ok(Answer::Acknowledged);
    }
    let unreadable = |error: &dyn std::fmt::Display| BadAnswer::Unreadable(error.to_string());
    let (document, _) = Document::parse(body.as_bytes()).map_err(|error| unreadable(&error))?;
    let Some(encrypt) = document.text("Encrypt") else {
        return match settings.mode {
            Mode::Safe => Err(BadAnswer::Field("Encrypt")),
            Mode::Plain | Mode::Compat => read_reply(&document, customer).map(Answer::Reply),
        };
    };
    let required = |name| document.filled(name).ok_or(BadAnswer::Field(name));
    let signature = required("MsgSignature")?;
    let timestamp = required("TimeStamp")?;
    let nonce = required("Nonce")?;
    if !signature::verify([&settings.token, timestamp, nonce, encrypt], signature) {
        return Err(BadAnswer::Signature);
    }
    let key = settings
        .key
        .as_ref()
        .ok_or(BadAnswer::Field("EncodingAESKey"))?;
    let plain = crypt::decrypt(key, encrypt, &settings.app_id).map_err(BadAnswer::Crypt)?;
    let (document, _) = Document::parse(&plain).map_err(|error| unreadable(&error))?;
    read_reply(&document, customer).map(Answer::Reply)
}

fn read_reply(document: &Document<'_>, customer: &str) -> Result<PassiveReply, BadAnswer> {
    let required = |name| document.filled(name).ok_or(BadAnswer::Field(name));
    let to = required("ToUserName")?;
    required("FromUserName")?;
    document
        .number::<i64>("CreateTime")
        .ok_or(BadAnswer::Field("CreateTime"))?;
    if to != customer {
        return Err(BadAnswer::Addressee(to.to_owned()));
    }
    let group = |name| document.group(name).ok_or(BadAnswer::Field(name));
    let media = |name| {
        let id = group(name)?
            .filled("MediaId")
            .ok_or(BadAnswer::Field("MediaId"))?;
        Ok::<_, BadAnswer>(id.to_owned())
    };
    let reply = match required("MsgType")? {
        "text" => {
            let content = document.filled("Content").ok_or(BadAnswer::Empty)?;
            if content.len() > MAX_TEXT_BYTES {
                return Err(BadAnswer::TooLong(content.len()));
            }
            PassiveReply::Text {
                content: content.to_owned(),
            }
        }
        "image" => PassiveReply::Image {
            media_id: media("Image")?,
        },
        "voice" => PassiveReply::Voice {
            media_id: media("Voice")?,
        },
        "video" => PassiveReply::Video {
            media_id: media("Video")?,
            title: group("Video")?.owned("Title"),
            description: group("Video")?.owned("Description"),
        },
        "music" => {
            let music = group("Music")?;
            music
                .filled("ThumbMediaId")
                .ok_or(BadAnswer::Field("ThumbMediaId"))?;
            PassiveReply::Music {
                title: music.owned("Title"),
                description: music.owned("Description"),
                music_url: music.owned("MusicUrl"),
                hq_music_url: music.owned("HQMusicUrl"),
                thumb_media_id: music.owned("ThumbMediaId"),
            }
        }
        "news" => {
            if document.number::<u32>("ArticleCount") != Some(1) {
                return Err(BadAnswer::Field("ArticleCount"));
            }
            // XML wraps each article in an `item`, JSON lists them.
            let articles = group("Articles")?;
            let article = articles.group("item").unwrap_or(articles);
            PassiveReply::News {
                title: article.owned("Title"),
                description: article.owned("Description"),
                picture_url: article.owned("PicUrl"),
                url: article.owned("Url"),
            }
        }
        "transfer_customer_service" => PassiveReply::TransferCustomerService {
            kf_account: document
                .group("TransInfo")
                .and_then(|info| info.filled("KfAccount"))
                .map(str::to_owned),
        },
        other => return Err(BadAnswer::MsgType(other.to_owned())),
    };
    Ok(reply)
}

fn write_body(fields: Map<String, Value>, format: Format) -> String {
    match format {
        Format::Json => Value::Object(fields).to_string(),
        Format::Xml => {
            let mut xml = String::from("<xml>");
            fields
                .iter()
                .for_each(|(name, value)| xml_value(&mut xml, name, value));
            xml.push_str("</xml>");
            xml
        }
    }
}

fn xml_value(xml: &mut String, name: &str, value: &Value) {
    match value {
        Value::String(text) => element(xml, name, text),
        Value::Array(items) => items.iter().for_each(|item| xml_value(xml, name, item)),
        Value::Object(fields) => {
            let _ = write!(xml, "<{name}>");
            fields
                .iter()
                .for_each(|(name, value)| xml_value(xml, name, value));
            let _ = write!(xml, "</{name}>");
        }
        Value::Null => {}
        Value::Bool(_) | Value::Number(_) => {
            let _ = write!(xml, "<{name}>{value}</{name}>");
        }
    }
}

//! The answer in a callback's response: rendered as XML or JSON, and sealed where the callback was encrypted.

use std::borrow::Cow;
use std::fmt::Write as _;

use serde_json::{Map, Value, json};
use yingda_dsl::program::MessageKind;
use yingda_engine::turn::Outgoing;

use super::callback::{Callback, CallbackSettings};
use super::crypt;
use super::document::Format;
use super::signature;

/// The body that says "received, no reply"; never encrypted.
pub const ACKNOWLEDGED: &str = "success";

/// A reply of every type that WeChat takes in a response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PassiveReply {
    Text {
        content: String,
    },
    Image {
        media_id: String,
    },
    Voice {
        media_id: String,
    },
    Video {
        media_id: String,
        title: String,
        description: String,
    },
    Music {
        title: String,
        description: String,
        music_url: String,
        hq_music_url: String,
        thumb_media_id: String,
    },
    /// One article: more are refused in answer to a message.
    News {
        title: String,
        description: String,
        picture_url: String,
        url: String,
    },
    /// Hands the current message to WeChat's own customer-service client; to this agent, or to any.
    TransferCustomerService {
        kf_account: Option<String>,
    },
}

impl PassiveReply {
    /// The reply that says `message`; `None` where a response cannot carry it and the send API has to.
    /// A text over [`MAX_TEXT_BYTES`](super::split_text::MAX_TEXT_BYTES) is not cut here.
    pub fn from_outgoing(message: &Outgoing) -> Option<Self> {
        let reply = match message {
            Outgoing::Text { text } => Self::Text {
                content: text.clone(),
            },
            Outgoing::Media { media_kind, media } => {
                let media_id = media.clone();
                match media_kind {
                    MessageKind::Image | MessageKind::Sticker => Self::Image { media_id },
                    MessageKind::Voice => Self::Voice { media_id },
                    MessageKind::Video => Self::Video {
                        media_id,
                        title: String::new(),
                        description: String::new(),
                    },
                    _ => return None,
                }
            }
            Outgoing::News {
                title,
                description,
                url,
                picture,
            } => Self::News {
                title: title.clone(),
                description: description.clone(),
                picture_url: picture.clone().unwrap_or_default(),
                url: url.clone(),
            },
            Outgoing::MiniProgram {
                title,
                app_id,
                path,
                ..
            } => Self::Text {
                content: mini_program_link(title, app_id, path),
            },
            Outgoing::Menu { head, items, tail } => Self::Text {
                content: menu_text(head, items, tail),
            },
        };
        Some(reply)
    }
}

/// A menu as numbered lines, for where no tappable one can go.
pub fn menu_text(head: &str, items: &[(String, String)], tail: &str) -> String {
    let mut lines = Vec::with_capacity(items.len() + 2);
    if !head.trim().is_empty() {
        lines.push(head.trim_end().to_owned());
    }
    lines.extend(
        items
            .iter()
            .map(|(number, title)| format!("{number}. {title}")),
    );
    if !tail.trim().is_empty() {
        lines.push(tail.trim_end().to_owned());
    }
    lines.join("\n")
}

/// A text that opens a mini program: the only way to one from a response.
fn mini_program_link(title: &str, app_id: &str, path: &str) -> String {
    format!(
        "<a data-miniprogram-appid=\"{}\" data-miniprogram-path=\"{}\">{title}</a>",
        app_id.replace('"', ""),
        path.replace('"', "%22"),
    )
}

/// Who says it to whom: the two ends of the callback, swapped.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Addressing {
    /// The customer's openid.
    pub customer: String,
    /// The account's own id.
    pub account: String,
    /// Seconds.
    pub create_time: i64,
    pub format: Format,
}

impl Addressing {
    /// The way back of a callback.
    pub fn back(callback: &Callback, create_time: i64) -> Self {
        Self {
            customer: callback.from_user.clone(),
            account: callback.to_user.clone(),
            create_time,
            format: callback.format,
        }
    }
}

/// The plain body of a reply.
pub fn render(reply: &PassiveReply, addressing: &Addressing) -> String {
    match addressing.format {
        Format::Xml => render_xml(reply, addressing),
        Format::Json => render_json(reply, addressing),
    }
}

/// Encrypts and signs a plain body. `random` must be fresh; `timestamp` is now, in seconds.
/// `None` where the account has no key. [`ACKNOWLEDGED`] and the empty body are not to be sealed.
pub fn seal(
    body: &str,
    settings: &CallbackSettings,
    nonce: &str,
    timestamp: i64,
    random: [u8; 16],
    format: Format,
) -> Option<String> {
    let key = settings.key.as_ref()?;
    let encrypt = crypt::encrypt(key, random, body.as_bytes(), &settings.app_id);
    let time = timestamp.to_string();
    let signature = signature::sign([&settings.token, &time, nonce, &encrypt]);
    let sealed = match format {
        // The elements' names are exact: a reply with `Timestamp` is shown as a failure of the service.
        Format::Xml => {
            let mut xml = String::with_capacity(encrypt.len() + 256);
            xml.push_str("<xml>");
            element(&mut xml, "Encrypt", &encrypt);
            element(&mut xml, "MsgSignature", &signature);
            let _ = write!(xml, "<TimeStamp>{timestamp}</TimeStamp>");
            element(&mut xml, "Nonce", nonce);
            xml.push_str("</xml>");
            xml
        }
        Format::Json => json!({
            "Encrypt": encrypt,
            "MsgSignature": signature,
            "TimeStamp": timestamp,
            "Nonce": nonce,
        })
        .to_string(),
    };
    Some(sealed)
}

fn render_xml(reply: &PassiveReply, addressing: &Addressing) -> String {
    let mut xml = String::with_capacity(512);
    xml.push_str("<xml>");
    element(&mut xml, "ToUserName", &addressing.customer);
    element(&mut xml, "FromUserName", &addressing.account);
    let _ = write!(xml, "<CreateTime>{}</CreateTime>", addressing.create_time);
    let body = fields(reply);
    element(&mut xml, "MsgType", body.msg_type);
    for field in &body.fields {
        xml_field(&mut xml, field);
    }
    xml.push_str("</xml>");
    xml
}

fn render_json(reply: &PassiveReply, addressing: &Addressing) -> String {
    let body = fields(reply);
    let mut object = Map::new();
    object.insert("ToUserName".into(), legal(&addressing.customer).into());
    object.insert("FromUserName".into(), legal(&addressing.account).into());
    object.insert("CreateTime".into(), addressing.create_time.into());
    object.insert("MsgType".into(), body.msg_type.into());
    for field in &body.fields {
        json_field(&mut object, field);
    }
    Value::Object(object).to_string()
}

/// A reply's own fields, the same in both formats.
struct ReplyBody<'r> {
    msg_type: &'static str,
    fields: Vec<Field<'r>>,
}

enum Field<'r> {
    Text(&'static str, &'r str),
    Number(&'static str, i64),
    Group(&'static str, Vec<Field<'r>>),
    /// A list of one: `<Articles><item>…</item></Articles>`, `"Articles": […]`.
    Item(&'static str, Vec<Field<'r>>),
}

fn fields(reply: &PassiveReply) -> ReplyBody<'_> {
    use Field::{Group, Item, Number, Text};
    let (msg_type, fields) = match reply {
        PassiveReply::Text { content } => ("text", vec![Text("Content", content)]),
        PassiveReply::Image { media_id } => (
            "image",
            vec![Group("Image", vec![Text("MediaId", media_id)])],
        ),
        PassiveReply::Voice { media_id } => (
            "voice",
            vec![Group("Voice", vec![Text("MediaId", media_id)])],
        ),
        PassiveReply::Video {
            media_id,
            title,
            description,
        } => {
            let video = vec![
                Text("MediaId", media_id),
                Text("Title", title),
                Text("Description", description),
            ];
            ("video", vec![Group("Video", video)])
        }
        PassiveReply::Music {
            title,
            description,
            music_url,
            hq_music_url,
            thumb_media_id,
        } => {
            let music = vec![
                Text("Title", title),
                Text("Description", description),
                Text("MusicUrl", music_url),
                Text("HQMusicUrl", hq_music_url),
                Text("ThumbMediaId", thumb_media_id),
            ];
            ("music", vec![Group("Music", music)])
        }
        PassiveReply::News {
            title,
            description,
            picture_url,
            url,
        } => {
            let article = vec![
                Text("Title", title),
                Text("Description", description),
                Text("PicUrl", picture_url),
                Text("Url", url),
            ];
            (
                "news",
                vec![Number("ArticleCount", 1), Item("Articles", article)],
            )
        }
        PassiveReply::TransferCustomerService { kf_account } => {
            let info = kf_account
                .as_deref()
                .map(|agent| Group("TransInfo", vec![Text("KfAccount", agent)]));
            ("transfer_customer_service", info.into_iter().collect())
        }
    };
    ReplyBody { msg_type, fields }
}

fn xml_field(xml: &mut String, field: &Field<'_>) {
    let group = |xml: &mut String, name: &str, fields: &[Field<'_>]| {
        let _ = write!(xml, "<{name}>");
        fields.iter().for_each(|field| xml_field(xml, field));
        let _ = write!(xml, "</{name}>");
    };
    match field {
        Field::Text(name, text) => element(xml, name, text),
        Field::Number(name, number) => {
            let _ = write!(xml, "<{name}>{number}</{name}>");
        }
        Field::Group(name, fields) => group(xml, name, fields),
        Field::Item(name, fields) => {
            let _ = write!(xml, "<{name}>");
            group(xml, "item", fields);
            let _ = write!(xml, "</{name}>");
        }
    }
}

fn json_field(object: &mut Map<String, Value>, field: &Field<'_>) {
    let group = |fields: &[Field<'_>]| {
        let mut object = Map::new();
        fields
            .iter()
            .for_each(|field| json_field(&mut object, field));
        Value::Object(object)
    };
    let (name, value) = match field {
        Field::Text(name, text) => (name, legal(text).into()),
        Field::Number(name, number) => (name, (*number).into()),
        Field::Group(name, fields) => (name, group(fields)),
        Field::Item(name, fields) => (name, Value::Array(vec![group(fields)])),
    };
    object.insert((*name).to_owned(), value);
}

/// `<name><![CDATA[text]]></name>`; a `]]>` in the text is split over two sections.
pub(super) fn element(xml: &mut String, name: &str, text: &str) {
    let text = legal(text);
    for part in ["<", name, "><![CDATA["] {
        xml.push_str(part);
    }
    let mut parts = text.split("]]>");
    xml.push_str(parts.next().unwrap_or_default());
    for part in parts {
        xml.push_str("]]]]><![CDATA[>");
        xml.push_str(part);
    }
    for part in ["]]></", name, ">"] {
        xml.push_str(part);
    }
}

/// `text` without the characters that XML 1.0 cannot hold.
pub(super) fn legal(text: &str) -> Cow<'_, str> {
    let illegal = |character: char| matches!(character, '\0'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}');
    match text.contains(illegal) {
        true => Cow::Owned(text.replace(illegal, "")),
        false => Cow::Borrowed(text),
    }
}

#[cfg(test)]
mod tests;

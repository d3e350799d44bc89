//! A message as `message/custom/send` wants it.

use serde_json::{Value, json};
use yingda_dsl::program::MessageKind;
use yingda_engine::turn::Outgoing;

use super::error::SendError;

/// How a message is presented.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SendOptions {
    /// Sent in the name of this agent.
    pub kf_account: Option<String>,
    /// WeChat writes “内容由第三方AI生成” below it.
    pub ai_generated: bool,
}

/// The request's body. `Unsupported` where the API has no such message.
pub fn custom_message(
    openid: &str,
    message: &Outgoing,
    options: &SendOptions,
) -> Result<Value, SendError> {
    let (kind, content) = match message {
        Outgoing::Text { text } => ("text", json!({"content": text})),
        Outgoing::Media { media_kind, media } => media_message(*media_kind, media)?,
        Outgoing::News {
            title,
            description,
            url,
            picture,
        } => {
            let article = json!({
                "title": title,
                "description": description,
                "url": url,
                "picurl": picture.as_deref().unwrap_or_default(),
            });
            ("news", json!({"articles": [article]}))
        }
        Outgoing::MiniProgram {
            title,
            app_id,
            path,
            thumb,
        } => {
            let page = json!({
                "title": title,
                "appid": app_id,
                "pagepath": path,
                "thumb_media_id": thumb,
            });
            ("miniprogrampage", page)
        }
        Outgoing::Menu { head, items, tail } => {
            let list: Vec<Value> = items
                .iter()
                .map(|(id, content)| json!({"id": id, "content": content}))
                .collect();
            let menu = json!({"head_content": head, "list": list, "tail_content": tail});
            ("msgmenu", menu)
        }
    };
    let mut body = json!({"touser": openid, "msgtype": kind, kind: content});
    if let Some(agent) = &options.kf_account {
        body["customservice"] = json!({"kf_account": agent});
    }
    if options.ai_generated {
        body["aimsgcontext"] = json!({"is_ai_msg": 1});
    }
    Ok(body)
}

fn media_message(kind: MessageKind, media: &str) -> Result<(&'static str, Value), SendError> {
    match kind {
        MessageKind::Image | MessageKind::Sticker => Ok(("image", json!({"media_id": media}))),
        MessageKind::Voice => Ok(("voice", json!({"media_id": media}))),
        MessageKind::Video => Ok(("video", json!({"media_id": media}))),
        MessageKind::News => Ok(("mpnews", json!({"media_id": media}))),
        MessageKind::File => Err(SendError::Unsupported("文件")),
        MessageKind::Music => Err(SendError::Unsupported("音乐")),
        MessageKind::Location => Err(SendError::Unsupported("位置")),
        MessageKind::Text | MessageKind::Link | MessageKind::MiniProgram | MessageKind::Menu => {
            Err(SendError::Unsupported("没有素材的类型"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_message_has_its_body() {
        let media = |media_kind| Outgoing::Media {
            media_kind,
            media: "M".into(),
        };
        let cases = [
            (
                Outgoing::Text {
                    text: "您好😀".into(),
                },
                r#"{"touser":"o1","msgtype":"text","text":{"content":"您好😀"}}"#,
            ),
            (
                media(MessageKind::Image),
                r#"{"touser":"o1","msgtype":"image","image":{"media_id":"M"}}"#,
            ),
            (
                media(MessageKind::Voice),
                r#"{"touser":"o1","msgtype":"voice","voice":{"media_id":"M"}}"#,
            ),
            (
                media(MessageKind::Video),
                r#"{"touser":"o1","msgtype":"video","video":{"media_id":"M"}}"#,
            ),
            (
                media(MessageKind::News),
                r#"{"touser":"o1","msgtype":"mpnews","mpnews":{"media_id":"M"}}"#,
            ),
            (
                Outgoing::News {
                    title: "t".into(),
                    description: "d".into(),
                    url: "u".into(),
                    picture: Some("p".into()),
                },
                r#"{"touser":"o1","msgtype":"news","news":{"articles":[{"title":"t","description":"d","url":"u","picurl":"p"}]}}"#,
            ),
            (
                Outgoing::MiniProgram {
                    title: "t".into(),
                    app_id: "wx1".into(),
                    path: "p".into(),
                    thumb: "T".into(),
                },
                r#"{"touser":"o1","msgtype":"miniprogrampage","miniprogrampage":{"title":"t","appid":"wx1","pagepath":"p","thumb_media_id":"T"}}"#,
            ),
            (
                Outgoing::Menu {
                    head: "解决了吗？\n".into(),
                    items: vec![("101".into(), "解决了".into())],
                    tail: "点选即可".into(),
                },
                r#"{"touser":"o1","msgtype":"msgmenu","msgmenu":{"head_content":"解决了吗？\n","list":[{"id":"101","content":"解决了"}],"tail_content":"点选即可"}}"#,
            ),
        ];
        for (message, expected) in cases {
            let body = custom_message("o1", &message, &SendOptions::default()).unwrap();
            assert_eq!(body.to_string(), expected);
        }
    }

    #[test]
    fn the_agent_and_the_machine_are_named() {
        let options = SendOptions {
            kf_account: Some("amy@gh_shop01".into()),
            ai_generated: true,
        };
        let text = Outgoing::Text {
            text: "您好".into(),
        };
        assert_eq!(
            custom_message("o1", &text, &options).unwrap().to_string(),
            r#"{"touser":"o1","msgtype":"text","text":{"content":"您好"},"customservice":{"kf_account":"amy@gh_shop01"},"aimsgcontext":{"is_ai_msg":1}}"#
        );
    }

    #[test]
    fn what_the_api_cannot_carry_is_refused_before_it_is_called() {
        for media_kind in [MessageKind::File, MessageKind::Music, MessageKind::Location] {
            let message = Outgoing::Media {
                media_kind,
                media: "M".into(),
            };
            let error = custom_message("o1", &message, &SendOptions::default()).unwrap_err();
            assert_eq!(error.action(), super::super::Action::Drop);
        }
    }
}

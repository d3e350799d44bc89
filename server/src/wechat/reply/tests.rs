use super::*;
use crate::wechat::callback::Mode;
use crate::wechat::crypt::CryptKey;
use crate::wechat::document::Document;
use crate::wechat::platform::{Answer, BadAnswer, read_answer};
use proptest::prelude::*;

fn addressing(format: Format) -> Addressing {
    Addressing {
        customer: "oUser0001".into(),
        account: "gh_shop01".into(),
        create_time: 1_700_000_002,
        format,
    }
}

fn settings(mode: Mode) -> CallbackSettings {
    CallbackSettings {
        app_id: "wx1234567890abcdef".into(),
        token: "shop".into(),
        key: Some(CryptKey::parse("jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C").unwrap()),
        mode,
        max_skew: None,
    }
}

fn every_reply() -> Vec<PassiveReply> {
    vec![
        PassiveReply::Text {
            content: "您好\n请说 😀 ]]> <b>&amp;".into(),
        },
        PassiveReply::Image {
            media_id: "M".into(),
        },
        PassiveReply::Voice {
            media_id: "M".into(),
        },
        PassiveReply::Video {
            media_id: "M".into(),
            title: "t".into(),
            description: "d".into(),
        },
        PassiveReply::Music {
            title: "t".into(),
            description: "d".into(),
            music_url: "http://m".into(),
            hq_music_url: "http://h".into(),
            thumb_media_id: "T".into(),
        },
        PassiveReply::News {
            title: "尺码表".into(),
            description: "d".into(),
            picture_url: "http://p".into(),
            url: "http://u?a=1&b=2".into(),
        },
        PassiveReply::TransferCustomerService { kf_account: None },
        PassiveReply::TransferCustomerService {
            kf_account: Some("amy@gh_shop01".into()),
        },
    ]
}

#[test]
fn every_reply_type_has_its_elements() {
    let rendered: Vec<String> = every_reply()
        .iter()
        .map(|reply| {
            let xml = render(reply, &addressing(Format::Xml));
            let head = "<xml><ToUserName><![CDATA[oUser0001]]></ToUserName><FromUserName><![CDATA[gh_shop01]]></FromUserName><CreateTime>1700000002</CreateTime>";
            xml.strip_prefix(head).unwrap().strip_suffix("</xml>").unwrap().to_owned()
        })
        .collect();
    insta::assert_snapshot!(rendered.join("\n"));
}

#[test]
fn every_reply_type_has_its_fields_in_json() {
    let rendered: Vec<String> = every_reply()
        .iter()
        .map(|reply| render(reply, &addressing(Format::Json)))
        .collect();
    insta::assert_snapshot!(rendered.join("\n"));
}

#[test]
fn what_is_rendered_is_what_the_customer_sees() {
    for mode in [Mode::Plain, Mode::Compat, Mode::Safe] {
        for format in [Format::Xml, Format::Json] {
            for reply in every_reply() {
                let plain = render(&reply, &addressing(format));
                let settings = settings(mode);
                let sealed = seal(&plain, &settings, "n", 1_700_000_003, [9; 16], format).unwrap();
                let answer = read_answer(&settings, "oUser0001", &sealed);
                assert_eq!(answer, Ok(Answer::Reply(reply.clone())));
                let open = read_answer(&settings, "oUser0001", &plain);
                let expected = match mode {
                    Mode::Safe => Err(BadAnswer::Field("Encrypt")),
                    Mode::Plain | Mode::Compat => Ok(Answer::Reply(reply)),
                };
                assert_eq!(open, expected);
            }
        }
    }
}

#[test]
fn a_sealed_reply_has_exactly_these_elements() {
    let sealed = seal(
        "<xml/>",
        &settings(Mode::Safe),
        "415670741",
        1_700_000_001,
        [0; 16],
        Format::Xml,
    );
    insta::assert_snapshot!(sealed.unwrap());
    let sealed = seal(
        "{}",
        &settings(Mode::Safe),
        "415670741",
        1_700_000_001,
        [0; 16],
        Format::Json,
    );
    insta::assert_snapshot!(sealed.unwrap());
    let keyless = CallbackSettings {
        key: None,
        ..settings(Mode::Safe)
    };
    assert_eq!(seal("{}", &keyless, "1", 1, [0; 16], Format::Json), None);
}

#[test]
fn the_platform_finds_what_is_wrong_with_a_reply() {
    let plain = settings(Mode::Plain);
    let text = |content: &str| {
        let reply = PassiveReply::Text {
            content: content.into(),
        };
        render(&reply, &addressing(Format::Xml))
    };
    let sealed = seal(&text("您好"), &plain, "n", 1, [9; 16], Format::Xml).unwrap();
    let good = text("您好");
    let cases = [
        (String::new(), Ok(Answer::Acknowledged)),
        ("success".into(), Ok(Answer::Acknowledged)),
        (text(""), Err(BadAnswer::Empty)),
        (text(&"长".repeat(700)), Err(BadAnswer::TooLong(2100))),
        (
            good.replace("oUser0001", "oUser0002"),
            Err(BadAnswer::Addressee("oUser0002".into())),
        ),
        (
            good.replace("CreateTime", "Time"),
            Err(BadAnswer::Field("CreateTime")),
        ),
        (
            good.replace("[text]", "[hologram]"),
            Err(BadAnswer::MsgType("hologram".into())),
        ),
        (
            sealed.replace("TimeStamp", "Timestamp"),
            Err(BadAnswer::Field("TimeStamp")),
        ),
        (
            sealed.replace("<![CDATA[n]]>", "<![CDATA[m]]>"),
            Err(BadAnswer::Signature),
        ),
    ];
    for (body, expected) in cases {
        assert_eq!(read_answer(&plain, "oUser0001", &body), expected, "{body}");
    }
    for body in ["Success", "ok", "\"success\"", "<xml>", "{"] {
        let answer = read_answer(&plain, "oUser0001", body);
        assert!(matches!(answer, Err(BadAnswer::Unreadable(_))), "{body}");
    }
}

#[test]
fn outgoing_messages_become_passive_replies() {
    let menu = Outgoing::Menu {
        head: "请选择：\n".into(),
        items: vec![("1".into(), "查订单".into()), ("0".into(), "返回".into())],
        tail: "回复数字即可".into(),
    };
    let text = |text: &str| Outgoing::Text { text: text.into() };
    let image = Outgoing::Media {
        media_kind: MessageKind::Image,
        media: "M".into(),
    };
    let file = Outgoing::Media {
        media_kind: MessageKind::File,
        media: "M".into(),
    };
    let page = Outgoing::MiniProgram {
        title: "下单".into(),
        app_id: "wx1".into(),
        path: "p?a=\"1\"".into(),
        thumb: "T".into(),
    };
    let content = |content: &str| PassiveReply::Text {
        content: content.into(),
    };
    let cases = [
        (text("您好"), Some(content("您好"))),
        (
            menu,
            Some(content("请选择：\n1. 查订单\n0. 返回\n回复数字即可")),
        ),
        (
            image,
            Some(PassiveReply::Image {
                media_id: "M".into(),
            }),
        ),
        (file, None),
        (
            page,
            Some(content(
                "<a data-miniprogram-appid=\"wx1\" data-miniprogram-path=\"p?a=%221%22\">下单</a>",
            )),
        ),
    ];
    for (message, expected) in cases {
        assert_eq!(
            PassiveReply::from_outgoing(&message),
            expected,
            "{message:?}"
        );
    }
}

proptest! {
    /// Whatever a rule puts into a reply, it stays well-formed and says the same less the characters XML cannot hold.
    #[test]
    fn any_text_survives_being_rendered(content in any::<String>()) {
        let legal = legal(&content).into_owned();
        let reply = PassiveReply::Text { content };
        for format in [Format::Xml, Format::Json] {
            let body = render(&reply, &addressing(format));
            let (document, read) = Document::parse(body.as_bytes()).unwrap();
            prop_assert_eq!(read, format);
            // An XML reader takes \r\n and \r for \n; WeChat's own side is not known to.
            prop_assert_eq!(document.text("Content"), Some(legal.as_str()));
        }
    }
}

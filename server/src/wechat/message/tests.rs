//! One body of every type: what it is read as, what it means, what it allows.

use std::collections::BTreeMap;

use super::*;
use crate::wechat::budget::BudgetGrant;
use crate::wechat::document::Format;
use crate::wechat::inbound::{Inbound, grant, to_event};
use crate::wechat::push_event::TemplateChoice;
use yingda_dsl::program::MessageKind;
use yingda_engine::event::{Event, Message};

const MESSAGE: Option<BudgetGrant> = Some(BudgetGrant::MESSAGE);
const ACTION: Option<BudgetGrant> = Some(BudgetGrant::ACTION);

fn read(fields: &str) -> Received {
    let body = format!("<xml>{fields}</xml>");
    let (document, _) = Document::parse(body.as_bytes()).unwrap();
    Received::read(&document).unwrap()
}

fn message(kind: MessageKind, text: &str, attachment: &[(&str, &str)]) -> Inbound {
    let attachment = attachment
        .iter()
        .map(|(name, value)| ((*name).into(), (*value).into()));
    Inbound::Engine(Event::Message(Message {
        kind,
        text: text.into(),
        menu_id: None,
        attachment: attachment.collect::<BTreeMap<_, _>>(),
    }))
}

#[test]
fn every_message_type_is_read_and_means_something() {
    let media = [("media_id", "M"), ("thumb_media_id", "T")];
    let cases: Vec<(&str, Received, Inbound, Option<BudgetGrant>)> = vec![
        (
            "<MsgType>text</MsgType><Content><![CDATA[退货怎么办😀]]></Content><MsgId>1</MsgId>",
            Received::Text {
                content: "退货怎么办😀".into(),
                menu_id: None,
            },
            message(MessageKind::Text, "退货怎么办😀", &[]),
            MESSAGE,
        ),
        (
            "<MsgType>text</MsgType><Content>解决了</Content><bizmsgmenuid>101</bizmsgmenuid>",
            Received::Text {
                content: "解决了".into(),
                menu_id: Some("101".into()),
            },
            Inbound::Engine(Event::Message(Message {
                kind: MessageKind::Text,
                text: "解决了".into(),
                menu_id: Some("101".into()),
                attachment: BTreeMap::new(),
            })),
            ACTION,
        ),
        (
            "<MsgType>image</MsgType><PicUrl>http://p/1</PicUrl><MediaId>M</MediaId>",
            Received::Image {
                picture_url: "http://p/1".into(),
                media_id: "M".into(),
            },
            message(
                MessageKind::Image,
                "",
                &[("picture_url", "http://p/1"), ("media_id", "M")],
            ),
            MESSAGE,
        ),
        (
            "<MsgType>voice</MsgType><MediaId>M</MediaId><Format>amr</Format><Recognition>查快递</Recognition>",
            Received::Voice {
                media_id: "M".into(),
                media_id_16k: None,
                format: "amr".into(),
                recognition: Some("查快递".into()),
            },
            message(
                MessageKind::Voice,
                "查快递",
                &[("media_id", "M"), ("format", "amr")],
            ),
            MESSAGE,
        ),
        (
            "<MsgType>voice</MsgType><MediaId>M</MediaId><MediaId16K>K</MediaId16K><Format>speex</Format><Recognition><![CDATA[]]></Recognition>",
            Received::Voice {
                media_id: "M".into(),
                media_id_16k: Some("K".into()),
                format: "speex".into(),
                recognition: None,
            },
            message(
                MessageKind::Voice,
                "",
                &[
                    ("media_id", "M"),
                    ("media_id_16k", "K"),
                    ("format", "speex"),
                ],
            ),
            MESSAGE,
        ),
        (
            "<MsgType>video</MsgType><MediaId>M</MediaId><ThumbMediaId>T</ThumbMediaId>",
            Received::Video {
                media_id: "M".into(),
                thumb_media_id: "T".into(),
            },
            message(MessageKind::Video, "", &media),
            MESSAGE,
        ),
        (
            "<MsgType>shortvideo</MsgType><MediaId>M</MediaId><ThumbMediaId>T</ThumbMediaId>",
            Received::ShortVideo {
                media_id: "M".into(),
                thumb_media_id: "T".into(),
            },
            message(MessageKind::Video, "", &media),
            MESSAGE,
        ),
        (
            "<MsgType>location</MsgType><Location_X>23.13</Location_X><Location_Y>113.35</Location_Y><Scale>20</Scale><Label>天河</Label>",
            Received::Location {
                latitude: "23.13".into(),
                longitude: "113.35".into(),
                scale: "20".into(),
                label: "天河".into(),
            },
            message(
                MessageKind::Location,
                "",
                &[
                    ("latitude", "23.13"),
                    ("longitude", "113.35"),
                    ("scale", "20"),
                    ("label", "天河"),
                ],
            ),
            MESSAGE,
        ),
        (
            "<MsgType>link</MsgType><Title>t</Title><Description>d</Description><Url>http://u?a=1&amp;b=2</Url>",
            Received::Link {
                title: "t".into(),
                description: "d".into(),
                url: "http://u?a=1&b=2".into(),
            },
            message(
                MessageKind::Link,
                "",
                &[
                    ("title", "t"),
                    ("description", "d"),
                    ("url", "http://u?a=1&b=2"),
                ],
            ),
            MESSAGE,
        ),
        (
            "<MsgType>miniprogrampage</MsgType><Title>t</Title><AppId>wx1</AppId><PagePath>p?x=1</PagePath><ThumbUrl>u</ThumbUrl><ThumbMediaId>T</ThumbMediaId>",
            Received::MiniProgramPage {
                title: "t".into(),
                app_id: "wx1".into(),
                page_path: "p?x=1".into(),
                thumb_url: "u".into(),
                thumb_media_id: "T".into(),
            },
            message(
                MessageKind::MiniProgram,
                "",
                &[
                    ("title", "t"),
                    ("app_id", "wx1"),
                    ("page_path", "p?x=1"),
                    ("thumb_url", "u"),
                    ("thumb_media_id", "T"),
                ],
            ),
            MESSAGE,
        ),
        (
            "<MsgType>hologram</MsgType><Content>?</Content>",
            Received::Unknown {
                msg_type: "hologram".into(),
            },
            Inbound::Ignored {
                kind: "unknown_message",
            },
            None,
        ),
    ];
    for (body, received, inbound, granted) in cases {
        let read = read(body);
        assert_eq!(read, received);
        assert_eq!(to_event(&read), inbound, "{body}");
        assert_eq!(grant(&read), granted, "{body}");
    }
}

#[test]
fn every_event_type_is_read_and_means_something() {
    use PushEvent as E;
    let ignored = |kind| Inbound::Ignored { kind };
    let engine = Inbound::Engine;
    let list = || {
        vec![TemplateChoice {
            template_id: "T1".into(),
            status: "accept".into(),
            popup_scene: Some("2".into()),
        }]
    };
    let cases: Vec<(&str, E, Inbound, Option<BudgetGrant>)> = vec![
        (
            "<Event>subscribe</Event><EventKey></EventKey>",
            E::Subscribe {
                scene: None,
                ticket: None,
            },
            engine(Event::Subscribe { scene: None }),
            ACTION,
        ),
        (
            "<Event>subscribe</Event><EventKey>qrscene_poster7</EventKey><Ticket>K</Ticket>",
            E::Subscribe {
                scene: Some("poster7".into()),
                ticket: Some("K".into()),
            },
            engine(Event::Subscribe {
                scene: Some("poster7".into()),
            }),
            ACTION,
        ),
        (
            "<Event>unsubscribe</Event>",
            E::Unsubscribe,
            engine(Event::Unsubscribe),
            None,
        ),
        (
            "<Event>SCAN</Event><EventKey>12</EventKey><Ticket>K</Ticket>",
            E::Scan {
                scene: "12".into(),
                ticket: Some("K".into()),
            },
            engine(Event::Scan { scene: "12".into() }),
            ACTION,
        ),
        (
            "<Event>CLICK</Event><EventKey>K1</EventKey>",
            E::Click { key: "K1".into() },
            engine(Event::MenuClick { key: "K1".into() }),
            ACTION,
        ),
        (
            "<Event>VIEW</Event><EventKey>http://u</EventKey><MenuId>9</MenuId>",
            E::View {
                url: "http://u".into(),
                menu_id: Some("9".into()),
            },
            ignored("view"),
            None,
        ),
        (
            "<Event>view_miniprogram</Event><EventKey>pages/i</EventKey><MenuId>9</MenuId>",
            E::ViewMiniProgram {
                path: "pages/i".into(),
                menu_id: Some("9".into()),
            },
            ignored("view_miniprogram"),
            None,
        ),
        (
            "<Event>scancode_push</Event><EventKey>K</EventKey><ScanCodeInfo><ScanType>qrcode</ScanType><ScanResult>1</ScanResult></ScanCodeInfo>",
            E::ScanCode {
                key: "K".into(),
                waits: false,
                scan_type: "qrcode".into(),
                scan_result: "1".into(),
            },
            engine(Event::MenuClick { key: "K".into() }),
            ACTION,
        ),
        (
            "<Event>scancode_waitmsg</Event><EventKey>K</EventKey><ScanCodeInfo><ScanType>barcode</ScanType><ScanResult>EAN,69</ScanResult></ScanCodeInfo>",
            E::ScanCode {
                key: "K".into(),
                waits: true,
                scan_type: "barcode".into(),
                scan_result: "EAN,69".into(),
            },
            engine(Event::MenuClick { key: "K".into() }),
            ACTION,
        ),
        (
            "<Event>pic_photo_or_album</Event><EventKey>K</EventKey><SendPicsInfo><Count>2</Count><PicList><item><PicMd5Sum>a</PicMd5Sum></item><item><PicMd5Sum>b</PicMd5Sum></item></PicList></SendPicsInfo>",
            E::Pictures {
                key: "K".into(),
                count: 2,
                md5s: vec!["a".into(), "b".into()],
            },
            ignored("pictures"),
            None,
        ),
        (
            "<Event>location_select</Event><EventKey>K</EventKey><SendLocationInfo><Location_X>23</Location_X><Location_Y>113</Location_Y><Scale>15</Scale><Label>天河</Label><Poiname>店</Poiname></SendLocationInfo>",
            E::LocationSelect {
                key: "K".into(),
                latitude: "23".into(),
                longitude: "113".into(),
                scale: "15".into(),
                label: "天河".into(),
                name: "店".into(),
            },
            ignored("location_select"),
            None,
        ),
        (
            "<Event>LOCATION</Event><Latitude>23.1</Latitude><Longitude>113.3</Longitude><Precision>119.3</Precision>",
            E::LocationReport {
                latitude: "23.1".into(),
                longitude: "113.3".into(),
                precision: "119.3".into(),
            },
            ignored("location_report"),
            None,
        ),
        (
            "<Event>kf_create_session</Event><KfAccount>amy@gh</KfAccount>",
            E::KfCreateSession {
                agent: "amy@gh".into(),
            },
            engine(Event::AgentJoined {
                agent: "amy@gh".into(),
            }),
            None,
        ),
        (
            "<Event>kf_close_session</Event><KfAccount>amy@gh</KfAccount><CloseType>KF</CloseType>",
            E::KfCloseSession {
                agent: "amy@gh".into(),
                close_type: Some("KF".into()),
            },
            engine(Event::AgentLeft),
            None,
        ),
        (
            "<Event>kf_switch_session</Event><FromKfAccount>amy@gh</FromKfAccount><ToKfAccount>bob@gh</ToKfAccount>",
            E::KfSwitchSession {
                from: "amy@gh".into(),
                to: "bob@gh".into(),
            },
            engine(Event::AgentChanged {
                agent: "bob@gh".into(),
            }),
            None,
        ),
        (
            "<Event>TEMPLATESENDJOBFINISH</Event><MsgID>7</MsgID><Status>failed:user block</Status>",
            E::TemplateSendJobFinish {
                msg_id: "7".into(),
                status: "failed:user block".into(),
            },
            ignored("templatesendjobfinish"),
            None,
        ),
        (
            "<Event>MASSSENDJOBFINISH</Event><MsgID>8</MsgID><Status>send success</Status><TotalCount>100</TotalCount><FilterCount>80</FilterCount><SentCount>75</SentCount><ErrorCount>5</ErrorCount><CopyrightCheckResult><Count>1</Count><ResultList><item><ArticleIdx>1</ArticleIdx></item></ResultList></CopyrightCheckResult>",
            E::MassSendJobFinish {
                msg_id: "8".into(),
                status: "send success".into(),
                total: 100,
                filtered: 80,
                sent: 75,
                failed: 5,
            },
            ignored("masssendjobfinish"),
            None,
        ),
        (
            "<Event>subscribe_msg_popup_event</Event><SubscribeMsgPopupEvent><List><TemplateId>T1</TemplateId><SubscribeStatusString>accept</SubscribeStatusString><PopupScene>2</PopupScene></List></SubscribeMsgPopupEvent>",
            E::SubscribeMsgPopup { templates: list() },
            ignored("subscribe_msg_popup_event"),
            None,
        ),
        (
            "<Event>subscribe_msg_change_event</Event><SubscribeMsgChangeEvent><List><TemplateId>T1</TemplateId><SubscribeStatusString>accept</SubscribeStatusString><PopupScene>2</PopupScene></List></SubscribeMsgChangeEvent>",
            E::SubscribeMsgChange { templates: list() },
            ignored("subscribe_msg_change_event"),
            None,
        ),
        (
            "<Event>subscribe_msg_sent_event</Event><SubscribeMsgSentEvent><List><TemplateId>T1</TemplateId><ErrorStatus>success</ErrorStatus></List></SubscribeMsgSentEvent>",
            E::SubscribeMsgSent {
                templates: vec![TemplateChoice {
                    template_id: "T1".into(),
                    status: "success".into(),
                    popup_scene: None,
                }],
            },
            ignored("subscribe_msg_sent_event"),
            None,
        ),
        (
            "<Event>user_enter_tempsession</Event><SessionFrom>order=9</SessionFrom>",
            E::UserEnterTempSession {
                session_from: Some("order=9".into()),
            },
            engine(Event::Enter {
                scene: Some("order=9".into()),
            }),
            Some(BudgetGrant::ENTER),
        ),
        (
            "<Event>user_authorization_revoke</Event><OpenID>oUser9</OpenID><AppID>wx1</AppID><RevokeInfo>301</RevokeInfo>",
            E::UserAuthorizationRevoke {
                open_id: "oUser9".into(),
                app_id: "wx1".into(),
                revoke_info: "301".into(),
            },
            Inbound::Revoked {
                open_id: "oUser9".into(),
            },
            None,
        ),
        (
            "<Event>wxa_media_check</Event><trace_id>t1</trace_id>",
            E::WxaMediaCheck {
                trace_id: "t1".into(),
            },
            ignored("wxa_media_check"),
            None,
        ),
        (
            "<Event>debug_demo</Event>",
            E::Unknown {
                name: "debug_demo".into(),
            },
            ignored("unknown_event"),
            None,
        ),
    ];
    for (body, event, inbound, granted) in cases {
        let read = read(&format!("<MsgType>event</MsgType>{body}"));
        assert_eq!(read, Received::Event { event });
        assert_eq!(to_event(&read), inbound, "{body}");
        assert_eq!(grant(&read), granted, "{body}");
    }
}

#[test]
fn a_json_list_may_be_an_object_or_an_array() {
    let entry = r#"{"TemplateId":"T1","SubscribeStatusString":"reject","PopupScene":"0"}"#;
    for (list, count) in [
        (entry.to_owned(), 1),
        (format!("[{entry}]"), 1),
        (format!("[{entry},{entry}]"), 2),
        ("[]".to_owned(), 0),
        ("null".to_owned(), 0),
    ] {
        let body =
            format!(r#"{{"MsgType":"event","Event":"subscribe_msg_popup_event","List":{list}}}"#);
        let (document, format) = Document::parse(body.as_bytes()).unwrap();
        assert_eq!(format, Format::Json);
        let Some(Received::Event {
            event: PushEvent::SubscribeMsgPopup { templates },
        }) = Received::read(&document)
        else {
            panic!("{body}");
        };
        assert_eq!(templates.len(), count, "{body}");
        assert!(templates.iter().all(|choice| choice.status == "reject"));
    }
}

#[test]
fn numbers_are_read_whole_and_from_strings() {
    for (body, id) in [
        (r#"{"MsgId":24000000000000002}"#, "24000000000000002"),
        (r#"{"MsgId":18446744073709551615}"#, "18446744073709551615"),
        (r#"{"MsgId":"24000000000000002"}"#, "24000000000000002"),
    ] {
        let (document, _) = Document::parse(body.as_bytes()).unwrap();
        assert_eq!(document.text("MsgId"), Some(id));
        assert_eq!(document.number::<u64>("MsgId"), id.parse().ok());
    }
}

#[test]
fn layout_around_cdata_is_no_content_and_spaces_in_text_are() {
    let cases = [
        ("<a>\n  <b>\n <![CDATA[ x ]]>\n </b>\n</a>", " x "),
        ("<a><b> x </b></a>", " x "),
        ("<a><b><![CDATA[1]]]]><![CDATA[>2]]></b></a>", "1]]>2"),
        ("<a><b>1&lt;2 &amp;&#x4e2d;&#25991;</b></a>", "1<2 &中文"),
        ("<a><b><!-- c -->x<?pi?>y</b></a>", "xy"),
        ("\u{feff}<a><b>x</b></a>", "x"),
        ("<a k='v'><b k=\"v\">x</b></a>", "x"),
        ("<a><b/></a>", ""),
    ];
    for (body, expected) in cases {
        let (document, _) = Document::parse(body.as_bytes()).unwrap();
        assert_eq!(document.text("b"), Some(expected), "{body}");
    }
}

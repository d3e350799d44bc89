//! Bodies with `MsgType` event, by `Event`.

use serde::{Deserialize, Serialize};

use super::document::Document;

/// What happened. Casing of `Event` differs between documents and pushes, so it is compared without it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum PushEvent {
    /// `scene` without the `qrscene_` before it.
    Subscribe {
        scene: Option<String>,
        ticket: Option<String>,
    },
    Unsubscribe,
    /// A follower scanned a code with a parameter.
    Scan {
        scene: String,
        ticket: Option<String>,
    },
    Click {
        key: String,
    },
    View {
        url: String,
        menu_id: Option<String>,
    },
    ViewMiniProgram {
        path: String,
        menu_id: Option<String>,
    },
    /// scancode_push, scancode_waitmsg.
    ScanCode {
        key: String,
        /// The customer sees "receiving…" until an answer comes.
        waits: bool,
        scan_type: String,
        scan_result: String,
    },
    /// pic_sysphoto, pic_photo_or_album, pic_weixin: the pictures follow as messages.
    Pictures {
        key: String,
        count: u32,
        md5s: Vec<String>,
    },
    /// location_select: the location follows as a message.
    LocationSelect {
        key: String,
        latitude: String,
        longitude: String,
        scale: String,
        label: String,
        name: String,
    },
    /// LOCATION, as often as every 5 s while the conversation is open.
    LocationReport {
        latitude: String,
        longitude: String,
        precision: String,
    },
    KfCreateSession {
        agent: String,
    },
    KfCloseSession {
        agent: String,
        close_type: Option<String>,
    },
    KfSwitchSession {
        from: String,
        to: String,
    },
    TemplateSendJobFinish {
        msg_id: String,
        status: String,
    },
    MassSendJobFinish {
        msg_id: String,
        status: String,
        total: u32,
        filtered: u32,
        sent: u32,
        failed: u32,
    },
    SubscribeMsgPopup {
        templates: Vec<TemplateChoice>,
    },
    SubscribeMsgChange {
        templates: Vec<TemplateChoice>,
    },
    SubscribeMsgSent {
        templates: Vec<TemplateChoice>,
    },
    /// Mini programs: the customer opened the conversation. `session_from` is the page's text.
    UserEnterTempSession {
        session_from: Option<String>,
    },
    /// The customer withdrew consent: their data is to be erased.
    UserAuthorizationRevoke {
        open_id: String,
        app_id: String,
        revoke_info: String,
    },
    /// The result of an asynchronous media check.
    WxaMediaCheck {
        trace_id: String,
    },
    /// Not known here: acknowledged and counted.
    Unknown {
        name: String,
    },
}

/// An entry of a subscribe_msg_* event's list.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct TemplateChoice {
    pub template_id: String,
    /// `accept`, `reject`, or a sending's status.
    pub status: String,
    pub popup_scene: Option<String>,
}

impl PushEvent {
    /// Reads the fields of a body; `None` where it has no `Event`.
    pub(super) fn read(body: &Document<'_>) -> Option<Self> {
        let name = body.filled("Event")?.trim();
        let key = || body.owned("EventKey");
        let optional = |field: &str| body.filled(field).map(str::to_owned);
        let event = match name.to_ascii_lowercase().as_str() {
            "subscribe" => Self::Subscribe {
                scene: body
                    .filled("EventKey")
                    .map(|key| key.strip_prefix("qrscene_").unwrap_or(key).to_owned())
                    .filter(|scene| !scene.is_empty()),
                ticket: optional("Ticket"),
            },
            "unsubscribe" => Self::Unsubscribe,
            "scan" => Self::Scan {
                scene: key(),
                ticket: optional("Ticket"),
            },
            "click" => Self::Click { key: key() },
            "view" => Self::View {
                url: key(),
                menu_id: optional("MenuId"),
            },
            "view_miniprogram" => Self::ViewMiniProgram {
                path: key(),
                menu_id: optional("MenuId"),
            },
            "scancode_push" => scan_code(body, false),
            "scancode_waitmsg" => scan_code(body, true),
            "pic_sysphoto" | "pic_photo_or_album" | "pic_weixin" => pictures(body),
            "location_select" => location_select(body),
            "location" => Self::LocationReport {
                latitude: body.owned("Latitude"),
                longitude: body.owned("Longitude"),
                precision: body.owned("Precision"),
            },
            "kf_create_session" => Self::KfCreateSession {
                agent: body.owned("KfAccount"),
            },
            "kf_close_session" => Self::KfCloseSession {
                agent: body.owned("KfAccount"),
                close_type: optional("CloseType"),
            },
            "kf_switch_session" => Self::KfSwitchSession {
                from: body.owned("FromKfAccount"),
                to: body.owned("ToKfAccount"),
            },
            "templatesendjobfinish" => Self::TemplateSendJobFinish {
                msg_id: body.owned("MsgID"),
                status: body.owned("Status"),
            },
            "masssendjobfinish" => Self::MassSendJobFinish {
                msg_id: body.owned("MsgID"),
                status: body.owned("Status"),
                total: body.number("TotalCount").unwrap_or_default(),
                filtered: body.number("FilterCount").unwrap_or_default(),
                sent: body.number("SentCount").unwrap_or_default(),
                failed: body.number("ErrorCount").unwrap_or_default(),
            },
            "subscribe_msg_popup_event" => Self::SubscribeMsgPopup {
                templates: templates(body, "SubscribeMsgPopupEvent"),
            },
            "subscribe_msg_change_event" => Self::SubscribeMsgChange {
                templates: templates(body, "SubscribeMsgChangeEvent"),
            },
            "subscribe_msg_sent_event" => Self::SubscribeMsgSent {
                templates: templates(body, "SubscribeMsgSentEvent"),
            },
            "user_enter_tempsession" => Self::UserEnterTempSession {
                session_from: optional("SessionFrom"),
            },
            "user_authorization_revoke" => Self::UserAuthorizationRevoke {
                open_id: body.owned("OpenID"),
                app_id: body.owned("AppID"),
                revoke_info: body.owned("RevokeInfo"),
            },
            "wxa_media_check" => Self::WxaMediaCheck {
                trace_id: body.owned("trace_id"),
            },
            _ => Self::Unknown {
                name: name.to_owned(),
            },
        };
        Some(event)
    }

    /// The event in WeChat's words, for counters and logs; one of a fixed set, whatever was sent.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Subscribe { .. } => "subscribe",
            Self::Unsubscribe => "unsubscribe",
            Self::Scan { .. } => "scan",
            Self::Click { .. } => "click",
            Self::View { .. } => "view",
            Self::ViewMiniProgram { .. } => "view_miniprogram",
            Self::ScanCode { waits: false, .. } => "scancode_push",
            Self::ScanCode { waits: true, .. } => "scancode_waitmsg",
            Self::Pictures { .. } => "pictures",
            Self::LocationSelect { .. } => "location_select",
            Self::LocationReport { .. } => "location_report",
            Self::KfCreateSession { .. } => "kf_create_session",
            Self::KfCloseSession { .. } => "kf_close_session",
            Self::KfSwitchSession { .. } => "kf_switch_session",
            Self::TemplateSendJobFinish { .. } => "templatesendjobfinish",
            Self::MassSendJobFinish { .. } => "masssendjobfinish",
            Self::SubscribeMsgPopup { .. } => "subscribe_msg_popup_event",
            Self::SubscribeMsgChange { .. } => "subscribe_msg_change_event",
            Self::SubscribeMsgSent { .. } => "subscribe_msg_sent_event",
            Self::UserEnterTempSession { .. } => "user_enter_tempsession",
            Self::UserAuthorizationRevoke { .. } => "user_authorization_revoke",
            Self::WxaMediaCheck { .. } => "wxa_media_check",
            Self::Unknown { .. } => "unknown_event",
        }
    }
}

fn scan_code(body: &Document<'_>, waits: bool) -> PushEvent {
    let info = body.group("ScanCodeInfo");
    let field = |name| info.map(|info| info.owned(name)).unwrap_or_default();
    PushEvent::ScanCode {
        key: body.owned("EventKey"),
        waits,
        scan_type: field("ScanType"),
        scan_result: field("ScanResult"),
    }
}

fn pictures(body: &Document<'_>) -> PushEvent {
    let info = body.group("SendPicsInfo");
    let list = info.and_then(|info| info.group("PicList"));
    PushEvent::Pictures {
        key: body.owned("EventKey"),
        count: info
            .and_then(|info| info.number("Count"))
            .unwrap_or_default(),
        md5s: list
            .map(|list| {
                list.groups("item")
                    .map(|item| item.owned("PicMd5Sum"))
                    .collect()
            })
            .unwrap_or_default(),
    }
}

fn location_select(body: &Document<'_>) -> PushEvent {
    let info = body.group("SendLocationInfo");
    let field = |name| info.map(|info| info.owned(name)).unwrap_or_default();
    PushEvent::LocationSelect {
        key: body.owned("EventKey"),
        latitude: field("Location_X"),
        longitude: field("Location_Y"),
        scale: field("Scale"),
        label: field("Label"),
        name: field("Poiname"),
    }
}

/// XML nests the list in an element of the event's name; JSON has it at the top, as an object or an array.
fn templates(body: &Document<'_>, element: &str) -> Vec<TemplateChoice> {
    body.group(element)
        .unwrap_or(body)
        .groups("List")
        .map(|entry| TemplateChoice {
            template_id: entry.owned("TemplateId"),
            status: entry
                .filled("SubscribeStatusString")
                .or_else(|| entry.filled("ErrorStatus"))
                .unwrap_or_default()
                .to_owned(),
            popup_scene: entry.filled("PopupScene").map(str::to_owned),
        })
        .collect()
}

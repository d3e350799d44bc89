//! What a received message or event means: to the engine, and to the send budget.

use std::collections::BTreeMap;

use yingda_dsl::program::MessageKind;
use yingda_engine::event::{Event, Message};

use super::budget::BudgetGrant;
use super::message::Received;
use super::push_event::PushEvent;

/// Where a callback goes after it was read.
#[derive(Debug, Clone, PartialEq)]
pub enum Inbound {
    /// The engine decides.
    Engine(Event),
    /// Acknowledged and counted; nobody decides anything.
    Ignored { kind: &'static str },
    /// The customer withdrew consent: erase the data of this openid.
    Revoked { open_id: String },
}

/// What `received` means.
pub fn to_event(received: &Received) -> Inbound {
    match received {
        Received::Text { content, menu_id } => Inbound::Engine(Event::Message(Message {
            kind: MessageKind::Text,
            text: content.clone(),
            menu_id: menu_id.clone(),
            attachment: BTreeMap::new(),
        })),
        Received::Image {
            picture_url,
            media_id,
        } => message(
            MessageKind::Image,
            &[("picture_url", picture_url), ("media_id", media_id)],
        ),
        Received::Voice {
            media_id,
            media_id_16k,
            format,
            recognition,
        } => Inbound::Engine(Event::Message(Message {
            kind: MessageKind::Voice,
            text: recognition.clone().unwrap_or_default(),
            menu_id: None,
            attachment: attachment(&[
                ("media_id", media_id),
                ("media_id_16k", media_id_16k.as_deref().unwrap_or_default()),
                ("format", format),
            ]),
        })),
        Received::Video {
            media_id,
            thumb_media_id,
        }
        | Received::ShortVideo {
            media_id,
            thumb_media_id,
        } => message(
            MessageKind::Video,
            &[("media_id", media_id), ("thumb_media_id", thumb_media_id)],
        ),
        Received::Location {
            latitude,
            longitude,
            scale,
            label,
        } => message(
            MessageKind::Location,
            &[
                ("latitude", latitude),
                ("longitude", longitude),
                ("scale", scale),
                ("label", label),
            ],
        ),
        Received::Link {
            title,
            description,
            url,
        } => message(
            MessageKind::Link,
            &[("title", title), ("description", description), ("url", url)],
        ),
        Received::MiniProgramPage {
            title,
            app_id,
            page_path,
            thumb_url,
            thumb_media_id,
        } => message(
            MessageKind::MiniProgram,
            &[
                ("title", title),
                ("app_id", app_id),
                ("page_path", page_path),
                ("thumb_url", thumb_url),
                ("thumb_media_id", thumb_media_id),
            ],
        ),
        Received::Event { event } => of_event(event),
        Received::Unknown { .. } => Inbound::Ignored {
            kind: received.kind(),
        },
    }
}

fn of_event(event: &PushEvent) -> Inbound {
    let meaning = match event {
        PushEvent::Subscribe { scene, .. } => Event::Subscribe {
            scene: scene.clone(),
        },
        PushEvent::Unsubscribe => Event::Unsubscribe,
        PushEvent::Scan { scene, .. } => Event::Scan {
            scene: scene.clone(),
        },
        // A scan from the menu is a tap on that menu item; with scancode_waitmsg the customer even waits for an answer.
        PushEvent::Click { key } | PushEvent::ScanCode { key, .. } => {
            Event::MenuClick { key: key.clone() }
        }
        PushEvent::UserEnterTempSession { session_from } => Event::Enter {
            scene: session_from.clone(),
        },
        PushEvent::KfCreateSession { agent } => Event::AgentJoined {
            agent: agent.clone(),
        },
        PushEvent::KfSwitchSession { to, .. } => Event::AgentChanged { agent: to.clone() },
        PushEvent::KfCloseSession { .. } => Event::AgentLeft,
        PushEvent::UserAuthorizationRevoke { open_id, .. } => {
            return Inbound::Revoked {
                open_id: open_id.clone(),
            };
        }
        // Pictures and a chosen location follow as messages of their own; the rest asks for no answer.
        PushEvent::View { .. }
        | PushEvent::ViewMiniProgram { .. }
        | PushEvent::Pictures { .. }
        | PushEvent::LocationSelect { .. }
        | PushEvent::LocationReport { .. }
        | PushEvent::TemplateSendJobFinish { .. }
        | PushEvent::MassSendJobFinish { .. }
        | PushEvent::SubscribeMsgPopup { .. }
        | PushEvent::SubscribeMsgChange { .. }
        | PushEvent::SubscribeMsgSent { .. }
        | PushEvent::WxaMediaCheck { .. }
        | PushEvent::Unknown { .. } => return Inbound::Ignored { kind: event.kind() },
    };
    Inbound::Engine(meaning)
}

/// What may be sent outside the response because of it; `None` where it allows nothing.
pub fn grant(received: &Received) -> Option<BudgetGrant> {
    match received {
        // A tap on a msgmenu item counts as a menu click, not as a message.
        Received::Text {
            menu_id: Some(_), ..
        } => Some(BudgetGrant::ACTION),
        Received::Text { .. }
        | Received::Image { .. }
        | Received::Voice { .. }
        | Received::Video { .. }
        | Received::ShortVideo { .. }
        | Received::Location { .. }
        | Received::Link { .. }
        | Received::MiniProgramPage { .. } => Some(BudgetGrant::MESSAGE),
        Received::Event { event } => match event {
            PushEvent::Subscribe { .. }
            | PushEvent::Scan { .. }
            | PushEvent::Click { .. }
            | PushEvent::ScanCode { .. } => Some(BudgetGrant::ACTION),
            PushEvent::UserEnterTempSession { .. } => Some(BudgetGrant::ENTER),
            _ => None,
        },
        Received::Unknown { .. } => None,
    }
}

/// As [`grant`], of an event that was kept before a restart.
pub fn granted_by(event: &Event) -> Option<BudgetGrant> {
    match event {
        Event::Message(Message {
            menu_id: Some(_), ..
        })
        | Event::Subscribe { .. }
        | Event::Scan { .. }
        | Event::MenuClick { .. } => Some(BudgetGrant::ACTION),
        Event::Message(_) => Some(BudgetGrant::MESSAGE),
        Event::Enter { .. } => Some(BudgetGrant::ENTER),
        _ => None,
    }
}

fn message(kind: MessageKind, fields: &[(&str, &str)]) -> Inbound {
    Inbound::Engine(Event::Message(Message {
        kind,
        text: String::new(),
        menu_id: None,
        attachment: attachment(fields),
    }))
}

fn attachment(fields: &[(&str, &str)]) -> BTreeMap<String, String> {
    fields
        .iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

//! Every kind of message and event that a customer's side of an Official Account or mini program sends.

use serde::{Deserialize, Serialize};

use super::document::Document;
use super::push_event::PushEvent;

/// What came, by `MsgType`. Texts are as sent; nothing in them is to be trusted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Received {
    Text {
        content: String,
        /// `bizmsgmenuid`: the id of the msgmenu item that was tapped.
        menu_id: Option<String>,
    },
    Image {
        picture_url: String,
        media_id: String,
    },
    Voice {
        media_id: String,
        /// `MediaId16K`, the better recording where it is offered.
        media_id_16k: Option<String>,
        /// amr or speex.
        format: String,
        /// WeChat's transcript; being withdrawn, mostly absent or empty.
        recognition: Option<String>,
    },
    Video {
        media_id: String,
        thumb_media_id: String,
    },
    ShortVideo {
        media_id: String,
        thumb_media_id: String,
    },
    Location {
        /// Decimal degrees, as sent.
        latitude: String,
        longitude: String,
        scale: String,
        label: String,
    },
    Link {
        title: String,
        description: String,
        url: String,
    },
    /// Mini programs only.
    MiniProgramPage {
        title: String,
        app_id: String,
        page_path: String,
        thumb_url: String,
        thumb_media_id: String,
    },
    Event {
        event: PushEvent,
    },
    /// A `MsgType` not known here: acknowledged and counted, never an error.
    Unknown {
        msg_type: String,
    },
}

impl Received {
    /// Reads the fields of a body; `None` where it has no `MsgType` (or an event no `Event`).
    pub(super) fn read(body: &Document<'_>) -> Option<Self> {
        let msg_type = body.filled("MsgType")?.trim();
        let received = match msg_type.to_ascii_lowercase().as_str() {
            "text" => Self::Text {
                content: body.owned("Content"),
                menu_id: body.filled("bizmsgmenuid").map(str::to_owned),
            },
            "image" => Self::Image {
                picture_url: body.owned("PicUrl"),
                media_id: body.owned("MediaId"),
            },
            "voice" => Self::Voice {
                media_id: body.owned("MediaId"),
                media_id_16k: body.filled("MediaId16K").map(str::to_owned),
                format: body.owned("Format"),
                recognition: body.filled("Recognition").map(str::to_owned),
            },
            "video" => Self::Video {
                media_id: body.owned("MediaId"),
                thumb_media_id: body.owned("ThumbMediaId"),
            },
            "shortvideo" => Self::ShortVideo {
                media_id: body.owned("MediaId"),
                thumb_media_id: body.owned("ThumbMediaId"),
            },
            "location" => Self::Location {
                latitude: body.owned("Location_X"),
                longitude: body.owned("Location_Y"),
                scale: body.owned("Scale"),
                label: body.owned("Label"),
            },
            "link" => Self::Link {
                title: body.owned("Title"),
                description: body.owned("Description"),
                url: body.owned("Url"),
            },
            "miniprogrampage" => Self::MiniProgramPage {
                title: body.owned("Title"),
                app_id: body.owned("AppId"),
                page_path: body.owned("PagePath"),
                thumb_url: body.owned("ThumbUrl"),
                thumb_media_id: body.owned("ThumbMediaId"),
            },
            "event" => Self::Event {
                event: PushEvent::read(body)?,
            },
            _ => Self::Unknown {
                msg_type: msg_type.to_owned(),
            },
        };
        Some(received)
    }

    /// The kind in WeChat's words, for counters and logs; one of a fixed set, whatever was sent.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Text { .. } => "text",
            Self::Image { .. } => "image",
            Self::Voice { .. } => "voice",
            Self::Video { .. } => "video",
            Self::ShortVideo { .. } => "shortvideo",
            Self::Location { .. } => "location",
            Self::Link { .. } => "link",
            Self::MiniProgramPage { .. } => "miniprogrampage",
            Self::Event { event } => event.kind(),
            Self::Unknown { .. } => "unknown_message",
        }
    }
}

#[cfg(test)]
mod tests;

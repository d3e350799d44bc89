//! What the language cannot know by itself: labels, entity types, channels. Given to the checker from outside.

use serde::{Deserialize, Serialize};

/// The outside names a package may use.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Default)]
pub struct Catalogue {
    /// Intent labels: id (`track_order`) and Chinese name (`订单跟踪`).
    pub intents: Vec<CatalogueName>,
    /// Entity types: id (`phone`) and Chinese name (`手机号`).
    pub entities: Vec<CatalogueName>,
    /// The classifier's own refusal threshold as a confidence, for the threshold warning.
    pub intent_refusal: f64,
    /// Channels in use and what each can send.
    pub channels: Vec<Channel>,
    /// Connectors bound in the configuration; `None` where no configuration is known (`yingda check` alone).
    pub bound_connectors: Option<Vec<String>>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CatalogueName {
    pub id: String,
    pub name: String,
}

/// A channel's capabilities, never its wire format.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Channel {
    pub name: String,
    /// Longest text of one message, UTF-8 bytes.
    pub max_text_bytes: usize,
    pub kinds: Vec<crate::program::MessageKind>,
}

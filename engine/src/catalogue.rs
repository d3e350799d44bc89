//! The standard catalogue: what packages may name without a server's configuration.

use yingda_dsl::catalogue::{Catalogue, CatalogueName, Channel};
use yingda_dsl::program::MessageKind;
use yingda_models::labels;

/// Longest text that any channel in use carries in one message, UTF-8 bytes.
const MAX_TEXT_BYTES: usize = 2_048;
/// Confidence below which the packaged classifier refuses nearly always; thresholds below it say nothing.
const INTENT_REFUSAL: f64 = 0.30;

/// The standard intents and entities, and one channel that carries what all channels carry.
pub fn standard_catalogue() -> Catalogue {
    let name = |id: &str, name: &str| CatalogueName {
        id: id.to_owned(),
        name: name.to_owned(),
    };
    Catalogue {
        intents: labels::INTENTS
            .iter()
            .map(|(id, zh)| name(id, zh))
            .collect(),
        entities: labels::ENTITIES
            .iter()
            .map(|(_, id, zh)| name(id, zh))
            .collect(),
        intent_refusal: INTENT_REFUSAL,
        channels: vec![Channel {
            name: "通用".to_owned(),
            max_text_bytes: MAX_TEXT_BYTES,
            kinds: vec![
                MessageKind::Text,
                MessageKind::Image,
                MessageKind::Voice,
                MessageKind::Video,
                MessageKind::News,
                MessageKind::Music,
                MessageKind::Link,
                MessageKind::MiniProgram,
                MessageKind::File,
                MessageKind::Menu,
            ],
        }],
        bound_connectors: None,
    }
}

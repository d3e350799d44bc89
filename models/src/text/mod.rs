//! Normalising a text, with every character's way back to the original.
//!
//! NFKC → lower case → traditional to simplified → emoji and WeChat bracket codes to `[名字]` → URLs, e-mail addresses,
//! phone, order, card and parcel numbers to typed placeholders. Lower-cased text holds no capital letter, so a
//! placeholder is a word in capitals (`PHONE`, `ORDER`, …) and cannot be confused with text.

mod canonical;
mod emoji;
mod fold;

pub use canonical::Canonical;
pub use emoji::{EmojiMood, mood};
pub use fold::{fold, fold_with_symbols, is_symbolic};

use crate::entity::{self, Entity, EntityKind};

/// A normalised text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Normalized {
    pub text: String,
    /// Stretches of `text` in order: plain text and placeholders.
    pub pieces: Vec<Piece>,
    /// For each character of `text`, the characters of the original it stands for, `start..end`.
    origins: Vec<(u32, u32)>,
}

/// A stretch of the normalised text, in bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    pub start: usize,
    pub end: usize,
    pub kind: PieceKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PieceKind {
    /// To be cut into words.
    Text,
    /// One token, as it stands: `PHONE`, `[发怒]`.
    Placeholder,
}

impl Normalized {
    /// The stretch of the original, in characters, that a stretch of characters of the normalised text stands for.
    pub fn original(&self, start: usize, end: usize) -> (usize, usize) {
        let Some(stretch) = self.origins.get(start..end) else {
            return (0, 0);
        };
        match (stretch.first(), stretch.last()) {
            (Some(first), Some(last)) => (first.0 as usize, last.1 as usize),
            _ => (0, 0),
        }
    }
}

/// Normalises a text. Spans of the result map back to the original by [`Normalized::original`].
pub fn normalize(text: &str) -> Normalized {
    let canonical = Canonical::new(text);
    let found = entity::numbers(&canonical);
    with_placeholders(&canonical, &found)
}

/// The word that stands for an entity in a normalised text; `None` for kinds that stay as they are written.
fn placeholder(kind: EntityKind) -> Option<&'static str> {
    Some(match kind {
        EntityKind::Phone => "PHONE",
        EntityKind::Landline => "LANDLINE",
        EntityKind::OrderNumber => "ORDER",
        EntityKind::IdCard => "IDCARD",
        EntityKind::BankCard => "CARD",
        EntityKind::Email => "EMAIL",
        EntityKind::LicencePlate => "PLATE",
        EntityKind::TrackingNumber => "PARCEL",
        EntityKind::Url => "URL",
        EntityKind::Date
        | EntityKind::Time
        | EntityKind::DateTime
        | EntityKind::Money
        | EntityKind::Quantity => return None,
    })
}

/// Writes the normalised text; `found` are spans over the canonical characters, in order, not overlapping.
pub(crate) fn with_placeholders(canonical: &Canonical, found: &[Entity]) -> Normalized {
    let mut out = Normalized {
        text: String::with_capacity(canonical.chars.len() * 3),
        pieces: Vec::with_capacity(4),
        origins: Vec::with_capacity(canonical.chars.len()),
    };
    let mut entities = found
        .iter()
        .filter_map(|e| placeholder(e.kind).map(|word| (e, word)))
        .peekable();
    let mut at = 0;
    let mut text_start = 0;
    while at < canonical.chars.len() {
        if let Some((entity, word)) = entities.next_if(|(e, _)| e.start == at) {
            let origin = canonical.original(entity.start, entity.end);
            out.place(&mut text_start, word, origin);
            at = entity.end;
        } else if let Some((name, length)) = emoji::at(&canonical.chars, at) {
            let origin = canonical.original(at, at + length);
            out.place(&mut text_start, name, origin);
            at += length;
        } else {
            out.text.push(canonical.chars[at]);
            out.origins.push(canonical.origins[at]);
            at += 1;
        }
    }
    out.close(text_start);
    out
}

impl Normalized {
    fn close(&mut self, text_start: usize) {
        if text_start < self.text.len() {
            self.pieces.push(Piece {
                start: text_start,
                end: self.text.len(),
                kind: PieceKind::Text,
            });
        }
    }

    fn place(&mut self, text_start: &mut usize, word: &str, origin: (usize, usize)) {
        self.close(*text_start);
        let start = self.text.len();
        self.text.push_str(word);
        let origin = (origin.0 as u32, origin.1 as u32);
        self.origins
            .extend(std::iter::repeat_n(origin, word.chars().count()));
        *text_start = self.text.len();
        self.pieces.push(Piece {
            start,
            end: *text_start,
            kind: PieceKind::Placeholder,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_table_of_normalised_texts() {
        let cases = [
            ("我要ＴＵＩ貨", "我要tui货"),
            ("  你好　　在吗\u{200b} ", "你好 在吗"),
            ("打１３８ ００１３ ８０００找我", "打PHONE找我"),
            ("看https://a.cn/b?c=1。", "看URL。"),
            ("气死了😡😡", "气死了[发怒][发怒]"),
            ("谢谢[玫瑰]/::)", "谢谢[玫瑰][微笑]"),
            ("👨‍👩‍👧好", "[表情]好"),
            ("订单号E20261120001没发", "订单号ORDER没发"),
            ("邮箱Tom.Li@QQ.com", "邮箱EMAIL"),
            ("①号ﬁ", "1号fi"),
            ("[不是代码]", "[不是代码]"),
        ];
        for (text, expected) in cases {
            assert_eq!(normalize(text).text, expected, "{text}");
        }
    }

    #[test]
    fn a_placeholder_maps_back_to_what_it_replaced() {
        let text = "打１３８ ００１３ ８０００找我";
        let normalized = normalize(text);
        let (start, end) = normalized.original(1, 6);
        let stretch: String = text.chars().skip(start).take(end - start).collect();
        assert_eq!(stretch, "１３８ ００１３ ８０００");
    }

    proptest! {
        #[test]
        fn every_span_lies_in_the_original_and_the_pieces_cover_the_text(text in "\\PC{0,40}|[0-9 +\\-你我😡\\[\\]a-z@.]{0,40}") {
            let normalized = normalize(&text);
            let length = text.chars().count();
            let mut last = 0;
            for &(start, end) in &normalized.origins {
                prop_assert!(start as usize >= last && start <= end && end as usize <= length);
                last = start as usize;
            }
            prop_assert_eq!(normalized.origins.len(), normalized.text.chars().count());
            let mut at = 0;
            for piece in &normalized.pieces {
                prop_assert_eq!(piece.start, at);
                prop_assert!(normalized.text.get(piece.start..piece.end).is_some());
                at = piece.end;
            }
            prop_assert_eq!(at, normalized.text.len());
        }
    }
}

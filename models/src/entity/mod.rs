//! Typed stretches of a text: numbers people are known by, addresses of the net, dates, amounts.

mod numbers;
mod parse;
pub(crate) mod shape;

pub use crate::understanding::{Entity, EntityKind};
pub use numbers::numbers;
pub use parse::{ParseError, parse};

use crate::text::Canonical;

/// Every entity of a text, in order, not overlapping; spans count characters of `text`. Dates and times relative to the
/// day of writing (明天, 下周二) keep the words as their value, see [`find_at`].
pub fn find(text: &str) -> Vec<Entity> {
    let canonical = Canonical::new(text);
    to_original(&canonical, canonical_entities(&canonical, None))
}

/// As [`find`], with relative dates and times resolved against `now`.
pub fn find_at(text: &str, now: jiff::civil::DateTime) -> Vec<Entity> {
    let canonical = Canonical::new(text);
    to_original(&canonical, canonical_entities(&canonical, Some(now)))
}

/// Entities with spans over the canonical characters.
pub(crate) fn canonical_entities(
    canonical: &Canonical,
    _now: Option<jiff::civil::DateTime>,
) -> Vec<Entity> {
    numbers(canonical)
}

pub(crate) fn to_original(canonical: &Canonical, mut entities: Vec<Entity>) -> Vec<Entity> {
    for entity in &mut entities {
        (entity.start, entity.end) = canonical.original(entity.start, entity.end);
    }
    entities
}

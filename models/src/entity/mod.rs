//! Typed stretches of a text: numbers people are known by, addresses of the net, dates, amounts.

mod amount;
mod chinese_number;
mod clock;
mod moment;
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

/// Entities with spans over the canonical characters: numbers and addresses first, dates and amounts in what they leave.
pub(crate) fn canonical_entities(
    canonical: &Canonical,
    now: Option<jiff::civil::DateTime>,
) -> Vec<Entity> {
    let chars = canonical.chars.as_slice();
    let taken = numbers(canonical);
    let mut found = Vec::with_capacity(taken.len());
    let mut taken = taken.into_iter().peekable();
    let mut at = 0;
    while at < chars.len() {
        if let Some(entity) = taken.next_if(|e| e.start <= at) {
            at = entity.end;
            found.push(entity);
            continue;
        }
        let limit = taken.peek().map_or(chars.len(), |e| e.start);
        let entity = if may_begin(chars[at]) {
            moment::moment(chars, at, now)
                .or_else(|| amount::amount(chars, at))
                .filter(|e| e.end <= limit)
        } else {
            None
        };
        match entity {
            Some(entity) => {
                at = entity.end;
                found.push(entity);
            }
            None => at = past_figures(chars, at),
        }
    }
    found
}

/// The first characters of dates, times, amounts.
fn may_begin(c: char) -> bool {
    match c {
        '0'..='9' | '¥' | '￥' | 'r' => true,
        '!'..='~' => false,
        '一' | '二' | '三' | '四' | '五' | '六' | '七' | '八' | '九' | '十' | '两' | '半'
        | '俩' | '仨' | '廿' | '零' | '〇' | '壹' | '贰' | '叁' | '肆' | '伍' | '陆' | '柒'
        | '捌' | '玖' | '拾' | '百' | '今' | '明' | '昨' | '前' | '后' | '大' | '听' | '下'
        | '上' | '这' | '本' | '当' | '周' | '星' | '礼' | '月' | '年' | '元' | '情' | '劳'
        | '儿' | '国' | '双' | '平' | '圣' | '凌' | '早' | '清' | '中' | '午' | '傍' | '晚'
        | '夜' | '人' => true,
        _ => false,
    }
}

/// Figures that begin nothing begin nothing in their middle either.
fn past_figures(chars: &[char], at: usize) -> usize {
    let figures = chars[at..]
        .iter()
        .take_while(|c| c.is_ascii_digit() || **c == '.')
        .count();
    at + figures.max(1)
}

pub(crate) fn to_original(canonical: &Canonical, mut entities: Vec<Entity>) -> Vec<Entity> {
    for entity in &mut entities {
        (entity.start, entity.end) = canonical.original(entity.start, entity.end);
    }
    entities
}

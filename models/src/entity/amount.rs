//! Money and quantities.

use super::chinese_number::{Number, number};
use super::{Entity, EntityKind};

/// The amount or quantity that starts at `at`.
pub(crate) fn amount(chars: &[char], at: usize) -> Option<Entity> {
    money(chars, at).or_else(|| quantity(chars, at))
}

fn starts_with(chars: &[char], at: usize, word: &str) -> bool {
    let rest = chars.get(at..).unwrap_or_default();
    let length = word.chars().count();
    rest.len() >= length && word.chars().zip(rest).all(|(a, b)| a == *b)
}

/// The longest of `words` at `at`, by its length.
fn word_at(chars: &[char], at: usize, words: &[&str]) -> Option<usize> {
    words
        .iter()
        .filter(|word| starts_with(chars, at, word))
        .map(|word| word.chars().count())
        .max()
}

fn money(chars: &[char], at: usize) -> Option<Entity> {
    let signed = word_at(chars, at, &["¥", "￥", "rmb", "人民币"]);
    let mut from = at + signed.unwrap_or(0);
    if signed.is_some() && chars.get(from) == Some(&' ') {
        from += 1;
    }
    let (mut value, mut end) = number(chars, from)?;
    let mut named = signed.is_some();
    if let Some(length) = word_at(
        chars,
        end,
        &["元钱", "元", "块钱", "块", "圆", "rmb", "人民币"],
    ) {
        // 两块电池, 一块去: a piece, or together.
        let piece = chars.get(end) == Some(&'块') && length == 1;
        end += length;
        named = true;
        let tail = tenths(chars, end);
        if let Some((tenths, after)) = tail {
            value = value.plus(tenths);
            end = after;
        } else if piece
            && chars
                .get(end)
                .is_some_and(|c| "电表布肉地去糖砖玻屏硬毛香儿石钟".contains(*c))
        {
            return None;
        }
        end += word_at(chars, end, &["整"]).unwrap_or(0);
    } else if let Some(length) = word_at(chars, end, &["毛钱", "毛", "角"]) {
        value = value.over(10);
        end += length;
        named = true;
    }
    let spent = before_ends_with(
        chars,
        at,
        &[
            "花了", "付了", "充了", "转了", "扣了", "扣我", "退我", "交了", "给了", "付款", "充值",
            "预算", "价格", "总价", "少了", "多收",
        ],
    );
    let counted = word_at(chars, end, MEASURES).is_some();
    if !named && (!spent || counted) {
        return None;
    }
    Some(Entity {
        kind: EntityKind::Money,
        value: value.to_string(),
        start: at,
        end,
    })
}

/// What follows 块: `9`, `9毛`, `9毛5`, `五`.
fn tenths(chars: &[char], at: usize) -> Option<(Number, usize)> {
    let (value, end) = number(chars, at)?;
    let figure = value.as_whole().filter(|v| (0..=9).contains(v))?;
    // 99块9的, but not 99块 3件.
    if word_at(chars, end, MEASURES).is_some() && word_at(chars, end, &["毛", "角"]).is_none() {
        return None;
    }
    let end = end + word_at(chars, end, &["毛钱", "毛", "角"]).unwrap_or(0);
    Some((Number::whole(figure).over(10), end))
}

fn before_ends_with(chars: &[char], at: usize, words: &[&str]) -> bool {
    words.iter().any(|word| {
        let length = word.chars().count();
        at >= length && starts_with(chars, at - length, word)
    })
}

const MEASURES: &[&str] = &[
    "个", "件", "台", "双", "套", "盒", "箱", "瓶", "份", "张", "本", "斤", "公斤", "千克", "克",
    "只", "条", "袋", "包", "部", "辆", "位", "人", "名", "间", "晚", "桶", "杯", "支", "把",
    "课时", "节课", "次", "颗", "对", "打", "米", "升", "kg", "ml", "gb", "提", "罐", "听", "枚",
    "粒", "片", "株", "束", "顶", "床", "副", "组", "枝", "朵",
];

fn quantity(chars: &[char], at: usize) -> Option<Entity> {
    let (value, end) = number(chars, at)?;
    let length = word_at(chars, end, MEASURES)?;
    // 有一个问题, 上一次, 一位客服: an article, not a count.
    if chars[at] == '一'
        && end == at + 1
        && matches!(chars[end], '个' | '次' | '位' | '件' | '份' | '条' | '些')
    {
        return None;
    }
    // 个人, 人工, 人民币, 张先生 are words of their own.
    if starts_with(chars, end, "人工")
        || starts_with(chars, end, "人民")
        || starts_with(chars, end, "个月")
        || starts_with(chars, end, "个小时")
        || starts_with(chars, end, "个人")
    {
        return None;
    }
    let value = if starts_with(chars, end, "打") {
        value.times(12)
    } else {
        value
    };
    Some(Entity {
        kind: EntityKind::Quantity,
        value: value.to_string(),
        start: at,
        end: end + length,
    })
}

/// A number standing for an amount on its own, as an answer to the question how much or how many.
pub(crate) fn bare(chars: &[char], kind: EntityKind) -> Option<String> {
    let mut found: Option<(Number, usize)> = None;
    let mut at = 0;
    while at < chars.len() {
        match number(chars, at) {
            Some((_, _)) if found.is_some() => return None,
            Some((value, end)) => {
                found = Some((value, end));
                at = end;
            }
            None => at += 1,
        }
    }
    let (value, end) = found?;
    let dozen = kind == EntityKind::Quantity && chars.get(end) == Some(&'打');
    Some(if dozen { value.times(12) } else { value }.to_string())
}

//! Slots: reading an answer as a value of the type that was asked for.

use jiff::civil::DateTime;
use regex::Regex;
use yingda_dsl::program::{Type, Value};
use yingda_models::entity;
use yingda_models::text::fold;
use yingda_models::understanding::EntityKind;

use crate::menu::choice_number;

/// The value a text gives for a slot; `None` where it does not fit its type or pattern.
pub(crate) fn read(ty: &Type, pattern: Option<&Regex>, text: &str, now: DateTime) -> Option<Value> {
    let trimmed = text.trim();
    if trimmed.is_empty() {
        return None;
    }
    let value = match ty {
        Type::Text | Type::Address => Some(Value::Text(trimmed.to_owned())),
        Type::Choice(options) => choice(options, trimmed).map(Value::Text),
        Type::Boolean => yes_or_no(&fold(trimmed)).map(Value::Boolean),
        Type::Number => number(trimmed, now).map(Value::Number),
        _ => entity_kind(ty).and_then(|kind| {
            let normal = entity::parse(kind, trimmed, now).ok();
            normal.and_then(|normal| typed(ty, normal))
        }),
    };
    match (value, pattern) {
        (Some(Value::Text(normal)), Some(pattern)) => {
            pattern.is_match(&normal).then_some(Value::Text(normal))
        }
        (Some(value), _) => Some(value),
        // A business's own order numbers follow its pattern, whatever the recogniser knows.
        (None, Some(pattern)) if matches!(ty, Type::OrderNumber | Type::TrackingNumber) => {
            let plain: String = trimmed.chars().filter(|c| !c.is_whitespace()).collect();
            pattern.is_match(&plain).then_some(Value::Text(plain))
        }
        (None, _) => None,
    }
}

/// Entities that answer a question of a type.
pub(crate) fn entity_kind(ty: &Type) -> Option<EntityKind> {
    Some(match ty {
        Type::Date => EntityKind::Date,
        Type::Time => EntityKind::Time,
        Type::DateTime => EntityKind::DateTime,
        Type::Quantity => EntityKind::Quantity,
        Type::Money => EntityKind::Money,
        Type::Phone => EntityKind::Phone,
        Type::Landline => EntityKind::Landline,
        Type::OrderNumber => EntityKind::OrderNumber,
        Type::IdCard => EntityKind::IdCard,
        Type::BankCard => EntityKind::BankCard,
        Type::Email => EntityKind::Email,
        Type::LicencePlate => EntityKind::LicencePlate,
        Type::TrackingNumber => EntityKind::TrackingNumber,
        Type::Text | Type::Number | Type::Boolean | Type::Address | Type::Choice(_) => return None,
    })
}

fn typed(ty: &Type, normal: String) -> Option<Value> {
    match ty {
        Type::Date => normal.parse().ok().map(Value::Date),
        Type::Time => normal.parse().ok().map(Value::Time),
        Type::DateTime => normal.parse().ok().map(Value::DateTime),
        Type::Quantity | Type::Money => normal.parse().ok().map(Value::Number),
        _ => Some(Value::Text(normal)),
    }
}

fn number(text: &str, now: DateTime) -> Option<f64> {
    let folded = fold(text);
    if let Ok(number) = folded.parse::<f64>() {
        return number.is_finite().then_some(number);
    }
    [EntityKind::Quantity, EntityKind::Money]
        .iter()
        .find_map(|kind| entity::parse(*kind, text, now).ok())
        .and_then(|normal| normal.parse().ok())
        .or_else(|| choice_number(&folded).map(f64::from))
}

fn choice(options: &[String], text: &str) -> Option<String> {
    let folded = fold(text);
    if let Some(option) = options.iter().find(|option| fold(option) == folded) {
        return Some(option.clone());
    }
    if let Some(number) = choice_number(&folded) {
        return options.get((number as usize).checked_sub(1)?).cloned();
    }
    let bare = without_fillers(&folded);
    // One character is part of too many words: 特大 is not 大.
    let mut held = options.iter().filter(|option| {
        let option = fold(option);
        bare == option || (option.chars().count() > 1 && folded.contains(&option))
    });
    let only = held.next()?;
    held.next().is_none().then(|| only.clone())
}

/// A choice without the words around it: 我要中号的 → 中.
fn without_fillers(folded: &str) -> &str {
    let mut text = folded;
    for prefix in ["我", "就", "那就", "要", "选", "想要", "是", "给我"] {
        text = text.strip_prefix(prefix).unwrap_or(text).trim_start();
    }
    for suffix in ["吧", "谢谢", "的", "号", "码", "款", "那个"] {
        text = text.strip_suffix(suffix).unwrap_or(text).trim_end();
    }
    text
}

/// 是 or 否 in the words people use.
pub(crate) fn yes_or_no(folded: &str) -> Option<bool> {
    const YES: [&str; 22] = [
        "是",
        "是的",
        "对",
        "对的",
        "嗯",
        "嗯嗯",
        "好",
        "好的",
        "可以",
        "行",
        "没错",
        "没问题",
        "确认",
        "确定",
        "要",
        "有",
        "yes",
        "y",
        "ok",
        "1",
        "同意",
        "正确",
    ];
    const NO: [&str; 20] = [
        "否",
        "不",
        "不是",
        "不对",
        "没有",
        "没",
        "不用",
        "不要",
        "不行",
        "不可以",
        "错",
        "错了",
        "换",
        "换一个",
        "no",
        "n",
        "2",
        "不同意",
        "取消",
        "不了",
    ];
    let text = folded.trim_end_matches(['啊', '呀', '哦', '的', '了', ' ']);
    let is = |words: &[&str]| words.contains(&folded) || words.contains(&text);
    match (is(&YES), is(&NO)) {
        (true, false) => Some(true),
        (false, true) => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    fn read_plain(ty: Type, text: &str) -> Option<Value> {
        read(&ty, None, text, date(2026, 11, 20).at(10, 12, 0, 0))
    }

    #[test]
    fn answers_become_values_in_normal_form() {
        let text = |t: &str| Some(Value::Text(t.into()));
        let sizes = Type::Choice(vec!["大".into(), "中".into(), "小".into()]);
        let cases = [
            (Type::Phone, "１３８ ００１３ ８０００", text("13800138000")),
            (
                Type::Phone,
                "我的号码是138-0013-8000。",
                text("13800138000"),
            ),
            (Type::Phone, "1380013", None),
            (Type::Text, " 随便什么 ", text("随便什么")),
            (Type::Number, "3.5", Some(Value::Number(3.5))),
            (Type::Number, "十二", Some(Value::Number(12.0))),
            (Type::Boolean, "好的", Some(Value::Boolean(true))),
            (Type::Boolean, "不是的", Some(Value::Boolean(false))),
            (Type::Boolean, "什么", None),
            (sizes.clone(), "中", text("中")),
            (sizes.clone(), "３", text("小")),
            (sizes.clone(), "要大的", text("大")),
            (sizes.clone(), "我要中号的吧", text("中")),
            (sizes.clone(), "特大", None),
            (sizes.clone(), "大的还是小的好", None),
            (sizes, "4", None),
        ];
        for (ty, answer, expected) in cases {
            assert_eq!(read_plain(ty.clone(), answer), expected, "{ty:?} {answer}");
        }
    }

    #[test]
    fn a_pattern_is_the_business_s_own_order_number() {
        let pattern = crate::condition::regex("^(?:[A-Z]\\d{4})$").unwrap();
        let now = date(2026, 11, 20).at(10, 12, 0, 0);
        assert_eq!(
            read(&Type::OrderNumber, Some(&pattern), "A1024", now),
            Some(Value::Text("A1024".into()))
        );
        assert_eq!(
            read(&Type::OrderNumber, Some(&pattern), "B 10245", now),
            None
        );
    }
}

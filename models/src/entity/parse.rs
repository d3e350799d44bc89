//! What a customer gave for a slot, in its normal form.

use jiff::civil::DateTime;
use thiserror::Error;

use super::{Entity, EntityKind, amount, canonical_entities, moment, shape};
use crate::labels::entity_name;
use crate::text::Canonical;

/// Why an answer is not of its type; the sentence may be shown to a customer.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ParseError {
    #[error("没有看到{0}，请直接发{0}")]
    Missing(&'static str),
    #[error("手机号是 1 开头的 11 位数字，您发的是 {0} 位")]
    PhoneLength(usize),
    #[error("手机号要以 13 到 19 开头，请核对后再发一次")]
    PhonePrefix,
    #[error("这是座机号码，请发 11 位的手机号")]
    LandlineForPhone,
    #[error("身份证号的校验位不对，请核对后再发一次")]
    IdCardChecksum,
    #[error("身份证号是 18 位，您发的是 {0} 位")]
    IdCardLength(usize),
    #[error("银行卡号没有通过校验，请核对后再发一次")]
    BankCard,
    #[error("暂时不认识农历日期，请发公历日期，例如 11月23日")]
    Lunar,
    #[error("没有这一天，请核对日期后再发一次")]
    NoSuchDay,
    #[error("请说具体几点，例如 下午3点")]
    VagueTime,
    #[error("请连时间一起说，例如 明天下午3点")]
    TimeMissing,
}

/// Reads `text` as a value of `kind`, relative dates and times against `now`.
///
/// Normal forms: digits for numbers of people and things; `2026-11-23`, `15:30`, `2026-11-23T15:30`; amounts and
/// quantities in figures (`150`, `99.9`). A time alone, asked for a date and time, is the next such time.
///
/// # Errors
/// Why the text is not of that kind.
pub fn parse(kind: EntityKind, text: &str, now: DateTime) -> Result<String, ParseError> {
    let canonical = Canonical::new(text);
    let found = canonical_entities(&canonical, Some(now));
    if let Some(entity) = found.iter().find(|e| e.kind == kind) {
        return Ok(entity.value.clone());
    }
    let of = |wanted: EntityKind| found.iter().find(|e| e.kind == wanted);
    let digits: Vec<u8> = canonical
        .chars
        .iter()
        .filter_map(|c| shape::digit(*c))
        .collect();
    let missing = Err(ParseError::Missing(entity_name(kind)));
    match kind {
        EntityKind::Phone if of(EntityKind::Landline).is_some() => {
            Err(ParseError::LandlineForPhone)
        }
        EntityKind::Phone => phone(&found, &digits).ok_or(match digits.len() {
            0 => ParseError::Missing(entity_name(kind)),
            11 => ParseError::PhonePrefix,
            other => ParseError::PhoneLength(other),
        }),
        EntityKind::IdCard if digits.is_empty() => missing,
        EntityKind::IdCard if matches!(digits.len(), 17 | 18) => Err(ParseError::IdCardChecksum),
        EntityKind::IdCard => Err(ParseError::IdCardLength(digits.len())),
        EntityKind::BankCard if digits.len() >= 12 => Err(ParseError::BankCard),
        EntityKind::Landline if matches!(digits.len(), 7 | 8) => {
            Ok(String::from_utf8_lossy(&digits).into_owned())
        }
        EntityKind::Date => date(text, &canonical, of(EntityKind::DateTime), now),
        EntityKind::Time => match of(EntityKind::DateTime).and_then(|e| e.value.split_once('T')) {
            Some((_, time)) => Ok(time.to_owned()),
            None if [
                "上午", "下午", "晚上", "早上", "中午", "傍晚", "凌晨", "明早", "今晚", "明晚",
            ]
            .iter()
            .any(|w| text.contains(w)) =>
            {
                Err(ParseError::VagueTime)
            }
            None => missing,
        },
        EntityKind::DateTime => date_time(text, &found, now),
        EntityKind::Money | EntityKind::Quantity => {
            amount::bare(&canonical.chars, kind).map_or(missing, Ok)
        }
        EntityKind::OrderNumber | EntityKind::TrackingNumber => {
            code(&canonical, &found).map_or(missing, Ok)
        }
        _ => missing,
    }
}

/// A phone number that its context made look like something else.
fn phone(found: &[Entity], digits: &[u8]) -> Option<String> {
    let whole = shape::phone_without_country(digits);
    let taken = found
        .iter()
        .find_map(|e| shape::phone_without_country(e.value.as_bytes()));
    whole
        .or(taken)
        .map(|phone| String::from_utf8_lossy(phone).into_owned())
}

fn date(
    text: &str,
    canonical: &Canonical,
    stamp: Option<&Entity>,
    now: DateTime,
) -> Result<String, ParseError> {
    if let Some((date, _)) = stamp.and_then(|e| e.value.split_once('T')) {
        return Ok(date.to_owned());
    }
    if moment::is_lunar(text) {
        return Err(ParseError::Lunar);
    }
    // 11-23, 11.23, 11/23, and the bare day: a date only because one was asked for.
    let parts: Vec<String> = canonical
        .chars
        .split(|c| !c.is_ascii_digit())
        .filter(|part| !part.is_empty())
        .map(|part| part.iter().collect())
        .collect();
    let said = match parts.as_slice() {
        [month, day] => format!("{month}月{day}日"),
        [day] => format!("{day}号"),
        _ if ["月", "号", "日"].iter().any(|w| text.contains(w)) && !parts.is_empty() => {
            return Err(ParseError::NoSuchDay);
        }
        _ => return Err(ParseError::Missing(entity_name(EntityKind::Date))),
    };
    let chars: Vec<char> = said.chars().collect();
    moment::moment(&chars, 0, Some(now))
        .filter(|e| e.kind == EntityKind::Date)
        .map(|e| e.value)
        .ok_or(ParseError::NoSuchDay)
}

fn date_time(text: &str, found: &[Entity], now: DateTime) -> Result<String, ParseError> {
    let value = |kind: EntityKind| {
        found
            .iter()
            .find(|e| e.kind == kind)
            .map(|e| e.value.as_str())
    };
    match (value(EntityKind::Date), value(EntityKind::Time)) {
        (Some(date), Some(time)) => Ok(format!("{date}T{time}")),
        (Some(_), None) => Err(ParseError::TimeMissing),
        (None, Some(time)) => {
            let today = now.date();
            let passed = time <= format!("{:02}:{:02}", now.hour(), now.minute()).as_str();
            let day = if passed {
                today.tomorrow().unwrap_or(today)
            } else {
                today
            };
            Ok(format!("{day}T{time}"))
        }
        (None, None) if moment::is_lunar(text) => Err(ParseError::Lunar),
        (None, None) => Err(ParseError::Missing(entity_name(EntityKind::DateTime))),
    }
}

/// A number given where one was asked for needs no words around it: the longest run of letters and figures with at least
/// four figures.
fn code(canonical: &Canonical, found: &[Entity]) -> Option<String> {
    let kinds = [
        EntityKind::OrderNumber,
        EntityKind::TrackingNumber,
        EntityKind::Phone,
        EntityKind::BankCard,
    ];
    if let Some(entity) = found.iter().find(|e| kinds.contains(&e.kind)) {
        return Some(entity.value.clone());
    }
    canonical
        .chars
        .split(|c| !(c.is_ascii_alphanumeric() || *c == '-'))
        .filter(|run| run.iter().filter(|c| c.is_ascii_digit()).count() >= 4)
        .max_by_key(|run| run.len())
        .map(|run| run.iter().collect::<String>().to_ascii_uppercase())
}

#[cfg(test)]
mod tests {
    use super::super::{find, find_at};
    use super::*;
    use crate::labels::{entity, entity_id};

    /// A Friday.
    fn now() -> DateTime {
        jiff::civil::date(2026, 11, 20).at(10, 12, 0, 0)
    }

    #[test]
    fn a_table_of_slot_answers() {
        let cases = include_str!("parse_cases.tsv");
        for line in cases
            .lines()
            .filter(|l| !l.is_empty() && !l.starts_with('#'))
        {
            let mut columns = line.split('\t');
            let (Some(kind), Some(text), Some(expected)) =
                (columns.next(), columns.next(), columns.next())
            else {
                panic!("not three columns: {line}");
            };
            let given = match parse(entity(kind).unwrap(), text, now()) {
                Ok(value) => value,
                Err(error) => format!("! {error}"),
            };
            assert_eq!(given, expected, "{kind} {text}");
        }
    }

    #[test]
    fn a_table_of_dates_and_amounts_in_messages() {
        let cases: &[(&str, &str)] = &[
            ("明天下午三点过去", "date_time=2026-11-21T15:00"),
            ("30号过去，帮我写上", "date=2026-11-30"),
            ("我要3件，一共99.9元", "quantity=3 money=99.9"),
            ("扣了一百五", "money=150"),
            ("充了3万", "money=30000"),
            ("有一个问题", ""),
            ("3号楼2单元", ""),
            ("在线等", ""),
            ("转人工", ""),
            ("iphone15多少钱", ""),
            ("两个小时后到", "date_time=2026-11-20T12:12"),
            ("上次买的那个", ""),
            ("13800138000 明天送", "phone=13800138000 date=2026-11-21"),
            ("七天无理由", ""),
            ("一下", ""),
            ("两块电池", ""),
        ];
        for (text, expected) in cases {
            let found: Vec<String> = find_at(text, now())
                .iter()
                .map(|e| format!("{}={}", entity_id(e.kind), e.value))
                .collect();
            assert_eq!(found.join(" "), *expected, "{text}");
        }
    }

    #[test]
    fn without_a_clock_relative_dates_keep_their_words() {
        let values: Vec<String> = find("明天下午三点或者11月23号，15:30")
            .into_iter()
            .map(|e| e.value)
            .collect();
        assert_eq!(values, ["明天下午三点", "11-23", "15:30"]);
    }
}

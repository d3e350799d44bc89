//! The connectors of the demo package: a pretended order system that answers by the last digit of the phone number,
//! so that every branch of a flow can be tried without any system behind it. `None` is a system that does not answer.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use yingda_dsl::program::Value;
use yingda_engine::event::Outcome;

/// 查询订单: even digit 已发货, 1 待发货, 3 已签收, 5 退款中, 7 no such order, 9 no answer.
pub fn orders(arguments: &BTreeMap<String, Value>, now: Timestamp) -> Option<Outcome> {
    let phone = text(arguments, "手机号");
    let Some(last) = phone
        .chars()
        .next_back()
        .and_then(|digit| digit.to_digit(10))
    else {
        return Some(Outcome::Failure {
            reason: "没有手机号".into(),
        });
    };
    let (status, days) = match last {
        9 => return None,
        7 => {
            return Some(Outcome::Failure {
                reason: "没有这个手机号的订单".into(),
            });
        }
        1 => ("待发货", 4),
        3 => ("已签收", -1),
        5 => ("退款中", 0),
        _ => ("已发货", 2),
    };
    let mut fields = BTreeMap::new();
    fields.insert("状态".into(), Value::Text(status.into()));
    fields.insert(
        "单号".into(),
        Value::Text(format!(
            "A{}",
            1000 + phone.bytes().map(u32::from).sum::<u32>()
        )),
    );
    if days >= 0 {
        fields.insert("预计送达".into(), Value::Date(date_in(now, days)));
    } else {
        fields.insert("预计送达".into(), Value::Date(date_in(now, -1)));
    }
    Some(Outcome::Success { fields })
}

/// 查询优惠券: even digit two coupons, else none; 9 no answer.
pub fn coupons(arguments: &BTreeMap<String, Value>, now: Timestamp) -> Option<Outcome> {
    let phone = text(arguments, "手机号");
    let Some(last) = phone
        .chars()
        .next_back()
        .and_then(|digit| digit.to_digit(10))
    else {
        return Some(Outcome::Failure {
            reason: "没有手机号".into(),
        });
    };
    if last == 9 {
        return None;
    }
    let count = if last % 2 == 0 { 2.0 } else { 0.0 };
    let mut fields = BTreeMap::new();
    fields.insert("数量".into(), Value::Number(count));
    fields.insert(
        "面额".into(),
        Value::Number(if last % 2 == 0 { 30.0 } else { 0.0 }),
    );
    fields.insert("有效期".into(), Value::Date(date_in(now, 15)));
    Some(Outcome::Success { fields })
}

fn text(arguments: &BTreeMap<String, Value>, name: &str) -> String {
    match arguments.get(name) {
        Some(Value::Text(text)) => text.clone(),
        _ => String::new(),
    }
}

fn date_in(now: Timestamp, days: i64) -> Date {
    let zone = TimeZone::get("Asia/Shanghai").unwrap_or(TimeZone::UTC);
    let today = now.to_zoned(zone).date();
    today
        .checked_add(jiff::Span::new().days(days))
        .unwrap_or(today)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_digit_decides() {
        let now: Timestamp = "2026-11-20T02:00:00Z".parse().unwrap();
        for (phone, status) in [
            ("13800138000", "已发货"),
            ("13800138001", "待发货"),
            ("13800138003", "已签收"),
        ] {
            let arguments = BTreeMap::from([("手机号".to_string(), Value::Text(phone.into()))]);
            let Some(Outcome::Success { fields }) = orders(&arguments, now) else {
                panic!("{phone}")
            };
            assert_eq!(fields["状态"], Value::Text(status.into()), "{phone}");
        }
        let none = BTreeMap::from([("手机号".to_string(), Value::Text("13800138007".into()))]);
        assert!(matches!(orders(&none, now), Some(Outcome::Failure { .. })));
    }
}

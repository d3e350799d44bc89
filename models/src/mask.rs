//! Hiding personal data in any text that leaves the conversation.

use crate::entity::{self, Entity, EntityKind, shape};
use crate::text::Canonical;

/// The text with mobile numbers (`138****8000`), landlines, identity and bank cards and e-mail addresses hidden.
///
/// When in doubt it hides: a long number that nothing calls an order's, a number of a phone's shape even where the words
/// call it an order's, a mistyped identity number. Service lines (400, 800) and order and parcel numbers stay.
pub fn mask(text: &str) -> String {
    if !may_hold_personal_data(text) {
        return text.to_owned();
    }
    let canonical = Canonical::new(text);
    let numbers = entity::numbers(&canonical);
    let mut hidden: Vec<(usize, usize, String)> = numbers
        .iter()
        .filter_map(|e| Some((e.start, e.end, cover(e)?)))
        .collect();
    add_doubtful_runs(&canonical, &numbers, &mut hidden);
    if hidden.is_empty() {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len());
    let mut source = text.chars();
    let mut at = 0;
    for (start, end, cover) in hidden {
        let (start, end) = canonical.original(start, end);
        if start < at {
            continue;
        }
        out.extend(source.by_ref().take(start - at));
        out.push_str(&cover);
        source.by_ref().take(end - start).for_each(drop);
        at = end;
    }
    out.extend(source);
    out
}

/// Five figures in any script or an `@`: nothing shorter is personal.
fn may_hold_personal_data(text: &str) -> bool {
    let mut figures = 0;
    text.chars().any(|c| {
        let figure = if c.is_ascii() {
            c.is_ascii_digit()
        } else {
            shape::digit(c).is_some() || is_other_figure(c)
        };
        figures += usize::from(figure);
        c == '@' || c == '＠' || figures >= 5
    })
}

/// Figures that NFKC turns into ASCII ones: full-width, circled, mathematical.
fn is_other_figure(c: char) -> bool {
    !('\u{4e00}'..='\u{9fff}').contains(&c) && c.is_numeric()
}

fn cover(entity: &Entity) -> Option<String> {
    let value = entity.value.as_str();
    Some(match entity.kind {
        EntityKind::Phone => ends(value, 3, 4),
        EntityKind::IdCard => ends(value, 3, 4),
        EntityKind::BankCard => ends(value, 4, 4),
        EntityKind::Landline if shape::is_service_line(value.as_bytes()) => return None,
        EntityKind::Landline => match value.split_once('-') {
            Some((code, number)) => format!("{code}-{}", ends(number, 0, 4)),
            None => ends(value, 0, 4),
        },
        EntityKind::Email => match value.split_once('@') {
            Some((local, host)) => format!("{}@{host}", ends(local, 1, 0)),
            None => return None,
        },
        EntityKind::OrderNumber | EntityKind::TrackingNumber if holds_phone(value) => {
            ends(value, 3, 4)
        }
        _ => return None,
    })
}

/// The first and last characters with `*` for each one between, at least four.
fn ends(value: &str, first: usize, last: usize) -> String {
    let count = value.chars().count();
    let first = first.min(count / 2);
    let last = last.min(count / 2);
    let stars = (count - first - last).max(4);
    value
        .chars()
        .take(first)
        .chain(std::iter::repeat_n('*', stars))
        .chain(value.chars().skip(count - last))
        .collect()
}

fn holds_phone(value: &str) -> bool {
    let digits: Vec<u8> = value.bytes().filter(u8::is_ascii_digit).collect();
    shape::phone_without_country(&digits).is_some()
}

/// Runs of figures that no recogniser took but that are long enough to be somebody's.
fn add_doubtful_runs(
    canonical: &Canonical,
    numbers: &[Entity],
    hidden: &mut Vec<(usize, usize, String)>,
) {
    let chars = &canonical.chars;
    let mut numbers = numbers.iter().peekable();
    let mut at = 0;
    while at < chars.len() {
        while numbers.next_if(|e| e.end <= at).is_some() {}
        if let Some(known) = numbers.next_if(|e| e.start <= at) {
            at = known.end;
            continue;
        }
        if shape::digit(chars[at]).is_none() {
            at += 1;
            continue;
        }
        let run: String = chars[at..]
            .iter()
            .map_while(|c| shape::digit(*c))
            .map(char::from)
            .collect();
        let end = at + run.len();
        if run.len() >= 11 {
            hidden.push((at, end, ends(&run, 3, 4)));
        }
        at = end.max(at + 1);
    }
    hidden.sort_by_key(|(start, _, _)| *start);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_table_of_masked_texts() {
        let cases = [
            ("我是13800138000", "我是138****8000"),
            ("１３８ ００１３ ８０００", "138****8000"),
            ("+86 138-0013-8000。", "138****8000。"),
            (
                "身份证11010519491231002X谢谢",
                "身份证110***********002X谢谢",
            ),
            ("卡4111 1111 1111 1111", "卡4111********1111"),
            ("010-62345678转3", "010-****5678转3"),
            ("tom.li@qq.com", "t*****@qq.com"),
            ("打400-820-8820", "打400-820-8820"),
            ("订单号A1024", "订单号A1024"),
            ("订单号13800138000", "订单号138****8000"),
            ("订单号202611200013813775", "订单号202611200013813775"),
            ("幺三八零零幺三八零零零", "138****8000"),
            ("买2件99.9元", "买2件99.9元"),
            ("你好", "你好"),
        ];
        for (text, expected) in cases {
            assert_eq!(mask(text), expected, "{text}");
        }
    }

    fn figures(text: &str) -> String {
        Canonical::new(text)
            .chars
            .iter()
            .filter_map(|c| shape::digit(*c))
            .map(char::from)
            .collect()
    }

    proptest! {
        #[test]
        fn a_valid_phone_never_survives(
            before in "[你我号:， a-z]{0,6}|电话|手机号：|订单号",
            phone in "1[3-9][0-9]{9}",
            separator in prop::sample::select(vec!["", " ", "-", ".", "  ", " - ", "\u{200b}"]),
            country in prop::sample::select(vec!["", "+86", "86", "+86 ", "0086"]),
            wide in any::<bool>(),
            after in "[吗啊。, a-z]{0,6}",
        ) {
            let number = format!("{country}{}{separator}{}{separator}{}", &phone[..3], &phone[3..7], &phone[7..]);
            let number = if wide {
                number.chars().map(|c| if c.is_ascii_digit() { char::from_u32(c as u32 - 0x30 + 0xff10).unwrap() } else { c }).collect()
            } else { number };
            let masked = mask(&format!("{before}{number}{after}"));
            prop_assert!(!figures(&masked).contains(&phone), "{masked}");
            prop_assert!(!figures(&masked).contains(&phone[3..9]), "{masked}");
        }

        #[test]
        fn masking_never_panics_and_masking_twice_changes_nothing(text in "\\PC{0,40}|[0-9 +\\-xX@.a-c零一]{0,40}") {
            let once = mask(&text);
            prop_assert_eq!(mask(&once), once);
        }
    }
}

//! Numbers and addresses: mobile and landline, identity and bank cards, orders, parcels, plates, e-mail, URLs.

use super::shape;
use super::{Entity, EntityKind};
use crate::text::Canonical;

/// Every number and address, in order, not overlapping; spans count characters of the canonical text.
pub fn numbers(canonical: &Canonical) -> Vec<Entity> {
    let chars = canonical.chars.as_slice();
    let mut found = Vec::new();
    let mut at = 0;
    while at < chars.len() {
        let Some(entity) = starting_at(chars, at) else {
            at += 1;
            continue;
        };
        at = entity.end.max(at + 1);
        found.push(entity);
    }
    found
}

fn starting_at(chars: &[char], at: usize) -> Option<Entity> {
    let c = chars[at];
    if c.is_ascii() {
        let before = at.checked_sub(1).map(|i| chars[i]);
        let inside = before.is_some_and(|b| b.is_ascii_alphanumeric());
        if !inside
            && c.is_ascii_alphanumeric()
            && let Some(entity) = url(chars, at)
                .or_else(|| email(chars, at))
                .or_else(|| code(chars, at))
        {
            return Some(entity);
        }
        let begins = c.is_ascii_digit() && !before.is_some_and(|b| b.is_ascii_digit());
        let prefixed =
            matches!(c, '+' | '(') && chars.get(at + 1).is_some_and(char::is_ascii_digit);
        if begins || prefixed {
            return digits(chars, at);
        }
        return None;
    }
    if PROVINCES.contains(c) {
        return plate(chars, at);
    }
    spoken_phone(chars, at)
}

fn entity(kind: EntityKind, value: String, start: usize, end: usize) -> Option<Entity> {
    Some(Entity {
        kind,
        value,
        start,
        end,
    })
}

fn ascii(chars: &[char]) -> String {
    chars.iter().collect()
}

/// Characters of a web address that are looked at; an e-mail address has an eighth of it.
const LONGEST_ADDRESS: usize = 2048;

fn url(chars: &[char], at: usize) -> Option<Entity> {
    const ENDINGS: [&str; 12] = [
        "com", "cn", "net", "org", "top", "vip", "shop", "cc", "io", "me", "info", "xyz",
    ];
    let rest = &chars[at..chars.len().min(at + LONGEST_ADDRESS)];
    let starts =
        |prefix: &str| prefix.chars().zip(rest).filter(|(a, b)| a == *b).count() == prefix.len();
    let mut end = rest
        .iter()
        .position(|c| !(c.is_ascii_graphic()) || matches!(c, '"' | '<' | '>' | '\''))
        .unwrap_or(rest.len());
    let explicit = starts("http://") || starts("https://") || starts("www.");
    if !explicit {
        let host = rest[..end]
            .iter()
            .position(|c| !(c.is_ascii_alphanumeric() || matches!(c, '.' | '-')))
            .unwrap_or(end);
        let name = ascii(&rest[..host]);
        let (front, ending) = name.trim_end_matches('.').rsplit_once('.')?;
        let named = front.bytes().any(|b| b.is_ascii_lowercase());
        if !named || !ENDINGS.contains(&ending) || rest.get(host) == Some(&'@') {
            return None;
        }
    }
    while end > 0 && matches!(rest[end - 1], '.' | ',' | '!' | '?' | ';' | ':' | ')' | ']') {
        end -= 1;
    }
    entity(EntityKind::Url, ascii(&rest[..end]), at, at + end)
}

fn email(chars: &[char], at: usize) -> Option<Entity> {
    let rest = &chars[at..chars.len().min(at + LONGEST_ADDRESS / 8)];
    let local = rest
        .iter()
        .position(|c| !(c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '+' | '%')))?;
    if rest[local] != '@' {
        return None;
    }
    let host = &rest[local + 1..];
    let mut length = host
        .iter()
        .position(|c| !(c.is_ascii_alphanumeric() || matches!(c, '.' | '-')))
        .unwrap_or(host.len());
    while length > 0 && matches!(host[length - 1], '.' | '-') {
        length -= 1;
    }
    let dot = host[..length].iter().position(|c| *c == '.')?;
    let end = local + 1 + length;
    (dot > 0).then_some(())?;
    entity(EntityKind::Email, ascii(&rest[..end]), at, at + end)
}

/// What the words right before a number say it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Context {
    Order,
    Parcel,
    Card,
    Identity,
    Phone,
    Landline,
}

const CONTEXTS: [(&str, Context); 26] = [
    ("快递单号", Context::Parcel),
    ("物流单号", Context::Parcel),
    ("运单号", Context::Parcel),
    ("运单", Context::Parcel),
    ("快递号", Context::Parcel),
    ("快递", Context::Parcel),
    ("物流", Context::Parcel),
    ("包裹", Context::Parcel),
    ("顺丰", Context::Parcel),
    ("中通", Context::Parcel),
    ("圆通", Context::Parcel),
    ("韵达", Context::Parcel),
    ("申通", Context::Parcel),
    ("订单编号", Context::Order),
    ("订单号", Context::Order),
    ("订单", Context::Order),
    ("单号", Context::Order),
    ("卡号", Context::Card),
    ("银行卡", Context::Card),
    ("身份证", Context::Identity),
    ("身份证号", Context::Identity),
    ("手机", Context::Phone),
    ("电话", Context::Landline),
    ("座机", Context::Landline),
    ("固话", Context::Landline),
    ("致电", Context::Landline),
];

/// Reads backwards over what may stand between a word and its number (`：`, `是`, `号码`, spaces).
fn context(chars: &[char], at: usize) -> Option<Context> {
    let mut end = at;
    let floor = at.saturating_sub(6);
    while end > floor
        && matches!(
            chars[end - 1],
            ' ' | ':' | '是' | '为' | '码' | '(' | '#' | '「' | '"' | '+' | ',' | '。'
        )
    {
        end -= 1;
    }
    let ends_with = |word: &str, end: usize| {
        let length = word.chars().count();
        end >= length && word.chars().eq(chars[end - length..end].iter().copied())
    };
    let mut ends = vec![end];
    if end > 0 && chars[end - 1] == '号' {
        ends.push(end - 1);
    }
    ends.into_iter().find_map(|end| {
        CONTEXTS
            .iter()
            .find(|(word, _)| ends_with(word, end))
            .map(|(_, context)| *context)
    })
}

/// Letters and figures: parcel numbers by their carrier's prefix, order numbers by context or length.
fn code(chars: &[char], at: usize) -> Option<Entity> {
    const CARRIERS: [&str; 10] = [
        "sf", "yt", "jt", "jd", "jdv", "jdx", "zto", "sto", "yd", "dpk",
    ];
    let rest = &chars[at..];
    let length = rest
        .iter()
        .position(|c| !c.is_ascii_alphanumeric())
        .unwrap_or(rest.len());
    let run = &rest[..length];
    let letters = run.iter().position(char::is_ascii_digit)?;
    let figures = run[letters..].iter().filter(|c| c.is_ascii_digit()).count();
    let value = || ascii(run).to_ascii_uppercase();
    if letters == 0 || letters > 4 || length > 32 {
        return None;
    }
    let tail: Vec<u8> = run[letters..].iter().map(|c| *c as u8).collect();
    if tail.iter().all(u8::is_ascii_digit) && shape::is_phone(&tail) {
        return None;
    }
    let prefix = ascii(&run[..letters]);
    let parcel = CARRIERS.contains(&prefix.as_str()) && figures >= 9;
    let postal = letters == 2 && figures == 9 && length == 13;
    let context = context(chars, at);
    let kind = match context {
        _ if parcel || postal => EntityKind::TrackingNumber,
        Some(Context::Parcel) if figures >= 8 => EntityKind::TrackingNumber,
        Some(Context::Order | Context::Parcel) if figures >= 3 => EntityKind::OrderNumber,
        _ if figures >= 8 && length >= 10 => EntityKind::OrderNumber,
        _ => return None,
    };
    entity(kind, value(), at, at + length)
}

/// A stretch of digits in groups: `138 0013 8000`.
struct Groups {
    digits: Vec<u8>,
    /// For each group: how many digits end with it, and where it ends in the text.
    ends: Vec<(usize, usize)>,
}

fn groups(chars: &[char], at: usize) -> Groups {
    let mut out = Groups {
        digits: Vec::with_capacity(20),
        ends: Vec::with_capacity(4),
    };
    let mut i = at;
    loop {
        while let Some(c) = chars.get(i).filter(|c| c.is_ascii_digit()) {
            out.digits.push(*c as u8);
            i += 1;
        }
        out.ends.push((out.digits.len(), i));
        let gap = chars[i..]
            .iter()
            .take(4)
            .take_while(|c| matches!(c, ' ' | '-' | '.' | '·' | '_' | '–' | '—' | ')' | '/'))
            .count();
        let next = i + gap;
        if gap == 0
            || gap > 3
            || out.digits.len() > 32
            || !chars.get(next).is_some_and(char::is_ascii_digit)
        {
            return out;
        }
        i = next;
    }
}

fn digits(chars: &[char], at: usize) -> Option<Entity> {
    let first = if chars[at].is_ascii_digit() {
        at
    } else {
        at + 1
    };
    let run = groups(chars, first);
    let context = context(chars, at);
    let (single, single_end) = run.ends[0];
    let contiguous = &run.digits[..single];
    let text = |digits: &[u8]| String::from_utf8_lossy(digits).into_owned();

    // Spaced out like a phone number it is one, whatever the words call it.
    let spaced = run.ends.iter().skip(1).find_map(|&(count, end)| {
        let phone = shape::phone_without_country(&run.digits[..count])?;
        Some((text(phone), end))
    });
    if let Some((phone, end)) = spaced.filter(|_| !shape::is_phone(contiguous)) {
        return entity(EntityKind::Phone, phone, at, end);
    }
    let order_context = matches!(context, Some(Context::Order | Context::Parcel));
    if order_context && (single >= 6 || (single >= 4 && run.ends.len() == 1)) {
        let kind = match context {
            Some(Context::Parcel) if single >= 8 => EntityKind::TrackingNumber,
            _ => EntityKind::OrderNumber,
        };
        // A number that is a phone number by its shape is one unless the words call it an order's.
        if !(context == Some(Context::Parcel) && shape::is_phone(contiguous)) {
            return entity(kind, text(contiguous), at, single_end);
        }
    }
    // An identity number may end in a letter.
    if single == 17 && chars.get(single_end).is_some_and(|c| *c == 'x') {
        let mut id = contiguous.to_vec();
        id.push(b'X');
        if shape::is_id_card(&id) {
            return entity(EntityKind::IdCard, text(&id), at, single_end + 1);
        }
    }
    for &(count, end) in run.ends.iter().rev() {
        let digits = &run.digits[..count];
        let kind = if shape::is_id_card(digits) {
            EntityKind::IdCard
        } else if shape::is_bank_card(digits) {
            EntityKind::BankCard
        } else if let Some(phone) = shape::phone_without_country(digits) {
            return entity(EntityKind::Phone, text(phone), at, end);
        } else if let Some((code, number)) = shape::landline(digits) {
            let value = format!("{}-{}", text(code), text(number));
            return entity(EntityKind::Landline, value, at, end);
        } else if shape::is_service_line(digits) {
            EntityKind::Landline
        } else {
            continue;
        };
        return entity(kind, text(digits), at, end);
    }
    match context {
        Some(Context::Landline) if matches!(single, 7 | 8) => {
            entity(EntityKind::Landline, text(contiguous), at, single_end)
        }
        Some(Context::Card) if (12..=19).contains(&single) => None,
        Some(Context::Identity) => None,
        _ if (12..=32).contains(&single) => {
            entity(EntityKind::OrderNumber, text(contiguous), at, single_end)
        }
        _ => None,
    }
}

const PROVINCES: &str = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼";

fn plate(chars: &[char], at: usize) -> Option<Entity> {
    let letter = chars.get(at + 1).filter(|c| c.is_ascii_lowercase())?;
    let mut from = at + 2;
    while chars
        .get(from)
        .is_some_and(|c| matches!(c, '·' | '.' | ' ' | '-'))
    {
        from += 1;
    }
    let length = chars[from..]
        .iter()
        .take_while(|c| c.is_ascii_alphanumeric() || matches!(c, '挂' | '学' | '警'))
        .count();
    let tail = chars.get(from..from + length)?;
    let figures = tail.iter().filter(|c| c.is_ascii_digit()).count();
    if !(5..=6).contains(&length) || figures < 2 {
        return None;
    }
    let value = format!("{}{}{}", chars[at], letter, ascii(tail)).to_uppercase();
    entity(EntityKind::LicencePlate, value, at, from + length)
}

/// A phone number in words, or in words and figures: 幺三八零零幺三八零零零.
fn spoken_phone(chars: &[char], at: usize) -> Option<Entity> {
    shape::digit(chars[at])?;
    if at > 0 && shape::digit(chars[at - 1]).is_some() {
        return None;
    }
    let digits: Vec<u8> = chars[at..]
        .iter()
        .map_while(|c| shape::digit(*c))
        .take(16)
        .collect();
    let phone = shape::phone_without_country(&digits)?;
    let value = String::from_utf8_lossy(phone).into_owned();
    entity(EntityKind::Phone, value, at, at + digits.len())
}

#[cfg(test)]
mod tests {
    use super::super::find;
    use crate::labels::entity_id;

    #[test]
    fn a_table_of_numbers_and_addresses() {
        type Found<'a> = (&'a str, &'a str, &'a str);
        let cases: &[(&str, &[Found<'_>])] = &[
            ("13800138000", &[("phone", "13800138000", "13800138000")]),
            (
                "手机１３８ ００１３ ８０００哦",
                &[("phone", "13800138000", "１３８ ００１３ ８０００")],
            ),
            (
                "+86 138-0013-8000",
                &[("phone", "13800138000", "+86 138-0013-8000")],
            ),
            (
                "008613800138000",
                &[("phone", "13800138000", "008613800138000")],
            ),
            ("2 13800138000", &[("phone", "13800138000", "13800138000")]),
            ("tel13800138000", &[("phone", "13800138000", "13800138000")]),
            (
                "幺三八零零幺三八零零零",
                &[("phone", "13800138000", "幺三八零零幺三八零零零")],
            ),
            ("12800138000", &[]),
            (
                "010-62345678",
                &[("landline", "010-62345678", "010-62345678")],
            ),
            (
                "(0755)6234567",
                &[("landline", "0755-6234567", "(0755)6234567")],
            ),
            (
                "客服电话400-820-8820",
                &[("landline", "4008208820", "400-820-8820")],
            ),
            ("电话：62345678", &[("landline", "62345678", "62345678")]),
            (
                "身份证11010519491231002X",
                &[("id_card", "11010519491231002X", "11010519491231002X")],
            ),
            (
                "卡号4111 1111 1111 1111",
                &[("bank_card", "4111111111111111", "4111 1111 1111 1111")],
            ),
            ("订单号A1024到哪了", &[("order_number", "A1024", "A1024")]),
            (
                "订单 20261120001 没到",
                &[("order_number", "20261120001", "20261120001")],
            ),
            (
                "单号是202611200013813775",
                &[("order_number", "202611200013813775", "202611200013813775")],
            ),
            (
                "SF1234567890123",
                &[("tracking_number", "SF1234567890123", "SF1234567890123")],
            ),
            (
                "快递单号：773012345678901",
                &[("tracking_number", "773012345678901", "773012345678901")],
            ),
            ("京A·12345", &[("licence_plate", "京A12345", "京A·12345")]),
            (
                "沪AD12345的车",
                &[("licence_plate", "沪AD12345", "沪AD12345")],
            ),
            ("a.b@QQ.com", &[("email", "a.b@qq.com", "a.b@QQ.com")]),
            (
                "看 www.abc.com/x?y=1，",
                &[("url", "www.abc.com/x?y=1", "www.abc.com/x?y=1")],
            ),
            ("taobao.com上买的", &[("url", "taobao.com", "taobao.com")]),
            ("iphone15有货吗", &[]),
            ("2026-11-23", &[]),
            ("买3.5斤", &[]),
            ("95588", &[]),
        ];
        for (text, expected) in cases {
            let found = find(text);
            let shown: Vec<(&str, &str, String)> = found
                .iter()
                .map(|e| {
                    let span = text.chars().skip(e.start).take(e.end - e.start).collect();
                    (entity_id(e.kind), e.value.as_str(), span)
                })
                .filter(|(id, _, _)| !matches!(*id, "date" | "quantity" | "money"))
                .collect();
            let expected: Vec<(&str, &str, String)> = expected
                .iter()
                .map(|(k, v, s)| (*k, *v, (*s).to_owned()))
                .collect();
            assert_eq!(shown, expected, "{text}");
        }
    }
}

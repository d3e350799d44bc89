//! What valid numbers look like: digits in, verdict out. Digits are ASCII here.

/// A mainland mobile number: 11 digits, 1 then 3 to 9.
pub fn is_phone(digits: &[u8]) -> bool {
    digits.len() == 11 && digits[0] == b'1' && (b'3'..=b'9').contains(&digits[1])
}

/// The 11 digits of a mobile number, without a country code before them (86, 0086).
pub fn phone_without_country(digits: &[u8]) -> Option<&[u8]> {
    [&b""[..], b"86", b"0086"]
        .iter()
        .filter_map(|prefix| digits.strip_prefix(*prefix))
        .find(|rest| is_phone(rest))
}

/// A second-generation identity number: region, birth date, sequence, check character (GB 11643-1999, ISO 7064 MOD 11-2).
pub fn is_id_card(id: &[u8]) -> bool {
    const WEIGHTS: [u32; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
    const CHECKS: &[u8; 11] = b"10X98765432";
    if !looks_like_id_card(id) {
        return false;
    }
    let sum: u32 = id
        .iter()
        .zip(WEIGHTS)
        .map(|(d, weight)| u32::from(d - b'0') * weight)
        .sum();
    CHECKS[(sum % 11) as usize] == id[17].to_ascii_uppercase()
}

/// As [`is_id_card`] but for the check character: what a mistyped identity number looks like.
pub fn looks_like_id_card(id: &[u8]) -> bool {
    if id.len() != 18 || !id[..17].iter().all(u8::is_ascii_digit) {
        return false;
    }
    if !(id[17].is_ascii_digit() || id[17].eq_ignore_ascii_case(&b'x')) {
        return false;
    }
    let number = |range: std::ops::Range<usize>| {
        id[range]
            .iter()
            .fold(0i16, |n, d| n * 10 + i16::from(d - b'0'))
    };
    let region = number(0..2);
    let (year, month, day) = (number(6..10), number(10..12), number(12..14));
    (11..=82).contains(&region)
        && (1900..=2100).contains(&year)
        && jiff::civil::Date::new(year, month as i8, day as i8).is_ok()
}

/// A payment card: 15 to 19 digits that begin as one of the card schemes does and pass the Luhn check (ISO/IEC 7812-1).
pub fn is_bank_card(digits: &[u8]) -> bool {
    looks_like_bank_card(digits) && luhn(digits)
}

fn looks_like_bank_card(digits: &[u8]) -> bool {
    (15..=19).contains(&digits.len()) && matches!(digits[0], b'3'..=b'6' | b'9')
}

fn luhn(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(index, d)| {
            let d = u32::from(d - b'0');
            match (index % 2, d * 2) {
                (0, _) => d,
                (_, double) if double > 9 => double - 9,
                (_, double) => double,
            }
        })
        .sum();
    sum.is_multiple_of(10)
}

/// A landline with its area code: the digits of code and number. 010 and 02x have three digits, other codes four; the
/// number 7 or 8 digits, not beginning with 0 or 1.
pub fn landline(digits: &[u8]) -> Option<(&[u8], &[u8])> {
    let code = match digits {
        [b'0', b'1', b'0', ..] | [b'0', b'2', ..] => 3,
        [b'0', b'3'..=b'9', ..] => 4,
        _ => return None,
    };
    let number = digits.get(code..)?;
    let plausible = matches!(number.len(), 7 | 8) && !matches!(number[0], b'0' | b'1');
    plausible.then(|| (&digits[..code], number))
}

/// A nationwide service number: 400 or 800 and seven digits. Nobody's own, so never masked.
pub fn is_service_line(digits: &[u8]) -> bool {
    digits.len() == 10 && (digits.starts_with(b"400") || digits.starts_with(b"800"))
}

/// The value of a digit in any script people type numbers in: ASCII or Chinese (幺 is spoken for 1).
pub fn digit(c: char) -> Option<u8> {
    Some(match c {
        '0'..='9' => c as u8,
        '零' | '〇' | '○' => b'0',
        '一' | '幺' | '壹' => b'1',
        '二' | '贰' => b'2',
        '三' | '叁' => b'3',
        '四' | '肆' => b'4',
        '五' | '伍' => b'5',
        '六' | '陆' => b'6',
        '七' | '柒' => b'7',
        '八' | '捌' => b'8',
        '九' | '玖' => b'9',
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identity_number_needs_its_region_date_and_check_character() {
        assert!(is_id_card(b"11010519491231002X"));
        assert!(is_id_card(b"11010519491231002x"));
        assert!(!is_id_card(b"110105194912310021"));
        assert!(looks_like_id_card(b"110105194912310021"));
        assert!(!looks_like_id_card(b"110105194913310021"));
        assert!(!is_id_card(b"1101051949123100"));
    }

    #[test]
    fn a_bank_card_passes_luhn() {
        assert!(is_bank_card(b"6222021234567890128") == luhn(b"6222021234567890128"));
        assert!(is_bank_card(b"4111111111111111"));
        assert!(!is_bank_card(b"4111111111111112"));
        assert!(!is_bank_card(b"2026112000013813"));
    }

    #[test]
    fn a_landline_splits_after_its_area_code() {
        assert_eq!(landline(b"01012345678"), None);
        assert_eq!(
            landline(b"01062345678"),
            Some((&b"010"[..], &b"62345678"[..]))
        );
        assert_eq!(
            landline(b"07556234567"),
            Some((&b"0755"[..], &b"6234567"[..]))
        );
        assert_eq!(landline(b"13800138000"), None);
    }

    #[test]
    fn a_country_code_is_not_part_of_a_phone_number() {
        assert_eq!(
            phone_without_country(b"8613800138000"),
            Some(&b"13800138000"[..])
        );
        assert_eq!(
            phone_without_country(b"008613800138000"),
            Some(&b"13800138000"[..])
        );
        assert_eq!(phone_without_country(b"12800138000"), None);
    }
}

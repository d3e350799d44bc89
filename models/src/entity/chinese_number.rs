//! Numbers as people write them: `23`, `1,299.5`, `二十三`, `两`, `一百五` (150), `3万5` (35,000), `俩`, `一打`.

/// A number in ten-thousandths, exact where a float is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Number(pub i64);

const ONE: i64 = 10_000;
/// Characters a number in words may have.
const LONGEST: usize = 24;

impl Number {
    pub(crate) fn whole(value: i64) -> Number {
        Number(value.saturating_mul(ONE))
    }

    pub(crate) fn as_whole(self) -> Option<i64> {
        (self.0 % ONE == 0).then_some(self.0 / ONE)
    }

    pub(crate) fn times(self, factor: i64) -> Number {
        Number(self.0.saturating_mul(factor))
    }

    pub(crate) fn plus(self, other: Number) -> Number {
        Number(self.0.saturating_add(other.0))
    }

    pub(crate) fn over(self, divisor: i64) -> Number {
        Number(self.0 / divisor)
    }
}

impl std::fmt::Display for Number {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (whole, part) = (self.0 / ONE, self.0 % ONE);
        if part == 0 {
            return write!(f, "{whole}");
        }
        let part = format!("{part:04}");
        write!(f, "{whole}.{}", part.trim_end_matches('0'))
    }
}

/// The number that starts at `at` and where it ends; `None` for none, or for a guess such as `两三`.
pub(crate) fn number(chars: &[char], at: usize) -> Option<(Number, usize)> {
    match chars.get(at)? {
        '0'..='9' => figures(chars, at),
        '俩' => Some((Number::whole(2), at + 1)),
        '仨' => Some((Number::whole(3), at + 1)),
        '半' => Some((Number::whole(1).over(2), at + 1)),
        _ => words(chars, at),
    }
}

/// The value of one Chinese figure, 两 and the accountants' ones included.
pub(crate) fn figure(c: char) -> Option<i64> {
    if c == '两' {
        return Some(2);
    }
    if c.is_ascii_digit() {
        return None;
    }
    super::shape::digit(c).map(|d| i64::from(d - b'0'))
}

fn unit(c: char) -> Option<i64> {
    Some(match c {
        '十' | '拾' => 10,
        '百' | '佰' => 100,
        '千' | '仟' | 'k' => 1_000,
        '万' | 'w' => 10_000,
        '亿' => 100_000_000,
        _ => return None,
    })
}

fn figures(chars: &[char], at: usize) -> Option<(Number, usize)> {
    let mut end = at;
    let mut value: i64 = 0;
    while let Some(c) = chars.get(end) {
        match c.to_digit(10).filter(|_| c.is_ascii()) {
            Some(d) => value = value.checked_mul(10)?.checked_add(i64::from(d))?,
            None if *c == ',' && thousands(chars, end, at) => {}
            None => break,
        }
        end += 1;
    }
    let mut number = Number(value.checked_mul(ONE)?);
    if chars.get(end) == Some(&'.') && chars.get(end + 1).is_some_and(char::is_ascii_digit) {
        let (mut place, mut i) = (ONE / 10, end + 1);
        while let Some(d) = chars
            .get(i)
            .filter(|c| c.is_ascii())
            .and_then(|c| c.to_digit(10))
        {
            number.0 += place * i64::from(d);
            place /= 10;
            i += 1;
        }
        end = i;
    }
    let Some(unit) = chars.get(end).and_then(|c| unit(*c)) else {
        return Some((number, end));
    };
    // `3k`, `2w` end there; a letter after them makes it a word, and `4g` is no unit.
    if chars[end].is_ascii() && chars.get(end + 1).is_some_and(char::is_ascii_alphanumeric) {
        return Some((number, end));
    }
    number = Number(number.0.checked_mul(unit)?);
    end += 1;
    let tail = chars
        .get(end)
        .and_then(|c| c.to_digit(10).map(i64::from).or_else(|| figure(*c)));
    let alone = !chars
        .get(end + 1)
        .is_some_and(|c| c.is_ascii_digit() || self::unit(*c).is_some() || figure(*c).is_some());
    if let (Some(tail), true) = (tail, alone && unit >= 100) {
        return Some((number.plus(Number::whole(tail * unit / 10)), end + 1));
    }
    Some((number, end))
}

/// Whether a comma stands between thousands: three figures after it and no fourth, one to three before.
fn thousands(chars: &[char], comma: usize, start: usize) -> bool {
    let digit = |i: usize| chars.get(i).is_some_and(char::is_ascii_digit);
    comma > start && (1..=3).all(|k| digit(comma + k)) && !digit(comma + 4)
}

fn words(chars: &[char], at: usize) -> Option<(Number, usize)> {
    let mut total: i64 = 0; // Above the last 万 or 亿.
    let mut section: i64 = 0;
    let mut held: Option<i64> = None;
    let mut last_unit: i64 = 1;
    let mut zero = false;
    let mut units = 0;
    let mut end = at;
    // Nobody writes a longer one; a page of 十 must not cost its square.
    while let Some(&c) = chars.get(end).filter(|_| end < at + LONGEST) {
        if c == '零' || c == '〇' {
            if held.is_some() || end == at {
                break;
            }
            zero = true;
        } else if let Some(figure) = figure(c) {
            if held.is_some() {
                // 两三, 一八: a guess or a number read out figure by figure.
                return None;
            }
            held = Some(figure);
        } else if c == '廿' && end == at {
            section = 20;
            last_unit = 10;
            units += 1;
        } else if let Some(unit) = unit(c).filter(|_| !c.is_ascii()) {
            if held.is_none() && units == 0 && unit != 10 {
                return None;
            }
            units += 1;
            if unit >= 10_000 {
                total = total
                    .checked_add(section.checked_add(held.take().unwrap_or(0))?)?
                    .checked_mul(unit)?;
                section = 0;
            } else {
                section = section.checked_add(held.take().unwrap_or(1).checked_mul(unit)?)?;
            }
            last_unit = unit;
            zero = false;
        } else {
            break;
        }
        end += 1;
    }
    if end == at || (units == 0 && held.is_none()) {
        return None;
    }
    let tail = match held {
        Some(figure) if last_unit >= 100 && !zero => figure * last_unit / 10,
        Some(figure) => figure,
        None => 0,
    };
    let whole = Number::whole(total.checked_add(section)?.checked_add(tail)?);
    // 三点五 is a number only where it is no time of day, which has been looked for before.
    let point = chars.get(end) == Some(&'点');
    if let (true, Some(part)) = (
        point && units == 0,
        chars.get(end + 1).and_then(|c| figure(*c)),
    ) {
        return Some((whole.plus(Number(part * ONE / 10)), end + 2));
    }
    Some((whole, end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_of_numbers() {
        let cases = [
            ("23", Some("23")),
            ("1,299.50", Some("1299.5")),
            ("1,29", Some("1")),
            ("二十三", Some("23")),
            ("十", Some("10")),
            ("十二", Some("12")),
            ("两", Some("2")),
            ("一百五", Some("150")),
            ("一百零五", Some("105")),
            ("一百五十", Some("150")),
            ("两千三", Some("2300")),
            ("三万五", Some("35000")),
            ("一万两千三百四十五", Some("12345")),
            ("三万零五百", Some("30500")),
            ("3万", Some("30000")),
            ("3万5", Some("35000")),
            ("1.5万", Some("15000")),
            ("2w", Some("20000")),
            ("两亿", Some("200000000")),
            ("俩", Some("2")),
            ("半", Some("0.5")),
            ("廿三", Some("23")),
            ("三点五", Some("3.5")),
            ("两三", None),
            ("百", None),
            ("零", None),
            ("吗", None),
            ("99999999999999999999", None),
        ];
        for (text, expected) in cases {
            let chars: Vec<char> = text.chars().collect();
            let found = number(&chars, 0).map(|(n, _)| n.to_string());
            assert_eq!(found.as_deref(), expected, "{text}");
        }
    }
}

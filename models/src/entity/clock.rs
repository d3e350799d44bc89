//! Times of day and spans of time, as people say them.

use jiff::ToSpan;

use super::chinese_number::number;
use super::moment::{Period, any, whole, word};

pub(super) struct Clock {
    pub hour: i8,
    pub minute: i8,
    pub end: usize,
}

/// A time of day: `15:30`, `下午三点半`, `晚上8点一刻`. From 1 to 6 without a period is the afternoon: nobody's shop is
/// open at the other one.
pub(super) fn clock(chars: &[char], at: usize, implied: Option<Period>) -> Option<Clock> {
    use Period::{Afternoon, Evening, Morning, Night, Noon};
    const PERIODS: &[(&str, Period)] = &[
        ("凌晨", Night),
        ("半夜", Night),
        ("早上", Morning),
        ("早晨", Morning),
        ("上午", Morning),
        ("清早", Morning),
        ("中午", Noon),
        ("下午", Afternoon),
        ("午后", Afternoon),
        ("傍晚", Evening),
        ("晚上", Evening),
        ("夜里", Evening),
        ("晚", Evening),
        ("早", Morning),
    ];
    if at > 0 && chars[at - 1].is_ascii_digit() {
        return None;
    }
    let (period, from) =
        any(chars, at, PERIODS).map_or((implied, at), |(period, end)| (Some(period), end));
    let from = from + word(chars, from, " ").unwrap_or(0);
    let (hour, end) = whole(chars, from).filter(|(hour, _)| (0..=24).contains(hour))?;
    let figures = chars[from].is_ascii_digit();
    let (minute, end) = if figures && chars.get(end) == Some(&':') {
        let (minute, after) =
            whole(chars, end + 1).filter(|(m, after)| (0..60).contains(m) && *after == end + 3)?;
        let seconds = chars.get(after) == Some(&':')
            && chars.get(after + 1).is_some_and(char::is_ascii_digit);
        (minute, if seconds { after + 3 } else { after })
    } else {
        let (_, end) = any(chars, end, &[("点钟", ()), ("点", ()), ("时", ())])?;
        minutes(chars, end)
    };
    let end = end.min(chars.len());
    let (hour, end) = match any(chars, end, &[("pm", 12), ("am", 0)]) {
        Some((add, end)) => ((hour % 12) + add, end),
        None => (hour, end),
    };
    let hour = match (period, hour) {
        (Some(Afternoon | Evening), 1..=11) => hour + 12,
        (Some(Evening), 12) => 24,
        (Some(Night), 12) => 0,
        (Some(Noon), 1..=3) => hour + 12,
        (None, 1..=6) if !(figures && chars.get(from + 1) != Some(&':') && chars[from] == '0') => {
            hour + 12
        }
        _ => hour,
    };
    Some(Clock {
        hour: hour as i8,
        minute: minute as i8,
        end,
    })
}

/// What follows 点: 半, 一刻, 三刻, 十五分, 20, 整.
fn minutes(chars: &[char], at: usize) -> (i64, usize) {
    if let Some(found) = any(
        chars,
        at,
        &[("半", 30), ("一刻", 15), ("三刻", 45), ("整", 0)],
    ) {
        return found;
    }
    let at_zero = at + word(chars, at, "零").unwrap_or(0);
    match whole(chars, at_zero).filter(|(m, _)| (0..60).contains(m)) {
        Some((minute, end)) => match any(chars, end, &[("分钟", ()), ("分", ())]) {
            Some((_, end)) => (minute, end),
            // 三点二十, but not 三点2个人.
            None if minute >= 5 || at_zero > at => (minute, end),
            None => (0, at),
        },
        None => (0, at),
    }
}

/// 两个小时后, 半小时后, 20分钟后.
pub(super) fn later(chars: &[char], at: usize) -> Option<(jiff::Span, usize)> {
    let (amount, end) = number(chars, at)?;
    let half = amount.as_whole().is_none();
    let (minutes, end) = any(
        chars,
        end,
        &[
            ("个半小时", 90),
            ("个小时", 60),
            ("个钟头", 60),
            ("小时", 60),
            ("个钟", 60),
            ("分钟", 1),
        ],
    )?;
    let (_, end) = any(chars, end, &[("之后", ()), ("以后", ()), ("后", ())])?;
    let total = if half {
        amount.times(minutes).as_whole()?
    } else {
        amount.as_whole()?.checked_mul(minutes)?
    };
    let days = 365 * 24 * 60;
    (total <= days).then(|| (total.minutes(), end))
}

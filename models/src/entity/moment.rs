//! Dates, and dates with times, as people say them.

use jiff::ToSpan;
use jiff::civil::{Date, DateTime, Weekday};

use super::chinese_number::number;
use super::clock::{clock, later};
use super::{Entity, EntityKind};

/// The date, time, or both that start at `at`; those that depend on the day of writing need `now`, and keep their words
/// without it.
pub(crate) fn moment(chars: &[char], at: usize, now: Option<DateTime>) -> Option<Entity> {
    if let Some((span, end)) = later(chars, at) {
        let value = match now {
            Some(now) => now.checked_add(span).ok().map(stamp)?,
            None => words(chars, at, end),
        };
        return Some(Entity {
            kind: EntityKind::DateTime,
            value,
            start: at,
            end,
        });
    }
    let Some(day) = day(chars, at, now) else {
        let clock = clock(chars, at, None)?;
        let value = format!("{:02}:{:02}", clock.hour % 24, clock.minute);
        return Some(Entity {
            kind: EntityKind::Time,
            value,
            start: at,
            end: clock.end,
        });
    };
    let mut from = day.end;
    for filler in ["的", " ", "大概", "大约", "差不多", "左右"] {
        from += word(chars, from, filler).unwrap_or(0);
    }
    let Some(clock) = clock(chars, from, day.period) else {
        let value = day.date.map_or_else(
            || day.words.unwrap_or_else(|| words(chars, at, day.end)),
            |d| d.to_string(),
        );
        return Some(Entity {
            kind: EntityKind::Date,
            value,
            start: at,
            end: day.end,
        });
    };
    let value = match day.date {
        // 24:00 is the start of the next day.
        Some(date) => {
            let date = if clock.hour == 24 {
                date.tomorrow().ok()?
            } else {
                date
            };
            stamp(date.at(clock.hour % 24, clock.minute, 0, 0))
        }
        None => words(chars, at, clock.end),
    };
    Some(Entity {
        kind: EntityKind::DateTime,
        value,
        start: at,
        end: clock.end,
    })
}

/// Whether a text speaks of the lunar calendar, whose days are not reckoned here.
pub(crate) fn is_lunar(text: &str) -> bool {
    [
        "腊月", "正月", "农历", "阴历", "除夕", "大年", "初一", "初二", "初三", "初四", "初五",
        "初六", "初七", "初八", "初九", "初十", "元宵", "端午", "中秋", "重阳", "七夕", "春节",
    ]
    .iter()
    .any(|word| text.contains(word))
}

fn stamp(at: DateTime) -> String {
    format!("{}T{:02}:{:02}", at.date(), at.hour(), at.minute())
}

fn words(chars: &[char], start: usize, end: usize) -> String {
    chars[start..end].iter().collect()
}

/// The length of `word` where it stands at `at`.
pub(super) fn word(chars: &[char], at: usize, word: &str) -> Option<usize> {
    let rest = chars.get(at..)?;
    let length = word.chars().count();
    (rest.len() >= length && word.chars().zip(rest).all(|(a, b)| a == *b)).then_some(length)
}

pub(super) fn any<T: Copy>(chars: &[char], at: usize, table: &[(&str, T)]) -> Option<(T, usize)> {
    table
        .iter()
        .find_map(|(w, value)| Some((*value, at + word(chars, at, w)?)))
}

/// A whole number in figures or words.
pub(super) fn whole(chars: &[char], at: usize) -> Option<(i64, usize)> {
    let (value, end) = number(chars, at)?;
    Some((value.as_whole()?, end))
}

struct Day {
    date: Option<Date>,
    /// What to write where the date is not known without `now`, when not the words themselves.
    words: Option<String>,
    end: usize,
    period: Option<Period>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Period {
    Night,
    Morning,
    Noon,
    Afternoon,
    Evening,
}

fn day(chars: &[char], at: usize, now: Option<DateTime>) -> Option<Day> {
    let today = now.map(|n| n.date());
    relative_day(chars, at, today)
        .or_else(|| weekday(chars, at, today))
        .or_else(|| month_part(chars, at, today))
        .or_else(|| calendar_day(chars, at, today))
        .or_else(|| holiday(chars, at, today))
}

fn known(date: Option<Date>, end: usize) -> Option<Day> {
    Some(Day {
        date,
        words: None,
        end,
        period: None,
    })
}

fn relative_day(chars: &[char], at: usize, today: Option<Date>) -> Option<Day> {
    use Period::{Evening, Morning};
    const DAYS: &[(&str, (i64, Option<Period>))] = &[
        ("大后天", (3, None)),
        ("大前天", (-3, None)),
        ("今天", (0, None)),
        ("今日", (0, None)),
        ("今儿", (0, None)),
        ("今晚", (0, Some(Evening))),
        ("今早", (0, Some(Morning))),
        ("明天", (1, None)),
        ("明日", (1, None)),
        ("明儿", (1, None)),
        ("明早", (1, Some(Morning))),
        ("明晚", (1, Some(Evening))),
        ("听日", (1, None)),
        ("后天", (2, None)),
        ("后日", (2, None)),
        ("昨天", (-1, None)),
        ("昨日", (-1, None)),
        ("昨晚", (-1, Some(Evening))),
        ("前天", (-2, None)),
    ];
    if let Some(((days, period), mut end)) = any(chars, at, DAYS) {
        if chars.get(end) == Some(&'个') && chars.get(end - 1) == Some(&'儿') {
            end += 1;
        }
        let date = today.and_then(|t| t.checked_add(days.days()).ok());
        return Some(Day {
            date,
            words: None,
            end,
            period,
        });
    }
    let (days, end) = whole(chars, at)?;
    let (factor, end) = any(
        chars,
        end,
        &[
            ("天", 1),
            ("日", 1),
            ("个星期", 7),
            ("个礼拜", 7),
            ("周", 7),
            ("星期", 7),
        ],
    )?;
    let (sign, end) = any(
        chars,
        end,
        &[
            ("之后", 1),
            ("以后", 1),
            ("后", 1),
            ("之前", -1),
            ("以前", -1),
            ("前", -1),
        ],
    )?;
    let date = today.and_then(|t| {
        t.checked_add((days.checked_mul(factor * sign)?.clamp(-36_500, 36_500)).days())
            .ok()
    });
    known(date, end)
}

const WEEKDAYS: &[(&str, Weekday)] = &[
    ("一", Weekday::Monday),
    ("二", Weekday::Tuesday),
    ("三", Weekday::Wednesday),
    ("四", Weekday::Thursday),
    ("五", Weekday::Friday),
    ("六", Weekday::Saturday),
    ("日", Weekday::Sunday),
    ("天", Weekday::Sunday),
    ("1", Weekday::Monday),
    ("2", Weekday::Tuesday),
    ("3", Weekday::Wednesday),
    ("4", Weekday::Thursday),
    ("5", Weekday::Friday),
    ("6", Weekday::Saturday),
    ("7", Weekday::Sunday),
    ("末", Weekday::Saturday),
];

fn weekday(chars: &[char], at: usize, today: Option<Date>) -> Option<Day> {
    const WEEKS: &[(&str, i64)] = &[
        ("下下", 2),
        ("下个", 1),
        ("下", 1),
        ("这个", 0),
        ("这", 0),
        ("本", 0),
        ("上个", -1),
        ("上", -1),
    ];
    let (week, from) = match any(chars, at, WEEKS) {
        Some((week, end)) => (Some(week), end),
        None => (None, at),
    };
    let (_, from) = any(chars, from, &[("星期", ()), ("礼拜", ()), ("周", ())])?;
    let (weekday, end) = any(chars, from, WEEKDAYS)?;
    // 周一个人, 周日用品: let it be; 一周三次 is not reached, it begins with a number.
    let date = today.and_then(|today| {
        let monday = today
            .checked_sub(i64::from(today.weekday().to_monday_zero_offset()).days())
            .ok()?;
        let offset = i64::from(weekday.to_monday_zero_offset());
        let date = monday
            .checked_add((week.unwrap_or(0) * 7 + offset).days())
            .ok()?;
        // Without a week, the next such day.
        if week.is_none() && date < today {
            date.checked_add(7.days()).ok()
        } else {
            Some(date)
        }
    });
    known(date, end)
}

/// 月底, 下个月5号, 下月初, 年底.
fn month_part(chars: &[char], at: usize, today: Option<Date>) -> Option<Day> {
    const MONTHS: &[(&str, i64)] = &[
        ("下个月", 1),
        ("下月", 1),
        ("这个月", 0),
        ("这月", 0),
        ("本月", 0),
        ("当月", 0),
        ("上个月", -1),
        ("上月", -1),
    ];
    const PARTS: &[(&str, i8)] = &[("月底", 31), ("月末", 31), ("月初", 1), ("月中", 15)];
    if let Some((_, end)) = any(chars, at, &[("年底", ()), ("年末", ())]) {
        return known(today.and_then(|t| Date::new(t.year(), 12, 31).ok()), end);
    }
    let named = any(chars, at, MONTHS);
    let (part, end) = match named {
        Some((_, end)) => any(
            chars,
            end,
            &[("底", 31), ("末", 31), ("初", 1), ("中旬", 15)],
        )
        .or_else(|| day_of_month(chars, end))?,
        None => any(chars, at, PARTS)?,
    };
    let date = today.and_then(|today| {
        let first = today.first_of_month();
        let first = first
            .checked_add(named.map_or(0, |(months, _)| months).months())
            .ok()?;
        let date = on(first, part);
        // 月初 on the 20th is the next one.
        let passed = named.is_none() && date? < today;
        if passed {
            on(first.checked_add(1.month()).ok()?, part)
        } else {
            date
        }
    });
    known(date, end)
}

/// A day of the month that `first` begins; 31 is the last one.
fn on(first: Date, day: i8) -> Option<Date> {
    if day == 31 {
        return Some(first.last_of_month());
    }
    Date::new(first.year(), first.month(), day).ok()
}

/// `5号`, `二十三日`: the day and where it ends.
fn day_of_month(chars: &[char], at: usize) -> Option<(i8, usize)> {
    let (day, end) = whole(chars, at).filter(|(day, _)| (1..=31).contains(day))?;
    let (_, end) = any(chars, end, &[("号", ()), ("日", ())])?;
    // 3号楼, 5号线, 2号店 are places, 1号码 a size.
    if chars
        .get(end)
        .is_some_and(|c| "楼线店门厅桌机床房馆库口码色单柜球仓院".contains(*c))
    {
        return None;
    }
    Some((day as i8, end))
}

fn calendar_day(chars: &[char], at: usize, today: Option<Date>) -> Option<Day> {
    let digits = |from: usize| -> Option<(i64, usize)> {
        let length = chars
            .get(from..)?
            .iter()
            .take(9)
            .take_while(|c| c.is_ascii_digit())
            .count();
        let value: String = chars[from..from + length].iter().collect();
        Some((value.parse().ok()?, from + length))
    };
    if at > 0 && chars[at - 1].is_ascii_digit() {
        return None;
    }
    // 2026-11-23, 2026/11/23, 2026.11.23
    if let Some((year, end)) =
        digits(at).filter(|(y, end)| (1900..=2100).contains(y) && *end == at + 4)
    {
        let separator = chars.get(end).copied();
        if separator.is_some_and(|c| matches!(c, '-' | '/' | '.')) {
            let (month, end) = digits(end + 1)?;
            if chars.get(end).copied() == separator {
                let (day, end) = digits(end + 1)?;
                return known(Some(exact(year, month, day)?), end);
            }
        }
    }
    // 20261123
    if let Some((value, end)) =
        digits(at).filter(|(v, end)| *end == at + 8 && (19_000_101..=21_001_231).contains(v))
    {
        return known(
            Some(exact(value / 10_000, value / 100 % 100, value % 100)?),
            end,
        );
    }
    // 2026年11月23日, 26年11月3号, 11月23号, 十一月二十三
    let (first, end) = whole(chars, at)?;
    let (year, month_at) = match any(chars, end, &[("年", ())]) {
        Some((_, end)) => (Some(if first < 100 { first + 2000 } else { first }), end),
        None => (None, at),
    };
    let (month, end) = whole(chars, month_at)
        .filter(|(m, _)| (1..=12).contains(m))
        .unzip();
    if let (Some(month), Some(end)) = (month, end)
        && let Some((_, end)) = any(chars, end, &[("月份", ()), ("月", ())])
    {
        if let Some((_, end)) = any(chars, end, &[("底", ()), ("末", ())]) {
            let date = nearest(year, month, 1, today).map(Date::last_of_month);
            return Some(Day {
                date,
                words: None,
                end,
                period: None,
            });
        }
        let (day, after) = whole(chars, end).filter(|(d, _)| (1..=31).contains(d))?;
        let after = any(chars, after, &[("号", ()), ("日", ())]).map_or(after, |(_, end)| end);
        let date = nearest(year, month, day, today);
        // A date that no calendar has is none.
        if date.is_none() && (today.is_some() || exact(2024, month, day).is_none()) {
            return None;
        }
        return Some(Day {
            date,
            words: Some(format!("{month:02}-{day:02}")),
            end: after,
            period: None,
        });
    }
    if at > 0 && chars[at - 1] == '月' {
        return None;
    }
    // 23号: this month, or the next where it has passed.
    let (day, end) = day_of_month(chars, at)?;
    let date = today.and_then(|today| {
        let this = on(today.first_of_month(), day).filter(|d| *d >= today && d.day() == day);
        this.or_else(|| {
            let next = today.first_of_month().checked_add(1.month()).ok()?;
            Date::new(next.year(), next.month(), day).ok()
        })
    });
    known(date, end)
}

fn exact(year: i64, month: i64, day: i64) -> Option<Date> {
    Date::new(
        i16::try_from(year).ok()?,
        i8::try_from(month).ok()?,
        i8::try_from(day).ok()?,
    )
    .ok()
}

/// The day of a year, or without a year the one nearest to `today`: people write of last month and of next month alike.
fn nearest(year: Option<i64>, month: i64, day: i64, today: Option<Date>) -> Option<Date> {
    if let Some(year) = year {
        return exact(year, month, day);
    }
    let today = today?;
    let around = i64::from(today.year());
    [around, around + 1, around - 1]
        .into_iter()
        .filter_map(|year| exact(year, month, day))
        .min_by_key(|date| {
            today
                .until(*date)
                .map_or(i32::MAX, |span| span.get_days().abs())
        })
}

fn holiday(chars: &[char], at: usize, today: Option<Date>) -> Option<Day> {
    const HOLIDAYS: &[(&str, (i8, i8))] = &[
        ("元旦", (1, 1)),
        ("情人节", (2, 14)),
        ("劳动节", (5, 1)),
        ("五一", (5, 1)),
        ("六一", (6, 1)),
        ("儿童节", (6, 1)),
        ("国庆", (10, 1)),
        ("双十一", (11, 11)),
        ("双11", (11, 11)),
        ("双十二", (12, 12)),
        ("双12", (12, 12)),
        ("平安夜", (12, 24)),
        ("圣诞", (12, 25)),
    ];
    let ((month, day), end) = any(chars, at, HOLIDAYS)?;
    let end = end + word(chars, end, "节").unwrap_or(0);
    let date = today.and_then(|today| {
        let this = Date::new(today.year(), month, day)
            .ok()
            .filter(|d| *d >= today);
        this.or_else(|| Date::new(today.year() + 1, month, day).ok())
    });
    known(date, end)
}

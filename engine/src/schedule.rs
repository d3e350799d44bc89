//! 时段: whether a moment lies inside.

use jiff::civil::{DateTime, Time};
use yingda_dsl::program::{Band, Schedule};

/// `dates` win over holidays and workdays, those over the week.
pub fn contains(schedule: &Schedule, moment: DateTime) -> bool {
    let date = moment.date();
    let time = moment.time();
    if let Some((_, bands)) = schedule.dates.iter().find(|(day, _)| *day == date) {
        return inside(bands, time);
    }
    if schedule.holidays.contains(&date) {
        return false;
    }
    let day = if schedule.workdays.contains(&date) {
        0
    } else {
        date.weekday().to_monday_zero_offset() as usize
    };
    schedule
        .weekly
        .get(day)
        .is_some_and(|bands| inside(bands, time))
}

fn inside(bands: &[Band], time: Time) -> bool {
    bands
        .iter()
        .any(|band| band.from <= time && (time < band.to || band.to == Time::midnight()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::{Date, date, datetime, time};
    use yingda_dsl::source::Span;

    fn band(from: i8, to: i8) -> Band {
        Band {
            from: time(from, 0, 0, 0),
            to: time(to % 24, 0, 0, 0),
        }
    }

    #[test]
    fn a_table_of_moments() {
        let weekday = vec![band(9, 21)];
        let schedule = Schedule {
            name: "工作时间".into(),
            weekly: [
                weekday.clone(),
                weekday.clone(),
                weekday.clone(),
                weekday.clone(),
                vec![band(9, 12), band(13, 24)],
                vec![band(10, 18)],
                vec![],
            ],
            holidays: vec![date(2026, 10, 1)],
            workdays: vec![date(2026, 10, 10)],
            dates: vec![
                (date(2026, 11, 11), vec![band(0, 24)]),
                (date(2026, 11, 12), vec![]),
            ],
            span: Span::default(),
        };
        let cases: [(Date, i8, bool, &str); 12] = [
            (date(2026, 11, 19), 9, true, "first minute of a band"),
            (date(2026, 11, 19), 21, false, "the end is outside"),
            (date(2026, 11, 20), 12, false, "lunch"),
            (date(2026, 11, 20), 23, true, "up to midnight"),
            (date(2026, 11, 21), 9, false, "Saturday begins later"),
            (date(2026, 11, 22), 12, false, "Sunday closed"),
            (date(2026, 10, 1), 12, false, "holiday"),
            (
                date(2026, 10, 10),
                20,
                true,
                "a Saturday worked takes Monday's bands",
            ),
            (date(2026, 10, 10), 21, false, "and its end"),
            (date(2026, 11, 11), 0, true, "a single date"),
            (date(2026, 11, 12), 12, false, "a date closed"),
            (date(2026, 11, 18), 12, true, "a Wednesday"),
        ];
        for (day, hour, expected, why) in cases {
            let moment = datetime(day.year(), day.month(), day.day(), hour, 0, 0, 0);
            assert_eq!(contains(&schedule, moment), expected, "{why}");
        }
    }
}

//! 提示-05: a holiday table that ends within 60 days, so that 法定节假日 would soon mean nothing.

use super::Package;
use crate::diagnostic::Diagnostic;

const NOTICE_DAYS: i32 = 60;

pub(super) fn check(package: &Package<'_>, diagnostics: &mut Vec<Diagnostic>) {
    let used = package
        .program
        .schedules
        .iter()
        .any(|schedule| !schedule.holidays.is_empty() || !schedule.workdays.is_empty());
    let calendar = &package.facts.calendar;
    let last = calendar.holidays.last().max(calendar.workdays.last());
    let (true, Some(today), Some(last), Some(span)) = (used, package.today, last, calendar.end)
    else {
        return;
    };
    let left = today.until(*last).map_or(0, |span| span.get_days());
    if left < NOTICE_DAYS {
        diagnostics.push(
            Diagnostic::warning(
                "提示-05",
                span,
                format!("假日表到 {last} 就没有了，之后的节假日会按平时处理"),
                format!("the holiday table ends on {last}"),
            )
            .help(
                "补上下一年的安排，并写上出处",
                "add the next year with its source",
            ),
        );
    }
}

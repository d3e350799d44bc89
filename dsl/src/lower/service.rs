//! Who serves and when: skill groups and schedules.

use jiff::civil::Time;

use super::Lowerer;
use super::names::Kind;
use crate::ast;
use crate::diagnostic::Diagnostic;
use crate::keywords::Group;
use crate::program::{Band, ExclusiveAway, Schedule, SkillGroup, Strategy};

/// 熟客优先 without a window: seven days.
const RETURNING_WINDOW_S: u64 = 7 * 86_400;

impl<'a> Lowerer<'a> {
    pub(super) fn skill_group(&mut self, group: &'a ast::SkillGroup) {
        let name = &group.name.text;
        let queue_limit = group.queue_limit.as_ref().map(|(limit, block)| {
            (
                *limit,
                self.action(format!("技能组 {name}/排队上限"), name, block, group.span),
            )
        });
        let queue_over = group.queue_over.as_ref().map(|(seconds, block)| {
            (
                *seconds,
                self.action(format!("技能组 {name}/排队超过"), name, block, group.span),
            )
        });
        let exclusive_away = group
            .exclusive_away
            .as_ref()
            .map(|(seconds, block)| ExclusiveAway {
                wait_s: *seconds,
                otherwise: self.action(
                    format!("技能组 {name}/专属客服不在"),
                    name,
                    block,
                    group.span,
                ),
            });
        let mut assignment = Vec::new();
        for (word, window) in &group.assignment {
            let Some(strategy) = self.word(Group::Strategy, "分配方式", word) else {
                continue;
            };
            assignment.push(match strategy {
                "sequential" => Strategy::Sequential,
                "random" => Strategy::Random,
                "returning_first" => Strategy::Returning {
                    window_s: window.unwrap_or(RETURNING_WINDOW_S),
                },
                "skill_match" => Strategy::SkillMatch,
                "vip_first" => Strategy::Vip,
                _ => Strategy::LoadBalance,
            });
        }
        let notice = group.notice.as_ref().map(|text| self.sent(text));
        let schedule = group
            .schedule
            .as_ref()
            .and_then(|name| self.resolve(Kind::Schedule, name));
        self.program.skill_groups.push(SkillGroup {
            name: name.clone(),
            assignment,
            capacity: group.capacity,
            queue_limit,
            queue_over,
            exclusive_away,
            notice,
            schedule,
            span: group.name.span,
        });
    }

    pub(super) fn schedule(&mut self, schedule: &ast::Schedule) {
        let band = |(from, to): &(Time, Time)| Band {
            from: *from,
            to: *to,
        };
        let mut lowered = Schedule {
            name: schedule.name.text.clone(),
            weekly: Default::default(),
            holidays: Vec::new(),
            workdays: Vec::new(),
            dates: Vec::new(),
            span: schedule.name.span,
        };
        for line in &schedule.weekly {
            for day in &line.days {
                if let Some(slot) = lowered.weekly.get_mut(*day) {
                    slot.extend(line.bands.iter().map(band));
                }
            }
        }
        for (table, span, zh) in [
            (
                &self.facts.calendar.holidays,
                schedule.holidays,
                "法定节假日",
            ),
            (
                &self.facts.calendar.workdays,
                schedule.workdays,
                "调休上班日",
            ),
        ] {
            if let Some(span) = span
                && table.is_empty()
            {
                self.diagnostics.push(
                    Diagnostic::error(
                        "数据-04",
                        span,
                        format!("包里没有{zh}的日期表"),
                        "the package has no dated table for this",
                    )
                    .help(
                        "在包里放一个 calendar/2026.csv，每行写成：2026-10-01,休,国庆节",
                        "add calendar/2026.csv with lines like 2026-10-01,休,name",
                    ),
                );
            }
        }
        if schedule.holidays.is_some() {
            lowered.holidays = self.facts.calendar.holidays.clone();
        }
        if schedule.workdays.is_some() {
            lowered.workdays = self.facts.calendar.workdays.clone();
        }
        for line in &schedule.dates {
            let days = line.first.series(jiff::Span::new().days(1));
            for date in days.take_while(|date| *date <= line.last) {
                lowered
                    .dates
                    .push((date, line.bands.iter().map(band).collect()));
            }
        }
        self.program.schedules.push(lowered);
    }
}

//! Schedules and skill groups, from pairs to tree.

use jiff::civil::Time;

use super::Rule;
use super::explain::Context;
use super::tree::{Node, Tree, half_width};
use crate::ast;

impl Tree<'_> {
    pub fn schedule(&mut self, node: Node<'_>) -> Option<ast::Schedule> {
        let mut schedule = ast::Schedule {
            name: self.name_in(node.clone())?,
            weekly: Vec::new(),
            holidays: None,
            workdays: None,
            dates: Vec::new(),
            span: self.span(&node),
        };
        for line in node.into_inner() {
            let span = self.span(&line);
            match line.as_rule() {
                Rule::weekly => {
                    let mut days = Vec::new();
                    let mut bands = Vec::new();
                    for inner in line.into_inner() {
                        match inner.as_rule() {
                            Rule::day_span => days.extend(day_span(inner)),
                            Rule::hours => bands = self.hours(inner),
                            _ => {}
                        }
                    }
                    schedule.weekly.push(ast::WeeklyHours { days, bands });
                }
                Rule::except | Rule::plus | Rule::dated => {
                    let mut range = None;
                    let mut bands = Vec::new();
                    for inner in line.into_inner() {
                        match inner.as_rule() {
                            Rule::kw_public_holidays => schedule.holidays = Some(span),
                            Rule::kw_make_up_workdays => schedule.workdays = Some(span),
                            Rule::dates => range = self.dates(inner),
                            Rule::hours => bands = self.hours(inner),
                            _ => {}
                        }
                    }
                    if let Some((first, last)) = range {
                        schedule.dates.push(ast::DatedHours { first, last, bands });
                    }
                }
                Rule::bad_line => self.bad_line(&line, Context::Schedule),
                _ => {}
            }
        }
        Some(schedule)
    }

    pub(super) fn hours(&mut self, node: Node<'_>) -> Vec<(Time, Time)> {
        let mut bands = Vec::new();
        for band in node
            .into_inner()
            .filter(|inner| inner.as_rule() == Rule::band)
        {
            let span = self.span(&band);
            let times: Vec<Option<Time>> = band
                .into_inner()
                .filter(|inner| inner.as_rule() == Rule::time)
                .map(|inner| self.time(&inner))
                .collect();
            if let [Some(from), Some(to)] = times.as_slice() {
                if *from >= *to && *to != Time::midnight() {
                    self.error(
                        "含义-05",
                        span,
                        "时段的结束要晚于开始；跨过零点请写成两段",
                        "a band ends after it starts; write two bands to cross midnight",
                        "写成两段：21:00-24:00, 0:00-9:00",
                        "write 21:00-24:00, 0:00-9:00",
                    );
                }
                bands.push((*from, *to));
            }
        }
        bands
    }

    pub(super) fn dates(
        &mut self,
        node: Node<'_>,
    ) -> Option<(jiff::civil::Date, jiff::civil::Date)> {
        let span = self.span(&node);
        let dates: Vec<_> = node
            .into_inner()
            .filter(|inner| inner.as_rule() == Rule::date)
            .filter_map(|inner| self.date(&inner))
            .collect();
        let first = *dates.first()?;
        let last = *dates.last()?;
        if last < first || last.since(first).is_ok_and(|span| span.get_days() > 3660) {
            self.error(
                "含义-05",
                span,
                "日期范围的结束要晚于开始，且不超过十年",
                "a range of dates ends after it starts and spans ten years at most",
                "检查两个日期的先后",
                "check the order of the two dates",
            );
            return None;
        }
        Some((first, last))
    }

    pub fn skill_group(&mut self, node: Node<'_>) -> Option<ast::SkillGroup> {
        let mut group = ast::SkillGroup {
            name: self.name_in(node.clone())?,
            assignment: Vec::new(),
            capacity: None,
            queue_limit: None,
            queue_over: None,
            exclusive_away: None,
            notice: None,
            schedule: None,
            span: self.span(&node),
        };
        for line in node.into_inner() {
            match line.as_rule() {
                Rule::assign => {
                    for strategy in line
                        .into_inner()
                        .filter(|inner| inner.as_rule() == Rule::strategy)
                    {
                        let window = self.duration_in(strategy.clone()).map(|ms| ms / 1000);
                        let word = strategy
                            .into_inner()
                            .find(|inner| inner.as_rule() == Rule::ident);
                        group
                            .assignment
                            .extend(word.map(|word| (self.name(&word), window)));
                    }
                }
                Rule::capacity => group.capacity = self.integer_in(line),
                Rule::queue_limit => {
                    let limit = self.integer_in(line.clone()).unwrap_or_default();
                    group.queue_limit = Some((limit, self.act_in(line)));
                }
                Rule::queue_over => group.queue_over = self.timed_act(line),
                Rule::exclusive_away => group.exclusive_away = self.timed_act(line),
                Rule::notice => group.notice = self.text_in(line),
                Rule::service_hours => group.schedule = self.name_in(line),
                Rule::bad_line => {
                    // What did not parse may have been the waiting rule.
                    group.queue_over.get_or_insert_default();
                    self.bad_line(&line, Context::SkillGroup);
                }
                _ => {}
            }
        }
        Some(group)
    }
}

/// Day numbers of `周一 至 周五`, Monday 0; a range may go over the end of the week.
fn day_span(node: Node<'_>) -> Vec<usize> {
    let days: Vec<Option<usize>> = node
        .into_inner()
        .filter(|inner| inner.as_rule() == Rule::day)
        .map(|inner| day(&half_width(inner.as_str())))
        .collect();
    match days.as_slice() {
        [None] => (0..7).collect(),
        [Some(only)] => vec![*only],
        [Some(first), Some(last)] => {
            let length = (last + 7 - first) % 7;
            (0..=length).map(|step| (first + step) % 7).collect()
        }
        _ => Vec::new(),
    }
}

/// Monday 0; `None` is every day.
fn day(text: &str) -> Option<usize> {
    let english = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
    if let Some(day) = english.iter().position(|day| *day == text) {
        return Some(day);
    }
    match text.chars().next_back()? {
        '一' => Some(0),
        '二' => Some(1),
        '三' => Some(2),
        '四' => Some(3),
        '五' => Some(4),
        '六' => Some(5),
        '日' => Some(6),
        '天' if !text.starts_with('每') => Some(6),
        _ => None,
    }
}

//! Declarations, from pairs to tree.

use jiff::civil::Time;

use super::Rule;
use super::condition::confidence;
use super::explain::Context;
use super::tree::{Node, Tree, half_width, number};
use crate::ast;
use crate::program::GroupMode;

impl Tree<'_> {
    pub fn bot(&mut self, node: Node<'_>) -> Option<ast::Bot> {
        let mut bot = ast::Bot {
            name: self.name_in(node.clone())?,
            time_zone: None,
            unrecognized: None,
            merge_pause_ms: None,
            licence: None,
            idle_close_s: None,
            span: self.span(&node),
        };
        for line in node.into_inner() {
            let span = self.span(&line);
            match line.as_rule() {
                Rule::time_zone => bot.time_zone = self.text_in(line),
                Rule::licence => bot.licence = self.text_in(line),
                Rule::merge => bot.merge_pause_ms = self.duration_in(line),
                Rule::idle => bot.idle_close_s = self.duration_in(line).map(|ms| ms / 1000),
                Rule::unrecognized => {
                    let count = self.integer_in(line.clone())?;
                    bot.unrecognized = Some((count, self.act_in(line), span));
                }
                Rule::bad_line => self.bad_line(&line, Context::Bot),
                _ => {}
            }
        }
        Some(bot)
    }

    pub fn words(&mut self, node: Node<'_>) -> Option<ast::Words> {
        let span = self.span(&node);
        let name = self.name_in(node.clone())?;
        let file = self.text_in(node.clone());
        let words = node
            .into_inner()
            .find(|inner| inner.as_rule() == Rule::strings)
            .map(|inner| self.texts(inner))
            .unwrap_or_default();
        Some(ast::Words {
            name,
            words,
            file,
            span,
        })
    }

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

    fn hours(&mut self, node: Node<'_>) -> Vec<(Time, Time)> {
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

    fn dates(&mut self, node: Node<'_>) -> Option<(jiff::civil::Date, jiff::civil::Date)> {
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

    pub fn segment(&mut self, node: Node<'_>) -> Option<ast::Segment> {
        let span = self.span(&node);
        let name = self.name_in(node.clone())?;
        let condition = node
            .into_inner()
            .find(|inner| inner.as_rule() == Rule::cond)?;
        Some(ast::Segment {
            name,
            condition: self.condition(condition),
            span,
        })
    }

    pub fn attribute(&mut self, node: Node<'_>) -> Option<ast::Attribute> {
        let span = self.span(&node);
        let name = self.name_in(node.clone())?;
        let mut ty = None;
        let mut default = None;
        for inner in node.into_inner() {
            match inner.as_rule() {
                Rule::type_of => ty = Some(self.type_name(inner)),
                Rule::expr => default = Some(self.expr(inner)),
                _ => {}
            }
        }
        Some(ast::Attribute {
            name,
            ty: ty?,
            default,
            span,
        })
    }

    pub fn connector(&mut self, node: Node<'_>) -> Option<ast::Connector> {
        let span = self.span(&node);
        let name = self.name_in(node.clone())?;
        let mut lists = node
            .into_inner()
            .filter(|inner| inner.as_rule() == Rule::params);
        let parameters = lists
            .next()
            .map(|inner| self.params(inner))
            .unwrap_or_default();
        let result = lists
            .next()
            .map(|inner| self.params(inner))
            .unwrap_or_default();
        Some(ast::Connector {
            name,
            parameters,
            result,
            span,
        })
    }

    fn params(&mut self, node: Node<'_>) -> Vec<(ast::Name, ast::TypeName)> {
        node.into_inner()
            .filter(|inner| inner.as_rule() == Rule::param)
            .filter_map(|param| {
                let name = self.name_in(param.clone())?;
                let ty = param
                    .into_inner()
                    .find(|inner| inner.as_rule() == Rule::type_of)?;
                Some((name, self.type_name(ty)))
            })
            .collect()
    }

    pub fn script(&mut self, node: Node<'_>) -> Option<ast::Script> {
        let mut script = ast::Script {
            name: self.name_in(node.clone())?,
            variants: Vec::new(),
            level: None,
            business: None,
            span: self.span(&node),
        };
        for inner in node.into_inner() {
            match inner.as_rule() {
                Rule::string => script.variants.push(self.text(&inner)),
                Rule::strings => script.variants = self.texts(inner),
                Rule::any_of => {
                    let strings = inner
                        .into_inner()
                        .find(|child| child.as_rule() == Rule::strings);
                    script.variants = strings
                        .map(|strings| self.texts(strings))
                        .unwrap_or_default();
                }
                Rule::script_lines => {
                    for line in inner.into_inner() {
                        match line.as_rule() {
                            Rule::string => script.variants.push(self.text(&line)),
                            Rule::bad_line => self.bad_line(&line, Context::Script),
                            _ => {}
                        }
                    }
                }
                Rule::script_level => script.level = self.name_in(inner),
                Rule::script_business => script.business = self.name_in(inner),
                _ => {}
            }
        }
        Some(script)
    }

    pub fn group(&mut self, node: Node<'_>) -> Option<ast::Group> {
        let mut group = ast::Group {
            name: self.name_in(node.clone())?,
            mode: GroupMode::First,
            rules: Vec::new(),
            span: self.span(&node),
        };
        for inner in node.into_inner() {
            match inner.as_rule() {
                Rule::kw_unique => group.mode = GroupMode::Unique,
                Rule::rule => group.rules.extend(self.rule(inner)),
                Rule::bad_line => self.bad_line(&inner, Context::Group),
                _ => {}
            }
        }
        Some(group)
    }

    fn rule(&mut self, node: Node<'_>) -> Option<ast::Rule> {
        let mut rule = ast::Rule {
            name: self.name_in(node.clone())?,
            condition: None,
            action: None,
            broken: false,
            span: self.span(&node),
        };
        for inner in node.into_inner() {
            match inner.as_rule() {
                Rule::when => {
                    let condition = inner
                        .into_inner()
                        .find(|child| child.as_rule() == Rule::cond);
                    rule.condition = condition.map(|condition| self.condition(condition));
                }
                Rule::then => {
                    let action = self.act_in(inner);
                    rule.action.get_or_insert_default().extend(action);
                }
                Rule::bad_line => {
                    rule.broken = true;
                    let context = match (&rule.condition, &rule.action) {
                        (Some(_), None) => Context::RuleThen,
                        (_, Some(_)) => Context::RuleEnd,
                        _ => Context::RuleWhen,
                    };
                    self.bad_line(&inner, context);
                }
                _ => {}
            }
        }
        Some(rule)
    }

    pub fn flow(&mut self, node: Node<'_>) -> Option<ast::Flow> {
        let mut flow = ast::Flow {
            name: self.name_in(node.clone())?,
            interrupt: None,
            uninterruptible: false,
            steps: Vec::new(),
            span: self.span(&node),
        };
        for inner in node.into_inner() {
            match inner.as_rule() {
                Rule::interruptible => {
                    flow.interrupt = inner
                        .into_inner()
                        .find(|child| child.as_rule() == Rule::ident)
                        .map(|child| self.name(&child));
                }
                Rule::kw_uninterruptible => flow.uninterruptible = true,
                Rule::bad_line => self.bad_line(&inner, Context::Flow),
                _ => flow.steps.extend(self.step(inner)),
            }
        }
        Some(flow)
    }

    pub fn intents(&mut self, node: Node<'_>) -> ast::Item {
        let span = self.span(&node);
        let mut lines = Vec::new();
        for inner in node.into_inner() {
            match inner.as_rule() {
                Rule::intent_line => {
                    let span = self.span(&inner);
                    if let Some(label) = self.name_in(inner.clone()) {
                        let action = self.act_in(inner);
                        lines.push(ast::IntentLine {
                            label,
                            action,
                            span,
                        });
                    }
                }
                Rule::bad_line => self.bad_line(&inner, Context::Intents),
                _ => {}
            }
        }
        ast::Item::Intents(lines, span)
    }

    pub fn route(&mut self, node: Node<'_>) -> ast::Route {
        let mut route = ast::Route {
            stages: Vec::new(),
            span: self.span(&node),
            end: self.before_brace(&node),
            broken: false,
        };
        for inner in node.into_inner() {
            let span = self.span(&inner);
            let min = |inner: &Node<'_>| {
                inner
                    .clone()
                    .into_inner()
                    .find(|child| child.as_rule() == Rule::confidence)
                    .and_then(confidence)
            };
            let stage = match inner.as_rule() {
                Rule::route_group => match self.name_in(inner) {
                    Some(name) => ast::RouteStage::Group(name, span),
                    None => continue,
                },
                Rule::kw_in_flow => ast::RouteStage::InFlow(span),
                Rule::route_faq => ast::RouteStage::Faq(min(&inner), span),
                Rule::route_intent => ast::RouteStage::Intent(min(&inner), span),
                Rule::route_suggest => ast::RouteStage::Suggest(self.at_most_in(inner), span),
                Rule::fallback => ast::RouteStage::Fallback(self.act_in(inner), span),
                Rule::bad_line => {
                    route.broken = true;
                    self.bad_line(&inner, Context::Route);
                    continue;
                }
                _ => continue,
            };
            route.stages.push(stage);
        }
        route
    }

    pub fn experiment(&mut self, node: Node<'_>) -> Option<ast::Experiment> {
        let mut experiment = ast::Experiment {
            name: self.name_in(node.clone())?,
            salt: None,
            period: None,
            arms: Vec::new(),
            metrics: Vec::new(),
            guard: None,
            span: self.span(&node),
        };
        for line in node.into_inner() {
            match line.as_rule() {
                Rule::bucket => experiment.salt = self.text_in(line),
                Rule::period => experiment.period = self.dates(line),
                Rule::metrics => experiment.metrics = self.names(line),
                Rule::arm => experiment.arms.extend(self.arm(line)),
                Rule::guard => experiment.guard = self.guard(line),
                Rule::bad_line => self.bad_line(&line, Context::Experiment),
                _ => {}
            }
        }
        Some(experiment)
    }

    fn arm(&mut self, node: Node<'_>) -> Option<ast::Arm> {
        let span = self.span(&node);
        let name = self.name_in(node.clone())?;
        let share = node
            .clone()
            .into_inner()
            .find(|inner| inner.as_rule() == Rule::percent)?;
        let share_span = self.span(&share);
        let percent = number(share.as_str()) * 10_000.0;
        Some(ast::Arm {
            name,
            share: percent.round().min(f64::from(u32::MAX)) as u32,
            share_span,
            steps: self.act_in(node),
            span,
        })
    }

    fn guard(&mut self, node: Node<'_>) -> Option<ast::Guard> {
        let mut names = Vec::new();
        let mut above = 0.0;
        let mut samples = 0;
        for inner in node.into_inner() {
            match inner.as_rule() {
                Rule::name => names.push(self.name(&inner)),
                Rule::number => above = number(inner.as_str()),
                Rule::int => samples = self.integer(&inner),
                _ => {}
            }
        }
        let mut names = names.into_iter();
        Some(ast::Guard {
            metric: names.next()?,
            arm: names.next()?,
            above,
            samples,
        })
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

    pub fn scorecard(&mut self, node: Node<'_>) -> Option<ast::Scorecard> {
        let mut card = ast::Scorecard {
            name: self.name_in(node.clone())?,
            full_marks: None,
            pass_marks: None,
            items: Vec::new(),
            span: self.span(&node),
        };
        for line in node.into_inner() {
            match line.as_rule() {
                Rule::full_marks => card.full_marks = self.integer_in(line),
                Rule::pass_marks => card.pass_marks = self.integer_in(line),
                Rule::score_item | Rule::score_fatal => {
                    let span = self.span(&line);
                    let name = self.name_in(line.clone())?;
                    let points = self.integer_in(line.clone());
                    let body = line
                        .into_inner()
                        .find(|inner| inner.as_rule() == Rule::raw_block)
                        .map(|inner| inner.as_str().to_owned())
                        .unwrap_or_default();
                    card.items.push(ast::ScoreItem {
                        name,
                        points,
                        body,
                        span,
                    });
                }
                Rule::bad_line => self.bad_line(&line, Context::Scorecard),
                _ => {}
            }
        }
        Some(card)
    }

    fn integer_in(&mut self, node: Node<'_>) -> Option<u32> {
        let inner = node
            .into_inner()
            .find(|inner| inner.as_rule() == Rule::int)?;
        Some(self.integer(&inner))
    }

    pub fn duration_in(&mut self, node: Node<'_>) -> Option<u64> {
        let inner = node
            .into_inner()
            .find(|inner| inner.as_rule() == Rule::duration)?;
        Some(self.duration(&inner))
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

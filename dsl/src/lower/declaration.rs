//! Declarations.

use jiff::civil::Time;

use super::Lowerer;
use super::code::{After, Entry};
use super::names::Kind;
use crate::ast::{self, Item, Name};
use crate::diagnostic::Diagnostic;
use crate::keywords::Group;
use crate::program::{
    Arm, Band, Connector, ExclusiveAway, Experiment, Guard, IntentAction, Interrupt, RouteStage,
    Rule, RuleGroup, Schedule, Script, Segment, SkillGroup, Stage, Strategy, WordList,
};
use crate::source::Span;

/// 熟客优先 without a window: seven days.
const RETURNING_WINDOW_S: u64 = 7 * 86_400;

impl<'a> Lowerer<'a> {
    /// Scripts first: steps take their texts.
    pub(super) fn scripts(&mut self, items: &[&'a Item]) {
        for item in items {
            if let Item::Script(script) = item {
                let variants = script.variants.iter().map(|text| self.sent(text)).collect();
                if script.variants.is_empty() {
                    self.error(
                        "含义-05",
                        script.name.span,
                        "话术里一句话都没有",
                        "a script without a text",
                        "写上要说的话，比如：话术 寒暄 \"不客气\"",
                        "give it a text",
                    );
                }
                self.program.scripts.push(Script {
                    name: script.name.text.clone(),
                    variants,
                    level: script.level.as_ref().map(|name| name.text.clone()),
                    business: script.business.as_ref().map(|name| name.text.clone()),
                    span: script.name.span,
                });
            }
        }
    }

    pub(super) fn item(&mut self, item: &'a Item) {
        match item {
            Item::Bot(bot) => self.bot(bot),
            Item::Words(words) => self.words(words),
            Item::Schedule(schedule) => self.schedule(schedule),
            Item::Segment(segment) => {
                let condition = self.condition(&segment.condition);
                self.program.segments.push(Segment {
                    name: segment.name.text.clone(),
                    condition,
                    span: segment.name.span,
                });
            }
            Item::Group(group) => self.group(group),
            Item::Flow(flow) => {
                let code = self.code(&flow.steps);
                self.fill(Kind::Flow, &flow.name, code);
            }
            Item::Menu(menu) => {
                let code = self.code_from(|lowerer, code| lowerer.menu(menu, code));
                let name = menu.name.clone().unwrap_or_default();
                self.fill(Kind::Menu, &name, code);
            }
            Item::Intents(lines, _) => self.intents(lines),
            Item::Experiment(experiment) => self.experiment(experiment),
            Item::SkillGroup(group) => self.skill_group(group),
            Item::Route(route) => self.route(route),
            Item::Test(test) => self.test(test),
            Item::Import(_)
            | Item::Attribute(_)
            | Item::Connector(_)
            | Item::Script(_)
            | Item::Scorecard(_) => {}
        }
    }

    /// Puts the code of a flow or menu at the place kept for it; a second one of the name has none.
    fn fill(&mut self, kind: Kind, name: &Name, code: Vec<crate::program::Step>) {
        let index = self.names.get(kind, &name.text);
        if let Some(routine) = index.and_then(|index| self.program.routines.get_mut(index))
            && routine.code.is_empty()
        {
            routine.code = code;
        }
    }

    pub(super) fn interrupt(&mut self, flow: &ast::Flow) -> Interrupt {
        if flow.uninterruptible {
            return Interrupt::Never;
        }
        let Some(word) = &flow.interrupt else {
            return Interrupt::default();
        };
        match self.word(Group::Interrupt, "打断方式", word) {
            Some("ask_which") => Interrupt::Ask,
            Some("abandon") => Interrupt::Abandon,
            _ => Interrupt::Resume,
        }
    }

    fn bot(&mut self, bot: &'a ast::Bot) {
        if !self.program.bot.name.is_empty() {
            self.diagnostics.push(
                Diagnostic::error(
                    "含义-04",
                    bot.name.span,
                    "一个包里只能有一个「机器人」",
                    "a package has one bot",
                )
                .help("把两处合成一处", "merge the two"),
            );
            return;
        }
        self.program.bot.name = bot.name.text.clone();
        if let Some(zone) = &bot.time_zone {
            let name = zone.value();
            if jiff::tz::TimeZone::get(&name).is_err() {
                self.diagnostics.push(
                    Diagnostic::error(
                        "含义-05",
                        zone.span,
                        format!("没有叫「{name}」的时区"),
                        format!("there is no time zone {name}"),
                    )
                    .help(
                        "中国的时区是 \"Asia/Shanghai\"",
                        "write an IANA name such as \"Asia/Shanghai\"",
                    )
                    .fix("改成 Asia/Shanghai", zone.span, "\"Asia/Shanghai\""),
                );
            }
            self.program.bot.time_zone = name;
        }
        self.program.bot.merge_pause_ms = bot.merge_pause_ms;
        self.program.bot.idle_close_s = bot.idle_close_s;
        self.program.bot.licence = bot.licence.as_ref().map(ast::Text::value);
        if let Some((count, block, span)) = &bot.unrecognized {
            let routine = self.action("未识别".to_owned(), "未识别", block, *span);
            self.program.bot.unrecognized = Some((*count, routine));
        }
    }

    fn words(&mut self, words: &ast::Words) {
        let mut list: Vec<String> = words.words.iter().map(ast::Text::value).collect();
        if let Some(file) = &words.file {
            let path = file.value();
            // A list named in an imported folder stands beside the file that names it.
            let beside = self
                .program
                .paths
                .get(words.span.file as usize)
                .and_then(|own| own.rsplit_once('/'))
                .map(|(folder, _)| format!("{folder}/{path}"));
            let found = self
                .files
                .files
                .get(&path)
                .or_else(|| beside.and_then(|beside| self.files.files.get(&beside)));
            match found {
                None => {
                    let known: Vec<&str> = self
                        .files
                        .files
                        .keys()
                        .filter(|path| path.ends_with(".txt"))
                        .map(String::as_str)
                        .collect();
                    let name = Name {
                        text: path,
                        span: file.span,
                    };
                    self.unknown("词表文件", "word list file", &name, &known);
                }
                Some(bytes) => match crate::files::text(bytes) {
                    Ok((text, _)) => list.extend(crate::files::word_list(text)),
                    Err(_) => self.diagnostics.push(
                        Diagnostic::error(
                            "语法-12",
                            file.span,
                            format!("词表「{path}」不是 UTF-8 编码"),
                            format!("{path} is not UTF-8"),
                        )
                        .help(
                            "在编辑器里选「另存为」，编码选 UTF-8",
                            "save the file with the encoding UTF-8",
                        ),
                    ),
                },
            }
        }
        if list.is_empty() && words.file.is_none() {
            self.error(
                "含义-05",
                words.name.span,
                "词组里一个词都没有",
                "a word list without words",
                "写上词：词组 招呼语 = (\"你好\", \"在吗\")",
                "give it words: words greeting = (\"hi\")",
            );
        }
        list.retain(|word| !word.trim().is_empty());
        self.program.words.push(WordList {
            name: words.name.text.clone(),
            words: list,
            span: words.name.span,
        });
    }

    fn schedule(&mut self, schedule: &ast::Schedule) {
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

    pub(super) fn connector(&mut self, connector: &ast::Connector) {
        let mut list = |fields: &[(Name, ast::TypeName)]| {
            let mut lowered: Vec<(String, crate::program::Type)> = Vec::new();
            for (name, ty) in fields {
                let ty = self.ty(ty);
                if lowered.iter().any(|(other, _)| *other == name.text) {
                    self.error(
                        "含义-04",
                        name.span,
                        format!("「{}」写了两次", name.text),
                        format!("{} appears twice", name.text),
                        "换个名字",
                        "rename one",
                    );
                }
                lowered.push((name.text.clone(), ty));
            }
            lowered
        };
        let parameters = list(&connector.parameters);
        let result = list(&connector.result);
        if let Some(bound) = &self.catalogue.bound_connectors
            && !bound.contains(&connector.name.text)
        {
            let known: Vec<&str> = bound.iter().map(String::as_str).collect();
            self.unknown(
                "已配置的接口",
                "configured connector",
                &connector.name,
                &known,
            );
        }
        self.program.connectors.push(Connector {
            name: connector.name.text.clone(),
            parameters,
            result,
            span: connector.name.span,
        });
    }

    fn group(&mut self, group: &'a ast::Group) {
        let mut rules = Vec::with_capacity(group.rules.len());
        for rule in &group.rules {
            if !rule.broken {
                self.incomplete(rule);
            }
            let condition = rule
                .condition
                .as_ref()
                .map(|condition| self.condition(condition));
            let action = match &rule.action {
                Some(block) => {
                    let key = format!("规则 {}/{}", group.name.text, rule.name.text);
                    self.action(key, &rule.name.text, block, rule.span)
                }
                None => continue,
            };
            let Some(condition) = condition else { continue };
            rules.push(Rule {
                name: rule.name.text.clone(),
                condition,
                action,
                span: rule.name.span,
            });
        }
        self.program.groups.push(RuleGroup {
            name: group.name.text.clone(),
            mode: group.mode,
            rules,
            span: group.name.span,
        });
    }

    fn incomplete(&mut self, rule: &ast::Rule) {
        for (missing, zh, en) in [
            (rule.condition.is_none(), "当", "when"),
            (rule.action.is_none(), "则", "then"),
        ] {
            if missing {
                self.diagnostics.push(
                    Diagnostic::error(
                        "完整-07",
                        rule.name.span,
                        format!("规则「{}」没有写「{zh}」", rule.name.text),
                        format!("rule {} has no {en}", rule.name.text),
                    )
                    .help(
                        "一条规则写成：当 消息 含 \"发票\" 则 回答 \"发票怎么开\"，「当」和「则」各一行",
                        "a rule is: when … then …",
                    ),
                );
            }
        }
    }

    fn intents(&mut self, lines: &'a [ast::IntentLine]) {
        for line in lines {
            let label = self.intent(&line.label);
            let key = format!("意图 {}", label.as_deref().unwrap_or(&line.label.text));
            let action = self.action(key, &line.label.text, &line.action, line.span);
            let Some(label) = label else { continue };
            if let Some(first) = self
                .program
                .intents
                .iter()
                .find(|other| other.label == label)
            {
                self.diagnostics.push(
                    Diagnostic::error(
                        "含义-04",
                        line.label.span,
                        format!("意图「{}」写了两次", line.label.text),
                        format!("intent {} appears twice", line.label.text),
                    )
                    .related(first.span, "第一次写在这里")
                    .help("删掉一行", "delete one"),
                );
                continue;
            }
            self.program.intents.push(IntentAction {
                label,
                action,
                span: line.label.span,
            });
        }
    }

    fn experiment(&mut self, experiment: &'a ast::Experiment) {
        let arms: Vec<Arm> = experiment
            .arms
            .iter()
            .map(|arm| Arm {
                name: arm.name.text.clone(),
                share: arm.share,
            })
            .collect();
        let total: u64 = experiment.arms.iter().map(|arm| u64::from(arm.share)).sum();
        if total != 10_000 {
            let span = experiment
                .arms
                .last()
                .map_or(experiment.name.span, |arm| arm.share_span);
            let percent = total as f64 / 100.0;
            self.diagnostics.push(
                Diagnostic::error(
                    "含义-08",
                    span,
                    format!(
                        "实验「{}」各组加起来是 {percent}%，要正好 100%",
                        experiment.name.text
                    ),
                    format!(
                        "the arms of {} make {percent}%, not 100%",
                        experiment.name.text
                    ),
                )
                .help("改一改各组的百分比", "change the shares"),
            );
        }
        for (index, arm) in experiment.arms.iter().enumerate() {
            if let Some(first) = experiment
                .arms
                .iter()
                .take(index)
                .find(|other| other.name.text == arm.name.text)
            {
                self.diagnostics.push(
                    Diagnostic::error(
                        "含义-04",
                        arm.name.span,
                        format!("组「{}」写了两次", arm.name.text),
                        format!("arm {} appears twice", arm.name.text),
                    )
                    .related(first.name.span, "第一次写在这里")
                    .help("换个名字", "rename one"),
                );
            }
        }
        let guard = experiment.guard.as_ref().and_then(|guard| {
            let arm = self.arm_of(experiment, &guard.arm)?;
            Some(Guard {
                metric: guard.metric.text.clone(),
                above: guard.above,
                samples: guard.samples,
                arm,
            })
        });
        // Arms that nothing uses are checked all the same.
        if !self
            .facts
            .used
            .contains(&(Kind::Experiment, experiment.name.text.clone()))
        {
            self.code_from(|_, code| {
                for (index, arm) in experiment.arms.iter().enumerate() {
                    code.branch(Entry::Arm(0, index), &arm.steps, After::End, arm.span);
                }
            });
        }
        self.program.experiments.push(Experiment {
            name: experiment.name.text.clone(),
            salt: experiment
                .salt
                .as_ref()
                .map_or_else(|| experiment.name.text.clone(), ast::Text::value),
            period: experiment.period,
            arms,
            metrics: experiment
                .metrics
                .iter()
                .map(|name| name.text.clone())
                .collect(),
            guard,
            span: experiment.name.span,
        });
    }

    fn arm_of(&mut self, experiment: &ast::Experiment, name: &Name) -> Option<usize> {
        let found = experiment
            .arms
            .iter()
            .position(|arm| arm.name.text == name.text);
        if found.is_none() {
            let known: Vec<&str> = experiment
                .arms
                .iter()
                .map(|arm| arm.name.text.as_str())
                .collect();
            self.unknown("组", "arm", name, &known);
        }
        found
    }

    /// Experiment and arm by name.
    pub(super) fn arm(&mut self, experiment: &Name, arm: &Name) -> Option<(usize, usize)> {
        let index = self.resolve(Kind::Experiment, experiment)?;
        let declared = self.experiments.get(index).copied()?;
        Some((index, self.arm_of(declared, arm)?))
    }

    fn skill_group(&mut self, group: &'a ast::SkillGroup) {
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

    fn route(&mut self, route: &'a ast::Route) {
        if let Some(first) = self.program.route.first() {
            self.diagnostics.push(
                Diagnostic::error(
                    "含义-04",
                    head(route.span),
                    "一个包里只能有一个「路由」",
                    "a package has one route",
                )
                .related(first.span, "第一个在这里")
                .help("把两处合成一处", "merge the two"),
            );
            return;
        }
        for stage in &route.stages {
            let (stage, name, span) = match stage {
                ast::RouteStage::Group(name, span) => match self.resolve(Kind::Group, name) {
                    Some(index) => (Stage::Group(index), name.text.clone(), *span),
                    None => continue,
                },
                ast::RouteStage::InFlow(span) => (Stage::InFlow, "流程中".to_owned(), *span),
                ast::RouteStage::Faq(min, span) => {
                    (Stage::Faq { min: *min }, "常见问题".to_owned(), *span)
                }
                ast::RouteStage::Intent(min, span) => {
                    (Stage::Intent { min: *min }, "意图".to_owned(), *span)
                }
                ast::RouteStage::Suggest(max, span) => {
                    let max = u8::try_from(max.unwrap_or(3)).unwrap_or(u8::MAX);
                    (Stage::Suggest { max }, "推荐问题".to_owned(), *span)
                }
                ast::RouteStage::Fallback(block, span) => {
                    let routine = self.action("兜底".to_owned(), "兜底", block, *span);
                    (Stage::Fallback(routine), "兜底".to_owned(), *span)
                }
            };
            if let Some(first) = self.program.route.iter().find(|other| other.name == name) {
                self.diagnostics.push(
                    Diagnostic::error(
                        "含义-04",
                        span,
                        format!("「{name}」在路由里写了两次"),
                        format!("{name} stands in the route twice"),
                    )
                    .related(first.span, "第一次写在这里")
                    .help("删掉一个", "delete one"),
                );
                continue;
            }
            self.program.route.push(RouteStage { stage, name, span });
        }
        let fallback = self
            .program
            .route
            .iter()
            .position(|stage| matches!(stage.stage, Stage::Fallback(_)));
        match fallback {
            None if !route.broken => {
                let at = Span {
                    file: route.span.file,
                    start: route.end,
                    end: route.end,
                };
                self.diagnostics.push(
                    Diagnostic::error(
                        "完整-01",
                        head(route.span),
                        "路由没有写「兜底」：什么都没中时机器人说什么？",
                        "the route has no fallback",
                    )
                    .help(
                        "在最后加一行：兜底 -> 进入 流程 主菜单",
                        "add a last line: fallback -> enter flow …",
                    )
                    .fix(
                        "补上「兜底」",
                        at,
                        "兜底 -> 说 \"没听懂，请换个说法。\"\n",
                    ),
                );
            }
            Some(index) if index + 1 < self.program.route.len() => {
                let after = self
                    .program
                    .route
                    .get(index + 1)
                    .map(|stage| stage.span)
                    .unwrap_or_default();
                self.diagnostics.push(
                    Diagnostic::error(
                        "完整-01",
                        after,
                        "「兜底」要写在路由的最后，它后面的都轮不到",
                        "fallback must be the last stage",
                    )
                    .help("把「兜底」移到最后", "move fallback to the end"),
                );
            }
            _ => {}
        }
    }

    /// What can be said only when everything is lowered.
    pub(super) fn finish(&mut self, items: &[&'a Item]) {
        let unwaited = std::mem::take(&mut self.unwaited);
        let mut told: Vec<usize> = Vec::new();
        for (index, span) in unwaited {
            let Some(group) = self.program.skill_groups.get(index) else {
                continue;
            };
            if group.queue_over.is_some() || told.contains(&index) {
                continue;
            }
            told.push(index);
            let (name, declared) = (group.name.clone(), group.span);
            self.diagnostics.push(
                Diagnostic::error(
                    "完整-05",
                    span,
                    format!("技能组「{name}」没有写「排队超过」：没人接的时候怎么办？"),
                    format!("skill group {name} does not say what happens when nobody answers (queue_over)"),
                )
                .related(declared, "技能组写在这里")
                .help(
                    format!("在技能组「{name}」里加一行：排队超过 5分钟 -> 留言 \"…\"，或者写在转人工后面"),
                    "add to the skill group: queue_over 5min -> leave_message \"…\"",
                ),
            );
        }
        if self.program.route.is_empty()
            && !items.is_empty()
            && !items.iter().any(|item| matches!(item, Item::Route(_)))
            && !self.broken.contains("路由")
        {
            self.diagnostics.push(
                Diagnostic::error(
                    "完整-01",
                    Span::default(),
                    "这个包里没有「路由」",
                    "the package has no route",
                )
                .help(
                    "加一个：路由 { 规则组 日常  流程中  兜底 -> 说 \"没听懂，请换个说法。\" }",
                    "add: route { …  fallback -> say \"…\" }",
                ),
            );
        }
        for (index, routine) in self.program.routines.iter().enumerate() {
            self.program
                .routine_by_key
                .entry(routine.key.clone())
                .or_insert(index);
        }
    }
}

/// The first bytes of a block, for a caret that does not run over pages.
fn head(span: Span) -> Span {
    Span {
        end: span.end.min(span.start + "路由".len() as u32),
        ..span
    }
}

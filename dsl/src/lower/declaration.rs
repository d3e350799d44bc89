//! Declarations.

use super::Lowerer;
use super::names::Kind;
use crate::ast::{self, Item, Name};
use crate::diagnostic::Diagnostic;
use crate::keywords::Group;
use crate::program::{
    Connector, IntentAction, Interrupt, Rule, RuleGroup, Script, Segment, WordList,
};

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
}

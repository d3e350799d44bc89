//! Conditions: names to indices, types compared, patterns compiled once to see that they can be.

use super::Lowerer;
use super::expr::{Class, class, type_zh};
use super::names::Kind;
use crate::ast::{self, ConditionKind as Written, Name, Pattern, Sign};
use crate::diagnostic::Diagnostic;
use crate::keywords::{self, Group};
use crate::program::{
    Check, Compare, Condition, ConditionKind, Emotion, EventKind, MessageKind, Patterns, TextMatch,
    Type,
};

/// Largest compiled regular expression, bytes.
pub const REGEX_SIZE_LIMIT: usize = 1 << 20;

impl Lowerer<'_> {
    /// A condition. What does not resolve is reported and stands as a condition that never holds.
    pub(super) fn condition(&mut self, written: &ast::Condition) -> Condition {
        let kind = match &written.kind {
            Written::Chain { parts, signs } => {
                if signs.contains(&Sign::And) && signs.contains(&Sign::Or) {
                    self.mixed(written, parts, signs);
                }
                let parts = parts.iter().map(|part| self.condition(part)).collect();
                match signs.first() {
                    Some(Sign::Or) => ConditionKind::Any(parts),
                    _ => ConditionKind::All(parts),
                }
            }
            Written::Not(inner) => ConditionKind::Not(Box::new(self.condition(inner))),
            Written::Check(check) => self
                .check(check, written)
                .unwrap_or(ConditionKind::Any(Vec::new())),
        };
        Condition {
            kind,
            text: written.text.clone(),
            span: written.span,
        }
    }

    fn mixed(&mut self, written: &ast::Condition, parts: &[ast::Condition], signs: &[Sign]) {
        let first = read(parts, signs, Sign::And);
        let second = read(parts, signs, Sign::Or);
        self.diagnostics.push(
            Diagnostic::error(
                "含义-01",
                written.span,
                format!("「且」和「或」混用，请加括号。两种读法：{first} / {second}"),
                format!(
                    "且 (and) and 或 (or) are mixed; add brackets. Two readings: {first} / {second}"
                ),
            )
            .help(
                "选一种读法，把括号写上",
                "choose one and write its brackets",
            ),
        );
    }

    fn check(&mut self, check: &ast::Check, written: &ast::Condition) -> Option<ConditionKind> {
        let negate = |check: Check, outside: bool| {
            let inner = ConditionKind::Check(check);
            if outside {
                ConditionKind::Not(Box::new(Condition {
                    kind: inner,
                    text: written.text.clone(),
                    span: written.span,
                }))
            } else {
                inner
            }
        };
        let lowered = match check {
            ast::Check::Kind(names) => {
                Check::Kind(names.iter().filter_map(|name| self.kind(name)).collect())
            }
            ast::Check::Text { how, patterns } => Check::Text {
                how: *how,
                patterns: self.patterns(*how, patterns),
            },
            ast::Check::Intent { labels, min } => Check::Intent {
                labels: labels.iter().filter_map(|name| self.intent(name)).collect(),
                min: *min,
            },
            ast::Check::Faq { min } => Check::Faq { min: *min },
            ast::Check::Emotion(names) => Check::Emotion(
                names
                    .iter()
                    .filter_map(|name| {
                        Some(match self.word(Group::Emotion, "情绪", name)? {
                            "angry" => Emotion::Angry,
                            "anxious" => Emotion::Anxious,
                            "satisfied" => Emotion::Satisfied,
                            _ => Emotion::Neutral,
                        })
                    })
                    .collect(),
            ),
            ast::Check::Entity(names) => Check::Entity(
                names
                    .iter()
                    .filter_map(|name| {
                        let known = &self.catalogue.entities;
                        let found = known
                            .iter()
                            .find(|entity| entity.id == name.text || entity.name == name.text);
                        match found {
                            Some(entity) => Some(entity.id.clone()),
                            None => {
                                let names: Vec<&str> =
                                    known.iter().map(|entity| entity.name.as_str()).collect();
                                self.unknown("实体类型", "entity type", name, &names);
                                None
                            }
                        }
                    })
                    .collect(),
            ),
            ast::Check::Segment(name) => Check::Segment(self.resolve(Kind::Segment, name)?),
            ast::Check::Tag(text) => Check::Tag(text.value()),
            ast::Check::Channel(names) => {
                let channels = &self.catalogue.channels;
                let known: Vec<&str> = channels
                    .iter()
                    .map(|channel| channel.name.as_str())
                    .collect();
                for name in names {
                    if !known.is_empty() && !known.contains(&name.text.as_str()) {
                        self.unknown("渠道", "channel", name, &known);
                    }
                }
                Check::Channel(names.iter().map(|name| name.text.clone()).collect())
            }
            ast::Check::Scene(names) => {
                Check::Scene(names.iter().map(|name| name.text.clone()).collect())
            }
            ast::Check::Bound => Check::Bound,
            ast::Check::Schedule { name, outside } => {
                return Some(negate(
                    Check::Schedule(self.resolve(Kind::Schedule, name)?),
                    *outside,
                ));
            }
            ast::Check::Event(events) => Check::Event(
                events
                    .iter()
                    .filter_map(|event| self.event(event))
                    .collect(),
            ),
            ast::Check::Arm { experiment, arm } => {
                let (experiment, arm) = self.arm(experiment, arm)?;
                Check::Arm { experiment, arm }
            }
            ast::Check::Compare { left, op, right } => {
                let span = right.span;
                let left_span = left.span;
                let right_lowered = self.expr(right);
                let (left, left_type) = self.field(left)?;
                let (right, right_type) = right_lowered?;
                let ordered = !matches!(op, Compare::Equal | Compare::NotEqual);
                if ordered && matches!(class(&left_type), Class::Text | Class::Boolean) {
                    self.diagnostics.push(
                        Diagnostic::error(
                            "含义-03",
                            left_span,
                            format!("{}不能比大小", type_zh(&left_type)),
                            "this type has no order",
                        )
                        .help(
                            "改用 = 或 ≠，或者把属性的类型改成数字",
                            "use = or ≠, or give it a number type",
                        ),
                    );
                    return None;
                }
                let right = self.fits(&right, &right_type, &left_type, span)?;
                Check::Compare {
                    left,
                    op: *op,
                    right,
                }
            }
            ast::Check::OneOf {
                left,
                values,
                outside,
            } => {
                let (left, ty) = self.field(left)?;
                let values = values
                    .iter()
                    .filter_map(|value| self.of_type(value, &ty))
                    .collect();
                return Some(negate(Check::OneOf { left, values }, *outside));
            }
            ast::Check::Between {
                left,
                low,
                high,
                outside,
            } => {
                let (left, ty) = self.field(left)?;
                let low = self.of_type(low, &ty)?;
                let high = self.of_type(high, &ty)?;
                return Some(negate(Check::Between { left, low, high }, *outside));
            }
            ast::Check::Present(left) => Check::Present(self.field(left)?.0),
        };
        Some(ConditionKind::Check(lowered))
    }

    fn of_type(&mut self, value: &ast::Expr, ty: &Type) -> Option<crate::program::Expr> {
        let (lowered, found) = self.expr(value)?;
        self.fits(&lowered, &found, ty, value.span)
    }

    fn patterns(&mut self, how: TextMatch, written: &[Pattern]) -> Patterns {
        let mut patterns = Patterns::default();
        for pattern in written {
            match pattern {
                Pattern::List(name) => patterns.lists.extend(self.resolve(Kind::Words, name)),
                Pattern::Word(text) => {
                    let word = match how {
                        TextMatch::Regex => text.pattern(),
                        _ => text.value(),
                    };
                    if word.trim().is_empty() {
                        self.error(
                            "含义-05",
                            text.span,
                            "这里的词是空的",
                            "an empty word",
                            "写上词，或者删掉",
                            "write a word or delete it",
                        );
                        continue;
                    }
                    if how == TextMatch::Regex {
                        self.regex(&word, text.span);
                    }
                    patterns.inline.push(word);
                }
            }
        }
        patterns
    }

    pub(super) fn regex(&mut self, pattern: &str, span: crate::source::Span) {
        let built = regex::RegexBuilder::new(pattern)
            .size_limit(REGEX_SIZE_LIMIT)
            .build();
        if let Err(error) = built {
            let (zh, en) = match error {
                regex::Error::CompiledTooBig(_) => {
                    ("正则太大", "the regular expression is too large")
                }
                _ => ("正则写得不对", "the regular expression is not well formed"),
            };
            let detail = error.to_string();
            let detail = detail.lines().last().unwrap_or_default();
            self.diagnostics.push(
                Diagnostic::error(
                    "含义-05",
                    span,
                    format!("{zh}：{detail}"),
                    format!("{en}: {detail}"),
                )
                .help(
                    "检查括号和次数，或改用「含」「形如」",
                    "check brackets and counts, or use contains / like",
                ),
            );
        }
    }

    pub(super) fn kind(&mut self, name: &Name) -> Option<MessageKind> {
        Some(match self.word(Group::Kind, "消息类型", name)? {
            "image" => MessageKind::Image,
            "voice" => MessageKind::Voice,
            "video" => MessageKind::Video,
            "location" => MessageKind::Location,
            "link" => MessageKind::Link,
            "mini_program" => MessageKind::MiniProgram,
            "sticker" => MessageKind::Sticker,
            "file" => MessageKind::File,
            _ => MessageKind::Text,
        })
    }

    pub(super) fn event(&mut self, event: &ast::Event) -> Option<EventKind> {
        let argument = event.argument.as_ref().map(ast::Text::value);
        Some(match self.word(Group::Event, "事件", &event.kind)? {
            "subscribe" => EventKind::Subscribe,
            "scan" => EventKind::Scan(argument),
            "menu_click" => EventKind::MenuClick(argument),
            "first_contact" => EventKind::FirstContact,
            "enter_chat" => EventKind::Enter,
            "return_visit" => EventKind::Return,
            "rating" => EventKind::Rating,
            _ => EventKind::Closed,
        })
    }

    /// The id of an intent label, by id or Chinese name.
    pub(super) fn intent(&mut self, name: &Name) -> Option<String> {
        let known = &self.catalogue.intents;
        if let Some(label) = known
            .iter()
            .find(|label| label.id == name.text || label.name == name.text)
        {
            return Some(label.id.clone());
        }
        let names: Vec<&str> = known
            .iter()
            .flat_map(|label| [label.name.as_str(), label.id.as_str()])
            .collect();
        self.unknown("意图", "intent", name, &names);
        None
    }

    /// The English alias of an option word.
    pub(super) fn word(&mut self, group: Group, zh: &str, name: &Name) -> Option<&'static str> {
        if let Some(keyword) = keywords::find(group, &name.text) {
            return Some(keyword.en);
        }
        let known: Vec<&str> = keywords::of(group).map(|keyword| keyword.zh).collect();
        self.unknown(zh, "option", name, &known);
        None
    }
}

/// The condition with brackets around the runs of the sign that binds tighter.
fn read(parts: &[ast::Condition], signs: &[Sign], tight: Sign) -> String {
    let mut runs: Vec<Vec<&str>> = Vec::new();
    for (index, part) in parts.iter().enumerate() {
        let joined = index.checked_sub(1).and_then(|before| signs.get(before)) == Some(&tight);
        match runs.last_mut() {
            Some(run) if joined => run.push(&part.text),
            _ => runs.push(vec![&part.text]),
        }
    }
    let (inner, outer) = match tight {
        Sign::And => (" 且 ", " 或 "),
        Sign::Or => (" 或 ", " 且 "),
    };
    let runs: Vec<String> = runs
        .iter()
        .map(|run| match run.as_slice() {
            [only] => (*only).to_owned(),
            many => format!("({})", many.join(inner)),
        })
        .collect();
    runs.join(outer)
}

//! From pest's pairs to the typed tree: what all parts share, and the file itself.

use pest::iterators::Pair;

use super::edits::Edits;
use super::{Rule, explain::Context};
use crate::ast::{self, Expr, ExprKind, FieldPath, Item, Name, Text, TypeName};
use crate::diagnostic::Diagnostic;
use crate::source::Span;

pub(super) type Node<'s> = Pair<'s, Rule>;

/// A line that did not parse.
#[derive(Debug, Clone)]
pub(super) struct BadLine {
    pub span: Span,
    pub context: Context,
}

pub(super) struct Tree<'a> {
    pub file: u32,
    pub source: &'a str,
    edits: &'a Edits,
    pub bad: Vec<BadLine>,
    pub diagnostics: Vec<Diagnostic>,
}

impl<'a> Tree<'a> {
    pub fn new(file: u32, source: &'a str, edits: &'a Edits) -> Self {
        Tree {
            file,
            source,
            edits,
            bad: Vec::new(),
            diagnostics: Vec::new(),
        }
    }

    pub fn file(&mut self, pairs: pest::iterators::Pairs<'_, Rule>) -> ast::File {
        let mut file = ast::File::default();
        for node in pairs.flat_map(|pair| pair.into_inner()) {
            match node.as_rule() {
                Rule::bad_line | Rule::stray => {
                    file.broken_names.extend(words(node.as_str()));
                    self.bad_line(&node, Context::File);
                }
                Rule::EOI => {}
                _ => file.items.extend(self.item(node)),
            }
        }
        for line in &self.bad {
            let text = self
                .source
                .get(line.span.start as usize..line.span.end as usize);
            file.broken_names.extend(words(text.unwrap_or_default()));
        }
        file
    }

    fn item(&mut self, node: Node<'_>) -> Option<Item> {
        Some(match node.as_rule() {
            Rule::import => Item::Import(self.text_in(node)?),
            Rule::bot => Item::Bot(self.bot(node)?),
            Rule::words => Item::Words(self.words(node)?),
            Rule::schedule => Item::Schedule(self.schedule(node)?),
            Rule::segment => Item::Segment(self.segment(node)?),
            Rule::attribute => Item::Attribute(self.attribute(node)?),
            Rule::connector => Item::Connector(self.connector(node)?),
            Rule::script => Item::Script(self.script(node)?),
            Rule::group => Item::Group(self.group(node)?),
            Rule::flow => Item::Flow(self.flow(node)?),
            Rule::menu => Item::Menu(self.menu(node)),
            Rule::intents => self.intents(node),
            Rule::experiment => Item::Experiment(self.experiment(node)?),
            Rule::skill_group => Item::SkillGroup(self.skill_group(node)?),
            Rule::scorecard => Item::Scorecard(self.scorecard(node)?),
            Rule::route => Item::Route(self.route(node)),
            Rule::test => Item::Test(self.test(node)?),
            _ => return None,
        })
    }

    pub fn span(&self, node: &Node<'_>) -> Span {
        self.range(node.as_span().start(), node.as_span().end())
    }

    /// The span in the file of a range of the mended text.
    pub fn range(&self, start: usize, end: usize) -> Span {
        Span {
            file: self.file,
            start: self.edits.origin(start) as u32,
            end: self.edits.origin(end) as u32,
        }
    }

    pub fn bad_line(&mut self, node: &Node<'_>, context: Context) {
        let text = node.as_str();
        let start = node.as_span().start();
        let end = start + text.trim_end().len();
        let first = text.chars().next().map_or(0, char::len_utf8);
        let span = self.range(start, end.max(start + first));
        self.bad.push(BadLine { span, context });
    }

    pub fn error(
        &mut self,
        code: &'static str,
        span: Span,
        zh: impl Into<String>,
        en: impl Into<String>,
        help: &str,
        help_en: &str,
    ) {
        self.diagnostics
            .push(Diagnostic::error(code, span, zh, en).help(help, help_en));
    }

    pub fn text(&self, node: &Node<'_>) -> Text {
        let written = node.as_str();
        let open = written.chars().next().map_or(0, char::len_utf8);
        let close = written.chars().next_back().map_or(0, char::len_utf8);
        Text {
            raw: written
                .get(open..written.len().saturating_sub(close))
                .unwrap_or_default()
                .to_owned(),
            span: self.span(node),
            inner: self.edits.origin(node.as_span().start() + open) as u32,
        }
    }

    /// The first quoted text directly inside.
    pub fn text_in(&self, node: Node<'_>) -> Option<Text> {
        node.into_inner()
            .find(|inner| inner.as_rule() == Rule::string)
            .map(|inner| self.text(&inner))
    }

    pub fn texts(&self, node: Node<'_>) -> Vec<Text> {
        node.into_inner()
            .filter(|inner| inner.as_rule() == Rule::string)
            .map(|inner| self.text(&inner))
            .collect()
    }

    /// A `name` or `ident` node.
    pub fn name(&self, node: &Node<'_>) -> Name {
        let span = self.span(node);
        let quoted = match node.as_rule() {
            Rule::string => Some(node.clone()),
            _ => node
                .clone()
                .into_inner()
                .find(|inner| inner.as_rule() == Rule::string),
        };
        let text = match quoted {
            Some(string) => self.text(&string).value(),
            None => node.as_str().trim().to_owned(),
        };
        Name { text, span }
    }

    pub fn name_in(&self, node: Node<'_>) -> Option<Name> {
        node.into_inner()
            .find(|inner| inner.as_rule() == Rule::name)
            .map(|inner| self.name(&inner))
    }

    /// The `name` nodes directly inside.
    pub fn names(&self, node: Node<'_>) -> Vec<Name> {
        node.into_inner()
            .filter(|inner| inner.as_rule() == Rule::name)
            .map(|inner| self.name(&inner))
            .collect()
    }

    pub fn type_name(&self, node: Node<'_>) -> TypeName {
        let span = self.span(&node);
        let mut ty = TypeName {
            name: Name {
                text: "选择".to_owned(),
                span,
            },
            choices: Vec::new(),
        };
        for inner in node.into_inner() {
            match inner.as_rule() {
                Rule::ident => ty.name = self.name(&inner),
                Rule::strings => ty.choices = self.texts(inner),
                _ => {}
            }
        }
        ty
    }

    pub fn field(&self, node: Node<'_>) -> FieldPath {
        let span = self.span(&node);
        let parts = node
            .into_inner()
            .filter(|inner| matches!(inner.as_rule(), Rule::ident | Rule::name))
            .map(|inner| self.name(&inner))
            .collect();
        FieldPath { parts, span }
    }

    pub fn expr(&mut self, node: Node<'_>) -> Expr {
        let span = self.span(&node);
        let kind = match node.into_inner().next() {
            None => ExprKind::Invalid,
            Some(inner) => match inner.as_rule() {
                Rule::number => ExprKind::Number(number(inner.as_str())),
                Rule::string => ExprKind::Text(self.text(&inner)),
                Rule::date => self.date(&inner).map_or(ExprKind::Invalid, ExprKind::Date),
                Rule::time => self.time(&inner).map_or(ExprKind::Invalid, ExprKind::Time),
                Rule::datetime => self
                    .datetime(inner)
                    .map_or(ExprKind::Invalid, ExprKind::DateTime),
                Rule::field => ExprKind::Field(self.field(inner)),
                _ => ExprKind::Invalid,
            },
        };
        Expr { kind, span }
    }

    pub fn date(&mut self, node: &Node<'_>) -> Option<jiff::civil::Date> {
        let parts = integers(node.as_str());
        let date = match parts.as_slice() {
            [year, month, day] => i16::try_from(*year)
                .ok()
                .zip(i8::try_from(*month).ok())
                .zip(i8::try_from(*day).ok())
                .and_then(|((year, month), day)| jiff::civil::Date::new(year, month, day).ok()),
            _ => None,
        };
        if date.is_none() {
            let span = self.span(node);
            self.error(
                "含义-05",
                span,
                format!("没有「{}」这一天", node.as_str()),
                format!("there is no day {}", node.as_str()),
                "日期写成 2026-11-20",
                "a date is 2026-11-20",
            );
        }
        date
    }

    /// A time of day; `24:00` is midnight.
    pub fn time(&mut self, node: &Node<'_>) -> Option<jiff::civil::Time> {
        let time = match integers(node.as_str()).as_slice() {
            [24, 0] => Some(jiff::civil::Time::midnight()),
            [hour, minute] => i8::try_from(*hour)
                .ok()
                .zip(i8::try_from(*minute).ok())
                .and_then(|(hour, minute)| jiff::civil::Time::new(hour, minute, 0, 0).ok()),
            _ => None,
        };
        if time.is_none() {
            let span = self.span(node);
            self.error(
                "含义-05",
                span,
                format!("没有「{}」这个时间", node.as_str()),
                format!("there is no time {}", node.as_str()),
                "时间写成 9:00，从 0:00 到 24:00",
                "a time is 9:00, from 0:00 to 24:00",
            );
        }
        time
    }

    pub fn datetime(&mut self, node: Node<'_>) -> Option<jiff::civil::DateTime> {
        let mut date = None;
        let mut time = None;
        for inner in node.into_inner() {
            match inner.as_rule() {
                Rule::date => date = self.date(&inner),
                Rule::time => time = self.time(&inner),
                _ => {}
            }
        }
        Some(date?.to_datetime(time?))
    }

    /// A duration in milliseconds.
    pub fn duration(&self, node: &Node<'_>) -> u64 {
        let text = half_width(node.as_str());
        let digits: String = text
            .chars()
            .take_while(|character| character.is_ascii_digit() || *character == '.')
            .collect();
        let unit = text.get(digits.len()..).unwrap_or_default().trim();
        let scale = match unit {
            "毫秒" | "ms" => 1.0,
            "分钟" | "min" => 60_000.0,
            "小时" | "h" => 3_600_000.0,
            "天" | "d" => 86_400_000.0,
            _ => 1_000.0,
        };
        (digits.parse::<f64>().unwrap_or(0.0) * scale) as u64
    }

    pub fn seconds(&self, node: &Node<'_>) -> u32 {
        u32::try_from(self.duration(node) / 1000).unwrap_or(u32::MAX)
    }

    pub fn integer(&mut self, node: &Node<'_>) -> u32 {
        match half_width(node.as_str()).parse() {
            Ok(number) => number,
            Err(_) => {
                let span = self.span(node);
                self.error(
                    "含义-05",
                    span,
                    format!("「{}」太大了", node.as_str()),
                    format!("{} is too large", node.as_str()),
                    "写小一些",
                    "write a smaller number",
                );
                0
            }
        }
    }
}

/// A number with `%` or 万 reckoned in.
pub(super) fn number(text: &str) -> f64 {
    let text = half_width(text);
    let digits: String = text
        .chars()
        .take_while(|character| character.is_ascii_digit() || matches!(character, '.' | '-'))
        .collect();
    let scale = match text.get(digits.len()..).unwrap_or_default() {
        "%" => 0.01,
        "万" => 10_000.0,
        _ => 1.0,
    };
    let number = digits.parse::<f64>().unwrap_or(0.0);
    if scale == 0.01 {
        number / 100.0
    } else {
        number * scale
    }
}

pub(super) fn half_width(text: &str) -> String {
    text.chars()
        .map(|character| match character {
            '０'..='９' => char::from_u32(character as u32 - 0xFEE0).unwrap_or(character),
            '．' => '.',
            '％' => '%',
            '－' => '-',
            other => other,
        })
        .collect()
}

fn integers(text: &str) -> Vec<u32> {
    half_width(text)
        .split(|character: char| !character.is_ascii_digit())
        .filter(|part| !part.is_empty())
        .filter_map(|part| part.parse().ok())
        .collect()
}

/// The words and quoted texts of a line.
fn words(text: &str) -> Vec<String> {
    super::scan(text)
        .iter()
        .filter_map(|token| match token.kind {
            super::TokenKind::Word => Some(token.text(text).to_owned()),
            super::TokenKind::Quoted => Some(
                token
                    .text(text)
                    .trim_matches(['"', '“', '”', '「', '」'])
                    .to_owned(),
            ),
            _ => None,
        })
        .collect()
}

//! Texts with `{…}` fields.

use super::Lowerer;
use crate::ast::{FieldPath, Name, Sayable, Text};
use crate::diagnostic::Diagnostic;
use crate::program::{Say, Template, TemplatePart};
use crate::source::Span;

use super::names::Kind;

impl Lowerer<'_> {
    /// A text split at its fields; the fields are checked.
    pub(super) fn template(&mut self, text: &Text) -> Template {
        let mut parts = Vec::new();
        let mut plain = String::new();
        let mut chars = text.raw.char_indices().peekable();
        while let Some((at, character)) = chars.next() {
            match character {
                '\\' => match chars.next() {
                    Some((_, 'n')) => plain.push('\n'),
                    Some((_, 't')) => plain.push('\t'),
                    Some((_, other)) => plain.push(other),
                    None => plain.push('\\'),
                },
                '{' | '｛' => {
                    let start = at + character.len_utf8();
                    let end = chars
                        .by_ref()
                        .find(|(_, character)| matches!(character, '}' | '｝'));
                    let Some((end, close)) = end else {
                        let span = self.inside(text, at, text.raw.len());
                        self.diagnostics.push(
                            Diagnostic::error(
                                "含义-06",
                                span,
                                "「{」没有对应的「}」",
                                "{ without its }",
                            )
                            .help("要原样写大括号，请写 \\{", "write \\{ for a brace as such"),
                        );
                        break;
                    };
                    let written = text.raw.get(start..end).unwrap_or_default();
                    let path = self.path(text, start, written);
                    match path {
                        Some(path) => {
                            if let Some((field, ty)) = self.field(&path) {
                                if !plain.is_empty() {
                                    parts.push(TemplatePart::Text(std::mem::take(&mut plain)));
                                }
                                parts.push(TemplatePart::Field { field, ty });
                            }
                        }
                        None => {
                            let span = self.inside(text, at, end + close.len_utf8());
                            self.diagnostics.push(
                                Diagnostic::error(
                                    "含义-06",
                                    span,
                                    format!("「{{{written}}}」不是一个字段"),
                                    format!("{{{written}}} is no field"),
                                )
                                .help(
                                    "字段写成 {客户.称呼}；要原样写大括号，请写 \\{ 和 \\}",
                                    "a field is {customer.name}; write \\{ for a brace as such",
                                ),
                            );
                        }
                    }
                }
                other => plain.push(other),
            }
        }
        if !plain.is_empty() {
            parts.push(TemplatePart::Text(plain));
        }
        Template { parts }
    }

    /// A template that is sent to the customer, whose length counts.
    pub(super) fn sent(&mut self, text: &Text) -> Template {
        let template = self.template(text);
        let bytes = template
            .parts
            .iter()
            .map(|part| match part {
                TemplatePart::Text(text) => text.len(),
                TemplatePart::Field { .. } => 0,
            })
            .sum();
        self.facts.texts.push((text.span, bytes));
        template
    }

    pub(super) fn say(&mut self, sayable: &Sayable) -> Say {
        match sayable {
            Sayable::Texts(texts) => Say {
                variants: texts.iter().map(|text| self.sent(text)).collect(),
                script: None,
            },
            Sayable::Script(name) => {
                let index = self.resolve(Kind::Script, name);
                let variants = index
                    .and_then(|index| self.program.scripts.get(index))
                    .map(|script| script.variants.clone())
                    .unwrap_or_default();
                Say {
                    variants,
                    script: Some(name.text.clone()),
                }
            }
        }
    }

    fn path(&self, text: &Text, start: usize, written: &str) -> Option<FieldPath> {
        let mut parts = Vec::new();
        let mut at = start;
        for part in written.split_inclusive(['.', '．', '。']) {
            let name = part.trim_end_matches(['.', '．', '。']);
            let trimmed = name.trim();
            if trimmed.is_empty()
                || !trimmed
                    .chars()
                    .all(|character| character.is_alphanumeric() || character == '_')
            {
                return None;
            }
            let from = at + (name.len() - name.trim_start().len());
            parts.push(Name {
                text: trimmed.to_owned(),
                span: self.inside(text, from, from + trimmed.len()),
            });
            at += part.len();
        }
        (!parts.is_empty()).then(|| FieldPath {
            parts,
            span: self.inside(text, start, start + written.len()),
        })
    }

    fn inside(&self, text: &Text, start: usize, end: usize) -> Span {
        Span {
            file: text.span.file,
            start: text.inner + start as u32,
            end: text.inner + end as u32,
        }
    }
}

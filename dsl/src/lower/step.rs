//! Steps.

use super::Lowerer;
use super::code::Code;
use super::names::Kind;
use crate::ast::{self, Block, Name, StepKind, Text};
use crate::diagnostic::Diagnostic;
use crate::program::{Op, Template, TemplatePart};
use crate::source::Span;

impl<'a> Lowerer<'a> {
    pub(super) fn block(&mut self, block: &'a Block, code: &mut Code<'a>) {
        for step in block {
            self.step(step, code);
        }
    }

    fn step(&mut self, step: &'a ast::Step, code: &mut Code<'a>) {
        let span = step.span;
        let op = match &step.kind {
            StepKind::Say(sayable) => Op::Say(self.say(sayable)),
            StepKind::SendMedia { kind, media } => Op::SendMedia {
                kind: *kind,
                media: media.value(),
            },
            StepKind::SendNews(parts) => {
                let mut parts =
                    self.parts(parts, span, &["title", "url"], &["description", "picture"]);
                Op::SendNews {
                    title: self.part_template(&mut parts, "title"),
                    description: self.part_template(&mut parts, "description"),
                    url: part_text(&mut parts, "url").unwrap_or_default(),
                    picture: part_text(&mut parts, "picture"),
                }
            }
            StepKind::SendMiniProgram(parts) => {
                let mut parts = self.parts(parts, span, &["title", "app", "path", "thumb"], &[]);
                Op::SendMiniProgram {
                    title: self.part_template(&mut parts, "title"),
                    app_id: part_text(&mut parts, "app").unwrap_or_default(),
                    path: part_text(&mut parts, "path").unwrap_or_default(),
                    thumb: part_text(&mut parts, "thumb").unwrap_or_default(),
                }
            }
            StepKind::Ask(ask) => return self.ask(ask, span, code),
            StepKind::Call(call) => return self.call(call, span, code),
            StepKind::If(branches) => return self.branches(branches, span, code),
            StepKind::Set { target, value } => match self.set(target, value) {
                Some(op) => op,
                None => return,
            },
            StepKind::Tag(text) => Op::Tag(text.value()),
            StepKind::Untag(text) => Op::Untag(text.value()),
            StepKind::Remark(text) => Op::Note(self.template(text)),
            StepKind::Ticket { title, body } => Op::Ticket {
                title: self.template(title),
                body: body
                    .as_ref()
                    .map(|body| self.template(body))
                    .unwrap_or_default(),
            },
            StepKind::Notify { webhook, text } => Op::Notify {
                webhook: webhook.text.clone(),
                text: self.template(text),
            },
            StepKind::Answer(question) => match self.faq_entry(question) {
                Some(faq) => Op::Answer { faq },
                None => return,
            },
            StepKind::Suggest(max) => Op::Suggest {
                max: small(max.unwrap_or(3)),
            },
            StepKind::Soothe => Op::Soothe,
            StepKind::Experiment(name) => return self.try_experiment(name, span, code),
            StepKind::EnterFlow(name) => match self.resolve(Kind::Flow, name) {
                Some(routine) => Op::Enter { routine },
                None => return,
            },
            StepKind::EnterMenu(name) => match self.resolve(Kind::Menu, name) {
                Some(routine) => Op::Enter { routine },
                None => return,
            },
            StepKind::Handoff(handoff) => return self.handoff(handoff, span, code),
            StepKind::LeaveMessage(prompt) => Op::LeaveMessage {
                prompt: match prompt {
                    Some(prompt) => self.sent(prompt),
                    None => plain("请留下您的问题和联系方式，我们会尽快联系您。"),
                },
            },
            StepKind::ReturnToBot => Op::ReturnToBot,
            StepKind::Block(reason) => Op::Block {
                reason: reason.as_ref().map(Text::value).unwrap_or_default(),
            },
            StepKind::End => Op::End,
            StepKind::Menu(menu) => return self.menu(menu, code),
        };
        code.emit(op, span);
    }

    fn branches(&mut self, step: &'a ast::If, span: Span, code: &mut Code<'a>) {
        let mut ends = Vec::new();
        let last = step.arms.len().saturating_sub(1);
        for (index, (condition, block)) in step.arms.iter().enumerate() {
            let condition = self.condition(condition);
            let at = code.emit(
                Op::If {
                    condition,
                    otherwise: 0,
                },
                span,
            );
            self.block(block, code);
            if index < last || step.otherwise.is_some() {
                ends.push(code.emit(Op::Jump(0), span));
            }
            let next = code.pc();
            code.land(at, next);
        }
        if let Some(block) = &step.otherwise {
            self.block(block, code);
        }
        let end = code.pc();
        for jump in ends {
            code.land(jump, end);
        }
    }

    fn set(&mut self, target: &ast::FieldPath, value: &ast::Expr) -> Option<Op> {
        match target.parts.as_slice() {
            [variable] => {
                let (value, ty) = self
                    .expr(value)
                    .map(|(lowered, ty)| ((lowered, value.span), ty))?;
                let wanted = self.variables.get(&variable.text).cloned()?;
                Some(Op::Set {
                    variable: variable.text.clone(),
                    value: self.fits(&value.0, &ty, &wanted, value.1)?,
                })
            }
            [customer, attribute] if matches!(customer.text.as_str(), "客户" | "customer") => {
                let span = value.span;
                let value = self.expr(value);
                let (_, wanted) = self.field(target)?;
                let (value, ty) = value?;
                Some(Op::SetAttribute {
                    attribute: attribute.text.clone(),
                    value: self.fits(&value, &ty, &wanted, span)?,
                })
            }
            _ => {
                self.diagnostics.push(
                    Diagnostic::error(
                        "含义-03",
                        target.span,
                        "这个字段不能设",
                        "this field cannot be set",
                    )
                    .help(
                        "能设的是变量（设 次数 = 1）和客户属性（设 客户.等级 = \"VIP\"）",
                        "set variables and customer attributes",
                    ),
                );
                None
            }
        }
    }

    pub(super) fn faq_entry(&mut self, question: &Text) -> Option<usize> {
        let wanted = question.value();
        let found = self.program.faq.iter().position(|entry| {
            entry.question == wanted || entry.id == wanted || entry.variants.contains(&wanted)
        });
        if found.is_none() {
            let name = Name {
                text: wanted,
                span: question.span,
            };
            let known: Vec<String> = self
                .program
                .faq
                .iter()
                .map(|entry| entry.question.clone())
                .collect();
            let known: Vec<&str> = known.iter().map(String::as_str).collect();
            self.unknown("常见问题", "FAQ entry", &name, &known);
        }
        found
    }

    fn parts<'p>(
        &mut self,
        parts: &'p [ast::Part],
        span: Span,
        required: &[&str],
        optional: &[&str],
    ) -> Vec<&'p ast::Part> {
        for part in parts {
            if !required.contains(&part.key.as_str()) && !optional.contains(&part.key.as_str()) {
                self.error(
                    "含义-05",
                    part.span,
                    "这里不能写这一项",
                    "this part does not belong here",
                    "删掉这一项",
                    "delete this part",
                );
            }
        }
        let zh = |key: &str| crate::keywords::grammar_word(key).map_or("", |keyword| keyword.zh);
        for key in required {
            if !parts.iter().any(|part| part.key == *key) {
                self.diagnostics.push(
                    Diagnostic::error(
                        "含义-05",
                        span,
                        format!("缺少「{}」", zh(key)),
                        format!("{key} is missing"),
                    )
                    .help(
                        format!("加上 {}: \"…\"", zh(key)),
                        format!("add {key}: \"…\""),
                    ),
                );
            }
        }
        parts.iter().collect()
    }

    fn part_template(&mut self, parts: &mut Vec<&ast::Part>, key: &str) -> Template {
        match parts.iter().position(|part| part.key == key) {
            Some(at) => {
                let part = parts.remove(at);
                self.template(&part.value)
            }
            None => Template::default(),
        }
    }
}

fn part_text(parts: &mut Vec<&ast::Part>, key: &str) -> Option<String> {
    let at = parts.iter().position(|part| part.key == key)?;
    Some(parts.remove(at).value.value())
}

pub(super) fn plain(text: &str) -> Template {
    Template {
        parts: vec![TemplatePart::Text(text.to_owned())],
    }
}

pub(super) fn small(number: u32) -> u8 {
    u8::try_from(number).unwrap_or(u8::MAX)
}

//! Steps.

use super::Lowerer;
use super::code::{After, Code, Entry};
use super::names::Kind;
use crate::ast::{self, Block, Name, StepKind, Text};
use crate::diagnostic::Diagnostic;
use crate::program::{
    Ask, Call, Expr, Handoff, HandoffTarget, Menu, MenuItem, Op, Say, Template, TemplatePart,
    Urgency, Value,
};
use crate::source::Span;

/// 限时 where none is written.
const DEFAULT_TIMEOUT_MS: u64 = 3_000;
/// 重问 where none is written.
const DEFAULT_RETRIES: u32 = 2;

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

    fn ask(&mut self, ask: &'a ast::Ask, span: Span, code: &mut Code<'a>) {
        let ty = match &ask.ty {
            Some(ty) => self.ty(ty),
            None => self.ask_type(ask),
        };
        let pattern = ask.pattern.as_ref().map(|text| {
            let pattern = text.pattern();
            self.regex(&pattern, text.span);
            pattern
        });
        let prompt = self.say(&ask.prompt);
        let retry_prompt = ask.retry_prompt.as_ref().map(|say| self.say(say));
        let confirm = ask.confirm.as_ref().map(|text| match text {
            Some(text) => self.sent(text),
            None => Template {
                parts: vec![
                    TemplatePart::Text(format!("{}是 ", ask.variable.text)),
                    TemplatePart::Field {
                        field: crate::program::Field::Variable(ask.variable.text.clone()),
                        ty: ty.clone(),
                    },
                    TemplatePart::Text("，对吗？".to_owned()),
                ],
            },
        });
        let pc = code.emit(
            Op::Ask(Ask {
                variable: ask.variable.text.clone(),
                ty,
                pattern,
                prompt,
                retries: small(ask.retries.unwrap_or(DEFAULT_RETRIES)),
                retry_prompt,
                give_up: 0,
                confirm,
            }),
            span,
        );
        match &ask.give_up {
            Some(block) => code.branch(Entry::GiveUp(pc), block, After::End, span),
            None => self.diagnostics.push(
                Diagnostic::error(
                    "完整-03",
                    ask.variable.span,
                    format!(
                        "问「{}」没有写「放弃」：客户一直答不对时怎么办？",
                        ask.variable.text
                    ),
                    "this question does not say what happens when the customer gives up",
                )
                .help(
                    "在大括号里加一行：放弃 -> 转人工 技能组 综合组",
                    "add a line: give_up -> handoff skill_group …",
                ),
            ),
        }
    }

    fn call(&mut self, call: &'a ast::Call, span: Span, code: &mut Code<'a>) {
        let connector = self.resolve(Kind::Connector, &call.connector);
        for (branch, missing) in [(&call.failure, "失败"), (&call.timed_out, "超时")] {
            if branch.is_some() {
                continue;
            }
            let mut diagnostic = Diagnostic::error(
                "完整-02",
                call.head,
                format!("调用「{}」没有写「{missing}」", call.connector.text),
                format!("this call does not say what happens on {missing}"),
            )
            .help(
                format!("加一行：{missing} -> 转人工 技能组 综合组"),
                "add the branch: failure -> …, timeout -> …",
            );
            if let Some(end) = call.branches_end {
                let at = Span {
                    file: span.file,
                    start: end,
                    end,
                };
                diagnostic = diagnostic.fix(
                    format!("补上「{missing}」"),
                    at,
                    format!("{missing} {{ 说 \"系统忙，请稍后再试。\" }}\n"),
                );
            }
            self.diagnostics.push(diagnostic);
        }
        let arguments = match connector {
            Some(index) => self.arguments(call, index),
            None => Vec::new(),
        };
        let pc = code.emit(
            Op::Call(Call {
                connector: connector.unwrap_or_default(),
                arguments,
                result: call.result.as_ref().map(|name| name.text.clone()),
                timeout_ms: call.timeout_ms.unwrap_or(DEFAULT_TIMEOUT_MS),
                success: 0,
                failure: 0,
                timed_out: 0,
            }),
            span,
        );
        let next = code.pc();
        match &call.success {
            Some(block) => code.branch(Entry::Success(pc), block, After::Resume(next), span),
            None => code.patch(Entry::Success(pc), next),
        }
        if let Some(block) = &call.failure {
            code.branch(Entry::Failure(pc), block, After::Resume(next), span);
        }
        if let Some(block) = &call.timed_out {
            code.branch(Entry::TimedOut(pc), block, After::Resume(next), span);
        }
    }

    /// One argument per parameter, in the connector's order.
    fn arguments(&mut self, call: &ast::Call, connector: usize) -> Vec<Expr> {
        let parameters = match self.program.connectors.get(connector) {
            Some(connector) => connector.parameters.clone(),
            None => return Vec::new(),
        };
        let mut slots: Vec<Option<Expr>> = vec![None; parameters.len()];
        for (position, (name, expr)) in call.arguments.iter().enumerate() {
            let index = match name {
                Some(name) => match parameters
                    .iter()
                    .position(|(parameter, _)| *parameter == name.text)
                {
                    Some(index) => index,
                    None => {
                        let known: Vec<&str> = parameters
                            .iter()
                            .map(|(parameter, _)| parameter.as_str())
                            .collect();
                        self.unknown("参数", "parameter", name, &known);
                        continue;
                    }
                },
                None => position,
            };
            let lowered = self.expr(expr);
            let (Some(slot), Some((_, wanted))) = (slots.get_mut(index), parameters.get(index))
            else {
                continue;
            };
            // A wrong value is reported once; the slot counts as filled.
            *slot = Some(Expr::Value(Value::Text(String::new())));
            if let Some((value, ty)) = lowered
                && let Some(value) = self.fits(&value, &ty, wanted, expr.span)
            {
                *slot = Some(value);
            }
        }
        let missing: Vec<&str> = parameters
            .iter()
            .zip(&slots)
            .filter(|(_, slot)| slot.is_none())
            .map(|((name, _), _)| name.as_str())
            .collect();
        if !missing.is_empty() || call.arguments.len() > parameters.len() {
            let wanted: Vec<&str> = parameters.iter().map(|(name, _)| name.as_str()).collect();
            self.diagnostics.push(
                Diagnostic::error(
                    "含义-03",
                    call.arguments_span,
                    format!(
                        "接口「{}」要 {} 个参数，这里写了 {} 个",
                        call.connector.text,
                        parameters.len(),
                        call.arguments.len()
                    ),
                    format!(
                        "{} parameters wanted, {} given",
                        parameters.len(),
                        call.arguments.len()
                    ),
                )
                .help(
                    format!("写成：调用 {} ({})", call.connector.text, wanted.join(", ")),
                    format!(
                        "write: call {} ({})",
                        call.connector.text,
                        wanted.join(", ")
                    ),
                ),
            );
        }
        slots.into_iter().flatten().collect()
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

    fn try_experiment(&mut self, name: &'a Name, span: Span, code: &mut Code<'a>) {
        let Some(experiment) = self.resolve(Kind::Experiment, name) else {
            return;
        };
        let Some(declared) = self.experiments.get(experiment).copied() else {
            return;
        };
        if code.in_experiment {
            self.error(
                "含义-07",
                name.span,
                "实验的组里不能再做实验",
                "an experiment cannot stand inside another's arm",
                "把里面的实验移到流程里",
                "move the inner experiment to a flow",
            );
            return;
        }
        let pc = code.emit(
            Op::Experiment {
                experiment,
                arms: vec![0; declared.arms.len()],
            },
            span,
        );
        let next = code.pc();
        for (index, arm) in declared.arms.iter().enumerate() {
            code.branch(
                Entry::Arm(pc, index),
                &arm.steps,
                After::Resume(next),
                arm.span,
            );
        }
    }

    fn handoff(&mut self, handoff: &'a ast::Handoff, span: Span, code: &mut Code<'a>) {
        let target = match &handoff.group {
            None => HandoffTarget::Exclusive,
            Some(name) => {
                let Some(index) = self.resolve(Kind::SkillGroup, name) else {
                    return;
                };
                if handoff.queue_over.is_none() {
                    self.unwaited.push((index, name.span));
                }
                HandoffTarget::Group(index)
            }
        };
        if target == HandoffTarget::Exclusive && handoff.queue_over.is_none() {
            self.diagnostics.push(
                Diagnostic::error(
                    "完整-05",
                    span,
                    "转专属客服没有写「排队超过」：专属客服一直不在怎么办？",
                    "this handoff does not say what happens when the agent is away",
                )
                .help(
                    "在后面加上：排队超过 30秒 { 转人工 技能组 综合组 }",
                    "add: queue_over 30s { handoff skill_group … }",
                ),
            );
        }
        let note = handoff.note.as_ref().map(|note| self.template(note));
        let pc = code.emit(
            Op::Handoff(Handoff {
                target,
                urgency: if handoff.urgent {
                    Urgency::Urgent
                } else {
                    Urgency::Normal
                },
                note,
                queue_over: handoff
                    .queue_over
                    .as_ref()
                    .map(|(seconds, _)| (*seconds, 0)),
            }),
            span,
        );
        if let Some((_, block)) = &handoff.queue_over {
            code.branch(Entry::QueueOver(pc), block, After::End, span);
        }
        // What stands behind a handoff is never run.
        code.emit(Op::End, span);
    }

    pub(super) fn menu(&mut self, menu: &'a ast::Menu, code: &mut Code<'a>) {
        code.menus += 1;
        let mut items = Vec::with_capacity(menu.items.len());
        for item in &menu.items {
            if let Some(first) = menu.items.iter().find(|other| other.number == item.number)
                && first.span != item.span
            {
                self.diagnostics.push(
                    Diagnostic::error(
                        "含义-04",
                        item.number_span,
                        format!("菜单里有两个 {}", item.number),
                        format!("two items have the number {}", item.number),
                    )
                    .related(first.number_span, "第一次写在这里")
                    .help("换一个序号", "choose another number"),
                );
            }
            items.push(MenuItem {
                number: item.number,
                text: item.text.value(),
                synonyms: item.synonyms.iter().map(Text::value).collect(),
                target: 0,
            });
        }
        if menu.items.is_empty() {
            self.error(
                "含义-05",
                menu.head,
                "菜单里一项都没有",
                "a menu without items",
                "加上选项：1 \"查订单\" -> …",
                "add items: 1 \"orders\" -> …",
            );
        }
        let prompt = menu.prompt.as_ref().map(|say| self.say(say));
        let (misses, miss_text) = match &menu.miss {
            Some((times, text)) => (*times, text.as_ref().map(|say| self.say(say))),
            None => (2, None),
        };
        let bytes = menu
            .items
            .iter()
            .map(|item| item.text.value().len() + 4)
            .sum::<usize>();
        let prompt_bytes = prompt
            .iter()
            .flat_map(|say: &Say| &say.variants)
            .map(template_bytes)
            .max()
            .unwrap_or(0);
        self.facts.texts.push((menu.head, bytes + prompt_bytes));
        let pc = code.emit(
            Op::Menu(Menu {
                name: menu
                    .name
                    .as_ref()
                    .map_or_else(|| code.menus.to_string(), |name| name.text.clone()),
                prompt,
                items,
                misses: small(misses),
                miss_text,
                other: 0,
            }),
            menu.span,
        );
        let next = code.pc();
        for (index, item) in menu.items.iter().enumerate() {
            code.branch(
                Entry::MenuItem(pc, index),
                &item.action,
                After::Resume(next),
                item.span,
            );
        }
        match &menu.other {
            Some(block) => code.branch(Entry::MenuOther(pc), block, After::Resume(next), menu.span),
            None => {
                let at = Span {
                    file: menu.span.file,
                    start: menu.end,
                    end: menu.end,
                };
                self.diagnostics.push(
                    Diagnostic::error(
                        "完整-04",
                        menu.head,
                        "菜单没有写「其它」：客户一直选不对时怎么办？",
                        "this menu does not say what happens when no item is chosen (other)",
                    )
                    .help(
                        "加一行：其它 -> 转人工 技能组 综合组",
                        "add a line: other -> …",
                    )
                    .fix(
                        "补上「其它」",
                        at,
                        "其它 { 说 \"没有这个选项，请换个说法。\" }\n",
                    ),
                );
            }
        }
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

fn template_bytes(template: &Template) -> usize {
    template
        .parts
        .iter()
        .map(|part| match part {
            TemplatePart::Text(text) => text.len(),
            TemplatePart::Field { .. } => 0,
        })
        .sum()
}

fn small(number: u32) -> u8 {
    u8::try_from(number).unwrap_or(u8::MAX)
}

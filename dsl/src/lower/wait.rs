//! Steps that wait for somebody: questions, menus, handoffs.

use super::Lowerer;
use super::code::{After, Code, Entry};
use super::names::Kind;
use super::step::small;
use crate::ast::{self, Text};
use crate::diagnostic::Diagnostic;
use crate::program::{
    Ask, Field, Handoff, HandoffTarget, Menu, MenuItem, Op, Say, Template, TemplatePart, Urgency,
};
use crate::source::Span;

/// 重问 where none is written.
const DEFAULT_RETRIES: u32 = 2;

impl<'a> Lowerer<'a> {
    pub(super) fn ask(&mut self, ask: &'a ast::Ask, span: Span, code: &mut Code<'a>) {
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
                        field: Field::Variable(ask.variable.text.clone()),
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

    pub(super) fn handoff(&mut self, handoff: &'a ast::Handoff, span: Span, code: &mut Code<'a>) {
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

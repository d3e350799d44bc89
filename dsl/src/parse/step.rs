//! Steps, from pairs to tree.

use super::Rule;
use super::explain::Context;
use super::tree::{Node, Tree};
use crate::ast::{Ask, Block, Call, Handoff, If, Menu, MenuItem, Part, Sayable, Step, StepKind};
use crate::program::MessageKind;
use crate::source::Span;

impl Tree<'_> {
    /// What an arrow or keyword leads to.
    pub fn act(&mut self, node: Node<'_>) -> Block {
        let mut steps = Vec::new();
        for inner in node.into_inner() {
            match inner.as_rule() {
                Rule::block => steps.extend(self.block(inner)),
                _ => steps.extend(self.step(inner)),
            }
        }
        steps
    }

    /// The `act` directly inside.
    pub fn act_in(&mut self, node: Node<'_>) -> Block {
        node.into_inner()
            .find(|inner| inner.as_rule() == Rule::act)
            .map(|inner| self.act(inner))
            .unwrap_or_default()
    }

    pub fn block(&mut self, node: Node<'_>) -> Block {
        let mut steps = Vec::new();
        for inner in node.into_inner() {
            match inner.as_rule() {
                Rule::bad_line => self.bad_line(&inner, Context::Steps),
                _ => steps.extend(self.step(inner)),
            }
        }
        steps
    }

    pub fn step(&mut self, node: Node<'_>) -> Option<Step> {
        let span = self.span(&node);
        let kind = match node.as_rule() {
            Rule::say => StepKind::Say(self.sayable_in(node)?),
            Rule::send_media => {
                let kind = match node.clone().into_inner().next()?.as_rule() {
                    Rule::kw_send_voice => MessageKind::Voice,
                    Rule::kw_send_video => MessageKind::Video,
                    Rule::kw_send_file => MessageKind::File,
                    _ => MessageKind::Image,
                };
                StepKind::SendMedia {
                    kind,
                    media: self.text_in(node)?,
                }
            }
            Rule::send_news => StepKind::SendNews(self.parts(node)),
            Rule::send_mini_program => StepKind::SendMiniProgram(self.parts(node)),
            Rule::ask => StepKind::Ask(self.ask(node)?),
            Rule::call => StepKind::Call(self.call(node)?),
            Rule::if_step => StepKind::If(self.if_step(node)),
            Rule::set => {
                let mut target = None;
                let mut value = None;
                for inner in node.into_inner() {
                    match inner.as_rule() {
                        Rule::field => target = Some(self.field(inner)),
                        Rule::expr => value = Some(self.expr(inner)),
                        _ => {}
                    }
                }
                StepKind::Set {
                    target: target?,
                    value: value?,
                }
            }
            Rule::tag => StepKind::Tag(self.text_in(node)?),
            Rule::untag => StepKind::Untag(self.text_in(node)?),
            Rule::remark => StepKind::Remark(self.text_in(node)?),
            Rule::ticket => {
                let mut texts = self.texts(node).into_iter();
                StepKind::Ticket {
                    title: texts.next()?,
                    body: texts.next(),
                }
            }
            Rule::notify => StepKind::Notify {
                webhook: self.name_in(node.clone())?,
                text: self.text_in(node)?,
            },
            Rule::answer => StepKind::Answer(self.text_in(node)?),
            Rule::suggest => StepKind::Suggest(self.at_most_in(node)),
            Rule::kw_soothe => StepKind::Soothe,
            Rule::try_experiment => StepKind::Experiment(self.name_in(node)?),
            Rule::enter => {
                let target = node
                    .into_inner()
                    .find(|inner| matches!(inner.as_rule(), Rule::enter_flow | Rule::enter_menu))?;
                match target.as_rule() {
                    Rule::enter_flow => StepKind::EnterFlow(self.name_in(target)?),
                    _ => StepKind::EnterMenu(self.name_in(target)?),
                }
            }
            Rule::handoff => StepKind::Handoff(self.handoff(node)),
            Rule::leave_message => StepKind::LeaveMessage(self.text_in(node)),
            Rule::kw_return_to_bot => StepKind::ReturnToBot,
            Rule::block_message => StepKind::Block(self.text_in(node)),
            Rule::kw_end => StepKind::End,
            Rule::menu => StepKind::Menu(self.menu(node)),
            _ => return None,
        };
        Some(Step { kind, span })
    }

    fn sayable_in(&mut self, node: Node<'_>) -> Option<Sayable> {
        node.into_inner()
            .find(|inner| inner.as_rule() == Rule::sayable)
            .and_then(|inner| self.sayable(inner))
    }

    fn sayable(&mut self, node: Node<'_>) -> Option<Sayable> {
        let inner = node.into_inner().next()?;
        Some(match inner.as_rule() {
            Rule::any_of => {
                let strings = inner
                    .into_inner()
                    .find(|child| child.as_rule() == Rule::strings)?;
                Sayable::Texts(self.texts(strings))
            }
            Rule::say_script => Sayable::Script(self.name_in(inner)?),
            _ => Sayable::Texts(vec![self.text(&inner)]),
        })
    }

    fn parts(&mut self, node: Node<'_>) -> Vec<Part> {
        let parts: Vec<Node<'_>> = node
            .into_inner()
            .filter(|inner| inner.as_rule() == Rule::parts)
            .flat_map(Node::into_inner)
            .filter(|inner| inner.as_rule() == Rule::part)
            .collect();
        parts
            .into_iter()
            .filter_map(|part| {
                let span = self.span(&part);
                let keyword = part.clone().into_inner().next()?;
                let key = crate::keywords::grammar_word(keyword.as_str())?
                    .en
                    .to_owned();
                Some(Part {
                    key,
                    value: self.text_in(part)?,
                    span,
                })
            })
            .collect()
    }

    fn ask(&mut self, node: Node<'_>) -> Option<Ask> {
        let mut ask = Ask {
            variable: self.name_in(node.clone())?,
            ty: None,
            prompt: self.sayable_in(node.clone())?,
            pattern: None,
            retries: None,
            retry_prompt: None,
            give_up: None,
            confirm: None,
        };
        for inner in node.into_inner() {
            match inner.as_rule() {
                Rule::type_of => ask.ty = Some(self.type_name(inner)),
                Rule::ask_block => {
                    for line in inner.into_inner() {
                        self.ask_line(line, &mut ask);
                    }
                }
                _ => {}
            }
        }
        Some(ask)
    }

    fn ask_line(&mut self, line: Node<'_>, ask: &mut Ask) {
        match line.as_rule() {
            Rule::validate => {
                for inner in line.into_inner() {
                    match inner.as_rule() {
                        Rule::type_of => ask.ty = Some(self.type_name(inner)),
                        Rule::pattern_check => ask.pattern = self.text_in(inner),
                        _ => {}
                    }
                }
            }
            Rule::retry => {
                ask.retries = self.at_most_in(line.clone());
                ask.retry_prompt = self.sayable_in(line);
            }
            Rule::give_up => ask.give_up = Some(self.act_in(line)),
            Rule::confirm => ask.confirm = Some(self.text_in(line)),
            Rule::bad_line => {
                // What did not parse may have been the 放弃 that would be missing.
                ask.give_up.get_or_insert_default();
                self.bad_line(&line, Context::Ask);
            }
            _ => {}
        }
    }

    fn call(&mut self, node: Node<'_>) -> Option<Call> {
        let start = node.as_span().start();
        let mut names = Vec::new();
        let mut call = Call {
            connector: self.name_in(node.clone())?,
            arguments: Vec::new(),
            arguments_span: Span::default(),
            result: None,
            timeout_ms: None,
            success: None,
            failure: None,
            timed_out: None,
            head: Span::default(),
            branches_end: None,
        };
        for inner in node.into_inner() {
            match inner.as_rule() {
                Rule::name => names.push(self.name(&inner)),
                Rule::args => {
                    call.arguments_span = self.span(&inner);
                    call.head = self.range(start, inner.as_span().end());
                    call.arguments = self.args(inner);
                }
                Rule::duration => call.timeout_ms = Some(self.duration(&inner)),
                Rule::call_block => {
                    call.branches_end = Some(self.before_brace(&inner));
                    for line in inner.into_inner() {
                        match line.as_rule() {
                            Rule::success => call.success = Some(self.act_in(line)),
                            Rule::failure => call.failure = Some(self.act_in(line)),
                            Rule::timeout => call.timed_out = Some(self.act_in(line)),
                            Rule::bad_line => {
                                call.failure.get_or_insert_default();
                                call.timed_out.get_or_insert_default();
                                call.success.get_or_insert_default();
                                self.bad_line(&line, Context::Call);
                            }
                            _ => {}
                        }
                    }
                }
                _ => {}
            }
        }
        call.result = names.into_iter().nth(1);
        Some(call)
    }

    pub fn args(&mut self, node: Node<'_>) -> Vec<(Option<crate::ast::Name>, crate::ast::Expr)> {
        let mut arguments = Vec::new();
        for argument in node
            .into_inner()
            .filter(|inner| inner.as_rule() == Rule::arg)
        {
            let name = self.name_in(argument.clone());
            let expr = argument
                .into_inner()
                .find(|inner| inner.as_rule() == Rule::expr);
            if let Some(expr) = expr {
                arguments.push((name, self.expr(expr)));
            }
        }
        arguments
    }

    fn if_step(&mut self, node: Node<'_>) -> If {
        let mut step = If {
            arms: Vec::new(),
            otherwise: None,
        };
        let mut condition = None;
        for inner in node.into_inner() {
            match inner.as_rule() {
                Rule::cond => condition = Some(self.condition(inner)),
                Rule::block => {
                    let block = self.block(inner);
                    step.arms
                        .extend(condition.take().map(|condition| (condition, block)));
                }
                Rule::else_if => {
                    let mut condition = None;
                    for part in inner.into_inner() {
                        match part.as_rule() {
                            Rule::cond => condition = Some(self.condition(part)),
                            Rule::block => {
                                let block = self.block(part);
                                step.arms
                                    .extend(condition.take().map(|condition| (condition, block)));
                            }
                            _ => {}
                        }
                    }
                }
                Rule::else_branch => step.otherwise = Some(self.act_in(inner)),
                _ => {}
            }
        }
        step
    }

    fn handoff(&mut self, node: Node<'_>) -> Handoff {
        let mut handoff = Handoff {
            group: None,
            urgent: false,
            note: None,
            queue_over: None,
        };
        for inner in node.into_inner() {
            match inner.as_rule() {
                Rule::name => handoff.group = Some(self.name(&inner)),
                Rule::kw_urgent => handoff.urgent = true,
                Rule::handoff_note => handoff.note = self.text_in(inner),
                Rule::queue_over => handoff.queue_over = self.timed_act(inner),
                _ => {}
            }
        }
        handoff
    }

    /// Seconds and what happens then.
    pub fn timed_act(&mut self, node: Node<'_>) -> Option<(u32, Block)> {
        let duration = node
            .clone()
            .into_inner()
            .find(|inner| inner.as_rule() == Rule::duration)?;
        let seconds = self.seconds(&duration);
        Some((seconds, self.act_in(node)))
    }

    pub fn menu(&mut self, node: Node<'_>) -> Menu {
        let span = self.span(&node);
        let start = node.as_span().start();
        let mut menu = Menu {
            name: None,
            prompt: None,
            items: Vec::new(),
            miss: None,
            other: None,
            span,
            head: self.range(
                start,
                start + node.as_str().find(['{', '｛']).unwrap_or_default(),
            ),
            end: self.before_brace(&node),
        };
        for inner in node.into_inner() {
            match inner.as_rule() {
                Rule::menu_head => {
                    menu.name = self.name_in(inner.clone());
                    menu.prompt = self.sayable_in(inner);
                }
                Rule::menu_item => menu.items.extend(self.menu_item(inner)),
                Rule::miss => {
                    let times = self.at_most_in(inner.clone()).unwrap_or(2);
                    menu.miss = Some((times, self.sayable_in(inner)));
                }
                Rule::other => menu.other = Some(self.act_in(inner)),
                Rule::bad_line => {
                    // What did not parse may have been the 其它 that would be missing.
                    menu.other.get_or_insert_default();
                    self.bad_line(&inner, Context::Menu);
                }
                _ => {}
            }
        }
        menu
    }

    fn menu_item(&mut self, node: Node<'_>) -> Option<MenuItem> {
        let span = self.span(&node);
        let text = self.text_in(node.clone())?;
        let mut item = MenuItem {
            number: 0,
            number_span: span,
            text,
            synonyms: Vec::new(),
            action: Vec::new(),
            span,
        };
        for inner in node.into_inner() {
            match inner.as_rule() {
                Rule::int => {
                    item.number = self.integer(&inner);
                    item.number_span = self.span(&inner);
                }
                Rule::strings => item.synonyms = self.texts(inner),
                Rule::act => item.action = self.act(inner),
                _ => {}
            }
        }
        Some(item)
    }

    /// 最多 N 次, directly inside.
    pub fn at_most_in(&mut self, node: Node<'_>) -> Option<u32> {
        let number = node
            .into_inner()
            .find(|inner| inner.as_rule() == Rule::at_most)?
            .into_inner()
            .find(|inner| inner.as_rule() == Rule::int)?;
        Some(self.integer(&number))
    }

    /// The place in the file just before the closing brace of a block.
    pub fn before_brace(&self, node: &Node<'_>) -> u32 {
        let text = node.as_str().trim_end();
        let brace = text.chars().next_back().map_or(0, char::len_utf8);
        let at = node.as_span().start() + text.len() - brace;
        self.range(at, at).start
    }
}

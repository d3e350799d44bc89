//! Declarations, from pairs to tree.

use super::Rule;
use super::explain::Context;
use super::tree::{Node, Tree};
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

    pub(super) fn integer_in(&mut self, node: Node<'_>) -> Option<u32> {
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

//! The route, experiments and scorecards, from pairs to tree.

use super::Rule;
use super::condition::confidence;
use super::explain::Context;
use super::tree::{Node, Tree, number};
use crate::ast;

impl Tree<'_> {
    pub fn route(&mut self, node: Node<'_>) -> ast::Route {
        let mut route = ast::Route {
            stages: Vec::new(),
            span: self.span(&node),
            end: self.before_brace(&node),
            broken: false,
        };
        for inner in node.into_inner() {
            let span = self.span(&inner);
            let min = |inner: &Node<'_>| {
                inner
                    .clone()
                    .into_inner()
                    .find(|child| child.as_rule() == Rule::confidence)
                    .and_then(confidence)
            };
            let stage = match inner.as_rule() {
                Rule::route_group => match self.name_in(inner) {
                    Some(name) => ast::RouteStage::Group(name, span),
                    None => continue,
                },
                Rule::kw_in_flow => ast::RouteStage::InFlow(span),
                Rule::route_faq => ast::RouteStage::Faq(min(&inner), span),
                Rule::route_intent => ast::RouteStage::Intent(min(&inner), span),
                Rule::route_suggest => ast::RouteStage::Suggest(self.at_most_in(inner), span),
                Rule::fallback => ast::RouteStage::Fallback(self.act_in(inner), span),
                Rule::bad_line => {
                    route.broken = true;
                    self.bad_line(&inner, Context::Route);
                    continue;
                }
                _ => continue,
            };
            route.stages.push(stage);
        }
        route
    }

    pub fn experiment(&mut self, node: Node<'_>) -> Option<ast::Experiment> {
        let mut experiment = ast::Experiment {
            name: self.name_in(node.clone())?,
            salt: None,
            period: None,
            arms: Vec::new(),
            metrics: Vec::new(),
            guard: None,
            span: self.span(&node),
        };
        for line in node.into_inner() {
            match line.as_rule() {
                Rule::bucket => experiment.salt = self.text_in(line),
                Rule::period => experiment.period = self.dates(line),
                Rule::metrics => experiment.metrics = self.names(line),
                Rule::arm => experiment.arms.extend(self.arm(line)),
                Rule::guard => experiment.guard = self.guard(line),
                Rule::bad_line => self.bad_line(&line, Context::Experiment),
                _ => {}
            }
        }
        Some(experiment)
    }

    pub(super) fn arm(&mut self, node: Node<'_>) -> Option<ast::Arm> {
        let span = self.span(&node);
        let name = self.name_in(node.clone())?;
        let share = node
            .clone()
            .into_inner()
            .find(|inner| inner.as_rule() == Rule::percent)?;
        let share_span = self.span(&share);
        let percent = number(share.as_str()) * 10_000.0;
        Some(ast::Arm {
            name,
            share: percent.round().min(f64::from(u32::MAX)) as u32,
            share_span,
            steps: self.act_in(node),
            span,
        })
    }

    pub(super) fn guard(&mut self, node: Node<'_>) -> Option<ast::Guard> {
        let mut names = Vec::new();
        let mut above = 0.0;
        let mut samples = 0;
        for inner in node.into_inner() {
            match inner.as_rule() {
                Rule::name => names.push(self.name(&inner)),
                Rule::number => above = number(inner.as_str()),
                Rule::int => samples = self.integer(&inner),
                _ => {}
            }
        }
        let mut names = names.into_iter();
        Some(ast::Guard {
            metric: names.next()?,
            arm: names.next()?,
            above,
            samples,
        })
    }

    pub fn scorecard(&mut self, node: Node<'_>) -> Option<ast::Scorecard> {
        let mut card = ast::Scorecard {
            name: self.name_in(node.clone())?,
            full_marks: None,
            pass_marks: None,
            items: Vec::new(),
            span: self.span(&node),
        };
        for line in node.into_inner() {
            match line.as_rule() {
                Rule::full_marks => card.full_marks = self.integer_in(line),
                Rule::pass_marks => card.pass_marks = self.integer_in(line),
                Rule::score_item | Rule::score_fatal => {
                    let span = self.span(&line);
                    let name = self.name_in(line.clone())?;
                    let points = self.integer_in(line.clone());
                    let body = line
                        .into_inner()
                        .find(|inner| inner.as_rule() == Rule::raw_block)
                        .map(|inner| inner.as_str().to_owned())
                        .unwrap_or_default();
                    card.items.push(ast::ScoreItem {
                        name,
                        points,
                        body,
                        span,
                    });
                }
                Rule::bad_line => self.bad_line(&line, Context::Scorecard),
                _ => {}
            }
        }
        Some(card)
    }
}

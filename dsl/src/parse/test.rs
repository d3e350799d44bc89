//! Tests, from pairs to tree.

use super::Rule;
use super::explain::Context;
use super::tree::{Node, Tree};
use crate::ast::{Expectation, Outcome, Test, TestStep};
use crate::program::BotMatch;

impl Tree<'_> {
    pub fn test(&mut self, node: Node<'_>) -> Option<Test> {
        let mut test = Test {
            name: self.name_in(node.clone())?,
            steps: Vec::new(),
            span: self.span(&node),
        };
        for line in node.into_inner() {
            let span = self.span(&line);
            if line.as_rule() == Rule::bad_line {
                self.bad_line(&line, Context::Test);
                continue;
            }
            test.steps
                .extend(self.test_step(line).map(|step| (step, span)));
        }
        Some(test)
    }

    fn test_step(&mut self, node: Node<'_>) -> Option<TestStep> {
        Some(match node.as_rule() {
            Rule::test_set => {
                let set = node
                    .into_inner()
                    .find(|inner| inner.as_rule() != Rule::kw_set)?;
                self.test_set(set)?
            }
            Rule::test_says => TestStep::Says(self.text_in(node)?),
            Rule::test_sends => {
                let kind = node
                    .into_inner()
                    .find(|inner| inner.as_rule() == Rule::ident)?;
                TestStep::Sends(self.name(&kind))
            }
            Rule::test_event => {
                let event = node
                    .into_inner()
                    .find(|inner| inner.as_rule() == Rule::event)?;
                TestStep::Event(self.event(event)?)
            }
            Rule::test_bot => {
                let mut how = BotMatch::Contains;
                for inner in node.clone().into_inner() {
                    match inner.as_rule() {
                        Rule::kw_contains_not => how = BotMatch::NotContains,
                        Rule::kw_equals => how = BotMatch::Equals,
                        _ => {}
                    }
                }
                TestStep::Bot(how, self.text_in(node)?)
            }
            Rule::pass => TestStep::Pass(self.duration_in(node)?),
            Rule::expect => {
                let what = node
                    .into_inner()
                    .find(|inner| inner.as_rule() != Rule::kw_expect)?;
                TestStep::Expect(self.expectation(what)?)
            }
            _ => return None,
        })
    }

    fn test_set(&mut self, node: Node<'_>) -> Option<TestStep> {
        let kind = node.as_rule();
        let mut names = self.names(node.clone()).into_iter();
        let inner: Vec<Node<'_>> = node.into_inner().collect();
        let of = |wanted: Rule| {
            inner
                .iter()
                .find(|child| child.as_rule() == wanted)
                .cloned()
        };
        Some(match kind {
            Rule::set_now => TestStep::SetNow(self.datetime(of(Rule::datetime)?)?),
            Rule::set_attribute => {
                TestStep::SetAttribute(names.next()?, self.expr(of(Rule::expr)?))
            }
            Rule::set_arm => TestStep::SetArm(names.next()?, names.next()?),
            _ => {
                let outcome = if of(Rule::kw_failure).is_some() {
                    Outcome::Failure
                } else if of(Rule::kw_timeout).is_some() {
                    Outcome::Timeout
                } else {
                    let arguments = of(Rule::args).map(|args| self.args(args));
                    Outcome::Success(arguments.unwrap_or_default())
                };
                TestStep::SetConnector(names.next()?, outcome)
            }
        })
    }

    fn expectation(&mut self, node: Node<'_>) -> Option<Expectation> {
        Some(match node.as_rule() {
            Rule::expect_handoff => {
                let has = |wanted: Rule| {
                    node.clone()
                        .into_inner()
                        .any(|inner| inner.as_rule() == wanted)
                };
                if has(Rule::kw_exclusive_agent) {
                    Expectation::HandoffExclusive
                } else {
                    let urgent = has(Rule::kw_urgent);
                    Expectation::Handoff {
                        group: self.name_in(node),
                        urgent,
                    }
                }
            }
            Rule::kw_no_handoff => Expectation::NoHandoff,
            Rule::expect_flow => Expectation::Flow(self.name_in(node)?),
            Rule::kw_no_flow => Expectation::NoFlow,
            Rule::expect_rule => Expectation::Rule(self.name_in(node)?),
            Rule::expect_tag => Expectation::Tag(self.text_in(node)?),
            Rule::expect_intent => Expectation::Intent(self.name_in(node)?),
            Rule::expect_answer => Expectation::Answer(self.text_in(node)?),
            Rule::expect_call => Expectation::Call(self.name_in(node)?),
            Rule::kw_silent => Expectation::Silent,
            _ => return None,
        })
    }
}

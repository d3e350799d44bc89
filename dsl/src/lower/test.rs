//! Tests.

use super::Lowerer;
use super::names::Kind;
use crate::ast::{self, Expectation as Expected, Outcome, TestStep as Written};
use crate::program::{Expectation, ScriptedOutcome, Test, TestStep, TestStepKind, Value};

impl Lowerer<'_> {
    pub(super) fn test(&mut self, test: &ast::Test) {
        let mut steps = Vec::with_capacity(test.steps.len());
        for (step, span) in &test.steps {
            if let Some(kind) = self.test_step(step) {
                steps.push(TestStep { kind, span: *span });
            }
        }
        self.program.tests.push(Test {
            name: test.name.text.clone(),
            steps,
            span: test.name.span,
        });
    }

    fn test_step(&mut self, step: &Written) -> Option<TestStepKind> {
        Some(match step {
            Written::SetAttribute(name, value) => {
                let ty = self
                    .program
                    .attributes
                    .iter()
                    .find(|attribute| attribute.name == name.text);
                let Some(ty) = ty.map(|attribute| attribute.ty.clone()) else {
                    let known: Vec<String> = self
                        .program
                        .attributes
                        .iter()
                        .map(|attribute| attribute.name.clone())
                        .collect();
                    let known: Vec<&str> = known.iter().map(String::as_str).collect();
                    self.unknown("客户属性", "customer attribute", name, &known);
                    return None;
                };
                TestStepKind::SetAttribute {
                    name: name.text.clone(),
                    value: self.constant(value, Some(&ty))?,
                }
            }
            Written::SetNow(moment) => TestStepKind::SetNow(*moment),
            Written::SetConnector(name, outcome) => {
                let connector = self.resolve(Kind::Connector, name)?;
                TestStepKind::SetConnector {
                    connector,
                    outcome: match outcome {
                        Outcome::Failure => ScriptedOutcome::Failure,
                        Outcome::Timeout => ScriptedOutcome::Timeout,
                        Outcome::Success(fields) => {
                            ScriptedOutcome::Success(self.result(connector, fields))
                        }
                    },
                }
            }
            Written::SetArm(experiment, arm) => {
                let (experiment, arm) = self.arm(experiment, arm)?;
                TestStepKind::SetArm { experiment, arm }
            }
            Written::Pass(ms) => TestStepKind::Pass { ms: *ms },
            Written::Says(text) => TestStepKind::Customer(text.value()),
            Written::Sends(name) => TestStepKind::CustomerSends(self.kind(name)?),
            Written::Event(event) => TestStepKind::CustomerEvent(self.event(event)?),
            Written::Bot(how, text) => TestStepKind::Bot {
                how: *how,
                text: text.value(),
            },
            Written::Expect(expected) => TestStepKind::Expect(self.expectation(expected)?),
        })
    }

    /// Result fields by name, or by position where no name is written.
    fn result(
        &mut self,
        connector: usize,
        fields: &[(Option<ast::Name>, ast::Expr)],
    ) -> Vec<(String, Value)> {
        let declared = match self.program.connectors.get(connector) {
            Some(connector) => connector.result.clone(),
            None => return Vec::new(),
        };
        let mut values = Vec::new();
        for (position, (name, expr)) in fields.iter().enumerate() {
            let found = match name {
                Some(name) => declared.iter().find(|(field, _)| *field == name.text),
                None => declared.get(position),
            };
            match (found, name) {
                (Some((field, ty)), _) => {
                    values.extend(
                        self.constant(expr, Some(ty))
                            .map(|value| (field.clone(), value)),
                    );
                }
                (None, Some(name)) => {
                    let known: Vec<&str> =
                        declared.iter().map(|(field, _)| field.as_str()).collect();
                    self.unknown("返回字段", "result field", name, &known);
                }
                (None, None) => self.error(
                    "含义-03",
                    expr.span,
                    "接口没有这么多返回字段",
                    "the connector has fewer result fields",
                    "看看接口「返回」后面写了哪些字段",
                    "see what the connector returns",
                ),
            }
        }
        values
    }

    fn expectation(&mut self, expected: &Expected) -> Option<Expectation> {
        Some(match expected {
            Expected::Handoff { group, urgent } => Expectation::Handoff {
                group: match group {
                    Some(name) => Some(self.resolve(Kind::SkillGroup, name)?),
                    None => None,
                },
                urgent: *urgent,
            },
            Expected::HandoffExclusive => Expectation::HandoffExclusive,
            Expected::NoHandoff => Expectation::NoHandoff,
            Expected::Flow(name) => Expectation::InFlow(self.resolve(Kind::Flow, name)?),
            Expected::NoFlow => Expectation::NoFlow,
            Expected::Rule(name) => {
                self.resolve(Kind::Rule, name)?;
                Expectation::Rule(name.text.clone())
            }
            Expected::Tag(text) => Expectation::Tag(text.value()),
            Expected::Intent(name) => Expectation::Intent(self.intent(name)?),
            Expected::Answer(text) => Expectation::Answer(self.faq_entry(text)?),
            Expected::Call(name) => Expectation::Called(self.resolve(Kind::Connector, name)?),
            Expected::Silent => Expectation::Silent,
        })
    }
}

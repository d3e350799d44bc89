//! Steps that leave the conversation to decide: connector calls and experiments.

use super::Lowerer;
use super::code::{After, Code, Entry};
use super::names::Kind;
use crate::ast::{self, Name};
use crate::diagnostic::Diagnostic;
use crate::program::{Call, Expr, Op, Value};
use crate::source::Span;

/// 限时 where none is written.
const DEFAULT_TIMEOUT_MS: u64 = 3_000;

impl<'a> Lowerer<'a> {
    pub(super) fn call(&mut self, call: &'a ast::Call, span: Span, code: &mut Code<'a>) {
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
    pub(super) fn arguments(&mut self, call: &ast::Call, connector: usize) -> Vec<Expr> {
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

    pub(super) fn try_experiment(&mut self, name: &'a Name, span: Span, code: &mut Code<'a>) {
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
}

//! 提示-04: an intent threshold below the classifier's own refusal, which can never decide anything.

use super::Package;
use crate::diagnostic::Diagnostic;
use crate::program::{Check, Condition, ConditionKind, Op, Stage};
use crate::source::Span;

pub(super) fn check(package: &Package<'_>, diagnostics: &mut Vec<Diagnostic>) {
    let program = package.program;
    let mut found: Vec<(f64, Span)> = Vec::new();
    for stage in &program.route {
        if let Stage::Intent { min: Some(min) } = stage.stage {
            found.push((min, stage.span));
        }
    }
    let rules = program
        .groups
        .iter()
        .flat_map(|group| &group.rules)
        .map(|rule| &rule.condition);
    let segments = program.segments.iter().map(|segment| &segment.condition);
    let branches = program
        .routines
        .iter()
        .flat_map(|routine| &routine.code)
        .filter_map(|step| match &step.op {
            Op::If { condition, .. } => Some(condition),
            _ => None,
        });
    for condition in rules.chain(segments).chain(branches) {
        collect(condition, &mut found);
    }
    let refusal = package.catalogue.intent_refusal;
    for (min, span) in found {
        if min < refusal {
            diagnostics.push(
                Diagnostic::warning(
                    "提示-04",
                    span,
                    format!("置信度 {min} 低于系统自己的门槛 {refusal:.2}，等于没写"),
                    format!("confidence {min} is below the classifier's own refusal {refusal:.2}"),
                )
                .help("写高一些，或者不写", "raise it or leave it out"),
            );
        }
    }
}

fn collect(condition: &Condition, found: &mut Vec<(f64, Span)>) {
    match &condition.kind {
        ConditionKind::All(parts) | ConditionKind::Any(parts) => {
            for part in parts {
                collect(part, found);
            }
        }
        ConditionKind::Not(inner) => collect(inner, found),
        ConditionKind::Check(Check::Intent { min: Some(min), .. }) => {
            found.push((*min, condition.span))
        }
        ConditionKind::Check(_) => {}
    }
}

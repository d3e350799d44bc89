//! 冲突-04: an FAQ entry that a rule before the 常见问题 stage always takes.

use super::Package;
use super::formula::{Alternative, Rules, normal};
use crate::diagnostic::Diagnostic;
use crate::program::{Op, Stage};

pub(super) fn check(package: &Package<'_>, rules: &Rules, diagnostics: &mut Vec<Diagnostic>) {
    let program = package.program;
    let Some(stage) = program
        .route
        .iter()
        .position(|stage| matches!(stage.stage, Stage::Faq { .. }))
    else {
        return;
    };
    let before: Vec<usize> = program
        .route
        .iter()
        .take(stage)
        .filter_map(|stage| match stage.stage {
            Stage::Group(index) => Some(index),
            _ => None,
        })
        .collect();
    let takers: Vec<_> = rules
        .rules
        .iter()
        .filter(|rule| before.contains(&rule.group))
        .filter_map(|rule| {
            let free: Vec<&Alternative> = rule
                .alternatives
                .iter()
                .flatten()
                .filter(|alternative| alternative.opaque.is_empty() && alternative.has_text())
                .collect();
            (!free.is_empty()).then_some((rule, free))
        })
        .collect();
    let mut told: Vec<&str> = Vec::new();
    for (index, entry) in program.faq.iter().enumerate() {
        let messages: Vec<String> = std::iter::once(&entry.question)
            .chain(&entry.variants)
            .map(|text| normal(text))
            .collect();
        let taker = takers.iter().find(|(_, free)| {
            messages.iter().all(|message| {
                free.iter()
                    .any(|alternative| alternative.text_holds(message))
            })
        });
        let Some((rule, _)) = taker else { continue };
        let answers = program.routines.get(rule.action).is_some_and(|routine| {
            routine
                .code
                .iter()
                .any(|step| matches!(step.op, Op::Answer { faq } if faq == index))
        });
        if answers || told.contains(&rule.name.as_str()) {
            continue;
        }
        told.push(&rule.name);
        diagnostics.push(
            Diagnostic::warning(
                "冲突-04",
                rule.span,
                format!(
                    "常见问题「{}」永远轮不到：问它的话都被规则「{}」先接走",
                    entry.question, rule.name
                ),
                format!(
                    "the FAQ entry {} is always taken by rule {} before it",
                    entry.question, rule.name
                ),
            )
            .related(entry.span, "这条常见问题")
            .help(
                "让规则回答这条常见问题，或者给规则加上「不含」",
                "let the rule answer this entry, or narrow the rule",
            ),
        );
    }
}

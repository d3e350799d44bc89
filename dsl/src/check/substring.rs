//! 提示-03: a handoff or refund rule that fires on a word which 不, 别 or 没 can precede.
//!
//! 「不要人工」 holds 「人工」. A rule that says what it does not want (不含, 非) is left alone.

use super::Package;
use crate::diagnostic::Diagnostic;
use crate::program::{Check, Condition, ConditionKind, Op, Program, Rule, TextMatch};

/// Words that customers deny as often as they say them.
const DENIABLE: &[&str] = &[
    "人工", "真人", "客服", "退款", "退货", "换货", "退钱", "取消", "注销",
];
/// Longer phrases carry their own sense.
const LONGEST: usize = 4;

pub(super) fn check(package: &Package<'_>, diagnostics: &mut Vec<Diagnostic>) {
    let program = package.program;
    for rule in program.groups.iter().flat_map(|group| &group.rules) {
        if !is_costly(rule, program) || denies(&rule.condition) {
            continue;
        }
        let Some((word, span)) = bare_word(&rule.condition, program) else {
            continue;
        };
        diagnostics.push(
            Diagnostic::warning(
                "提示-03",
                span,
                format!("「不要{word}」「别{word}」也会触发规则「{}」", rule.name),
                format!(
                    "\"不要{word}\" (no {word}) fires rule {} as well",
                    rule.name
                ),
            )
            .help(
                format!("加上：且 消息 不含 (\"不要{word}\", \"不用{word}\", \"别{word}\")"),
                "exclude the denials with contains_not",
            ),
        );
    }
}

/// Whether the rule hands over, or leads where something is refunded.
fn is_costly(rule: &Rule, program: &Program) -> bool {
    let Some(routine) = program.routines.get(rule.action) else {
        return false;
    };
    routine.code.iter().any(|step| match &step.op {
        Op::Handoff(_) => true,
        Op::Enter { routine } => program
            .routines
            .get(*routine)
            .is_some_and(|routine| routine.name.contains('退') || routine.name.contains("取消")),
        _ => false,
    })
}

fn denies(condition: &Condition) -> bool {
    match &condition.kind {
        ConditionKind::All(parts) | ConditionKind::Any(parts) => parts.iter().any(denies),
        ConditionKind::Not(inner) => mentions_text(inner),
        ConditionKind::Check(check) => matches!(
            check,
            Check::Text {
                how: TextMatch::NotContains,
                ..
            }
        ),
    }
}

fn mentions_text(condition: &Condition) -> bool {
    match &condition.kind {
        ConditionKind::All(parts) | ConditionKind::Any(parts) => parts.iter().any(mentions_text),
        ConditionKind::Not(inner) => mentions_text(inner),
        ConditionKind::Check(check) => matches!(check, Check::Text { .. }),
    }
}

fn bare_word(condition: &Condition, program: &Program) -> Option<(String, crate::source::Span)> {
    match &condition.kind {
        ConditionKind::All(parts) | ConditionKind::Any(parts) => {
            parts.iter().find_map(|part| bare_word(part, program))
        }
        ConditionKind::Not(_) => None,
        ConditionKind::Check(Check::Text {
            how: TextMatch::Contains,
            patterns,
        }) => {
            let named = patterns
                .lists
                .iter()
                .filter_map(|index| program.words.get(*index))
                .flat_map(|list| &list.words);
            patterns
                .inline
                .iter()
                .chain(named)
                .find(|word| {
                    word.chars().count() <= LONGEST
                        && DENIABLE.iter().any(|deniable| word.starts_with(deniable))
                })
                .map(|word| (word.clone(), condition.span))
        }
        ConditionKind::Check(_) => None,
    }
}

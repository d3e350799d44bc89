//! 冲突-03: two rules of a 唯一 group that one message fulfils.

use super::Package;
use super::formula::{Alternative, RuleFormula, Rules};
use crate::diagnostic::Diagnostic;
use crate::program::GroupMode;

/// Pairs of rules compared in one group, at most.
const MAX_PAIRS: usize = 200_000;
/// Words of a set tried for a message.
const MAX_WORDS: usize = 12;

pub(super) fn check(package: &Package<'_>, rules: &Rules, diagnostics: &mut Vec<Diagnostic>) {
    for (index, group) in package.program.groups.iter().enumerate() {
        if group.mode != GroupMode::Unique {
            continue;
        }
        let members: Vec<&RuleFormula> = rules
            .rules
            .iter()
            .filter(|rule| rule.group == index)
            .collect();
        let mut pairs = 0;
        for (position, later) in members.iter().enumerate() {
            for earlier in members.iter().take(position) {
                pairs += 1;
                if pairs > MAX_PAIRS {
                    diagnostics.push(unchecked(group.span, &group.name));
                    break;
                }
                match meeting(earlier, later) {
                    Meeting::None => continue,
                    Meeting::Unknown => diagnostics.push(unchecked(later.span, &later.name)),
                    Meeting::At(message) => {
                        diagnostics.push(report(earlier, later, message.as_deref()))
                    }
                }
                break;
            }
            if pairs > MAX_PAIRS {
                break;
            }
        }
    }
}

enum Meeting {
    None,
    Unknown,
    /// With a message, where words decide.
    At(Option<String>),
}

fn meeting(earlier: &RuleFormula, later: &RuleFormula) -> Meeting {
    let (Some(ours), Some(theirs)) = (&earlier.alternatives, &later.alternatives) else {
        return Meeting::Unknown;
    };
    for one in ours {
        for other in theirs {
            if one.excludes(other) {
                continue;
            }
            if !one.has_text() && !other.has_text() {
                return Meeting::At(None);
            }
            if let Some(message) = message(one, other) {
                return Meeting::At(Some(message));
            }
        }
    }
    Meeting::None
}

/// A message that fulfils both.
fn message(one: &Alternative, other: &Alternative) -> Option<String> {
    let whole = one
        .equals
        .iter()
        .chain(&other.equals)
        .flat_map(|set| set.iter())
        .cloned();
    let parts = pieces(one).into_iter().flat_map(|left| {
        pieces(other).into_iter().flat_map(move |right| {
            let (left, right) = (left.clone(), right);
            [
                format!("{left}{right}"),
                format!("{right}{left}"),
                format!("{left}，{right}"),
            ]
        })
    });
    whole
        .chain(parts)
        .find(|message| one.text_holds(message) && other.text_holds(message))
}

/// Texts that hold one word of each set.
fn pieces(alternative: &Alternative) -> Vec<String> {
    let mut texts = vec![String::new()];
    for set in &alternative.contains {
        texts = texts
            .iter()
            .flat_map(|text| {
                set.iter()
                    .take(MAX_WORDS)
                    .map(move |word| format!("{text}{word}"))
            })
            .take(MAX_WORDS)
            .collect();
    }
    texts
}

fn report(earlier: &RuleFormula, later: &RuleFormula, message: Option<&str>) -> Diagnostic {
    let (proof, proof_en) = match message {
        Some(message) => (format!("：\"{message}\""), format!(": \"{message}\"")),
        None => (String::new(), String::new()),
    };
    Diagnostic::error(
        "冲突-03",
        later.span,
        format!(
            "「唯一」的规则组里，「{}」和「{}」会同时符合{proof}",
            earlier.name, later.name
        ),
        format!(
            "in this unique group {} and {} can both match{proof_en}",
            earlier.name, later.name
        ),
    )
    .related(earlier.span, "另一条在这里")
    .help(
        "给其中一条加上「不含」等条件，或者把规则组改成「首个」",
        "exclude one by a condition, or make the group first",
    )
}

fn unchecked(span: crate::source::Span, name: &str) -> Diagnostic {
    Diagnostic::warning(
        "冲突-05",
        span,
        format!("「{name}」太复杂，没有检查会不会同时符合"),
        format!("{name} is too involved; whether rules overlap was not checked"),
    )
    .help(
        "把条件写简单些，或者拆成几条规则",
        "simplify the condition or split the rule",
    )
}

//! Conditions as alternatives of literals over words: what the checks for shadowing and overlap reason about.
//!
//! Words are compared in normal form (width, case, traditional to simplified). Whatever is no keyword condition is an
//! opaque literal: known only to be equal to, or to exclude, another of its kind.

use std::rc::Rc;

use unicode_normalization::UnicodeNormalization;

use crate::program::{
    Check, Compare, Condition, ConditionKind, HandoffTarget, Op, Patterns, Program, Stage,
    TextMatch,
};
use crate::source::Span;

/// Alternatives of one condition, at most; a longer one is not checked.
const MAX_ALTERNATIVES: usize = 64;

/// A message and state that fulfil all of it fulfil the condition.
#[derive(Debug, Clone, Default)]
pub(super) struct Alternative {
    /// One word of each set occurs.
    pub contains: Vec<Rc<Vec<String>>>,
    /// None of these occurs.
    pub without: Vec<String>,
    /// The message is one of these.
    pub equals: Option<Rc<Vec<String>>>,
    pub opaque: Vec<Literal>,
}

/// A condition that is not about words, by its source without spans, affirmed or denied.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Literal {
    pub holds: bool,
    pub check: Check,
}

impl Alternative {
    /// Whether it says anything about the text.
    pub fn has_text(&self) -> bool {
        !self.contains.is_empty() || self.equals.is_some()
    }

    /// Whether a message fulfils what it says about words.
    pub fn text_holds(&self, message: &str) -> bool {
        self.contains
            .iter()
            .all(|set| set.iter().any(|word| message.contains(word.as_str())))
            && !self
                .without
                .iter()
                .any(|word| message.contains(word.as_str()))
            && self
                .equals
                .as_ref()
                .is_none_or(|set| set.iter().any(|word| word == message))
    }

    /// Whether two alternatives cannot hold at once, whatever the message says.
    pub fn excludes(&self, other: &Alternative) -> bool {
        self.opaque
            .iter()
            .any(|one| other.opaque.iter().any(|another| exclusive(one, another)))
            || self.has_text() && other.opaque.iter().any(no_text)
            || other.has_text() && self.opaque.iter().any(no_text)
    }
}

/// One rule with its alternatives; none where it is too involved to be checked.
#[derive(Debug)]
pub(super) struct RuleFormula {
    pub group: usize,
    /// The group's place in the order in which messages are seen.
    pub place: usize,
    pub name: String,
    pub span: Span,
    pub action: usize,
    /// To whom it hands over.
    pub target: Option<HandoffTarget>,
    /// Rules of one route see the same messages; a group outside of it stands for itself.
    pub routed: bool,
    pub alternatives: Option<Vec<Alternative>>,
}

/// The rules in the order in which they see a message: groups by the route, then groups outside of it.
#[derive(Debug)]
pub(super) struct Rules {
    pub rules: Vec<RuleFormula>,
}

impl Rules {
    pub fn of(program: &Program) -> Self {
        let lists: Vec<Rc<Vec<String>>> = program
            .words
            .iter()
            .map(|list| {
                Rc::new(
                    list.words
                        .iter()
                        .map(|word| normal(word))
                        .filter(|word| !word.is_empty())
                        .collect(),
                )
            })
            .collect();
        let mut order: Vec<usize> = program
            .route
            .iter()
            .filter_map(|stage| match stage.stage {
                Stage::Group(index) => Some(index),
                _ => None,
            })
            .collect();
        let routed = order.len();
        order.extend(
            (0..program.groups.len())
                .filter(|index| !order.contains(index))
                .collect::<Vec<_>>(),
        );
        let mut rules = Vec::new();
        for (place, index) in order.into_iter().enumerate() {
            let Some(group) = program.groups.get(index) else {
                continue;
            };
            for rule in &group.rules {
                rules.push(RuleFormula {
                    group: index,
                    place,
                    name: rule.name.clone(),
                    span: rule.span,
                    action: rule.action,
                    target: target(rule.action, program),
                    routed: place < routed,
                    alternatives: alternatives(&rule.condition, true, &lists),
                });
            }
        }
        Rules { rules }
    }
}

fn target(action: usize, program: &Program) -> Option<HandoffTarget> {
    let routine = program.routines.get(action)?;
    routine.code.iter().find_map(|step| match &step.op {
        Op::Handoff(handoff) => Some(handoff.target),
        _ => None,
    })
}

/// The normal form of words and messages: NFKC, lower case, simplified; each run of spaces, punctuation and emoji one
/// space, none at the ends. A word of marks alone stays as it is.
pub(super) fn normal(text: &str) -> String {
    let folded: String = text.nfkc().flat_map(char::to_lowercase).collect();
    let folded = fast2s::convert(&folded);
    let chars: Vec<char> = folded.chars().collect();
    let mut out = String::with_capacity(folded.len());
    let mut gap = false;
    for (at, character) in chars.iter().enumerate() {
        if character.is_alphanumeric() || stays(&chars, at) {
            if gap && !out.is_empty() {
                out.push(' ');
            }
            gap = false;
            out.push(*character);
        } else {
            gap = true;
        }
    }
    if out.is_empty() {
        return folded.trim().to_owned();
    }
    out
}

/// A mark inside a number, word or address (`3.5`, `a-1`), or `%` and the like beside a letter or figure.
fn stays(chars: &[char], at: usize) -> bool {
    let beside = |index: Option<usize>| {
        index
            .and_then(|index| chars.get(index))
            .is_some_and(char::is_ascii_alphanumeric)
    };
    let before = beside(at.checked_sub(1));
    let after = beside(Some(at + 1));
    match chars.get(at) {
        Some('.' | '-' | ':' | '/' | '_' | '@' | '&' | '\'') => before && after,
        Some('%' | '+' | '#' | '°' | '℃') => before || after,
        _ => false,
    }
}

fn alternatives(
    condition: &Condition,
    holds: bool,
    lists: &[Rc<Vec<String>>],
) -> Option<Vec<Alternative>> {
    match (&condition.kind, holds) {
        (ConditionKind::Not(inner), _) => alternatives(inner, !holds, lists),
        (ConditionKind::All(parts), true) | (ConditionKind::Any(parts), false) => {
            let mut all = vec![Alternative::default()];
            for part in parts {
                let more = alternatives(part, holds, lists)?;
                if all.len() * more.len() > MAX_ALTERNATIVES {
                    return None;
                }
                all = all
                    .iter()
                    .flat_map(|one| more.iter().map(move |another| both(one, another)))
                    .collect::<Option<Vec<_>>>()?;
            }
            Some(all)
        }
        (ConditionKind::Any(parts), true) | (ConditionKind::All(parts), false) => {
            let mut any = Vec::new();
            for part in parts {
                any.extend(alternatives(part, holds, lists)?);
                if any.len() > MAX_ALTERNATIVES {
                    return None;
                }
            }
            Some(any)
        }
        (ConditionKind::Check(check), _) => Some(vec![literal(check, holds, lists)]),
    }
}

fn both(one: &Alternative, another: &Alternative) -> Option<Alternative> {
    if one.equals.is_some() && another.equals.is_some() {
        return None;
    }
    let mut both = one.clone();
    both.contains.extend(another.contains.iter().cloned());
    both.without.extend(another.without.iter().cloned());
    both.equals = both.equals.or_else(|| another.equals.clone());
    both.opaque.extend(another.opaque.iter().cloned());
    Some(both)
}

fn literal(check: &Check, holds: bool, lists: &[Rc<Vec<String>>]) -> Alternative {
    let mut alternative = Alternative::default();
    match (check, holds) {
        (
            Check::Text {
                how: TextMatch::Contains,
                patterns,
            },
            true,
        )
        | (
            Check::Text {
                how: TextMatch::NotContains,
                patterns,
            },
            false,
        ) => {
            alternative.contains.push(words(patterns, lists));
        }
        (
            Check::Text {
                how: TextMatch::NotContains,
                patterns,
            },
            true,
        )
        | (
            Check::Text {
                how: TextMatch::Contains,
                patterns,
            },
            false,
        ) => {
            alternative.without = words(patterns, lists).to_vec();
        }
        (
            Check::Text {
                how: TextMatch::Equals,
                patterns,
            },
            true,
        ) => {
            alternative.equals = Some(words(patterns, lists));
        }
        _ => alternative.opaque.push(Literal {
            holds,
            check: check.clone(),
        }),
    }
    alternative
}

fn words(patterns: &Patterns, lists: &[Rc<Vec<String>>]) -> Rc<Vec<String>> {
    if patterns.inline.is_empty()
        && let [only] = patterns.lists.as_slice()
        && let Some(list) = lists.get(*only)
    {
        return Rc::clone(list);
    }
    let inline = patterns.inline.iter().map(|word| normal(word));
    let named = patterns
        .lists
        .iter()
        .filter_map(|index| lists.get(*index))
        .flat_map(|list| list.iter().cloned());
    Rc::new(
        inline
            .chain(named)
            .filter(|word| !word.is_empty())
            .collect(),
    )
}

/// Whether a literal can only hold for what is no text at all.
fn no_text(literal: &Literal) -> bool {
    use crate::program::MessageKind;
    match &literal.check {
        Check::Kind(kinds) => {
            literal.holds
                && !kinds
                    .iter()
                    .any(|kind| matches!(kind, MessageKind::Text | MessageKind::Voice))
        }
        Check::Event(events) => {
            use crate::program::EventKind;
            literal.holds
                && !events
                    .iter()
                    .any(|event| matches!(event, EventKind::FirstContact | EventKind::Return))
        }
        _ => false,
    }
}

/// Whether two literals cannot hold at once.
fn exclusive(one: &Literal, another: &Literal) -> bool {
    if one.check == another.check {
        return one.holds != another.holds;
    }
    if !one.holds || !another.holds {
        return false;
    }
    match (&one.check, &another.check) {
        (Check::Kind(a), Check::Kind(b)) => disjoint(a, b),
        (Check::Intent { labels: a, .. }, Check::Intent { labels: b, .. }) => disjoint(a, b),
        (Check::Emotion(a), Check::Emotion(b)) => disjoint(a, b),
        (Check::Channel(a), Check::Channel(b)) => disjoint(a, b),
        (Check::Scene(a), Check::Scene(b)) => disjoint(a, b),
        (
            Check::Arm {
                experiment: a,
                arm: x,
            },
            Check::Arm {
                experiment: b,
                arm: y,
            },
        ) => a == b && x != y,
        (
            Check::Compare {
                left: a,
                op: Compare::Equal,
                right: x,
            },
            Check::Compare {
                left: b,
                op: Compare::Equal,
                right: y,
            },
        ) => {
            use crate::program::Expr;
            a == b && x != y && matches!((x, y), (Expr::Value(_), Expr::Value(_)))
        }
        _ => false,
    }
}

fn disjoint<T: PartialEq>(one: &[T], another: &[T]) -> bool {
    !one.iter().any(|item| another.contains(item))
}

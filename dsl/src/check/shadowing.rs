//! 冲突-01: a rule that never fires because earlier rules take every message of it.
//! 冲突-02: a rule of which a part never fires.
//!
//! A word of the rule is taken when an earlier rule holds for every message with that word, under what else the rule
//! demands. All words of the later rules run through one automaton of the words of the earlier ones.

use daachorse::DoubleArrayAhoCorasick;
use rustc_hash::FxHashMap;

use super::formula::{Alternative, RuleFormula, Rules};
use crate::diagnostic::Diagnostic;
use crate::source::Span;

/// Earlier alternatives looked at for one word, at most.
const MAX_CANDIDATES: usize = 400;

pub(super) fn check(rules: &Rules, diagnostics: &mut Vec<Diagnostic>) {
    let index = Index::of(rules);
    for (position, rule) in rules.rules.iter().enumerate() {
        let Some(alternatives) = &rule.alternatives else {
            continue;
        };
        let taken: Vec<Taken> = alternatives
            .iter()
            .map(|alternative| index.taken(position, alternative, rules))
            .collect();
        let found = taken.iter().find_map(|taken| taken.example.clone());
        if !taken.is_empty() && taken.iter().all(|taken| taken.whole) {
            if let Some(example) = found {
                diagnostics.push(never(rule, &example, rules));
            }
        } else if let Some(example) = found {
            diagnostics.push(partly(rule, &example, rules));
        } else if let Some(example) = contested(position, rules) {
            diagnostics.push(partly(rule, &example, rules));
        }
    }
}

/// A message that an earlier rule takes, and by which word.
#[derive(Debug, Clone)]
struct Example {
    message: String,
    word: String,
    by: usize,
}

struct Taken {
    /// Every message is taken.
    whole: bool,
    example: Option<Example>,
}

fn never(rule: &RuleFormula, example: &Example, rules: &Rules) -> Diagnostic {
    let (by, span) = taker_of(example, rules);
    let (proof, proof_en) = proof(example, by);
    Diagnostic::error(
        "冲突-01",
        rule.span,
        format!("规则「{}」永远轮不到：{proof}", rule.name),
        format!("rule {} never fires: {proof_en}", rule.name),
    )
    .related(span, "被这条接走")
    .help(
        "删掉这条规则，或者把它移到前面",
        "delete this rule or move it up",
    )
}

fn partly(rule: &RuleFormula, example: &Example, rules: &Rules) -> Diagnostic {
    let (by, span) = taker_of(example, rules);
    let (proof, proof_en) = proof(example, by);
    Diagnostic::warning(
        "冲突-02",
        rule.span,
        format!("规则「{}」有一部分永远轮不到：{proof}", rule.name),
        format!("part of rule {} never fires: {proof_en}", rule.name),
    )
    .related(span, "被这条接走")
    .help(
        "把更具体的规则移到前面；就是想这样，请写：# 忽略 冲突-02：理由",
        "move the more specific rule up; if it is meant, write: # ignore 冲突-02: reason",
    )
}

fn taker_of<'r>(example: &Example, rules: &'r Rules) -> (&'r str, Span) {
    rules
        .rules
        .get(example.by)
        .map_or(("", Span::default()), |rule| (&rule.name, rule.span))
}

/// The message that shows it, or that one condition covers the other where words do not matter.
fn proof(example: &Example, by: &str) -> (String, String) {
    let Example { message, word, .. } = example;
    if word.is_empty() {
        return (
            format!("符合它的时候，前面的「{by}」也都符合"),
            format!("whenever it matches, {by} before it matches as well"),
        );
    }
    (
        format!("\"{message}\" 已被前面的「{by}」接走（词「{word}」）"),
        format!("\"{message}\" is taken by {by} before it (word {word})"),
    )
}

/// The words of all rules, and who has them.
struct Index {
    automaton: Option<DoubleArrayAhoCorasick<u32>>,
    /// By pattern: the alternatives that have it, as (rule, alternative), in order.
    owners: Vec<Vec<(usize, usize)>>,
    words: Vec<String>,
    equals: FxHashMap<String, Vec<(usize, usize)>>,
    /// Alternatives that say nothing about words.
    wordless: Vec<(usize, usize)>,
}

impl Index {
    fn of(rules: &Rules) -> Self {
        let mut by_word: FxHashMap<&str, Vec<(usize, usize)>> = FxHashMap::default();
        let mut equals: FxHashMap<String, Vec<(usize, usize)>> = FxHashMap::default();
        let mut wordless = Vec::new();
        for (position, rule) in rules.rules.iter().enumerate() {
            for (number, alternative) in rule.alternatives.iter().flatten().enumerate() {
                let owner = (position, number);
                match (alternative.contains.first(), &alternative.equals) {
                    (_, Some(set)) => {
                        for word in set.iter() {
                            equals.entry(word.clone()).or_default().push(owner);
                        }
                    }
                    (Some(set), None) => {
                        for word in set.iter() {
                            let owners = by_word.entry(word).or_default();
                            if owners.last() != Some(&owner) {
                                owners.push(owner);
                            }
                        }
                    }
                    (None, None) => wordless.push(owner),
                }
            }
        }
        let mut words: Vec<&str> = by_word.keys().copied().collect();
        words.sort_unstable();
        let owners = words
            .iter()
            .map(|word| by_word.get(word).cloned().unwrap_or_default())
            .collect();
        Index {
            automaton: DoubleArrayAhoCorasick::new(words.iter().copied()).ok(),
            owners,
            words: words.into_iter().map(str::to_owned).collect(),
            equals,
            wordless,
        }
    }

    /// Which part of an alternative earlier rules take.
    fn taken(&self, position: usize, alternative: &Alternative, rules: &Rules) -> Taken {
        let mut example = None;
        if let Some(set) = &alternative.equals {
            let whole = set.iter().fold(!set.is_empty(), |whole, word| {
                let by = self.taker(position, word, alternative, rules, Known::Whole);
                example = example.take().or_else(|| by.clone());
                whole && by.is_some()
            });
            return Taken { whole, example };
        }
        for set in &alternative.contains {
            let mut whole = !set.is_empty();
            for word in set.iter() {
                match self.taker(position, word, alternative, rules, Known::Part) {
                    Some(by) => example = example.or(Some(by)),
                    None => whole = false,
                }
            }
            if whole {
                return Taken { whole, example };
            }
        }
        if alternative.contains.is_empty() {
            let by = self.taker(position, "", alternative, rules, Known::Part);
            return Taken {
                whole: by.is_some(),
                example: by,
            };
        }
        // 不含 without a word of its own leaves too much open to speak of a part.
        Taken {
            whole: false,
            example,
        }
    }

    /// The first earlier rule that takes every message with the word.
    fn taker(
        &self,
        position: usize,
        word: &str,
        alternative: &Alternative,
        rules: &Rules,
        known: Known,
    ) -> Option<Example> {
        let mut best: Option<(usize, String)> = None;
        let mut candidates = 0;
        let mut consider = |owner: (usize, usize), by: &str| {
            let (rule, number) = owner;
            if rule >= position
                || candidates > MAX_CANDIDATES
                || best.as_ref().is_some_and(|(best, _)| *best <= rule)
            {
                return;
            }
            candidates += 1;
            let meets = |earlier: &&RuleFormula| {
                let later = rules.rules.get(position);
                later.is_some_and(|later| {
                    later.group == earlier.group || later.routed && earlier.routed
                })
            };
            let earlier = rules
                .rules
                .get(rule)
                .filter(meets)
                .and_then(|rule| rule.alternatives.as_ref()?.get(number));
            if earlier.is_some_and(|earlier| implied(earlier, word, alternative, known)) {
                best = Some((rule, by.to_owned()));
            }
        };
        if known == Known::Whole {
            for owner in self.equals.get(word).into_iter().flatten() {
                consider(*owner, word);
            }
        }
        if let Some(automaton) = &self.automaton
            && !word.is_empty()
        {
            for found in automaton.find_overlapping_iter(word) {
                let pattern = found.value() as usize;
                if let (Some(owners), Some(by)) =
                    (self.owners.get(pattern), self.words.get(pattern))
                {
                    for owner in owners {
                        consider(*owner, by);
                    }
                }
            }
        }
        for owner in &self.wordless {
            consider(*owner, "");
        }
        let (by, taken_by) = best?;
        Some(Example {
            message: word.to_owned(),
            word: taken_by,
            by,
        })
    }
}

/// How much of the message a word is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Known {
    Whole,
    Part,
}

/// Whether the earlier alternative holds whenever the later one does with this word.
fn implied(earlier: &Alternative, word: &str, later: &Alternative, known: Known) -> bool {
    // A rule without any condition left (an unknown name) proves nothing.
    if !earlier.has_text() && earlier.opaque.is_empty() {
        return false;
    }
    let contains = earlier
        .contains
        .iter()
        .all(|set| set.iter().any(|own| word.contains(own.as_str())));
    let equals = match &earlier.equals {
        None => true,
        Some(set) => known == Known::Whole && set.iter().any(|own| own == word),
    };
    let without = earlier.without.iter().all(|own| match known {
        Known::Whole => !word.contains(own.as_str()),
        Known::Part => later
            .without
            .iter()
            .any(|other| own.contains(other.as_str())),
    });
    let opaque = earlier
        .opaque
        .iter()
        .all(|literal| later.opaque.contains(literal));
    contains && equals && without && opaque
}

/// Two handoffs to different people: a message with the words of both goes to the earlier.
fn contested(position: usize, rules: &Rules) -> Option<Example> {
    let rule = rules.rules.get(position)?;
    let own = rule.target?;
    let alternative = rule
        .alternatives
        .as_ref()?
        .iter()
        .find(|one| one.contains.len() == 1)?;
    let word = alternative
        .contains
        .first()?
        .iter()
        .max_by_key(|word| word.chars().count())?;
    // Rules of a group stand together.
    let group = rules
        .rules
        .partition_point(|other| other.place < rule.place);
    let earlier = rules.rules.get(group..position)?;
    for (by, other) in (group..).zip(earlier).take(MAX_CANDIDATES) {
        if other.target.is_none_or(|theirs| theirs == own) {
            continue;
        }
        for theirs in other.alternatives.iter().flatten() {
            let free =
                theirs.opaque.is_empty() && theirs.without.is_empty() && theirs.contains.len() == 1;
            let Some(first) = theirs.contains.first().and_then(|set| set.first()) else {
                continue;
            };
            if !free {
                continue;
            }
            let message = format!("{word}{first}");
            if theirs.text_holds(&message) && alternative.text_holds(&message) {
                return Some(Example {
                    message,
                    word: first.clone(),
                    by,
                });
            }
        }
    }
    None
}

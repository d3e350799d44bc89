//! Conditions, compiled and evaluated.
//!
//! A compiled condition answers yes or no; only where an explanation wants it, a second pass says why.

use regex::{Regex, RegexBuilder};
use yingda_dsl::program::{Check, Condition, ConditionKind, EventKind, Program, TextMatch};
use yingda_models::text::fold;

use crate::bot::BuildError;
use crate::keyword::{KeywordBuilder, SetId};

/// Largest compiled size of one regular expression, bytes.
const REGEX_SIZE: usize = 1 << 20;

/// A condition with its words in the index and its expressions compiled.
pub(crate) struct Node {
    pub test: Test,
    /// As written.
    pub text: String,
}

pub(crate) enum Test {
    All(Vec<Node>),
    Any(Vec<Node>),
    Not(Box<Node>),
    /// 整句, 含, 不含, 词: by occurrences of the sets.
    Words {
        how: TextMatch,
        sets: Vec<SetId>,
    },
    /// 形如: over the folded text; the set holds the longest literal stretches, one of which must occur.
    Wildcard {
        shapes: Vec<Regex>,
        literals: Option<SetId>,
    },
    /// 正则: over the text with symbols kept.
    Pattern(Vec<Regex>),
    /// 近似
    Sounds(Vec<String>),
    /// Everything that is no text condition.
    Other(Check),
}

/// What is shared by the compilation of all conditions of a package.
pub(crate) struct Compiler<'p> {
    pub program: &'p Program,
    pub keywords: KeywordBuilder,
    /// Words of 词 conditions, which the dictionary must know whole.
    pub dictionary: Vec<String>,
    lists: Vec<Option<SetId>>,
}

impl<'p> Compiler<'p> {
    pub fn new(program: &'p Program) -> Compiler<'p> {
        Compiler {
            program,
            keywords: KeywordBuilder::default(),
            dictionary: Vec::new(),
            lists: vec![None; program.words.len()],
        }
    }

    pub fn compile(&mut self, condition: &Condition) -> Result<Node, BuildError> {
        let test = match &condition.kind {
            ConditionKind::All(children) => Test::All(self.compile_all(children)?),
            ConditionKind::Any(children) => Test::Any(self.compile_all(children)?),
            ConditionKind::Not(child) => Test::Not(Box::new(self.compile(child)?)),
            ConditionKind::Check(Check::Text { how, patterns }) => {
                self.compile_text(*how, &patterns.inline, &patterns.lists)?
            }
            ConditionKind::Check(check) => Test::Other(check.clone()),
        };
        Ok(Node {
            test,
            text: condition.text.clone(),
        })
    }

    fn compile_all(&mut self, children: &[Condition]) -> Result<Vec<Node>, BuildError> {
        children.iter().map(|child| self.compile(child)).collect()
    }

    fn compile_text(
        &mut self,
        how: TextMatch,
        inline: &[String],
        lists: &[usize],
    ) -> Result<Test, BuildError> {
        let program = self.program;
        let listed = || lists.iter().filter_map(|&list| program.words.get(list));
        let all = || {
            inline
                .iter()
                .chain(listed().flat_map(|list| list.words.iter()))
                .map(String::as_str)
        };
        if how == TextMatch::Word {
            self.dictionary.extend(all().map(fold));
        }
        Ok(match how {
            TextMatch::Equals | TextMatch::Contains | TextMatch::NotContains | TextMatch::Word => {
                let mut sets = Vec::new();
                if !inline.is_empty() {
                    sets.push(self.keywords.add_set(inline.iter().map(String::as_str)));
                }
                for &list in lists {
                    sets.extend(self.word_list(list));
                }
                Test::Words { how, sets }
            }
            TextMatch::SoundsLike => Test::Sounds(all().map(fold).collect()),
            TextMatch::Wildcard => {
                let shapes = all().map(wildcard).collect::<Result<_, _>>()?;
                let literals: Option<Vec<String>> = all().map(longest_literal).collect();
                Test::Wildcard {
                    shapes,
                    literals: literals
                        .map(|words| self.keywords.add_set(words.iter().map(String::as_str))),
                }
            }
            TextMatch::Regex => Test::Pattern(all().map(regex).collect::<Result<_, _>>()?),
        })
    }

    fn word_list(&mut self, list: usize) -> Option<SetId> {
        let words = self.program.words.get(list)?;
        let known = self.lists.get_mut(list)?;
        if known.is_none() {
            *known = Some(
                self.keywords
                    .add_set(words.words.iter().map(String::as_str)),
            );
        }
        *known
    }
}

/// A regular expression in the form the engine runs it: ignoring case, with a cap on its size.
pub(crate) fn regex(pattern: &str) -> Result<Regex, BuildError> {
    RegexBuilder::new(pattern)
        .case_insensitive(true)
        .size_limit(REGEX_SIZE)
        .build()
        .map_err(|error| BuildError::Regex {
            pattern: pattern.to_owned(),
            error: error.to_string(),
        })
}

/// `*` any run, `?` one character, over the whole folded message.
fn wildcard(pattern: &str) -> Result<Regex, BuildError> {
    let mut expression = String::from("^");
    for part in wildcard_parts(pattern) {
        match part {
            WildcardPart::Literal(text) => expression.push_str(&regex::escape(&fold(&text))),
            WildcardPart::Run => expression.push_str(".*"),
            WildcardPart::One => expression.push('.'),
        }
    }
    expression.push('$');
    regex(&expression)
}

fn longest_literal(pattern: &str) -> Option<String> {
    wildcard_parts(pattern)
        .into_iter()
        .filter_map(|part| match part {
            WildcardPart::Literal(text) => Some(fold(&text)).filter(|text| !text.is_empty()),
            _ => None,
        })
        .max_by_key(|text| text.chars().count())
}

enum WildcardPart {
    Literal(String),
    Run,
    One,
}

fn wildcard_parts(pattern: &str) -> Vec<WildcardPart> {
    let mut parts = Vec::new();
    for c in pattern.chars() {
        match c {
            '*' | '＊' => parts.push(WildcardPart::Run),
            '?' | '？' => parts.push(WildcardPart::One),
            c => match parts.last_mut() {
                Some(WildcardPart::Literal(text)) => text.push(c),
                _ => parts.push(WildcardPart::Literal(c.to_string())),
            },
        }
    }
    parts
}

/// What a condition cannot hold without, known before it is evaluated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Requirement {
    pub needs: Needs,
    /// Why it fails without.
    pub missed: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Needs {
    /// A word of one of the sets.
    Words(Vec<SetId>),
    /// An event that is no message.
    Event,
}

/// What a condition cannot hold without; `None` where nothing is known.
pub(crate) fn requirement(node: &Node) -> Option<Requirement> {
    let words = |sets: Vec<SetId>| Requirement {
        needs: Needs::Words(sets),
        missed: format!("{}：没有出现", node.text),
    };
    let event = || Requirement {
        needs: Needs::Event,
        missed: format!("{}：不是这个事件", node.text),
    };
    match &node.test {
        Test::Words {
            how: TextMatch::NotContains,
            ..
        } => None,
        Test::Words { sets, .. } => Some(words(sets.clone())),
        Test::Wildcard {
            literals: Some(set),
            ..
        } => Some(words(vec![*set])),
        Test::Other(Check::Event(kinds)) => {
            // A message can be the first contact, or the first after a while.
            let by_message =
                |kind: &EventKind| matches!(kind, EventKind::FirstContact | EventKind::Return);
            (!kinds.iter().any(by_message)).then(event)
        }
        Test::All(children) => children.iter().find_map(requirement),
        Test::Any(children) if !children.is_empty() => {
            let all: Option<Vec<Requirement>> = children.iter().map(requirement).collect();
            let all = all?;
            if all.iter().all(|r| r.needs == Needs::Event) {
                return Some(event());
            }
            let mut sets = Vec::new();
            for requirement in all {
                match requirement.needs {
                    Needs::Words(more) => sets.extend(more),
                    Needs::Event => return None,
                }
            }
            sets.sort_unstable();
            sets.dedup();
            Some(words(sets))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_match_the_whole_message() {
        let cases = [
            ("怎么*退货", "怎么申请退货", true),
            ("怎么*退货", "怎么退货", true),
            ("怎么*退货", "请问怎么退货", false),
            ("退?货", "退 货", true),
            ("退？货", "退换货", true),
            ("退?货", "退货", false),
            ("a.c", "abc", false),
        ];
        for (pattern, text, expected) in cases {
            assert_eq!(
                wildcard(pattern).unwrap().is_match(text),
                expected,
                "{pattern} {text}"
            );
        }
    }

    #[test]
    fn an_expression_that_would_explode_is_refused() {
        assert!(regex("(a{1000}){1000}").is_err());
        assert!(regex("(").is_err());
    }
}

//! The words of a file in order, each with what it is: what the formatter prints.

use pest::Parser;
use pest::iterators::Pair;

use super::{Grammar, Rule};
use crate::keywords::{self, Group, Keyword};

/// A piece of the text with a meaning of its own; what stands between two is punctuation, white space and comments.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Leaf {
    pub kind: LeafKind,
    pub start: usize,
    pub end: usize,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum LeafKind {
    /// A word of the language.
    Keyword(&'static Keyword),
    Name,
    Quoted,
    Number,
    Duration,
    Time,
    Date,
    Day,
    /// `= ≠ ≥ ≤ > <`
    Sign(&'static str),
    /// A menu item's number, behind which a dot may stand.
    ItemNumber,
    /// A scorecard's block, kept as it is.
    Raw,
}

/// The leaves of a text that parses; `None` for one that does not.
pub(crate) fn leaves(source: &str) -> Option<Vec<Leaf>> {
    let pairs = Grammar::parse(Rule::file, source).ok()?;
    let mut leaves = Vec::new();
    for pair in pairs {
        collect(pair, None, &mut leaves);
    }
    Some(leaves)
}

fn collect(pair: Pair<'_, Rule>, options: Option<Group>, leaves: &mut Vec<Leaf>) {
    let kind = pair.as_rule();
    let span = pair.as_span();
    let mut push = |kind: LeafKind| {
        leaves.push(Leaf {
            kind,
            start: span.start(),
            end: span.start() + pair.as_str().trim_end().len(),
        });
    };
    let text = pair.as_str();
    match kind {
        Rule::string => push(LeafKind::Quoted),
        Rule::int | Rule::number | Rule::percent => push(LeafKind::Number),
        Rule::duration => push(LeafKind::Duration),
        Rule::time => push(LeafKind::Time),
        Rule::date => push(LeafKind::Date),
        Rule::day => push(LeafKind::Day),
        Rule::raw_block => push(LeafKind::Raw),
        Rule::op_ge => push(LeafKind::Sign("≥")),
        Rule::op_le => push(LeafKind::Sign("≤")),
        Rule::op_gt => push(LeafKind::Sign(">")),
        Rule::op_lt => push(LeafKind::Sign("<")),
        Rule::op_ne if pair.clone().into_inner().next().is_none() => push(LeafKind::Sign("≠")),
        Rule::op_eq if pair.clone().into_inner().next().is_none() => push(LeafKind::Sign("=")),
        Rule::field => field(pair, leaves),
        Rule::ident => push(
            options
                .and_then(|group| keywords::find(group, text))
                .map_or(LeafKind::Name, LeafKind::Keyword),
        ),
        Rule::kw_choice_type => {
            push(keywords::find(Group::Type, text).map_or(LeafKind::Name, LeafKind::Keyword))
        }
        Rule::menu_item => {
            let mut inner = pair.into_inner();
            if let Some(number) = inner.next() {
                let span = number.as_span();
                leaves.push(Leaf {
                    kind: LeafKind::ItemNumber,
                    start: span.start(),
                    end: span.end(),
                });
            }
            for part in inner {
                collect(part, None, leaves);
            }
        }
        _ => {
            let options = match kind {
                Rule::type_of => Some(Group::Type),
                Rule::interruptible => Some(Group::Interrupt),
                Rule::strategy => Some(Group::Strategy),
                Rule::event => Some(Group::Event),
                Rule::test_sends | Rule::kind_check => Some(Group::Kind),
                Rule::emotion_check => Some(Group::Emotion),
                Rule::words_list | Rule::name => options,
                _ => None,
            };
            let mut inner = pair.clone().into_inner().peekable();
            if inner.peek().is_none() && format!("{kind:?}").starts_with("kw_") {
                push(keywords::grammar_word(text).map_or(LeafKind::Name, LeafKind::Keyword));
            }
            for part in inner {
                collect(part, options, leaves);
            }
        }
    }
}

/// A field's parts: 客户, 会话 and the like are words of the language there.
fn field(pair: Pair<'_, Rule>, leaves: &mut Vec<Leaf>) {
    let parts: Vec<Pair<'_, Rule>> = pair.into_inner().collect();
    let first = parts.first().map_or("", |part| part.as_str());
    let alone = parts.len() == 1;
    let figures = keywords::find(Group::Figure, first)
        .is_some_and(|word| matches!(word.en, "conversation" | "queue"))
        || keywords::grammar_word(first).is_some_and(|word| word.en == "message");
    for (index, part) in parts.iter().enumerate() {
        let text = part.as_str().trim_end();
        let word = match (index, alone) {
            (0, true) => keywords::find(Group::Boolean, text)
                .or_else(|| keywords::grammar_word(text).filter(|word| word.en == "now"))
                .or_else(|| keywords::find(Group::Figure, text).filter(|word| word.en == "load")),
            (0, false) => keywords::grammar_word(text)
                .filter(|word| matches!(word.en, "customer" | "message"))
                .or_else(|| {
                    keywords::find(Group::Figure, text)
                        .filter(|word| matches!(word.en, "conversation" | "queue"))
                }),
            _ if figures => keywords::find(Group::Figure, text),
            _ => None,
        };
        let span = part.as_span();
        let quoted = text.starts_with(['"', '“', '”', '「', '＂']);
        leaves.push(Leaf {
            kind: match word {
                Some(word) => LeafKind::Keyword(word),
                None if quoted => LeafKind::Quoted,
                None => LeafKind::Name,
            },
            start: span.start(),
            end: span.start() + text.len(),
        });
    }
}

//! Conditions, from pairs to tree.

use super::Rule;
use super::tree::{Node, Tree, number};
use crate::ast::{Check, Condition, ConditionKind, Event, Pattern, Sign};
use crate::program::{Compare, TextMatch};

impl Tree<'_> {
    pub fn condition(&mut self, node: Node<'_>) -> Condition {
        let span = self.span(&node);
        let text = squeeze(node.as_str());
        let mut parts = Vec::new();
        let mut signs = Vec::new();
        for inner in node.into_inner() {
            match inner.as_rule() {
                Rule::unary => parts.extend(self.unary(inner)),
                Rule::kw_and => signs.push(Sign::And),
                Rule::kw_or => signs.push(Sign::Or),
                _ => {}
            }
        }
        if parts.len() == 1
            && let Some(part) = parts.pop()
        {
            return part;
        }
        Condition {
            kind: ConditionKind::Chain { parts, signs },
            text,
            span,
        }
    }

    fn unary(&mut self, node: Node<'_>) -> Option<Condition> {
        let span = self.span(&node);
        let text = squeeze(node.as_str());
        let mut negated = false;
        let mut condition = None;
        for inner in node.into_inner() {
            match inner.as_rule() {
                Rule::kw_not => negated = true,
                Rule::cond => condition = Some(self.condition(inner)),
                _ => {
                    let span = self.span(&inner);
                    let text = squeeze(inner.as_str());
                    condition = self.check(inner).map(|check| Condition {
                        kind: ConditionKind::Check(check),
                        text,
                        span,
                    });
                }
            }
        }
        let condition = condition?;
        Some(if negated {
            Condition {
                kind: ConditionKind::Not(Box::new(condition)),
                text,
                span,
            }
        } else {
            condition
        })
    }

    fn check(&mut self, node: Node<'_>) -> Option<Check> {
        let kind = node.as_rule();
        let inner: Vec<Node<'_>> = node.clone().into_inner().collect();
        let list = inner
            .iter()
            .find(|child| child.as_rule() == Rule::words_list)
            .map(|child| self.names(child.clone()))
            .unwrap_or_default();
        let min = inner
            .iter()
            .find(|child| child.as_rule() == Rule::confidence)
            .and_then(|child| confidence(child.clone()));
        Some(match kind {
            Rule::kind_check => Check::Kind(list),
            Rule::text_check => self.text_check(node)?,
            Rule::intent_check => Check::Intent { labels: list, min },
            Rule::faq_check => Check::Faq { min },
            Rule::emotion_check => Check::Emotion(list),
            Rule::entity_check => Check::Entity(list),
            Rule::segment_check => Check::Segment(self.name_in(node)?),
            Rule::tag_check => Check::Tag(self.text_in(node)?),
            Rule::bound_check => Check::Bound,
            Rule::channel_check => Check::Channel(list),
            Rule::scene_check => Check::Scene(list),
            Rule::schedule_check => Check::Schedule {
                outside: inner.iter().any(|child| child.as_rule() == Rule::kw_not_in),
                name: self.name_in(node)?,
            },
            Rule::event_check => Check::Event(
                inner
                    .into_iter()
                    .filter(|child| child.as_rule() == Rule::event)
                    .filter_map(|child| self.event(child))
                    .collect(),
            ),
            Rule::arm_check => {
                let mut names = self.names(node).into_iter();
                Check::Arm {
                    experiment: names.next()?,
                    arm: names.next()?,
                }
            }
            Rule::compare => self.compare(node)?,
            _ => return None,
        })
    }

    pub fn event(&mut self, node: Node<'_>) -> Option<Event> {
        let mut kind = None;
        let mut argument = None;
        for inner in node.into_inner() {
            match inner.as_rule() {
                Rule::ident => kind = Some(self.name(&inner)),
                Rule::string => argument = Some(self.text(&inner)),
                _ => {}
            }
        }
        Some(Event {
            kind: kind?,
            argument,
        })
    }

    fn text_check(&mut self, node: Node<'_>) -> Option<Check> {
        let mut how = None;
        let mut patterns = Vec::new();
        for inner in node.into_inner() {
            match inner.as_rule() {
                Rule::text_match => {
                    how = inner
                        .into_inner()
                        .next()
                        .and_then(|word| text_match(word.as_rule()))
                }
                Rule::patterns => {
                    for pattern in inner.into_inner().flat_map(Node::into_inner) {
                        match pattern.as_rule() {
                            Rule::string => patterns.push(Pattern::Word(self.text(&pattern))),
                            Rule::ident => patterns.push(Pattern::List(self.name(&pattern))),
                            _ => {}
                        }
                    }
                }
                _ => {}
            }
        }
        Some(Check::Text {
            how: how?,
            patterns,
        })
    }

    fn compare(&mut self, node: Node<'_>) -> Option<Check> {
        let mut left = None;
        let mut op = None;
        let mut right = None;
        let mut membership = None;
        for inner in node.into_inner() {
            match inner.as_rule() {
                Rule::field => left = Some(self.field(inner)),
                Rule::compare_op => {
                    op = inner
                        .into_inner()
                        .next()
                        .and_then(|sign| compare_sign(sign.as_rule()))
                }
                Rule::expr => right = Some(self.expr(inner)),
                Rule::compare_in => membership = Some(inner),
                _ => {}
            }
        }
        let left = left?;
        if let Some(membership) = membership {
            // Without brackets it is a range.
            let range = !membership.as_str().trim_end().ends_with([')', '）']);
            let mut outside = false;
            let mut values = Vec::new();
            for inner in membership.into_inner() {
                match inner.as_rule() {
                    Rule::kw_not_in => outside = true,
                    Rule::expr => values.push(self.expr(inner)),
                    _ => {}
                }
            }
            return Some(if range {
                let high = values.pop()?;
                let low = values.pop()?;
                Check::Between {
                    left,
                    low,
                    high,
                    outside,
                }
            } else {
                Check::OneOf {
                    left,
                    values,
                    outside,
                }
            });
        }
        Some(match (op, right) {
            (Some(op), Some(right)) => Check::Compare { left, op, right },
            _ => Check::Present(left),
        })
    }
}

/// 置信度 ≥ n
pub(super) fn confidence(node: Node<'_>) -> Option<f64> {
    node.into_inner()
        .find(|inner| inner.as_rule() == Rule::number)
        .map(|inner| number(inner.as_str()))
}

fn text_match(word: Rule) -> Option<TextMatch> {
    Some(match word {
        Rule::kw_contains_not => TextMatch::NotContains,
        Rule::kw_contains => TextMatch::Contains,
        Rule::kw_equals => TextMatch::Equals,
        Rule::kw_word => TextMatch::Word,
        Rule::kw_sounds_like => TextMatch::SoundsLike,
        Rule::kw_like => TextMatch::Wildcard,
        Rule::kw_regex => TextMatch::Regex,
        _ => return None,
    })
}

fn compare_sign(sign: Rule) -> Option<Compare> {
    Some(match sign {
        Rule::op_ge => Compare::AtLeast,
        Rule::op_le => Compare::AtMost,
        Rule::op_ne => Compare::NotEqual,
        Rule::op_eq => Compare::Equal,
        Rule::op_gt => Compare::More,
        Rule::op_lt => Compare::Less,
        _ => return None,
    })
}

/// Without comments, runs of white space made one space.
fn squeeze(text: &str) -> String {
    let plain = if text.contains(['#', '＃']) || text.contains("//") {
        let mut plain = String::with_capacity(text.len());
        let mut at = 0;
        for token in super::scan(text) {
            if token.kind == super::TokenKind::Comment {
                plain.push_str(text.get(at..token.start).unwrap_or_default());
                at = token.end;
            }
        }
        plain.push_str(text.get(at..).unwrap_or_default());
        std::borrow::Cow::Owned(plain)
    } else {
        std::borrow::Cow::Borrowed(text)
    };
    let mut out = String::with_capacity(plain.len());
    for word in plain.split_whitespace() {
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(word);
    }
    out
}

//! Conditions as written.

use super::{Expr, FieldPath, Name, Text};
use crate::program::{Compare, TextMatch};
use crate::source::Span;

#[derive(Debug, Clone, PartialEq)]
pub struct Condition {
    pub kind: ConditionKind,
    /// As written, without comments, runs of white space made one space.
    pub text: String,
    pub span: Span,
}

#[derive(Debug, Clone, PartialEq)]
pub enum ConditionKind {
    /// Conditions joined by 且 and 或 as written; `true` is 且. Mixed signs are an error found by a check.
    Chain {
        parts: Vec<Condition>,
        signs: Vec<Sign>,
    },
    Not(Box<Condition>),
    Check(Check),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sign {
    And,
    Or,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Check {
    Kind(Vec<Name>),
    Text {
        how: TextMatch,
        patterns: Vec<Pattern>,
    },
    Intent {
        labels: Vec<Name>,
        min: Option<f64>,
    },
    Faq {
        min: Option<f64>,
    },
    Emotion(Vec<Name>),
    Entity(Vec<Name>),
    Segment(Name),
    Tag(Text),
    Channel(Vec<Name>),
    Scene(Vec<Name>),
    Bound,
    /// 现在 在 X; the flag is 不在
    Schedule {
        name: Name,
        outside: bool,
    },
    Event(Vec<Event>),
    Arm {
        experiment: Name,
        arm: Name,
    },
    Compare {
        left: FieldPath,
        op: Compare,
        right: Expr,
    },
    OneOf {
        left: FieldPath,
        values: Vec<Expr>,
        outside: bool,
    },
    Between {
        left: FieldPath,
        low: Expr,
        high: Expr,
        outside: bool,
    },
    Present(FieldPath),
}

/// A word of a text condition, or the name of a word list.
#[derive(Debug, Clone, PartialEq)]
pub enum Pattern {
    Word(Text),
    List(Name),
}

#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    pub kind: Name,
    pub argument: Option<Text>,
}

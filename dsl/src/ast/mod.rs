//! The typed syntax tree: what was written, names not yet resolved. Nothing outside `parse` knows pest.

mod condition;
mod declaration;
mod step;

pub use condition::*;
pub use declaration::*;
pub use step::*;

use crate::source::Span;

/// A name as written, without quotes.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Name {
    pub text: String,
    pub span: Span,
}

/// A quoted text: what stands between the quotes, escapes untouched.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Text {
    pub raw: String,
    /// With the quotes.
    pub span: Span,
    /// Byte offset of `raw` in the file.
    pub inner: u32,
}

impl Text {
    /// The text with `\n`, `\t`, `\"`, `\\`, `\{` and `\}` resolved.
    pub fn value(&self) -> String {
        let mut out = String::with_capacity(self.raw.len());
        let mut chars = self.raw.chars();
        while let Some(character) = chars.next() {
            match character {
                '\\' => match chars.next() {
                    Some('n') => out.push('\n'),
                    Some('t') => out.push('\t'),
                    Some(other) => out.push(other),
                    None => out.push('\\'),
                },
                other => out.push(other),
            }
        }
        out
    }

    /// The text of a regular expression: only the quote is escaped.
    pub fn pattern(&self) -> String {
        self.raw.replace("\\\"", "\"")
    }
}

/// `a.b` or `a`.
#[derive(Debug, Clone, PartialEq)]
pub struct FieldPath {
    pub parts: Vec<Name>,
    pub span: Span,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Expr {
    pub kind: ExprKind,
    pub span: Span,
}

#[derive(Debug, Clone, PartialEq)]
pub enum ExprKind {
    Number(f64),
    Text(Text),
    Date(jiff::civil::Date),
    Time(jiff::civil::Time),
    DateTime(jiff::civil::DateTime),
    Field(FieldPath),
    /// A date or time that is none (`2026-02-30`); reported where it was read.
    Invalid,
}

/// A type as written.
#[derive(Debug, Clone, PartialEq)]
pub struct TypeName {
    pub name: Name,
    /// 选择 (…)
    pub choices: Vec<Text>,
}

//! What is wrong with a package, where, and how to mend it: one plain value for every front end.

use serde::{Deserialize, Serialize};

use crate::source::Span;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    Error,
    Warning,
}

/// The language people are spoken to in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Lang {
    #[default]
    Zh,
    En,
}

/// One finding. Codes are stable and never reused (`语法-03`, `含义-01`, `冲突-02`, …).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Diagnostic {
    pub code: &'static str,
    pub severity: Severity,
    pub span: Span,
    /// What is wrong, in Chinese.
    pub message: String,
    /// The same in English.
    pub message_en: String,
    /// What stands under the caret (`这里应先写「则」`), where there is more to say than the message.
    pub label: Option<String>,
    /// What to do, in Chinese and English.
    pub help: Option<String>,
    pub help_en: Option<String>,
    /// Other places that matter (the first of two equal names), each with a note.
    pub related: Vec<(Span, String)>,
    /// Edits that mend it, applicable without asking.
    pub fixes: Vec<Fix>,
}

/// Replace the bytes of `span` by `replacement`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fix {
    pub title: String,
    pub span: Span,
    pub replacement: String,
}

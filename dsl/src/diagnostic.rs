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

impl Diagnostic {
    /// An error with its Chinese and English message.
    pub fn error(
        code: &'static str,
        span: Span,
        zh: impl Into<String>,
        en: impl Into<String>,
    ) -> Self {
        Diagnostic {
            code,
            severity: Severity::Error,
            span,
            message: zh.into(),
            message_en: en.into(),
            label: None,
            help: None,
            help_en: None,
            related: Vec::new(),
            fixes: Vec::new(),
        }
    }

    /// A warning with its Chinese and English message.
    pub fn warning(
        code: &'static str,
        span: Span,
        zh: impl Into<String>,
        en: impl Into<String>,
    ) -> Self {
        Diagnostic {
            severity: Severity::Warning,
            ..Diagnostic::error(code, span, zh, en)
        }
    }

    /// What to do about it.
    pub fn help(mut self, zh: impl Into<String>, en: impl Into<String>) -> Self {
        self.help = Some(zh.into());
        self.help_en = Some(en.into());
        self
    }

    /// What stands under the caret.
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = Some(label.into());
        self
    }

    /// Another place that matters.
    pub fn related(mut self, span: Span, note: impl Into<String>) -> Self {
        self.related.push((span, note.into()));
        self
    }

    /// An edit that mends it.
    pub fn fix(
        mut self,
        title: impl Into<String>,
        span: Span,
        replacement: impl Into<String>,
    ) -> Self {
        self.fixes.push(Fix {
            title: title.into(),
            span,
            replacement: replacement.into(),
        });
        self
    }
}

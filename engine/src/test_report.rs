//! How a package's test came out, as data and as text.

use yingda_dsl::diagnostic::Lang;
use yingda_dsl::source::Span;

use crate::explanation::{Explanation, render};

/// How one test came out.
#[derive(Debug, Clone, PartialEq)]
pub struct TestReport {
    pub name: String,
    pub span: Span,
    /// `None`: passed.
    pub failure: Option<TestFailure>,
    /// The conversation up to its end or to the failure.
    pub conversation: Vec<Line>,
}

impl TestReport {
    pub fn passed(&self) -> bool {
        self.failure.is_none()
    }
}

/// The first expectation that did not come true.
#[derive(Debug, Clone, PartialEq)]
pub struct TestFailure {
    /// Of the step.
    pub span: Span,
    pub message: String,
    pub message_en: String,
    /// Why the turn before it came out as it did.
    pub explanation: Option<Explanation>,
}

/// A line of a played conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    pub speaker: Speaker,
    pub text: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Speaker {
    Customer,
    Bot,
    /// What happened without words: a handoff, time that passed.
    Event,
}

/// A failed test as text: what was expected, the conversation, the explanation.
pub fn render_failure(report: &TestReport, lang: Lang) -> String {
    let Some(failure) = &report.failure else {
        return String::new();
    };
    let (message, customer, bot) = match lang {
        Lang::Zh => (&failure.message, "客户", "机器人"),
        Lang::En => (&failure.message_en, "customer", "bot"),
    };
    let mut out = format!("{message}\n");
    for line in &report.conversation {
        let speaker = match line.speaker {
            Speaker::Customer => customer,
            Speaker::Bot => bot,
            Speaker::Event => "·",
        };
        out.push_str(&format!(
            "  {speaker}  {}\n",
            line.text.replace('\n', "\n      ")
        ));
    }
    if let Some(explanation) = &failure.explanation {
        for line in render(explanation, lang).lines() {
            out.push_str(&format!("  {line}\n"));
        }
    }
    out
}

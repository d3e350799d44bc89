//! Steps as written.

use super::{Condition, Expr, FieldPath, Name, Text, TypeName};
use crate::program::MessageKind;
use crate::source::Span;

pub type Block = Vec<Step>;

#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    pub kind: StepKind,
    pub span: Span,
}

#[derive(Debug, Clone, PartialEq)]
pub enum StepKind {
    Say(Sayable),
    SendMedia {
        kind: MessageKind,
        media: Text,
    },
    /// 发图文 and 发链接
    SendNews(Vec<Part>),
    SendMiniProgram(Vec<Part>),
    Ask(Ask),
    Call(Call),
    If(If),
    Set {
        target: FieldPath,
        value: Expr,
    },
    Tag(Text),
    Untag(Text),
    Remark(Text),
    Ticket {
        title: Text,
        body: Option<Text>,
    },
    Notify {
        webhook: Name,
        text: Text,
    },
    Answer(Text),
    Suggest(Option<u32>),
    Soothe,
    Experiment(Name),
    EnterFlow(Name),
    EnterMenu(Name),
    Handoff(Handoff),
    LeaveMessage(Option<Text>),
    ReturnToBot,
    Block(Option<Text>),
    End,
    Menu(Menu),
}

#[derive(Debug, Clone, PartialEq)]
pub enum Sayable {
    /// One text, or 任选 (…)
    Texts(Vec<Text>),
    Script(Name),
}

/// `标题: "…"` and the like; `key` is the keyword's English alias.
#[derive(Debug, Clone, PartialEq)]
pub struct Part {
    pub key: String,
    pub value: Text,
    pub span: Span,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Ask {
    pub variable: Name,
    pub ty: Option<TypeName>,
    pub prompt: Sayable,
    pub pattern: Option<Text>,
    pub retries: Option<u32>,
    pub retry_prompt: Option<Sayable>,
    pub give_up: Option<Block>,
    /// 确认, with its own sentence or without
    pub confirm: Option<Option<Text>>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    pub connector: Name,
    pub arguments: Vec<(Option<Name>, Expr)>,
    pub arguments_span: Span,
    pub result: Option<Name>,
    pub timeout_ms: Option<u64>,
    pub success: Option<Block>,
    pub failure: Option<Block>,
    pub timed_out: Option<Block>,
    /// Name and arguments, where a missing branch is shown.
    pub head: Span,
    /// Just before the closing brace, where a missing branch is put.
    pub branches_end: Option<u32>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct If {
    pub arms: Vec<(Condition, Block)>,
    pub otherwise: Option<Block>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Handoff {
    /// `None` is 专属客服
    pub group: Option<Name>,
    pub urgent: bool,
    pub note: Option<Text>,
    /// Seconds and what happens then
    pub queue_over: Option<(u32, Block)>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Menu {
    pub name: Option<Name>,
    pub prompt: Option<Sayable>,
    pub items: Vec<MenuItem>,
    pub miss: Option<(u32, Option<Sayable>)>,
    pub other: Option<Block>,
    pub span: Span,
    /// Keyword and name, where a missing 其它 is shown.
    pub head: Span,
    /// Just before the closing brace.
    pub end: u32,
}

#[derive(Debug, Clone, PartialEq)]
pub struct MenuItem {
    pub number: u32,
    pub number_span: Span,
    pub text: Text,
    pub synonyms: Vec<Text>,
    pub action: Block,
    pub span: Span,
}

//! Conditions: 当 …

use serde::{Deserialize, Serialize};

use super::value::{Expr, Field};
use crate::source::Span;

/// A condition with its source text, which explanations quote.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Condition {
    pub kind: ConditionKind,
    /// As written, without comments.
    pub text: String,
    pub span: Span,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum ConditionKind {
    /// 且
    All(Vec<Condition>),
    /// 或
    Any(Vec<Condition>),
    /// 非
    Not(Box<Condition>),
    Check(Check),
}

/// One condition without 且, 或, 非.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Check {
    /// 消息 是 图片
    Kind(Vec<MessageKind>),
    /// 消息 含 / 整句 / 词 / 近似 / 形如 / 正则 / 不含
    Text { how: TextMatch, patterns: Patterns },
    /// 意图 是 X [置信度 ≥ n]; ids, never names
    Intent {
        labels: Vec<String>,
        min: Option<f64>,
    },
    /// 常见问题 [置信度 ≥ n]
    Faq { min: Option<f64> },
    /// 情绪 是 …
    Emotion(Vec<Emotion>),
    /// 实体 手机号; ids
    Entity(Vec<String>),
    /// 客户 属于 X: index into segments
    Segment(usize),
    /// 有标签 "…"
    Tag(String),
    /// 渠道 是 "…"
    Channel(Vec<String>),
    /// 来源 是 "…": scene of the code the customer scanned
    Scene(Vec<String>),
    /// 客户 已绑定
    Bound,
    /// 现在 在 X: index into schedules
    Schedule(usize),
    /// 事件 是 …
    Event(Vec<EventKind>),
    /// 实验 X 是 组: index into experiments and arms
    Arm { experiment: usize, arm: usize },
    /// a op b
    Compare {
        left: Field,
        op: Compare,
        right: Expr,
    },
    /// a 在 (…)
    OneOf { left: Field, values: Vec<Expr> },
    /// a 在 x 至 y, both ends included
    Between { left: Field, low: Expr, high: Expr },
    /// a 有值
    Present(Field),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum TextMatch {
    /// 整句: the whole normalised message, surrounding punctuation and emoji set apart
    Equals,
    /// 含: substring
    Contains,
    /// 不含
    NotContains,
    /// 词: a whole segmented word
    Word,
    /// 近似: by pinyin
    SoundsLike,
    /// 形如: `*` any run, `?` one character, over the whole message
    Wildcard,
    /// 正则: linear-time regular expression, anywhere in the message
    Regex,
}

/// The words of a text condition: inline, by list, or both.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Patterns {
    pub inline: Vec<String>,
    /// Indices into word lists.
    pub lists: Vec<usize>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Compare {
    Equal,
    NotEqual,
    AtLeast,
    AtMost,
    More,
    Less,
}

/// What a customer sends, and what a channel can carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MessageKind {
    Text,
    Image,
    Voice,
    Video,
    Location,
    Link,
    MiniProgram,
    Sticker,
    News,
    Music,
    File,
    Menu,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Emotion {
    Neutral,
    Anxious,
    Angry,
    Satisfied,
}

/// 事件 是 …
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum EventKind {
    /// 关注
    Subscribe,
    /// 扫码, optionally of one scene
    Scan(Option<String>),
    /// 点击菜单, optionally one key
    MenuClick(Option<String>),
    /// 首次进线: the customer's first message or event ever
    FirstContact,
    /// 进入会话
    Enter,
    /// 再次进线: first message after a closed conversation
    Return,
    /// 评价
    Rating,
    /// 会话结束
    Closed,
}

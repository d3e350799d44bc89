//! 测试: a conversation and what must come of it.

use jiff::civil::DateTime;
use serde::{Deserialize, Serialize};

use super::condition::{EventKind, MessageKind};
use super::value::Value;
use crate::source::Span;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Test {
    pub name: String,
    pub steps: Vec<TestStep>,
    pub span: Span,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TestStep {
    pub kind: TestStepKind,
    pub span: Span,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum TestStepKind {
    /// 设 客户.等级 = "VIP"
    SetAttribute { name: String, value: Value },
    /// 设 现在 = 2026-11-20 10:12 (in the bot's time zone)
    SetNow(DateTime),
    /// 设 接口.X = 成功 (…) / 失败 / 超时
    SetConnector {
        connector: usize,
        outcome: ScriptedOutcome,
    },
    /// 设 实验.X = 组
    SetArm { experiment: usize, arm: usize },
    /// 经过 90秒: time passes, timers fire; milliseconds
    Pass { ms: u64 },
    /// 客户 "…"
    Customer(String),
    /// 客户 发 图片
    CustomerSends(MessageKind),
    /// 客户 事件 关注
    CustomerEvent(EventKind),
    /// 机器人 含 / 整句 / 不含 "…", about everything the bot said since the last customer line
    Bot { how: BotMatch, text: String },
    /// 期望 …
    Expect(Expectation),
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum ScriptedOutcome {
    Success(Vec<(String, Value)>),
    Failure,
    Timeout,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum BotMatch {
    Contains,
    Equals,
    NotContains,
}

/// 期望 …, about the last turn (or the state after it).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Expectation {
    /// 转人工 [技能组 X] [紧急]
    Handoff { group: Option<usize>, urgent: bool },
    /// 转人工 专属客服
    HandoffExclusive,
    /// 不转人工
    NoHandoff,
    /// 流程 X: waits in it
    InFlow(usize),
    /// 没有流程
    NoFlow,
    /// 规则 "X" decided
    Rule(String),
    /// 标签 "X"
    Tag(String),
    /// 意图 X (id)
    Intent(String),
    /// 回答 "…": FAQ entry answered, index
    Answer(usize),
    /// 调用 X
    Called(usize),
    /// 沉默: nothing was sent
    Silent,
}

//! Code: what is done, one flat list of steps per routine.

use serde::{Deserialize, Serialize};

use super::condition::Condition;
use super::value::{Expr, Template, Type};
use crate::source::Span;

/// A piece of code that can be entered. Falling off the end is the same as [`Op::End`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Routine {
    /// Stable across versions: `流程 查订单`, `菜单 退换货`, `规则 日常/打招呼`, `意图 track_order`, `兜底`,
    /// `未识别`, `技能组 售后组/排队超过`, `技能组 售后组/排队上限`.
    pub key: String,
    pub kind: RoutineKind,
    /// Flow, menu or rule name as people know it.
    pub name: String,
    pub code: Vec<Step>,
    pub span: Span,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum RoutineKind {
    Flow(Interrupt),
    Menu,
    /// A rule's, intent's, fallback's or overflow's action.
    Action,
}

/// What happens to a waiting flow when a message belongs elsewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Interrupt {
    /// 可打断 恢复: answer the other thing, then ask again. The default.
    #[default]
    Resume,
    /// 可打断 询问: ask which
    Ask,
    /// 可打断 放弃: the flow is over
    Abandon,
    /// 不可打断: the waiting step takes every message
    Never,
}

/// Index into [`Routine::code`].
pub type Pc = usize;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Step {
    pub op: Op,
    /// Of the step's meaning, without spans: equal in two versions when the step is unchanged.
    pub hash: u64,
    pub span: Span,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Op {
    /// 说
    Say(Say),
    /// 发图片 / 发语音 / 发视频 / 发文件: a media name, bound to a media id in the account's configuration, or a media id
    SendMedia {
        kind: super::condition::MessageKind,
        media: String,
    },
    /// 发图文 / 发链接
    SendNews {
        title: Template,
        description: Template,
        url: String,
        picture: Option<String>,
    },
    /// 发小程序
    SendMiniProgram {
        title: Template,
        app_id: String,
        path: String,
        thumb: String,
    },
    /// 问 … : waits
    Ask(Ask),
    /// 菜单 … : waits
    Menu(Menu),
    /// 调用 … : waits for the connector
    Call(Call),
    /// 如果: falls through when true
    If {
        condition: Condition,
        otherwise: Pc,
    },
    Jump(Pc),
    /// 设
    Set {
        variable: String,
        value: Expr,
    },
    /// 设 客户.X
    SetAttribute {
        attribute: String,
        value: Expr,
    },
    /// 打标签
    Tag(String),
    /// 去标签
    Untag(String),
    /// 记备注
    Note(Template),
    /// 建工单
    Ticket {
        title: Template,
        body: Template,
    },
    /// 通知: a webhook named in the configuration
    Notify {
        webhook: String,
        text: Template,
    },
    /// 回答: an FAQ entry by id, index into the program's FAQ
    Answer {
        faq: usize,
    },
    /// 推荐问题
    Suggest {
        max: u8,
    },
    /// 安抚: a soothing sentence, from the script named 安抚 where the package has one
    Soothe,
    /// 实验: one target per arm
    Experiment {
        experiment: usize,
        arms: Vec<Pc>,
    },
    /// 进入: goes there and does not come back; the routine left is over
    Enter {
        routine: usize,
    },
    /// 转人工
    Handoff(Handoff),
    /// 留言: waits for the customer's message and keeps it as a ticket
    LeaveMessage {
        prompt: Template,
    },
    /// 转回机器人
    ReturnToBot,
    /// 拦截: say nothing, raise an alert
    Block {
        reason: String,
    },
    /// 结束
    End,
}

/// 说 "…" / 说 任选 (…) / 说 话术 X. The variant is chosen by a hash of customer and turn.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Say {
    pub variants: Vec<Template>,
    /// Name of the script it came from.
    pub script: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Ask {
    pub variable: String,
    pub ty: Type,
    /// 校验 正则 "…": beyond the type's own validation
    pub pattern: Option<String>,
    pub prompt: Say,
    /// 重问 最多 N 次
    pub retries: u8,
    pub retry_prompt: Option<Say>,
    /// 放弃
    pub give_up: Pc,
    /// 确认 "…": asked when the value was already there
    pub confirm: Option<Template>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Menu {
    /// Name, or the number of the inline menu in its routine.
    pub name: String,
    pub prompt: Option<Say>,
    pub items: Vec<MenuItem>,
    /// 未命中 最多 N 次 "…"
    pub misses: u8,
    pub miss_text: Option<Say>,
    /// 其它
    pub other: Pc,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MenuItem {
    pub number: u32,
    pub text: String,
    pub synonyms: Vec<String>,
    pub target: Pc,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Call {
    /// Index into connectors.
    pub connector: usize,
    /// One per parameter of the connector, in its order.
    pub arguments: Vec<Expr>,
    /// 得 X
    pub result: Option<String>,
    /// 限时, milliseconds
    pub timeout_ms: u64,
    pub success: Pc,
    pub failure: Pc,
    pub timed_out: Pc,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Handoff {
    pub target: HandoffTarget,
    pub urgency: Urgency,
    pub note: Option<Template>,
    /// 排队超过 N { … }: seconds, and where to go on in this routine
    pub queue_over: Option<(u32, Pc)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum HandoffTarget {
    /// Index into skill groups.
    Group(usize),
    /// 专属客服: who served this customer before, or is assigned to them
    Exclusive,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Urgency {
    #[default]
    Normal,
    /// 紧急
    Urgent,
}

//! Declarations other than code.

use jiff::civil::{Date, Time};
use serde::{Deserialize, Serialize};

use super::condition::Condition;
use super::value::{Template, Type, Value};
use crate::source::Span;

/// 机器人
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Bot {
    pub name: String,
    /// IANA name; `Asia/Shanghai` unless said.
    pub time_zone: String,
    /// 未识别 连续 N 次 -> …: count and routine
    pub unrecognized: Option<(u32, usize)>,
    /// 合并 连续消息: pause in milliseconds; `None` is off
    pub merge_pause_ms: Option<u64>,
    /// 许可 "…": text appended to answers (医疗/金融)
    pub licence: Option<String>,
    /// 空闲 N分钟: silence after which the conversation closes, seconds
    pub idle_close_s: Option<u64>,
}

/// 规则组
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RuleGroup {
    pub name: String,
    pub mode: GroupMode,
    pub rules: Vec<Rule>,
    pub span: Span,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum GroupMode {
    /// 首个: the first match in text order wins
    First,
    /// 唯一: no two rules can match one message
    Unique,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Rule {
    pub name: String,
    pub condition: Condition,
    /// Index into routines.
    pub action: usize,
    pub span: Span,
}

/// 词组
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WordList {
    pub name: String,
    pub words: Vec<String>,
    pub span: Span,
}

/// 时段. A moment is inside when a band of its day holds it; `dates` win over `holidays` and `workdays`, those over `weekly`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Schedule {
    pub name: String,
    /// Bands by weekday, Monday first; end may be `00:00` for midnight.
    pub weekly: [Vec<Band>; 7],
    /// 除 法定节假日: days off, from the package's dated table
    pub holidays: Vec<Date>,
    /// 加 调休上班日: working days that fall on a weekend; they take Monday's bands
    pub workdays: Vec<Date>,
    /// Single dates and ranges with their own bands (empty: closed)
    pub dates: Vec<(Date, Vec<Band>)>,
    pub span: Span,
}

/// `[from, to)` in local time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Band {
    pub from: Time,
    pub to: Time,
}

/// 人群
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Segment {
    pub name: String,
    pub condition: Condition,
    pub span: Span,
}

/// 属性
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Attribute {
    pub name: String,
    pub ty: Type,
    pub default: Option<Value>,
    pub built_in: bool,
    pub span: Span,
}

/// 接口
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Connector {
    pub name: String,
    pub parameters: Vec<(String, Type)>,
    pub result: Vec<(String, Type)>,
    pub span: Span,
}

/// 话术
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Script {
    pub name: String,
    pub variants: Vec<Template>,
    /// 级别: 常见问题 / 业务指南 / 应急
    pub level: Option<String>,
    /// 业务: business type
    pub business: Option<String>,
    pub span: Span,
}

/// A line of 意图表.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct IntentAction {
    /// Label id.
    pub label: String,
    /// Index into routines.
    pub action: usize,
    pub span: Span,
}

/// 实验
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Experiment {
    pub name: String,
    pub salt: String,
    /// First and last day, both included.
    pub period: Option<(Date, Date)>,
    pub arms: Vec<Arm>,
    pub metrics: Vec<String>,
    pub guard: Option<Guard>,
    pub span: Span,
}

/// 组 名 70%
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Arm {
    pub name: String,
    /// Hundredths of a percent; the arms of an experiment add up to 10,000.
    pub share: u32,
}

/// 守护 指标 > n 样本 ≥ m -> 回到 组
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Guard {
    pub metric: String,
    pub above: f64,
    pub samples: u32,
    pub arm: usize,
}

/// 技能组
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SkillGroup {
    pub name: String,
    /// 分配 A > B > C
    pub assignment: Vec<Strategy>,
    /// 每人上限
    pub capacity: Option<u32>,
    /// 排队上限 N 否则 …: length and routine
    pub queue_limit: Option<(u32, usize)>,
    /// 排队超过 N -> …: seconds and routine
    pub queue_over: Option<(u32, usize)>,
    /// 专属客服不在 …
    pub exclusive_away: Option<ExclusiveAway>,
    /// 提示 "…": the notice to who waits
    pub notice: Option<Template>,
    /// 服务时间 X: index into schedules
    pub schedule: Option<usize>,
    pub span: Span,
}

/// 专属客服不在 等待 N 否则 …
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExclusiveAway {
    pub wait_s: u32,
    /// Index into routines.
    pub otherwise: usize,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Strategy {
    /// 顺序分配
    Sequential,
    /// 随机分配
    Random,
    /// 熟客优先 N天: window in seconds
    Returning { window_s: u64 },
    /// 负载均衡
    LoadBalance,
    /// 技能匹配
    SkillMatch,
    /// 贵宾优先
    Vip,
}

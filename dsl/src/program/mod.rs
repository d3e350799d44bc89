//! A checked package: every name resolved, every block flattened, nothing left to fail on.
//!
//! The engine evaluates this and nothing else. Code (what a rule, a flow, a menu item or an overflow does) is a
//! [`Routine`]: a flat list of steps with jumps, so that a conversation's position is `(routine key, index)`.

mod condition;
mod declaration;
mod step;
mod test;
mod value;

pub use condition::*;
pub use declaration::*;
pub use step::*;
pub use test::*;
pub use value::*;

use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};

use crate::source::Span;

/// A checked program. Indices are positions in the vectors below.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Program {
    /// Content hash of the package ([`crate::source::PackageFiles::content_hash`]).
    pub version: String,
    /// Paths of the files, in the order of [`Span::file`].
    pub paths: Vec<String>,
    pub bot: Bot,
    /// The route, top to bottom; the last stage is always [`Stage::Fallback`].
    pub route: Vec<RouteStage>,
    pub groups: Vec<RuleGroup>,
    pub routines: Vec<Routine>,
    pub words: Vec<WordList>,
    pub schedules: Vec<Schedule>,
    pub segments: Vec<Segment>,
    pub attributes: Vec<Attribute>,
    pub connectors: Vec<Connector>,
    pub scripts: Vec<Script>,
    pub intents: Vec<IntentAction>,
    pub experiments: Vec<Experiment>,
    pub skill_groups: Vec<SkillGroup>,
    pub tests: Vec<Test>,
    /// The package's FAQ, from `faq/*.csv`.
    pub faq: Vec<FaqEntry>,
    /// Routine key → index.
    pub routine_by_key: FxHashMap<String, usize>,
}

/// A stage of the route with its place, and the name explanations use (`安全转接`, `流程中`, `常见问题`, …).
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RouteStage {
    pub stage: Stage,
    pub name: String,
    pub span: Span,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum Stage {
    /// 规则组 X: index into [`Program::groups`].
    Group(usize),
    /// 流程中: the waiting step sees the message here.
    InFlow,
    /// 常见问题, with the least score; `None` means the package's own fitted threshold.
    Faq { min: Option<f64> },
    /// 意图, with the least confidence; `None` means the classifier's own refusal.
    Intent { min: Option<f64> },
    /// 推荐问题 最多 N 条.
    Suggest { max: u8 },
    /// 兜底 -> …: index into [`Program::routines`].
    Fallback(usize),
}

/// One entry of the package's FAQ.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FaqEntry {
    pub id: String,
    /// 常见问题, 业务指南, 应急 or the business's own word.
    pub category: String,
    pub question: String,
    pub variants: Vec<String>,
    pub answer: String,
    pub span: Span,
}

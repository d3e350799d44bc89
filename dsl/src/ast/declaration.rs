//! Declarations as written.

use jiff::civil::{Date, Time};

use super::{Block, Condition, Event, Expr, Menu, Name, Text, TypeName};
use crate::program::{BotMatch, GroupMode};
use crate::source::Span;

/// One file.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct File {
    pub items: Vec<Item>,
    /// Names that stand in lines that did not parse: no second error says that they are unknown.
    pub broken_names: Vec<String>,
    /// The file could not be read at all: whatever is missing may stand in it.
    pub unread: bool,
}

impl File {
    /// A file that could not be read.
    pub fn unread() -> Self {
        File {
            unread: true,
            ..File::default()
        }
    }
}

#[derive(Debug, Clone, PartialEq)]
pub enum Item {
    Import(Text),
    Bot(Bot),
    Words(Words),
    Schedule(Schedule),
    Segment(Segment),
    Attribute(Attribute),
    Connector(Connector),
    Script(Script),
    Group(Group),
    Flow(Flow),
    Menu(Menu),
    Intents(Vec<IntentLine>, Span),
    Experiment(Experiment),
    SkillGroup(SkillGroup),
    Scorecard(Scorecard),
    Route(Route),
    Test(Test),
}

#[derive(Debug, Clone, PartialEq)]
pub struct Bot {
    pub name: Name,
    pub time_zone: Option<Text>,
    pub unrecognized: Option<(u32, Block, Span)>,
    pub merge_pause_ms: Option<u64>,
    pub licence: Option<Text>,
    pub idle_close_s: Option<u64>,
    pub span: Span,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Words {
    pub name: Name,
    pub words: Vec<Text>,
    pub file: Option<Text>,
    pub span: Span,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Schedule {
    pub name: Name,
    pub weekly: Vec<WeeklyHours>,
    /// 除 法定节假日
    pub holidays: Option<Span>,
    /// 加 调休上班日
    pub workdays: Option<Span>,
    pub dates: Vec<DatedHours>,
    pub span: Span,
}

/// 周一 至 周五 9:00-21:00
#[derive(Debug, Clone, PartialEq)]
pub struct WeeklyHours {
    /// Monday is 0.
    pub days: Vec<usize>,
    pub bands: Vec<(Time, Time)>,
}

/// 2026-11-11 9:00-23:00; no band is closed all day.
#[derive(Debug, Clone, PartialEq)]
pub struct DatedHours {
    pub first: Date,
    pub last: Date,
    pub bands: Vec<(Time, Time)>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Segment {
    pub name: Name,
    pub condition: Condition,
    pub span: Span,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Attribute {
    pub name: Name,
    pub ty: TypeName,
    pub default: Option<Expr>,
    pub span: Span,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Connector {
    pub name: Name,
    pub parameters: Vec<(Name, TypeName)>,
    pub result: Vec<(Name, TypeName)>,
    pub span: Span,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Script {
    pub name: Name,
    pub variants: Vec<Text>,
    pub level: Option<Name>,
    pub business: Option<Name>,
    pub span: Span,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Group {
    pub name: Name,
    pub mode: GroupMode,
    pub rules: Vec<Rule>,
    pub span: Span,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    pub name: Name,
    pub condition: Option<Condition>,
    pub action: Option<Block>,
    /// A line of it did not parse: what is missing may be there.
    pub broken: bool,
    pub span: Span,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Flow {
    pub name: Name,
    pub interrupt: Option<Name>,
    pub uninterruptible: bool,
    pub steps: Block,
    pub span: Span,
}

#[derive(Debug, Clone, PartialEq)]
pub struct IntentLine {
    pub label: Name,
    pub action: Block,
    pub span: Span,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Route {
    pub stages: Vec<RouteStage>,
    pub span: Span,
    /// Just before the closing brace.
    pub end: u32,
    pub broken: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub enum RouteStage {
    Group(Name, Span),
    InFlow(Span),
    Faq(Option<f64>, Span),
    Intent(Option<f64>, Span),
    Suggest(Option<u32>, Span),
    Fallback(Block, Span),
}

#[derive(Debug, Clone, PartialEq)]
pub struct Experiment {
    pub name: Name,
    pub salt: Option<Text>,
    pub period: Option<(Date, Date)>,
    pub arms: Vec<Arm>,
    pub metrics: Vec<Name>,
    pub guard: Option<Guard>,
    pub span: Span,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Arm {
    pub name: Name,
    /// Hundredths of a percent.
    pub share: u32,
    pub share_span: Span,
    pub steps: Block,
    pub span: Span,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Guard {
    pub metric: Name,
    pub above: f64,
    pub samples: u32,
    pub arm: Name,
}

#[derive(Debug, Clone, PartialEq)]
pub struct SkillGroup {
    pub name: Name,
    /// Strategy and window in seconds.
    pub assignment: Vec<(Name, Option<u64>)>,
    pub capacity: Option<u32>,
    pub queue_limit: Option<(u32, Block)>,
    pub queue_over: Option<(u32, Block)>,
    pub exclusive_away: Option<(u32, Block)>,
    pub notice: Option<Text>,
    pub schedule: Option<Name>,
    pub span: Span,
}

/// 质检: kept as written; evaluating it is not part of the engine yet.
#[derive(Debug, Clone, PartialEq)]
pub struct Scorecard {
    pub name: Name,
    pub full_marks: Option<u32>,
    pub pass_marks: Option<u32>,
    pub items: Vec<ScoreItem>,
    pub span: Span,
}

#[derive(Debug, Clone, PartialEq)]
pub struct ScoreItem {
    pub name: Name,
    /// `None` is 致命
    pub points: Option<u32>,
    /// The text of its block.
    pub body: String,
    pub span: Span,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Test {
    pub name: Name,
    pub steps: Vec<(TestStep, Span)>,
    pub span: Span,
}

#[derive(Debug, Clone, PartialEq)]
pub enum TestStep {
    SetAttribute(Name, Expr),
    SetNow(jiff::civil::DateTime),
    SetConnector(Name, Outcome),
    SetArm(Name, Name),
    Pass(u64),
    Says(Text),
    Sends(Name),
    Event(Event),
    Bot(BotMatch, Text),
    Expect(Expectation),
}

#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    Success(Vec<(Option<Name>, Expr)>),
    Failure,
    Timeout,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Expectation {
    Handoff { group: Option<Name>, urgent: bool },
    HandoffExclusive,
    NoHandoff,
    Flow(Name),
    NoFlow,
    Rule(Name),
    Tag(Text),
    Intent(Name),
    Answer(Text),
    Call(Name),
    Silent,
}

//! A package ready to decide: program, keyword index, FAQ index, expressions compiled once.

use std::sync::{Arc, OnceLock};

use jiff::Timestamp;
use jiff::tz::{TimeZone, TimeZoneDatabase};
use regex::Regex;
use rustc_hash::FxHashMap;
use yingda_dsl::program::{Check, Op, Program, Routine, Stage, Step};
use yingda_models::{FaqDocument, FaqError, FaqIndex, Understander};

use crate::condition::{Compiler, Needs, Node, Requirement, Test, regex, requirement};
use crate::conversation::{Conversation, Frame};
use crate::deciding::Deciding;
use crate::event::{Event, Surroundings};
use crate::keyword::{KeywordIndex, Occurrences};
use crate::personal::PersonalNames;
use crate::reading::Evaluation;
use crate::summary::{speaks, summary};
use crate::turn::Turn;
use crate::wake;

/// Where a package says none.
const DEFAULT_TIME_ZONE: &str = "Asia/Shanghai";

/// Related questions below an answer.
const RELATED: usize = 3;

/// A program that cannot be made ready. A checked package gives none of these.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    #[error("正则表达式「{pattern}」不能用：{error}")]
    Regex { pattern: String, error: String },
    #[error("关键词的索引没有建成：{0}")]
    Keywords(String),
    #[error("不认识时区「{0}」，请写 IANA 名称，如 Asia/Shanghai")]
    TimeZone(String),
    #[error("人群「{0}」的条件绕回了它自己")]
    SegmentCycle(String),
    #[error("路由没有「兜底」")]
    NoFallback,
    #[error(transparent)]
    Faq(#[from] FaqError),
}

/// A compiled package. Shared between threads; a decision borrows it and changes nothing.
pub struct Bot {
    pub(crate) program: Program,
    pub(crate) understander: Arc<Understander>,
    pub(crate) zone: TimeZone,
    pub(crate) keywords: KeywordIndex,
    pub(crate) groups: Vec<CompiledGroup>,
    pub(crate) segments: Vec<Node>,
    pub(crate) faq: Option<FaqIndex>,
    /// Questions related to each entry of the FAQ, sought when first wanted.
    related: Vec<OnceLock<Vec<usize>>>,
    /// Conditions of 如果, by routine and step.
    branches: FxHashMap<(usize, usize), Node>,
    /// 校验 正则, by routine and step.
    slot_patterns: FxHashMap<(usize, usize), Regex>,
    /// Rules that require a word of a set, by set: `(group, rule)`.
    rules_by_set: Vec<Vec<(u32, u32)>>,
    intents: FxHashMap<String, usize>,
    pub(crate) personal: PersonalNames,
    /// Whether a routine does anything that a customer notices.
    speaks: Vec<bool>,
    /// What each routine does first, for explanations.
    summaries: Vec<String>,
}

/// A group's conditions.
pub(crate) struct CompiledGroup {
    pub name: String,
    pub rules: Vec<CompiledRule>,
    /// Rules that no keyword rules out for a message, in text order.
    pub always: Vec<u32>,
    /// And for an event that is no message.
    pub for_events: Vec<u32>,
}

pub(crate) struct CompiledRule {
    pub name: String,
    pub condition: Node,
    /// Index into routines.
    pub action: usize,
    pub requirement: Option<Requirement>,
}

impl Bot {
    /// Makes a program ready. Takes time (index, FAQ weights); once per package version.
    pub fn build(program: Program, understander: Arc<Understander>) -> Result<Bot, BuildError> {
        if !matches!(
            program.route.last().map(|s| &s.stage),
            Some(Stage::Fallback(_))
        ) {
            return Err(BuildError::NoFallback);
        }
        let zone = time_zone(&program.bot.time_zone)?;
        let mut compiler = Compiler::new(&program);
        let mut segments = Vec::new();
        for segment in &program.segments {
            segments.push(compiler.compile(&segment.condition)?);
        }
        if let Some(index) = (0..segments.len()).find(|&i| comes_back(&segments, i)) {
            let name = program.segments.get(index).map(|s| s.name.clone());
            return Err(BuildError::SegmentCycle(name.unwrap_or_default()));
        }
        let mut groups = Vec::new();
        for group in &program.groups {
            let mut rules = Vec::with_capacity(group.rules.len());
            for rule in &group.rules {
                let condition = compiler.compile(&rule.condition)?;
                rules.push(CompiledRule {
                    name: rule.name.clone(),
                    requirement: requirement(&condition),
                    condition,
                    action: rule.action,
                });
            }
            let without_words = |rule: &&(u32, &CompiledRule)| match &rule.1.requirement {
                Some(requirement) => requirement.needs == Needs::Event,
                None => true,
            };
            let numbered = || (0u32..).zip(&rules);
            let for_events = numbered()
                .filter(|rule| without_words(&rule))
                .map(|(r, _)| r)
                .collect();
            let always = numbered()
                .filter(|(_, rule)| rule.requirement.is_none())
                .map(|(r, _)| r)
                .collect();
            groups.push(CompiledGroup {
                name: group.name.clone(),
                always,
                for_events,
                rules,
            });
        }
        let mut branches = FxHashMap::default();
        let mut slot_patterns = FxHashMap::default();
        for (r, routine) in program.routines.iter().enumerate() {
            for (pc, step) in routine.code.iter().enumerate() {
                match &step.op {
                    Op::If { condition, .. } => {
                        branches.insert((r, pc), compiler.compile(condition)?);
                    }
                    Op::Ask(ask) => {
                        if let Some(pattern) = &ask.pattern {
                            slot_patterns.insert((r, pc), regex(&format!("^(?:{pattern})$"))?);
                        }
                    }
                    _ => {}
                }
            }
        }
        let understander = match compiler.dictionary.is_empty() {
            true => understander,
            false => Arc::new(understander.with_words(&compiler.dictionary)),
        };
        let keywords = compiler.keywords.build()?;
        let rules_by_set = rules_by_set(&groups, keywords.set_count());
        let faq = match program.faq.is_empty() {
            true => None,
            false => Some(FaqIndex::build(&understander, &documents(&program))?),
        };
        let related = program.faq.iter().map(|_| OnceLock::new()).collect();
        let intents = program
            .intents
            .iter()
            .map(|intent| (intent.label.clone(), intent.action))
            .collect();
        let personal = PersonalNames::of(&program);
        let speaks = program.routines.iter().map(speaks).collect();
        let summaries = (0..program.routines.len())
            .map(|routine| summary(&program, routine))
            .collect();
        Ok(Bot {
            program,
            understander,
            zone,
            keywords,
            groups,
            segments,
            faq,
            related,
            branches,
            slot_patterns,
            rules_by_set,
            intents,
            personal,
            speaks,
            summaries,
        })
    }

    /// Content hash of the package.
    pub fn version(&self) -> &str {
        &self.program.version
    }

    /// The program it was built from.
    pub fn program(&self) -> &Program {
        &self.program
    }

    /// The bot's time zone.
    pub fn time_zone(&self) -> &TimeZone {
        &self.zone
    }

    /// What an event makes of a conversation. Deterministic and total: the same arguments give the same turn, and there
    /// is a turn for every argument.
    ///
    /// While a flow is open, call the bot of [`Conversation::version`], or one for which [`Bot::can_take_over`] says
    /// yes. Another one works as well: a waiting step that it does not know unchanged is asked anew.
    pub fn decide(
        &self,
        conversation: &Conversation,
        event: &Event,
        around: &Surroundings,
    ) -> Turn {
        self.decide_by(conversation, event, around, Evaluation::Indexed)
    }

    /// [`Bot::decide`] with the rules evaluated as given. The turn is the same either way.
    pub fn decide_by(
        &self,
        conversation: &Conversation,
        event: &Event,
        around: &Surroundings,
        evaluation: Evaluation,
    ) -> Turn {
        Deciding::new(self, conversation, event, around, evaluation).decide()
    }

    /// Whether every step that the conversation waits at is here unchanged, so that it may go on under this version.
    pub fn can_take_over(&self, conversation: &Conversation) -> bool {
        conversation
            .stack
            .iter()
            .all(|frame| self.unchanged_step(frame).is_some())
    }

    /// Routine and step that a frame waits at, where the step is here unchanged (though it may stand elsewhere in its
    /// routine).
    pub(crate) fn unchanged_step(&self, frame: &Frame) -> Option<(usize, usize)> {
        let routine = self.routine_index(&frame.routine)?;
        let code = &self.program.routines.get(routine)?.code;
        let same = |pc: &usize| {
            code.get(*pc)
                .is_some_and(|step| step.hash == frame.step_hash)
        };
        let pc = Some(frame.pc).filter(same).or_else(|| {
            let mut places = (0..code.len()).filter(same);
            places.next().filter(|_| places.next().is_none())
        })?;
        Some((routine, pc))
    }

    pub(crate) fn routine_index(&self, key: &str) -> Option<usize> {
        self.program.routine_by_key.get(key).copied()
    }

    pub(crate) fn routine(&self, index: usize) -> Option<&Routine> {
        self.program.routines.get(index)
    }

    pub(crate) fn step(&self, routine: usize, pc: usize) -> Option<&Step> {
        self.program.routines.get(routine)?.code.get(pc)
    }

    pub(crate) fn branch(&self, routine: usize, pc: usize) -> Option<&Node> {
        self.branches.get(&(routine, pc))
    }

    pub(crate) fn slot_pattern(&self, routine: usize, pc: usize) -> Option<&Regex> {
        self.slot_patterns.get(&(routine, pc))
    }

    /// What is done for an intent.
    pub(crate) fn intent_action(&self, label: &str) -> Option<usize> {
        self.intents.get(label).copied()
    }

    /// Whether a routine may do anything that a customer notices.
    pub(crate) fn speaks(&self, routine: usize) -> bool {
        self.speaks.get(routine).copied().unwrap_or(false)
    }

    pub(crate) fn summary(&self, routine: usize) -> &str {
        self.summaries.get(routine).map_or("", String::as_str)
    }

    /// The question of an FAQ entry.
    pub(crate) fn question(&self, entry: usize) -> &str {
        self.program
            .faq
            .get(entry)
            .map_or("", |e| e.question.as_str())
    }

    /// The entries nearest to an entry of the FAQ.
    pub(crate) fn related(&self, entry: usize) -> &[usize] {
        match (self.related.get(entry), &self.faq) {
            (Some(known), Some(faq)) => known.get_or_init(|| faq.related(entry, RELATED)),
            _ => &[],
        }
    }

    /// Rules that the occurring keywords do not rule out, sorted.
    pub(crate) fn candidates(&self, occurrences: &Occurrences) -> Vec<(u32, u32)> {
        let mut found: Vec<(u32, u32)> = occurrences
            .sets()
            .filter_map(|set| self.rules_by_set.get(set as usize))
            .flatten()
            .copied()
            .collect();
        found.sort_unstable();
        found.dedup();
        found
    }
}

impl Conversation {
    /// When the next [`Event::Timer`] is due: the queue's limit, the recovery of a call, idle close. `None`: never.
    pub fn wake_at(&self, bot: &Bot) -> Option<Timestamp> {
        wake::wake_at(self, bot)
    }
}

fn time_zone(name: &str) -> Result<TimeZone, BuildError> {
    let name = if name.is_empty() {
        DEFAULT_TIME_ZONE
    } else {
        name
    };
    TimeZoneDatabase::bundled()
        .get(name)
        .map_err(|_| BuildError::TimeZone(name.to_owned()))
}

fn rules_by_set(groups: &[CompiledGroup], sets: usize) -> Vec<Vec<(u32, u32)>> {
    let mut by_set = vec![Vec::new(); sets];
    for (g, group) in (0u32..).zip(groups) {
        for (r, rule) in (0u32..).zip(&group.rules) {
            let Some(Needs::Words(sets)) = rule.requirement.as_ref().map(|r| &r.needs) else {
                continue;
            };
            for &set in sets {
                if let Some(rules) = by_set.get_mut(set as usize) {
                    rules.push((g, r));
                }
            }
        }
    }
    by_set
}

/// Whether a segment's condition comes back to it.
fn comes_back(segments: &[Node], to: usize) -> bool {
    fn named(node: &Node, found: &mut Vec<usize>) {
        match &node.test {
            Test::All(children) | Test::Any(children) => {
                children.iter().for_each(|child| named(child, found));
            }
            Test::Not(child) => named(child, found),
            Test::Other(Check::Segment(index)) => found.push(*index),
            _ => {}
        }
    }
    let mut seen = vec![false; segments.len()];
    let mut open = vec![to];
    while let Some(from) = open.pop() {
        let mut found = Vec::new();
        if let Some(node) = segments.get(from) {
            named(node, &mut found);
        }
        for next in found {
            if next == to {
                return true;
            }
            if let Some(seen) = seen.get_mut(next).filter(|seen| !**seen) {
                *seen = true;
                open.push(next);
            }
        }
    }
    false
}

fn documents(program: &Program) -> Vec<FaqDocument> {
    program
        .faq
        .iter()
        .map(|entry| FaqDocument {
            id: entry.id.clone(),
            question: entry.question.clone(),
            variants: entry.variants.clone(),
            category: entry.category.clone(),
            answer: entry.answer.clone(),
        })
        .collect()
}

//! The route: stages top to bottom, the first that takes the message decides.

use yingda_dsl::program::{Interrupt, RouteStage, RoutineKind, Stage};

use crate::answer::FAQ_ANSWERS;
use crate::bot::CompiledGroup;
use crate::condition::Needs;
use crate::deciding::Deciding;
use crate::evaluate::intent_name;
use crate::explanation::Considered;
use crate::reading::{Evaluation, Reading};
use crate::step::Ran;

/// Rules listed one by one in the explanation of a group: those of which a keyword occurs, and those of which none
/// does. The rest is a count, so that an explanation does not grow with the package.
const NEAR_MISSES: usize = 24;
const FAR_MISSES: usize = 8;

/// Where a stage stands to 流程中.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Before,
    After,
}

/// What is done for a message that a stage takes.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Action {
    Routine(usize),
    /// The answer of an FAQ entry.
    Answer(usize),
}

impl<'a> Deciding<'a> {
    /// Lets a message pass the whole route.
    pub fn route(&mut self) {
        let stages = &self.bot.program.route;
        let in_flow = stages.iter().position(|s| matches!(s.stage, Stage::InFlow));
        // Without the stage the waiting step sees the message first.
        if in_flow.is_none() && self.waits() && self.in_flow("流程中") {
            return;
        }
        for (index, stage) in stages.iter().enumerate() {
            let place = match in_flow {
                Some(in_flow) if index < in_flow => Place::Before,
                _ => Place::After,
            };
            if self.stage(stage, place) {
                self.explanation.stage = Some(stage.name.clone());
                return;
            }
        }
    }

    /// Lets a message pass the stages before 流程中 only; true when one took it.
    pub fn route_early(&mut self) -> bool {
        for stage in self.early_stages() {
            if self.stage(stage, Place::Before) {
                self.explanation.stage = Some(stage.name.clone());
                return true;
            }
        }
        false
    }

    /// While a person serves: the early stages' tags and alerts.
    pub fn route_muted(&mut self) {
        self.muted = true;
        self.route_early();
        self.muted = false;
    }

    /// An event that is no message: the rule groups only. What no rule takes is met with silence.
    pub fn occurrence(&mut self) {
        self.muted = self.next.owner != crate::conversation::Owner::Bot;
        for stage in &self.bot.program.route {
            if matches!(stage.stage, Stage::Group(_)) && self.stage(stage, Place::Before) {
                self.explanation.stage = Some(stage.name.clone());
                break;
            }
        }
        self.muted = false;
    }

    fn early_stages(&self) -> impl Iterator<Item = &'a RouteStage> + use<'a> {
        let bot = self.bot;
        bot.program
            .route
            .iter()
            .take_while(|stage| !matches!(stage.stage, Stage::InFlow))
            .filter(|stage| matches!(stage.stage, Stage::Group(_)))
    }

    /// One stage; true when it decided.
    fn stage(&mut self, stage: &RouteStage, place: Place) -> bool {
        match &stage.stage {
            Stage::Group(group) => self.group_stage(*group, &stage.name, place),
            Stage::InFlow => self.waits() && self.in_flow(&stage.name),
            Stage::Faq { min } => self.faq_stage(*min, &stage.name, place),
            Stage::Intent { min } => self.intent_stage(*min, &stage.name, place),
            Stage::Suggest { max } => match self.unfit {
                true => self.missed(),
                false => self.suggest_stage(*max, &stage.name),
            },
            Stage::Fallback(routine) => match self.unfit {
                true => self.missed(),
                false => self.fallback_stage(*routine, &stage.name),
            },
        }
    }

    fn group_stage(&mut self, index: usize, stage: &str, place: Place) -> bool {
        let bot = self.bot;
        let Some(group) = bot.groups.get(index) else {
            return false;
        };
        let Some(winner) = self.consider(group, index, stage) else {
            return false;
        };
        let Some(rule) = group.rules.get(winner) else {
            return false;
        };
        if !self.act(Action::Routine(rule.action), place) {
            return false;
        }
        self.explanation.rule = Some(rule.name.clone());
        true
    }

    /// The first rule of a group that holds; everything looked at goes into the explanation.
    fn consider(&mut self, group: &CompiledGroup, index: usize, stage: &str) -> Option<usize> {
        let near = self.near(group, index);
        let view = self.view();
        let rule = |index: u32| group.rules.get(index as usize);
        let winner = near
            .iter()
            .copied()
            .find(|&r| rule(r).is_some_and(|rule| view.holds(&rule.condition)));
        let end = winner.unwrap_or(group.rules.len() as u32);
        let lines = misses(group, stage, &near, end, |r| {
            rule(r).map_or_else(String::new, |rule| view.reason(&rule.condition, false))
        });
        let hit = winner.and_then(rule).map(|rule| Considered {
            stage: stage.to_owned(),
            rule: Some(rule.name.clone()),
            hit: true,
            reason: self.hit_reason(&view.reason(&rule.condition, true), rule.action),
        });
        self.explanation.considered.extend(lines);
        self.explanation.considered.extend(hit);
        winner.map(|r| r as usize)
    }

    /// The rules of a group that their required keywords do not rule out, in text order.
    fn near(&self, group: &CompiledGroup, index: usize) -> Vec<u32> {
        if self.reading.evaluation == Evaluation::Plain {
            return near_plainly(group, &self.reading);
        }
        let found = &self.reading.candidates;
        let start = found.partition_point(|(g, _)| (*g as usize) < index);
        let mut near: Vec<u32> = found
            .iter()
            .skip(start)
            .take_while(|(g, _)| *g as usize == index)
            .map(|(_, r)| *r)
            .collect();
        let always = match self.reading.kind {
            Some(_) => &group.always,
            None => &group.for_events,
        };
        if !always.is_empty() {
            near.extend_from_slice(always);
            near.sort_unstable();
        }
        near
    }

    pub fn hit_reason(&self, reason: &str, action: usize) -> String {
        match self.bot.summary(action) {
            "" => reason.to_owned(),
            summary => format!("{reason} → {summary}"),
        }
    }

    fn faq_stage(&mut self, min: Option<f64>, stage: &str, place: Place) -> bool {
        if self.is_no_question() || self.bot.faq.is_none() {
            return false;
        }
        let min = min.unwrap_or(FAQ_ANSWERS);
        let best = self
            .reading
            .faq(self.bot)
            .first()
            .map(|hit| (hit.index, hit.score));
        let Some((entry, score)) = best.filter(|(_, score)| *score >= min) else {
            let reason = format!("{}，要求 ≥ {min:.2}", self.view().faq_best());
            self.note(stage, false, reason);
            return false;
        };
        self.note(
            stage,
            true,
            format!("{score:.2}「{}」", self.bot.question(entry)),
        );
        self.act(Action::Answer(entry), place)
    }

    fn intent_stage(&mut self, min: Option<f64>, stage: &str, place: Place) -> bool {
        if self.is_no_question() {
            return false;
        }
        let Some(intent) = self.reading.understanding.as_ref().map(|u| &u.intent) else {
            return false;
        };
        let confidence = intent.confidence;
        let label = intent
            .label
            .clone()
            .filter(|_| min.is_none_or(|min| confidence >= min));
        let Some(label) = label else {
            let mut reason = self.view().intent();
            if let Some(min) = min {
                reason.push_str(&format!("，要求 ≥ {min:.2}"));
            }
            self.note(stage, false, reason);
            return false;
        };
        let named = format!("{} {confidence:.2}", intent_name(&label));
        let Some(action) = self.bot.intent_action(&label) else {
            self.note(stage, false, format!("是 {named}，意图表里没有这一项"));
            return false;
        };
        let reason = self.hit_reason(&named, action);
        self.note(stage, true, reason);
        self.act(Action::Routine(action), place)
    }

    /// While a step waits: figures only, or no text at all, cannot be a question of their own.
    fn is_no_question(&self) -> bool {
        self.reading.folded.is_empty() || (self.unfit && self.reading.is_figures())
    }

    fn fallback_stage(&mut self, routine: usize, stage: &str) -> bool {
        let action = self.count_unrecognized().unwrap_or(routine);
        let reason = self.hit_reason("前面都没有接住", action);
        self.note(stage, true, reason);
        self.next.offered.clear();
        let ran = self.run(action, 0);
        self.after(ran);
        true
    }

    /// Counts an unrecognised message; the routine of 未识别 连续 N 次 when it is one too many.
    pub fn count_unrecognized(&mut self) -> Option<usize> {
        self.next.unrecognized = self.next.unrecognized.saturating_add(1);
        let (limit, routine) = self.bot.program.bot.unrecognized?;
        if self.next.unrecognized < limit.max(1) {
            return None;
        }
        self.done(&format!("连续 {} 次没有识别", self.next.unrecognized));
        self.next.unrecognized = 0;
        Some(routine)
    }

    /// Does what a stage decided, with regard to the flow that waits; true when the message is taken. An action that
    /// says nothing, hands nothing over and blocks nothing (tags, notes) lets the message go on to the next stage.
    fn act(&mut self, action: Action, place: Place) -> bool {
        let waiting = self.next.stack.last().map(|frame| frame.routine.clone());
        let interrupt = match &waiting {
            Some(_) if self.muted => Interrupt::Resume,
            Some(key) => self.interrupt(key),
            None => Interrupt::Resume,
        };
        let speaks = match action {
            Action::Routine(routine) => self.bot.speaks(routine) && !self.returns_here(action),
            Action::Answer(_) => true,
        };
        if interrupt == Interrupt::Ask && place == Place::After && self.unfit && speaks {
            self.ask_which();
            return true;
        }
        self.digressing = waiting.is_some() && self.unfit;
        let start = self.effects.len();
        let ran = match action {
            Action::Routine(routine) => self.run(routine, 0),
            Action::Answer(entry) => {
                self.answer(entry);
                Ran::Ended
            }
        };
        self.digressing = false;
        let answered = self.has_answered(start) || ran != Ran::Ended;
        if self.muted || !answered {
            return self.blocked;
        }
        self.next.unrecognized = 0;
        if let Some(key) =
            waiting.filter(|_| interrupt == Interrupt::Abandon && ran != Ran::BackToStep)
        {
            self.abandon(&key);
        }
        if !matches!(action, Action::Answer(_)) {
            self.next.offered.clear();
        }
        self.after(ran);
        true
    }

    /// How a waiting routine takes interruptions.
    pub fn interrupt(&self, key: &str) -> Interrupt {
        let routine = self
            .bot
            .routine_index(key)
            .and_then(|index| self.routine(index));
        match routine.map(|routine| routine.kind) {
            Some(RoutineKind::Flow(interrupt)) => interrupt,
            _ => Interrupt::Resume,
        }
    }

    pub fn note(&mut self, stage: &str, hit: bool, reason: String) {
        self.explanation.considered.push(Considered {
            stage: stage.to_owned(),
            rule: None,
            hit,
            reason,
        });
    }
}

/// The same as the index's answer, rule by rule.
fn near_plainly(group: &CompiledGroup, reading: &Reading) -> Vec<u32> {
    (0u32..)
        .zip(&group.rules)
        .filter(
            |(_, rule)| match rule.requirement.as_ref().map(|r| &r.needs) {
                Some(Needs::Words(sets)) => sets
                    .iter()
                    .any(|&set| !reading.occurrences.of(set).is_empty()),
                Some(Needs::Event) => reading.kind.is_none(),
                None => true,
            },
        )
        .map(|(index, _)| index)
        .collect()
}

/// Lines for the rules before `end` that did not hold.
fn misses(
    group: &CompiledGroup,
    stage: &str,
    near: &[u32],
    end: u32,
    reason: impl Fn(u32) -> String,
) -> Vec<Considered> {
    let near: Vec<u32> = near.iter().copied().take_while(|&r| r < end).collect();
    let mut far = Vec::new();
    let mut skip = near.iter().peekable();
    for r in 0..end {
        if far.len() == FAR_MISSES {
            break;
        }
        match skip.next_if_eq(&&r) {
            Some(_) => {}
            None => far.push(r),
        }
    }
    let mut listed: Vec<(u32, bool)> = near.iter().take(NEAR_MISSES).map(|&r| (r, true)).collect();
    listed.extend(far.iter().map(|&r| (r, false)));
    listed.sort_unstable();
    let mut lines: Vec<Considered> = Vec::with_capacity(listed.len() + 2);
    for (r, is_near) in &listed {
        let Some(rule) = group.rules.get(*r as usize) else {
            continue;
        };
        lines.push(Considered {
            stage: stage.to_owned(),
            rule: Some(rule.name.clone()),
            hit: false,
            reason: match &rule.requirement {
                Some(requirement) if !is_near => requirement.missed.clone(),
                _ => reason(*r),
            },
        });
    }
    let summary = |count: usize, what: &str| Considered {
        stage: stage.to_owned(),
        rule: None,
        hit: false,
        reason: format!("另有 {count} 条规则未中：{what}"),
    };
    let near_left = near.len().saturating_sub(NEAR_MISSES);
    if near_left > 0 {
        lines.push(summary(near_left, "条件不成立"));
    }
    let far_left = (end as usize).saturating_sub(near.len() + far.len());
    if far_left > 0 {
        lines.push(summary(far_left, "没有它们要的词或事件"));
    }
    lines
}

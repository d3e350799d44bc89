//! Programs made by hand, for tests and benchmarks that want them in great number.
#![allow(dead_code, reason = "each test binary uses its part")]
#![allow(
    clippy::unwrap_used,
    reason = "only tests and benchmarks are built from this"
)]

use std::sync::Arc;

use jiff::Timestamp;
use yingda_dsl::program::*;
use yingda_dsl::source::Span;
use yingda_engine::Bot;
use yingda_engine::conversation::Conversation;
use yingda_engine::event::{Capabilities, Event, Message, ServiceState, Surroundings};
use yingda_models::Understander;

/// A program in the making: routines first, then what refers to them.
#[derive(Default)]
pub struct Builder {
    pub program: Program,
}

impl Builder {
    pub fn routine(&mut self, key: &str, kind: RoutineKind, ops: Vec<Op>) -> usize {
        let index = self.program.routines.len();
        let name = key.split_once(' ').map_or(key, |(_, name)| name);
        self.program.routines.push(Routine {
            key: key.to_owned(),
            kind,
            name: name.to_owned(),
            code: ops
                .into_iter()
                .enumerate()
                .map(|(pc, op)| Step {
                    hash: hash(&format!("{key}{pc}{op:?}")),
                    op,
                    span: Span::default(),
                })
                .collect(),
            span: Span::default(),
        });
        self.program.routine_by_key.insert(key.to_owned(), index);
        index
    }

    pub fn group(&mut self, name: &str, rules: Vec<(String, Condition, usize)>) -> usize {
        self.program.groups.push(RuleGroup {
            name: name.to_owned(),
            mode: GroupMode::First,
            rules: rules
                .into_iter()
                .map(|(name, condition, action)| Rule {
                    name,
                    condition,
                    action,
                    span: Span::default(),
                })
                .collect(),
            span: Span::default(),
        });
        self.program.groups.len() - 1
    }

    pub fn stage(&mut self, stage: Stage, name: &str) {
        self.program.route.push(RouteStage {
            stage,
            name: name.to_owned(),
            span: Span::default(),
        });
    }

    pub fn faq(&mut self, id: &str, question: &str, variants: &[&str], answer: &str) {
        self.program.faq.push(FaqEntry {
            id: id.to_owned(),
            category: "常见问题".to_owned(),
            question: question.to_owned(),
            variants: variants.iter().map(|v| (*v).to_owned()).collect(),
            answer: answer.to_owned(),
            span: Span::default(),
        });
    }

    pub fn skill_group(&mut self, name: &str) -> usize {
        self.program.skill_groups.push(SkillGroup {
            name: name.to_owned(),
            assignment: Vec::new(),
            capacity: None,
            queue_limit: None,
            queue_over: None,
            exclusive_away: None,
            notice: None,
            schedule: None,
            span: Span::default(),
        });
        self.program.skill_groups.len() - 1
    }

    /// With a last stage of 兜底 where there is none.
    pub fn build(mut self) -> Bot {
        if !matches!(
            self.program.route.last().map(|s| &s.stage),
            Some(Stage::Fallback(_))
        ) {
            let routine = self.routine("兜底", RoutineKind::Action, vec![say("没听懂")]);
            self.stage(Stage::Fallback(routine), "兜底");
        }
        self.program.version = "0123456789abcdef".to_owned();
        Bot::build(self.program, understander()).unwrap()
    }
}

pub fn understander() -> Arc<Understander> {
    Arc::new(Understander::packaged().unwrap())
}

fn hash(text: &str) -> u64 {
    yingda_engine::stable_hash(&[text])
}

pub fn template(text: &str) -> Template {
    Template {
        parts: vec![TemplatePart::Text(text.to_owned())],
    }
}

pub fn says(text: &str) -> Say {
    Say {
        variants: vec![template(text)],
        script: None,
    }
}

pub fn say(text: &str) -> Op {
    Op::Say(says(text))
}

pub fn condition(kind: ConditionKind, text: &str) -> Condition {
    Condition {
        kind,
        text: text.to_owned(),
        span: Span::default(),
    }
}

pub fn check(check: Check, text: &str) -> Condition {
    condition(ConditionKind::Check(check), text)
}

pub fn words(how: TextMatch, words: &[&str]) -> Condition {
    let patterns = Patterns {
        inline: words.iter().map(|w| (*w).to_owned()).collect(),
        lists: Vec::new(),
    };
    let name = match how {
        TextMatch::Equals => "整句",
        TextMatch::Contains => "含",
        TextMatch::NotContains => "不含",
        TextMatch::Word => "词",
        TextMatch::SoundsLike => "近似",
        TextMatch::Wildcard => "形如",
        TextMatch::Regex => "正则",
    };
    check(
        Check::Text { how, patterns },
        &format!("消息 {name} ({})", words.join("、")),
    )
}

/// Noon on a Friday in Shanghai.
pub fn around() -> Surroundings {
    Surroundings {
        now: "2026-11-20T04:00:00Z".parse::<Timestamp>().unwrap(),
        service: ServiceState::default(),
        capabilities: Capabilities {
            channel: "通用".to_owned(),
            max_text_bytes: 2_048,
            kinds: vec![MessageKind::Text, MessageKind::Menu],
        },
    }
}

pub fn conversation() -> Conversation {
    Conversation {
        id: "1".to_owned(),
        account: "店".to_owned(),
        customer: "客".to_owned(),
        seen_before: true,
        ..Conversation::default()
    }
}

pub fn message(text: &str) -> Event {
    Event::Message(Message {
        kind: MessageKind::Text,
        text: text.to_owned(),
        menu_id: None,
        attachment: Default::default(),
    })
}

//! Whether a condition holds, and why.

use yingda_dsl::program::{
    Check, Compare, Emotion, EventKind, Expr, Field, MessageKind, TextMatch, Value,
};
use yingda_models::understanding::EmotionLabel;
use yingda_models::{labels, pinyin};

use crate::answer::FAQ_ANSWERS;
use crate::bot::Bot;
use crate::condition::{Node, Test};
use crate::event::Event;
use crate::field::{Scope, order};
use crate::keyword::Occurrence;
use crate::reading::Reading;
use crate::schedule;
use crate::variant::arm_of;

/// Everything conditions look at.
#[derive(Clone, Copy)]
pub(crate) struct View<'a> {
    pub bot: &'a Bot,
    pub reading: &'a Reading,
    pub scope: Scope<'a>,
    pub event: &'a Event,
    /// The customer's first message or event ever.
    pub first_contact: bool,
    /// The first message after a closed conversation.
    pub returning: bool,
    /// The conversation ends with this event.
    pub closing: bool,
}

impl View<'_> {
    pub fn holds(&self, node: &Node) -> bool {
        match &node.test {
            Test::All(children) => children.iter().all(|child| self.holds(child)),
            Test::Any(children) => children.iter().any(|child| self.holds(child)),
            Test::Not(child) => !self.holds(child),
            Test::Words {
                how: TextMatch::NotContains,
                ..
            } => self.reading.kind.is_some() && self.word(node).is_none(),
            Test::Words { .. } => self.word(node).is_some(),
            Test::Wildcard { shapes, .. } => {
                let text = &self.reading.folded;
                !text.is_empty() && shapes.iter().any(|shape| shape.is_match(text))
            }
            Test::Pattern(patterns) => {
                !self.reading.text.is_empty()
                    && patterns.iter().any(|p| p.is_match(self.reading.symbols()))
            }
            Test::Sounds(words) => {
                let text = &self.reading.folded;
                !text.is_empty() && words.iter().any(|word| pinyin::sounds_like(text, word))
            }
            Test::Other(check) => self.check(check),
        }
    }

    /// The word by which a text condition hits, or by which 不含 fails.
    pub fn word(&self, node: &Node) -> Option<Occurrence> {
        let Test::Words { how, sets } = &node.test else {
            return None;
        };
        let keywords = &self.bot.keywords;
        let fits = |occurrence: &&Occurrence| match how {
            TextMatch::Equals => keywords.keyword(**occurrence).is_some_and(|keyword| {
                let whole = if keyword.symbolic {
                    self.reading.symbols()
                } else {
                    &self.reading.folded
                };
                whole.len() == keyword.form.len()
            }),
            TextMatch::Word => keywords.keyword(**occurrence).is_some_and(|keyword| {
                let tokens = self.reading.understanding.as_ref().map(|u| &u.tokens);
                tokens.is_some_and(|tokens| tokens.contains(&keyword.form))
            }),
            _ => true,
        };
        sets.iter()
            .find_map(|&set| self.reading.occurrences.of(set).iter().find(fits))
            .copied()
    }

    fn check(&self, check: &Check) -> bool {
        let conversation = self.scope.conversation;
        match check {
            Check::Kind(kinds) => kinds.iter().any(|kind| self.is_kind(*kind)),
            // Compiled to tests of their own.
            Check::Text { .. } => false,
            Check::Intent { labels, min } => self.reading.understanding.as_ref().is_some_and(|u| {
                let label = u.intent.label.as_ref();
                label.is_some_and(|label| labels.contains(label))
                    && min.is_none_or(|min| u.intent.confidence >= min)
            }),
            Check::Faq { min } => self.faq_hit(*min),
            Check::Emotion(emotions) => self.reading.understanding.as_ref().is_some_and(|u| {
                emotions
                    .iter()
                    .any(|emotion| label_of(*emotion) == u.emotion.label)
            }),
            Check::Entity(ids) => self.reading.understanding.as_ref().is_some_and(|u| {
                u.entities
                    .iter()
                    .any(|e| ids.iter().any(|id| id == labels::entity_id(e.kind)))
            }),
            Check::Segment(index) => self
                .bot
                .segments
                .get(*index)
                .is_some_and(|node| self.holds(node)),
            Check::Tag(tag) => conversation.tags.contains(tag),
            Check::Channel(channels) => channels.contains(&self.scope.around.capabilities.channel),
            Check::Scene(scenes) => conversation
                .scene
                .as_ref()
                .is_some_and(|s| scenes.contains(s)),
            Check::Bound => matches!(
                conversation.attributes.get("已绑定"),
                Some(Value::Boolean(true))
            ),
            Check::Schedule(index) => self
                .bot
                .program
                .schedules
                .get(*index)
                .is_some_and(|s| schedule::contains(s, self.scope.local())),
            Check::Event(kinds) => kinds.iter().any(|kind| self.is_event(kind)),
            Check::Arm { experiment, arm } => self.arm(*experiment) == Some(*arm),
            Check::Compare { left, op, right } => self.compares(left, *op, right),
            Check::OneOf { left, values } => self.scope.read(left).is_some_and(|left| {
                values
                    .iter()
                    .filter_map(|v| self.scope.evaluate(v))
                    .any(|v| equal(&left, &v))
            }),
            Check::Between { left, low, high } => {
                self.compares(left, Compare::AtLeast, low)
                    && self.compares(left, Compare::AtMost, high)
            }
            Check::Present(field) => self.scope.read(field).is_some(),
        }
    }

    fn is_kind(&self, kind: MessageKind) -> bool {
        match kind {
            MessageKind::Text => self.reading.is_text(),
            kind => self.reading.kind == Some(kind),
        }
    }

    /// Whether the best FAQ candidate reaches `min`, or without one the base's own threshold.
    pub fn faq_hit(&self, min: Option<f64>) -> bool {
        let Some(best) = self.reading.faq(self.bot).first() else {
            return false;
        };
        best.score >= min.unwrap_or(FAQ_ANSWERS)
    }

    fn is_event(&self, kind: &EventKind) -> bool {
        match (kind, self.event) {
            (EventKind::Subscribe, Event::Subscribe { .. }) => true,
            (EventKind::Scan(wanted), Event::Scan { scene }) => {
                wanted.as_ref().is_none_or(|wanted| wanted == scene)
            }
            // Scanning a code and subscribing by it come as one event.
            (EventKind::Scan(wanted), Event::Subscribe { scene: Some(scene) }) => {
                wanted.as_ref().is_none_or(|wanted| wanted == scene)
            }
            (EventKind::MenuClick(wanted), Event::MenuClick { key }) => {
                wanted.as_ref().is_none_or(|wanted| wanted == key)
            }
            (EventKind::Enter, Event::Enter { .. }) => true,
            (EventKind::Rating, Event::Rating { .. }) => true,
            (EventKind::FirstContact, _) => self.first_contact,
            (EventKind::Return, _) => self.returning,
            (EventKind::Closed, _) => self.closing,
            _ => false,
        }
    }

    /// The arm of an experiment this customer is in.
    pub fn arm(&self, experiment: usize) -> Option<usize> {
        let experiment = self.bot.program.experiments.get(experiment)?;
        let conversation = self.scope.conversation;
        let fixed = conversation.arms.get(&experiment.name);
        fixed
            .and_then(|name| experiment.arms.iter().position(|arm| arm.name == *name))
            .or_else(|| {
                Some(arm_of(
                    experiment,
                    &conversation.customer,
                    self.scope.local().date(),
                ))
            })
    }

    fn compares(&self, left: &Field, op: Compare, right: &Expr) -> bool {
        let (left, right) = (self.scope.read(left), self.scope.evaluate(right));
        let order = match (&left, &right) {
            (Some(left), Some(right)) => order(left, right),
            _ => None,
        };
        match op {
            Compare::Equal => order.is_some_and(|o| o.is_eq()),
            // What is not there differs from every value.
            Compare::NotEqual => order.is_none_or(|o| o.is_ne()),
            Compare::AtLeast => order.is_some_and(|o| o.is_ge()),
            Compare::AtMost => order.is_some_and(|o| o.is_le()),
            Compare::More => order.is_some_and(|o| o.is_gt()),
            Compare::Less => order.is_some_and(|o| o.is_lt()),
        }
    }
}

fn equal(left: &Value, right: &Value) -> bool {
    order(left, right).is_some_and(|o| o.is_eq())
}

fn label_of(emotion: Emotion) -> EmotionLabel {
    match emotion {
        Emotion::Neutral => EmotionLabel::Neutral,
        Emotion::Anxious => EmotionLabel::Anxious,
        Emotion::Angry => EmotionLabel::Angry,
        Emotion::Satisfied => EmotionLabel::Satisfied,
    }
}

/// The Chinese name of an intent; the id where it is not a standard one.
pub(crate) fn intent_name(id: &str) -> &str {
    labels::intent_name(id).unwrap_or(id)
}

pub(crate) fn kind_name(kind: MessageKind) -> &'static str {
    match kind {
        MessageKind::Text => "文本",
        MessageKind::Image => "图片",
        MessageKind::Voice => "语音",
        MessageKind::Video => "视频",
        MessageKind::Location => "位置",
        MessageKind::Link => "链接",
        MessageKind::MiniProgram => "小程序",
        MessageKind::Sticker => "表情",
        MessageKind::News => "图文",
        MessageKind::Music => "音乐",
        MessageKind::File => "文件",
        MessageKind::Menu => "菜单",
    }
}

//! Why a condition holds or not, with the actual values.

use yingda_dsl::program::{Check, Field, TextMatch};
use yingda_models::labels;
use yingda_models::understanding::EmotionLabel;

use crate::condition::{Node, Test};
use crate::evaluate::{View, intent_name, kind_name};
use crate::field::{field_name, show_masked};
use crate::personal::HIDDEN;

impl View<'_> {
    /// Why a condition holds or not: for a failing 且 what passed (√) and the first that failed (✗).
    pub fn reason(&self, node: &Node, hit: bool) -> String {
        match (&node.test, hit) {
            (Test::All(children), true) => self.join(children.iter().map(|c| self.reason(c, true))),
            (Test::All(children), false) => {
                let failing = children.iter().position(|child| !self.holds(child));
                let failing = failing.unwrap_or(0);
                let mut out = String::new();
                for child in children.iter().take(failing) {
                    out.push_str(&self.reason(child, true));
                    out.push_str("√，");
                }
                if let Some(child) = children.get(failing) {
                    out.push_str(&self.reason(child, false));
                }
                if failing > 0 {
                    out.push_str("✗ ← 在这里失败");
                }
                out
            }
            (Test::Any(children), true) => match children.iter().find(|child| self.holds(child)) {
                Some(child) => self.reason(child, true),
                None => node.text.clone(),
            },
            (Test::Any(children), false) => {
                self.join(children.iter().map(|child| self.reason(child, false)))
            }
            (Test::Not(child), hit) => match &child.test {
                Test::All(_) | Test::Any(_) => node.text.clone(),
                _ if hit => format!("非（{}）", self.reason(child, false)),
                _ => format!("非（{}）", self.reason(child, true)),
            },
            (Test::Words { how, .. }, _) => self.word_reason(node, *how, hit),
            (Test::Wildcard { .. } | Test::Pattern(_) | Test::Sounds(_), true) => node.text.clone(),
            (Test::Wildcard { .. } | Test::Pattern(_) | Test::Sounds(_), false) => {
                format!("{}：不符", node.text)
            }
            (Test::Other(check), _) => self.check_reason(node, check, hit),
        }
    }

    fn join(&self, reasons: impl Iterator<Item = String>) -> String {
        let mut out = String::new();
        for (index, reason) in reasons.enumerate() {
            if index > 0 {
                out.push('；');
            }
            out.push_str(&reason);
        }
        out
    }

    fn word_reason(&self, node: &Node, how: TextMatch, hit: bool) -> String {
        let word = self.word(node).and_then(|o| self.bot.keywords.keyword(o));
        match (word, how) {
            (Some(word), TextMatch::Equals) => format!("整句「{}」", word.shown),
            (Some(word), TextMatch::Word) => format!("词「{}」", word.shown),
            (Some(word), TextMatch::NotContains) => format!("不含「{}」", word.shown),
            (Some(word), _) => format!("含「{}」", word.shown),
            (None, _) if hit => node.text.clone(),
            (None, _) => format!("{}：没有出现", node.text),
        }
    }

    fn check_reason(&self, node: &Node, check: &Check, hit: bool) -> String {
        let actual = match check {
            Check::Intent { .. } => self.intent(),
            Check::Faq { .. } => self.faq_best(),
            Check::Emotion(_) => match &self.reading.understanding {
                Some(u) => format!("是 {}", emotion_name(u.emotion.label)),
                None => "没有文字".to_owned(),
            },
            Check::Kind(_) => match self.reading.kind {
                Some(kind) => format!("是 {}", kind_name(kind)),
                None => "不是消息".to_owned(),
            },
            Check::Segment(index) => {
                let mut fields = Vec::new();
                if let Some(segment) = self.bot.segments.get(*index) {
                    fields_of(segment, &mut fields);
                }
                let values: Vec<String> =
                    fields.iter().map(|field| self.field_value(field)).collect();
                if values.is_empty() {
                    "不属于".to_owned()
                } else {
                    values.join("，")
                }
            }
            Check::Schedule(_) => {
                let local = self.scope.local();
                let day = ["一", "二", "三", "四", "五", "六", "日"]
                    .get(local.weekday().to_monday_zero_offset() as usize)
                    .unwrap_or(&"");
                format!("现在是 {} 周{day}", local.strftime("%m-%d %H:%M"))
            }
            Check::Compare { left, .. }
            | Check::OneOf { left, .. }
            | Check::Between { left, .. } => self.field_value(left),
            Check::Channel(_) => format!("是 {}", self.scope.around.capabilities.channel),
            Check::Scene(_) => match &self.scope.conversation.scene {
                Some(scene) => format!("是 {scene}"),
                None => "没有来源".to_owned(),
            },
            Check::Arm { experiment, .. } => {
                let arm = self
                    .arm(*experiment)
                    .and_then(|arm| self.bot.program.experiments.get(*experiment)?.arms.get(arm));
                arm.map_or_else(String::new, |arm| format!("是 {}", arm.name))
            }
            _ if hit => return node.text.clone(),
            Check::Entity(_) => "没有出现".to_owned(),
            Check::Tag(_) => "没有这个标签".to_owned(),
            Check::Bound => "没有绑定".to_owned(),
            Check::Event(_) => "不是这个事件".to_owned(),
            Check::Present(_) => "没有值".to_owned(),
            Check::Text { .. } => String::new(),
        };
        format!("{}：{actual}", node.text)
    }

    fn field_value(&self, field: &Field) -> String {
        let name = field_name(field, self.scope.program);
        let value = self.scope.read(field);
        let shown = match self.bot.personal.holds(field) && value.is_some() {
            true => HIDDEN.to_owned(),
            false => show_masked(value.as_ref()),
        };
        format!("{name}={shown}")
    }

    /// The best intent with its confidence.
    pub fn intent(&self) -> String {
        let Some(understanding) = &self.reading.understanding else {
            return "没有文字".to_owned();
        };
        let intent = &understanding.intent;
        match &intent.label {
            Some(label) => format!("是 {} {:.2}", intent_name(label), intent.confidence),
            None => match intent.top.first() {
                Some(best) => format!(
                    "没有把握，最像 {} {:.2}",
                    intent_name(&best.label),
                    best.confidence
                ),
                None => "没有把握".to_owned(),
            },
        }
    }

    /// The best FAQ candidate with its score.
    pub fn faq_best(&self) -> String {
        match self.reading.faq(self.bot).first() {
            Some(best) => format!(
                "最高 {:.2}「{}」",
                best.score,
                self.bot.question(best.index)
            ),
            None => "没有相近的问题".to_owned(),
        }
    }
}

/// The fields a segment looks at, each once.
fn fields_of<'n>(node: &'n Node, fields: &mut Vec<&'n Field>) {
    match &node.test {
        Test::All(children) | Test::Any(children) => {
            children.iter().for_each(|child| fields_of(child, fields));
        }
        Test::Not(child) => fields_of(child, fields),
        Test::Other(
            Check::Compare { left, .. }
            | Check::OneOf { left, .. }
            | Check::Between { left, .. }
            | Check::Present(left),
        ) if !fields.contains(&left) => fields.push(left),
        _ => {}
    }
}

fn emotion_name(label: EmotionLabel) -> &'static str {
    labels::EMOTIONS
        .iter()
        .find(|(known, _, _)| *known == label)
        .map_or("平静", |(_, _, name)| name)
}

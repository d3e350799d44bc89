//! Why a turn came out as it did, as data and as text. Never holds personal data in clear.

use jiff::civil::DateTime;
use serde::{Deserialize, Serialize};
use yingda_dsl::diagnostic::Lang;

use crate::bot::Bot;
use crate::conversation::Conversation;
use crate::deciding::Deciding;
use crate::event::{Event, Surroundings};
use crate::reading::Evaluation;

#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Explanation {
    /// Masked text of the message, or the name of the event.
    pub message: String,
    /// Package version, content hash.
    pub version: String,
    /// Local time of the turn, in the bot's time zone.
    #[serde(default)]
    pub at: Option<DateTime>,
    /// What was considered, in text order. Rules that a group has in great number and that came nowhere near are
    /// counted in one line.
    pub considered: Vec<Considered>,
    /// Name of the route stage that decided.
    pub stage: Option<String>,
    /// Name of the rule that decided, where the stage is a group.
    pub rule: Option<String>,
    /// What was done, a sentence a step.
    pub done: Vec<String>,
}

/// A stage, or a rule of a group, that was looked at.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Considered {
    pub stage: String,
    pub rule: Option<String>,
    pub hit: bool,
    /// The first failing condition with the actual value, or what made it hit.
    pub reason: String,
}

/// The explanation as text: a head line, a line for each that was considered in aligned columns, what was done.
pub fn render(explanation: &Explanation, lang: Lang) -> String {
    let words = match lang {
        Lang::Zh => Words {
            message: "消息",
            version: "版本",
            time: "时间",
            hit: "命中",
            miss: "未中",
            done: "做了",
        },
        Lang::En => Words {
            message: "message",
            version: "version",
            time: "time",
            hit: "hit ",
            miss: "miss",
            done: "done",
        },
    };
    let version = explanation.version.get(..6).unwrap_or(&explanation.version);
    let mut out = format!(
        "{} \"{}\"   {} {version}",
        words.message, explanation.message, words.version
    );
    if let Some(at) = explanation.at {
        out.push_str(&format!("  {} {}", words.time, at.strftime("%m-%d %H:%M")));
    }
    out.push('\n');
    out.push_str(&lines(&explanation.considered, &words));
    if !explanation.done.is_empty() {
        out.push_str(&format!(
            "{}  {}\n",
            words.done,
            explanation.done.join("；")
        ));
    }
    out
}

/// Lines of considered stages and rules alone.
pub fn render_considered(considered: &[Considered]) -> String {
    let words = Words {
        message: "",
        version: "",
        time: "",
        hit: "命中",
        miss: "未中",
        done: "",
    };
    lines(considered, &words)
}

struct Words {
    message: &'static str,
    version: &'static str,
    time: &'static str,
    hit: &'static str,
    miss: &'static str,
    done: &'static str,
}

fn lines(considered: &[Considered], words: &Words) -> String {
    let labels: Vec<String> = considered
        .iter()
        .map(|c| match &c.rule {
            Some(rule) => format!("{} / {rule}", c.stage),
            None => c.stage.clone(),
        })
        .collect();
    let widest = labels.iter().map(|label| columns(label)).max().unwrap_or(0);
    let mut out = String::new();
    for (label, considered) in labels.iter().zip(considered) {
        let pad = " ".repeat(widest - columns(label));
        let verdict = if considered.hit {
            words.hit
        } else {
            words.miss
        };
        out.push_str(&format!("{label}{pad}  {verdict}  {}\n", considered.reason));
    }
    out
}

/// Columns of a terminal: two for wide characters (Unicode's East Asian Width W and F, to the precision names need).
fn columns(text: &str) -> usize {
    text.chars()
        .map(|c| match c {
            '\u{1100}'..='\u{115f}' | '\u{2e80}'..='\u{303e}' | '\u{3041}'..='\u{a4cf}' => 2,
            '\u{ac00}'..='\u{d7a3}' | '\u{f900}'..='\u{faff}' | '\u{fe30}'..='\u{fe6f}' => 2,
            '\u{ff00}'..='\u{ff60}' | '\u{ffe0}'..='\u{ffe6}' | '\u{1f300}'..='\u{1faff}' => 2,
            '\u{20000}'..='\u{3fffd}' => 2,
            _ => 1,
        })
        .sum()
}

/// 为什么不 规则名: that rule alone, evaluated for the event even where an earlier stage decided; one line for every
/// rule of the name. Empty when there is none.
pub fn why_not(
    bot: &Bot,
    conversation: &Conversation,
    event: &Event,
    around: &Surroundings,
    rule: &str,
) -> Vec<Considered> {
    let turn = bot.decide(conversation, event, around);
    let taken = turn
        .explanation
        .rule
        .clone()
        .or(turn.explanation.stage.clone());
    let deciding =
        Deciding::new(bot, conversation, event, around, Evaluation::Indexed).with_customer();
    let view = deciding.view();
    let mut lines = Vec::new();
    for group in &bot.groups {
        for known in group.rules.iter().filter(|known| known.name == rule) {
            let holds = view.holds(&known.condition);
            let mut reason = view.reason(&known.condition, holds);
            let decided = taken.as_deref() == Some(rule);
            if holds && !decided {
                let taken = taken.as_deref().unwrap_or("别的");
                reason.push_str(&format!("，但前面的「{taken}」先接走了"));
            }
            lines.push(Considered {
                stage: group.name.clone(),
                rule: Some(known.name.clone()),
                hit: holds && decided,
                reason,
            });
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn columns_are_aligned_with_chinese_names() {
        let line = |stage: &str, rule: Option<&str>, hit, reason: &str| Considered {
            stage: stage.into(),
            rule: rule.map(Into::into),
            hit,
            reason: reason.into(),
        };
        let explanation = Explanation {
            message: "不要人工，我自己查".into(),
            version: "3f9a1c77".into(),
            at: Some(date(2026, 11, 20).at(10, 12, 0, 0)),
            considered: vec![
                line(
                    "安全转接",
                    Some("投诉优先"),
                    false,
                    "消息 含 投诉词：没有出现",
                ),
                line(
                    "安全转接",
                    Some("VIP专属"),
                    false,
                    "客户 属于 VIP客户：等级=银卡，年消费=1200",
                ),
                line(
                    "常见问题",
                    None,
                    false,
                    "最高 0.62「怎么转人工」，要求 ≥ 0.80",
                ),
                line("意图", None, true, "订单跟踪 0.81 → 进入 流程 查订单"),
            ],
            stage: Some("意图".into()),
            rule: None,
            done: vec!["进入 流程 查订单".into()],
        };
        insta::assert_snapshot!(render(&explanation, Lang::Zh), @r#"
        消息 "不要人工，我自己查"   版本 3f9a1c  时间 11-20 10:12
        安全转接 / 投诉优先  未中  消息 含 投诉词：没有出现
        安全转接 / VIP专属   未中  客户 属于 VIP客户：等级=银卡，年消费=1200
        常见问题             未中  最高 0.62「怎么转人工」，要求 ≥ 0.80
        意图                 命中  订单跟踪 0.81 → 进入 流程 查订单
        做了  进入 流程 查订单
        "#);
        let english = render(&explanation, Lang::En);
        assert!(
            english
                .starts_with("message \"不要人工，我自己查\"   version 3f9a1c  time 11-20 10:12\n")
        );
    }
}

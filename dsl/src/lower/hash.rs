//! The hash of a step: equal in two versions when the step means the same, whatever moved around it.

use crate::program::{HandoffTarget, Op, Program};

/// Names by index of what is lowered later than the steps that name it.
#[derive(Debug, Default)]
pub(super) struct OuterNames {
    pub skill_groups: Vec<String>,
    pub experiments: Vec<String>,
}

/// FNV-1a over the step's canonical text: names instead of indices, no spans, no jumps.
pub(super) fn step_hash(op: &Op, program: &Program, names: &OuterNames) -> u64 {
    let skill_group = |index: usize| names.skill_groups.get(index).map_or("", String::as_str);
    let text = match op {
        Op::Ask(ask) => {
            let mut ask = ask.clone();
            ask.give_up = 0;
            json(&("ask", ask))
        }
        Op::Menu(menu) => {
            let mut menu = menu.clone();
            menu.other = 0;
            for item in &mut menu.items {
                item.target = 0;
            }
            json(&("menu", menu))
        }
        Op::Call(call) => {
            let connector = program
                .connectors
                .get(call.connector)
                .map(|connector| connector.name.as_str());
            json(&(
                "call",
                connector,
                &call.arguments,
                &call.result,
                call.timeout_ms,
            ))
        }
        Op::If { condition, .. } => json(&("if", &condition.text)),
        Op::Jump(_) => json(&"jump"),
        Op::Answer { faq } => json(&(
            "answer",
            program.faq.get(*faq).map(|entry| entry.id.as_str()),
        )),
        Op::Experiment { experiment, .. } => {
            json(&("experiment", names.experiments.get(*experiment)))
        }
        Op::Enter { routine } => json(&(
            "enter",
            program
                .routines
                .get(*routine)
                .map(|routine| routine.key.as_str()),
        )),
        Op::Handoff(handoff) => {
            let target = match handoff.target {
                HandoffTarget::Group(index) => skill_group(index),
                HandoffTarget::Exclusive => "专属客服",
            };
            let seconds = handoff.queue_over.map(|(seconds, _)| seconds);
            json(&("handoff", target, handoff.urgency, &handoff.note, seconds))
        }
        other => json(other),
    };
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// Serialising these plain values cannot fail; were it to, the step would count as changed.
fn json(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

//! What routines do, seen from outside: in a few words, and whether a customer notices.

use yingda_dsl::program::{HandoffTarget, Op, Program, Routine};

use crate::field::clip;

/// Whether a routine has a step that a customer notices.
pub(crate) fn speaks(routine: &Routine) -> bool {
    routine.code.iter().any(|step| {
        !matches!(
            step.op,
            Op::If { .. }
                | Op::Jump(_)
                | Op::Set { .. }
                | Op::SetAttribute { .. }
                | Op::Tag(_)
                | Op::Untag(_)
                | Op::Note(_)
                | Op::Ticket { .. }
                | Op::Notify { .. }
                | Op::Block { .. }
                | Op::End
        )
    })
}

/// What a routine does first, in a few words: `进入 流程 查订单`, `转人工 技能组 综合组`, `说「…」`.
pub(crate) fn summary(program: &Program, routine: usize) -> String {
    let Some(routine) = program.routines.get(routine) else {
        return String::new();
    };
    let steps: Vec<String> = routine
        .code
        .iter()
        .filter_map(|step| step_summary(program, &step.op))
        .take(3)
        .collect();
    steps.join("、")
}

fn step_summary(program: &Program, op: &Op) -> Option<String> {
    Some(match op {
        Op::Enter { routine } => format!("进入 {}", program.routines.get(*routine)?.key),
        Op::Handoff(handoff) => format!("转人工 {}", target_name(program, handoff.target)),
        Op::Say(say) => match &say.script {
            Some(script) => format!("说 话术 {script}"),
            None => "说".to_owned(),
        },
        Op::Answer { faq } => format!("回答「{}」", clip(&program.faq.get(*faq)?.question, 20)),
        Op::Menu(menu) => format!("菜单 {}", menu.name),
        Op::Ask(ask) => format!("问 {}", ask.variable),
        Op::Call(call) => format!("调用 {}", program.connectors.get(call.connector)?.name),
        Op::Tag(tag) => format!("打标签「{tag}」"),
        Op::Soothe => "安抚".to_owned(),
        Op::LeaveMessage { .. } => "留言".to_owned(),
        Op::Block { .. } => "拦截".to_owned(),
        _ => return None,
    })
}

pub(crate) fn target_name(program: &Program, target: HandoffTarget) -> String {
    match target {
        HandoffTarget::Group(group) => match program.skill_groups.get(group) {
            Some(group) => format!("技能组 {}", group.name),
            None => "任意技能组".to_owned(),
        },
        HandoffTarget::Exclusive => "专属客服".to_owned(),
    }
}

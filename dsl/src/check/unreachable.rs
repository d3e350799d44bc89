//! 提示-02: steps behind one that does not come back (结束, 进入, 转人工).

use super::Package;
use crate::ast::{Item, RouteStage, Step, StepKind};
use crate::diagnostic::Diagnostic;

pub(super) fn check(package: &Package<'_>, diagnostics: &mut Vec<Diagnostic>) {
    for item in package.trees.iter().flat_map(|tree| &tree.items) {
        match item {
            Item::Flow(flow) => block(&flow.steps, diagnostics),
            Item::Menu(menu) => {
                for item in &menu.items {
                    block(&item.action, diagnostics);
                }
                block(menu.other.as_deref().unwrap_or_default(), diagnostics);
            }
            Item::Group(group) => {
                for rule in &group.rules {
                    block(rule.action.as_deref().unwrap_or_default(), diagnostics);
                }
            }
            Item::Intents(lines, _) => {
                for line in lines {
                    block(&line.action, diagnostics);
                }
            }
            Item::Experiment(experiment) => {
                for arm in &experiment.arms {
                    block(&arm.steps, diagnostics);
                }
            }
            Item::Route(route) => {
                for stage in &route.stages {
                    if let RouteStage::Fallback(steps, _) = stage {
                        block(steps, diagnostics);
                    }
                }
            }
            _ => {}
        }
    }
}

fn block(steps: &[Step], diagnostics: &mut Vec<Diagnostic>) {
    for step in steps {
        for inner in inner_blocks(step) {
            block(inner, diagnostics);
        }
    }
    let Some(last) = steps.iter().position(leaves) else {
        return;
    };
    if let (Some(after), Some(leaving)) = (steps.get(last + 1), steps.get(last)) {
        diagnostics.push(
            Diagnostic::warning(
                "提示-02",
                after.span,
                "这一步永远走不到",
                "this step is never reached",
            )
            .related(leaving.span, "到这里就离开了")
            .help("把它移到前面，或者删掉", "move it up or delete it"),
        );
    }
}

/// Whether nothing behind the step is run.
fn leaves(step: &Step) -> bool {
    match &step.kind {
        StepKind::End | StepKind::EnterFlow(_) | StepKind::EnterMenu(_) | StepKind::Handoff(_) => {
            true
        }
        StepKind::If(branches) => {
            branches
                .otherwise
                .as_ref()
                .is_some_and(|block| block.iter().any(leaves))
                && branches
                    .arms
                    .iter()
                    .all(|(_, block)| block.iter().any(leaves))
        }
        StepKind::Call(call) => {
            [&call.success, &call.failure, &call.timed_out]
                .iter()
                .all(|branch| {
                    branch
                        .as_ref()
                        .is_some_and(|block| block.iter().any(leaves))
                })
        }
        StepKind::Menu(menu) => {
            menu.other
                .as_ref()
                .is_some_and(|block| block.iter().any(leaves))
                && menu.items.iter().all(|item| item.action.iter().any(leaves))
        }
        _ => false,
    }
}

fn inner_blocks(step: &Step) -> Vec<&[Step]> {
    match &step.kind {
        StepKind::If(branches) => branches
            .arms
            .iter()
            .map(|(_, block)| block.as_slice())
            .chain(branches.otherwise.as_deref())
            .collect(),
        StepKind::Call(call) => [&call.success, &call.failure, &call.timed_out]
            .into_iter()
            .filter_map(Option::as_deref)
            .collect(),
        StepKind::Menu(menu) => menu
            .items
            .iter()
            .map(|item| item.action.as_slice())
            .chain(menu.other.as_deref())
            .collect(),
        StepKind::Ask(ask) => ask.give_up.as_deref().into_iter().collect(),
        StepKind::Handoff(handoff) => handoff
            .queue_over
            .as_ref()
            .map(|(_, block)| block.as_slice())
            .into_iter()
            .collect(),
        _ => Vec::new(),
    }
}

//! 完整-06: routines that enter one another in a circle without a step that waits for the customer.
//!
//! Such a circle would run for ever in one turn. What waits: 问, 菜单, 调用, 留言. A full queue hands on at once, so
//! 排队上限 counts as a way from one group to the next.

use rustc_hash::FxHashSet;

use super::Package;
use crate::diagnostic::Diagnostic;
use crate::program::{HandoffTarget, Op, Program, Routine};
use crate::source::Span;

pub(super) fn check(package: &Package<'_>, diagnostics: &mut Vec<Diagnostic>) {
    let program = package.program;
    let edges: Vec<Vec<(usize, Span)>> = program
        .routines
        .iter()
        .map(|routine| exits(routine, program))
        .collect();
    let mut done = vec![false; edges.len()];
    for start in 0..edges.len() {
        search(start, &edges, &mut done, program, diagnostics);
    }
}

/// Depth-first, without recursion: a package may hold thousands of flows in a row.
fn search(
    start: usize,
    edges: &[Vec<(usize, Span)>],
    done: &mut [bool],
    program: &Program,
    diagnostics: &mut Vec<Diagnostic>,
) {
    let mut path: Vec<(usize, usize)> = vec![(start, 0)];
    let mut on_path: FxHashSet<usize> = FxHashSet::from_iter([start]);
    while let Some((routine, next)) = path.last_mut() {
        let (routine, index) = (*routine, *next);
        *next += 1;
        let edge = edges
            .get(routine)
            .and_then(|edges| edges.get(index))
            .copied();
        if done.get(routine).copied().unwrap_or(true) && index == 0 {
            on_path.remove(&routine);
            path.pop();
            continue;
        }
        match edge {
            None => {
                if let Some(done) = done.get_mut(routine) {
                    *done = true;
                }
                on_path.remove(&routine);
                path.pop();
            }
            Some((target, span)) if on_path.contains(&target) => {
                let from = path
                    .iter()
                    .position(|(on, _)| *on == target)
                    .unwrap_or_default();
                let circle: Vec<usize> = path.iter().skip(from).map(|(on, _)| *on).collect();
                diagnostics.push(report(&circle, span, program));
            }
            Some((target, _)) => {
                on_path.insert(target);
                path.push((target, 0));
            }
        }
    }
}

fn report(circle: &[usize], span: Span, program: &Program) -> Diagnostic {
    let mut keys: Vec<&str> = circle
        .iter()
        .filter_map(|index| program.routines.get(*index))
        .map(|routine| routine.key.as_str())
        .collect();
    keys.extend(keys.first().copied());
    let circle = keys.join(" → ");
    Diagnostic::error(
        "完整-06",
        span,
        format!("绕成了一个圈，中间没有一步等客户说话：{circle}"),
        format!("a circle without a step that waits for the customer: {circle}"),
    )
    .label("从这里绕回去")
    .help(
        "在圈里加一步「问」或「菜单」，或者改成「结束」",
        "add an ask or menu to the circle, or end here",
    )
}

/// Where a routine goes before it waits for the first time.
fn exits(routine: &Routine, program: &Program) -> Vec<(usize, Span)> {
    let mut exits = Vec::new();
    let mut seen = vec![false; routine.code.len()];
    let mut todo = vec![0];
    while let Some(pc) = todo.pop() {
        let (Some(step), Some(seen)) = (routine.code.get(pc), seen.get_mut(pc)) else {
            continue;
        };
        if std::mem::replace(seen, true) {
            continue;
        }
        match &step.op {
            Op::Ask(_) | Op::Menu(_) | Op::Call(_) | Op::LeaveMessage { .. } | Op::End => {}
            Op::Enter { routine } => exits.push((*routine, step.span)),
            Op::Handoff(handoff) => {
                if let HandoffTarget::Group(group) = handoff.target
                    && let Some((_, full)) = program
                        .skill_groups
                        .get(group)
                        .and_then(|group| group.queue_limit)
                {
                    exits.push((full, step.span));
                }
            }
            Op::Jump(target) => todo.push(*target),
            Op::If { otherwise, .. } => todo.extend([pc + 1, *otherwise]),
            Op::Experiment { arms, .. } => todo.extend(arms),
            _ => todo.push(pc + 1),
        }
    }
    exits
}

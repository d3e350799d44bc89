//! Flattening blocks: a routine's steps in one list, with jumps.
//!
//! What stands behind a question, menu, call or experiment follows it directly; their branches are laid behind the
//! main line, each ending with a jump back to it (放弃 and 排队超过 end the routine instead).

use super::Lowerer;
use super::hash::step_hash;
use crate::ast::Block;
use crate::program::{Op, Pc, Routine, RoutineKind, Step};
use crate::source::Span;

/// Which jump of which step leads to a branch.
#[derive(Debug, Clone, Copy)]
pub(super) enum Entry {
    GiveUp(Pc),
    MenuItem(Pc, usize),
    MenuOther(Pc),
    Success(Pc),
    Failure(Pc),
    TimedOut(Pc),
    Arm(Pc, usize),
    QueueOver(Pc),
}

/// What is run when a branch is through.
#[derive(Debug, Clone, Copy)]
pub(super) enum After {
    Resume(Pc),
    End,
}

/// A branch that waits to be laid behind the main line.
#[derive(Debug, Clone, Copy)]
struct Branch<'t> {
    entry: Entry,
    block: &'t Block,
    after: After,
    in_experiment: bool,
    span: Span,
}

/// The code of one routine while it is made.
pub(super) struct Code<'t> {
    pub steps: Vec<Step>,
    branches: Vec<Branch<'t>>,
    /// Menus seen, for the names of those that have none.
    pub menus: usize,
    /// Whether the branch being laid is an experiment's arm, or inside one.
    pub in_experiment: bool,
}

impl<'t> Code<'t> {
    fn new() -> Self {
        Code {
            steps: Vec::new(),
            branches: Vec::new(),
            menus: 0,
            in_experiment: false,
        }
    }

    pub fn pc(&self) -> Pc {
        self.steps.len()
    }

    pub fn emit(&mut self, op: Op, span: Span) -> Pc {
        self.steps.push(Step { op, hash: 0, span });
        self.steps.len() - 1
    }

    /// A branch to be laid behind the main line.
    pub fn branch(&mut self, entry: Entry, block: &'t Block, after: After, span: Span) {
        self.branches.push(Branch {
            entry,
            block,
            after,
            in_experiment: self.in_experiment || matches!(entry, Entry::Arm(..)),
            span,
        });
    }

    /// Points the jump of a step at a place.
    pub fn patch(&mut self, entry: Entry, target: Pc) {
        let at = match entry {
            Entry::GiveUp(pc)
            | Entry::MenuItem(pc, _)
            | Entry::MenuOther(pc)
            | Entry::Success(pc)
            | Entry::Failure(pc)
            | Entry::TimedOut(pc)
            | Entry::Arm(pc, _)
            | Entry::QueueOver(pc) => pc,
        };
        let Some(step) = self.steps.get_mut(at) else {
            return;
        };
        match (&mut step.op, entry) {
            (Op::Ask(ask), Entry::GiveUp(_)) => ask.give_up = target,
            (Op::Menu(menu), Entry::MenuItem(_, index)) => {
                if let Some(item) = menu.items.get_mut(index) {
                    item.target = target;
                }
            }
            (Op::Menu(menu), Entry::MenuOther(_)) => menu.other = target,
            (Op::Call(call), Entry::Success(_)) => call.success = target,
            (Op::Call(call), Entry::Failure(_)) => call.failure = target,
            (Op::Call(call), Entry::TimedOut(_)) => call.timed_out = target,
            (Op::Experiment { arms, .. }, Entry::Arm(_, index)) => {
                if let Some(arm) = arms.get_mut(index) {
                    *arm = target;
                }
            }
            (Op::Handoff(handoff), Entry::QueueOver(_)) => {
                if let Some((_, pc)) = &mut handoff.queue_over {
                    *pc = target;
                }
            }
            _ => {}
        }
    }

    /// Sets the target of an `If` or `Jump`.
    pub fn land(&mut self, at: Pc, target: Pc) {
        match self.steps.get_mut(at).map(|step| &mut step.op) {
            Some(Op::If { otherwise, .. }) => *otherwise = target,
            Some(Op::Jump(pc)) => *pc = target,
            _ => {}
        }
    }
}

/// Steps of one routine, at most: inlining experiments must not blow up.
const MAX_STEPS: usize = 20_000;

impl<'a> Lowerer<'a> {
    /// The steps of a block with all its branches, and the hashes of the steps.
    pub(super) fn code(&mut self, block: &'a Block) -> Vec<Step> {
        self.code_from(|lowerer, code| lowerer.block(block, code))
    }

    pub(super) fn code_from(&mut self, main: impl FnOnce(&mut Self, &mut Code<'a>)) -> Vec<Step> {
        let mut code = Code::new();
        main(self, &mut code);
        let mut next = 0;
        if !code.branches.is_empty() {
            code.emit(Op::End, Span::default());
        }
        while let Some(branch) = code.branches.get(next).copied() {
            next += 1;
            if code.steps.len() > MAX_STEPS {
                self.error(
                    "含义-07",
                    branch.span,
                    "这一段太长了，最多两万步",
                    "this code is too long, 20,000 steps at most",
                    "拆成几个流程",
                    "split it into flows",
                );
                break;
            }
            let start = code.pc();
            code.patch(branch.entry, start);
            code.in_experiment = branch.in_experiment;
            self.block(branch.block, &mut code);
            let last = match branch.after {
                After::Resume(pc) => Op::Jump(pc),
                After::End => Op::End,
            };
            code.emit(last, branch.span);
        }
        let mut steps = code.steps;
        for step in &mut steps {
            step.hash = step_hash(&step.op, &self.program, &self.outer);
        }
        steps
    }

    /// A routine of an action.
    pub(super) fn action(
        &mut self,
        key: String,
        name: &str,
        block: &'a Block,
        span: Span,
    ) -> usize {
        let code = self.code(block);
        self.program.routines.push(Routine {
            key,
            kind: RoutineKind::Action,
            name: name.to_owned(),
            code,
            span,
        });
        self.program.routines.len() - 1
    }
}

//! Connector calls: a turn is suspended by one and resumed by its result.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use yingda_dsl::program::{Call, Op};

use crate::conversation::PendingCall;
use crate::deciding::Deciding;
use crate::event::Outcome;
use crate::turn::Effect;
use crate::wake;

impl Deciding<'_> {
    pub fn call(&mut self, call: &Call) {
        let Some(connector) = self.bot.program.connectors.get(call.connector) else {
            return;
        };
        let arguments: BTreeMap<_, _> = connector
            .parameters
            .iter()
            .zip(&call.arguments)
            .filter_map(|((name, _), expr)| Some((name.clone(), self.scope().evaluate(expr)?)))
            .collect();
        self.next.calls_in_a_row += 1;
        self.next.calls += 1;
        let id = self.next.calls;
        let timeout =
            SignedDuration::from_millis(i64::try_from(call.timeout_ms).unwrap_or(i64::MAX));
        self.next.pending_call = Some(PendingCall {
            id,
            connector: connector.name.clone(),
            arguments: arguments.clone(),
            deadline: wake::later(self.around.now, timeout),
            told: false,
        });
        self.done(&format!("调用 {}", connector.name));
        self.effects.push(Effect::Call {
            id,
            connector: connector.name.clone(),
            arguments,
            timeout_ms: call.timeout_ms,
        });
    }

    /// Goes on where the call's outcome leads.
    pub fn resume_call(&mut self, outcome: &Outcome) {
        self.next.pending_call = None;
        let Some(frame) = self.next.stack.pop() else {
            return;
        };
        self.trail = frame.trail.clone();
        let bot = self.bot;
        let place = bot.unchanged_step(&frame);
        let step = place.and_then(|(routine, pc)| Some((routine, bot.step(routine, pc)?)));
        let Some((routine, Op::Call(call))) = step.map(|(routine, step)| (routine, &step.op))
        else {
            self.done("这一步在新版本里变了，从头再来");
            if let Some(routine) = bot.routine_index(&frame.routine) {
                let ran = self.run(routine, 0);
                self.after(ran);
            }
            return;
        };
        let pc = match outcome {
            Outcome::Success { fields } => {
                if let Some(name) = &call.result {
                    self.next.results.insert(name.clone(), fields.clone());
                }
                self.done("接口成功");
                call.success
            }
            Outcome::Failure { .. } => {
                self.done("接口失败");
                call.failure
            }
            Outcome::Timeout => {
                self.done("接口超时");
                call.timed_out
            }
        };
        self.explanation.stage = Some("流程中".to_owned());
        let ran = self.run(routine, pc);
        self.after(ran);
    }
}

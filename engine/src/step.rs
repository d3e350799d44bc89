//! Steps: running a routine until it waits, hands over or ends.

use yingda_dsl::program::{Field, Handoff, Op, Pc, Say, Step, Value};

use crate::conversation::{Frame, Owner};
use crate::deciding::Deciding;
use crate::field::show_masked;
use crate::personal::HIDDEN;
use crate::queue::Overflow;
use crate::turn::{Effect, Outgoing};
use crate::variant::variant_of;
use crate::wording;

/// Steps of one turn; more is a package gone astray, and a person takes over.
pub(crate) const STEP_CAP: u32 = 200;
/// Connector calls in a row without the customer doing anything.
pub(crate) const CALL_CAP: u32 = 10;
/// Waiting routines at once.
pub(crate) const STACK_CAP: usize = 3;

/// How the run of a routine came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ran {
    /// To its end.
    Ended,
    /// It waits for the customer, or for a connector.
    Waiting,
    /// The conversation waits for a person now.
    HandedOver,
    /// It would have entered the flow that waits already: that one asked again.
    BackToStep,
}

enum Next {
    Step,
    Jump(Pc),
    Enter(usize),
    Stop(Ran),
}

impl Deciding<'_> {
    /// Runs a routine from a step on.
    pub fn run(&mut self, routine: usize, pc: Pc) -> Ran {
        let bot = self.bot;
        let (mut routine, mut pc) = (routine, pc);
        loop {
            self.steps += 1;
            if self.steps > STEP_CAP {
                return self.cap_hit();
            }
            let Some(step) = bot.step(routine, pc) else {
                return Ran::Ended;
            };
            match self.step(routine, pc, step) {
                Next::Step => pc += 1,
                Next::Jump(target) => pc = target,
                Next::Enter(target) => {
                    let Some(entered) = self.routine(target) else {
                        return Ran::Ended;
                    };
                    if self.digressing && self.waits_in(&entered.key) {
                        self.ask_again();
                        return Ran::BackToStep;
                    }
                    self.done(&format!("进入 {}", entered.key));
                    self.leave_for(&entered.key);
                    (routine, pc) = (target, 0);
                }
                Next::Stop(ran) => return ran,
            }
        }
    }

    fn step(&mut self, routine: usize, pc: Pc, step: &Step) -> Next {
        if self.muted {
            return self.muted_step(routine, pc, step);
        }
        match &step.op {
            Op::Say(say) => {
                let text = self.wording(say);
                self.say(&text);
            }
            Op::SendMedia { kind, media } => self.send(Outgoing::Media {
                media_kind: *kind,
                media: media.clone(),
            }),
            Op::SendNews {
                title,
                description,
                url,
                picture,
            } => {
                let message = Outgoing::News {
                    title: self.scope().render(title),
                    description: self.scope().render(description),
                    url: url.clone(),
                    picture: picture.clone(),
                };
                self.send(message);
            }
            Op::SendMiniProgram {
                title,
                app_id,
                path,
                thumb,
            } => {
                let message = Outgoing::MiniProgram {
                    title: self.scope().render(title),
                    app_id: app_id.clone(),
                    path: path.clone(),
                    thumb: thumb.clone(),
                };
                self.send(message);
            }
            Op::Ask(ask) => {
                if self.is_known(routine, pc, ask) {
                    return match self.confirm_known(routine, pc, step, ask) {
                        true => Next::Stop(Ran::Waiting),
                        false => Next::Step,
                    };
                }
                self.wait(routine, pc, step);
                self.ask_again();
                return Next::Stop(Ran::Waiting);
            }
            Op::Menu(_) | Op::LeaveMessage { .. } => {
                self.wait(routine, pc, step);
                self.ask_again();
                return Next::Stop(Ran::Waiting);
            }
            Op::Call(_) if self.next.calls_in_a_row >= CALL_CAP => {
                return Next::Stop(self.cap_hit());
            }
            Op::Call(call) => {
                self.wait(routine, pc, step);
                self.call(call);
                return Next::Stop(Ran::Waiting);
            }
            Op::Answer { faq } => self.answer(*faq),
            Op::Suggest { max } => {
                self.suggest(*max);
            }
            Op::Soothe => self.soothe(),
            Op::Handoff(handoff) => {
                return Next::Stop(self.handoff_step(routine, handoff));
            }
            Op::ReturnToBot => self.return_to_bot(),
            Op::Enter { routine } => return Next::Enter(*routine),
            _ => return self.quiet_step(routine, pc, step),
        }
        Next::Step
    }

    /// While a person serves: what the customer does not notice; whatever speaks or waits is passed over or ends it.
    fn muted_step(&mut self, routine: usize, pc: Pc, step: &Step) -> Next {
        match &step.op {
            Op::Say(_)
            | Op::SendMedia { .. }
            | Op::SendNews { .. }
            | Op::SendMiniProgram { .. } => Next::Step,
            Op::Answer { .. } | Op::Suggest { .. } | Op::Soothe => Next::Step,
            Op::Ask(_) | Op::Menu(_) | Op::LeaveMessage { .. } | Op::Call(_) | Op::Enter { .. } => {
                Next::Stop(Ran::Ended)
            }
            Op::Handoff(_) | Op::ReturnToBot | Op::Ticket { .. } => Next::Step,
            _ => self.quiet_step(routine, pc, step),
        }
    }

    /// Steps that say nothing.
    fn quiet_step(&mut self, routine: usize, pc: Pc, step: &Step) -> Next {
        match &step.op {
            Op::If { otherwise, .. } => {
                let holds = self
                    .bot
                    .branch(routine, pc)
                    .is_some_and(|node| self.view().holds(node));
                if !holds {
                    return Next::Jump(*otherwise);
                }
            }
            Op::Jump(target) => return Next::Jump(*target),
            Op::Set { variable, value } => {
                match self.scope().evaluate(value) {
                    Some(value) => self.next.variables.insert(variable.clone(), value),
                    None => self.next.variables.remove(variable),
                };
            }
            Op::SetAttribute { attribute, value } => {
                match self.scope().evaluate(value) {
                    Some(value) => {
                        self.done(&format!(
                            "设 客户.{attribute} = {}",
                            self.shown_attribute(attribute, &value)
                        ));
                        self.next.attributes.insert(attribute.clone(), value)
                    }
                    None => self.next.attributes.remove(attribute),
                };
            }
            Op::Tag(tag) => {
                self.done(&format!("打标签「{tag}」"));
                self.next.tags.insert(tag.clone());
                self.effects.push(Effect::Tag { tag: tag.clone() });
            }
            Op::Untag(tag) => {
                self.done(&format!("去标签「{tag}」"));
                self.next.tags.remove(tag);
                self.effects.push(Effect::Untag { tag: tag.clone() });
            }
            Op::Note(text) => {
                let text = self.scope().render(text);
                self.done(&format!("记备注「{}」", self.quote(&text)));
                self.effects.push(Effect::Note { text });
            }
            Op::Ticket { title, body } => {
                let (title, body) = (self.scope().render(title), self.scope().render(body));
                self.done(&format!("建工单「{}」", self.quote(&title)));
                self.effects.push(Effect::Ticket { title, body });
            }
            Op::Notify { webhook, text } => {
                let text = self.scope().render(text);
                self.done(&format!("通知 {webhook}"));
                self.effects.push(Effect::Notify {
                    webhook: webhook.clone(),
                    text,
                });
            }
            Op::Experiment { experiment, arms } => {
                let arm = self.view().arm(*experiment).unwrap_or(0);
                let declared = self.bot.program.experiments.get(*experiment);
                if let Some((name, arm)) =
                    declared.and_then(|e| Some((&e.name, &e.arms.get(arm)?.name)))
                {
                    self.done(&format!("实验 {name}：{arm}"));
                }
                return match arms.get(arm) {
                    Some(target) => Next::Jump(*target),
                    None => Next::Step,
                };
            }
            Op::Block { reason } => {
                self.done(&format!("拦截：{reason}"));
                self.blocked = true;
                self.effects.push(Effect::Alert {
                    reason: reason.clone(),
                });
                return Next::Stop(Ran::Ended);
            }
            Op::End => return Next::Stop(Ran::Ended),
            _ => {}
        }
        Next::Step
    }

    fn shown_attribute(&self, name: &str, value: &Value) -> String {
        match self.bot.personal.holds(&Field::Attribute(name.to_owned())) {
            true => HIDDEN.to_owned(),
            false => show_masked(Some(value)),
        }
    }

    /// The text of a 说: one of its variants, its fields filled in.
    pub fn wording(&self, say: &Say) -> String {
        let what = say.script.as_deref().unwrap_or("说");
        let variant = variant_of(
            say.variants.len(),
            &self.next.customer,
            self.next.turns,
            what,
        );
        say.variants
            .get(variant)
            .map_or_else(String::new, |template| self.scope().render(template))
    }

    fn soothe(&mut self) {
        let script = self
            .bot
            .program
            .scripts
            .iter()
            .find(|script| script.name == "安抚");
        let text = match script {
            Some(script) => self.wording(&Say {
                variants: script.variants.clone(),
                script: Some(script.name.clone()),
            }),
            None => wording::SOOTHE.to_owned(),
        };
        self.say(&text);
    }

    /// Pushes the frame of a step that waits.
    pub fn wait(&mut self, routine: usize, pc: Pc, step: &Step) {
        let Some(key) = self.routine(routine).map(|r| r.key.clone()) else {
            return;
        };
        self.next.stack.retain(|frame| frame.routine != key);
        self.next.stack.push(Frame {
            routine: key,
            pc,
            step_hash: step.hash,
            misses: 0,
            confirming: None,
            trail: std::mem::take(&mut self.trail),
        });
        if self.next.stack.len() > STACK_CAP {
            // The oldest question is the one the customer has forgotten.
            self.next.stack.remove(0);
        }
        self.next.offered.clear();
    }

    fn handoff_step(&mut self, routine: usize, handoff: &Handoff) -> Ran {
        let note = handoff.note.as_ref().map(|note| self.scope().render(note));
        let key = self.routine(routine).map(|r| r.key.clone());
        let over = handoff
            .queue_over
            .zip(key)
            .map(|((seconds, pc), routine)| Overflow {
                seconds,
                routine,
                pc,
            });
        self.hand_over(
            handoff.target,
            handoff.urgency,
            note,
            over,
            key_name(self.routine(routine)),
        )
    }

    fn return_to_bot(&mut self) {
        if self.next.owner != Owner::Bot {
            self.next.owner = Owner::Bot;
            self.next.epoch += 1;
            self.next.queue = None;
        }
        self.done("转回机器人");
        self.effects.push(Effect::ReturnToBot);
    }

    fn cap_hit(&mut self) -> Ran {
        self.done("步数到了上限，转人工");
        self.effects.push(Effect::Alert {
            reason: format!("一轮里走了 {STEP_CAP} 步还没有停"),
        });
        self.say(wording::STEP_CAP);
        self.queue_anywhere()
    }
}

fn key_name(routine: Option<&yingda_dsl::program::Routine>) -> String {
    routine.map_or_else(String::new, |routine| routine.key.clone())
}

//! The answer to what a step waits for: a menu's choice, a slot's value, a message left.

use yingda_dsl::program::{Ask, Interrupt, Menu, Pc, Step, Type, Value};

use crate::conversation::Frame;
use crate::deciding::Deciding;
use crate::field::show_masked;
use crate::personal::HIDDEN;
use crate::turn::Effect;
use crate::{menu, slot, wording};

/// What leaves a question for good, said alone.
const CANCELLING: [&str; 7] = [
    "取消",
    "退出",
    "算了",
    "不查了",
    "不用了",
    "不弄了",
    "不办了",
];

impl Deciding<'_> {
    pub fn menu_takes(&mut self, frame: &Frame, routine: usize, pc: Pc, menu: &Menu) -> bool {
        if let Some(index) = menu::choose(menu, &self.reading) {
            self.take_item(frame, routine, pc, menu, index);
            return true;
        }
        menu::is_back(&self.reading.folded) && self.go_back(frame)
    }

    pub fn take_item(&mut self, frame: &Frame, routine: usize, pc: Pc, menu: &Menu, index: usize) {
        let Some(item) = menu.items.get(index) else {
            return;
        };
        self.done(&format!("选 {}「{}」", item.number, item.text));
        self.next.stack.pop();
        let key = frame.routine.clone();
        self.trail = frame.trail.clone();
        self.trail.push((key, pc));
        let ran = self.run(routine, item.target);
        self.after(ran);
    }

    /// `0`: the menu before this one, if there was one.
    fn go_back(&mut self, frame: &Frame) -> bool {
        let mut trail = frame.trail.clone();
        let Some((key, pc)) = trail.pop() else {
            return false;
        };
        let Some(routine) = self.bot.routine_index(&key) else {
            return false;
        };
        self.next.stack.pop();
        self.done("返回上一级");
        self.trail = trail;
        let ran = self.run(routine, pc);
        self.after(ran);
        true
    }

    pub fn ask_takes(&mut self, frame: &Frame, routine: usize, pc: Pc, ask: &Ask) -> bool {
        if frame.confirming.is_some() {
            match slot::yes_or_no(&self.reading.folded) {
                Some(true) => {
                    self.next.stack.pop();
                    self.go_on(frame, routine, pc + 1);
                    return true;
                }
                Some(false) => {
                    self.next.variables.remove(&ask.variable);
                    if let Some(frame) = self.next.stack.last_mut() {
                        frame.confirming = None;
                    }
                    self.ask_again();
                    return true;
                }
                None => {}
            }
        }
        let now = self.scope().local();
        let pattern = self.bot.slot_pattern(routine, pc);
        let value = match self.reading.is_text() {
            true => slot::read(&ask.ty, pattern, &self.reading.text, now),
            false => None,
        };
        if let Some(value) = value {
            self.done(&format!("{} = {}", ask.variable, masked(ask, &value)));
            self.use_entity(&ask.ty);
            if ask.ty == Type::Address {
                // The whole message is the value, and no mask knows it.
                self.explanation.message = HIDDEN.to_owned();
            }
            self.next.variables.insert(ask.variable.clone(), value);
            self.next.stack.pop();
            self.go_on(frame, routine, pc + 1);
            return true;
        }
        if menu::is_back(&self.reading.folded) && self.go_back(frame) {
            return true;
        }
        if CANCELLING.contains(&self.reading.folded.as_str())
            && self.interrupt(&frame.routine) != Interrupt::Never
        {
            self.next.stack.pop();
            self.done("客户取消");
            self.say(wording::CANCELLED);
            return true;
        }
        false
    }

    /// 留言 takes whatever comes.
    pub fn keep_message(&mut self, frame: &Frame, routine: usize, pc: Pc) -> bool {
        let body = self.reading.message().shown();
        self.done(&format!("收下留言「{}」", self.quote(&body)));
        self.effects.push(Effect::Ticket {
            title: wording::MESSAGE_TICKET.to_owned(),
            body,
        });
        self.message_kept = true;
        self.next.stack.pop();
        self.go_on(frame, routine, pc + 1);
        true
    }

    pub fn go_on(&mut self, frame: &Frame, routine: usize, pc: Pc) {
        self.trail = frame.trail.clone();
        let ran = self.run(routine, pc);
        self.after(ran);
    }

    /// Whether a question's answer is there: a variable, or an entity of the message that led here.
    pub fn is_known(&mut self, routine: usize, pc: Pc, ask: &Ask) -> bool {
        if self.next.variables.contains_key(&ask.variable) {
            return true;
        }
        let Some(kind) = slot::entity_kind(&ask.ty) else {
            return false;
        };
        let entities = self
            .reading
            .understanding
            .as_ref()
            .map(|u| u.entities.as_slice());
        let unused = entities
            .unwrap_or_default()
            .iter()
            .any(|e| e.kind == kind && !self.used_entities.contains(&e.start));
        if !unused {
            return false;
        }
        let pattern = self.bot.slot_pattern(routine, pc);
        let value = slot::read(&ask.ty, pattern, &self.reading.text, self.scope().local());
        let Some(value) = value else {
            return false;
        };
        self.done(&format!(
            "{} = {}（已经说过）",
            ask.variable,
            masked(ask, &value)
        ));
        self.use_entity(&ask.ty);
        self.next.variables.insert(ask.variable.clone(), value);
        true
    }

    /// 确认 of a known value; false where the step asks for none.
    pub fn confirm_known(&mut self, routine: usize, pc: Pc, step: &Step, ask: &Ask) -> bool {
        if ask.confirm.is_none() {
            return false;
        }
        let value = show_masked(self.next.variables.get(&ask.variable));
        self.wait(routine, pc, step);
        if let Some(frame) = self.next.stack.last_mut() {
            frame.confirming = Some(value);
        }
        self.ask_again();
        true
    }

    /// One entity answers one question.
    fn use_entity(&mut self, ty: &Type) {
        let kind = slot::entity_kind(ty);
        let entities = self
            .reading
            .understanding
            .as_ref()
            .map(|u| u.entities.as_slice());
        let starts = entities
            .unwrap_or_default()
            .iter()
            .filter(|e| Some(e.kind) == kind)
            .map(|e| e.start);
        self.used_entities.extend(starts);
    }
}

fn masked(ask: &Ask, value: &Value) -> String {
    let shown = show_masked(Some(value));
    match ask.ty.is_personal() {
        // An address is no number that a mask would find.
        true if !shown.contains('*') => HIDDEN.to_owned(),
        _ => shown,
    }
}

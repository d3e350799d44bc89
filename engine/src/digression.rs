//! The waiting step: what it takes, how it asks again, and what becomes of it while something else is dealt with.

use yingda_dsl::program::{Ask, Interrupt, Menu, Op, Pc, Step};

use crate::conversation::Frame;
use crate::deciding::Deciding;
use crate::event::Message;
use crate::menu;
use crate::route::Action;
use crate::step::Ran;
use crate::turn::{Effect, Outgoing};
use crate::wording;

impl Deciding<'_> {
    /// Whether anything waits for the customer's choice or answer.
    pub fn waits(&self) -> bool {
        !self.next.stack.is_empty() || !self.next.offered.is_empty()
    }

    pub fn waits_in(&self, key: &str) -> bool {
        self.next
            .stack
            .last()
            .is_some_and(|frame| frame.routine == key)
    }

    /// 流程中: the innermost waiting step sees the message; true when it took it.
    pub fn in_flow(&mut self, stage: &str) -> bool {
        if let Some(message) = self.next.choosing.take()
            && let Some(taken) = self.chosen_which(stage, &message)
        {
            return taken;
        }
        let Some(frame) = self.next.stack.last().cloned() else {
            return self.picks_offered(stage);
        };
        let name = self.routine_name(&frame);
        let bot = self.bot;
        let place = bot.unchanged_step(&frame);
        let Some((routine, pc, step)) = place.and_then(|(r, pc)| Some((r, pc, bot.step(r, pc)?)))
        else {
            self.note(
                stage,
                true,
                format!("{name} 的这一步在新版本里变了，重新问"),
            );
            self.restart_step(&frame);
            return true;
        };
        let taken = match &step.op {
            Op::Menu(menu) => self.menu_takes(&frame, routine, pc, menu),
            Op::Ask(ask) => self.ask_takes(&frame, routine, pc, ask),
            Op::LeaveMessage { .. } => self.keep_message(&frame, routine, pc),
            _ => {
                self.next.stack.pop();
                self.go_on(&frame, routine, pc);
                true
            }
        };
        if taken {
            self.next.unrecognized = 0;
            self.note(stage, true, format!("{name} 在等的就是它"));
            return true;
        }
        self.note(
            stage,
            false,
            format!("{name} 在等{}，这句不是", waited_for(step)),
        );
        self.unfit = true;
        match self.interrupt(&frame.routine) {
            Interrupt::Never => self.missed(),
            _ => false,
        }
    }

    /// When what was done has come to its end, the flow below it goes on.
    pub fn after(&mut self, ran: Ran) {
        if ran == Ran::Ended && !self.muted && !self.next.stack.is_empty() {
            self.resume();
        }
    }

    /// Nothing took a message while a step waits: it asks again, and once too often it gives up.
    pub fn missed(&mut self) -> bool {
        let Some(mut frame) = self.next.stack.last().cloned() else {
            return false;
        };
        let bot = self.bot;
        let place = bot.unchanged_step(&frame);
        let Some((routine, pc, step)) = place.and_then(|(r, pc)| Some((r, pc, bot.step(r, pc)?)))
        else {
            self.restart_step(&frame);
            return true;
        };
        if let Op::Menu(menu) = &step.op
            && let Some(index) = menu::choose_loosely(menu, &self.reading)
        {
            self.take_item(&frame, routine, pc, menu, index);
            return true;
        }
        let (allowed, give_up) = match &step.op {
            Op::Menu(menu) => (menu.misses, menu.other),
            Op::Ask(ask) => (ask.retries, ask.give_up),
            _ => (u8::MAX, pc),
        };
        frame.misses = frame.misses.saturating_add(1);
        if frame.misses > allowed {
            self.done(&format!("第 {} 次答不上，放弃", frame.misses));
            self.next.stack.pop();
            self.go_on(&frame, routine, give_up);
            return true;
        }
        self.done(&format!("没有答上，第 {} 次", frame.misses));
        if let Some(top) = self.next.stack.last_mut() {
            top.misses = frame.misses;
        }
        let retry = match &step.op {
            Op::Menu(menu) => menu.miss_text.as_ref(),
            Op::Ask(ask) if frame.confirming.is_none() => ask.retry_prompt.as_ref(),
            _ => None,
        };
        match (retry, &step.op) {
            (Some(retry), _) => {
                let text = self.wording(retry);
                self.say(&text);
            }
            (None, Op::Menu(menu)) => {
                self.say(&format!("没有这个选项，请回复 {}。", menu::range(menu)));
                self.ask_again();
            }
            (None, _) => self.ask_again(),
        }
        true
    }

    /// Puts the innermost waiting question once more.
    pub fn ask_again(&mut self) {
        let Some(frame) = self.next.stack.last().cloned() else {
            return;
        };
        let bot = self.bot;
        let Some(step) = bot
            .unchanged_step(&frame)
            .and_then(|(r, pc)| bot.step(r, pc))
        else {
            return;
        };
        match &step.op {
            Op::Ask(ask) => {
                let text = self.question(ask, &frame);
                self.say(&text);
            }
            Op::Menu(menu) => self.show_menu(menu, &frame),
            Op::LeaveMessage { prompt } => {
                let text = self.scope().render(prompt);
                self.say(&text);
            }
            Op::Call(_) => self.say(wording::PLEASE_WAIT),
            _ => {}
        }
    }

    fn question(&self, ask: &Ask, frame: &Frame) -> String {
        match (&ask.confirm, &frame.confirming) {
            (Some(confirm), Some(_)) => self.scope().render(confirm),
            _ => self.wording(&ask.prompt),
        }
    }

    fn show_menu(&mut self, menu: &Menu, frame: &Frame) {
        let head = match &menu.prompt {
            Some(prompt) => self.wording(prompt),
            // What was said just before is the menu's heading.
            None if matches!(
                self.effects.last(),
                Some(Effect::Send {
                    message: Outgoing::Text { .. }
                })
            ) =>
            {
                String::new()
            }
            None => wording::CHOOSE.to_owned(),
        };
        let items = menu
            .items
            .iter()
            .map(|item| (item.number.to_string(), item.text.clone()))
            .collect();
        let tail = match frame.trail.is_empty() {
            true => String::new(),
            false => wording::BACK.to_owned(),
        };
        self.done(&format!("菜单 {}", menu.name));
        self.send(Outgoing::Menu { head, items, tail });
    }

    /// The generated sentence by which a flow goes on after something else was dealt with.
    fn resume(&mut self) {
        let Some(frame) = self.next.stack.last().cloned() else {
            return;
        };
        let bot = self.bot;
        let Some(step) = bot
            .unchanged_step(&frame)
            .and_then(|(r, pc)| bot.step(r, pc))
        else {
            self.restart_step(&frame);
            return;
        };
        let name = self.routine_name(&frame);
        self.done(&format!("回到 {name}"));
        match &step.op {
            Op::Ask(ask) => {
                let text = format!("我们接着刚才的「{name}」。{}", self.question(ask, &frame));
                self.say(&text);
            }
            Op::LeaveMessage { prompt } => {
                let text = format!("我们接着刚才的「{name}」。{}", self.scope().render(prompt));
                self.say(&text);
            }
            // The menu still stands in the chat; the whole of it again would be noise.
            Op::Menu(menu) => {
                let text = format!("您也可以继续回复上面菜单的序号（{}）。", menu::range(menu));
                self.say(&text);
            }
            _ => {}
        }
    }

    /// A waiting step that is another in this version: its routine asks anew from the step, or from its beginning.
    fn restart_step(&mut self, frame: &Frame) {
        self.next.stack.pop();
        let bot = self.bot;
        let Some(routine) = bot.routine_index(&frame.routine) else {
            self.after(Ran::Ended);
            return;
        };
        let waits = |pc: Pc| {
            bot.step(routine, pc).is_some_and(|step| {
                matches!(step.op, Op::Ask(_) | Op::Menu(_) | Op::LeaveMessage { .. })
            })
        };
        let pc = Some(frame.pc).filter(|&pc| waits(pc)).unwrap_or(0);
        self.go_on(frame, routine, pc);
    }

    /// The flow is over.
    pub fn abandon(&mut self, key: &str) {
        let before = self.next.stack.len();
        self.next.stack.retain(|frame| frame.routine != key);
        if self.next.stack.len() < before {
            self.done(&format!("放弃 {key}"));
        }
    }

    /// Entering a routine that is waiting further out: what was stacked on it is over, and it begins anew.
    pub fn leave_for(&mut self, key: &str) {
        if let Some(depth) = self
            .next
            .stack
            .iter()
            .position(|frame| frame.routine == key)
        {
            self.next.stack.truncate(depth);
        }
    }

    /// Whether an action only leads back to the flow that waits.
    pub fn returns_here(&self, action: Action) -> bool {
        let Action::Routine(routine) = action else {
            return false;
        };
        let code = self
            .routine(routine)
            .map(|r| r.code.as_slice())
            .unwrap_or_default();
        let Some(Op::Enter { routine }) = code.first().map(|step| &step.op) else {
            return false;
        };
        self.routine(*routine)
            .is_some_and(|entered| self.waits_in(&entered.key))
    }

    /// 可打断 询问: which of the two first.
    pub fn ask_which(&mut self) {
        let Some(frame) = self.next.stack.last() else {
            return;
        };
        let name = self.routine_name(frame);
        let message = self.reading.message();
        self.done("问客户先办哪一件");
        let other = crate::field::clip(&message.shown().replace('\n', " "), 20);
        self.next.choosing = Some(message);
        self.send(Outgoing::Menu {
            head: format!("「{name}」还没有办完，您想："),
            items: vec![
                ("1".to_owned(), format!("继续{name}")),
                ("2".to_owned(), format!("先说「{other}」")),
            ],
            tail: String::new(),
        });
    }

    /// The answer to [`Deciding::ask_which`]; `None` when it was none, and the message is looked at as usual.
    fn chosen_which(&mut self, stage: &str, message: &Message) -> Option<bool> {
        let name = self
            .next
            .stack
            .last()
            .map(|frame| self.routine_name(frame))?;
        let folded = self.reading.folded.as_str();
        let tapped = self.reading.menu_id.as_deref();
        let first = folded.starts_with("继续")
            || menu::choice_number(folded) == Some(1)
            || tapped == Some("1");
        let second = folded.starts_with("先说")
            || menu::choice_number(folded) == Some(2)
            || tapped == Some("2");
        if first {
            self.note(stage, true, format!("继续 {name}"));
            self.ask_again();
            return Some(true);
        }
        if !second {
            return None;
        }
        self.note(
            stage,
            true,
            format!("放下 {name}，先看「{}」", self.quote(&message.shown())),
        );
        self.next.stack.pop();
        self.read_anew(message);
        // The stages behind this one see the message that was put off.
        Some(false)
    }

    pub fn routine_name(&self, frame: &Frame) -> String {
        let routine = self
            .bot
            .routine_index(&frame.routine)
            .and_then(|index| self.routine(index));
        routine.map_or_else(|| frame.routine.clone(), |routine| routine.name.clone())
    }
}

fn waited_for(step: &Step) -> String {
    match &step.op {
        Op::Menu(menu) => format!("菜单的序号（{}）", menu::range(menu)),
        Op::Ask(ask) => format!("「{}」", ask.variable),
        _ => "客户".to_owned(),
    }
}

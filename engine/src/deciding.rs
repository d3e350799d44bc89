//! One decision in the making: what came in, what has been decided so far, and the conversation as it will be.

use yingda_dsl::program::Routine;

use crate::bot::Bot;
use crate::conversation::{Conversation, Owner};
use crate::evaluate::View;
use crate::event::{Event, Message, Outcome, Surroundings};
use crate::explanation::Explanation;
use crate::field::{Scope, clip};
use crate::reading::{Evaluation, Reading};
use crate::turn::{Effect, FaqScore, Outgoing, Turn};
use crate::{wake, wording};
use yingda_models::mask;

/// Longest message that an explanation shows whole, characters.
const SHOWN: usize = 400;
/// Longest stretch of a text that explanations quote, characters.
const QUOTED: usize = 40;

pub(crate) struct Deciding<'a> {
    pub bot: &'a Bot,
    pub around: &'a Surroundings,
    pub event: &'a Event,
    pub reading: Reading,
    pub next: Conversation,
    pub effects: Vec<Effect>,
    pub explanation: Explanation,
    /// Steps run so far.
    pub steps: u32,
    /// A person serves: tags and alerts only, nothing is said and nothing waits.
    pub muted: bool,
    /// The waiting step did not take the message.
    pub unfit: bool,
    /// Something else is done while a flow waits.
    pub digressing: bool,
    /// 拦截 was met: silence is meant.
    pub blocked: bool,
    /// A message was left.
    pub message_kept: bool,
    /// Menus passed on the way to the step that runs.
    pub trail: Vec<(String, usize)>,
    /// Entities of the message that already answered a question: where they start.
    pub used_entities: Vec<usize>,
    /// Skill groups whose overflow has been taken in this turn.
    pub overflowed: Vec<usize>,
    first_contact: bool,
    returning: bool,
    closing: bool,
}

impl<'a> Deciding<'a> {
    pub fn new(
        bot: &'a Bot,
        conversation: &Conversation,
        event: &'a Event,
        around: &'a Surroundings,
        evaluation: Evaluation,
    ) -> Deciding<'a> {
        let reading = Reading::of_event(bot, event, around.now, evaluation);
        let explanation = Explanation {
            message: event_text(event),
            version: bot.version().to_owned(),
            at: Some(around.now.to_zoned(bot.zone.clone()).datetime()),
            ..Explanation::default()
        };
        Deciding {
            bot,
            around,
            event,
            reading,
            next: conversation.clone(),
            effects: Vec::new(),
            explanation,
            steps: 0,
            muted: false,
            unfit: false,
            digressing: false,
            blocked: false,
            message_kept: false,
            trail: Vec::new(),
            used_entities: Vec::new(),
            overflowed: Vec::new(),
            first_contact: false,
            returning: false,
            closing: false,
        }
    }

    pub fn decide(mut self) -> Turn {
        let bot_owned = self.next.owner == Owner::Bot;
        match self.event {
            Event::Message(_) => {
                self.customer_came();
                self.next.turns = self.next.turns.saturating_add(1);
                self.message();
                if bot_owned {
                    self.break_silence();
                }
            }
            Event::Subscribe { scene } | Event::Enter { scene } => {
                self.customer_came();
                if scene.is_some() {
                    self.next.scene.clone_from(scene);
                }
                self.occurrence();
            }
            Event::Scan { scene } => {
                self.customer_came();
                self.next.scene = Some(scene.clone());
                self.occurrence();
            }
            Event::MenuClick { .. } | Event::Rating { .. } => {
                self.customer_came();
                self.occurrence();
            }
            Event::Unsubscribe => self.unsubscribed(),
            Event::ConnectorResult { call, outcome } => self.connector_result(*call, outcome),
            Event::Timer => self.timer(),
            Event::AgentJoined { agent } | Event::AgentChanged { agent } => self.agent_took(agent),
            Event::AgentLeft => self.agent_left(),
            Event::Closed => {
                self.agent_left();
                self.close();
            }
        }
        self.finish()
    }

    /// The customer did something: a closed conversation opens again, with nothing left of what was asked in it.
    fn customer_came(&mut self) {
        let next = &mut self.next;
        self.first_contact = !next.seen_before && next.last_customer_at.is_none();
        self.returning = next.closed || (next.seen_before && next.last_customer_at.is_none());
        if next.closed {
            next.closed = false;
            next.seen_before = true;
            next.opened_at = None;
            next.variables.clear();
            next.results.clear();
            next.turns = 0;
            next.unrecognized = 0;
            next.last_answer = None;
            self.forget_waiting();
        }
        let now = self.around.now;
        self.next.opened_at.get_or_insert(now);
        self.next.last_customer_at = Some(now);
        self.next.calls_in_a_row = 0;
    }

    /// As it stands when rules see the event.
    pub fn with_customer(mut self) -> Self {
        if !matches!(self.event, Event::Timer | Event::ConnectorResult { .. }) {
            self.customer_came();
        }
        self
    }

    fn message(&mut self) {
        match self.next.owner {
            Owner::Agent { .. } => self.route_muted(),
            Owner::Queue { .. } => {
                if !self.leaves_queue() {
                    self.route_muted();
                }
            }
            Owner::Bot if self.next.pending_call.is_some() => self.message_during_call(),
            Owner::Bot => self.route(),
        }
    }

    /// While a call is in flight the stages before 流程中 see the message; else it waits for the result.
    fn message_during_call(&mut self) {
        if self.route_early() {
            return;
        }
        let message = self.reading.message();
        self.next.held.push(message);
        self.explanation.stage = Some("流程中".to_owned());
        let told = self
            .next
            .pending_call
            .as_mut()
            .map(|call| std::mem::replace(&mut call.told, true));
        if told == Some(false) {
            self.say(wording::PLEASE_WAIT);
        } else {
            // Told once; what is held is answered with the result.
            self.blocked = true;
            self.done("查询还没有结果，这句话留到结果之后再答");
        }
    }

    fn connector_result(&mut self, call: u64, outcome: &Outcome) {
        let waiting = self
            .next
            .pending_call
            .as_ref()
            .is_some_and(|pending| pending.id == call);
        if !waiting || self.next.owner != Owner::Bot {
            self.done("这个结果已经没有人等了");
            return;
        }
        self.resume_call(outcome);
        self.decide_held();
    }

    /// What the customer sent during the call; texts in a row are one message.
    fn decide_held(&mut self) {
        while self.next.owner == Owner::Bot
            && self.next.pending_call.is_none()
            && !self.next.held.is_empty()
        {
            let mut message = self.next.held.remove(0);
            while message.is_text() && self.next.held.first().is_some_and(Message::is_text) {
                message.text.push('\n');
                message.text.push_str(&self.next.held.remove(0).text);
            }
            self.done(&format!(
                "再看等待时收到的「{}」",
                self.quote(&message.shown())
            ));
            self.read_anew(&message);
            let start = self.effects.len();
            self.route();
            if !self.has_answered(start) && !self.blocked {
                self.say(wording::NOT_UNDERSTOOD);
            }
        }
    }

    /// Puts another message of the customer in the place of the one that came.
    pub fn read_anew(&mut self, message: &Message) {
        self.reading =
            Reading::of_message(self.bot, message, self.around.now, self.reading.evaluation);
        self.unfit = false;
        self.digressing = false;
        self.blocked = false;
        self.used_entities.clear();
    }

    fn timer(&mut self) {
        if self.next.closed {
            return;
        }
        let now = self.around.now;
        if wake::queue_over_at(&self.next).is_some_and(|at| at <= now) {
            self.queue_over();
        }
        if self.next.owner == Owner::Bot
            && wake::call_lost_at(&self.next).is_some_and(|at| at <= now)
        {
            self.resume_call(&Outcome::Timeout);
            self.decide_held();
        }
        if wake::idle_at(&self.next, self.bot).is_some_and(|at| at <= now) {
            self.done("客户长时间没有说话，会话结束");
            self.forget_waiting();
            self.close();
        }
    }

    /// Ends the conversation; rules on 会话结束 may still speak, and what then waits keeps it open.
    fn close(&mut self) {
        if self.next.closed {
            return;
        }
        self.closing = true;
        self.forget_waiting();
        self.occurrence();
        if self.next.stack.is_empty() && self.next.owner == Owner::Bot {
            self.next.closed = true;
            self.effects.push(Effect::Close);
        }
    }

    fn unsubscribed(&mut self) {
        self.next.owner = Owner::Bot;
        // Whatever is still on its way to the customer dies with the old epoch.
        self.next.epoch += 1;
        self.next.queue = None;
        self.forget_waiting();
        self.next.closed = true;
        self.done("客户取消关注，会话结束");
        self.effects.push(Effect::Close);
    }

    /// Drops everything that waits for the customer or a connector.
    pub fn forget_waiting(&mut self) {
        let next = &mut self.next;
        next.stack.clear();
        next.offered.clear();
        next.pending_call = None;
        next.held.clear();
        next.choosing = None;
    }

    /// No customer's message to the bot is met with silence, 拦截 apart.
    fn break_silence(&mut self) {
        if self.blocked || self.has_answered(0) {
            return;
        }
        let sentence = match self.message_kept {
            true => wording::MESSAGE_KEPT,
            false => wording::NOT_UNDERSTOOD,
        };
        self.say(sentence);
    }

    /// Whether effects from `start` on are noticed by the customer.
    pub fn has_answered(&self, start: usize) -> bool {
        self.effects.iter().skip(start).any(|effect| {
            matches!(
                effect,
                Effect::Send { .. } | Effect::Call { .. } | Effect::Handoff { .. }
            )
        })
    }

    fn finish(mut self) -> Turn {
        self.next.version = match self.next.stack.is_empty() {
            true => None,
            false => Some(self.bot.version().to_owned()),
        };
        let faq = self
            .reading
            .faq_if_searched()
            .iter()
            .filter_map(|hit| {
                let entry = self.bot.program.faq.get(hit.index)?;
                Some(FaqScore {
                    id: entry.id.clone(),
                    score: hit.score,
                })
            })
            .collect();
        Turn {
            effects: self.effects,
            explanation: self.explanation,
            next: self.next,
            understanding: self.reading.understanding,
            faq,
        }
    }

    pub fn scope(&self) -> Scope<'_> {
        Scope {
            program: &self.bot.program,
            zone: &self.bot.zone,
            conversation: &self.next,
            around: self.around,
            text: &self.reading.text,
        }
    }

    pub fn view(&self) -> View<'_> {
        View {
            bot: self.bot,
            reading: &self.reading,
            scope: self.scope(),
            event: self.event,
            first_contact: self.first_contact,
            returning: self.returning,
            closing: self.closing,
        }
    }

    pub fn routine(&self, index: usize) -> Option<&'a Routine> {
        self.bot.routine(index)
    }

    /// Says a text, unless it is empty or nobody may speak.
    pub fn say(&mut self, text: &str) {
        if self.muted || text.trim().is_empty() {
            return;
        }
        self.done(&format!("说「{}」", self.quote(text)));
        self.send(Outgoing::Text {
            text: text.to_owned(),
        });
    }

    pub fn send(&mut self, message: Outgoing) {
        if !self.muted {
            self.effects.push(Effect::Send { message });
        }
    }

    /// A text as explanations quote it: one line, clipped, personal data hidden.
    pub fn quote(&self, text: &str) -> String {
        let text = self.bot.personal.redact(text, &self.next);
        clip(&mask(&text).replace('\n', " "), QUOTED)
    }

    /// Notes what was done, a sentence a step.
    pub fn done(&mut self, what: &str) {
        self.explanation.done.push(what.to_owned());
    }
}

/// The masked text of a message, or the name of an event.
fn event_text(event: &Event) -> String {
    match event {
        Event::Message(message) => mask(&beginning(message.shown())),
        Event::Subscribe { .. } => "[关注]".to_owned(),
        Event::Unsubscribe => "[取消关注]".to_owned(),
        Event::Scan { scene } => format!("[扫码 {scene}]"),
        Event::MenuClick { key } => format!("[点击菜单 {key}]"),
        Event::Enter { .. } => "[进入会话]".to_owned(),
        Event::Rating { score, .. } => format!("[评价 {score} 分]"),
        Event::ConnectorResult { outcome, .. } => match outcome {
            Outcome::Success { .. } => "[接口成功]".to_owned(),
            Outcome::Failure { reason } => format!("[接口失败 {}]", mask(reason)),
            Outcome::Timeout => "[接口超时]".to_owned(),
        },
        Event::Timer => "[时间到]".to_owned(),
        Event::AgentJoined { agent } => format!("[坐席接入 {agent}]"),
        Event::AgentChanged { agent } => format!("[换坐席 {agent}]"),
        Event::AgentLeft => "[坐席离开]".to_owned(),
        Event::Closed => "[会话结束]".to_owned(),
    }
}

/// The beginning of a long message, cut where no number can have been cut in two: half of one would escape the mask.
fn beginning(text: String) -> String {
    let Some((end, _)) = text.char_indices().nth(SHOWN) else {
        return text;
    };
    let may_be_cut = |c: char| {
        !('\u{4e00}'..='\u{9fff}').contains(&c) || "零〇一二三四五六七八九幺两".contains(c)
    };
    let kept = text
        .get(..end)
        .unwrap_or_default()
        .trim_end_matches(may_be_cut);
    format!("{kept}…")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_message_is_never_cut_so_that_half_a_number_shows() {
        let short = "退".repeat(SHOWN);
        assert_eq!(beginning(short.clone()), short);
        for number in [
            "13800138000",
            "138 0013 8000",
            "幺三八零零幺三八零零零",
            "tom.li@qq.com",
        ] {
            for before in SHOWN - 12..SHOWN {
                let text = format!("{}{number}退货", "退".repeat(before));
                let shown = mask(&beginning(text));
                let start: String = number.chars().take(6).collect();
                assert!(!shown.contains(&start), "{before} {shown}");
                assert!(shown.chars().count() <= SHOWN + 4);
            }
        }
    }
}

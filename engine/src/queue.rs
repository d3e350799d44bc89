//! Handing over to people: queues, their limits and notices, and who owns the conversation.

use jiff::{SignedDuration, Timestamp};
use yingda_dsl::program::{HandoffTarget, Pc, Urgency};

use crate::conversation::{Owner, QueueOver, Queued};
use crate::deciding::Deciding;
use crate::step::Ran;
use crate::summary::target_name;
use crate::turn::Effect;
use crate::{schedule, wake, wording};

/// Where to go on when a wait is over.
pub(crate) struct Overflow {
    pub seconds: u32,
    /// Routine key and step.
    pub routine: String,
    pub pc: Pc,
}

/// What a customer writes to leave a queue.
const LEAVING: [&str; 5] = ["0", "退出", "退出排队", "取消排队", "不排了"];

impl Deciding<'_> {
    /// 转人工: into the queue, or where the skill group's limits lead.
    pub fn hand_over(
        &mut self,
        target: HandoffTarget,
        urgency: Urgency,
        note: Option<String>,
        over: Option<Overflow>,
        reason: String,
    ) -> Ran {
        let program = &self.bot.program;
        let (index, group) = match target {
            HandoffTarget::Group(index) => (Some(index), program.skill_groups.get(index)),
            HandoffTarget::Exclusive => (None, None),
        };
        if let (Some(index), Some(group)) = (index, group)
            && !self.overflowed.contains(&index)
            && let Some((why, routine)) = self.overflow_of(index)
        {
            self.overflowed.push(index);
            self.done(&format!("技能组 {}{why}", group.name));
            return self.run(routine, 0);
        }
        let over = over.or_else(|| match target {
            HandoffTarget::Group(index) => self.group_overflow(index),
            HandoffTarget::Exclusive => self.exclusive_overflow(),
        });
        let name = group.map(|group| group.name.clone());
        self.done(&format!(
            "转人工 {}{}",
            target_name(program, target),
            if urgency == Urgency::Urgent {
                " 紧急"
            } else {
                ""
            }
        ));
        self.enter_queue(name, urgency, note, over, reason);
        Ran::HandedOver
    }

    /// Queues for anybody at all, past every limit.
    pub fn queue_anywhere(&mut self) -> Ran {
        if !self.muted && !matches!(self.next.owner, Owner::Agent { .. }) {
            self.enter_queue(None, Urgency::Normal, None, None, "步数到了上限".to_owned());
        }
        Ran::HandedOver
    }

    fn enter_queue(
        &mut self,
        group: Option<String>,
        urgency: Urgency,
        note: Option<String>,
        over: Option<Overflow>,
        reason: String,
    ) {
        let now = self.around.now;
        // The notice counts the queue as it is before this conversation joins.
        let owner = Owner::Queue {
            group: group.clone(),
        };
        let mut since = now;
        if self.next.owner != owner {
            self.next.owner = owner;
            self.next.epoch += 1;
        } else if let Some(queue) = &self.next.queue {
            // Handed to the group it waits for already: the place is kept.
            since = queue.since;
        }
        self.forget_waiting();
        self.next.queue = Some(Queued {
            group: group.clone(),
            since,
            urgent: urgency == Urgency::Urgent,
            reason: reason.clone(),
            over: over.map(|over| self.limit(now, over)),
        });
        self.effects.push(Effect::Handoff {
            group: group.clone(),
            urgency,
            reason,
            note,
        });
        let notice = self.queue_notice(group.as_deref());
        self.say(&notice);
    }

    /// One message: that a person is coming, and how long it may take.
    fn queue_notice(&self, group: Option<&str>) -> String {
        let notice = group
            .and_then(|name| {
                self.bot
                    .program
                    .skill_groups
                    .iter()
                    .find(|g| g.name == name)
            })
            .and_then(|group| group.notice.as_ref());
        let opening = wording::HANDING_OVER;
        match (notice, group) {
            (Some(notice), _) => format!("{opening}，{}", self.scope().render(notice)),
            (None, Some(group)) => format!("{opening}（{group}），请稍候。回复 0 退出排队。"),
            (None, None) => format!("{opening}，请稍候。回复 0 退出排队。"),
        }
    }

    /// Why a group cannot take anybody now, and the routine that stands in.
    fn overflow_of(&self, index: usize) -> Option<(&'static str, usize)> {
        let group = self.bot.program.skill_groups.get(index)?;
        let waiting = self.scope().group_state(Some(index))?.waiting;
        if let Some((limit, routine)) = group.queue_limit
            && waiting >= limit
        {
            return Some(("排队已满", routine));
        }
        let schedule = self.bot.program.schedules.get(group.schedule?)?;
        if schedule::contains(schedule, self.scope().local()) {
            return None;
        }
        // Outside its hours nobody waits for nothing.
        let routine = group
            .queue_over
            .or(group.queue_limit)
            .map(|(_, routine)| routine)?;
        Some(("不在服务时间", routine))
    }

    fn group_overflow(&self, index: usize) -> Option<Overflow> {
        let (seconds, routine) = self.bot.program.skill_groups.get(index)?.queue_over?;
        self.overflow_to(seconds, routine)
    }

    /// 专属客服不在 …, of the first group that says it: which group the customer's own agent is in is known to the
    /// server only.
    fn exclusive_overflow(&self) -> Option<Overflow> {
        let groups = &self.bot.program.skill_groups;
        let away = groups
            .iter()
            .find_map(|group| group.exclusive_away.as_ref())?;
        self.overflow_to(away.wait_s, away.otherwise)
    }

    fn overflow_to(&self, seconds: u32, routine: usize) -> Option<Overflow> {
        Some(Overflow {
            seconds,
            routine: self.routine(routine)?.key.clone(),
            pc: 0,
        })
    }

    /// 排队超过 …: goes on where the package says. Who then neither waits for an answer nor stands elsewhere stays in
    /// the queue.
    pub fn queue_over(&mut self) {
        let Some(over) = self.next.queue.as_mut().and_then(|queue| queue.over.take()) else {
            return;
        };
        self.done("排队超过了时限");
        let group = match &self.next.owner {
            Owner::Queue { group: Some(name) } => self
                .bot
                .program
                .skill_groups
                .iter()
                .position(|g| g.name == *name),
            _ => None,
        };
        let bot = self.bot;
        let known = bot.routine_index(&over.routine).filter(|&routine| {
            bot.step(routine, over.pc)
                .is_some_and(|step| step.hash == over.step_hash)
        });
        let Some(routine) = known else {
            self.wait_on(group, &over.routine);
            return;
        };
        let ran = self.run(routine, over.pc);
        match (ran, &self.next.owner) {
            (Ran::Waiting | Ran::BackToStep, Owner::Queue { .. }) => self.leave_queue(),
            (Ran::Ended, Owner::Queue { .. }) => self.wait_on(group, &over.routine),
            _ => {}
        }
    }

    /// After a handoff's own limit the group's may still come.
    fn wait_on(&mut self, group: Option<usize>, passed: &str) {
        let Some(over) = group.and_then(|index| self.group_overflow(index)) else {
            return;
        };
        if over.routine == passed {
            return;
        }
        let now = self.around.now;
        let Some(since) = self.next.queue.as_ref().map(|queue| queue.since) else {
            return;
        };
        let mut over = self.limit(since, over);
        over.at = over.at.max(now);
        if let Some(queue) = &mut self.next.queue {
            queue.over = Some(over);
        }
    }

    /// The moment a wait that began at `since` is over, and where to go on.
    fn limit(&self, since: Timestamp, over: Overflow) -> QueueOver {
        let routine = self.bot.routine_index(&over.routine);
        let step = routine.and_then(|routine| self.bot.step(routine, over.pc));
        QueueOver {
            at: wake::later(since, SignedDuration::from_secs(i64::from(over.seconds))),
            step_hash: step.map_or(0, |step| step.hash),
            routine: over.routine,
            pc: over.pc,
        }
    }

    fn leave_queue(&mut self) {
        self.next.owner = Owner::Bot;
        self.next.epoch += 1;
        self.next.queue = None;
        self.effects.push(Effect::ReturnToBot);
    }

    /// A customer who queues and writes 0 is the bot's again.
    pub fn leaves_queue(&mut self) -> bool {
        if !LEAVING.contains(&self.reading.folded.as_str()) {
            return false;
        }
        self.leave_queue();
        self.done("客户退出排队");
        self.explanation.stage = Some("排队".to_owned());
        self.say(wording::LEFT_QUEUE);
        true
    }

    /// A person has the conversation: timers and everything that waits die.
    pub fn agent_took(&mut self, agent: &str) {
        let owner = Owner::Agent {
            agent: agent.to_owned(),
        };
        if self.next.owner != owner {
            self.next.owner = owner;
            self.next.epoch += 1;
        }
        self.next.queue = None;
        self.next.closed = false;
        self.forget_waiting();
        self.done(&format!("坐席 {agent} 接入"));
    }

    /// The conversation is the bot's again; from a queue as well, where nobody came.
    pub fn agent_left(&mut self) {
        if self.next.owner != Owner::Bot {
            self.next.owner = Owner::Bot;
            self.next.epoch += 1;
            self.done("会话回到机器人");
        }
        self.next.queue = None;
    }
}

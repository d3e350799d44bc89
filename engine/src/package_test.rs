//! The 测试 blocks of a package: conversations played, expectations checked.

use jiff::{SignedDuration, Timestamp};
use yingda_dsl::program::{
    BotMatch, EventKind, Expectation, ScriptedOutcome, Test, TestStep, TestStepKind, Urgency,
};

use crate::bot::Bot;
use crate::evaluate::intent_name;
use crate::event::{Event, Outcome};
use crate::scenario::{Exchange, Session};
use crate::test_report::{Line, Speaker, TestFailure, TestReport};
use crate::turn::{Effect, Turn};

/// When a test begins unless it says 设 现在: a Friday morning in working hours, in the bot's time zone.
const START: jiff::civil::DateTime = jiff::civil::date(2026, 11, 20).at(10, 12, 0, 0);

/// Plays every test of the bot's package.
pub fn run_tests(bot: &Bot) -> Vec<TestReport> {
    bot.program()
        .tests
        .iter()
        .map(|test| run_test(bot, test))
        .collect()
}

fn run_test(bot: &Bot, test: &Test) -> TestReport {
    let mut session = Session::new(bot, start(bot, START));
    // 任选 says its first variant.
    session.conversation.customer.clear();
    let mut play = Play {
        session,
        last: Exchange { turns: Vec::new() },
        lines: Vec::new(),
    };
    let failure = test.steps.iter().find_map(|step| play.step(step));
    TestReport {
        name: test.name.clone(),
        span: test.span,
        failure,
        conversation: play.lines,
    }
}

fn start(bot: &Bot, local: jiff::civil::DateTime) -> Timestamp {
    bot.time_zone()
        .to_ambiguous_zoned(local)
        .compatible()
        .map_or(Timestamp::UNIX_EPOCH, |zoned| zoned.timestamp())
}

struct Play<'b> {
    session: Session<'b>,
    /// Everything since the last customer line.
    last: Exchange,
    lines: Vec<Line>,
}

/// What was wrong, in Chinese and English.
type Wrong = (String, String);

impl Play<'_> {
    fn step(&mut self, step: &TestStep) -> Option<TestFailure> {
        let wrong = match &step.kind {
            TestStepKind::Bot { how, text } => self.bot_said(*how, text).err(),
            TestStepKind::Expect(expectation) => self.expect(expectation).err(),
            kind => {
                self.act(kind);
                None
            }
        };
        wrong.map(|(message, message_en)| TestFailure {
            span: step.span,
            message,
            message_en,
            explanation: self.last.explanation().cloned(),
        })
    }

    fn act(&mut self, kind: &TestStepKind) {
        let program = self.session.bot().program();
        match kind {
            TestStepKind::SetAttribute { name, value } => {
                self.session.set_attribute(name, value.clone())
            }
            TestStepKind::SetNow(local) => {
                self.session.around.now = start(self.session.bot(), *local)
            }
            TestStepKind::SetConnector { connector, outcome } => {
                if let Some(connector) = program.connectors.get(*connector) {
                    self.session
                        .set_connector(&connector.name, scripted(outcome));
                }
            }
            TestStepKind::SetArm { experiment, arm } => {
                let experiment = program.experiments.get(*experiment);
                if let Some((name, arm)) =
                    experiment.and_then(|e| Some((&e.name, &e.arms.get(*arm)?.name)))
                {
                    self.session.set_arm(name, arm);
                }
            }
            TestStepKind::Pass { ms } => {
                self.line(Speaker::Event, format!("过了 {} 秒", ms / 1_000));
                let ms = i64::try_from(*ms).unwrap_or(i64::MAX);
                let exchange = self.session.pass(SignedDuration::from_millis(ms));
                self.played(exchange);
            }
            TestStepKind::Customer(text) => {
                self.line(Speaker::Customer, text.clone());
                let exchange = self.session.customer_says(text);
                self.played(exchange);
            }
            TestStepKind::CustomerSends(kind) => {
                self.line(
                    Speaker::Customer,
                    format!("[{}]", crate::evaluate::kind_name(*kind)),
                );
                let exchange = self.session.customer_sends(*kind, "");
                self.played(exchange);
            }
            TestStepKind::CustomerEvent(kind) => {
                let exchange = self.event(kind);
                self.played(exchange);
            }
            TestStepKind::Bot { .. } | TestStepKind::Expect(_) => {}
        }
    }

    fn event(&mut self, kind: &EventKind) -> Exchange {
        let (name, event) = match kind {
            EventKind::Subscribe => ("关注", Event::Subscribe { scene: None }),
            EventKind::Scan(scene) => (
                "扫码",
                Event::Scan {
                    scene: scene.clone().unwrap_or_default(),
                },
            ),
            EventKind::MenuClick(key) => (
                "点击菜单",
                Event::MenuClick {
                    key: key.clone().unwrap_or_default(),
                },
            ),
            EventKind::FirstContact => {
                self.session.conversation.seen_before = false;
                self.session.conversation.last_customer_at = None;
                ("首次进线", Event::Enter { scene: None })
            }
            EventKind::Return => {
                self.session.conversation.closed = true;
                ("再次进线", Event::Enter { scene: None })
            }
            EventKind::Enter => ("进入会话", Event::Enter { scene: None }),
            EventKind::Rating => (
                "评价",
                Event::Rating {
                    score: 5,
                    text: None,
                },
            ),
            EventKind::Closed => ("会话结束", Event::Closed),
        };
        self.line(Speaker::Event, name.to_owned());
        self.session.customer_event(event)
    }

    fn played(&mut self, exchange: Exchange) {
        for reply in exchange.replies() {
            self.line(Speaker::Bot, reply);
        }
        if let Some(Effect::Handoff { group, .. }) = exchange.handoff() {
            let group = group.as_deref().unwrap_or("任意");
            self.line(Speaker::Event, format!("转人工 {group}"));
        }
        self.last = exchange;
    }

    fn line(&mut self, speaker: Speaker, text: String) {
        self.lines.push(Line { speaker, text });
    }

    fn bot_said(&self, how: BotMatch, text: &str) -> Result<(), Wrong> {
        let replies = self.last.replies();
        let all = replies.join("\n");
        let shown = if all.is_empty() {
            "（没有说话）".to_owned()
        } else {
            all.clone()
        };
        match how {
            BotMatch::Contains if all.contains(text) => Ok(()),
            BotMatch::NotContains if !all.contains(text) => Ok(()),
            BotMatch::Equals if all == text || replies.iter().any(|reply| reply == text) => Ok(()),
            BotMatch::Contains => wrong(
                format!("机器人的话里应当有「{text}」，它说的是：{shown}"),
                format!("the bot should have said \"{text}\" among what it said: {shown}"),
            ),
            BotMatch::NotContains => wrong(
                format!("机器人的话里不应当有「{text}」，它说的是：{shown}"),
                format!("the bot should not have said \"{text}\": {shown}"),
            ),
            BotMatch::Equals => wrong(
                format!("机器人应当说「{text}」，它说的是：{shown}"),
                format!("the bot should have said exactly \"{text}\": {shown}"),
            ),
        }
    }

    fn expect(&self, expectation: &Expectation) -> Result<(), Wrong> {
        let program = self.session.bot().program();
        let name = |list: Option<&String>| list.cloned().unwrap_or_default();
        match expectation {
            Expectation::Handoff { group, urgent } => {
                let wanted = group.map(|g| name(program.skill_groups.get(g).map(|g| &g.name)));
                self.expect_handoff(wanted.as_deref(), *urgent)
            }
            Expectation::HandoffExclusive => match self.last.handoff() {
                Some(Effect::Handoff { group: None, .. }) => Ok(()),
                other => wrong(
                    format!("应当转给专属客服，实际{}", handoff_zh(other)),
                    format!(
                        "expected a handoff to the customer's own agent, got {}",
                        handoff_en(other)
                    ),
                ),
            },
            Expectation::NoHandoff => match self.last.handoff() {
                None => Ok(()),
                other => wrong(
                    format!("不应当转人工，实际{}", handoff_zh(other)),
                    format!("expected no handoff, got {}", handoff_en(other)),
                ),
            },
            Expectation::InFlow(routine) => {
                let wanted = name(program.routines.get(*routine).map(|r| &r.key));
                self.is(
                    self.session.waiting_in() == Some(&wanted),
                    "在等",
                    &wanted,
                    self.session.waiting_in(),
                )
            }
            Expectation::NoFlow => self.is(
                self.session.waiting_in().is_none(),
                "在等",
                "没有流程",
                self.session.waiting_in(),
            ),
            Expectation::Rule(rule) => {
                let decided = self.decided(|turn| turn.explanation.rule.as_deref());
                self.is(decided == Some(rule), "决定的规则", rule, decided)
            }
            Expectation::Tag(tag) => {
                let tags: Vec<&str> = self
                    .session
                    .conversation
                    .tags
                    .iter()
                    .map(String::as_str)
                    .collect();
                let actual = tags.join("、");
                self.is(
                    tags.contains(&tag.as_str()),
                    "标签",
                    tag,
                    Some(&actual).filter(|a| !a.is_empty()).map(|a| a.as_str()),
                )
            }
            Expectation::Intent(label) => {
                let read =
                    self.decided(|turn| turn.understanding.as_ref()?.intent.label.as_deref());
                self.is(
                    read == Some(label),
                    "意图",
                    intent_name(label),
                    read.map(intent_name),
                )
            }
            Expectation::Answer(entry) => {
                let wanted = program.faq.get(*entry);
                let answered = self.session.conversation.last_answer.as_deref();
                let now = self
                    .last
                    .turns
                    .iter()
                    .any(|t| t.explanation.done.iter().any(|d| d.starts_with("回答「")));
                self.is(
                    now && wanted.is_some_and(|w| answered == Some(&w.id)),
                    "回答的问题",
                    &name(wanted.map(|w| &w.id)),
                    answered.filter(|_| now),
                )
            }
            Expectation::Called(connector) => {
                let wanted = name(program.connectors.get(*connector).map(|c| &c.name));
                let called = self.last.effects().find_map(|effect| match effect {
                    Effect::Call { connector, .. } => Some(connector.as_str()),
                    _ => None,
                });
                self.is(called == Some(&wanted), "调用的接口", &wanted, called)
            }
            Expectation::Silent => {
                let said = self.last.replies().join("\n");
                self.is(said.is_empty(), "机器人的话", "沉默", Some(&said))
            }
        }
    }

    fn expect_handoff(&self, wanted: Option<&str>, urgent: bool) -> Result<(), Wrong> {
        let handoff = self.last.handoff();
        if let Some(Effect::Handoff { group, urgency, .. }) = handoff {
            let right_group = wanted.is_none() || group.as_deref() == wanted;
            if right_group && (!urgent || *urgency == Urgency::Urgent) {
                return Ok(());
            }
        }
        let urgent_zh = if urgent { " 紧急" } else { "" };
        wrong(
            format!(
                "应当转人工 {}{urgent_zh}，实际{}",
                wanted.unwrap_or("（任意组）"),
                handoff_zh(handoff)
            ),
            format!(
                "expected a handoff to {}{}, got {}",
                wanted.unwrap_or("any group"),
                if urgent { ", urgent" } else { "" },
                handoff_en(handoff)
            ),
        )
    }

    /// The first of the turns that says something about it.
    fn decided<'s>(&'s self, of: impl Fn(&'s Turn) -> Option<&'s str>) -> Option<&'s str> {
        self.last.turns.iter().find_map(of)
    }

    fn is(&self, right: bool, what: &str, wanted: &str, actual: Option<&str>) -> Result<(), Wrong> {
        if right {
            return Ok(());
        }
        let actual = actual.unwrap_or("没有");
        wrong(
            format!("{what}应当是「{wanted}」，实际是「{actual}」"),
            format!("{what}: expected \"{wanted}\", got \"{actual}\""),
        )
    }
}

fn wrong(message: String, message_en: String) -> Result<(), Wrong> {
    Err((message, message_en))
}

fn handoff_zh(handoff: Option<&Effect>) -> String {
    match handoff {
        Some(Effect::Handoff {
            group: Some(group),
            urgency,
            ..
        }) => {
            format!(
                "转给了 {group}{}",
                if *urgency == Urgency::Urgent {
                    " 紧急"
                } else {
                    ""
                }
            )
        }
        Some(_) => "转给了专属客服或任意组".to_owned(),
        None => "没有转人工".to_owned(),
    }
}

fn handoff_en(handoff: Option<&Effect>) -> String {
    match handoff {
        Some(Effect::Handoff {
            group: Some(group), ..
        }) => format!("one to {group}"),
        Some(_) => "one to no group in particular".to_owned(),
        None => "none".to_owned(),
    }
}

fn scripted(outcome: &ScriptedOutcome) -> Outcome {
    match outcome {
        ScriptedOutcome::Success(fields) => Outcome::Success {
            fields: fields.iter().cloned().collect(),
        },
        ScriptedOutcome::Failure => Outcome::Failure {
            reason: "测试里设定为失败".to_owned(),
        },
        ScriptedOutcome::Timeout => Outcome::Timeout,
    }
}

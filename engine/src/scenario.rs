//! Conversations driven without a server: for `yingda test`, `yingda chat` and `explain`.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use yingda_dsl::program::{MessageKind, Value};

use crate::bot::Bot;
use crate::conversation::{Conversation, Owner};
use crate::event::{Capabilities, Event, GroupState, Message, Outcome, ServiceState, Surroundings};
use crate::explanation::Explanation;
use crate::render::reply_text;
use crate::turn::{Effect, Outgoing, Turn};
use crate::wake;

pub use crate::package_test::run_tests;
pub use crate::test_report::{Line, Speaker, TestFailure, TestReport, render_failure};

/// Longest text of a message in a scenario, UTF-8 bytes.
const MAX_TEXT_BYTES: usize = 2_048;
/// A scenario's groups: one agent is there, nobody waits, a customer takes three minutes.
const MEAN_HANDLING_S: u32 = 180;

/// Answers connector calls: name and arguments in, outcome out.
pub type Connectors<'b> = Box<dyn FnMut(&str, &BTreeMap<String, Value>) -> Outcome + 'b>;

/// One customer's conversation with a bot, in which time passes only when told.
pub struct Session<'b> {
    bot: &'b Bot,
    pub conversation: Conversation,
    /// Time, queues and channel, free to be set between events.
    pub around: Surroundings,
    scripted: BTreeMap<String, Outcome>,
    connectors: Option<Connectors<'b>>,
}

/// What came of one thing the customer did: the turn, and those of the connector results it led to.
#[derive(Debug, Clone, PartialEq)]
pub struct Exchange {
    pub turns: Vec<Turn>,
}

impl Exchange {
    /// The messages sent, in order.
    pub fn sent(&self) -> impl Iterator<Item = &Outgoing> {
        self.effects().filter_map(|effect| match effect {
            Effect::Send { message } => Some(message),
            _ => None,
        })
    }

    /// The messages as the customer sees them.
    pub fn replies(&self) -> Vec<String> {
        self.sent().map(reply_text).collect()
    }

    pub fn effects(&self) -> impl Iterator<Item = &Effect> {
        self.turns.iter().flat_map(|turn| &turn.effects)
    }

    /// The handoff, if one was made.
    pub fn handoff(&self) -> Option<&Effect> {
        self.effects()
            .find(|effect| matches!(effect, Effect::Handoff { .. }))
    }

    /// The explanation of the customer's own turn.
    pub fn explanation(&self) -> Option<&Explanation> {
        self.turns.first().map(|turn| &turn.explanation)
    }
}

impl<'b> Session<'b> {
    /// A new conversation of a customer who is known: 首次进线 is an event of its own, see
    /// [`Session::customer_event`] with `conversation.seen_before` set to false.
    pub fn new(bot: &'b Bot, start: Timestamp) -> Session<'b> {
        let idle = GroupState {
            waiting: 0,
            agents_online: 1,
            load: 0.0,
            mean_handling_s: MEAN_HANDLING_S,
        };
        let groups = bot
            .program()
            .skill_groups
            .iter()
            .map(|group| (group.name.clone(), idle))
            .collect();
        Session {
            bot,
            conversation: Conversation {
                id: "scenario".to_owned(),
                account: "scenario".to_owned(),
                customer: "customer".to_owned(),
                seen_before: true,
                // So that the first message is no return either.
                last_customer_at: Some(start),
                ..Conversation::default()
            },
            around: Surroundings {
                now: start,
                service: ServiceState { groups },
                capabilities: Capabilities {
                    channel: "通用".to_owned(),
                    max_text_bytes: MAX_TEXT_BYTES,
                    kinds: vec![MessageKind::Text, MessageKind::Menu],
                },
            },
            scripted: BTreeMap::new(),
            connectors: None,
        }
    }

    pub fn bot(&self) -> &'b Bot {
        self.bot
    }

    /// What a connector answers from now on.
    pub fn set_connector(&mut self, name: &str, outcome: Outcome) {
        self.scripted.insert(name.to_owned(), outcome);
    }

    /// Who answers the connectors that are not scripted; without anybody they fail.
    pub fn set_connectors(&mut self, connectors: Connectors<'b>) {
        self.connectors = Some(connectors);
    }

    pub fn set_attribute(&mut self, name: &str, value: Value) {
        self.conversation.attributes.insert(name.to_owned(), value);
    }

    /// Fixes an experiment's arm for this customer.
    pub fn set_arm(&mut self, experiment: &str, arm: &str) {
        self.conversation
            .arms
            .insert(experiment.to_owned(), arm.to_owned());
    }

    /// The customer writes.
    pub fn customer_says(&mut self, text: &str) -> Exchange {
        self.customer_sends(MessageKind::Text, text)
    }

    /// The customer sends a message of any kind.
    pub fn customer_sends(&mut self, kind: MessageKind, text: &str) -> Exchange {
        self.customer_event(Event::Message(Message {
            kind,
            text: text.to_owned(),
            menu_id: None,
            attachment: BTreeMap::new(),
        }))
    }

    /// Anything happens.
    pub fn customer_event(&mut self, event: Event) -> Exchange {
        let mut exchange = Exchange { turns: Vec::new() };
        self.decide(&event, &mut exchange);
        exchange
    }

    /// Time passes; timers fire when they are due.
    pub fn pass(&mut self, duration: SignedDuration) -> Exchange {
        let mut exchange = Exchange { turns: Vec::new() };
        let end = wake::later(self.around.now, duration);
        while let Some(due) = self
            .conversation
            .wake_at(self.bot)
            .filter(|due| *due <= end)
        {
            self.around.now = due.max(self.around.now);
            let before = self.conversation.clone();
            self.decide(&Event::Timer, &mut exchange);
            if self.conversation == before {
                break;
            }
        }
        self.around.now = end;
        exchange
    }

    /// The menu or flow that waits innermost, by routine key.
    pub fn waiting_in(&self) -> Option<&str> {
        self.conversation
            .stack
            .last()
            .map(|frame| frame.routine.as_str())
    }

    pub fn is_with_bot(&self) -> bool {
        self.conversation.owner == Owner::Bot
    }

    fn decide(&mut self, event: &Event, exchange: &mut Exchange) {
        let turn = self.bot.decide(&self.conversation, event, &self.around);
        self.conversation = turn.next.clone();
        let call = turn.effects.iter().find_map(|effect| match effect {
            Effect::Call {
                id,
                connector,
                arguments,
                ..
            } => Some((*id, connector.clone(), arguments.clone())),
            _ => None,
        });
        exchange.turns.push(turn);
        if let Some((id, connector, arguments)) = call {
            let outcome = self.outcome(&connector, &arguments);
            let event = Event::ConnectorResult { call: id, outcome };
            self.decide(&event, exchange);
        }
    }

    fn outcome(&mut self, connector: &str, arguments: &BTreeMap<String, Value>) -> Outcome {
        if let Some(outcome) = self.scripted.get(connector) {
            return outcome.clone();
        }
        match &mut self.connectors {
            Some(connectors) => connectors(connector, arguments),
            None => Outcome::Failure {
                reason: "没有设定这个接口的结果".to_owned(),
            },
        }
    }
}

//! The gate every message to a customer passes: owner and epoch, length and kind, forbidden words, masking, licence
//! text, send budget. A pure function: what goes out in the response, what is queued, what is held back.

use jiff::Timestamp;
use yingda_dsl::program::MessageKind;
use yingda_engine::conversation::{Budget, Conversation, Owner, Unsent};
use yingda_engine::event::Capabilities;
use yingda_engine::turn::Outgoing;

use crate::store::{OutboxRow, OutboxState};

/// What follows a message in a response is sent when that has surely been read.
const BEHIND_THE_RESPONSE: jiff::SignedDuration = jiff::SignedDuration::from_millis(200);

/// A message that somebody wants sent.
#[derive(Debug, Clone, PartialEq)]
pub struct Proposal {
    pub message: Outgoing,
    /// `bot`, `system` or `agent:<account>`.
    pub speaker: String,
    /// Owner epoch under which it was decided.
    pub epoch: u64,
    /// A notice that a person is coming may use the last message of the budget.
    pub handoff_notice: bool,
    /// Held back by an earlier turn, and decided under its epoch.
    pub held: bool,
}

/// What the gate knows.
#[derive(Debug)]
pub struct Gate<'a> {
    /// State after the turn: its owner and epoch count.
    pub conversation: &'a Conversation,
    pub capabilities: &'a Capabilities,
    pub now: Timestamp,
    /// A callback's response can carry one message.
    pub carrier: bool,
    /// In that response goes the hand-over to WeChat's own client instead.
    pub transfer: bool,
    /// The send API may be used.
    pub may_send: bool,
    /// More of this turn comes later (a connector is asked): nothing goes out alone.
    pub wait: bool,
    pub licence: Option<&'a str>,
    pub forbidden: &'a [String],
}

/// What a callback's response carries.
#[derive(Debug, Clone, PartialEq)]
pub enum Carried {
    Message(Outgoing),
    /// The customer's message is forwarded to WeChat's own client.
    Transfer,
}

#[derive(Debug, Clone, PartialEq, Default)]
pub struct Gated {
    pub carried: Option<Carried>,
    /// Everything that goes out now, in order.
    pub rows: Vec<OutboxRow>,
    pub budget: Budget,
    /// What nothing can carry now.
    pub unsent: Vec<Unsent>,
    /// What a person should know, a sentence each.
    pub alerts: Vec<String>,
}

impl Gate<'_> {
    /// Pass `proposals` in order. `id` gives each new row its id.
    pub fn pass(&self, proposals: Vec<Proposal>, mut id: impl FnMut() -> String) -> Gated {
        let mut gated = Gated {
            budget: self.open_budget(),
            ..Gated::default()
        };
        let mut carrier = self.carrier && !self.wait;
        if carrier && self.transfer {
            gated.carried = Some(Carried::Transfer);
            carrier = false;
        }
        let (current, stale): (Vec<_>, Vec<_>) = proposals
            .into_iter()
            .partition(|proposal| self.is_current(proposal));
        for proposal in stale {
            self.row(&mut gated, proposal, OutboxState::Stale, &mut id);
        }
        let mut cleaned: Vec<Proposal> = Vec::with_capacity(current.len());
        for mut proposal in current {
            proposal.message = self.clean(proposal.message, &proposal.speaker, &mut gated.alerts);
            cleaned.push(proposal);
        }
        if self.wait {
            gated.unsent = cleaned.into_iter().map(unsent).collect();
            return gated;
        }
        for proposal in self.merge(cleaned) {
            if carrier {
                carrier = false;
                gated.carried = Some(Carried::Message(proposal.message.clone()));
                self.row(&mut gated, proposal, OutboxState::Passive, &mut id);
                continue;
            }
            // One message stays reserved for "a person is coming".
            let reserve =
                u8::from(!proposal.handoff_notice && !proposal.speaker.starts_with("agent:"));
            let open = gated.budget.until.is_some_and(|until| self.now < until);
            if self.may_send && open && gated.budget.left > reserve && gated.unsent.is_empty() {
                gated.budget.left -= 1;
                self.row(&mut gated, proposal, OutboxState::Queued, &mut id);
            } else {
                gated.unsent.push(unsent(proposal));
            }
        }
        gated
    }

    /// An expired window has nothing left.
    fn open_budget(&self) -> Budget {
        match self.conversation.budget.until {
            Some(until) if self.now < until => self.conversation.budget,
            _ => Budget::default(),
        }
    }

    fn is_current(&self, proposal: &Proposal) -> bool {
        // What was held back was decided earlier on purpose; it goes out as long as nobody else speaks now.
        let epoch = proposal.held || proposal.epoch == self.conversation.epoch;
        let person = matches!(self.conversation.owner, Owner::Agent { .. });
        epoch && !(person && proposal.speaker == "bot")
    }

    fn clean(&self, message: Outgoing, speaker: &str, alerts: &mut Vec<String>) -> Outgoing {
        let message = self.in_kind(message);
        let mut text = |text: String| -> String {
            let mut text = mask_documents(text);
            for word in self.forbidden {
                if !word.is_empty() && text.contains(word.as_str()) {
                    alerts.push(format!("发给客户的话里有敏感词「{word}」，已打码"));
                    text = text.replace(word.as_str(), &"＊".repeat(word.chars().count()));
                }
            }
            match self.licence {
                Some(licence) if speaker == "bot" && !text.ends_with(licence) => {
                    format!("{text}\n{licence}")
                }
                _ => text,
            }
        };
        match message {
            Outgoing::Text { text: old } => Outgoing::Text { text: text(old) },
            other => other,
        }
    }

    /// What the channel cannot carry becomes text.
    fn in_kind(&self, message: Outgoing) -> Outgoing {
        let kind = match &message {
            Outgoing::Text { .. } => return message,
            Outgoing::Media { media_kind, .. } => *media_kind,
            Outgoing::News { .. } => MessageKind::News,
            Outgoing::MiniProgram { .. } => MessageKind::MiniProgram,
            Outgoing::Menu { .. } => MessageKind::Menu,
        };
        if self.capabilities.kinds.contains(&kind) {
            return message;
        }
        Outgoing::Text {
            text: yingda_engine::render::reply_text(&message),
        }
    }

    /// Neighbouring texts of one speaker become one message, and a text that is too long several.
    fn merge(&self, proposals: Vec<Proposal>) -> Vec<Proposal> {
        let limit = self.capabilities.max_text_bytes;
        let mut merged: Vec<Proposal> = Vec::with_capacity(proposals.len());
        for proposal in proposals {
            if let (Some(last), Outgoing::Text { text }) = (merged.last_mut(), &proposal.message)
                && let Outgoing::Text { text: before } = &mut last.message
                && last.speaker == proposal.speaker
                && before.len() + 1 + text.len() <= limit
            {
                before.push('\n');
                before.push_str(text);
                last.handoff_notice |= proposal.handoff_notice;
                continue;
            }
            merged.push(proposal);
        }
        let mut out: Vec<Proposal> = Vec::with_capacity(merged.len());
        for proposal in merged {
            match &proposal.message {
                Outgoing::Text { text } if text.len() > limit => {
                    out.extend(
                        crate::wechat::split_text::split_text(text, limit)
                            .into_iter()
                            .map(|part| Proposal {
                                message: Outgoing::Text { text: part },
                                ..proposal.clone()
                            }),
                    );
                }
                _ => out.push(proposal),
            }
        }
        out
    }

    fn row(
        &self,
        gated: &mut Gated,
        proposal: Proposal,
        state: OutboxState,
        id: &mut impl FnMut() -> String,
    ) {
        let message = serde_json::to_string(&proposal.message).unwrap_or_default();
        let position = gated.rows.len() as u32;
        let behind = state == OutboxState::Queued && gated.carried.is_some();
        gated.rows.push(OutboxRow {
            id: id(),
            account: self.conversation.account.clone(),
            customer: self.conversation.customer.clone(),
            conversation: self.conversation.id.clone(),
            epoch: self.conversation.epoch,
            created_at: self.now,
            position,
            message,
            speaker: proposal.speaker,
            state,
            attempts: 0,
            due_at: if behind {
                self.now + BEHIND_THE_RESPONSE
            } else {
                self.now
            },
            last_error: None,
        });
    }
}

fn unsent(proposal: Proposal) -> Unsent {
    Unsent {
        message: proposal.message,
        speaker: proposal.speaker,
    }
}

/// Identity and bank card numbers are never said back to a customer in full.
fn mask_documents(text: String) -> String {
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    if digits < 15 {
        return text;
    }
    yingda_models::mask(&text)
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;
    use proptest::prelude::*;

    use super::*;

    fn now() -> Timestamp {
        "2026-11-20T02:00:00Z".parse().unwrap()
    }

    fn conversation(left: u8, owner: Owner) -> Conversation {
        Conversation {
            owner,
            epoch: 3,
            budget: Budget {
                left,
                until: Some(now() + SignedDuration::from_hours(48)),
            },
            ..Conversation::default()
        }
    }

    fn capabilities() -> Capabilities {
        Capabilities {
            channel: "公众号".into(),
            max_text_bytes: 60,
            kinds: vec![MessageKind::Text, MessageKind::Image],
        }
    }

    fn bot(text: &str) -> Proposal {
        Proposal {
            message: Outgoing::Text { text: text.into() },
            speaker: "bot".into(),
            epoch: 3,
            handoff_notice: false,
            held: false,
        }
    }

    fn image() -> Proposal {
        let message = Outgoing::Media {
            media_kind: MessageKind::Image,
            media: "尺码表".into(),
        };
        Proposal { message, ..bot("") }
    }

    fn pass(
        conversation: &Conversation,
        change: impl FnOnce(&mut Gate<'_>),
        proposals: Vec<Proposal>,
    ) -> Gated {
        let capabilities = capabilities();
        let mut gate = Gate {
            conversation,
            capabilities: &capabilities,
            now: now(),
            carrier: true,
            transfer: false,
            may_send: true,
            wait: false,
            licence: None,
            forbidden: &[],
        };
        change(&mut gate);
        let mut count = 0;
        gate.pass(proposals, || {
            count += 1;
            format!("id{count}")
        })
    }

    fn text_of(row: &OutboxRow) -> String {
        match serde_json::from_str(&row.message).unwrap() {
            Outgoing::Text { text } => text,
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn texts_of_one_turn_go_out_as_one_message_in_the_response() {
        let conversation = conversation(5, Owner::Bot);
        let gated = pass(
            &conversation,
            |_| {},
            vec![bot("您好"), bot("请问有什么可以帮您？")],
        );
        assert_eq!(gated.rows.len(), 1);
        assert_eq!(text_of(&gated.rows[0]), "您好\n请问有什么可以帮您？");
        assert_eq!(gated.rows[0].state, OutboxState::Passive);
        assert_eq!(gated.budget.left, 5, "a response costs nothing");
    }

    #[test]
    fn what_the_response_cannot_carry_is_queued_within_the_budget_and_one_is_kept_for_a_person() {
        let conversation = conversation(2, Owner::Bot);
        let gated = pass(
            &conversation,
            |_| {},
            vec![bot("一"), image(), bot("二"), image()],
        );
        let states: Vec<_> = gated.rows.iter().map(|row| row.state).collect();
        assert_eq!(states, [OutboxState::Passive, OutboxState::Queued]);
        assert_eq!(gated.unsent.len(), 2);
        assert_eq!(gated.budget.left, 1);
        let notice = Proposal {
            handoff_notice: true,
            ..bot("马上为您转人工")
        };
        let gated = pass(
            &super::tests::conversation(1, Owner::Bot),
            |gate| gate.carrier = false,
            vec![notice],
        );
        assert_eq!(
            gated.rows[0].state,
            OutboxState::Queued,
            "the last one is for this"
        );
    }

    #[test]
    fn the_bot_is_silent_once_the_epoch_has_grown_or_a_person_speaks() {
        let owner = Owner::Agent {
            agent: "amy".into(),
        };
        let gated = pass(&conversation(5, owner), |_| {}, vec![bot("我来答")]);
        assert_eq!(gated.rows[0].state, OutboxState::Stale);
        assert_eq!(gated.carried, None);
        let late = Proposal {
            epoch: 2,
            ..bot("旧的")
        };
        let gated = pass(
            &conversation(5, Owner::Bot),
            |_| {},
            vec![late, bot("新的")],
        );
        assert_eq!(
            gated.rows.iter().map(|row| row.state).collect::<Vec<_>>(),
            [OutboxState::Stale, OutboxState::Passive]
        );
    }

    #[test]
    fn a_transfer_takes_the_response_and_the_notice_goes_through_the_send_api() {
        let owner = Owner::Queue { group: None };
        let notice = Proposal {
            handoff_notice: true,
            ..bot("正在转人工")
        };
        let gated = pass(
            &conversation(5, owner),
            |gate| gate.transfer = true,
            vec![notice],
        );
        assert_eq!(gated.carried, Some(Carried::Transfer));
        assert_eq!(gated.rows[0].state, OutboxState::Queued);
    }

    #[test]
    fn forbidden_words_are_masked_and_reported_and_the_licence_is_added() {
        let words: &'static [String] = Box::leak(Box::new(["加微信".to_string()]));
        let conversation = conversation(5, Owner::Bot);
        let gated = pass(
            &conversation,
            |gate| {
                gate.forbidden = words;
                gate.licence = Some("本回答仅供参考");
            },
            vec![bot("加微信吧")],
        );
        assert_eq!(text_of(&gated.rows[0]), "＊＊＊吧\n本回答仅供参考");
        assert_eq!(gated.alerts.len(), 1);
    }

    #[test]
    fn a_kind_the_channel_cannot_send_becomes_text() {
        let menu = Outgoing::Menu {
            head: "选".into(),
            items: vec![("1".into(), "查订单".into())],
            tail: String::new(),
        };
        let gated = pass(
            &conversation(5, Owner::Bot),
            |_| {},
            vec![Proposal {
                message: menu,
                ..bot("")
            }],
        );
        assert!(
            text_of(&gated.rows[0]).contains("1"),
            "{}",
            text_of(&gated.rows[0])
        );
    }

    proptest! {
        /// Nothing is lost, nothing overtakes, and the budget is never overdrawn.
        #[test]
        fn every_message_goes_out_or_is_kept_in_order_within_the_budget(
            texts in proptest::collection::vec("[一-龥]{1,30}", 0..8),
            left in 0u8..6,
            carrier: bool,
            may_send: bool,
            expired: bool,
        ) {
            let mut conversation = conversation(left, Owner::Bot);
            if expired {
                conversation.budget.until = Some(now() - SignedDuration::from_secs(1));
            }
            let proposals: Vec<Proposal> = texts.iter().map(|text| bot(text)).collect();
            let gated = pass(&conversation, |gate| { gate.carrier = carrier; gate.may_send = may_send; }, proposals);
            let sent = gated.rows.iter().map(text_of);
            let kept = gated.unsent.iter().map(|unsent| match &unsent.message {
                Outgoing::Text { text } => text.clone(),
                other => format!("{other:?}"),
            });
            let all: Vec<String> = sent.chain(kept).collect();
            prop_assert_eq!(all.join("").replace('\n', ""), texts.join(""));
            let queued = gated.rows.iter().filter(|row| row.state == OutboxState::Queued).count();
            prop_assert!(queued <= usize::from(left.saturating_sub(1)));
            prop_assert!(queued == 0 || (may_send && !expired));
            prop_assert!(gated.rows.iter().all(|row| text_of(row).len() <= 60));
        }
    }
}

//! When a conversation wants the next timer event.

use jiff::{SignedDuration, Timestamp};

use crate::bot::Bot;
use crate::conversation::{Conversation, Owner};

/// A call's result is given up this long after its deadline: the server, which keeps the deadline itself, must have died.
const CALL_GRACE: SignedDuration = SignedDuration::from_secs(2);

/// The soonest of what the conversation waits for.
pub(crate) fn wake_at(conversation: &Conversation, bot: &Bot) -> Option<Timestamp> {
    [
        queue_over_at(conversation),
        call_lost_at(conversation),
        idle_at(conversation, bot),
    ]
    .into_iter()
    .flatten()
    .min()
}

pub(crate) fn queue_over_at(conversation: &Conversation) -> Option<Timestamp> {
    match conversation.owner {
        Owner::Queue { .. } => Some(conversation.queue.as_ref()?.over.as_ref()?.at),
        _ => None,
    }
}

pub(crate) fn call_lost_at(conversation: &Conversation) -> Option<Timestamp> {
    let call = conversation.pending_call.as_ref()?;
    Some(later(call.deadline, CALL_GRACE))
}

/// Idle close ends what the bot serves; queues and people have their own ends.
pub(crate) fn idle_at(conversation: &Conversation, bot: &Bot) -> Option<Timestamp> {
    if conversation.owner != Owner::Bot
        || conversation.closed
        || conversation.pending_call.is_some()
    {
        return None;
    }
    let pause = i64::try_from(bot.program.bot.idle_close_s?).ok()?;
    Some(later(
        conversation.last_customer_at?,
        SignedDuration::from_secs(pause),
    ))
}

/// Saturates instead of overflowing.
pub(crate) fn later(at: Timestamp, by: SignedDuration) -> Timestamp {
    at.checked_add(by).unwrap_or(Timestamp::MAX)
}

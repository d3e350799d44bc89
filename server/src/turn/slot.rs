//! The place a reply can take in a callback's response, shared by all attempts of that callback.

use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::time::Instant;

/// What a callback is answered with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// `success`: nothing to say, or it is said another way.
    Ack,
    /// The reply's body before encryption.
    Body(String),
    /// The turn could not be stored: no acknowledgement, so that the platform tries again.
    Unavailable,
}

/// Whether an answer that is late for its callback can still be sent otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Late {
    /// Through the send API.
    SendApi,
    /// Only with one of the platform's retries.
    Retry,
}

#[derive(Debug)]
enum State {
    /// Waiting for the turn.
    Open,
    /// A turn is being committed with its reply in this slot.
    Taken,
    /// Acknowledged without content.
    Closed,
    Done(Reply),
}

/// One callback, however often the platform repeats it.
#[derive(Debug)]
pub struct ReplySlot {
    state: Mutex<Inner>,
    changed: Notify,
    late: Late,
    opened: Instant,
}

#[derive(Debug)]
struct Inner {
    state: State,
    /// The inbound message is durable.
    stored: bool,
    attempts: u32,
}

/// Attempts the platform makes, and the time after which it has made the last (3 × 5 s).
pub const ATTEMPTS: u32 = 3;
const LAST_ATTEMPT: Duration = Duration::from_secs(14);

impl ReplySlot {
    pub fn new(late: Late) -> Self {
        Self::opened_at(late, Instant::now())
    }

    /// A slot whose first attempt came earlier (before a restart).
    pub fn opened_at(late: Late, opened: Instant) -> Self {
        let inner = Inner {
            state: State::Open,
            stored: false,
            attempts: 0,
        };
        Self {
            state: Mutex::new(inner),
            changed: Notify::new(),
            late,
            opened,
        }
    }

    pub fn late(&self) -> Late {
        self.late
    }

    /// Count one more attempt of the platform; the first is 1.
    pub fn attach(&self) -> u32 {
        let mut inner = self.state.lock();
        inner.attempts += 1;
        inner.attempts
    }

    /// The inbound message is durable from now on.
    pub fn mark_stored(&self) {
        self.state.lock().stored = true;
    }

    /// Claim the slot for the reply of a turn about to be committed. False when the callback was answered already.
    pub fn take(&self) -> bool {
        let mut inner = self.state.lock();
        let open = matches!(inner.state, State::Open);
        let in_time = self.late == Late::SendApi || self.opened.elapsed() < LAST_ATTEMPT;
        if open && in_time {
            inner.state = State::Taken;
            return true;
        }
        if open {
            inner.state = State::Closed;
            drop(inner);
            self.changed.notify_waiters();
        }
        false
    }

    /// Give a taken slot back: the commit has to be tried again.
    pub fn release(&self) {
        let mut inner = self.state.lock();
        if matches!(inner.state, State::Taken) {
            inner.state = State::Open;
        }
    }

    /// The callback's answer is known.
    pub fn finish(&self, reply: Reply) {
        let mut inner = self.state.lock();
        if !matches!(inner.state, State::Closed | State::Done(_)) {
            inner.stored |= reply != Reply::Unavailable;
            inner.state = State::Done(reply);
        }
        drop(inner);
        self.changed.notify_waiters();
    }

    /// Out of time: acknowledge without content if nothing is on its way and the message is durable.
    /// `None` when it is not durable, or a turn is just being committed.
    pub fn close(&self) -> Option<Reply> {
        let mut inner = self.state.lock();
        match &inner.state {
            State::Open if inner.stored => {
                inner.state = State::Closed;
                Some(Reply::Ack)
            }
            State::Open | State::Taken => None,
            State::Closed => Some(Reply::Ack),
            State::Done(reply) => Some(reply.clone()),
        }
    }

    /// The answer, as soon as it is known.
    pub async fn wait(&self) -> Reply {
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            match &self.state.lock().state {
                State::Done(reply) => return reply.clone(),
                State::Closed => return Reply::Ack,
                State::Open | State::Taken => {}
            }
            changed.await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn every_attempt_gets_the_same_reply() {
        let slot = std::sync::Arc::new(ReplySlot::new(Late::SendApi));
        let waiting: Vec<_> = (0..3)
            .map(|_| {
                let slot = slot.clone();
                tokio::spawn(async move { slot.wait().await })
            })
            .collect();
        assert!(slot.take());
        assert!(!slot.take(), "one turn only can have it");
        slot.finish(Reply::Body("您好".into()));
        for handle in waiting {
            assert_eq!(handle.await.unwrap(), Reply::Body("您好".into()));
        }
    }

    #[test]
    fn nothing_is_acknowledged_before_it_is_stored() {
        let slot = ReplySlot::new(Late::SendApi);
        assert_eq!(slot.close(), None);
        slot.mark_stored();
        assert_eq!(slot.close(), Some(Reply::Ack));
        assert!(!slot.take(), "a closed slot carries nothing");
    }

    #[test]
    fn a_turn_that_is_being_committed_keeps_its_slot() {
        let slot = ReplySlot::new(Late::SendApi);
        slot.mark_stored();
        assert!(slot.take());
        assert_eq!(slot.close(), None);
        slot.release();
        assert_eq!(slot.close(), Some(Reply::Ack));
    }

    #[tokio::test(start_paused = true)]
    async fn a_retry_slot_lasts_as_long_as_the_platform_tries() {
        let slot = ReplySlot::new(Late::Retry);
        tokio::time::advance(Duration::from_secs(13)).await;
        assert!(slot.take());
        slot.release();
        tokio::time::advance(Duration::from_secs(2)).await;
        assert!(!slot.take());
    }
}

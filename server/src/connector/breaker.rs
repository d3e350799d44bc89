//! A connector that keeps timing out is left alone for a while: its customers get the failure branch at once.

use jiff::{SignedDuration, Timestamp};
use parking_lot::Mutex;

/// Time-outs in a row that open the breaker.
const LIMIT: u32 = 5;
/// How long it stays open; then one call tries.
const PAUSE: SignedDuration = SignedDuration::from_secs(30);

#[derive(Debug, Default)]
pub struct Breaker {
    state: Mutex<(u32, Option<Timestamp>)>,
}

impl Breaker {
    /// Whether a call may be made now.
    pub fn allows(&self, now: Timestamp) -> bool {
        let mut state = self.state.lock();
        match state.1 {
            // A clock that stepped back must not keep it open for longer than the pause.
            Some(until) if now < until && until.duration_since(now) <= PAUSE => false,
            Some(_) => {
                *state = (LIMIT - 1, None);
                true
            }
            None => true,
        }
    }

    /// What became of a call: an answer (even a refusal) closes, a time-out counts.
    pub fn record(&self, answered: bool, now: Timestamp) {
        let mut state = self.state.lock();
        if answered {
            *state = (0, None);
            return;
        }
        state.0 += 1;
        if state.0 >= LIMIT {
            state.1 = now.checked_add(PAUSE).ok();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_time_outs_open_it_and_one_answer_after_the_pause_closes_it() {
        let breaker = Breaker::default();
        let start: Timestamp = "2026-11-20T02:00:00Z".parse().unwrap();
        for _ in 0..LIMIT {
            assert!(breaker.allows(start));
            breaker.record(false, start);
        }
        assert!(!breaker.allows(start));
        assert!(!breaker.allows(start + SignedDuration::from_secs(29)));
        let later = start + SignedDuration::from_secs(30);
        assert!(breaker.allows(later), "one call tries");
        breaker.record(false, later);
        assert!(!breaker.allows(later), "and opens it again when it fails");
        let recovered = later + SignedDuration::from_secs(31);
        assert!(breaker.allows(recovered));
        breaker.record(true, recovered);
        assert!(breaker.allows(recovered));
    }

    #[test]
    fn a_clock_set_back_does_not_keep_it_open() {
        let breaker = Breaker::default();
        let start: Timestamp = "2026-11-20T02:00:00Z".parse().unwrap();
        (0..LIMIT).for_each(|_| breaker.record(false, start));
        assert!(breaker.allows(start - SignedDuration::from_hours(1)));
    }
}

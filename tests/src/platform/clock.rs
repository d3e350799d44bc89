//! The platform's time: that of the machine, moved forward at will.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use parking_lot::Mutex;

/// Shared by whoever clones it.
#[derive(Debug, Clone, Default)]
pub struct Clock {
    ahead: Arc<Mutex<SignedDuration>>,
}

impl Clock {
    pub fn now(&self) -> Timestamp {
        Timestamp::now()
            .checked_add(*self.ahead.lock())
            .unwrap_or(Timestamp::MAX)
    }

    /// Seconds since 1970.
    pub fn second(&self) -> i64 {
        self.now().as_second()
    }

    /// Lets this much time pass at once.
    pub fn advance(&self, time: SignedDuration) {
        *self.ahead.lock() += time;
    }
}

//! The send budget: how many messages may go out through the send API, and until when.
//!
//! WeChat grants 5 messages in 48 h after a customer's message and 3 in 1 min after a click, a follow or a scan
//! (official, since 2023-06). Grants do not add up: an action sets its own budget back to its most.

use jiff::{SignedDuration, Timestamp};
use yingda_engine::conversation::Budget;

/// What one action of the customer allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BudgetGrant {
    pub messages: u8,
    /// Seconds from the action.
    pub window_s: u32,
}

impl BudgetGrant {
    /// A message of the customer.
    pub const MESSAGE: Self = Self {
        messages: 5,
        window_s: 48 * 3600,
    };
    /// A menu click, a follow, a scan.
    pub const ACTION: Self = Self {
        messages: 3,
        window_s: 60,
    };
    /// Opening the conversation in a mini program.
    pub const ENTER: Self = Self {
        messages: 2,
        window_s: 60,
    };
}

/// The budget after an action at `at`. One number and one end stand for WeChat's several windows: of what is open and
/// what is granted, the one that lasts longer is kept as long as it has something left, so that a click does not
/// shorten the 48 h an earlier message gave. Never more than the larger of the two.
pub fn renew(budget: Budget, grant: BudgetGrant, at: Timestamp) -> Budget {
    let until = at
        .checked_add(SignedDuration::from_secs(i64::from(grant.window_s)))
        .unwrap_or(Timestamp::MAX);
    let lasts_longer = budget.until.is_some_and(|end| end > until);
    if lasts_longer && budget.left > 0 {
        return budget;
    }
    Budget {
        left: grant.messages,
        until: Some(until),
    }
}

/// Messages that may still be sent at `now`.
pub fn available(budget: Budget, now: Timestamp) -> u8 {
    match budget.until {
        Some(until) if now < until => budget.left,
        _ => 0,
    }
}

/// The budget after one message; `None` where none may be sent.
pub fn spend(budget: Budget, now: Timestamp) -> Option<Budget> {
    let left = available(budget, now).checked_sub(1)?;
    Some(Budget { left, ..budget })
}

/// The budget after the platform said that it is used up (45047) or that the window is closed (45015).
pub fn exhaust(budget: Budget) -> Budget {
    Budget { left: 0, ..budget }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn second(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn a_message_sets_the_budget_back_to_five() {
        let mut budget = renew(Budget::default(), BudgetGrant::MESSAGE, second(0));
        for left in (0..5).rev() {
            budget = spend(budget, second(10)).unwrap();
            assert_eq!(available(budget, second(10)), left);
        }
        assert_eq!(spend(budget, second(10)), None);
        let budget = renew(budget, BudgetGrant::MESSAGE, second(20));
        assert_eq!(available(budget, second(20)), 5);
    }

    #[test]
    fn a_window_closes_at_its_end() {
        let budget = renew(Budget::default(), BudgetGrant::ACTION, second(0));
        assert_eq!(available(budget, second(59)), 3);
        assert_eq!(available(budget, second(60)), 0);
        assert_eq!(spend(budget, second(60)), None);
    }

    #[test]
    fn a_click_neither_adds_to_nor_shortens_what_a_message_gave() {
        let open = renew(Budget::default(), BudgetGrant::MESSAGE, second(0));
        assert_eq!(renew(open, BudgetGrant::ACTION, second(5)), open);
        let spent = exhaust(open);
        assert_eq!(
            available(renew(spent, BudgetGrant::ACTION, second(5)), second(6)),
            3
        );
    }

    fn grants() -> impl Strategy<Value = BudgetGrant> {
        prop_oneof![
            Just(BudgetGrant::MESSAGE),
            Just(BudgetGrant::ACTION),
            Just(BudgetGrant::ENTER),
        ]
    }

    proptest! {
        /// Whatever the customer does and however much is sent, no grant ever lets out more messages in its window
        /// than its own number, unless a newer one renews it.
        #[test]
        fn sends_never_exceed_what_the_actions_granted(
            steps in prop::collection::vec((0i64..100_000, prop::option::of(grants())), 1..60),
        ) {
            let mut now = 0;
            let mut budget = Budget::default();
            // Every action so far: when it ends, and what it could have let out since.
            let mut actions: Vec<(i64, u32)> = Vec::new();
            for (wait, action) in steps {
                now += wait;
                if let Some(grant) = action {
                    let before = available(budget, second(now));
                    budget = renew(budget, grant, second(now));
                    actions.push((now + i64::from(grant.window_s), u32::from(grant.messages)));
                    let after = available(budget, second(now));
                    prop_assert!(after <= before.max(grant.messages), "grants added up");
                    prop_assert!(after > 0, "an action opened nothing");
                } else {
                    while let Some(next) = spend(budget, second(now)) {
                        prop_assert_eq!(next.left + 1, budget.left);
                        let source = actions.iter_mut().find(|(end, left)| *end > now && *left > 0);
                        let Some((_, left)) = source else {
                            return Err(TestCaseError::fail("sent without a grant"));
                        };
                        *left -= 1;
                        budget = next;
                    }
                }
            }
        }
    }
}

//! What the platform still lets an account send to one customer.

use jiff::{SignedDuration, Timestamp};

/// What a customer did that allows messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Contact {
    /// Wrote something: 5 in 48 h.
    Message,
    /// Clicked the menu, tapped a menu message, followed, scanned: 3 in 1 min.
    Action,
    /// Opened a mini program's conversation: 2 in 1 min.
    Enter,
}

impl Contact {
    const ALL: [Self; 3] = [Self::Message, Self::Action, Self::Enter];

    fn allowance(self, at: Timestamp) -> Allowance {
        let (left, window) = match self {
            Self::Message => (5, SignedDuration::from_hours(48)),
            Self::Action => (3, SignedDuration::from_mins(1)),
            Self::Enter => (2, SignedDuration::from_mins(1)),
        };
        Allowance {
            left,
            until: at + window,
        }
    }
}

#[derive(Debug, Clone, Copy)]
struct Allowance {
    left: u32,
    until: Timestamp,
}

/// Why a message may not be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// 45015
    WindowClosed,
    /// 45047
    UsedUp,
}

/// One allowance for each kind of contact. A new contact of a kind sets its own back to its most.
#[derive(Debug, Clone, Default)]
pub struct Ledger {
    allowances: [Option<Allowance>; 3],
}

impl Ledger {
    pub fn contact(&mut self, contact: Contact, at: Timestamp) {
        let index = Contact::ALL.iter().position(|kind| *kind == contact);
        if let Some(allowance) = index.and_then(|index| self.allowances.get_mut(index)) {
            *allowance = Some(contact.allowance(at));
        }
    }

    /// Counts one message, of the allowance that ends first.
    pub fn spend(&mut self, at: Timestamp) -> Result<(), Refused> {
        let open = || {
            self.allowances
                .iter()
                .flatten()
                .filter(|allowance| at < allowance.until)
        };
        if open().next().is_none() {
            return Err(Refused::WindowClosed);
        }
        self.allowances
            .iter_mut()
            .flatten()
            .filter(|allowance| at < allowance.until && allowance.left > 0)
            .min_by_key(|allowance| allowance.until)
            .map(|allowance| allowance.left -= 1)
            .ok_or(Refused::UsedUp)
    }

    /// Nothing may be sent until the next contact: the customer has left.
    pub fn close(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn second(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn a_message_allows_five_in_two_days() {
        let mut ledger = Ledger::default();
        assert_eq!(ledger.spend(second(0)), Err(Refused::WindowClosed));
        ledger.contact(Contact::Message, second(0));
        for _ in 0..5 {
            assert_eq!(ledger.spend(second(100)), Ok(()));
        }
        assert_eq!(ledger.spend(second(100)), Err(Refused::UsedUp));
        assert_eq!(ledger.spend(second(48 * 3600)), Err(Refused::WindowClosed));
        ledger.contact(Contact::Message, second(50 * 3600));
        assert_eq!(ledger.spend(second(50 * 3600)), Ok(()));
    }

    #[test]
    fn kinds_have_their_own_allowances_and_none_adds_up() {
        let mut ledger = Ledger::default();
        ledger.contact(Contact::Action, second(0));
        ledger.contact(Contact::Action, second(1));
        ledger.contact(Contact::Message, second(1));
        for _ in 0..8 {
            assert_eq!(ledger.spend(second(2)), Ok(()));
        }
        assert_eq!(ledger.spend(second(2)), Err(Refused::UsedUp));
    }
}

//! The one gate to the customer, and the sender behind it.

mod gate;
mod sender;

pub use gate::{Carried, Gate, Gated, Proposal};
pub use sender::Sender;

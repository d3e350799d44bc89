//! The decision: program, understanding, conversation, event and surroundings in, a [`turn::Turn`] out.
//!
//! Pure: no I/O, no clock, no randomness.

pub mod conversation;
pub mod event;
pub mod explanation;
pub mod turn;

//! The decision: program, understanding, conversation, event and surroundings in, a [`turn::Turn`] out.
//!
//! Pure: no I/O, no clock, no randomness.

mod answer;
mod bot;
mod call;
mod catalogue;
mod condition;
pub mod conversation;
mod deciding;
mod digression;
mod evaluate;
pub mod event;
pub mod explanation;
mod field;
mod keyword;
mod menu;
mod package_test;
mod queue;
mod reading;
mod reason;
pub mod render;
mod route;
pub mod scenario;
mod schedule;
mod slot;
mod step;
mod taking;
pub mod turn;
mod variant;
mod wake;
mod wording;

pub use bot::{Bot, BuildError};
pub use catalogue::standard_catalogue;
pub use reading::Evaluation;
pub use variant::stable_hash;

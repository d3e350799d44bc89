//! The decision: program, understanding, conversation, event and surroundings in, a [`turn::Turn`] out.
//!
//! Pure: no I/O, no clock, no randomness.
//!
//! What a customer's message meets, by who has the conversation:
//!
//! - **The bot**: the route, top to bottom. A rule that does nothing a customer notices (tags, notes) lets the message go
//!   on to the next stage. Whatever happens, something is said, or a call or a handoff is made; 拦截 alone is silent.
//! - **The bot, a connector call in flight**: the stages before 流程中; else the customer is asked once to wait, and what
//!   they send is kept and decided after the result.
//! - **A queue**: the stages before 流程中, for tags and alerts only. The notice was sent on joining and is not repeated;
//!   `0` leaves the queue.
//! - **A person**: the same stages, for tags and alerts only. Nothing is said.
//!
//! A waiting step takes what fits it. What does not may be taken by a later stage, as the flow's 可打断 allows; only what
//! nothing takes is a miss, and the step asks again. An event that is no message meets the rule groups alone.

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
mod personal;
mod queue;
mod reading;
mod reason;
pub mod render;
mod route;
pub mod scenario;
mod schedule;
mod slot;
mod step;
mod summary;
mod taking;
mod test_report;
pub mod turn;
mod variant;
mod wake;
mod wording;

pub use bot::{Bot, BuildError};
pub use catalogue::standard_catalogue;
pub use reading::Evaluation;
pub use variant::stable_hash;

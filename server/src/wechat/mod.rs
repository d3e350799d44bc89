//! The WeChat Official Account channel: the only place that knows WeChat's wire formats.
//!
//! In: [`callback::receive`] checks, decrypts and reads a request, [`inbound::to_event`] says what it means to the
//! engine. Out: [`reply`] renders and seals the answer in the response, [`api`] sends outside of one.
//! [`platform`] is WeChat's own side of the same protocol, for trying it out and for tests.

pub mod api;
pub mod budget;
pub mod callback;
pub mod crypt;
pub mod document;
pub mod inbound;
pub mod message;
pub mod platform;
pub mod push_event;
pub mod reply;
pub mod signature;
pub mod split_text;

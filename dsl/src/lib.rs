//! The rule language of Yingda: text in, checked [`program::Program`] and [`diagnostic::Diagnostic`]s out.
//!
//! No I/O, no clock, no randomness. Only this crate knows pest.

pub mod catalogue;
pub mod diagnostic;
pub mod program;
pub mod source;

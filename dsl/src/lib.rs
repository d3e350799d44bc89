//! The rule language of Yingda: text in, checked [`program::Program`] and [`diagnostic::Diagnostic`]s out.
//!
//! No I/O, no clock, no randomness. Only this crate knows pest.

pub mod ast;
pub mod catalogue;
mod check;
mod compile;
pub mod diagnostic;
mod files;
mod format;
pub mod keywords;
mod lower;
mod names;
pub mod parse;
pub mod program;
pub mod render;
pub mod source;

pub use compile::{Compiled, compile, compile_on, imports};
pub use format::format;

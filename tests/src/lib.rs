//! What the end-to-end tests are built on.

pub mod platform;

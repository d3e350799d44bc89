//! The real binary from end to end, against a fake WeChat platform.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // Helpers of tests are tests.

mod accounts;
mod admin_api;
mod budget;
mod callbacks;
mod command_line;
mod crash;
mod deadlines;
mod disk_full;
mod fragments;
mod handoff;
mod packages;
mod refusals;
mod retries;
mod tokens;

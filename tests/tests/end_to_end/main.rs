//! The real binary from end to end, against a fake WeChat platform.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // Helpers of tests are tests.

mod callbacks;
mod deadlines;
mod refusals;
mod retries;

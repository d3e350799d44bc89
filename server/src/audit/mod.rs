//! The audit log: an append-only chain of rows, each carrying the hash of the one before.

pub mod chain;
mod export;
mod head;
mod show;
mod verify;

#[cfg(test)]
mod tests;

pub use export::{ExportFilter, export};
pub use head::{Head, HeadError, HeadFile, Kept};
pub use show::show;
pub use verify::{AuditFault, Part, Verified, rows, verify, verify_store};

/// Kind of the row that records an erasure of its conversation's earlier rows.
pub const ERASE: &str = "erase";

/// Kind of the row written when a server starts and the log does not fit its signed head.
pub const HEAD_PROBLEM: &str = "audit_head";

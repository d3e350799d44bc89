//! The effects around the decision: channels, storage, HTTP, jobs, command line.

pub mod audit;
pub mod store;
pub mod wechat;

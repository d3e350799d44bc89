//! The effects around the decision: channels, storage, HTTP, jobs, command line.

pub mod account;
pub mod admin_token;
pub mod audit;
pub mod cause;
pub mod cli;
pub mod clock;
pub mod config;
pub mod connector;
pub mod http;
pub mod outbox;
pub mod package;
pub mod serve;
pub mod store;
pub mod turn;
pub mod webhook;
pub mod wechat;

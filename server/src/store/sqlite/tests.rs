//! The store against real files.

mod chain;
mod commit;
mod faults;

mod samples;

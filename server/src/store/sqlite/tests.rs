//! The store against real files.

mod chain;
mod commit;
mod crash;
mod erase;
mod faults;
mod model;
mod reads;
mod samples;
mod tampering;

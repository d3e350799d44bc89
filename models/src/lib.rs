//! Understanding for Yingda: text in, what it says out, in microseconds, deterministic.

pub mod understanding;

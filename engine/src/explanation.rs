//! Why a turn came out as it did, as data and as text. Never holds personal data in clear.

use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Explanation {
    /// Masked text of the message, or the name of the event.
    pub message: String,
    /// Package version, content hash.
    pub version: String,
    /// Everything considered, in text order.
    pub considered: Vec<Considered>,
    /// Name of the route stage that decided.
    pub stage: Option<String>,
    /// Name of the rule that decided, where the stage is a group.
    pub rule: Option<String>,
    /// What was done, a sentence a step.
    pub done: Vec<String>,
}

/// A stage, or a rule of a group, that was looked at.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Considered {
    pub stage: String,
    pub rule: Option<String>,
    pub hit: bool,
    /// The first failing condition with the actual value, or what made it hit.
    pub reason: String,
}

//! The way of a message through the server: dedupe, order, decision, one transaction, reply.

mod claim;
mod decide;
mod dispatch;
mod job;
mod lane;
mod merge;
mod perform;
mod record;
mod recover;
mod replay;
mod run;
mod slot;
mod task;

pub use dispatch::{CallbackInput, Dispatcher, DispatcherParts};
pub use job::{DeskAction, DeskError};
pub use record::{Sealed, masked_event};
pub use replay::{Difference, Replayed, replay};
pub use slot::{ATTEMPTS, Late, Reply, ReplySlot};

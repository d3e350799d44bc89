//! One run per callback: attempts that arrive while the first is at work share its slot.

use std::sync::Arc;

use parking_lot::Mutex;
use rustc_hash::FxHashMap;

use super::slot::{Late, ReplySlot};

const SHARDS: usize = 16;

type Shard = Mutex<FxHashMap<(String, String), Arc<ReplySlot>>>;

/// Callbacks at work, by account and dedupe key. What is finished is known to the store.
#[derive(Debug)]
pub struct Claims {
    shards: [Shard; SHARDS],
}

impl Default for Claims {
    fn default() -> Self {
        Self {
            shards: std::array::from_fn(|_| Mutex::default()),
        }
    }
}

/// Whether this attempt is the first.
pub enum Claim {
    /// Run it.
    First(Arc<ReplySlot>),
    /// Somebody runs it; wait with them.
    Repeat(Arc<ReplySlot>),
}

impl Claims {
    pub fn claim(&self, account: &str, dedupe_key: &str, late: Late) -> Claim {
        let key = (account.to_string(), dedupe_key.to_string());
        let mut shard = self.shard(dedupe_key).lock();
        if let Some(slot) = shard.get(&key) {
            return Claim::Repeat(slot.clone());
        }
        let slot = Arc::new(ReplySlot::new(late));
        shard.insert(key, slot.clone());
        Claim::First(slot)
    }

    /// The store knows the outcome from now on (or the run failed and may be tried again).
    pub fn release(&self, account: &str, dedupe_key: &str) {
        self.shard(dedupe_key)
            .lock()
            .remove(&(account.to_string(), dedupe_key.to_string()));
    }

    /// Callbacks at work.
    pub fn count(&self) -> usize {
        self.shards.iter().map(|shard| shard.lock().len()).sum()
    }

    fn shard(&self, dedupe_key: &str) -> &Shard {
        use std::hash::BuildHasher;
        let hash = rustc_hash::FxBuildHasher.hash_one(dedupe_key) as usize;
        &self.shards[(hash >> 8) % SHARDS]
    }
}

//! Current conversations in memory, so that a turn of a known customer reads nothing from the database.
//!
//! The file has one writer, so the writer keeps the cache true: it replaces an entry after its commit and before the commit
//! is acknowledged. A reader that missed may have read the database before that commit; it may fill the cache only if no
//! commit touched the key's shard since it began ([`ConversationCache::begin_load`]).

use std::hash::{BuildHasher, Hash};
use std::sync::Arc;

use moka::sync::Cache;
use parking_lot::Mutex;
use rustc_hash::FxBuildHasher;

use crate::store::StoredConversation;

/// What is known of a customer: the current conversation, or that there is none.
pub(super) type Known = Option<Arc<StoredConversation>>;

const SHARDS: usize = 1024;

/// Memory of an entry beside its texts, roughly, bytes.
const ENTRY_BYTES: usize = 300;

pub(super) struct ConversationCache {
    entries: Cache<Key, Entry, FxBuildHasher>,
    /// Commits by shard of keys.
    changes: Vec<Mutex<u64>>,
}

#[derive(Clone)]
struct Entry {
    known: Known,
    bytes: u32,
}

/// An account and a customer.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Key(Box<str>);

impl Key {
    pub fn new(account: &str, customer: &str) -> Self {
        // Ids of accounts hold no NUL: they come from configuration and stand in URLs.
        let mut key = String::with_capacity(account.len() + customer.len() + 1);
        key.push_str(account);
        key.push('\0');
        key.push_str(customer);
        Self(key.into_boxed_str())
    }

    pub fn account(&self) -> &str {
        self.0.split_once('\0').map_or("", |(account, _)| account)
    }

    pub fn customer(&self) -> &str {
        self.0.split_once('\0').map_or("", |(_, customer)| customer)
    }
}

/// A load that began when its shard had seen this many commits.
pub(super) struct Load {
    key: Key,
    changes: u64,
}

impl ConversationCache {
    /// A cache of about this many bytes.
    pub fn new(bytes: u64) -> Self {
        Self {
            entries: Cache::builder()
                .max_capacity(bytes)
                .weigher(|key: &Key, entry: &Entry| {
                    entry
                        .bytes
                        .saturating_add(u32::try_from(key.0.len()).unwrap_or(u32::MAX))
                })
                .build_with_hasher(FxBuildHasher),
            changes: (0..SHARDS).map(|_| Mutex::new(0)).collect(),
        }
    }

    pub fn get(&self, key: &Key) -> Option<Known> {
        self.entries.get(key).map(|entry| entry.known)
    }

    /// Call before reading the database.
    pub fn begin_load(&self, key: Key) -> Load {
        let changes = *self.shard(&key).lock();
        Load { key, changes }
    }

    /// Keep what the database said, unless a commit came between. `bytes`: length of the stored state.
    pub fn end_load(&self, load: Load, known: &Known, bytes: usize) {
        let changes = self.shard(&load.key).lock();
        if *changes == load.changes {
            self.entries.insert(load.key, entry(known.clone(), bytes));
        }
    }

    /// A commit changed the conversation; called by the writer alone, after the commit, for each of a batch in turn:
    /// a reader may have brought a later state of the same batch already.
    pub fn replace(&self, key: Key, stored: Arc<StoredConversation>, bytes: usize) {
        let mut changes = self.shard(&key).lock();
        *changes += 1;
        let later = self.get(&key).flatten();
        if later.is_none_or(|later| later.revision < stored.revision) {
            self.entries.insert(key, entry(Some(stored), bytes));
        }
    }

    /// A commit may have changed the conversation.
    pub fn forget(&self, key: &Key) {
        let mut changes = self.shard(key).lock();
        *changes += 1;
        self.entries.invalidate(key);
    }

    fn shard(&self, key: &Key) -> &Mutex<u64> {
        let hash = FxBuildHasher.hash_one(key);
        let index = (hash >> 20) as usize % SHARDS;
        &self.changes[index]
    }
}

fn entry(known: Known, bytes: usize) -> Entry {
    // The state in memory takes about twice its JSON.
    let bytes = if known.is_some() { 2 * bytes } else { 0 } + ENTRY_BYTES;
    Entry {
        known,
        bytes: u32::try_from(bytes).unwrap_or(u32::MAX),
    }
}

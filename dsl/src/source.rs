//! The files of a package and positions in them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// A half-open byte range in one file of a package.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, Default,
)]
pub struct Span {
    /// Index into [`PackageFiles::paths`] order.
    pub file: u32,
    /// Byte offset of the first byte.
    pub start: u32,
    /// Byte offset behind the last byte.
    pub end: u32,
}

/// Everything a package consists of, read by somebody else: this crate does no I/O.
///
/// Keys are `/`-separated paths relative to the package folder; files of an imported folder
/// keep the path as written in 引用 (`../共用/词组.yd`).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PackageFiles {
    pub files: BTreeMap<String, Vec<u8>>,
}

impl PackageFiles {
    /// The package's identity: SHA-256 over every path and content, in lower-case hex (64 characters).
    pub fn content_hash(&self) -> String {
        let mut hasher = Sha256::new();
        for (path, bytes) in &self.files {
            hasher.update((path.len() as u64).to_be_bytes());
            hasher.update(path.as_bytes());
            hasher.update((bytes.len() as u64).to_be_bytes());
            hasher.update(bytes);
        }
        hex::encode(hasher.finalize())
    }

    /// Paths in the order in which [`Span::file`] counts them.
    pub fn paths(&self) -> Vec<&str> {
        self.files.keys().map(String::as_str).collect()
    }
}

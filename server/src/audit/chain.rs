//! The links of the audit chain: how a row's hash follows from the row and the one before.

use sha2::{Digest as _, Sha256};

use crate::store::AuditRow;

/// SHA-256.
pub type Digest = [u8; 32];

/// `prev` of the first row, and the `sealed` digest of a row that never had a sealed part.
pub const NONE: Digest = [0; 32];

/// What a row's hash is made of. Each field goes in with its length in front (4 bytes, big-endian); `seq` and `at`
/// are 8 bytes, big-endian.
#[derive(Debug, Clone, Copy)]
pub struct Link<'a> {
    pub prev: &'a Digest,
    pub seq: i64,
    /// Microseconds since 1970 UTC, as stored.
    pub at: i64,
    pub account: &'a str,
    pub conversation: &'a str,
    pub kind: &'a str,
    pub body: &'a Digest,
    pub sealed: &'a Digest,
}

impl Link<'_> {
    pub fn hash(&self) -> Digest {
        let mut hasher = Sha256::new();
        let seq = self.seq.to_be_bytes();
        let at = self.at.to_be_bytes();
        let fields: [&[u8]; 8] = [
            self.prev,
            &seq,
            &at,
            self.account.as_bytes(),
            self.conversation.as_bytes(),
            self.kind.as_bytes(),
            self.body,
            self.sealed,
        ];
        for field in fields {
            // A field of 4 GiB cannot be stored, so the length never saturates.
            let length = u32::try_from(field.len()).unwrap_or(u32::MAX);
            hasher.update(length.to_be_bytes());
            hasher.update(field);
        }
        hasher.finalize().into()
    }
}

/// Digest of a body.
pub fn body_digest(body: &str) -> Digest {
    Sha256::digest(body.as_bytes()).into()
}

/// Digest of a sealed part; [`NONE`] without one.
pub fn sealed_digest(sealed: Option<&str>) -> Digest {
    sealed.map_or(NONE, body_digest)
}

/// The hash that `row` should have if it stood at `seq`, by its own digests and `prev`; `None` where those are no digests.
pub(crate) fn hash_at(row: &AuditRow, seq: i64) -> Option<Digest> {
    Some(
        Link {
            prev: &digest(&row.prev)?,
            seq,
            at: row.at.as_microsecond(),
            account: &row.account,
            conversation: &row.conversation,
            kind: &row.kind,
            body: &digest(&row.body_digest)?,
            sealed: &digest(&row.sealed_digest)?,
        }
        .hash(),
    )
}

/// A digest from its hex form.
pub(crate) fn digest(hex_form: &str) -> Option<Digest> {
    let mut bytes = NONE;
    hex::decode_to_slice(hex_form, &mut bytes).ok()?;
    Some(bytes)
}

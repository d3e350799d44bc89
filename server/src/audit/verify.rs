//! Whether a chain is as it was written, and if not, which row is the first that is not.

use futures::{Stream, StreamExt as _, pin_mut};
use yingda_dsl::diagnostic::Lang;

use super::chain::{Digest, NONE, body_digest, digest, hash_at, sealed_digest};
use super::head::{Head, HeadError, HeadFile, Kept};
use super::{ERASE, HEAD_PROBLEM};
use crate::store::{AuditRow, Store, StoreError};

/// How far beyond the last known row the own place of a misplaced one is looked for.
const SEARCH: i64 = 1_000;

/// Rows read at once.
const PAGE: u32 = 1_000;

/// A chain in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    pub rows: u64,
    /// The last row.
    pub head: Head,
    /// Number of the row that the signed head names.
    pub signed: i64,
    /// Rows whose body or sealed part was erased, each with an `erase` row that says so.
    pub erased: u64,
    /// Rows that a server wrote because the signed head was missing or did not fit at its start.
    pub head_problems: Vec<i64>,
}

/// The first thing that is not as it was written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AuditFault {
    #[error("row {seq} was changed: its {part} no longer fits its {against}")]
    Changed {
        seq: i64,
        part: Part,
        against: &'static str,
    },
    /// Its hash fits its content, but the next row was made after another one.
    #[error("row {seq} was replaced: row {} names another predecessor", .seq + 1)]
    Replaced { seq: i64 },
    #[error("rows {first} to {last} were removed")]
    Removed { first: i64, last: i64 },
    #[error("row {seq} was inserted: row {} stood here", .seq + 1)]
    Inserted { seq: i64 },
    #[error("row {seq} was swapped: what stands here was written as row {written_as}")]
    Swapped { seq: i64, written_as: i64 },
    #[error("the {part} of row {seq} was erased without an erase row that says so")]
    Erased { seq: i64, part: Part },
    #[error("the rows after {last} were cut off: the signed head names row {signed}")]
    Cut { last: i64, signed: i64 },
    /// Every link fits, but the chain is not the one that was signed.
    #[error("the chain was written anew: row {signed} is not the one that was signed")]
    Rewritten { signed: i64 },
    #[error("{0}")]
    Head(String),
    #[error("the rows after {after} cannot be read: {cause}")]
    Unreadable { after: i64, cause: String },
}

/// Part of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// Time, account, conversation, kind, digests or links.
    Record,
    Body,
    Sealed,
}

impl AuditFault {
    /// The fault as a sentence for people: what is wrong, where, and what to do.
    pub fn sentence(&self, lang: Lang) -> String {
        if lang == Lang::En {
            return format!(
                "the audit log was tampered with or damaged: {self}; compare with a backup"
            );
        }
        let found = match self {
            Self::Changed { seq, part, .. } => format!("第 {seq} 行被改动：{}对不上", part.zh()),
            Self::Replaced { seq } => {
                format!("第 {seq} 行被替换：第 {} 行记的上一行不是它", seq + 1)
            }
            Self::Removed { first, last } if first == last => format!("第 {first} 行被删除"),
            Self::Removed { first, last } => format!("第 {first} 至 {last} 行被删除"),
            Self::Inserted { seq } => format!("第 {seq} 行是插入的"),
            Self::Swapped { seq, written_as } => {
                format!("第 {seq} 行被调换：这里的内容原在第 {written_as} 行")
            }
            Self::Erased { seq, part } => {
                format!("第 {seq} 行的{}被抹除，却没有抹除记录", part.zh())
            }
            Self::Cut { last, signed } => {
                format!("第 {last} 行之后被截断：签名的末行是第 {signed} 行")
            }
            Self::Rewritten { signed } => {
                format!("整条链被重写：第 {signed} 行与签名时不同")
            }
            Self::Head(cause) => {
                return format!(
                    "审计链的签名头不可用：{cause}。请从备份找回 .audit-head 与 .audit-key 两个文件。"
                );
            }
            Self::Unreadable { after, cause } => format!("第 {after} 行之后读不出来：{cause}"),
        };
        format!("审计记录不完整。{found}。请停止改动数据库，与备份核对。")
    }
}

impl Part {
    fn zh(self) -> &'static str {
        match self {
            Self::Record => "记录",
            Self::Body => "正文",
            Self::Sealed => "密封内容",
        }
    }
}

impl std::fmt::Display for Part {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Record => "record",
            Self::Body => "body",
            Self::Sealed => "sealed part",
        })
    }
}

/// Verify the whole log of a store against the head kept apart.
///
/// # Errors
/// The first fault.
pub async fn verify_store(store: &dyn Store, head: &HeadFile) -> Result<Verified, AuditFault> {
    // The head first: a log in use grows, and must never seem shorter than its head.
    let kept = head.read();
    verify(rows(store, None), kept).await
}

/// The rows of a store in order, a page at a time; of one conversation or of all.
pub fn rows<'a>(
    store: &'a dyn Store,
    conversation: Option<&'a str>,
) -> impl Stream<Item = Result<AuditRow, StoreError>> + 'a {
    let pages = futures::stream::try_unfold(Some(0), move |after| async move {
        let Some(after) = after else {
            return Ok(None);
        };
        let page = store.audit(conversation, after, PAGE).await?;
        let last = page.last().map(|row| row.seq);
        Ok(last.map(|_| (page, last)))
    });
    pages.flat_map(|page| {
        let rows = match page {
            Ok(rows) => rows.into_iter().map(Ok).collect(),
            Err(error) => vec![Err(error)],
        };
        futures::stream::iter(rows)
    })
}

/// Verify rows in order from the first, against what the signed head says.
///
/// # Errors
/// The first fault.
pub async fn verify(
    rows: impl Stream<Item = Result<AuditRow, StoreError>>,
    kept: Result<Kept, HeadError>,
) -> Result<Verified, AuditFault> {
    pin_mut!(rows);
    let signed = kept.as_ref().ok().map(|kept| kept.head);
    let mut head = Head { seq: 0, hash: NONE };
    let mut erasures = Erasures::default();
    let mut head_problems = Vec::new();
    while let Some(row) = rows.next().await {
        let row = row.map_err(|error| unreadable(head, error))?;
        let hash = match check(&row, head) {
            Ok(hash) => hash,
            Err(Misfit::Fault(fault)) => return Err(fault),
            Err(Misfit::Displaced) => {
                let limit = signed.map_or(row.seq, |signed| signed.seq).max(row.seq) + SEARCH;
                let next = match rows.next().await {
                    Some(next) => Some(next.map_err(|error| unreadable(head, error))?),
                    None => None,
                };
                return Err(displaced(&row, next.as_ref(), limit));
            }
        };
        head = Head { seq: row.seq, hash };
        if signed.is_some_and(|signed| signed.seq == row.seq && signed.hash != hash) {
            return Err(AuditFault::Rewritten { signed: row.seq });
        }
        if row.kind == HEAD_PROBLEM {
            head_problems.push(row.seq);
        }
        erasures.note(row);
    }
    if let Some((seq, part)) = erasures.unrecorded() {
        return Err(AuditFault::Erased { seq, part });
    }
    check_head(head, kept).map(|signed| Verified {
        rows: head.seq.unsigned_abs(),
        head,
        signed,
        erased: erasures.count,
        head_problems,
    })
}

enum Misfit {
    Fault(AuditFault),
    /// The record does not fit its own hash: changed, or the content of another row.
    Displaced,
}

/// Check one row against the one before; its hash.
fn check(row: &AuditRow, before: Head) -> Result<Digest, Misfit> {
    let seq = row.seq;
    if seq != before.seq + 1 {
        return Err(Misfit::Fault(AuditFault::Removed {
            first: before.seq + 1,
            last: seq - 1,
        }));
    }
    let hash = digest(&row.hash).ok_or(Misfit::Displaced)?;
    if hash_at(row, seq) != Some(hash) {
        return Err(Misfit::Displaced);
    }
    if digest(&row.prev) != Some(before.hash) {
        return Err(Misfit::Fault(if seq == 1 {
            changed(seq, Part::Record, "place")
        } else {
            AuditFault::Replaced { seq: seq - 1 }
        }));
    }
    let fits = |part: Option<&str>, wanted: &str| {
        part.is_none_or(|part| digest(wanted) == Some(body_digest(part)))
    };
    if !fits(row.body.as_deref(), &row.body_digest) {
        return Err(Misfit::Fault(changed(seq, Part::Body, "digest")));
    }
    if !fits(row.sealed.as_deref(), &row.sealed_digest) {
        return Err(Misfit::Fault(changed(seq, Part::Sealed, "digest")));
    }
    Ok(hash)
}

fn changed(seq: i64, part: Part, against: &'static str) -> AuditFault {
    AuditFault::Changed { seq, part, against }
}

/// What happened to a row that does not fit its own hash, by the places where it and the next one would fit.
fn displaced(row: &AuditRow, next: Option<&AuditRow>, limit: i64) -> AuditFault {
    let seq = row.seq;
    let Some(written_as) = written_as(row, limit) else {
        // A row put in by renumbering the others shifts the next one.
        let shifted = next.is_some_and(|next| next.seq == seq + 1 && fits_at(next, seq));
        return if shifted {
            AuditFault::Inserted { seq }
        } else {
            changed(seq, Part::Record, "hash")
        };
    };
    let gap = written_as - seq;
    let next_follows = next.is_none_or(|next| fits_at(next, next.seq + gap));
    match gap {
        gap if gap > 0 && next_follows => AuditFault::Removed {
            first: seq,
            last: written_as - 1,
        },
        gap if gap < 0 && next_follows => AuditFault::Inserted { seq: seq + gap },
        _ => AuditFault::Swapped { seq, written_as },
    }
}

fn written_as(row: &AuditRow, limit: i64) -> Option<i64> {
    (1..=limit).find(|&seq| fits_at(row, seq))
}

fn fits_at(row: &AuditRow, seq: i64) -> bool {
    digest(&row.hash).is_some_and(|hash| hash_at(row, seq) == Some(hash))
}

/// Erased parts that wait for the row that says so.
#[derive(Default)]
struct Erasures {
    count: u64,
    open: Vec<(String, i64, Part)>,
}

impl Erasures {
    fn note(&mut self, row: AuditRow) {
        if row.kind == ERASE {
            self.open
                .retain(|(conversation, _, _)| *conversation != row.conversation);
        }
        let part = if row.body.is_none() {
            Part::Body
        } else if row.sealed.is_none() && row.sealed_digest != hex::encode(sealed_digest(None)) {
            Part::Sealed
        } else {
            return;
        };
        self.count += 1;
        self.open.push((row.conversation, row.seq, part));
    }

    fn unrecorded(&self) -> Option<(i64, Part)> {
        self.open.first().map(|(_, seq, part)| (*seq, *part))
    }
}

fn check_head(head: Head, kept: Result<Kept, HeadError>) -> Result<i64, AuditFault> {
    let kept = match kept {
        Ok(kept) => kept,
        // Nothing was written yet, nothing can be missing.
        Err(HeadError::Missing(_)) if head.seq == 0 => return Ok(0),
        Err(error) => return Err(AuditFault::Head(error.to_string())),
    };
    for lost in kept.lost.iter().chain([&kept.head]) {
        if lost.seq > head.seq {
            return Err(AuditFault::Cut {
                last: head.seq,
                signed: lost.seq,
            });
        }
    }
    match kept.lost.first() {
        Some(lost) => Err(AuditFault::Rewritten { signed: lost.seq }),
        None => Ok(kept.head.seq),
    }
}

fn unreadable(head: Head, error: StoreError) -> AuditFault {
    AuditFault::Unreadable {
        after: head.seq,
        cause: error.to_string(),
    }
}

//! The log as JSON lines, for other programs. Rows go out as they are stored: masked, and never with their sealed part.

use futures::{Stream, TryStreamExt as _};
use jiff::Timestamp;

use super::rows;
use crate::store::{AuditRow, Store, StoreError};

/// Which rows; what is `None` lets all pass.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ExportFilter {
    pub conversation: Option<String>,
    pub account: Option<String>,
    pub kind: Option<String>,
    /// From this moment on.
    pub since: Option<Timestamp>,
    /// Before this moment.
    pub until: Option<Timestamp>,
}

impl ExportFilter {
    fn lets_pass(&self, row: &AuditRow) -> bool {
        let equal = |wanted: &Option<String>, value: &str| {
            wanted.as_ref().is_none_or(|wanted| wanted == value)
        };
        equal(&self.account, &row.account)
            && equal(&self.kind, &row.kind)
            && self.since.is_none_or(|since| row.at >= since)
            && self.until.is_none_or(|until| row.at < until)
    }
}

/// Rows in order, each a line of JSON without its line end.
pub fn export<'a>(
    store: &'a dyn Store,
    filter: &'a ExportFilter,
) -> impl Stream<Item = Result<String, StoreError>> + 'a {
    rows(store, filter.conversation.as_deref()).try_filter_map(move |row| async move {
        if !filter.lets_pass(&row) {
            return Ok(None);
        }
        serde_json::to_string(&row)
            .map(Some)
            .map_err(|error| StoreError::Corrupt(format!("audit row {}: {error}", row.seq)))
    })
}

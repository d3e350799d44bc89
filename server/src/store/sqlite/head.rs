//! Keeping the signed head of the audit chain close behind the database.

use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::audit::{Head, HeadFile, Kept};

/// How far the head that is kept apart may stay behind.
const EVERY: Duration = Duration::from_secs(3);

pub(super) struct HeadKeeper {
    file: HeadFile,
    lost: Vec<Head>,
    /// The head written last, and when.
    kept: Head,
    kept_at: Instant,
    running: Option<JoinHandle<()>>,
}

impl HeadKeeper {
    /// `kept` has just been written.
    pub fn new(file: HeadFile, kept: Kept) -> Self {
        Self {
            file,
            lost: kept.lost,
            kept: kept.head,
            kept_at: Instant::now(),
            running: None,
        }
    }

    /// When the next writing is due; `None` when nothing is new.
    pub fn due(&self, head: Option<Head>) -> Option<Instant> {
        (head? != self.kept).then(|| self.kept_at + EVERY)
    }

    /// Write the head in the background if it is due.
    pub fn keep_up(&mut self, head: Option<Head>) {
        let now = Instant::now();
        let busy = self
            .running
            .as_ref()
            .is_some_and(|running| !running.is_finished());
        if busy || self.due(head).is_none_or(|due| due > now) {
            return;
        }
        if let Some(head) = head {
            self.kept = head;
            self.kept_at = now;
            let (file, kept) = (self.file.clone(), self.with(head));
            self.running = Some(tokio::task::spawn_blocking(move || write(&file, &kept)));
        }
    }

    /// Write the last head and wait for it.
    pub async fn finish(&mut self, head: Option<Head>) {
        if let Some(running) = self.running.take() {
            running.await.ok();
        }
        if let Some(head) = head {
            write(&self.file, &self.with(head));
        }
    }

    fn with(&self, head: Head) -> Kept {
        Kept {
            head,
            lost: self.lost.clone(),
        }
    }
}

fn write(file: &HeadFile, kept: &Kept) {
    if let Err(error) = file.write(kept) {
        tracing::warn!(%error, "the audit head could not be written");
    }
}

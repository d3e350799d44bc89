//! The way to the writer, and which commits share a batch.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, timeout};

use super::batch::Pending;
use super::erase::Erasure;
use crate::store::{AuditEntry, PackageRow, Publication, StoreError};

/// Requests that may wait for the writer before callers wait to hand theirs over.
const LENGTH: usize = 4096;

/// Commits for which a batch does not wait for more.
const ENOUGH: usize = 64;

/// Commits of one batch at most: what is waiting already goes along, the more the busier the disk.
const BATCH: usize = 256;

/// How long a batch waits for commits that are known to be on their way.
const LINGER: Duration = Duration::from_millis(2);

pub(super) type Reply<T> = oneshot::Sender<Result<T, StoreError>>;

pub(super) enum Request {
    Commit(Box<Pending>, InFlight),
    Publish(Box<(Publication, AuditEntry)>, Reply<()>),
    KeepPackage(Box<PackageRow>, Reply<()>),
    /// Answers how many conversations were erased.
    Erase(Box<Erasure>, Reply<u64>),
    Probe(Reply<()>),
    /// Write what is queued, then stop.
    Close,
    /// A statement on the writer's own connection.
    #[cfg(test)]
    Execute(&'static str, Reply<()>),
}

/// Counts a commit from the moment its caller starts until it is answered or given up.
pub(super) struct InFlight(Arc<AtomicUsize>);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A commit and its place in the count.
pub(super) type Waiting = (Pending, InFlight);

/// The writer's end.
pub(super) struct Queue {
    requests: mpsc::Receiver<Request>,
    in_flight: Arc<AtomicUsize>,
}

/// The callers' end.
pub(super) struct Entrance {
    requests: mpsc::Sender<Request>,
    in_flight: Arc<AtomicUsize>,
}

pub(super) fn queue() -> (Entrance, Queue) {
    let (sender, receiver) = mpsc::channel(LENGTH);
    let in_flight = Arc::new(AtomicUsize::new(0));
    let entrance = Entrance {
        requests: sender,
        in_flight: Arc::clone(&in_flight),
    };
    let queue = Queue {
        requests: receiver,
        in_flight,
    };
    (entrance, queue)
}

impl Entrance {
    /// Count a commit in, before the work that comes before its place in the queue.
    pub fn count_in(&self) -> InFlight {
        self.in_flight.fetch_add(1, Ordering::Relaxed);
        InFlight(Arc::clone(&self.in_flight))
    }

    pub async fn send(&self, request: Request) -> Result<(), StoreError> {
        let sent = self.requests.send(request).await;
        sent.map_err(|_| StoreError::Closed)
    }

    pub async fn ask<T>(&self, request: impl FnOnce(Reply<T>) -> Request) -> Result<T, StoreError> {
        let (reply, answer) = oneshot::channel();
        self.send(request(reply)).await?;
        answer.await.map_err(|_| StoreError::Closed)?
    }
}

impl Queue {
    /// `None` when nobody can ask any more.
    pub async fn next(&mut self) -> Option<Request> {
        self.requests.recv().await
    }

    /// Take nothing new; what is in the queue still comes.
    pub fn close(&mut self) {
        self.requests.close();
    }

    /// What is there already, and what is known to come within [`LINGER`]; also the request that ended the search.
    pub async fn gather(&mut self, first: Waiting) -> (Vec<Waiting>, Option<Request>) {
        let mut batch = vec![first];
        let deadline = Instant::now() + LINGER;
        while batch.len() < BATCH {
            let request = match self.requests.try_recv() {
                Ok(request) => request,
                Err(_) if batch.len() >= ENOUGH => break,
                Err(_) if self.in_flight.load(Ordering::Relaxed) <= batch.len() => break,
                Err(_) => match timeout(deadline - Instant::now(), self.requests.recv()).await {
                    Ok(Some(request)) => request,
                    _ => break,
                },
            };
            match request {
                Request::Commit(pending, in_flight) => batch.push((*pending, in_flight)),
                other => return (batch, Some(other)),
            }
        }
        (batch, None)
    }
}

//! The writer: one task owns the one connection that writes, and commits in flight share a transaction.

use std::sync::Arc;
use std::time::Duration;

use rustc_hash::FxHashMap;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, Row as _, SqliteConnection};
use tokio::time::Instant;

use super::batch::{Current, Pending, Plan, Stored, Verdict};
use super::cache::{ConversationCache, Key};
use super::error::{is_constraint, keeps_connection};
use super::head::HeadKeeper;
use super::queue::{Queue, Request, Waiting};
use super::rows;
use super::statement::{Shape, Texts};
use crate::audit::Head;
use crate::audit::chain::NONE;
use crate::store::{
    AuditEntry, Committed, PackageRow, Publication, StoreError, StoredConversation,
};

/// A database that was written this recently is ready without another try.
const FRESH: Duration = Duration::from_secs(1);

pub(super) struct Writer {
    pub options: SqliteConnectOptions,
    /// `None` after a failure that a new connection may mend.
    pub connection: Option<SqliteConnection>,
    /// Head of the chain in the database; `None` when it has to be read again.
    pub head: Option<Head>,
    pub head_keeper: HeadKeeper,
    pub cache: Arc<ConversationCache>,
    pub queue: Queue,
    pub texts: Texts,
    /// When the last write succeeded, and nothing failed since.
    pub written_at: Option<Instant>,
}

impl Writer {
    /// Serve until [`Request::Close`] or until nobody can ask any more.
    pub async fn run(mut self) {
        let mut next = None;
        loop {
            let request = match next.take() {
                Some(request) => request,
                None => match self.wait().await {
                    Some(request) => request,
                    None => break,
                },
            };
            match request {
                Request::Commit(pending, in_flight) => {
                    let (batch, other) = self.queue.gather((*pending, in_flight)).await;
                    next = other;
                    self.write_all(batch).await;
                }
                Request::Publish(publication, reply) => {
                    let (publication, entry) = *publication;
                    let result = self.publish(&publication, entry).await;
                    reply.send(result).ok();
                }
                Request::KeepPackage(package, reply) => {
                    let result = self.keep_package(&package).await;
                    reply.send(result).ok();
                }
                Request::Erase(erasure, reply) => {
                    let result = self.erase(&erasure).await;
                    reply.send(result).ok();
                }
                Request::Probe(reply) => {
                    let result = self.probe().await;
                    reply.send(result).ok();
                }
                Request::Close => self.queue.close(),
                #[cfg(test)]
                Request::Execute(sql, reply) => {
                    let result = self.execute(sql).await;
                    reply.send(result).ok();
                }
            }
            self.head_keeper.keep_up(self.head);
        }
        self.head_keeper.finish(self.head).await;
        if let Some(connection) = self.connection.take()
            && let Err(error) = connection.close().await
        {
            tracing::warn!(%error, "closing the database failed");
        }
    }

    /// The next request; meanwhile the head that is kept apart catches up.
    async fn wait(&mut self) -> Option<Request> {
        if let Some(due) = self.head_keeper.due(self.head) {
            match tokio::time::timeout_at(due, self.queue.next()).await {
                Ok(request) => return request,
                Err(_) => self.head_keeper.keep_up(self.head),
            }
        }
        self.queue.next().await
    }

    async fn write_all(&mut self, batch: Vec<Waiting>) {
        let (mut pending, mut in_flight): (Vec<_>, Vec<_>) = batch.into_iter().unzip();
        while !pending.is_empty() {
            let done = match self.write(&pending).await {
                Ok(verdicts) => {
                    let done = verdicts.len();
                    for (pending, verdict) in pending.drain(..done).zip(verdicts) {
                        self.answer(pending, verdict);
                    }
                    done
                }
                Err(error) if pending.len() > 1 && is_constraint(&error) => {
                    // One commit breaks a rule of the schema: find it, so that the others are written.
                    for pending in pending.drain(..) {
                        self.write_alone(pending).await;
                    }
                    in_flight.len()
                }
                Err(error) => {
                    let error = StoreError::from(error);
                    for pending in pending.drain(..) {
                        pending.reply.send(Err(error.clone())).ok();
                    }
                    in_flight.len()
                }
            };
            in_flight.drain(..done);
        }
    }

    async fn write_alone(&mut self, pending: Pending) {
        let one = [pending];
        let result = self.write(&one).await;
        let [pending] = one;
        match result {
            Ok(verdicts) => {
                if let Some(verdict) = verdicts.into_iter().next() {
                    self.answer(pending, verdict);
                }
            }
            Err(error) => {
                pending.reply.send(Err(error.into())).ok();
            }
        }
    }

    /// Tell the caller, the cache first.
    fn answer(&self, pending: Pending, verdict: Verdict) {
        let committed = match verdict {
            Verdict::Write { revision } => {
                if let (Some(key), Some(write)) = (pending.key, pending.commit.conversation) {
                    let stored = StoredConversation {
                        conversation: write.conversation,
                        revision,
                    };
                    self.cache
                        .replace(key, Arc::new(stored), pending.state.len());
                }
                Committed::Done { revision }
            }
            Verdict::Duplicate(stored) => Committed::Duplicate(stored),
            Verdict::Conflict => Committed::Conflict,
        };
        pending.reply.send(Ok(committed)).ok();
    }

    /// Write the first commits of the batch in one transaction, all or none; one verdict each.
    async fn write(&mut self, batch: &[Pending]) -> Result<Vec<Verdict>, sqlx::Error> {
        let result = self.try_write(batch).await;
        if let Err(error) = &result {
            self.recover(error).await;
            // Whether a failed COMMIT reached the disk is not known.
            for key in batch.iter().filter_map(|pending| pending.key.as_ref()) {
                self.cache.forget(key);
            }
        }
        result
    }

    async fn try_write(&mut self, batch: &[Pending]) -> Result<Vec<Verdict>, sqlx::Error> {
        let head = self.head().await?;
        let current = self.current(batch).await?;
        let mut plan = Plan::new(batch, &current, &Stored::default(), head);
        // A known callback shows as a UNIQUE violation; a conflict hides it.
        let hidden = plan.verdicts.iter().zip(batch).any(|(verdict, pending)| {
            matches!(verdict, Verdict::Conflict) && pending.commit.inbound.is_some()
        });
        let mut written = if hidden {
            None
        } else {
            match self.transact(&plan).await {
                Err(error) if plan.shape.inbox > 0 && is_constraint(&error) => {
                    self.roll_back().await?;
                    None
                }
                result => Some(result?),
            }
        };
        if written.is_none() {
            let stored = self.stored(batch).await?;
            plan = Plan::new(batch, &current, &stored, head);
            written = Some(self.transact(&plan).await?);
        }
        if written == Some(true) {
            self.written_at = Some(Instant::now());
        }
        self.head = Some(plan.head);
        Ok(plan.verdicts)
    }

    /// Whether there was something to write.
    async fn transact(&mut self, plan: &Plan<'_>) -> Result<bool, sqlx::Error> {
        if plan.is_empty() {
            return Ok(false);
        }
        let text = self.texts.of(plan.shape);
        sqlx::query_with(text, plan.values()?)
            .execute(self.connection().await?)
            .await?;
        Ok(true)
    }

    /// What each conversation of the batch is now: from the cache, else from the database.
    async fn current(&mut self, batch: &[Pending]) -> Result<FxHashMap<Key, Current>, sqlx::Error> {
        let mut current = FxHashMap::default();
        for key in batch.iter().filter_map(|pending| pending.key.as_ref()) {
            if current.contains_key(key) {
                continue;
            }
            let known = match self.cache.get(key) {
                Some(known) => known.map(|stored| Current {
                    id: stored.conversation.id.clone(),
                    revision: stored.revision,
                }),
                None => {
                    let row = sqlx::query(
                        "SELECT id, revision FROM conversation \
                         WHERE account = ? AND customer = ? AND current = 1",
                    )
                    .bind(key.account())
                    .bind(key.customer())
                    .fetch_optional(self.connection().await?)
                    .await?;
                    row.map(|row| {
                        Ok::<_, sqlx::Error>(Current {
                            id: row.try_get("id")?,
                            revision: row.try_get("revision")?,
                        })
                    })
                    .transpose()?
                }
            };
            current.insert(
                key.clone(),
                known.unwrap_or(Current {
                    id: String::new(),
                    revision: 0,
                }),
            );
        }
        Ok(current)
    }

    /// Those callbacks of the batch that are stored already.
    async fn stored(&mut self, batch: &[Pending]) -> Result<Stored, sqlx::Error> {
        let mut stored = Stored::default();
        for new in batch
            .iter()
            .filter_map(|pending| pending.commit.inbound.as_ref())
        {
            let inbound = &new.inbound;
            let row = sqlx::query(AssertSqlSafe(format!(
                "SELECT {} FROM inbox WHERE account = ? AND dedupe_key = ?",
                rows::INBOUND
            )))
            .bind(&inbound.account)
            .bind(&inbound.dedupe_key)
            .fetch_optional(self.connection().await?)
            .await?;
            if let Some(row) = row {
                let known =
                    rows::inbound(&row).map_err(|error| sqlx::Error::Decode(error.into()))?;
                stored.insert((inbound.account.clone(), inbound.dedupe_key.clone()), known);
            }
        }
        Ok(stored)
    }

    async fn publish(
        &mut self,
        publication: &Publication,
        entry: AuditEntry,
    ) -> Result<(), StoreError> {
        let connection = self.connection().await?;
        let kept = sqlx::query("SELECT 1 FROM package WHERE version = ?")
            .bind(&publication.version)
            .fetch_optional(connection)
            .await?;
        if kept.is_none() {
            return Err(StoreError::UnknownPackage(publication.version.clone()));
        }
        let result = self.try_publish(publication, entry).await;
        self.settle(result).await
    }

    async fn try_publish(
        &mut self,
        publication: &Publication,
        entry: AuditEntry,
    ) -> Result<(), sqlx::Error> {
        let pending = [Pending::of_audit(entry)];
        let current = FxHashMap::default();
        let head = self.head().await?;
        let plan = Plan::new(&pending, &current, &Stored::default(), head);
        let text = self.texts.of(Shape {
            publication: 1,
            ..plan.shape
        });
        sqlx::query_with(text, plan.values()?)
            .bind(&publication.account)
            .bind(&publication.version)
            .bind(publication.at.as_microsecond())
            .bind(&publication.by)
            .bind(&publication.source)
            .execute(self.connection().await?)
            .await?;
        self.head = Some(plan.head);
        Ok(())
    }

    async fn keep_package(&mut self, package: &PackageRow) -> Result<(), StoreError> {
        let query = sqlx::query(
            "INSERT INTO package (version, files, kept_at) VALUES (?, ?, ?) \
             ON CONFLICT (version) DO NOTHING",
        )
        .bind(&package.version)
        .bind(&package.files)
        .bind(package.kept_at.as_microsecond());
        let result = query.execute(self.connection().await?).await;
        self.settle(result.map(drop)).await
    }

    /// Ready if the last write succeeded just now, else if a small one does.
    async fn probe(&mut self) -> Result<(), StoreError> {
        if self.written_at.is_some_and(|at| at.elapsed() < FRESH) {
            return Ok(());
        }
        let query = sqlx::query("UPDATE probe SET at = at + 1");
        let result = query.execute(self.connection().await?).await;
        self.settle(result.map(drop)).await
    }

    #[cfg(test)]
    async fn execute(&mut self, sql: &'static str) -> Result<(), StoreError> {
        sqlx::raw_sql(sql).execute(self.connection().await?).await?;
        Ok(())
    }

    /// After a single write: note its success, or clean up.
    pub(super) async fn settle(
        &mut self,
        result: Result<(), sqlx::Error>,
    ) -> Result<(), StoreError> {
        match result {
            Ok(()) => {
                self.written_at = Some(Instant::now());
                Ok(())
            }
            Err(error) => {
                self.recover(&error).await;
                Err(error.into())
            }
        }
    }

    pub(super) async fn connection(&mut self) -> Result<&mut SqliteConnection, sqlx::Error> {
        let connection = match self.connection.take() {
            Some(connection) => connection,
            None => self.options.connect().await?,
        };
        Ok(self.connection.insert(connection))
    }

    pub(super) async fn head(&mut self) -> Result<Head, sqlx::Error> {
        if let Some(head) = self.head {
            return Ok(head);
        }
        let head = read_head(self.connection().await?).await?;
        self.head = Some(head);
        Ok(head)
    }

    /// Leave no transaction open and believe nothing that the failed write may have changed.
    async fn recover(&mut self, error: &sqlx::Error) {
        self.written_at = None;
        self.head = None;
        if !keeps_connection(error) || self.roll_back().await.is_err() {
            self.connection = None;
        }
        if !is_constraint(error) {
            tracing::error!(%error, "writing to the database failed");
        }
    }

    async fn roll_back(&mut self) -> Result<(), sqlx::Error> {
        let Some(connection) = &mut self.connection else {
            return Ok(());
        };
        match sqlx::query("ROLLBACK").execute(connection).await {
            // SQLite rolls back by itself after some errors, and a refused BEGIN leaves nothing to roll back.
            Err(sqlx::Error::Database(error)) if error.message().contains("no transaction") => {
                Ok(())
            }
            result => result.map(drop),
        }
    }
}

/// The last row of the chain.
pub(super) async fn read_head(connection: &mut SqliteConnection) -> Result<Head, sqlx::Error> {
    let row = sqlx::query("SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1")
        .fetch_optional(connection)
        .await?;
    let Some(row) = row else {
        return Ok(Head { seq: 0, hash: NONE });
    };
    let hash: &[u8] = row.try_get("hash")?;
    Ok(Head {
        seq: row.try_get("seq")?,
        hash: hash
            .try_into()
            .map_err(|error| sqlx::Error::Decode(Box::new(error)))?,
    })
}
